"""The explanation of a line on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simbox.outputs.activity import HOURS, Day, busiest, strip
from simbox.outputs.explain import MOST_CALLED, MOST_DEVICES, MOST_PLACES, Explanation
from simbox.outputs.parts import MICRO, Breakdown, Part
from simbox.outputs.wording import STYLES, nats, percent, plural, probability, shown

MOST_DAYS = 14
BEYOND = 10_000  # columns that no table needs
WIDE = 130  # from so many columns on, the words of a part stand beside its numbers
NO_WIDTHS: Mapping[str, int] = {}
RECORD_WIDTHS = {"row": 6, "local": 14, "event": 6, "seconds": 9, "other": 14, "place": 17}
RECORD_WIDTHS |= {"frame": 6, "host": 17, "line": 14}
Shown = tuple[str, int, tuple[Part, ...]]  # a group's name, its sum, its parts
NAME_WIDTH = 26
NUMBERS = {"nats": 7, "value": 15, "ordinary → gateway": 20, "pct": 7}  # columns and widths
AXIS = "0     6     12    18    "


@dataclass(frozen=True)
class Asked:
    """How much of an explanation is wanted."""

    rows: int = 10
    full: bool = False  # every part of the score, not only the weighty ones


def show(console: Console, explanation: Explanation, asked: Asked) -> None:
    """Print the explanation: score, activity, places, devices, parties and records."""
    row = explanation.row
    title = Text.assemble(
        ("line ", "dim"), (shown(str(row["line"])), "bold"), "  rank ", str(row["rank"]), "  ",
        (str(row["status"]), STYLES[row["status"]]), "  probability ",
        probability(row["probability"]),
    )  # fmt: skip
    console.print(title)
    if row.get("events") is not None:
        console.print(Text(_events(row), style="dim"))
    if row.get("site"):
        console.print(Text(f"stands in site:{row['site']}", style="dim"))
    score(console, explanation.breakdown, full=asked.full)
    if not explanation.has_store:
        why = "a table of features, or a run with --no-store"
        console.print(f"\n[dim]the records behind it were not kept: {why}[/dim]")
        return
    section(console, "activity by local hour", *_activity(explanation.days))
    section(console, "places", as_table(explanation.places.head(MOST_PLACES)))
    section(console, "devices", as_table(explanation.devices.head(MOST_DEVICES)))
    section(console, "most called", as_table(explanation.called.head(MOST_CALLED)))
    if asked.rows:
        records = explanation.rows
        heading = f"records, {min(asked.rows, records.height):,} of {records.height:,}"
        section(console, heading, *by_source(records.head(asked.rows), explanation.captures))


def score(console: Console, breakdown: Breakdown, *, full: bool) -> None:
    """Print a score in its parts."""
    groups = _weighty(breakdown, full=full)
    laid = _score if console.width >= WIDE else _score_below
    section(console, "score, in nats", laid(groups, breakdown.total))


def _events(row: Mapping[str, Any]) -> str:
    kinds = {"events": ("event", "events"), "moc": ("call out", "calls out"),
             "mtc": ("call in", "calls in"), "sms_mo": ("text out", "texts out"),
             "sms_mt": ("text in", "texts in")}  # fmt: skip
    return ", ".join(plural(row[name], *words) for name, words in kinds.items() if row.get(name))


def section(console: Console, title: str, *body: RenderableType) -> None:
    """Print a part of an explanation under its title."""
    console.print()
    console.print(Text(title, style="bold"))
    for part in body:
        if isinstance(part, Table):
            _whole(console, part)
        console.print(part, crop=False)


def _whole(console: Console, table: Table) -> None:
    """Let a table run beyond a narrow terminal rather than lose columns or break words."""
    needed = Measurement.get(console, console.options.update(width=BEYOND), table).minimum
    if needed > console.width:
        table.width = needed


def _score(groups: Sequence[Shown], total: int) -> Table:
    """The parts group by group, their words beside the numbers: for a wide terminal."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column()
    for heading in NUMBERS:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column()
    for name, micro_nats, parts in groups:
        table.add_row(Text(name, style="bold"), Text(_nats(micro_nats), style="bold"))
        for part in parts:
            words = Text(part.words if part.code else "", style="dim")
            table.add_row(_name(part), *_numbers(part), words)
    table.add_row(Text("score", style="bold"), Text(_nats(total), style="bold"))
    return table


