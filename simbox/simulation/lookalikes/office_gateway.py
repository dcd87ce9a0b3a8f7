"""Licensed GSM gateways of offices: a firm's telephone system calls over SIM cards of its own.

Fixed cellular terminals save a firm the price of calls from its telephones to mobiles: several
SIM cards in one device, in one place, used in turn.  Clients and staff are called again and again
and call in; lines are hunted from the first to the last, or round and round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import Attempts, Floats, Ints, Manners, Rng, calls, talk_seconds
from simbox.simulation.clock import moments_each
from simbox.simulation.group import Group, Kind, OneHandset
from simbox.simulation.lookalikes.habits import (
    Numbers,
    between,
    events,
    fresh_seed,
    often_first,
    on_day,
    packs,
    today,
    week,
    working,
)
from simbox.simulation.lookalikes.premises import Offices, at_work, offices
from simbox.simulation.lookalikes.private_life import notices
from simbox.simulation.surroundings import Surroundings

KIND = "lookalike/office_gateway"


@dataclass(frozen=True)
class OfficeGateways:
    """What firms behind such gateways do on a day; one element or row a firm."""

    first: int
    offices: Offices
    dials: Floats  # calls out a day
    clients: Ints
    staff: Ints  # mobiles of the firm's own people
    internal: Floats  # share of calls to those
    new: Floats  # share of calls to numbers never called before
    favours: Floats  # how much the first lines are preferred: 1 none
    answer: Floats
    talk: Floats  # median, s
    inbound: Floats  # calls in, for each call out
    redial: Floats
    callback: Floats
    weekend: Floats  # share of a working day's calls when the firm is closed
    curve: Floats  # hours, shape (firms, 24)
    numbers: Numbers
    around: Surroundings

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """Calls out, calls in, and the operator's notices."""
        load = np.where(today(self.offices.days, self.around, day), 1.0, self.weekend)
        load = load * np.exp(rng.normal(-0.02, 0.2, len(load)))
        codes = np.full(len(self.offices.room), 0.02)
        return on_day(
            [
                self._out(rng, events(rng, self.dials * load), day),
                self._in(rng, events(rng, self.dials * self.inbound * load), day),
                notices(rng, (self.first, codes), day, 0.2),
            ],
            day,
        )

    def _line(self, rng: Rng, firm: Ints) -> Ints:
        drawn = rng.random(len(firm)) ** self.favours[firm] * self.offices.lines[firm]
        return self.first + self.offices.lead[firm] + drawn.astype(np.int64)

    def _other(self, rng: Rng, firm: Ints) -> Ints:
        drawn = rng.random(len(firm))
        staff, new = self.internal[firm], self.new[firm]
        place = 10**5 + often_first(rng, len(firm), self.clients[firm], 2.2)
        place = np.where(drawn < staff, often_first(rng, len(firm), self.staff[firm], 1.3), place)
        place = np.where(drawn > 1 - new, rng.integers(10**6, 10**9, len(firm)), place)
        return self.numbers.party(firm, place)

    def _out(self, rng: Rng, firm: Ints, day: int) -> Attempts:
        talk = self.talk[firm] * talk_seconds(rng, len(firm), 1.0, 1.1)
        manners = Manners(self.redial[firm], self.callback[firm], 0.85)
        start = moments_each(rng, self.curve, firm, day)
        sides = (self._line(rng, firm), self._other(rng, firm))
        return calls(rng, sides, start, talk, (self.answer[firm], manners))

    def _in(self, rng: Rng, firm: Ints, day: int) -> Attempts:
        talk = self.talk[firm] * talk_seconds(rng, len(firm), 1.1, 1.1)
        start = moments_each(rng, self.curve, firm, day)
        sides = (self._other(rng, firm), self._line(rng, firm))
        return calls(rng, sides, start, talk, (np.full(len(firm), 0.85), Manners(0.3, 0.5, 0.8)))


def build_office_gateways(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many firms, some open day and night, each with a gateway of a few lines."""
    always = rng.random(count) < 0.2  # hotels, clinics, plants
    opens = np.where(always, 0.0, rng.uniform(6.5, 9.5, count))
    closes = np.where(always, 24.0, rng.uniform(16, 21, count))
    days = week(rng, 0.35, 0.4, count) | always[:, None]
    firms = offices(rng, around, count, (5, (2, 32)), (opens, closes, days))
    shop = around.shop
    cartons = [shop.carton(n, module=True) for n in firms.lines.tolist()]
    return Group(
        kind=KIND,
        first=first,
        size=len(firms.room),
        movement=at_work(rng, around, firms, np.zeros(len(firms.room), dtype=bool)),
        handsets=OneHandset(
            np.where(
                (rng.random(count) < 0.7)[firms.room],
                np.concatenate(cartons),
                shop.modules(len(firms.room)),
            )
        ),
        day=_habits(rng, around, firms, first),
        batch=packs(rng, firms.room, 2),
        room=firms.room,
        rooms=firms.labels(KIND),
    )


def _habits(rng: Rng, around: Surroundings, firms: Offices, first: int) -> OfficeGateways:
    count = len(firms.lines)
    dials = firms.lines * between(rng, 5, 75, count)
    return OfficeGateways(
        first=first,
        offices=firms,
        dials=dials,
        clients=np.ceil(dials * between(rng, 0.8, 10, count)).astype(np.int64),
        staff=np.ceil(firms.lines * between(rng, 2, 20, count)).astype(np.int64),
        internal=rng.beta(1.5, 3, count),
        new=rng.beta(1.2, 9, count),
        favours=rng.uniform(1, 3, count),
        answer=rng.uniform(0.55, 0.88, count),
        talk=between(rng, 35, 160, count),
        # Some firms show the line's number and are called back on it, some hide it.
        inbound=np.where(rng.random(count) < 0.25, 0.01, between(rng, 0.05, 0.9, count)),
        redial=rng.uniform(0.1, 0.5, count),
        callback=rng.uniform(0.02, 0.4, count),
        weekend=np.where(rng.random(count) < 0.5, 0.0, rng.beta(1, 15, count)),
        curve=working(rng, firms.opens, firms.closes),
        numbers=Numbers(around, fresh_seed(rng), rng.uniform(0.3, 0.9, count)),
        around=around,
    )


OFFICE_GATEWAY = Kind(
    KIND,
    "firms whose telephone system calls over a licensed GSM gateway",
    "rooms",
    12,
    build_office_gateways,
)
