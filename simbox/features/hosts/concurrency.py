"""How many intervals are open at a time."""

from __future__ import annotations

import polars as pl


def levels(intervals: pl.DataFrame) -> pl.DataFrame:
    """The level of open intervals of each host over time.

    Args:
        intervals: columns host, start, until (times); one that ends where another starts does
            not overlap it.

    Returns:
        Columns host, time, level, held_us (until the next change), by host and time.
    """
    closed = intervals.filter(pl.col("until") > pl.col("start"))
    steps = pl.concat(
        [
            closed.select("host", time="start", step=pl.lit(1)),
            closed.select("host", time="until", step=pl.lit(-1)),
        ]
    )
    changes = steps.group_by("host", "time").agg(pl.col("step").sum()).sort("host", "time")
    return changes.with_columns(
        level=pl.col("step").cum_sum().over("host"),
        held_us=(pl.col("time").shift(-1).over("host") - pl.col("time"))
        .dt.total_microseconds().fill_null(0),
    ).drop("step")  # fmt: skip


def peaks(intervals: pl.DataFrame) -> pl.DataFrame:
    """Most intervals at a time and how the time divides: a row a host.

    Returns:
        Columns host, most, busy_us (any open), full_us (most open), area_us (sum of levels).
    """
    level, held = pl.col("level"), pl.col("held_us")
    return levels(intervals).group_by("host").agg(
        level.max().alias("most"),
        held.filter(level > 0).sum().alias("busy_us"),
        held.filter(level == level.max()).sum().alias("full_us"),
        (level * held).sum().alias("area_us"),
    )  # fmt: skip
