"""The five hops, top to bottom: ingest, tables, features, scoring, outputs."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from simbox.config import Config, load
from simbox.errors import InputError, UsageError
from simbox.features import FeatureRun, compute, features
from simbox.features.context import CellTable
from simbox.identifiers import text_id
from simbox.ingest import estimate_rows, ingest
from simbox.ingest.cdr.propose import Proposal, propose
from simbox.ingest.cells import CellsReport, load_cells
from simbox.ingest.report import IngestOptions, IngestProgress, IngestReport
from simbox.ingest.run import open_file, open_profiles, without_strays
from simbox.ingest.sources import expand
from simbox.outputs import files
from simbox.outputs import folder as run_folder
from simbox.outputs.folder import RunFolder, replacing
from simbox.outputs.progress import Step, silent
from simbox.outputs.quality import Quality, measure
from simbox.outputs.ranking import with_values
from simbox.outputs.record import RunRecord, last_local_day
from simbox.outputs.wording import plural
from simbox.scoring import STATUSES, Scored, import_features, load_lists, score_file, scorecard
from simbox.store import Store, buckets_for
from simbox.version import VERSION

PARTS = "features"  # a folder of one Parquet file a bucket, until they are joined
Paths = Sequence[Path | str]


@dataclass(frozen=True)
class Options:
    """What a run is asked to do beyond its configuration."""

    profile: str | None = None
    zone: str | None = None  # of local time, unless the configuration or the profile says it
    since: datetime | None = None  # local
    until: datetime | None = None  # local, not included
    cells: Path | None = None
    lists: tuple[Path, ...] = ()
    keep: files.Keep = field(default_factory=files.Keep)


@dataclass(frozen=True)
class Run:
    """A run whose folder is written."""

    folder: Path
    record: RunRecord
    lines: pl.DataFrame  # ranked

    def head(self, count: int) -> pl.DataFrame:
        """The first lines, with a column of reasons in words."""
        table = pl.scan_parquet(self.folder / run_folder.FEATURES)
        return with_values(self.lines.head(count), table)


@dataclass(frozen=True)
class Tables:
    """The tables of a run as frames."""

    lines: pl.DataFrame
    contributions: pl.DataFrame
    features: pl.DataFrame
    rejects: pl.DataFrame
    record: RunRecord


def detect(paths: Paths, config: Config, options: Options, work: Path, step: Step = silent) -> Run:
    """Rank the lines in CDR files and write the run into an empty folder."""
    card = scorecard(config, families())
    cells = load_cells(options.cells) if options.cells else None
    store = Store.create(work / run_folder.STORE, buckets_for(estimate_rows(paths)))

    step("reading")
    with store.writer() as writer:
        found = ingest(paths, writer, _reading(config, options, work), _reading_step(step))
    _check_events(found, options)
    measured = compute(store, work / PARTS, _cell_table(cells), _measuring_step(step))
    table = _joined(measured, work / run_folder.FEATURES)

    step("scoring")
    lists = load_lists(_lists(config, options), config.lists, _last_day(found, config, options))
    scored = score_file(table, work / run_folder.CONTRIBUTIONS, card, lists)

    step("writing")
    record = _record(config, options, found, scored)
    record = replace(record, duplicates=measured.duplicates, merged=measured.merged)
    record = replace(record, notes=(*record.notes, *_cell_notes(options.cells, cells, table)))
    files.write(work, record, scored, options.keep)
    return Run(work, record, scored.lines)


def score(table: Path, config: Config, options: Options, work: Path) -> Run:
    """Rank the lines of a table of features and write the run into an empty folder."""
    card = scorecard(config, families())
    target = work / run_folder.FEATURES
    imported = import_features(table, target, list(features()), config.ingest.max_reject_share)
    imported.rejects.write_parquet(work / run_folder.REJECTS)
    lists = load_lists(_lists(config, options), config.lists, None)
    scored = score_file(target, work / run_folder.CONTRIBUTIONS, card, lists)
    record = _record(config, options, IngestReport(()), scored)
    rejected = dict(imported.rejects["reason"].value_counts(sort=True).iter_rows())
    told = tuple(f"{table}: {count:,} times {reason}" for reason, count in rejected.items())
    record = replace(record, notes=(*record.notes, *imported.unknown, *told))
    files.write(work, record, scored, options.keep)
    return Run(work, record, scored.lines)


def inspect(paths: Paths, config: Config, options: Options, step: Step = silent) -> Quality:
    """Read CDR files and say how good they are, whatever the share of rejected rows."""
    with TemporaryDirectory(prefix="simbox-") as folder:
        store = Store.create(Path(folder) / "store", buckets_for(estimate_rows(paths)))
        reading = replace(_reading(config, options), max_reject_share=1.0)
        with store.writer() as writer:
            found = ingest(paths, writer, reading, _reading_step(step))
        return replace(measure(store, found), notes=_zone_notes(found, config, options))


def proposals(paths: Paths, config: Config, options: Options) -> list[Proposal]:
    """Profiles for the files that no known profile reads; none when all are known.

    Raises:
        InputError: a file is no CDR file at all.
    """
    profiles = open_profiles(_reading(config, options))
    found = []
    for source in without_strays(expand(paths), profiles).sources:
        try:
            open_file(source, profiles)
        except InputError:
            found.append(propose(source))
    return found


def tables(
    paths: Paths | Path | str, config: Config | Path | str | None, options: Options,
    out: Path | str | None,
) -> Tables:  # fmt: skip
    """A run as frames, its folder kept only where one is named."""
    some = [paths] if isinstance(paths, str | Path) else paths
    settings = load(Path(config)) if isinstance(config, str | Path) else config or load()
    with TemporaryDirectory(prefix="simbox-") as folder:
        target = Path(out) if out else Path(folder) / "run"
        with replacing(target) as work:
            detect(some, settings, options, work)
        return read(target)


def read(folder: Path) -> Tables:
    """The tables of a finished run's folder."""
    run = RunFolder.open(folder)
    return Tables(
        lines=run.table(run_folder.LINES).collect(),
        contributions=run.table(run_folder.CONTRIBUTIONS).collect(),
        features=run.table(run_folder.FEATURES).collect(),
        rejects=run.table(run_folder.REJECTS).collect(),
        record=run.record,
    )


