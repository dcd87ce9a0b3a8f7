"""New customers: a SIM card of days ago, and calls to tell everybody the new number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    DAY_S,
    HOUR_S,
    Attempts,
    Floats,
    Ints,
    Manners,
    Rng,
    calls,
    talk_seconds,
    texts,
)
from simbox.simulation.clock import PEOPLE_HOURS, moments, moments_each
from simbox.simulation.group import Between, Group, Kind, OneHandset
from simbox.simulation.lookalikes.habits import (
    Numbers,
    between,
    counted,
    events,
    fresh_seed,
    on_day,
)
from simbox.simulation.lookalikes.private_life import PrivateLife, private_life
from simbox.simulation.lookalikes.whereabouts import commuting, lived_days
from simbox.simulation.surroundings import Surroundings

KIND = "lookalike/new_customer"
OFFICES = 10**6  # places of numbers that one calls once: offices, landlords, delivery
NEVER = 10**12  # s


@dataclass(frozen=True)
class Newcomers:
    """Telling the number, errands of the move, and a life that grows; one element a member."""

    first: int
    born: Floats
    tells: Ints  # people who are told
    by_text: Floats  # share of them who are told by text
    within: Floats  # days that the telling takes
    errands: Floats  # calls a day to numbers that one calls once
    known: Floats  # share of the private life that knows the number from the first day
    growth: Floats  # days until all do
    friends: Numbers
    private: PrivateLife

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """Everything of a day of the new line."""
        here = lived_days(self.born, np.full(len(self.born), NEVER), day)
        age = np.maximum(day - self.born / DAY_S, 0)
        busy = here * np.minimum(self.known + age / self.growth, 1.0)
        return on_day(
            [
                *self._told(rng, age * here, day, here),
                self._errands(rng, here, day),
                self.private.of(rng, self.first, day, busy),
            ],
            day,
        )

    def _told(self, rng: Rng, age: Floats, day: int, here: Floats) -> list[Attempts]:
        """The address book from its begin to its end, so many of it every day."""
        begin = np.minimum(age / self.within, 1.0) * self.tells
        end = np.minimum((age + 1) / self.within, 1.0) * self.tells
        who, turn = counted(((np.floor(end) - np.floor(begin)) * here).astype(np.int64))
        place = np.floor(begin)[who].astype(np.int64) + turn
        other = self.friends.party(who, place)
        # In one or two sittings, or whenever there is time.
        sitting = np.maximum(self.born[who] - day * DAY_S, 9 * HOUR_S)
        start = day * DAY_S + sitting + rng.exponential(2.0, len(who)) * HOUR_S
        spread = moments(rng, PEOPLE_HOURS[0], len(who), day)
        start = np.where(who % 3 == 0, spread, start)
        text = rng.random(len(who)) < self.by_text[who]
        me, spoken = self.first + who, ~text
        talk = talk_seconds(rng, int(spoken.sum()), 45, 1.1)
        how = (np.full(len(talk), 0.55), Manners(0.2, 0.4, 0.85))  # who knows this number?
        return [
            calls(rng, (me[spoken], other[spoken]), start[spoken], talk, how),
            texts(me[text], other[text], start[text]),
        ]

    def _errands(self, rng: Rng, here: Floats, day: int) -> Attempts:
        who = events(rng, self.errands * here)
        other = self.friends.party(who, rng.integers(OFFICES, 10**9, len(who)))
        out, me = rng.random(len(who)) < 0.75, self.first + who
        sides = (np.where(out, me, other), np.where(out, other, me))
        start = moments_each(rng, np.tile(PEOPLE_HOURS[0], (len(here), 1)), who, day)
        how = (np.full(len(who), 0.7), Manners(0.35, 0.4, 0.8))
        return calls(rng, sides, start, talk_seconds(rng, len(who), 50), how)


def build_newcomers(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many new customers; some bring their phone, some buy one, families buy a pack."""
    born = rng.uniform(-3, around.days * 0.8, count) * DAY_S
    private = private_life(rng, around, count, (0.3, 14.0), fresh_seed(rng))
    family = np.cumsum(rng.random(count) < 0.8)
    return Group(
        kind=KIND,
        first=first,
        size=count,
        movement=commuting(rng, around, count),
        handsets=OneHandset(around.shop.phones(count)),
        day=Newcomers(
            first=first,
            born=born,
            tells=np.where(rng.random(count) < 0.4, 0, between(rng, 4, 90, count)).astype(np.int64),
            by_text=rng.beta(0.7, 0.7, count),
            within=between(rng, 0.4, 4, count),
            errands=between(rng, 0.1, 12, count),
            known=np.where(rng.random(count) < 0.3, 1.0, rng.beta(1, 3, count)),
            growth=between(rng, 2, 60, count),
            friends=private.friends,
            private=private,
        ),
        batch=family.astype(np.int64),
        presence=Between(born, np.full(count, float(NEVER))),
    )


NEWCOMER = Kind(
    KIND,
    "new customers who tell everybody their number",
    "lines",
    120,
    build_newcomers,
)
