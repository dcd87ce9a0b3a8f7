"""The calls of a host over time: how many start, and how many there are at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from simbox.features.hosts.concurrency import levels
from simbox.features.hosts.seen import Seen
from simbox.tables import UTC

MOST_STEPS = 60
WINDOW = dt.timedelta(seconds=10)  # of tunnels
SHORT = dt.timedelta(microseconds=1)
STEPS = tuple(
    dt.timedelta(seconds=s)
    for s in (1, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 86_400, 7 * 86_400)
)

PROGRESSED = pl.col("answered_at").is_not_null() | pl.col("ringing_at").is_not_null()


@dataclass(frozen=True)
class Timeline:
    """Counts by equal steps of time."""

    start: dt.datetime  # UTC
    step: dt.timedelta
    rows: dict[str, tuple[int, ...]]  # what is counted, step by step

    @property
    def end(self) -> dt.datetime:
        return self.start + self.step * len(next(iter(self.rows.values())))


def timeline(seen: Seen, host: str) -> Timeline | None:
    """The calls of a host over time; none where it has none.

    Of a scanner, whose calls are none, its requests.
    """
    calls = seen.calls.filter(host=host)
    inside = _windows(seen.tunnels.filter(host=host))
    vain = seen.requests.join(seen.scanners, on="host", how="semi").filter(host=host)["start"]
    media = {"media in": _streams(seen, host, "dst"), "media out": _streams(seen, host, "src")}
    media = {} if calls.height else media  # most media are those of the calls
    ends = (
        *(frame[c] for frame in media.values() for c in ("start", "until")),
        calls["start"],
        calls["until"],
        inside["time"],
        inside["until"],
        vain,
    )
    times = pl.concat(ends).drop_nulls()
    if times.is_empty():
        return None
    first, last = times.min(), times.max()
    assert isinstance(first, dt.datetime)  # noqa: S101  # for the type checker
    assert isinstance(last, dt.datetime)  # noqa: S101  # for the type checker
    step = next((s for s in STEPS if (last - first) / s < MOST_STEPS), None)
    step = step or (last - first) / (MOST_STEPS - 1)
    number = int((last - first) / step) + 1
    bins = _Bins(first, step, number)
    rows = {
        "calls in": bins.counted(calls.filter("into")["start"]),
        "calls out": bins.counted(calls.filter(~pl.col("into"))["start"]),
        "at a time": bins.highest(_levels(calls.filter(PROGRESSED))),
        **{name: bins.highest(_levels(streams)) for name, streams in media.items()},
        "in tunnels": bins.highest(inside),
        "requests": bins.counted(vain),
    }
    return Timeline(first, step, {name: row for name, row in rows.items() if any(row)} or rows)


@dataclass(frozen=True)
class _Bins:
    start: dt.datetime
    step: dt.timedelta
    number: int

    def _of(self, time: str) -> pl.Expr:
        since = (pl.col(time) - pl.lit(self.start, UTC)).dt.total_microseconds()
        width = self.step // dt.timedelta(microseconds=1)
        return (since // width).clip(0, self.number - 1)

    def counted(self, times: pl.Series) -> tuple[int, ...]:
        """How many times fall into each step."""
        found = times.drop_nulls().to_frame("time").group_by(self._of("time").alias("bin")).len()
        return self._row(found)

    def highest(self, level: pl.DataFrame) -> tuple[int, ...]:
        """The highest level of each step; a level holds from its time until the next."""
        spans = level.with_columns(first=self._of("time"), last=self._of("until"))
        each = spans.with_columns(bin=pl.int_ranges("first", pl.col("last") + 1)).explode("bin")
        return self._row(each.drop_nulls("bin").group_by("bin").agg(pl.col("level").max()))

    def _row(self, found: pl.DataFrame) -> tuple[int, ...]:
        by_bin = dict(found.iter_rows())
        return tuple(int(by_bin.get(n, 0)) for n in range(self.number))


def _streams(seen: Seen, host: str, end: str) -> pl.DataFrame:
    """The streams that a host sends (src) or gets (dst)."""
    return seen.streams.filter(pl.col(end) == host).select(host=end, start="start", until="end")


def _levels(calls: pl.DataFrame) -> pl.DataFrame:
    """Columns time, until, level of the calls of one host."""
    level = levels(calls.select("host", "start", "until"))
    held = pl.duration(microseconds=(pl.col("held_us") - 1).clip(0))
    return level.select("time", (pl.col("time") + held).alias("until"), "level")


def _windows(tunnels: pl.DataFrame) -> pl.DataFrame:
    """The calls inside all tunnels of one host, window by window: time, until, level."""
    each = tunnels.select("start", level=pl.col("calls")).with_row_index("flow").explode("level")
    at = pl.int_range(pl.len()).over("flow") * WINDOW
    summed = each.select(time=pl.col("start") + at, level=pl.col("level").cast(pl.Int64))
    total = summed.drop_nulls().group_by("time").agg(pl.col("level").sum()).sort("time")
    return total.select("time", (pl.col("time") + WINDOW - SHORT).alias("until"), "level")
