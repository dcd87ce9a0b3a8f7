"""Oracles of the view on handsets and SIMs, and of what crosses lines about handsets."""

from __future__ import annotations

import polars as pl
from oracle_calls import CALL

from simbox.store import line_hash

NEAR_SERIAL = 8
WIDE_SERIAL = 800
CHECK_SV = 14  # bits 54-57 of an id: no check digit, an IMEISV
TAC = pl.col("number") // 10**6
#: The IMSI; where an event does not show it, one that the line showed in the handset elsewhere;
#: else the line itself, by the hash that orders lines.
SIM = pl.coalesce("imsi", pl.col("imsi").max().over("line", "handset"), "line_hash")


def devices(events: pl.DataFrame) -> pl.DataFrame:
    held = events.filter(pl.col("handset").is_not_null()).with_columns(
        line_hash=pl.Series("line_hash", line_hash(events["line"].to_numpy())).filter(
            events["handset"].is_not_null()
        )
    )
    parts = [
        _own(held),
        events.group_by("line").agg(sims=pl.col("imsi").drop_nulls().n_unique()),
        _sims(held),
        _neighbours(held),
        _passed_around(held),
    ]
    lines = events.select("line").unique()
    for part in parts:
        lines = lines.join(part, on="line", how="left")
    return lines.with_columns(pl.col("handset_sims").fill_null(1))


def _own(held: pl.DataFrame) -> pl.DataFrame:
    """Counts over the line's own events; an IMEI is judged as it was first transmitted."""
    changed = pl.col("handset") != pl.col("handset").shift().over("line", order_by="row")
    own = (
        held.with_columns(changed=changed)
        .group_by("line")
        .agg(
            handsets=pl.col("handset").n_unique(),
            handset_events=pl.len(),
            handset_calls=CALL.sum(),
            handset_changes=pl.col("changed").sum(),
        )
    )
    each = (
        held.sort("row")
        .group_by("line", "handset")
        .agg(pl.len().alias("events"), pl.col("imei").first())
    )
    number = imei_digits(pl.col("imei"))
    judged = each.with_columns(number=number, invalid=invalid(pl.col("imei"), number))
    return own.join(
        judged.group_by("line").agg(
            handsets_digits=pl.col("number").count(),
            handsets_invalid=pl.col("invalid").sum(),
            handset_top=pl.col("handset").filter(pl.col("events") == pl.col("events").max()).min(),
        ),
        on="line",
    )


def imei_digits(imei: pl.Expr) -> pl.Expr:
    return pl.when(imei // (1 << 59) % 2 == 0).then((imei % (1 << 50)).cast(pl.Int64))


def invalid(imei: pl.Expr, number: pl.Expr) -> pl.Expr:
    """A wrong check digit where one was sent, a zero TAC, one digit repeated, a wrong length."""
    check = (imei // (1 << 54) % 16).cast(pl.Int64)
    text = number.cast(pl.String).str.zfill(14)
    digit = [text.str.slice(place, 1).cast(pl.Int64) for place in range(14)]
    luhn = pl.sum_horizontal(
        d if place % 2 == 0 else pl.sum_horizontal(d * 2 // 10, d * 2 % 10)
        for place, d in enumerate(digit)
    )
    wrong = (check > 0) & (check < CHECK_SV) & ((luhn + check) % 10 != 0)
    same = pl.all_horizontal(d == digit[0] for d in digit)
    short = imei // (1 << 50) % 16 != 14
    return number.is_not_null() & (wrong | text.str.starts_with("00000000") | same | short)


def _sims(held: pl.DataFrame) -> pl.DataFrame:
    sims = held.with_columns(sim=SIM).group_by("handset").agg(sims=pl.col("sim").n_unique())
    return held.join(sims, on="handset").group_by("line").agg(handset_sims=pl.col("sims").max())


def _neighbours(held: pl.DataFrame) -> pl.DataFrame:
    known = held.select("line", "handset", number=imei_digits(pl.col("imei"))).drop_nulls().unique()
    serials = known.select("number").unique()
    pairs = serials.join(serials.rename({"number": "other"}), how="cross").filter(
        pl.col("number") != pl.col("other"),
        (pl.col("number") - pl.col("other")).abs() <= WIDE_SERIAL,
        pl.col("other") // 10**6 == TAC,
    )
    beside = (pl.col("number") - pl.col("other")).abs() <= NEAR_SERIAL
    around = (~beside).sum().cast(pl.Int64)
    expected = around * NEAR_SERIAL // (WIDE_SERIAL - NEAR_SERIAL)
    near = pairs.group_by("number").agg(
        near=(beside.sum().cast(pl.Int64) - expected).clip(lower_bound=0)
    )
    return (
        known.join(near, on="number").group_by("line").agg(handset_neighbours=pl.col("near").max())
    )


def _passed_around(held: pl.DataFrame) -> pl.DataFrame:
    """Turns from SIM to SIM between successive calls, and calls during one of another SIM."""
    end = pl.col("start") + pl.col("duration").fill_null(0)
    calls = held.with_columns(sim=SIM, begin="start", end=end).filter(CALL)
    ordered = calls.sort("handset", "begin", "sim")
    before = pl.col("sim").shift().over("handset")
    turns = ordered.filter(pl.col("sim") != before).group_by("line").agg(handset_turns=pl.len())
    overlapping = calls.join(calls, on="handset", suffix="_2").filter(
        pl.col("sim") != pl.col("sim_2"),
        pl.max_horizontal("begin", "begin_2") < pl.min_horizontal("end", "end_2"),
    )
    overlaps = overlapping.group_by("line").agg(handset_overlaps=pl.col("row").n_unique())
    return turns.join(overlaps, on="line", how="full", coalesce=True)