def _score_below(groups: Sequence[Shown], total: int) -> Group:
    """The same with the words below the numbers: for a narrow terminal."""
    rows: list[RenderableType] = [_aligned(Text(), [Text(h, style="dim") for h in NUMBERS])]
    for name, micro_nats, parts in groups:
        rows.append(_aligned(Text(name, style="bold"), [Text(_nats(micro_nats), style="bold")]))
        for part in parts:
            rows.append(_aligned(_name(part), _numbers(part)))
            if part.code:
                rows.append(Padding(Text(part.words, style="dim"), (0, 0, 0, 4)))
    rows.append(_aligned(Text("score", style="bold"), [Text(_nats(total), style="bold")]))
    return Group(*rows)


def _weighty(breakdown: Breakdown, *, full: bool) -> list[Shown]:
    return [(g.name, g.micro_nats, g.parts if full else g.short()) for g in breakdown.groups]


def _aligned(name: Text, numbers: Sequence[Text]) -> Text:
    name.align("left", NAME_WIDTH)
    for number, width in zip(numbers, NUMBERS.values(), strict=False):
        cell = number.copy()
        cell.align("right", width)
        name.append_text(cell)
    return name


def _name(part: Part) -> Text:
    return Text(f"  {part.code or part.words}", style="cyan" if part.code else "dim")


def _numbers(part: Part) -> list[Text]:
    evidence = Text(_nats(part.micro_nats), style="red" if part.micro_nats > 0 else "green")
    return [evidence, Text(part.value), Text(part.anchors), Text(part.percentile)]


def _nats(micro_nats: int) -> str:
    return nats(micro_nats / MICRO)


def _activity(days: tuple[Day, ...]) -> Iterator[Text]:
    top = busiest(list(days))
    yield Text(f"{'':10}  {'outgoing':<{HOURS}}  {'incoming':<{HOURS}}", style="dim")
    yield Text(f"{'':10}  {AXIS}  {AXIS}", style="dim")
    for day in days[-MOST_DAYS:]:
        yield Text.assemble(
            (f"{day.date:%a %d %b}", "dim"), "  ", (strip(day.outgoing, top), "red"), "  ",
            (strip(day.incoming, top), "green"),
            (f"  {sum(day.outgoing):>4} out {sum(day.incoming):>4} in", "dim"),
        )  # fmt: skip
    if len(days) > MOST_DAYS:
        yield Text(f"{len(days) - MOST_DAYS} earlier days not shown", style="dim")


def by_source(records: pl.DataFrame, captures: frozenset[str]) -> Iterator[Table | Text]:
    """Rows in the order of time, under the name of the file that they stand in.

    The row of a capture is the frame in which the call begins.
    """
    runs = records.with_columns(run=pl.col("source").rle_id())
    for part in runs.partition_by("run", maintain_order=True):
        yield Text(shown(part["source"][0]), style="dim")
        named = {"row": "frame", "place": "host"} if part["source"][0] in captures else {}
        yield as_table(part.drop("source", "run").rename(named, strict=False), least=RECORD_WIDTHS)


def as_table(frame: pl.DataFrame, least: Mapping[str, int] = NO_WIDTHS) -> Table | Text:
    """A frame as a table for the terminal."""
    if frame.is_empty():
        return Text("none in the data", style="dim")
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    cells = {series.name: [_cell(value) for value in series] for series in frame}
    for name, dtype in frame.schema.items():
        heading = name.replace("_", " ")
        words = (cell_len(word) for text in (heading, *cells[name]) for word in text.split())
        table.add_column(
            heading,
            justify="right" if dtype.is_numeric() else "left",
            overflow="fold",
            min_width=max(*words, least.get(name, 0)),
            no_wrap=dtype == pl.Datetime,
        )
    for row in zip(*cells.values(), strict=True):
        table.add_row(*row)
    return table


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return percent(value)
    return shown(str(value))
