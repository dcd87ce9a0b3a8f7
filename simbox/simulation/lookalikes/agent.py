"""Agents and traders on the move: estate and insurance agents, wholesalers, doctors on rounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    CLEARED,
    Attempts,
    Bools,
    Floats,
    Ints,
    Manners,
    Rng,
    calls,
    talk_seconds,
    texts,
)
from simbox.simulation.clock import moments_each
from simbox.simulation.group import Group, Kind, OneHandset
from simbox.simulation.lookalikes.habits import (
    Numbers,
    alone,
    between,
    days_off,
    events,
    fresh_seed,
    often_first,
    on_day,
    today,
    working,
)
from simbox.simulation.lookalikes.private_life import PrivateLife, private_life
from simbox.simulation.lookalikes.whereabouts import on_rounds
from simbox.simulation.movement import Hours
from simbox.simulation.surroundings import Surroundings

AGENT, TRADER, SECOND = "lookalike/agent", "lookalike/trader", "lookalike/second_phone"
NEW_LEADS = 10**6, 10**9  # places in an agent's list beyond the clients


@dataclass(frozen=True)
class Business:
    """What people who live off their phone do on a day; one element or row a member."""

    first: int
    dials: Floats  # calls out a day
    inbound: Floats  # calls in, for each call out
    clients: Ints
    strangers: Floats  # share of calls to people never called before
    weekly: Floats  # share of clients who are called on a fixed day of the week only
    answer: Floats
    talk: Floats  # median, s
    redial: Floats
    callback: Floats
    returned: Floats
    writes: Floats  # chance of a text after a call
    rota: Bools  # working days, shape (members, 7)
    curve: Floats  # hours, shape (members, 24)
    numbers: Numbers
    private: PrivateLife
    mixes: Floats  # how much of its private life each member leads on this phone
    around: Surroundings

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """Calls out and in, texts after them, and private life."""
        here = today(self.rota, self.around, day)
        load = np.where(here, 1.0, 0.1) * np.exp(rng.normal(-0.1, 0.45, len(here)))
        out = self._out(rng, events(rng, self.dials * load), day)
        wrote = (out.cause == CLEARED) & (rng.random(len(out)) < self.writes[out.a - self.first])
        after = out.start[wrote] + out.talk[wrote] + rng.exponential(200, int(wrote.sum()))
        back = rng.random(len(after)) < 0.4
        a, b = out.a[wrote], out.b[wrote]
        return on_day(
            [
                out,
                texts(a, b, after),
                texts(b[back], a[back], after[back] + rng.exponential(400, int(back.sum()))),
                self._in(rng, events(rng, self.dials * self.inbound * load), day),
                self.private.of(rng, self.first, day, self.mixes),
            ],
            day,
        )

    def _other(self, rng: Rng, who: Ints, day: int) -> Ints:
        place = often_first(rng, len(who), self.clients[who], 1.8)
        # Clients of the week: the list is cut in seven, a part for every weekday.
        weekly = rng.random(len(who)) < self.weekly[who]
        place = np.where(weekly, place // 7 * 7 + (self.around.weekday + day) % 7, place)
        new = rng.random(len(who)) < self.strangers[who]
        return self.numbers.party(who, np.where(new, rng.integers(*NEW_LEADS, len(who)), place))

    def _out(self, rng: Rng, who: Ints, day: int) -> Attempts:
        manners = Manners(self.redial[who], self.callback[who], self.returned[who])
        talk = self.talk[who] * talk_seconds(rng, len(who), 1.0, 1.1)
        start = moments_each(rng, self.curve, who, day)
        sides = (self.first + who, self._other(rng, who, day))
        return calls(rng, sides, start, talk, (self.answer[who], manners))

    def _in(self, rng: Rng, who: Ints, day: int) -> Attempts:
        talk = self.talk[who] * talk_seconds(rng, len(who), 1.0, 1.1)
        start = moments_each(rng, self.curve, who, day)
        sides = (self._other(rng, who, day), self.first + who)
        return calls(rng, sides, start, talk, (np.full(len(who), 0.8), Manners(0.3, 0.6, 0.75)))


def build_agents(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Estate and insurance agents: leads, viewings, weekends."""
    strangers, inbound = rng.beta(2, 4, count), between(rng, 0.1, 1.0, count)
    return _build(rng, around, (AGENT, first), (between(rng, 8, 95, count), strangers, inbound))


def build_traders(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Wholesalers, vets and country doctors: the same many people, both ways, all week."""
    strangers, inbound = rng.beta(1, 9, count), between(rng, 0.3, 3.0, count)
    return _build(rng, around, (TRADER, first), (between(rng, 6, 70, count), strangers, inbound))


def build_second_phones(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Second phones of people who sell, for calls out only: nobody else has the number."""
    strangers, inbound = rng.beta(2, 2, count), between(rng, 0.005, 0.12, count)
    return _build(rng, around, (SECOND, first), (between(rng, 2, 60, count), strangers, inbound))


def _build(
    rng: Rng,
    around: Surroundings,
    who: tuple[str, int],
    rates: tuple[Floats, Floats, Floats],
) -> Group:
    kind, first = who
    dials, strangers, inbound = rates
    count = len(dials)
    opens = rng.uniform(6.5, 10, count)
    closes = opens + rng.uniform(8, 14, count)
    rota = days_off(rng, count)
    home, second = around.country.homes(rng, count), kind == SECOND
    business = Business(
        first=first,
        dials=dials,
        inbound=inbound,
        clients=np.ceil(dials * between(rng, 1.5, 15, count)).astype(np.int64),
        strangers=strangers,
        weekly=np.where(rng.random(count) < 0.4, rng.uniform(0.2, 0.9, count), 0.0),
        answer=rng.uniform(0.4, 0.85, count),
        talk=between(rng, 25, 140, count),
        redial=rng.uniform(0.05, 0.45, count),
        callback=rng.uniform(0.05, 0.3 if second else 0.65, count),
        returned=rng.uniform(0.3 if second else 0.6, 0.95, count),
        writes=rng.beta(1, 7, count),
        rota=rota,
        curve=working(rng, opens, closes),
        numbers=Numbers(around, fresh_seed(rng), rng.uniform(0.35, 0.8, count)),
        private=private_life(rng, around, count, (0.8, 9.0), fresh_seed(rng)),
        mixes=np.where(rng.random(count) < 0.6, 0.03, 0.15) if second else np.ones(count),
        around=around,
    )
    hours = Hours(opens, closes, rota, around.weekday)
    return Group(
        kind=kind,
        first=first,
        size=count,
        movement=on_rounds(rng, around, home, hours, (900, 9000)),
        handsets=OneHandset(around.shop.phones(count)),
        day=business,
        batch=alone(count),
    )


AGENTS = Kind(
    AGENT,
    "estate and insurance agents: many strangers, calls back, on the move",
    "lines",
    120,
    build_agents,
)
TRADERS = Kind(
    TRADER,
    "wholesalers, vets and country doctors: many known numbers, both ways",
    "lines",
    100,
    build_traders,
)
SECOND_PHONES = Kind(
    SECOND,
    "second phones of people who sell, used for calls out",
    "lines",
    80,
    build_second_phones,
)
