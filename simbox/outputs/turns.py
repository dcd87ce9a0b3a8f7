"""The lines of a site by time: who calls when, so that shifts and turns can be seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.outputs.activity import HOURS, OUTGOING, SAME_EVENT, local_time

STEPS = (10, 15, 30, 60)  # minutes a column
HOUR_MIN = 60
QUIET_SHARE = 0.005  # of the calls out, below which an hour does not belong to the working day
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Turns:
    """Counts of calls and texts by line, working day and step of the day.

    A working day begins where the longest quiet time of the site ends, so a night shift is one.
    """

    lines: tuple[str, ...]  # lines that share a handset together, else by their first activity
    days: tuple[dt.date, ...]  # each begins on that date
    begin_hour: int
    step_min: int
    out: Counts  # [lines, days, steps] calls and texts out
    into: Counts  # the same, incoming
    beyond: int  # calls and texts out at other hours or on earlier days

    @property
    def steps(self) -> int:
        """Columns of a day."""
        return int(self.out.shape[2])

    @property
    def at_work(self) -> Counts:
        """Lines that call out: [days, steps]."""
        return np.asarray((self.out > 0).sum(axis=0))

    @property
    def calls(self) -> Counts:
        """Calls and texts out of all lines: [days, steps]."""
        return np.asarray(self.out.sum(axis=0))


def turns(events: pl.DataFrame, room: int) -> Turns | None:
    """The lines by time in so many columns, in the finest steps in which all days fit.

    Where they do not fit by the hour, the last days are shown.

    Args:
        events: tables.EVENTS of the lines.
        room: columns, one between two days included.
    """
    told = events.unique(["line", *SAME_EVENT]).select(
        "line", "imei", local=local_time(), out=pl.col("event_type").is_in(OUTGOING)
    )
    if not told["out"].any():
        return None
    begin, hours = _working_hours(told.filter("out")["local"])
    shifted = told.with_columns(since=pl.col("local") - pl.duration(hours=begin)).with_columns(
        day=pl.col("since").dt.date(),
        minute=pl.col("since").dt.hour().cast(pl.Int64) * HOUR_MIN + pl.col("since").dt.minute(),
    )
    days = shifted.filter("out", pl.col("minute") < hours * HOUR_MIN)["day"].unique().sort()
    wide = [hours * HOUR_MIN // step + 1 for step in STEPS]
    fits = [n for n, columns in enumerate(wide) if columns * len(days) <= room + 1]
    step = STEPS[fits[0]] if fits else STEPS[-1]
    most = max((room + 1) // (hours * HOUR_MIN // step + 1), 1)
    shown, lines = days.tail(most).to_list(), _ordered(told)
    out, into = (
        _counted(shifted.filter(way), (lines, shown), step, hours * HOUR_MIN // step)
        for way in (pl.col("out"), ~pl.col("out"))
    )
    beyond = int(told["out"].sum()) - int(out.sum())
    return Turns(tuple(lines), tuple(shown), begin, step, out, into, beyond)


def _working_hours(local: pl.Series) -> tuple[int, int]:
    """The hour at which the working day begins, and how many hours it has."""
    counts = np.bincount(local.dt.hour().to_numpy(), minlength=HOURS)
    busy = np.flatnonzero(counts > QUIET_SHARE * counts.sum())
    gaps = np.diff(np.append(busy, busy[0] + HOURS))
    longest = int(np.argmax(gaps))
    return int(busy[(longest + 1) % len(busy)]), HOURS + 1 - int(gaps[longest])


def _ordered(told: pl.DataFrame) -> list[str]:
    """The lines: those of one handset beside each other, the first to call out first."""
    out = pl.col("local").filter("out").min()
    first = told.group_by("line").agg(first=pl.coalesce(out, pl.col("local").max()))
    main = (
        told.drop_nulls("imei").group_by("line", "imei").len()
        .sort("len", "imei", descending=[True, False])
        .unique("line", keep="first", maintain_order=True)
    )  # fmt: skip
    known = first.join(main.select("line", "imei"), on="line", how="left")
    handset = pl.coalesce("imei", "line")
    ordered = known.with_columns(opened=pl.col("first").min().over(handset), handset=handset)
    return ordered.sort("opened", "handset", "first", "line")["line"].to_list()


def _counted(
    told: pl.DataFrame, rows: tuple[Sequence[str], Sequence[dt.date]], step: int, steps: int
) -> Counts:
    lines, days = rows
    found = told.filter(pl.col("day").is_in(days), pl.col("minute") < steps * step).select(
        pl.col("line").replace_strict(lines, range(len(lines)), return_dtype=pl.Int64),
        pl.col("day").replace_strict(days, range(len(days)), return_dtype=pl.Int64),
        pl.col("minute") // step,
    )
    counts = np.zeros((len(lines), len(days), steps), dtype=np.int64)
    np.add.at(counts, tuple(found.to_numpy().T), 1)
    return counts
