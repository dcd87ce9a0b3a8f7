"""The record of a run, and what its reader has to know about the data."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from simbox.config import Config
from simbox.features.context import CellTable
from simbox.identifiers import text_id
from simbox.ingest.cells import CellsReport
from simbox.ingest.report import IngestReport
from simbox.ingest.run import open_profiles
from simbox.outputs.record import RunRecord, last_local_day
from simbox.outputs.wording import plural
from simbox.pipeline.options import Options, local_zone, reading_options
from simbox.scoring import STATUSES, Scored
from simbox.version import VERSION


def record_of(config: Config, options: Options, found: IngestReport, scored: Scored) -> RunRecord:
    """The record of a run over what was read and scored."""
    status = Counter(scored.lines["status"].cast(pl.String))
    asked = {"profile": options.profile, "zone": options.zone, "cells": options.cells,
             "since": options.since, "until": options.until}  # fmt: skip
    return RunRecord(
        versions={"simbox": VERSION, "polars": pl.__version__, "numpy": np.__version__},
        options={name: None if value is None else str(value) for name, value in asked.items()}
        | {"lists": ", ".join(map(str, options.lists)) or None}
        | {"access": ", ".join(map(str, options.access)) or None},
        config=config.model_dump(mode="json"),
        config_digest=config.digest(),
        ingest=found,
        lines=scored.lines.height,
        status={name: status.get(name, 0) for name in STATUSES},
        notes=(*zone_notes(found, config, options), *scored.notes),
    )


def zone_notes(found: IngestReport, config: Config, options: Options) -> tuple[str, ...]:
    """A note when nobody has said in which zone the clocks of the data are."""
    if local_zone(config, options):
        return ()
    silent = {p.name for p in open_profiles(reading_options(config, options)) if not p.time.zone}
    assumed = sum(file.profile in silent for file in found.files)
    if not assumed:
        return ()
    which = "" if assumed == len(found.files) else f" for {plural(assumed, 'file')}"
    return (
        f"no zone given{which}: times are read as UTC; --zone or the profile's zone changes it",
    )


def cell_notes(path: Path | None, cells: CellsReport | None, table: Path) -> tuple[str, ...]:
    """What to know about the table of cells, above all when it places no line."""
    if cells is None:
        return ()
    notes = tuple(f"{path}: {note}" for note in cells.notes)
    placed = pl.scan_parquet(table).select(pl.col("gyration_km").count()).collect().item()
    if placed:
        return notes
    none = f"{path}: none of its cells is among those of the data; compare their spellings"
    return (*notes, none)


def cell_table(found: CellsReport | None) -> CellTable | None:
    """The coordinates of cells as features read them."""
    if found is None:
        return None
    cells = found.cells.with_columns(place=text_id(pl.col("cell"))).sort("place")
    return CellTable(cells["place"].to_numpy(), cells["lat"].to_numpy(), cells["lon"].to_numpy())


def last_day(found: IngestReport, config: Config, options: Options) -> date | None:
    """The last local day of the data, on which list entries must still be in force."""
    return last_local_day(found, local_zone(config, options))
