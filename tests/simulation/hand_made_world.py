"""A few hundred calls and texts between a few lines, without anybody's habits behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from simbox.simulation.attempts import (
    CLEARED,
    DAY_S,
    MISSED_CAUSES,
    UNALLOCATED,
    Attempts,
    Ints,
    Rng,
)
from simbox.simulation.geography import build_country
from simbox.simulation.legs import DayOfLegs, Ends, calls_frame, reached
from simbox.simulation.numbering import (
    OPERATOR_TEXTS,
    OWN_FIXED,
    HandsetShop,
    Numbering,
    imsis,
    own_numbers,
)
from simbox.simulation.plan import Plan
from simbox.simulation.world import ROOM_SCHEMA, World

MOBILE, FIXED, CALLS_A_DAY = 60, 6, 300
PLAN = Plan(people=MOBILE + 40, days=2, seed=5)


@dataclass(frozen=True)
class HandMade(World):
    """A world whose days are dealt out by chance."""

    def days(self) -> Iterator[DayOfLegs]:
        """The same days each time."""
        rng = np.random.default_rng(self.plan.seed)
        handsets = HandsetShop(rng).phones(MOBILE)
        for day in range(self.plan.days):
            made = _made(rng, day)
            yield DayOfLegs(day, calls_frame(made, _ends(rng, made, handsets)))


def _made(rng: Rng, day: int) -> Attempts:
    parties = MOBILE + FIXED
    outside = Numbering(abroad_share=0.2).elsewhere(rng, CALLS_A_DAY)
    outside[:20] = -np.asarray(OPERATOR_TEXTS)[rng.integers(0, 3, 20)]
    a = np.where(rng.random(CALLS_A_DAY) < 0.7, rng.integers(0, parties, CALLS_A_DAY), outside)
    b = np.where(a < 0, rng.integers(0, parties, CALLS_A_DAY), rng.permutation(outside))
    both = rng.random(CALLS_A_DAY) < 0.4
    b = np.where((a >= 0) & both, (a + rng.integers(1, parties, CALLS_A_DAY)) % parties, b)
    text = rng.random(CALLS_A_DAY) < 0.3
    cause = rng.choice([*[CLEARED] * 6, *MISSED_CAUSES, UNALLOCATED], CALLS_A_DAY)
    none = np.zeros(CALLS_A_DAY)
    return Attempts(
        a=a,
        b=b,
        start=np.sort(rng.integers(day * DAY_S, (day + 1) * DAY_S, CALLS_A_DAY)).astype(float),
        talk=np.where((cause == CLEARED) & ~text, rng.integers(1, 4000, CALLS_A_DAY), 0.0),
        cause=np.where(text, 0, cause),
        text=text,
        redial=none,
        callback=none,
        returned=none,
    )


def _ends(rng: Rng, made: Attempts, handsets: Ints) -> tuple[Ends, Ends]:
    return (
        _end(rng, made.a, made.a >= 0, handsets),
        _end(rng, made.b, reached(made.b, made.cause), handsets),
    )


def _end(rng: Rng, party: Ints, served: np.ndarray, handsets: Ints) -> Ends:
    there = served & (party < MOBILE)
    cell = np.where(there, rng.integers(0, 72, len(party)), -1)
    return Ends(cell, np.where(there, handsets[np.clip(party, 0, MOBILE - 1)], -1))


def hand_made(plan: Plan = PLAN) -> World:
    """Sixty mobile lines and six fixed ones; five of them sit in a room."""
    rng = np.random.default_rng([plan.seed, 1])
    country = build_country(rng, plan.people)
    parties = MOBILE + FIXED
    number = np.concatenate(
        [own_numbers(rng.permutation(10**6)[:MOBILE]), own_numbers(np.arange(FIXED), OWN_FIXED)]
    )
    imsi = pl.Series([*imsis(rng.permutation(10**6)[:MOBILE]).tolist(), *[None] * FIXED])
    room = np.arange(parties) // 5 == 3
    lines = pl.DataFrame(
        {
            "line": np.arange(parties, dtype=np.uint32),
            "number": number,
            "imsi": imsi,
            "kind": np.where(room, "gateway/room", "ordinary/person"),
            "site": pl.select(pl.when(pl.Series(room)).then(pl.lit("room-1"))).to_series(),
            "fixed": np.arange(parties) >= MOBILE,
        }
    )
    monday = datetime.combine(plan.first_day, datetime.min.time())
    shifts = [
        {"from": monday + timedelta(hours=9), "to": monday + timedelta(hours=17, minutes=30)},
        {"from": monday + timedelta(hours=33), "to": monday + timedelta(hours=41)},
    ]
    rooms = pl.DataFrame(
        [
            {
                "site": "room-1",
                "kind": "gateway/room",
                "lines": 5,
                "ports": 4,
                "cells": country.names[[0, 1, 5]].to_list(),
                "shifts": shifts,
            },
            {
                "site": "room-2",
                "kind": "gateway/room",
                "lines": 0,
                "ports": 1,
                "cells": [],
                "shifts": [],
            },
        ],
        schema=ROOM_SCHEMA,
    )
    return HandMade(plan, country, (), lines, rooms)
