"""The data-quality page: what the files are and how far they can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simbox.identifiers import CLASS_SHIFT, NUMBER_CLASS_NAMES
from simbox.ingest.capture.report import CaptureReport
from simbox.ingest.report import FileReport, IngestReport
from simbox.outputs import captured
from simbox.outputs.record import local_span
from simbox.outputs.wording import counts, percent, plural, some
from simbox.store import Store
from simbox.tables import EVENT_TYPES, STORED

MOST_BLOCKS = 20  # files that are shown in full
MOST_NAMED = 5
COMMON = {"read as", "zone"}  # columns that are told once where all files agree
_BARE = 1 << CLASS_SHIFT


@dataclass(frozen=True)
class Quality:
    """What a store of events holds."""

    ingest: IngestReport
    lines: int
    duplicates: int
    event_types: Mapping[str, int]
    parties: Mapping[str, int]  # distinct other parties by class
    notes: tuple[str, ...] = ()
    zone: str = "UTC"  # in which the times of captures are told


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
    """The page for the terminal: a block a file, or a line a file where there are many."""
    files = quality.ingest.files
    parts: list[RenderableType] = []
    if len(files) > MOST_BLOCKS:
        shared = _facts(list(_shared_facts(files)))
        parts += [Text(plural(len(files), "file"), style="bold"), Padding(shared, (0, 0, 1, 2))]
        parts.append(Padding(_lines(files), (0, 0, 1, 2)))
    else:
        for report in files:
            facts = _facts(list(_file_facts(report)))
            parts += [Text(report.path, style="bold"), Padding(facts, (0, 0, 1, 2))]
    for capture in quality.ingest.captures:
        facts = _facts(list(_capture_facts(capture, quality.zone)))
        parts += [Text(capture.path, style="bold"), Padding(facts, (0, 0, 1, 2))]
    totals = _facts(list(_totals(quality)))
    return Group(*parts, Text("all files", style="bold"), Padding(totals, (0, 0, 0, 2)))


def _shared_facts(files: Sequence[FileReport]) -> Iterator[tuple[str, str]]:
    """What all files have in common, and how often each of it occurs where they differ."""
    for name, values in (
        ("read as", Counter(file.profile for file in files)),
        ("zone", Counter(file.zone for file in files)),
    ):
        yield name, next(iter(values)) if len(values) == 1 else counts(dict(values.most_common()))


def _lines(files: Sequence[FileReport]) -> Table:
    """A line a file; profile and zone only where they differ."""
    columns: dict[str, Callable[[FileReport], str]] = {
        "file": lambda file: file.path,
        "read as": lambda file: file.profile,
        "zone": lambda file: file.zone,
        "rows": lambda file: f"{file.rows:,}",
        "events": lambda file: f"{file.events:,}",
        "rejected": lambda file: f"{file.rejected:,}",
        "adjusted": lambda file: f"{sum(file.adjusted.values()):,}",
        "period": lambda file: " to ".join(local_span(file) or ("–",)),
    }
    told = {name: [value(file) for file in files] for name, value in columns.items()}
    shown = [n for n, values in told.items() if n not in COMMON or len(set(values)) > 1]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in shown:
        right = name in {"rows", "events", "rejected", "adjusted"}
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for cells in zip(*(told[name] for name in shown), strict=True):
        table.add_row(*(Text(cell) for cell in cells))
    return table


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


def _capture_facts(report: CaptureReport, zone: str) -> Iterator[tuple[str, str]]:
    yield "read as", f"{report.format}, {report.size:,} octets, SHA-256 {report.sha256[:16]}…"
    yield "packets", captured.packets([report])
    if period := captured.span([report], zone):
        yield "period", f"{period} {zone}"
    if report.damage:
        yield "damaged", report.damage
    yield "found", counts(captured.found(report.counts)) or "no call control, media or device"
    yield "given up", counts(captured.given_up(report.counts)) or "nothing"


def _totals(quality: Quality) -> Iterator[tuple[str, str]]:
    found = quality.ingest
    if found.files:
        yield "rows", f"{found.rows:,}"
    if found.captures:
        yield "packets", captured.packets(found.captures)
    yield "events", f"{sum(quality.event_types.values()):,}: {counts(quality.event_types)}"
    yield "duplicates", f"{quality.duplicates:,}, counted once in a run"
    yield "lines", f"{quality.lines:,}"
    yield "other parties", counts(quality.parties) or "none"
    if found.files:
        yield "rejected", counts(found.rejects) or "none"
    if found.adjusted:
        yield "adjusted", counts(found.adjusted)
    if found.skipped:
        yield "skipped", f"{plural(len(found.skipped), 'file')}: {some(found.skipped, MOST_NAMED)}"
    for note in quality.notes:
        yield "note", note


def _nulls(shares: Mapping[str, float]) -> str:
    empty = {name: share for name, share in shares.items() if share > 0}
    ordered = sorted(empty.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {percent(share)}" for name, share in ordered) or "no column"


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
