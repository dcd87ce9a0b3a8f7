"""The data-quality page: what the files are and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simbox.identifiers import CLASS_SHIFT, NUMBER_CLASS_NAMES
from simbox.ingest.report import FileReport, IngestReport
from simbox.outputs.record import local_span
from simbox.outputs.wording import counts
from simbox.store import Store
from simbox.tables import EVENT_TYPES, STORED

_BARE = 1 << CLASS_SHIFT


@dataclass(frozen=True)
class Quality:
    """What a store of events holds."""

    ingest: IngestReport
    lines: int
    duplicates: int
    event_types: Mapping[str, int]
    parties: Mapping[str, int]  # distinct other parties by class


def measure(store: Store, ingest: IngestReport) -> Quality:
    """Count lines, repeated events and other parties, one bucket at a time."""
    lines, duplicates = 0, 0
    types = np.zeros(len(EVENT_TYPES), np.int64)
    parties = pl.Series("other", [], dtype=pl.UInt64)
    for stored in store.each_bucket(list(STORED.schema)):
        kind = stored["kind"].to_numpy() % len(EVENT_TYPES)
        types += np.bincount(kind, minlength=len(EVENT_TYPES))
        ids = (pl.col(name) % _BARE for name in ("line", "other"))
        bare = stored.select(*ids, "start", "duration", pl.Series("type", kind))
        lines += bare["line"].n_unique()
        duplicates += bare.height - bare.n_unique()
        parties = pl.concat([parties, stored["other"].unique()]).unique()
    return Quality(
        ingest=ingest,
        lines=lines,
        duplicates=duplicates,
        event_types=dict(zip(EVENT_TYPES, types.tolist(), strict=True)),
        parties=_by_class(parties.filter(parties != 0)),
    )


def _by_class(parties: pl.Series) -> dict[str, int]:
    codes = (parties // _BARE).value_counts(sort=False)
    names = {int(c): n for c, n in NUMBER_CLASS_NAMES.items()}
    ordered = sorted(codes.iter_rows(), key=lambda row: (-row[1], row[0]))
    return {names[code]: count for code, count in ordered}


def page(quality: Quality) -> RenderableType:
    """The page for the terminal."""
    parts: list[RenderableType] = []
    for report in quality.ingest.files:
        facts = _facts(list(_file_facts(report)))
        parts += [Text(report.path, style="bold"), Padding(facts, (0, 0, 1, 2))]
    parts += [Text("all files", style="bold"), Padding(_facts(_totals(quality)), (0, 0, 0, 2))]
    return Group(*parts)


def _file_facts(report: FileReport) -> Iterator[tuple[str, str]]:
    yield "read as", f"{report.profile} ({report.format}, {report.encoding}): {report.why}"
    yield "zone", report.zone
    yield "rows", f"{report.rows:,}, of which {report.events:,} events"
    if report.ignored:
        yield "ignored", f"{report.ignored:,} of kinds that are no call and no text"
    if report.outside:
        yield "outside", f"{report.outside:,} events before or after the period asked for"
    if span := local_span(report):
        yield "period", " to ".join(span)
    yield "rejected", counts(report.rejects) or "none"
    if report.adjusted:
        yield "adjusted", counts(report.adjusted)
    yield "empty", _nulls(report.null_share)


def _totals(quality: Quality) -> list[tuple[str, str]]:
    events = sum(quality.event_types.values())
    return [
        ("rows", f"{quality.ingest.rows:,}"),
        ("events", f"{events:,}: {counts(quality.event_types)}"),
        ("duplicates", f"{quality.duplicates:,}, counted once in a run"),
        ("lines", f"{quality.lines:,}"),
        ("other parties", counts(quality.parties) or "none"),
        ("rejected", counts(quality.ingest.rejects) or "none"),
    ]


def _nulls(shares: Mapping[str, float]) -> str:
    some = {name: share for name, share in shares.items() if share > 0}
    ordered = sorted(some.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {share:.0%}" for name, share in ordered) or "no column"


def _facts(facts: list[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True, min_width=14)
    grid.add_column(overflow="fold")
    for name, value in facts:
        grid.add_row(name, value)
    return grid


def proposed(path: str, files: int) -> str:
    """What to say beside the profile that is proposed for a file of unknown format."""
    others = f", the first of {files} such files" if files > 1 else ""
    return (
        f"simbox: {path}: no known profile reads it{others}; the one above is proposed: "
        "check it, save it as TOML, and name it with --profile"
    )


def show(console: Console, quality: Quality) -> None:
    """Print the page."""
    console.print(page(quality))
