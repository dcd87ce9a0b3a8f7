"""The explanation of a host on the terminal."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from simbox.outputs.activity import strip
from simbox.outputs.explain_host import HostExplanation
from simbox.outputs.explain_terminal import Asked, as_table, score, section
from simbox.outputs.timeline import Timeline
from simbox.outputs.wording import STYLES, plural, probability
from simbox.outputs.wording import shown as visible

MOST_LINES = 64
MOST_CHANGES = 12
MOST_PEERS = 10
MOST_TUNNELS = 8
MOMENT = "%m-%d %H:%M:%S"
CLOCK = "%H:%M:%S"  # within one day, which the head of the strips names
MOST_TEXT = 60
HABITS = {"direction", "allow", "max_forwards", "sdp_origin", "order", "parameters"}
WIDTHS = {
    "number": 14,
    "imsi": 15,
    "imei": 15,
    "iccid": 20,
    "peer": 15,
    "signature": 21,
    "frame": 6,
}
COLOURS = {"calls in": "red", "calls out": "green", "at a time": "cyan", "in tunnels": "magenta"}


def show(console: Console, explanation: HostExplanation, zone: str, asked: Asked) -> None:
    """Print the explanation: score, calls over time, devices, lines, peers, tunnels, frames."""
    for line in title(explanation):
        console.print(line)
    score(console, explanation.breakdown, full=asked.full)
    if not explanation.has_tables:
        why = "a run with --no-store"
        console.print(f"\n[dim]what the captures showed of it was not kept: {why}[/dim]")
        return
    section(console, "calls over time", *_strips(explanation.timeline, zone))
    _tables(console, explanation, zone)
    if asked.rows:
        calls = explanation.calls
        heading = f"calls, {min(asked.rows, calls.height):,} of {calls.height:,}"
        section(console, heading, *_by_file(calls.head(asked.rows), zone))
    section(console, "frames behind the reasons", *_by_file(explanation.proof, zone))


def title(explanation: HostExplanation) -> Iterator[Text]:
    """What the host is, in two lines."""
    row = explanation.row
    yield Text.assemble(
        ("host ", "dim"), (str(row["host"]), "bold"), "  rank ", str(row["rank"]), "  ",
        (str(row["status"]), STYLES[row["status"]]), "  probability ",
        probability(row["probability"]),
    )  # fmt: skip
    counted = {"ports": "port", "lines": "line", "calls": "call", "peers": "peer"}
    told = [plural(row[name], one) for name, one in counted.items() if row[name]]
    yield Text(", ".join([*([row["product"]] if row["product"] else []), *told]), style="dim")
    yield Text(f"side {explanation.side}", style="dim")


def _tables(console: Console, explanation: HostExplanation, zone: str) -> None:
    lines, changes = explanation.lines, explanation.changes
    devices = explanation.devices.with_columns(
        pl.col("fields").map_elements(revealed, return_dtype=pl.String)
    )
    section(console, "devices", *_by_file(devices.drop("lines"), zone))
    shown = lines.drop("reports", "first_seen", "last_seen").head(MOST_LINES)
    section(console, _heading("lines", lines, MOST_LINES), *_by_file(shown, zone))
    if changes.height:
        heading = _heading("changes of SIM and device", changes, MOST_CHANGES)
        section(console, heading, *_by_file(changes.head(MOST_CHANGES), zone))
    section(console, "peers", *_by_file(explanation.peers.head(MOST_PEERS), zone))
    if explanation.tunnels.height:
        section(console, "tunnels", *_by_file(explanation.tunnels.head(MOST_TUNNELS), zone))


def revealed(fields: str | None) -> str:
    """What a device told about itself, in words; how it writes its messages is left out."""
    try:
        told = json.loads(fields or "{}")
    except ValueError:
        return ""
    kept = {n: v for n, v in told.items() if n not in HABITS and not n.endswith("_form")}
    text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in kept.items())
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def _heading(name: str, frame: pl.DataFrame, most: int) -> str:
    return f"{name}, {most} of {frame.height:,}" if frame.height > most else name


def _strips(found: Timeline | None, zone: str) -> Iterator[Text]:
    if found is None:
        yield Text("none in the data", style="dim")
        return
    first, last = (t.astimezone(ZoneInfo(zone)) for t in (found.start, found.end))
    yield Text(
        f"{first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S}, {step(found.step)} a sign", style="dim"
    )
    for name, row in found.rows.items():
        top = max(*row, 1)
        yield Text.assemble(
            f"{name:<11}", (strip(row, top), COLOURS.get(name, "")), (f"  most {max(row)}", "dim")
        )


def step(width: dt.timedelta) -> str:
    """The width of a step of time in words."""
    seconds = width.total_seconds()
    for name, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return plural(round(seconds / size), name)
    return plural(round(seconds), "second")


def _by_file(frame: pl.DataFrame, zone: str) -> Iterator[Table | Text]:
    """A frame under the names of the files that its rows stand in; empty columns left out."""
    shown = frame.select(s.name for s in frame if s.null_count() < len(s) or frame.is_empty())
    local = [s.dt.convert_time_zone(zone) for s in shown if isinstance(s.dtype, pl.Datetime)]
    days = {day for s in local for day in s.dt.date().unique()}
    shown = shown.with_columns(s.dt.strftime(MOMENT if len(days) > 1 else CLOCK) for s in local)
    if "file" not in shown.columns:
        yield as_table(shown, least=WIDTHS)
        return
    if shown.is_empty():
        yield as_table(shown.drop("file"))
    for part in shown.partition_by("file", maintain_order=True):
        yield Text(visible(part["file"][0]), style="dim")
        yield as_table(part.drop("file"), least=WIDTHS)
