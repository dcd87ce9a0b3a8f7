"""Oracle of the view on days, hours of the day and shifts."""

from __future__ import annotations

import polars as pl
from oracle_calls import INCOMING, MOC, SMS_MO, SMS_MT

DAY_S, HOUR_S, HALF_HOUR_S = 86_400, 3_600, 1_800


def days(events: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    calls = events.filter(MOC)
    blocks = _longest_blocks(calls)
    parts = [
        _life(events, first, last),
        _days(events, calls),
        _hours(calls),
        _blocks(blocks),
        _edges(calls, blocks),
        _shift(blocks),
    ]
    lines = events.select("line").unique()
    for part in parts:
        lines = lines.join(part, on="line", how="left")
    return lines


def _life(events: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    start = pl.col("start")
    early = MOC & (start < start.min() + DAY_S)
    return events.group_by("line").agg(
        first_s=start.min(),
        last_s=start.max(),
        after_start_s=start.min() - first,
        before_end_s=last - start.max(),
        first_out_s=(start.filter(MOC).min() - start.min()).cast(pl.Float64),
        out_after_start_s=(start.filter(MOC).min() - first).cast(pl.Float64),
        moc_first_day=early.sum(),
    )


def _days(events: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    day = pl.col("day")
    out_days = calls.group_by("line", "day").agg(calls=pl.len())
    incoming_days = events.filter(INCOMING).select("line", "day").unique()
    both = out_days.join(incoming_days, on=["line", "day"], how="semi")
    return (
        events.group_by("line")
        .agg(
            days=day.n_unique(),
            moc_days=day.filter(MOC).n_unique(),
            sms_days=day.filter(SMS_MO | SMS_MT).n_unique(),
        )
        .join(
            out_days.group_by("line").agg(moc_day_max=pl.col("calls").max()), on="line", how="left"
        )
        .join(both.group_by("line").agg(moc_days_with_incoming=pl.len()), on="line", how="left")
    )


def _hours(calls: pl.DataFrame) -> pl.DataFrame:
    clock = pl.col("local") % DAY_S
    hour = clock // HOUR_S
    night = (clock >= 1800) & (clock < 5 * HOUR_S + 1800)
    return calls.group_by("line").agg(
        hours_of_day=hour.n_unique(),
        hour_entropy_bit=hour.unique_counts().entropy(base=2),
        moc_night=night.sum(),
        out_hours=(pl.col("local") // HOUR_S).n_unique(),
    )


def _longest_blocks(calls: pl.DataFrame) -> pl.DataFrame:
    """Of the runs of consecutive clock hours that begin on a day the one of most hours.

    Where runs tie, the one with more calls, then the earlier.
    """
    busy = calls.group_by("line", hour=pl.col("local") // HOUR_S).agg(
        calls=pl.len().cast(pl.Int64),
        begin=pl.col("local").min(),
        end=pl.col("local").max(),
    )
    run = (pl.col("hour").diff() != 1).fill_null(value=True).cum_sum().over("line", order_by="hour")
    runs = (
        busy.with_columns(run=run)
        .group_by("line", "run")
        .agg(
            day=pl.col("hour").min() // 24,
            hours=pl.len().cast(pl.Int64),
            calls=pl.col("calls").sum(),
            begin=pl.col("begin").min(),
            end=pl.col("end").max(),
        )
    )
    best = runs.sort("hours", "calls", "begin", descending=[True, True, False])
    return best.unique(["line", "day"], keep="first", maintain_order=True)


def _blocks(blocks: pl.DataFrame) -> pl.DataFrame:
    return blocks.group_by("line").agg(
        block_days=pl.len(),
        block_hours_sum=pl.col("hours").clip(upper_bound=24).sum(),
        block_calls=pl.col("calls").sum(),
    )


def _edges(calls: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    """Only blocks of ten calls and two hours have edges."""
    length = pl.col("end") - pl.col("begin")
    wide = blocks.filter(pl.col("calls") >= 10, length >= 2 * HOUR_S)
    near_begin = pl.col("local") <= pl.col("begin") + HALF_HOUR_S
    near_end = pl.col("local") >= pl.col("end") - HALF_HOUR_S
    at_edges = (
        wide.join(calls.select("line", "local"), on="line")
        .filter(pl.col("local").is_between("begin", "end"), near_begin | near_end)
        .group_by("line")
        .agg(near=pl.len())
    )
    expected = (pl.col("calls") - 2) * 1000 * 2 * HALF_HOUR_S // length
    return (
        wide.group_by("line")
        .agg(edge_expected_milli=expected.sum(), blocks=pl.len())
        .join(at_edges, on="line")
        .select(
            "line",
            "edge_expected_milli",
            edge_calls=pl.col("near").cast(pl.Int64) - 2 * pl.col("blocks"),
        )
    )


def _shift(blocks: pl.DataFrame) -> pl.DataFrame:
    begin = pl.col("begin") % DAY_S
    end = begin + pl.col("end") - pl.col("begin")  # past midnight where the block is
    enough = pl.len() >= 3
    return blocks.group_by("line").agg(
        shift_start_sd_min=pl.when(enough).then(begin.std() / 60),
        shift_end_sd_min=pl.when(enough).then(end.std() / 60),
    )
