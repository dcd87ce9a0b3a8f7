"""Ranked lines, hosts and sites on the terminal, and the same as CSV or JSON for programs."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simbox.ingest.report import IngestReport
from simbox.outputs import captured
from simbox.outputs import sites as of_sites
from simbox.outputs.folder import REPORT
from simbox.outputs.ranking import HOST, LINE, SITE, Ranked, meanings
from simbox.outputs.record import RunRecord
from simbox.outputs.wording import STYLES, counts, nats, plural, probability, shown, some
from simbox.tables import HOST_PREFIX

MOST_FILES = 2
GAP = 2  # columns of the terminal between two of a table
FOUND = ("alert", "watch", "listed")  # sites that are shown; groups that are clear are no rooms
NOTHING = "–"
NAIVE = "%Y-%m-%dT%H:%M:%S"  # of local times, as sites have them

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Layout:
    """How ranked things stand in a table."""

    subject: str
    wide: int  # from so many columns on, the reasons stand beside a line, else below it
    columns: Mapping[str, Callable[[Row], Text]]
    right: frozenset[str]
    below: tuple[str, ...] = ()  # columns that go below with the reasons where room is scarce


def table(record: RunRecord, ranked: Ranked, width: int) -> RenderableType:
    """What was read, then the ranked sites, lines and hosts; what was read of comes first."""
    tables = [(_lines(ranked.lines), ranked.lines)]
    if ranked.hosts is not None:
        tables.append((_HOSTS, ranked.hosts))
    if leading(record) == HOST:
        tables.reverse()
        tables = [(layout, frame) for layout, frame in tables if layout is _HOSTS or frame.height]
    if ranked.sites is not None:
        found = ranked.sites.filter(pl.col("status").cast(pl.String).is_in(FOUND))
        tables = [*([(_SITES, of_sites.with_shift(found))] if found.height else []), *tables]
    parts: list[RenderableType] = [_facts(_head(record))]
    for layout, frame in tables:
        rows = list(frame.iter_rows(named=True))
        laid = _wide(layout, rows) if width >= layout.wide else _narrow(layout, rows, width)
        parts += [Text(), laid, Text(), _facts(meanings(frame, layout.subject).items())]
    return Group(*parts)


def leading(record: RunRecord) -> str:
    """What a run is above all about: lines where CDRs or features were read, else hosts."""
    return HOST if record.ingest.captures and not record.ingest.files else LINE


def as_csv(ranked: pl.DataFrame) -> str:
    """Lines, hosts or sites as CSV with a header; times of no zone are local and have no Z."""
    local = [n for n, t in ranked.schema.items() if isinstance(t, pl.Datetime) and not t.time_zone]
    told = ranked.with_columns(pl.col(local).dt.strftime(NAIVE)) if local else ranked
    return told.write_csv(datetime_format=f"{NAIVE}Z", float_precision=6)


def as_json(ranked: pl.DataFrame) -> str:
    """Lines, hosts or sites as a JSON list."""
    return json.dumps(ranked.to_dicts(), indent=1, ensure_ascii=False, default=_plain)


def _plain(value: datetime) -> str:
    return f"{value:{NAIVE}}" + ("Z" if value.tzinfo else "")


def closing(out: Path, record: RunRecord, first: Sequence[str], *, default: bool) -> Text:
    """Where everything is and what to do next; a run in the default place need not be named."""
    text = Text.assemble(("\nrun   ", "dim"), str(out), ("  report  ", "dim"), str(out / REPORT))
    if record.evidence:
        text.append_text(Text.assemble(("\nproof ", "dim"), _proof(record.evidence)))
    for name in first:
        run = "" if default else f" --run {out}"
        command = f"simbox explain {shlex.quote(shown(name))}{run}"
        text.append_text(Text.assemble(("\nnext  ", "dim"), command))
    return text


def _proof(evidence: Mapping[str, Any]) -> str:
    left = evidence["left_out"]
    more = f", {left:,} more left out" if left else ""
    return f"{evidence['path']}  {plural(evidence['frames'], 'frame')}{more}"


def _facts(facts: Iterable[tuple[str, str | Text]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts:
        grid.add_row(name, value)
    return grid


def _head(record: RunRecord) -> Iterator[tuple[str, str | Text]]:
    found = record.ingest
    if found.files:
        yield "files", _files(found)
        yield "rows", ", ".join(_rows(record))
        yield "period", f"{record.period}, {record.zones}"
    if found.rejects:
        yield "rejected", Text(counts(found.rejects), style="yellow")
    if found.adjusted:
        yield "adjusted", counts(found.adjusted)
    if found.captures:
        for name, text, warning in captured.facts(found.captures, record.zone):
            yield name, Text(text, style="yellow" if warning else "")
    if found.skipped:
        yield "skipped", f"{plural(len(found.skipped), 'file')}: {some(found.skipped, MOST_FILES)}"
    yield "lines", _counted(record.lines, record.status)
    if record.sites:
        told = f"; {false_sites(record)}" if record.site_status.get("alert") else ""
        yield "sites", _counted(record.sites, record.site_status).append(told)
    if found.captures:
        yield "hosts", _counted(record.hosts, record.host_status)
    for note in record.notes:
        yield "note", Text(note, style="yellow")


def false_sites(record: RunRecord) -> str:
    """How many of the sites that alert are expected to be none, by their own probabilities."""
    alerts = record.site_status.get("alert", 0)
    number = f"{record.false_sites:.2f}" if record.false_sites < 10 else f"{record.false_sites:.0f}"
    return f"{number} false ones expected among the {plural(alerts, 'alert')}"


def _rows(record: RunRecord) -> Iterator[str]:
    found = record.ingest
    yield f"{found.rows:,}, of which {plural(found.events, 'event')}"
    if record.duplicates:
        yield plural(record.duplicates, "duplicate")
    if record.merged:
        yield f"{plural(record.merged, 'partial record')} joined"


def _files(found: IngestReport) -> str:
    if len(found.files) <= MOST_FILES:
        return ", ".join(f"{f.path} ({f.profile})" for f in found.files)
    profiles = ", ".join(sorted({f.profile for f in found.files}))
    below = os.path.commonpath(f.path for f in found.files) or "."
    return f"{below}: {len(found.files):,} files ({profiles})"


def _counted(number: int, statuses: Mapping[str, int]) -> Text:
    text = Text(f"{number:,}: ")
    parts = [(f"{n:,} {s}", STYLES[s]) for s, n in statuses.items() if n or s == "alert"]
    return text.append_text(Text(", ").join(Text(t, style=s) for t, s in parts))


def _wide(layout: _Layout, rows: Sequence[Row]) -> Table:
    grid = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in layout.columns:
        justify = "right" if heading in layout.right else "left"
        grid.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    grid.add_column("main reasons", overflow="fold")
    for row in rows:
        grid.add_row(*(cell(row) for cell in layout.columns.values()), str(row["reasons"]))
    return grid


def _narrow(layout: _Layout, rows: Sequence[Row], width: int) -> RenderableType:
    """Two lines a line: the numbers, and its reasons below them, with what has no room above."""
    kept = [name for name in layout.columns if name not in layout.below]
    while len(kept) > 1 and sum(_widths(layout, kept, rows)) + GAP * (len(kept) - 1) > width:
        kept.pop()
    right = [name in layout.right for name in kept]
    table = [
        [Text(name, style="dim") for name in kept],
        *([layout.columns[name](row) for name in kept] for row in rows),
    ]
    widths = _widths(layout, kept, rows)
    parts: list[RenderableType] = [_aligned(table[0], widths, right)]
    for row, cells in zip(rows, table[1:], strict=True):
        parts.append(_aligned(cells, widths, right))
        below = [cell(row).plain for name, cell in layout.columns.items() if name not in kept]
        told = [", ".join(text for text in below if text != NOTHING), row["reasons"]]
        words = Text(": ".join(str(t) for t in told if t), style="dim")
        parts.append(Padding(words, (0, 0, 0, widths[0] + GAP)))
    return Group(*parts)


def _widths(layout: _Layout, names: Sequence[str], rows: Sequence[Row]) -> list[int]:
    """The width of columns that holds their headings and every cell."""
    texts = ([name, *(layout.columns[name](row).plain for row in rows)] for name in names)
    return [max(map(cell_len, column)) for column in texts]


def _aligned(cells: Sequence[Text], widths: Sequence[int], right: Sequence[bool]) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    for cell, width, to_right in zip(cells, widths, right, strict=True):
        padded = cell.copy()
        padded.align("right" if to_right else "left", width)
        line.append_text(padded).append(" " * GAP)
    line.rstrip()
    return line


def place(row: Row) -> str:
    """Where a line mostly is: its cell, or its host without the mark that tells it from a cell."""
    return (row.get("top_cell") or "").removeprefix(HOST_PREFIX)


def _number(name: str) -> Callable[[Row], Text]:
    return lambda row: Text(f"{row[name]:,}" if row.get(name) is not None else NOTHING)


_COMMON: dict[str, Callable[[Row], Text]] = {
    "score": lambda row: Text(nats(row["score"])),
    "prob.": lambda row: Text(probability(row["probability"])),
    "status": lambda row: Text(str(row["status"]), style=STYLES[row["status"]]),
}


def _lines(frame: pl.DataFrame) -> _Layout:
    """The layout of lines, with a column of sites where any of them stands in one."""
    if SITE not in frame.columns or not frame[SITE].drop_nulls().len():
        return _LINES
    site: dict[str, Callable[[Row], Text]] = {SITE: lambda row: Text(row[SITE] or NOTHING)}
    return replace(_LINES, wide=_LINES.wide + 12, columns={**_LINES.columns, **site})


def _named(subject: str) -> dict[str, Callable[[Row], Text]]:
    return {
        "rank": lambda row: Text(str(row["rank"])),
        subject: lambda row: Text(shown(str(row[subject])), style="bold"),
    } | _COMMON


_LINES = _Layout(
    subject=LINE,
    wide=118,
    columns=_named(LINE)
    | {"events": _number("events"), "place": lambda row: Text(shown(place(row)) or NOTHING)},
    right=frozenset({"rank", "score", "prob.", "events"}),
)
_SITES = _Layout(
    subject=SITE,
    wide=170,
    columns={
        "rank": _named(SITE)["rank"],
        SITE: _named(SITE)[SITE],
        "status": _COMMON["status"],
        "prob.": _COMMON["prob."],
        "kind": lambda row: Text(row.get("kind") or NOTHING),
    }
    | {name: _number(name) for name in ("lines", "ports", "calls")}
    | {"shift": lambda row: Text(of_sites.shift(row))}
    | {"place": lambda row: Text(shown(of_sites.place(row)))},
    right=frozenset({"rank", "prob.", "lines", "ports", "calls"}),
    below=("kind", "place"),
)
_HOSTS = _Layout(
    subject=HOST,
    wide=150,
    columns=_named(HOST)
    | {"product": lambda row: Text(row["product"] or NOTHING)}
    | {name: _number(name) for name in ("ports", "lines", "calls", "peers")},
    right=frozenset({"rank", "score", "prob.", "ports", "lines", "calls", "peers"}),
    below=("product",),
)
