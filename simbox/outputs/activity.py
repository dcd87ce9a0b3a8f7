"""When a line is active: events counted by local day, hour and direction."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

HOURS = 24
OUT, IN = "out", "in"
OUTGOING = ("MOC", "SMS_MO")
GLYPHS = "·▁▂▃▄▅▆▇█"  # the first is an hour without events
SAME_EVENT = ("event_type", "start", "other", "duration_s")


@dataclass(frozen=True)
class Day:
    """One local day of a line: events an hour, out of it and into it."""

    date: dt.date
    outgoing: tuple[int, ...]
    incoming: tuple[int, ...]


def local_time() -> pl.Expr:
    """The start of an event by the clock on the wall where it happened, without a zone."""
    offset = pl.duration(minutes=pl.col("utc_offset_min").cast(pl.Int64).fill_null(0))
    return pl.col("start").dt.replace_time_zone(None) + offset


def days_of(events: pl.DataFrame) -> list[Day]:
    """The days of a line's events from the first to the last, days without events included."""
    way = pl.when(pl.col("event_type").is_in(OUTGOING)).then(pl.lit(OUT)).otherwise(pl.lit(IN))
    counted = (
        events.unique(SAME_EVENT)
        .with_columns(local=local_time(), way=way)
        .group_by(pl.col("local").dt.date().alias("day"), pl.col("local").dt.hour(), "way")
        .len()
    )
    if counted.is_empty():
        return []
    cells = {(day, way, hour): n for day, hour, way, n in counted.iter_rows()}
    first, last = min(c[0] for c in cells), max(c[0] for c in cells)
    dates = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    return [Day(date, *(_hours(cells, date, out) for out in (OUT, IN))) for date in dates]


def _hours(counts: dict[tuple[dt.date, str, int], int], date: dt.date, way: str) -> tuple[int, ...]:
    return tuple(counts.get((date, way, hour), 0) for hour in range(HOURS))


def busiest(days: list[Day]) -> int:
    """The most events of any hour in any direction, at least one."""
    return max([1, *(n for d in days for n in (*d.outgoing, *d.incoming))])


def strip(counts: tuple[int, ...], top: int) -> str:
    """A day as one glyph an hour, its height against the busiest hour."""
    steps = len(GLYPHS) - 1
    return "".join(GLYPHS[-(-n * steps // top)] for n in counts)
