"""What a simulated world tells about its sites beside whose lines they have: ports and shifts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl

from simbox.errors import InputError

SITES = "sites.csv"  # what a simulated world calls it
_COLUMNS = ("site", "ports", "shifts")
_MINUTES = "%Y-%m-%dT%H:%M"
_DAY = timedelta(days=1)

NO_ROOMS = pl.DataFrame(
    schema={"room": pl.String, "ports": pl.Float64, "shifts": pl.List(pl.String)}
)


def beside(labels: Path) -> Path | None:
    """The table of true sites beside a file of labels, if there is one."""
    path = labels.parent / SITES
    try:
        names = pl.read_csv(path, n_rows=0).columns
    except (OSError, pl.exceptions.PolarsError):
        return None
    return path if set(_COLUMNS) <= set(names) else None


def read_rooms(path: Path) -> pl.DataFrame:
    """The true sites: room, ports and shifts, a list of ``from/to`` in local time.

    Raises:
        InputError: the table cannot be read, holds a site twice, or ports that are no number.
    """
    try:
        raw = pl.read_csv(path, infer_schema=False, columns=list(_COLUMNS))
        rooms = raw.select(
            room="site",
            ports=pl.col("ports").cast(pl.Float64),
            shifts=pl.col("shifts").fill_null("").str.split(" ").list.filter(pl.element() != ""),
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        said = str(error).partition("\n")[0]
        raise InputError(f"{path}: cannot be read as true sites ({said})") from None
    if rooms["room"].n_unique() < rooms.height:
        raise InputError(f"{path}: a site stands twice; give one row a site")
    _shifts(rooms, path)
    return rooms


def shifts_by_day(rooms: pl.DataFrame) -> pl.DataFrame:
    """When each site begins and ends on each day it works: room, day, opens, closes (local).

    A day takes what of the shifts lies within it, breaks left out of account.  Opens is null where
    the site was at work when the day began, closes where it still is at the day's end: midnight
    begins and ends no shift.
    """
    each = _shifts(rooms, None)
    last = pl.col("to") - timedelta(microseconds=1)
    days = each.with_columns(
        day=pl.date_ranges(pl.col("from").dt.date(), last.dt.date())
    ).explode("day")  # fmt: skip
    midnight = pl.col("day").cast(pl.Datetime("us"))
    days = days.group_by("room", "day").agg(
        opens=pl.max_horizontal("from", midnight).min(),
        closes=pl.min_horizontal("to", midnight + _DAY).max(),
    )
    return days.select(
        "room",
        "day",
        opens=pl.when(pl.col("opens") > midnight).then("opens"),
        closes=pl.when(pl.col("closes") < midnight + _DAY).then("closes"),
    ).sort("room", "day")


def _shifts(rooms: pl.DataFrame, path: Path | None) -> pl.DataFrame:
    """One row a shift: room, from, to."""
    each = rooms.select("room", "shifts").explode("shifts").drop_nulls("shifts")
    ends = pl.col("shifts").str.split("/")
    shifts = each.with_columns(
        ends.list.get(number, null_on_oob=True)
        .str.to_datetime(_MINUTES, strict=False, time_unit="us")
        .alias(name)
        for number, name in enumerate(("from", "to"))
    )
    whole = (pl.col("from") < pl.col("to")).fill_null(value=False)
    wrong = shifts.filter(~whole)
    if path and wrong.height:
        raise InputError(
            f"{path}: shift '{wrong['shifts'][0]}' of {wrong['room'][0]} is no time span; write "
            "2026-03-02T09:00/2026-03-02T17:30"
        )
    return shifts.filter(whole).drop("shifts")
