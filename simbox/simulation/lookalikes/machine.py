"""Machines with a SIM card: lifts, alarms, payment terminals, meters, trackers, gates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    CLEARED,
    DAY_S,
    HOUR_S,
    NO_ANSWER,
    Attempts,
    Floats,
    Ints,
    Manners,
    Rng,
    calls,
    texts,
)
from simbox.simulation.clock import PEOPLE_HOURS, hashed, moments_each
from simbox.simulation.group import Group, Kind, Movement, OneHandset
from simbox.simulation.lookalikes.habits import (
    Numbers,
    between,
    counted,
    events,
    fresh_seed,
    on_day,
    working,
)
from simbox.simulation.lookalikes.private_life import notices
from simbox.simulation.movement import Hours, Switch, Tour, desk, walks
from simbox.simulation.surroundings import Surroundings

KIND = "lookalike/machine"
LIFT, ALARM, TERMINAL, METER, TRACKER, GATE = range(6)
SORTS = (0.2, 0.25, 0.2, 0.15, 0.1, 0.1)  # shares
INSTALLATIONS = 17  # machines that one firm installed and listens to


@dataclass(frozen=True)
class Machines:
    """What machines, their stations and their owners do on a day; one element a member."""

    first: int
    sort: Ints
    period: Floats  # s between test calls or reports, infinite for none
    phase: Floats  # s after the world's first midnight
    jitter: Floats  # s
    tests_by_text: Floats  # chance that a report is a text
    talk: Floats  # s of a test call
    rate: Floats  # calls a day for what happens at the place
    alerts: Floats  # texts a day for what happens
    asked: Floats  # calls a day to the machine
    obeys: Floats  # chance that the machine takes such a call
    owners: Ints  # numbers it may call
    station: Ints  # the firm that listens
    curve: Floats  # hours of events, shape (members, 24)
    numbers: Numbers
    stations: Numbers

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """Reports by the clock, events, calls to the machine, and the operator's notices."""
        return on_day(
            [
                *self._reports(rng, day),
                self._events(rng, day),
                self._alerts(rng, day),
                self._asked(rng, day),
                notices(rng, (self.first, np.zeros(len(self.sort))), day, 0.08),
            ],
            day,
        )

    def _other(self, who: Ints, drawn: Floats) -> Ints:
        """The listening station, or an owner."""
        place = (drawn * (self.owners[who] + 1)).astype(np.int64)
        station = self.stations.party(self.station[who], place * 0)
        return np.where(place == 0, station, self.numbers.party(who, place))

    def _reports(self, rng: Rng, day: int) -> list[Attempts]:
        """Every so often, to the second but for what the network and the dialling take."""
        begin = np.ceil((day * DAY_S - self.phase) / self.period)
        last = np.ceil(((day + 1) * DAY_S - self.phase) / self.period)
        count = np.where(np.isfinite(self.period), last - begin, 0.0).astype(np.int64)
        who, turn = counted(count)
        due = self.phase[who] + (begin[who] + turn) * self.period[who]
        start = np.maximum(due + rng.normal(0, 1, len(who)) * self.jitter[who], day * DAY_S)
        other = self._other(who, np.zeros(len(who)))
        text = rng.random(len(who)) < self.tests_by_text[who]
        spoken = ~text
        talk = self.talk[who[spoken]] + rng.normal(0, 0.6, int(spoken.sum()))
        how = (np.full(len(talk), 0.985), Manners(0.9, 0.0, 0.0))
        sides = (self.first + who[spoken], other[spoken])
        return [
            texts(self.first + who[text], other[text], start[text]),
            calls(rng, sides, start[spoken], talk, how),
        ]

    def _events(self, rng: Rng, day: int) -> Attempts:
        who = events(rng, self.rate)
        start = moments_each(rng, self.curve, who, day)
        talk = self.talk[who] * np.exp(rng.normal(0, 0.35, len(who)))
        sides = (self.first + who, self._other(who, rng.random(len(who))))
        return calls(rng, sides, start, talk, (np.full(len(who), 0.93), Manners(0.8, 0.15, 0.3)))

    def _alerts(self, rng: Rng, day: int) -> Attempts:
        who = events(rng, self.alerts)
        start = moments_each(rng, self.curve, who, day)
        return texts(self.first + who, self._other(who, rng.random(len(who))), start)

    def _asked(self, rng: Rng, day: int) -> Attempts:
        """The station tests a lift; a gate opens for numbers that it knows, and takes no call."""
        who = events(rng, self.asked)
        start = moments_each(rng, self.curve, who, day)
        a, b = self._other(who, rng.random(len(who))), self.first + who
        talk = 12 * np.exp(rng.normal(0, 0.5, len(who)))
        asked = calls(rng, (a, b), start, talk, (self.obeys[who], Manners(0.2, 0.0, 0.0)))
        missed = asked.cause != CLEARED
        return Attempts(**{**vars(asked), "cause": np.where(missed, NO_ANSWER, CLEARED)})