def families() -> dict[str, str]:
    """The family of every feature."""
    return {name: feature.family for name, feature in features().items()}


def _reading(config: Config, options: Options, work: Path | None = None) -> IngestOptions:
    return IngestOptions(
        profile=options.profile,
        profile_folders=tuple(Path(f) for f in config.ingest.profile_folders),
        local_zone=_local_zone(config, options),
        since=options.since,
        until=options.until,
        max_reject_share=config.ingest.max_reject_share,
        rejects_path=work / run_folder.REJECTS if work else None,
    )


def _reading_step(step: Step) -> Callable[[IngestProgress], None]:
    def told(at: IngestProgress) -> None:
        share = at.bytes_read / at.bytes_total if at.bytes_total else None
        step(f"reading file {at.file} of {at.files}, {at.rows:,} rows", share)

    return told


def _measuring_step(step: Step) -> Callable[[int, int], None]:
    def told(done: int, of: int) -> None:
        step("measuring lines", done / of)

    return told


def _check_events(found: IngestReport, options: Options) -> None:
    """Say why there is nothing to rank, if there is nothing."""
    if found.events:
        return
    if found.outside:
        ends = [f"{name} {at}" for name in ("since", "until") if (at := getattr(options, name))]
        raise UsageError(
            f"{' '.join(ends)}: all {found.outside:,} events of the input lie outside; "
            "'simbox inspect' shows its period"
        )
    where = ", ".join(file.path for file in found.files[:1])
    raise InputError(
        f"{where}: {found.rows:,} rows and no call or text among them ({found.ignored:,} of other "
        "kinds); 'simbox inspect' shows more"
    )


def _cell_notes(path: Path | None, cells: CellsReport | None, table: Path) -> tuple[str, ...]:
    """What to know about the table of cells, above all when it places no line."""
    if cells is None:
        return ()
    notes = tuple(f"{path}: {note}" for note in cells.notes)
    placed = pl.scan_parquet(table).select(pl.col("gyration_km").count()).collect().item()
    if placed:
        return notes
    none = f"{path}: none of its cells is among those of the data; compare their spellings"
    return (*notes, none)


def _joined(measured: FeatureRun, target: Path) -> Path:
    """The features as one file, in their order."""
    measured.table().sink_parquet(target, maintain_order=True)
    shutil.rmtree(measured.folder)
    return target


def _cell_table(found: CellsReport | None) -> CellTable | None:
    if found is None:
        return None
    cells = found.cells.with_columns(place=text_id(pl.col("cell"))).sort("place")
    return CellTable(cells["place"].to_numpy(), cells["lat"].to_numpy(), cells["lon"].to_numpy())


def _lists(config: Config, options: Options) -> list[Path]:
    return [*(Path(f) for f in config.lists.files), *options.lists]


def _local_zone(config: Config, options: Options) -> str | None:
    return options.zone or config.time.local_zone or None


def _last_day(found: IngestReport, config: Config, options: Options) -> date | None:
    """The last local day of the data, on which list entries must still be in force."""
    return last_local_day(found, _local_zone(config, options))


def _zone_notes(found: IngestReport, config: Config, options: Options) -> tuple[str, ...]:
    """A note when nobody has said in which zone the clocks of the data are."""
    if _local_zone(config, options):
        return ()
    silent = {p.name for p in open_profiles(_reading(config, options)) if not p.time.zone}
    assumed = sum(file.profile in silent for file in found.files)
    if not assumed:
        return ()
    which = "" if assumed == len(found.files) else f" for {plural(assumed, 'file')}"
    return (
        f"no zone given{which}: times are read as UTC; --zone or the profile's zone changes it",
    )


def _record(config: Config, options: Options, found: IngestReport, scored: Scored) -> RunRecord:
    status = Counter(scored.lines["status"].cast(pl.String))
    asked = {"profile": options.profile, "zone": options.zone, "cells": options.cells,
             "since": options.since, "until": options.until}  # fmt: skip
    return RunRecord(
        versions={"simbox": VERSION, "polars": pl.__version__, "numpy": np.__version__},
        options={name: None if value is None else str(value) for name, value in asked.items()}
        | {"lists": ", ".join(map(str, options.lists)) or None},
        config=config.model_dump(mode="json"),
        config_digest=config.digest(),
        ingest=found,
        lines=scored.lines.height,
        status={name: status.get(name, 0) for name in STATUSES},
        notes=(*_zone_notes(found, config, options), *scored.notes),
    )
