"""Couriers: riders with meals at noon and night, drivers with parcels all day, on their routes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    NO_ANSWER,
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
from simbox.simulation.movement import Hours, Switch, Tour, desk, walks
from simbox.simulation.surroundings import Surroundings

KIND = "lookalike/courier"
RIDERS_A_STATION = 12
NEW_CUSTOMERS = 10**6, 10**9  # places in a rider's list, beyond the street that is known


@dataclass(frozen=True)
class Riders:
    """What couriers and the people they deliver to do on a day; one element a member."""

    first: int
    dials: Floats  # calls to customers a day
    street: Ints  # customers who come back
    local: Floats  # share of calls to those
    relay: Ints  # numbers of the platform that hide the customers', 0 where it hides none
    answer: Floats
    talk: Floats  # median, s
    redial: Floats
    callback: Floats
    returned: Floats
    locker: Floats  # chance of a text after a call that nobody took
    asked: Floats  # calls of waiting customers a day
    station: Floats  # calls with the station and with shops a day
    rota: Bools  # working days, shape (members, 7)
    curve: Floats  # hours, shape (members, 24)
    customers: Numbers
    stations: Numbers
    private: PrivateLife
    around: Surroundings

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """Calls at doors, notes of lockers, questions, the station, and private life."""
        here = today(self.rota, self.around, day)
        load = np.where(here, np.exp(rng.normal(-0.03, 0.25, len(here))), 0.0)
        out = self._at_doors(rng, load, day)
        noted = (out.cause == NO_ANSWER) & (rng.random(len(out)) < self.locker[out.a - self.first])
        after = out.start[noted] + rng.uniform(20, 200, int(noted.sum()))
        return on_day(
            [
                out,
                texts(out.a[noted], out.b[noted], after),
                self._questions(rng, load, day),
                self._station(rng, load, day),
                self.private.of(rng, self.first, day),
            ],
            day,
        )

    def _customer(self, rng: Rng, who: Ints) -> Ints:
        known = rng.random(len(who)) < self.local[who]
        street = often_first(rng, len(who), self.street[who], 1.5)
        place = np.where(known, street, rng.integers(*NEW_CUSTOMERS, len(who)))
        hidden = self.relay[who] > 0
        relay = (rng.random(len(who)) * self.relay[who]).astype(np.int64)
        return self.customers.party(np.where(hidden, 0, who + 1), np.where(hidden, relay, place))

    def _at_doors(self, rng: Rng, load: Floats, day: int) -> Attempts:
        who = events(rng, self.dials * load)
        talk = self.talk[who] * talk_seconds(rng, len(who), 1.0, 0.7)
        manners = Manners(self.redial[who], self.callback[who], self.returned[who])
        start = moments_each(rng, self.curve, who, day)
        sides = (self.first + who, self._customer(rng, who))
        return calls(rng, sides, start, talk, (self.answer[who], manners))

    def _questions(self, rng: Rng, load: Floats, day: int) -> Attempts:
        who = events(rng, self.asked * load)
        start = moments_each(rng, self.curve, who, day)
        talk = talk_seconds(rng, len(who), 22, 0.7)
        how = (np.full(len(who), 0.8), Manners(0.4, 0.5, 0.85))
        return calls(rng, (self._customer(rng, who), self.first + who), start, talk, how)

    def _station(self, rng: Rng, load: Floats, day: int) -> Attempts:
        who = events(rng, self.station * load)
        place = often_first(rng, len(who), 8, 1.5)
        # Riders of one station share its foreman and its shops.
        desk_number = self.stations.party(who // RIDERS_A_STATION, place)
        out, me = rng.random(len(who)) < 0.5, self.first + who
        sides = (np.where(out, me, desk_number), np.where(out, desk_number, me))
        start = moments_each(rng, self.curve, who, day)
        how = (np.full(len(who), 0.85), Manners(0.3, 0.5, 0.9))
        return calls(rng, sides, start, talk_seconds(rng, len(who), 30), how)


def build_couriers(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many couriers, each with a district, a pace and hours of its own."""
    meals = rng.random(count) < 0.55
    opens = np.where(meals, rng.uniform(8, 11, count), rng.uniform(6, 9.5, count))
    closes = np.where(meals, rng.uniform(20, 26, count), rng.uniform(16, 20.5, count))
    rota = days_off(rng, count)
    country = around.country
    home = country.homes(rng, count)
    district = walks(rng, country, country.around(home, rng.random(count)), 14, 0.7)
    route = Tour(district, between(rng, 300, 2400, count), country, fresh_seed(rng), opens)
    rest = desk(rng, country, home, fresh_seed(rng))
    dials = np.where(meals, between(rng, 6, 70, count), between(rng, 12, 130, count))
    return Group(
        kind=KIND,
        first=first,
        size=count,
        movement=Switch(Hours(opens, closes, rota, around.weekday), route, rest),
        handsets=OneHandset(around.shop.phones(count)),
        day=Riders(
            first=first,
            dials=dials,
            street=between(rng, 40, 900, count).astype(np.int64),
            local=rng.beta(1.3, 3, count),
            relay=_relay(rng, count, meals),
            answer=rng.uniform(0.5, 0.93, count),
            talk=between(rng, 8, 32, count),
            redial=rng.uniform(0.05, 0.55, count),
            callback=rng.uniform(0.1, 0.6, count),
            returned=rng.uniform(0.5, 0.95, count),
            locker=np.where(rng.random(count) < 0.5, rng.beta(1, 3, count), 0.0),
            asked=dials * rng.beta(1.5, 6, count),
            station=between(rng, 0.5, 14, count),
            rota=rota,
            curve=working(rng, opens, closes) * _peaks(rng, meals),
            customers=Numbers(around, fresh_seed(rng), own=0.55),
            stations=Numbers(around, fresh_seed(rng), own=0.0),
            private=private_life(rng, around, count, (1.0, 12.0), fresh_seed(rng)),
            around=around,
        ),
        batch=alone(count),
    )


def _relay(rng: Rng, count: int, meals: Bools) -> Ints:
    """Numbers in the pool of platforms that put one of theirs before the customer's."""
    hides = meals & (rng.random(count) < 0.3)
    return np.where(hides, between(rng, 300, 6000, count), 0.0).astype(np.int64)


def _peaks(rng: Rng, meals: Bools) -> Floats:
    """Noon and evening for meals; a long morning for parcels."""
    count = len(meals)
    peaks = np.ones((count, 24))
    height = rng.uniform(1, 8, (count, 1)) * meals[:, None]
    peaks[:, 11:13] += height
    peaks[:, 17:20] += height * rng.uniform(0.5, 1.2, (count, 1))
    peaks[:, 9:13] += rng.uniform(0, 2, (count, 1)) * ~meals[:, None]
    return peaks


COURIER = Kind(
    KIND,
    "riders and drivers who call strangers at the door, along their routes",
    "lines",
    200,
    build_couriers,
)
