"""The life besides work: friends who call and are called, texts, codes, the operator's notices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    PEOPLE,
    Attempts,
    Floats,
    Ints,
    Rng,
    calls,
    talk_seconds,
    texts,
    together,
)
from simbox.simulation.clock import PEOPLE_HOURS, moments, moments_each
from simbox.simulation.lookalikes.habits import Numbers, between, events, often_first
from simbox.simulation.numbering import CODE_TEXTS, OPERATOR_TEXTS
from simbox.simulation.surroundings import Surroundings

NOTICES_A_DAY = 0.25  # to every line, on average
LEAST_CIRCLE, LARGEST_CIRCLE = 3, 40


@dataclass(frozen=True)
class PrivateLife:
    """Persons' habits outside their work, one element or row a member."""

    friends: Numbers
    circle: Ints  # numbers that the person knows
    calls: Floats  # a day, in and out
    texts: Floats  # a day, in and out
    codes: Floats  # one-time codes and notices of shops, a day
    dials: Floats  # share of those calls and texts that the person starts
    talk: Floats  # median, s
    curve: Floats  # hours of working days, shape (members, 24)
    around: Surroundings
    notices: float = NOTICES_A_DAY

    def of(self, rng: Rng, first: int, day: int, busy: Floats | float = 1.0) -> Attempts:
        """A day of private calls and texts; `busy` scales everybody's activity."""
        return together(
            [
                self._spoken(rng, first, day, busy),
                self._written(rng, first, day, busy),
                notices(rng, (first, self.codes * busy), day, self.notices),
            ]
        )

    def _spoken(self, rng: Rng, first: int, day: int, busy: Floats | float) -> Attempts:
        who = events(rng, self.calls * busy)
        talk = self.talk[who] * talk_seconds(rng, len(who), 1.0, 1.1)
        start = moments_each(rng, self._curve(day), who, day)
        return calls(
            rng, self._sides(rng, first, who), start, talk, (np.full(len(who), 0.7), PEOPLE)
        )

    def _written(self, rng: Rng, first: int, day: int, busy: Floats | float) -> Attempts:
        who = events(rng, self.texts * busy)
        a, b = self._sides(rng, first, who)
        start = moments_each(rng, self._curve(day), who, day)
        replied = rng.random(len(who)) < 0.5
        later = start[replied] + rng.exponential(240, int(replied.sum()))
        return together([texts(a, b, start), texts(b[replied], a[replied], later)])

    def _sides(self, rng: Rng, first: int, who: Ints) -> tuple[Ints, Ints]:
        friend = self.friends.party(who, often_first(rng, len(who), self.circle[who], 2.5))
        mine = rng.random(len(who)) < self.dials[who]
        me = first + who
        return np.where(mine, me, friend), np.where(mine, friend, me)

    def _curve(self, day: int) -> Floats:
        kind = self.around.weekend(day)
        return np.asarray(self.curve * (PEOPLE_HOURS[kind] / PEOPLE_HOURS[0]))


def private_life(
    rng: Rng, around: Surroundings, count: int, calls_a_day: tuple[float, float], seed: int
) -> PrivateLife:
    """Persons with few or many friends, who call and write little or much.

    Args:
        rng: the source of chance.
        around: the world.
        count: number of persons.
        calls_a_day: calls a day, in and out, of the quietest and of the busiest.
        seed: of the lasting chance of who knows whom.
    """
    rate = between(rng, *calls_a_day, count)
    shape = np.exp(rng.normal(0, 0.3, (count, 24)))
    circle = np.round(4 * rate**0.4 * np.exp(rng.normal(0.3, 0.6, count)))
    return PrivateLife(
        friends=Numbers(around, seed, own=0.62),
        circle=np.clip(circle, LEAST_CIRCLE, LARGEST_CIRCLE).astype(np.int64),
        calls=rate,
        texts=np.where(rng.random(count) < 0.3, 0.0, between(rng, 0.05, 3.0, count)),
        codes=between(rng, 0.1, 2.5, count),
        dials=rng.beta(5, 5, count),
        talk=between(rng, 25, 130, count),
        curve=PEOPLE_HOURS[0] * shape,
        around=around,
    )


def notices(rng: Rng, told: tuple[int, Floats], day: int, operator: float) -> Attempts:
    """Texts that reach lines unasked: one-time codes of banks and shops, the operator's notices.

    Args:
        rng: the source of chance.
        told: index of the first line, and codes a day of each line.
        day: number of the day.
        operator: operator's notices a day, to every line.
    """
    first, codes = told
    parts = []
    for rate, senders in ((codes, CODE_TEXTS), (np.full(len(codes), operator), OPERATOR_TEXTS)):
        who = events(rng, rate)
        sender = -rng.choice(np.asarray(senders), len(who))
        parts.append(texts(sender, first + who, moments(rng, PEOPLE_HOURS[0], len(who), day)))
    return together(parts)
