"""Where ordinary people are: home, work, the way between, a few usual places, journeys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simbox.simulation.attempts import DAY_S, HOUR_S, Bools, Floats, Ints, Rng
from simbox.simulation.clock import hashed
from simbox.simulation.geography import Country
from simbox.simulation.ordinary.lives import PLACE, habit
from simbox.simulation.ordinary.persons import Persons
from simbox.simulation.surroundings import Surroundings

OUTING, ON_WAY, SIGNAL = range(801, 804)  # what a hashed draw is for
USUAL_PLACES = 4
OUTING_HOURS = 1.5  # how long one stays out
WAY_H = 0.6  # half the time around the beginning and end of work that one is under way
WAY_S = 600  # a cell passed on the way serves so long
WEEKDAYS, SIX_DAYS, SHIFTS = 0b0011111, 0b0111111, (0.62, 0.2, 0.18)
TRIP_CHANCE_A_WEEK = 0.06


@dataclass(frozen=True)
class Whereabouts:
    """Where each line's owner is; lines of one owner are in one place."""

    owner: Ints
    home: Ints
    work: Ints
    begins: Floats  # hour of the day at which work begins
    ends: Floats  # smaller than `begins` for those who work at night
    working: Ints  # bits of the days of the week that one works, Monday lowest
    places: npt.NDArray[np.int32]  # cells one goes to, shape (lines, USUAL_PLACES)
    out: Floats  # chance of being out
    flaps: Floats  # chance that the sector beside serves
    trip: Ints  # cell of a journey
    leaves: Floats  # s; infinity for those who stay
    returns: Floats
    around: Surroundings

    def cells(self, member: Ints, start: Floats) -> Ints:
        """The serving cell of each member at each moment."""
        who, country, seed = self.owner[member], self.around.country, self.around.seed
        hour = start % DAY_S / HOUR_S
        cell = np.where(self._at_work(who, start, hour), self.work[who], self.home[who])
        slot = (start / (OUTING_HOURS * HOUR_S)).astype(np.int64)
        drawn = hashed(seed + OUTING, who, slot)
        out = drawn < self.out[who] * np.where((hour > 6.5) & (hour < 22.5), 1.0, 0.12)
        place = (drawn * 65_536).astype(np.int64) % USUAL_PLACES
        cell = np.where(out, self.places[who, place], cell)
        cell = self._under_way(who, start, hour, cell)
        away = (start >= self.leaves[who]) & (start < self.returns[who])
        near = country.around(self.trip[who], drawn * 4096 % 1 * 0.5)
        cell = np.where(away, np.where(drawn < 0.4, near, self.trip[who]), cell)
        signal = hashed(seed + SIGNAL, who, start.astype(np.int64))
        turn = 1 + (signal * 4096).astype(np.int64) % 8 // 7  # mostly the same second sector
        return np.where(signal < self.flaps[who], country.beside(cell, turn), cell)

    def _at_work(self, who: Ints, start: Floats, hour: Floats) -> Bools:
        weekday = (self.around.weekday + (start // DAY_S).astype(np.int64)) % 7
        begins, ends = self.begins[who], self.ends[who]
        inside = np.where(
            begins < ends, (hour >= begins) & (hour < ends), (hour >= begins) | (hour < ends)
        )
        return np.asarray(inside & (self.working[who] >> weekday & 1 > 0))

    def _under_way(self, who: Ints, start: Floats, hour: Floats, cell: Ints) -> Ints:
        """The cells, with those of the masts passed on the way to work and back."""
        edge = np.minimum(np.abs(hour - self.begins[who]), np.abs(hour - self.ends[who]))
        weekday = (self.around.weekday + (start // DAY_S).astype(np.int64)) % 7
        works = (self.working[who] >> weekday & 1 > 0) & (self.work[who] != self.home[who])
        moving = np.flatnonzero((edge < WAY_H) & works)
        person = who[moving]
        slot = (start[moving] / WAY_S).astype(np.int64)
        drawn = hashed(self.around.seed + ON_WAY, person, slot)
        end = np.where(drawn < 0.5, self.home[person], self.work[person])
        passed = self.around.country.around(end, drawn * 2 % 1)
        cell = cell.copy()
        cell[moving] = np.where(drawn * 4096 % 1 < 0.75, passed, cell[moving])
        return cell


def whereabouts(rng: Rng, who: Persons, around: Surroundings) -> Whereabouts:
    """Habits of movement of these persons."""
    count, country = len(who), around.country
    begins, ends, working = _hours(rng, who)
    still = np.where(who.stays, 0.06, np.where(rng.random(count) < 0.25, 0.25, 1.0))
    leaves, returns = _trips(rng, who, around.days)
    return Whereabouts(
        owner=who.owner,
        home=who.home,
        work=who.work,
        begins=begins,
        ends=ends,
        working=np.where(who.works, working, 0),
        places=_places(rng, country, who),
        out=np.clip(habit("roams", who.life) * still * rng.beta(1.6, 7, count), 0, 0.9),
        flaps=np.where(rng.random(count) < 0.25, 0.0, rng.beta(0.7, 5, count)),
        trip=country.homes(rng, count),
        leaves=leaves,
        returns=returns,
        around=around,
    )


def _hours(rng: Rng, who: Persons) -> tuple[Floats, Floats, Ints]:
    """When work begins and ends, and on which days: offices, shops, shifts of every sort."""
    count = len(who)
    begins = (rng.normal(8.6, 1.0, count) + np.where(who.shift > 6, 12.5, 0)) % 24
    length = np.clip(rng.normal(8.9, 1.2, count), 3, 13)
    sort = rng.choice(3, count, p=SHIFTS)
    shifts = rng.integers(1, 2**7, count)
    working = np.where(sort == 0, WEEKDAYS, np.where(sort == 1, SIX_DAYS, shifts))
    return begins, (begins + length) % 24, working


def _places(rng: Rng, country: Country, who: Persons) -> npt.NDArray[np.int32]:
    """Cells of shops, friends and relatives: near home, near work, in town."""
    near = country.around(who.home, rng.random(len(who)))
    by_work = country.around(who.work, rng.random(len(who)))
    market = country.around(near, rng.random(len(who)))
    friend = np.roll(who.home, 1)  # lines that stand together are of kin or friends
    far = rng.random(len(who)) < 0.6
    return np.stack([near, by_work, market, np.where(far, near, friend)], axis=1).astype(np.int32)


def _trips(rng: Rng, who: Persons, days: int) -> tuple[Floats, Floats]:
    """When journeys begin and end: few for most people."""
    count = len(who)
    travels = rng.random(count) < 1 - (1 - TRIP_CHANCE_A_WEEK) ** (days / 7)
    travels |= who.life == PLACE["traveller"]
    travels &= ~who.stays
    leaves = rng.uniform(-2 * DAY_S, days * DAY_S, count)
    stays = np.exp(rng.normal(0.7, 0.8, count)) * DAY_S
    return np.where(travels, leaves, np.inf), leaves + stays
