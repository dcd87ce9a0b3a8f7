"""Taxi offices: desks that take orders and call the drivers, and the drivers on the road."""

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
    together,
)
from simbox.simulation.clock import moments_each
from simbox.simulation.group import NO_SITE, Group, Kind, Movement, OneHandset
from simbox.simulation.lookalikes.habits import (
    Numbers,
    between,
    days_off,
    events,
    fresh_seed,
    often_first,
    on_day,
    packs,
    sizes,
    today,
    working,
)
from simbox.simulation.lookalikes.premises import Offices, labels, terminals
from simbox.simulation.lookalikes.private_life import PrivateLife, notices, private_life
from simbox.simulation.movement import Hours, Switch, Tour, desk, walks
from simbox.simulation.surroundings import Surroundings

DESK, DRIVER = "lookalike/taxi_dispatch", "lookalike/taxi_driver"
ROAD_STOPS = 48
STRANGERS = 10**5, 10**9  # places in the list of passengers, beyond all regulars
PASSENGERS = Manners(redial=0.5, callback=0.3, returned=0.7)


@dataclass(frozen=True)
class Firms:
    """Firms' habits, one element or row a firm; their lines are desks first, drivers behind."""

    desks: Ints
    drivers: Ints
    orders: Floats  # calls of passengers to each desk a day
    regulars: Ints  # passengers on the list
    loyal: Floats  # share of orders by regulars
    by_voice: Floats  # chance that the desk tells a driver by a call, not by an app
    announces: Floats  # chance that the desk tells the passenger by a call
    at_door: Floats  # chance that the driver calls the passenger
    talk: Floats  # median of an order, s
    curve: Floats  # hours, shape (firms, 24)


@dataclass(frozen=True)
class TaxiFirms:
    """What passengers, desks and drivers of all firms do on a day."""

    first: int
    offices: Offices
    firms: Firms
    passengers: Numbers
    rota: Bools  # shape (members, 7)
    own_jobs: Floats  # calls a day to and from passengers of the driver's own
    private: PrivateLife
    is_driver: Bools
    around: Surroundings

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """Orders, what follows from each, the drivers' own passengers, and private life."""
        asked, firm = self._orders(rng, day)
        taken = asked.cause == CLEARED
        return on_day(
            [
                asked,
                self._told(rng, asked.where(taken), firm[taken], day),
                self._own_passengers(rng, day),
                self.private.of(rng, self.first, day, self.is_driver.astype(np.float64)),
                notices(rng, (self.first, np.where(self.is_driver, 0.0, 0.1)), day, 0.0),
            ],
            day,
        )

    def _orders(self, rng: Rng, day: int) -> tuple[Attempts, Ints]:
        firms = self.firms
        firm = events(
            rng, firms.orders * firms.desks * np.exp(rng.normal(0, 0.15, len(firms.desks)))
        )
        desk_line = self.offices.lead[firm] + (
            rng.random(len(firm)) ** 1.5 * firms.desks[firm]
        ).astype(np.int64)
        regular = rng.random(len(firm)) < firms.loyal[firm]
        place = often_first(rng, len(firm), firms.regulars[firm], 1.6)
        place = np.where(regular, place, rng.integers(*STRANGERS, len(firm)))
        start = moments_each(rng, firms.curve, firm, day)
        talk = firms.talk[firm] * talk_seconds(rng, len(firm), 1.0, 0.5)
        how = (np.full(len(firm), 0.9), PASSENGERS)
        sides = (self.passengers.party(firm, place), self.first + desk_line)
        return calls(rng, sides, start, talk, how), firm

    def _told(self, rng: Rng, order: Attempts, firm: Ints, day: int) -> Attempts:
        """Desk to driver, driver or desk to passenger; all within minutes of the order."""
        firms, count = self.firms, len(order)
        over = order.start + order.talk
        driver = self._driver(rng, firm, day)
        sent = over + rng.gamma(2.0, 12, count)
        there = over + rng.gamma(3.0, 130, count)
        parts = []
        for chance, a, b, start, median in (
            (firms.by_voice, order.b, driver, sent, 11.0),
            (firms.announces, order.b, order.a, there, 9.0),
            (firms.at_door, driver, order.a, there + 20, 14.0),
        ):
            does = rng.random(count) < chance[firm]
            talk = talk_seconds(rng, int(does.sum()), median, 0.5)
            how = (np.full(len(talk), 0.85), Manners(0.5, 0.45, 0.85))
            parts.append(calls(rng, (a[does], b[does]), start[does], talk, how))
        return together(parts)

    def _driver(self, rng: Rng, firm: Ints, day: int) -> Ints:
        """A driver of the firm; some get more jobs than others, other ones every day."""
        count = self.firms.drivers[firm]
        shift = day * 7 % np.maximum(count, 1)
        place = (often_first(rng, len(firm), count, 1.4) + shift) % count
        return np.asarray(self.first + self.offices.lead[firm] + self.firms.desks[firm] + place)

    def _own_passengers(self, rng: Rng, day: int) -> Attempts:
        here = self.is_driver & today(self.rota, self.around, day)
        who = events(rng, self.own_jobs * here)
        firm = self.offices.room[who]
        place = 10 * STRANGERS[1] + who * 1000 + often_first(rng, len(who), 60, 1.5)
        new = rng.random(len(who)) < 0.4
        place = np.where(new, rng.integers(*STRANGERS, len(who)), place)
        passenger, me = self.passengers.party(firm, place), self.first + who
        calls_in = rng.random(len(who)) < 0.6
        sides = (np.where(calls_in, passenger, me), np.where(calls_in, me, passenger))
        start = moments_each(rng, self.firms.curve, firm, day)
        how = (np.full(len(who), 0.8), Manners(0.4, 0.5, 0.85))
        return calls(rng, sides, start, talk_seconds(rng, len(who), 22, 0.6), how)