def build_machines(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many machines of six sorts."""
    sort = rng.choice(len(SORTS), count, p=SORTS)
    return Group(
        kind=KIND,
        first=first,
        size=count,
        movement=_movement(rng, around, sort),
        handsets=OneHandset(around.shop.modules(count)),
        day=_habits(rng, around, sort, first),
        # Installers buy cards in packs.
        batch=np.sort(rng.integers(0, max(count // 6, 1), count)),
    )


def _movement(rng: Rng, around: Surroundings, sort: Ints) -> Movement:
    """Fixed, but for the trackers in vans."""
    count, country = len(sort), around.country
    home = country.homes(rng, count)
    fixed = desk(rng, country, home, fresh_seed(rng))
    way = walks(rng, country, home, 30, 0.9)
    opens = rng.uniform(5, 10, count)
    road = Tour(way, between(rng, 300, 1500, count), country, fresh_seed(rng), opens)
    closes = np.where(sort == TRACKER, opens + rng.uniform(4, 12, count), opens)
    days = rng.random((count, 7)) < 0.8
    return Switch(Hours(opens, closes, days, around.weekday), road, fixed)


def _by_sort(rng: Rng, sort: Ints) -> dict[str, Floats]:
    """Each habit of each member, by its sort: lift, alarm, terminal, meter, tracker, gate."""
    count = len(sort)
    never = np.full(count, np.inf)
    by_sort: dict[str, tuple[float | Floats | Ints, ...]] = {
        "period": (
            rng.choice([1, 3, 7], count) * float(DAY_S),  # EN 81-28: a test call every three days
            rng.choice([6, 12, 24, 168], count) * float(HOUR_S),
            rng.choice([np.inf, 24 * HOUR_S], count),
            rng.choice([0.25, 1, 6, 24], count) * HOUR_S,
            rng.choice([0.5, 1, 4], count) * HOUR_S,
            never,
        ),
        "by_text": (0.0, rng.choice([0.0, 0.0, 1.0], count), 0.0, 1.0, 1.0, 0.0),
        "talk": (
            between(rng, 8, 45, count),
            between(rng, 5, 30, count),
            between(rng, 8, 30, count),
            10.0,
            10.0,
            5.0,
        ),
        "rate": (
            between(rng, 0.02, 0.6, count),
            between(rng, 0.02, 1.5, count),
            between(rng, 2, 140, count),
            0.0,
            0.02,
            0.0,
        ),
        "alerts": (0.0, between(rng, 0.05, 4, count), 0.1, 0.02, 0.3, 0.1),
        "asked": (0.1, 0.05, 0.0, 0.02, 0.1, between(rng, 2, 60, count)),
        "obeys": (0.97, 0.6, 0.0, 0.5, 0.7, 0.02),
        "owners": (1, rng.integers(1, 6, count), rng.integers(0, 2, count), 0, 2, 25),
    }
    return {
        name: np.choose(sort, [np.broadcast_to(np.float64(v), count) for v in values])
        for name, values in by_sort.items()
    }


def _habits(rng: Rng, around: Surroundings, sort: Ints, first: int) -> Machines:
    count = len(sort)
    drawn = _by_sort(rng, sort)
    shop_hours = working(rng, rng.uniform(7, 10, count), rng.uniform(18, 23, count))
    seed = fresh_seed(rng)
    return Machines(
        first=first,
        sort=sort,
        period=drawn["period"],
        phase=rng.random(count) * np.where(np.isfinite(drawn["period"]), drawn["period"], 0.0),
        jitter=between(rng, 0.5, 40, count),
        tests_by_text=drawn["by_text"],
        talk=drawn["talk"],
        rate=drawn["rate"],
        alerts=drawn["alerts"],
        asked=drawn["asked"],
        obeys=drawn["obeys"],
        owners=drawn["owners"].astype(np.int64),
        station=(hashed(seed, np.arange(count)) * (count // INSTALLATIONS + 1)).astype(np.int64),
        curve=np.where((sort == TERMINAL)[:, None], shop_hours, PEOPLE_HOURS[0]),
        numbers=Numbers(around, seed, np.where(sort == TERMINAL, 0.0, 0.5)),
        stations=Numbers(around, fresh_seed(rng), own=0.0),
    )


MACHINE = Kind(
    KIND,
    "lifts, alarms, payment terminals, meters, trackers and gates",
    "lines",
    300,
    build_machines,
)
