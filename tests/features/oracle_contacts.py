"""Oracles of the views on the other party: contacts and dialling."""

from __future__ import annotations

import polars as pl
from oracle_calls import INCOMING, MOC, MTC, SMS_MO, SMS_MT, UNANSWERED

from simbox.identifiers import NumberClass

PAIR = ["line", "party"]


def contacts(events: pl.DataFrame) -> pl.DataFrame:
    known = events.filter(pl.col("party").is_not_null())
    parts = [
        _spread(known),
        _exchange(known),
        _second_half(known),
        _after_incoming(known),
        _calls_returned(known),
        _redials(known),
        _blocks(known),
    ]
    lines = events.select("line").unique()
    for part in parts:
        lines = lines.join(part, on="line", how="left")
    return lines


def _spread(known: pl.DataFrame) -> pl.DataFrame:
    calls = known.filter(MOC)
    daily = calls.unique([*PAIR, "day"]).group_by("line").agg(moc_day_contacts=pl.len())
    each = calls.group_by(PAIR).agg(
        calls=pl.len(), missed=(~pl.col("answered")).fill_null(value=False).any()
    )
    n = pl.col("calls")
    spread = each.group_by("line").agg(
        called=pl.len(),
        called_calls=n.sum(),
        called_once=(n == 1).sum(),
        called_top1=n.max(),
        called_top5=n.top_k(5).sum(),
        called_entropy_bit=n.entropy(base=2),
        called_missed=pl.col("missed").sum(),
    )
    return spread.join(daily, on="line")


def _exchange(known: pl.DataFrame) -> pl.DataFrame:
    each = known.group_by(PAIR).agg(
        calls=MOC.any(), rings=MTC.any(), gets=SMS_MO.any(), sends=SMS_MT.any()
    )
    calls, rings, gets, sends = (pl.col(n) for n in ("calls", "rings", "gets", "sends"))
    return each.group_by("line").agg(
        called_who_return=(calls & (rings | sends)).sum(),
        callers=rings.sum(),
        texted=gets.sum(),
        texted_who_text=(gets & sends).sum(),
        texted_and_called=(gets & calls).sum(),
    )


def _second_half(known: pl.DataFrame) -> pl.DataFrame:
    """The first half is everything before the call that opens the second half of the calls."""
    numbered = known.filter(MOC).with_columns(
        place=pl.int_range(pl.len()).over("line", order_by="row"), calls=pl.len().over("line")
    )
    late = numbered.filter(pl.col("place") >= (pl.col("calls") + 1) // 2)
    middle = late.group_by("line").agg(middle=pl.col("row").min())
    met = known.join(middle, on="line").filter(pl.col("row") < pl.col("middle"))
    new = late.join(met, on=PAIR, how="anti").group_by("line").agg(late_calls_new=pl.len())
    return late.group_by("line").agg(late_calls=pl.len()).join(new, on="line", how="left")


def _after_incoming(known: pl.DataFrame) -> pl.DataFrame:
    heard = INCOMING.cast(pl.Int64).cum_sum().over(PAIR, order_by="row") > 0
    return (
        known.group_by("line")
        .agg(pl.len())
        .join(
            known.with_columns(heard=heard)
            .filter(MOC & pl.col("heard"))
            .group_by("line")
            .agg(called_after_incoming=pl.len()),
            on="line",
            how="left",
        )
        .drop("len")
    )


def _calls_returned(known: pl.DataFrame) -> pl.DataFrame:
    missed = (~pl.col("answered")).fill_null(value=False)
    last_call = pl.when(MOC).then("start").forward_fill().over(PAIR, order_by="row")
    last_missed = pl.when(MOC).then(missed).forward_fill().over(PAIR, order_by="row")
    back = known.with_columns(since=pl.col("start") - last_call, missed=last_missed).filter(
        MTC & (pl.col("since") <= 24 * 3600)
    )
    return back.group_by("line").agg(
        called_who_call_back=pl.col("party").n_unique(),
        missed_who_call_back=pl.col("party").filter("missed").n_unique(),
    )


def _redials(known: pl.DataFrame) -> pl.DataFrame:
    following = pl.col("start").shift(-1).over(PAIR, order_by="row")
    calls = known.filter(MOC).with_columns(wait=following - pl.col("start"))
    again = calls.filter(UNANSWERED & (pl.col("wait") <= 3600))
    return again.group_by("line").agg(redials=pl.len())


def _blocks(known: pl.DataFrame) -> pl.DataFrame:
    """A number is a short code when its first event with the line says so."""
    first_class = pl.col("party_class").sort_by("row").first()
    called = known.group_by(PAIR).agg(
        pl.col("number").first(), pl.col("number_length").first(), first_class, called=MOC.any()
    )
    short = pl.col("party_class").is_in([NumberClass.SHORT, NumberClass.SERVICE])
    long = called.filter(
        pl.col("called") & pl.col("number").is_not_null() & (pl.col("number_length") > 6) & ~short
    )
    return long.group_by("line").agg(
        called_digits=pl.len(), called_blocks=(pl.col("number") // 10_000).n_unique()
    )


def dialling(events: pl.DataFrame) -> pl.DataFrame:
    """Steps between calls to numbers of known digits; other calls between them do not count."""
    calls = events.filter(MOC & pl.col("number").is_not_null())
    before, length_before = (
        pl.col(n).shift().over("line", order_by="row") for n in ("number", "number_length")
    )
    steps = calls.with_columns(before=before, length_before=length_before).filter(
        pl.col("number") != pl.col("before"),
        pl.col("number_length") == pl.col("length_before"),
        pl.col("number_length") > 6,
    )
    number, before = pl.col("number"), pl.col("before")
    return (
        events.select("line")
        .unique()
        .join(
            steps.group_by("line").agg(
                dial_steps=pl.len(),
                dial_near=((number - before).abs() <= 100).sum(),
                dial_same_block=(number // 10_000 == before // 10_000).sum(),
                dial_up=(number > before).sum(),
            ),
            on="line",
            how="left",
        )
    )