def build_taxi_firms(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many firms: a desk of one or a few lines, and drivers."""
    desks, drivers = sizes(rng, count, 2.2, (1, 8)), sizes(rng, count, 11, (3, 70))
    opens = rng.uniform(0, 7, count)
    firms = _firms(rng, desks, drivers, opens)
    lines = desks + drivers
    room = np.repeat(np.arange(count), lines)
    lead = np.cumsum(lines) - lines
    place = Offices(
        lines,
        room,
        lead,
        around.country.homes(rng, count),
        opens,
        opens + 20,
        np.ones((count, 7), dtype=bool),
    )
    is_driver = np.arange(len(room)) - lead[room] >= desks[room]
    rota = days_off(rng, len(room))
    return Group(
        kind=DESK,
        first=first,
        size=len(room),
        movement=_movement(rng, around, place, (is_driver, rota)),
        handsets=OneHandset(_handsets(rng, around, place, is_driver)),
        day=TaxiFirms(
            first,
            place,
            firms,
            Numbers(around, fresh_seed(rng), rng.uniform(0.3, 0.8, count)),
            rota,
            between(rng, 0.2, 25, len(room)),
            private_life(rng, around, len(room), (1.0, 10.0), fresh_seed(rng)),
            is_driver,
            around,
        ),
        # Drivers bring numbers of their own; only the desks' cards came in one pack.
        batch=np.where(is_driver, count * 3 + np.arange(len(room)), packs(rng, room, 2)),
        room=np.where(is_driver, NO_SITE, room),
        rooms=labels(DESK, desks, place.cell),
        kinds=is_driver.astype(np.int64),
        names=(DESK, DRIVER),
    )


def _firms(rng: Rng, desks: Ints, drivers: Ints, opens: Floats) -> Firms:
    count = len(desks)
    rush = np.ones((count, 24))
    rush[:, 7:10] += rng.uniform(0, 2, (count, 1))
    rush[:, 17:24] += rng.uniform(0, 3, (count, 1))
    curve = working(rng, opens, opens + rng.uniform(15, 24, count)) * rush
    jobs = drivers * between(rng, 3, 16, count)
    return Firms(
        desks=desks,
        drivers=drivers,
        orders=np.minimum(jobs / desks, between(rng, 150, 600, count)),
        regulars=np.ceil(jobs * between(rng, 1, 20, count)).astype(np.int64),
        loyal=rng.uniform(0.25, 0.9, count),
        by_voice=rng.choice([0.15, 0.6, 0.95, 1.0], count),
        announces=np.where(rng.random(count) < 0.3, rng.uniform(0.1, 0.7, count), 0.0),
        at_door=rng.beta(1.2, 3, count),
        talk=between(rng, 10, 45, count),
        curve=curve,
    )


def _movement(
    rng: Rng, around: Surroundings, place: Offices, drivers: tuple[Bools, Bools]
) -> Movement:
    """Desks in the office; drivers all over the town on their days, else at home."""
    is_driver, rota = drivers
    country, count = around.country, len(place.room)
    office = place.cell[place.room]
    begins = rng.uniform(4, 14, count)
    stops = walks(rng, country, office, ROAD_STOPS, 0.9)
    pace = between(rng, 120, 600, count)
    road = Tour(stops, pace, country, fresh_seed(rng), begins)
    home = np.where(is_driver, country.around(office, rng.random(count)), office)
    days = rota & is_driver[:, None]
    shift = Hours(begins, begins + rng.uniform(9, 15, count), days, around.weekday)
    rest = desk(rng, country, home, fresh_seed(rng))
    return Switch(shift, road, rest)


def _handsets(rng: Rng, around: Surroundings, place: Offices, is_driver: Bools) -> Ints:
    own = around.shop.phones(len(is_driver))
    return np.where(
        is_driver, own, terminals(rng, around, place, rng.random(len(place.lines)) < 0.3)
    )


TAXI = Kind(
    DESK,
    "taxi offices: desks that take orders and call drivers, and their drivers",
    "rooms",
    28,
    build_taxi_firms,
)
