"""Calls and texts, what people do about missed ones, and the legs that a carrier bills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from village.identities import Floats, Ints, Rng, beside
from village.lines import DAY_S, DAYS, HOUR_S, HOURS, Lines

Bools = npt.NDArray[np.bool_]

#: Q.850 causes of a call that nobody took: no answer, busy, absent, caller gave up.
MISSED_CAUSES, MISSED_SHARES = (19, 17, 18, 16), (0.58, 0.2, 0.08, 0.14)
CLEARED, BUSY, ABSENT, UNALLOCATED = 16, 17, 18, 1


@dataclass(frozen=True)
class Manners:
    """How people take a missed call."""

    redial: float  # the caller tries again within minutes
    callback: float  # the called one rings back
    callback_answered: float


NEIGHBOURLY = Manners(redial=0.22, callback=0.42, callback_answered=0.8)


def calls(
    rng: Rng, sides: tuple[Ints, Ints], start: Floats, talk: Floats, answer: Floats
) -> pl.DataFrame:
    """Call attempts from side a to side b; `answer` is the chance that b takes the call."""
    a, b = sides
    answered = rng.random(len(a)) < answer
    missed = rng.choice(MISSED_CAUSES, len(a), p=MISSED_SHARES)
    return pl.DataFrame(
        {
            "a": a,
            "b": b,
            "start": start,
            "talk": np.where(answered, np.clip(talk, 1, 3 * HOUR_S), 0).astype(np.int64),
            "answered": answered,
            "cause": np.where(answered, CLEARED, missed),
            "text": np.zeros(len(a), dtype=bool),
        }
    )


def texts(a: Ints, b: Ints, start: Floats) -> pl.DataFrame:
    """Texts from numbers `a` to numbers `b`."""
    zeros = np.zeros(len(a), dtype=np.int64)
    return pl.DataFrame(
        {
            "a": a,
            "b": b,
            "start": start,
            "talk": zeros,
            "answered": zeros > 0,
            "cause": zeros,
            "text": zeros == 0,
        }
    )


def talk_seconds(rng: Rng, count: int, median: float, spread: float = 1.1) -> Floats:
    """Conversation times: log-normal, as calls are."""
    return median * np.exp(rng.normal(0, spread, count))


def with_reactions(rng: Rng, attempts: pl.DataFrame, manners: Manners) -> pl.DataFrame:
    """The attempts, the second tries of missed ones and the calls back."""
    missed = attempts.filter(~pl.col("answered") & ~pl.col("text"))
    again = missed.filter(pl.Series(rng.random(len(missed)) < manners.redial))
    back = missed.filter(pl.Series(rng.random(len(missed)) < manners.callback))
    later = again["start"].to_numpy() + 25 + rng.exponential(240, len(again))
    second = _repeat(rng, again, ("a", "b"), later, 0.42)
    hours_later = back["start"].to_numpy() + 40 + 900 * np.exp(rng.normal(0, 1.4, len(back)))
    returned = _repeat(rng, back, ("b", "a"), hours_later, manners.callback_answered)
    return pl.concat([attempts, second, returned.filter(pl.col("start") % DAY_S > 6.7 * HOUR_S)])


def _repeat(
    rng: Rng, of: pl.DataFrame, sides: tuple[str, str], start: Floats, answer: float
) -> pl.DataFrame:
    a, b = (of[side].to_numpy() for side in sides)
    talk = talk_seconds(rng, len(of), 38)
    return calls(rng, (a, b), start, talk, np.full(len(of), answer))


def with_replies(rng: Rng, sent: pl.DataFrame, share: float) -> pl.DataFrame:
    """The texts and the answers to some of them."""
    replied = sent.filter(pl.Series(rng.random(len(sent)) < share))
    delay = 15 + 150 * np.exp(rng.normal(0, 1.3, len(replied)))
    back = texts(
        replied["b"].to_numpy(), replied["a"].to_numpy(), replied["start"].to_numpy() + delay
    )
    return pl.concat([sent, back])


def one_call_at_a_time(rng: Rng, attempts: pl.DataFrame) -> pl.DataFrame:
    """The attempts that can happen: who talks cannot dial, and who is called meanwhile is busy.

    Every tenth call to a busy line is taken all the same: call waiting.
    """
    voice = attempts.filter(~pl.col("text")).sort("start", "a", "b").with_row_index("call")
    ends = pl.col("start") + pl.col("talk")
    sides = pl.concat(
        [voice.select("call", ends.alias("end"), "start", party=pl.col(side)) for side in "ab"]
    ).sort("party", "start", "call")
    taken = pl.col("end").cum_max().shift(1).over("party") > pl.col("start")
    engaged = sides.filter(taken)
    who = engaged.join(voice.select("call", "a", "b"), on="call")
    dialling = who.filter(pl.col("party") == pl.col("a"))["call"].unique()
    called = who.filter(pl.col("party") == pl.col("b"))["call"].unique().sort()
    busy = called.filter(pl.Series(rng.random(len(called)) < 0.9))
    is_busy = pl.col("call").is_in(busy.implode())
    voice = voice.filter(~pl.col("call").is_in(dialling.implode())).with_columns(
        talk=pl.when(is_busy).then(0).otherwise("talk"),
        answered=pl.col("answered") & ~is_busy,
        cause=pl.when(is_busy).then(BUSY).otherwise("cause"),
    )
    return pl.concat([voice.drop("call"), attempts.filter(pl.col("text"))])


def legs(rng: Rng, attempts: pl.DataFrame, county: Lines) -> pl.DataFrame:
    """The rows of the export: each attempt as the county's own lines saw it."""
    inside = attempts.filter(pl.col("start").is_between(0, DAYS * DAY_S, closed="left"))
    reached = inside.filter(~pl.col("cause").is_in([ABSENT, UNALLOCATED]))
    delay = np.where(
        reached["text"], rng.exponential(9, len(reached)), rng.integers(0, 3, len(reached))
    )
    out = _served(inside, "a", "b", county).with_columns(
        event_type=pl.when("text").then(pl.lit("SMS_MO")).otherwise(pl.lit("MOC"))
    )
    incoming = reached.with_columns(start=pl.col("start") + pl.Series(delay))
    into = _served(incoming, "b", "a", county).with_columns(
        event_type=pl.when("text").then(pl.lit("SMS_MT")).otherwise(pl.lit("MTC"))
    )
    both = pl.concat([out, into]).filter(pl.col("start") < DAYS * DAY_S)
    return _whereabouts(rng, both, county)


def _served(attempts: pl.DataFrame, side: str, other: str, county: Lines) -> pl.DataFrame:
    own = pl.DataFrame({side: county.number, "line": np.arange(len(county))})
    served = attempts.join(own, on=side, maintain_order="left")
    return served.select(
        "line", "start", "talk", "answered", "cause", "text", own=side, other=other
    )


def _whereabouts(rng: Rng, rows: pl.DataFrame, county: Lines) -> pl.DataFrame:
    """The rows with the cell and the handset of the served line at that moment."""
    line, start = rows["line"].to_numpy(), rows["start"].to_numpy()
    hour = np.minimum((start // HOUR_S).astype(np.int64), HOURS - 1)
    cell = county.plan[line, hour]
    wander = county.wander[line]
    strays = rng.random(len(rows)) < wander
    changed = (start >= county.handset_change[line]).astype(np.int64)
    return rows.with_columns(
        cell=pl.Series(np.where(strays, beside(rng, cell, wander), cell)),
        imei=pl.Series(county.imei[line, changed]),
        imsi=pl.Series(county.imsi[line]),
    )
