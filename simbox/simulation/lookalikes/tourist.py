"""Tourists: a local SIM card for some days, travel companions, calls home, a lodging a night."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    DAY_S,
    Attempts,
    Floats,
    Ints,
    Manners,
    Rng,
    calls,
    talk_seconds,
    texts,
)
from simbox.simulation.clock import PEOPLE_HOURS, moments_each
from simbox.simulation.group import Between, Group, Kind, OneHandset
from simbox.simulation.lookalikes.habits import (
    Numbers,
    between,
    events,
    fresh_seed,
    often_first,
    on_day,
    sizes,
)
from simbox.simulation.lookalikes.private_life import notices
from simbox.simulation.lookalikes.whereabouts import lived_days
from simbox.simulation.movement import Nights, walks
from simbox.simulation.surroundings import Surroundings

KIND = "lookalike/tourist"
PARTY = 3  # people who travel together, about
CARDS_A_DEALER = 9  # cards of one dealer's pack that end up with tourists, about


@dataclass(frozen=True)
class Tourists:
    """What travellers do with their phones on a day; one element or row a member."""

    first: int
    party: Ints
    lead: Ints  # first member of the traveller's party
    companions: Ints  # size of it
    born: Floats
    gone: Floats
    active: Floats  # calls a day
    home: Floats  # share of calls home
    together: Floats  # share of calls to companions
    shown: Floats  # share of calls that come in
    texts: Floats  # a day
    talk: Floats  # median, s
    curve: Floats
    numbers: Numbers  # home contacts by traveller
    local: Numbers  # hotels, guides, drivers by party

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """Calls home, to companions, to hotels and drivers; texts; codes."""
        here = lived_days(self.born, self.gone, day)
        who = events(rng, self.active * here)
        start = moments_each(rng, self.curve, who, day)
        other, me = self._other(rng, who), self.first + who
        in_ = rng.random(len(who)) < self.shown[who]
        talk = self.talk[who] * talk_seconds(rng, len(who), 1.0, 1.1)
        sides = (np.where(in_, other, me), np.where(in_, me, other))
        how = (np.full(len(who), 0.7), Manners(0.3, 0.35, 0.8))
        writer = events(rng, self.texts * here)
        to = self._other(rng, writer)
        at = moments_each(rng, self.curve, writer, day)
        back = rng.random(len(writer)) < 0.55
        later = at[back] + rng.exponential(300, int(back.sum()))
        return on_day(
            [
                calls(rng, sides, start, talk, how),
                texts(self.first + writer, to, at),
                texts(to[back], self.first + writer[back], later),
                notices(rng, (self.first, 0.4 * here), day, 0.0),
                self._welcome(rng, day),
            ],
            day,
        )

    def _other(self, rng: Rng, who: Ints) -> Ints:
        drawn, count = rng.random(len(who)), self.companions[who]
        far = self.numbers.abroad(who, often_first(rng, len(who), 7, 2.0))
        step = 1 + (rng.random(len(who)) * np.maximum(count - 1, 1)).astype(np.int64)
        mate = self.lead[who] + (who - self.lead[who] + step) % count
        near = self.local.party(self.party[who], often_first(rng, len(who), 14, 1.5))
        other = np.where(drawn > 1 - self.together[who], self.first + mate, near)
        other = np.where((other == self.first + who), near, other)
        return np.where(drawn < self.home[who], far, other)

    def _welcome(self, rng: Rng, day: int) -> Attempts:
        """The operator's notices, most of them on the first day."""
        first_day = (self.born >= day * DAY_S) & (self.born < (day + 1) * DAY_S)
        who = np.repeat(np.flatnonzero(first_day), 3)
        start = self.born[who] + rng.exponential(600, len(who))
        return texts(np.full(len(who), -10086), self.first + who, start)


def build_tourists(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many travellers, alone, in families and in coach parties."""
    party, lead, companions = _parties(rng, count)
    parties = int(party[-1]) + 1
    stay = between(rng, 2, 21, parties)
    born = rng.uniform(-0.7 * stay, around.days, parties)
    arrival = around.country.homes(rng, parties)
    lodging = walks(rng, around.country, arrival, around.days * 3, 1.0)[:, ::3]
    moves = np.cumsum(rng.random(lodging.shape) < between(rng, 0.1, 1, parties)[:, None], axis=1)
    lodging = np.take_along_axis(lodging, np.minimum(moves, around.days - 1), axis=1)
    arrives = (born * DAY_S)[party] + rng.uniform(0, 5400, count)
    leaves = (born + stay)[party] * DAY_S + rng.uniform(0, 5400, count)
    alone = companions == 1
    home = rng.beta(1.5, 3, count)
    outing = rng.uniform(0.1, 0.8, parties)[party]
    day = Tourists(
        first=first,
        party=party,
        lead=lead,
        companions=companions,
        born=arrives,
        gone=leaves,
        active=between(rng, 0.4, 14, count),
        home=home,
        together=np.where(alone, 0.0, (1 - home) * rng.beta(3, 2, count)),
        shown=rng.beta(2, 4, count),
        texts=between(rng, 0.1, 5, count),
        talk=between(rng, 20, 150, count),
        curve=_hours(rng, count),
        numbers=Numbers(around, fresh_seed(rng)),
        local=Numbers(around, fresh_seed(rng), own=0.45),
    )
    return Group(
        kind=KIND,
        first=first,
        size=count,
        movement=Nights(lodging[party], outing, around.country, fresh_seed(rng)),
        handsets=OneHandset(around.shop.phones(count)),
        day=day,
        batch=rng.integers(0, count // CARDS_A_DEALER + 1, count),
        presence=Between(arrives, leaves),
    )


def _parties(rng: Rng, count: int) -> tuple[Ints, Ints, Ints]:
    """Party of each traveller, its first member, its size."""
    drawn = np.maximum(sizes(rng, count, PARTY - 1, (1, 40)), 1)
    party = np.repeat(np.arange(count), drawn)[:count]
    size = np.bincount(party)
    lead = np.cumsum(size) - size
    return party, lead[party], size[party]


def _hours(rng: Rng, count: int) -> Floats:
    """Own hours, and calls home when it is evening there."""
    evening = rng.integers(0, 24, count)
    hour = np.arange(24)[None, :]
    away = np.minimum(np.abs(hour - evening[:, None]), 24 - np.abs(hour - evening[:, None]))
    awake = PEOPLE_HOURS[1] + 3
    return np.asarray(awake * (1 + 2.5 * (away < 3)) * np.exp(rng.normal(0, 0.3, (count, 24))))


TOURIST = Kind(
    KIND,
    "travellers with a local SIM card for some days",
    "lines",
    120,
    build_tourists,
)
