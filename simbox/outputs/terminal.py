"""Ranked lines on the terminal, and the same as CSV or JSON for other programs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from simbox.outputs.folder import REPORT
from simbox.outputs.ranking import meanings
from simbox.outputs.record import RunRecord
from simbox.outputs.wording import STYLES, counts, nats, plural, probability, some

WIDE = 118  # from so many columns on, the reasons stand beside the line, else below it
MOST_FILES = 2
NARROW = ("rank", "line", "score", "prob.", "status", "events", "place")
RIGHT = {"rank", "score", "prob.", "events"}


def table(record: RunRecord, lines: pl.DataFrame, width: int) -> RenderableType:
    """What was read, then the ranked lines."""
    rows = list(lines.iter_rows(named=True))
    ranked = _wide(rows) if width >= WIDE else _narrow(rows)
    parts: list[RenderableType] = [_facts(_head(record)), Text(), ranked, Text()]
    return Group(*parts, _facts(meanings(lines).items()))


def as_csv(lines: pl.DataFrame) -> str:
    """The lines as CSV with a header."""
    return lines.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ", float_precision=6)


def as_json(lines: pl.DataFrame) -> str:
    """The lines as a JSON list."""
    return json.dumps(lines.to_dicts(), indent=1, ensure_ascii=False, default=_plain)


def _plain(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"


def closing(out: Path, first: str | None, *, default: bool) -> Text:
    """Where everything is and what to do next; a run in the default place need not be named."""
    text = Text.assemble(("\nrun   ", "dim"), str(out), ("  report  ", "dim"), str(out / REPORT))
    if first is not None:
        run = "" if default else f" --run {out}"
        text.append_text(Text.assemble(("\nnext  ", "dim"), f"simbox explain {first}{run}"))
    return text


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
    if found.skipped:
        yield "skipped", f"{plural(len(found.skipped), 'file')}: {some(found.skipped, MOST_FILES)}"
    yield "lines", _lines(record)
    for note in record.notes:
        yield "note", Text(note, style="yellow")


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


def _lines(record: RunRecord) -> Text:
    text = Text(f"{record.lines:,}: ")
    parts = [(f"{n:,} {s}", STYLES[s]) for s, n in record.status.items() if n or s == "alert"]
    return text.append_text(Text(", ").join(Text(t, style=s) for t, s in parts))


def _wide(rows: Sequence[Mapping[str, Any]]) -> Table:
    grid = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in NARROW:
        grid.add_column(heading, justify="right" if heading in RIGHT else "left", no_wrap=True)
    grid.add_column("main reasons", overflow="fold")
    for row in rows:
        grid.add_row(*_cells(row), str(row["reasons"]))
    return grid


def _narrow(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Two lines a line: the numbers, and its reasons below them."""
    cells = [tuple(Text(h, style="dim") for h in NARROW), *(_cells(row) for row in rows)]
    widths = [max(cell_len(row[i].plain) for row in cells) for i in range(len(NARROW))]
    parts: list[RenderableType] = [_aligned(cells[0], widths)]
    for row, texts in zip(rows, cells[1:], strict=True):
        parts.append(_aligned(texts, widths))
        parts.append(Padding(Text(str(row["reasons"]), style="dim"), (0, 0, 0, widths[0] + 2)))
    return Group(*parts)


def _aligned(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    for heading, cell, width in zip(NARROW, cells, widths, strict=True):
        padded = cell.copy()
        padded.align("right" if heading in RIGHT else "left", width)
        line.append_text(padded).append("  ")
    return line


def _cells(row: Mapping[str, Any]) -> tuple[Text, ...]:
    return (
        Text(str(row["rank"])),
        Text(str(row["line"]), style="bold"),
        Text(nats(row["score"])),
        Text(probability(row["probability"])),
        Text(str(row["status"]), style=STYLES[row["status"]]),
        Text(f"{row['events']:,}" if row.get("events") is not None else "–"),
        Text(row.get("top_cell") or "–"),
    )
