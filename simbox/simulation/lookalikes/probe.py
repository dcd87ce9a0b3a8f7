"""Network probes: test terminals that call each other and test numbers by the clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    DAY_S,
    HOUR_S,
    NO_MANNERS,
    Attempts,
    Bools,
    Floats,
    Ints,
    Rng,
    calls,
    texts,
)
from simbox.simulation.clock import hashed
from simbox.simulation.group import NO_SITE, Group, Kind, Movement, OneHandset
from simbox.simulation.lookalikes.habits import Numbers, between, counted, fresh_seed, on_day
from simbox.simulation.lookalikes.premises import labels
from simbox.simulation.lookalikes.private_life import notices
from simbox.simulation.movement import Hours, Switch, Tour, desk, walks
from simbox.simulation.numbering import SERVICES
from simbox.simulation.surroundings import Surroundings

KIND = "lookalike/probe"
SYSTEM = 8  # terminals of one test system, about


@dataclass(frozen=True)
class Probes:
    """Test calls and texts of systems of terminals; one element or row a member."""

    first: int
    period: Floats  # s between the starts of two tests
    phase: Floats
    jitter: Floats  # s that dialling and the network add
    talk: Floats  # s
    targets: Ints  # parties, shape (members, 4); some are other terminals of the system
    used: Ints  # of those
    writes: Floats  # share of tests that are texts
    success: Floats
    opens: Floats  # hour of the day
    closes: Floats
    campaign: Floats  # share of the days on which the system runs
    system: Ints
    seed: int

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """One test after the other, on days and in hours when the system runs."""
        runs = hashed(self.seed, self.system, np.full(len(self.system), day)) < self.campaign
        who, due, turn = self._due(runs, day)
        start = np.maximum(due + np.abs(rng.normal(0, 1, len(who))) * self.jitter[who], 0.0)
        other = self.targets[who, turn % self.used[who]]
        text = hashed(self.seed + 1, who, turn) < self.writes[who]
        spoken = ~text
        me = self.first + who
        talk = self.talk[who[spoken]] + rng.normal(0, 0.3, int(spoken.sum()))
        how = (self.success[who[spoken]], NO_MANNERS)
        return on_day(
            [
                calls(rng, (me[spoken], other[spoken]), start[spoken], talk, how),
                texts(me[text], other[text], start[text]),
                notices(rng, (self.first, np.zeros(len(self.system))), day, 0.1),
            ],
            day,
        )

    def _due(self, runs: Bools, day: int) -> tuple[Ints, Floats, Ints]:
        """Whose test is due when, and its number since the world began."""
        opens = day * DAY_S + self.opens * HOUR_S
        closes = day * DAY_S + self.closes * HOUR_S
        begin = np.ceil((opens - self.phase) / self.period).astype(np.int64)
        end = np.ceil((closes - self.phase) / self.period).astype(np.int64)
        who, place = counted(np.where(runs, end - begin, 0))
        turn = begin[who] + place
        return who, self.phase[who] + turn * self.period[who], turn


def build_probes(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many terminals in systems of a few, each at a mast of its own, at a desk, or driven."""
    drawn = rng.integers(0, max(count // SYSTEM, 1), count)
    system = np.sort(np.unique(drawn, return_inverse=True)[1])
    systems = int(system.max()) + 1
    laboratory = around.country.homes(rng, systems)
    spread = rng.random(systems) < 0.6  # over masts everywhere, not in one laboratory
    settled = np.cumsum(~spread) - 1
    return Group(
        kind=KIND,
        first=first,
        size=count,
        movement=_movement(rng, around, system, (laboratory, spread)),
        handsets=OneHandset(_handsets(rng, around, system)),
        day=_habits(rng, around, (system, systems), first),
        batch=system,
        room=np.where(spread[system], NO_SITE, settled[system]),
        rooms=labels(KIND, np.bincount(system)[~spread], laboratory[~spread]),
    )


def _movement(rng: Rng, around: Surroundings, system: Ints, places: tuple[Ints, Bools]) -> Movement:
    laboratory, spread = places
    country, count, systems = around.country, len(system), len(laboratory)
    place = np.where(spread[system], country.homes(rng, count), laboratory[system])
    driven = (spread & (rng.random(systems) < 0.35))[system]
    opens = np.full(count, 8.0)
    hours = Hours(opens, opens + 9 * driven, np.ones((count, 7), dtype=bool), around.weekday)
    stops = walks(rng, country, laboratory[system], 40, 0.9)
    road = Tour(stops, between(rng, 90, 500, count), country, fresh_seed(rng), opens)
    return Switch(hours, road, desk(rng, country, place, fresh_seed(rng)))


def _handsets(rng: Rng, around: Surroundings, system: Ints) -> Ints:
    """Modules from one carton a system, or phones in a rack."""
    shop = around.shop
    sizes = np.bincount(system)
    cartons = np.concatenate([shop.carton(n, module=True) for n in sizes[sizes > 0].tolist()])
    rack = (rng.random(len(sizes)) < 0.3)[system]
    return np.where(rack, shop.phones(len(system)), cartons)


def _habits(rng: Rng, around: Surroundings, of: tuple[Ints, int], first: int) -> Probes:
    system, systems = of
    count = len(system)
    always = rng.random(systems) < 0.65
    opens = np.where(always, 0.0, rng.integers(6, 10, systems))
    closes = np.where(always, 24.0, rng.integers(16, 23, systems))
    period = rng.choice([60, 120, 180, 300, 600, 900, 1800, 3600], systems) * 1.0
    talk = np.minimum(between(rng, 3, 120, systems), period * 0.6)
    pause = np.where(rng.random(systems) < 0.3, talk, 0.0)  # some count from the end of a test
    return Probes(
        first=first,
        period=(period + pause)[system],
        phase=(rng.random(count) * period[system]),
        jitter=between(rng, 0.05, 6, systems)[system],
        talk=talk[system],
        targets=_targets(rng, around, system, first),
        used=rng.integers(1, 5, systems)[system],
        writes=np.where(rng.random(systems) < 0.5, 0.0, rng.beta(1, 3, systems))[system],
        success=rng.uniform(0.9, 0.999, systems)[system],
        opens=opens[system],
        closes=closes[system],
        campaign=np.where(rng.random(systems) < 0.7, 1.0, rng.uniform(0.3, 0.8, systems))[system],
        system=system,
        seed=fresh_seed(rng),
    )


def _targets(rng: Rng, around: Surroundings, system: Ints, first: int) -> Ints:
    """Terminals of the same system, answering machines of the carrier, service numbers."""
    count = len(system)
    sizes = np.bincount(system)
    lead = (np.cumsum(sizes) - sizes)[system]
    machines = Numbers(around, fresh_seed(rng), own=0.0)
    targets = np.empty((count, 4), dtype=np.int64)
    for place in range(4):
        size = sizes[system]
        mate = lead + (np.arange(count) - lead + 1 + place) % size
        paired = (rng.random(len(sizes)) < 0.6)[system] & (mate != np.arange(count))
        service = -rng.choice(np.asarray(SERVICES[3:]), len(sizes))[system]
        answering = machines.party(system, np.full(count, place))
        public = np.where((rng.random(len(sizes)) < 0.2)[system], service, answering)
        targets[:, place] = np.where(paired, first + mate, public)
    return targets


PROBE = Kind(
    KIND,
    "test terminals that call each other and test numbers by the clock",
    "lines",
    60,
    build_probes,
)
