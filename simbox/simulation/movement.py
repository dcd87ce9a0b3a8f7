"""Where lines are at any moment: at a desk, on a tour, at work and at home, at an event.

Every movement (:class:`simbox.simulation.group.Movement`) is a function of the member and the
moment, so both ends of a call and every output file agree.  Chance comes from the member and a
slot of time, never from a generator's state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simbox.simulation.attempts import DAY_S, HOUR_S, MINUTE_S, Bools, Floats, Ints, Rng
from simbox.simulation.clock import hashed
from simbox.simulation.geography import SECTORS, Country
from simbox.simulation.group import Movement

SMALL_HOURS = 4.0  # hour at which the day of those begins who are under way at midnight

#: What a hashed draw is for, so that draws of one member and one slot do not depend on each other.
FLAP, STRAY, OUTING, PLACE, PHASE, SECTOR = range(101, 107)


class When(Protocol):
    """The moments at which members do something: work, be at an event."""

    def holds(self, member: Ints, start: Floats) -> Bools:
        """Whether each member does it at each moment."""


@dataclass(frozen=True)
class Desk:
    """Lines that stay in one place: one serving cell, at times a sector beside or a near mast."""

    home: Ints  # cell, one a member
    flap: Floats  # chance of showing the sector beside, one a member
    stray: Floats  # chance of showing a neighbouring mast, one a member
    country: Country
    seed: int

    def cells(self, member: Ints, start: Floats) -> Ints:
        """The serving cell; chance is drawn by the minute."""
        home = self.home[member]
        slot = (start // MINUTE_S).astype(np.int64)
        drawn = hashed(self.seed, member, slot)
        flap, stray = self.flap[member], self.stray[member]
        # A place sees the same second-best sector and the same two or three masts every day.
        turn = 1 + (hashed(self.seed + FLAP, member) < 0.5).astype(np.int64)
        which = (drawn * 9973).astype(np.int64) % 3
        beside = self.country.beside(home, turn)
        near = self.country.around(home, hashed(self.seed + STRAY, member, which) * 0.6)
        return np.where(drawn < stray, near, np.where(drawn < stray + flap, beside, home))


@dataclass(frozen=True)
class Tour:
    """Lines on the move along a way of their own, there and back, never twice at one pace.

    Those that set out at an hour begin each day at the first stop; the others are anywhere on
    their way, and begin anew in the small hours.
    """

    stops: Ints  # cells, shape (members, stops): neighbours follow one another
    pace: Floats  # s from one stop to the next, one a member
    country: Country
    seed: int
    sets_out: Floats | None = None  # hour of the day, one a member

    def cells(self, member: Ints, start: Floats) -> Ints:
        """The cell of the stop, or a sector beside it."""
        count = self.stops.shape[1]
        begins = SMALL_HOURS if self.sets_out is None else self.sets_out[member]
        day, second = np.divmod(start - begins * HOUR_S, DAY_S)
        drawn = hashed(self.seed + PHASE, member, day.astype(np.int64) + 1)
        phase = drawn * 2 * count if self.sets_out is None else 0.0
        pace = self.pace[member] * (0.7 + 0.6 * (drawn * 8191 % 1))
        walked = (phase + second / pace) % (2 * count)
        stop = np.minimum(count - np.abs(walked - count), count - 1e-9).astype(np.int64)
        cell = self.stops[member, stop]
        drawn = hashed(self.seed + SECTOR, member, (start // MINUTE_S).astype(np.int64))
        turn = (drawn * SECTORS).astype(np.int64)
        return np.where(turn > 0, self.country.beside(cell, turn), cell)


@dataclass(frozen=True)
class Nights:
    """Travellers: a lodging for every day, outings around it by the hour."""

    lodging: Ints  # cells, shape (members, days)
    outing: Floats  # chance of being out in an hour of the day, one a member
    country: Country
    seed: int
    leaves: int = 11 * HOUR_S  # when the next lodging takes the place of the last night's

    def cells(self, member: Ints, start: Floats) -> Ints:
        """The lodging's cell, or one of a mast around it."""
        day = np.clip((start - self.leaves) // DAY_S, 0, self.lodging.shape[1] - 1)
        base = self.lodging[member, day.astype(np.int64)]
        slot = (start // HOUR_S).astype(np.int64)
        hour = slot % 24
        out = hashed(self.seed + OUTING, member, slot) < self.outing[member]
        away = self.country.around(base, hashed(self.seed + PLACE, member, slot))
        return np.where(out & (hour >= 9) & (hour < 22), away, base)


@dataclass(frozen=True)
class Switch:
    """Lines that are in one place while something holds, and otherwise in another."""

    when: When
    then: Movement
    other: Movement

    def cells(self, member: Ints, start: Floats) -> Ints:
        """The cells of the movement that holds."""
        held = self.when.holds(member, start)
        found = np.empty(len(member), dtype=np.int64)
        for chosen, movement in ((held, self.then), (~held, self.other)):
            found[chosen] = movement.cells(member[chosen], start[chosen])
        return found


@dataclass(frozen=True)
class Hours:
    """Working hours of every member, on the days of the week it works."""

    opens: Floats  # hour of the day, one a member
    closes: Floats  # hour of the day; past midnight where it is above 24
    days: Bools  # shape (members, 7), Monday first
    weekday: int  # of day 0

    def holds(self, member: Ints, start: Floats) -> Bools:
        """Whether each member is at work."""
        day = (start // DAY_S).astype(np.int64)
        hour = (start - day * DAY_S) / HOUR_S
        opens, closes = self.opens[member], self.closes[member]
        today = (hour >= opens) & (hour < closes) & self.days[member, (self.weekday + day) % 7]
        late = (hour + 24 < closes) & self.days[member, (self.weekday + day - 1) % 7]
        return np.asarray(today | late)


@dataclass(frozen=True)
class Windows:
    """Some stretches of time for every member: visits, events."""

    begins: Floats  # s, shape (members, windows); a window that never comes begins at infinity
    ends: Floats  # s, shape (members, windows)

    def holds(self, member: Ints, start: Floats) -> Bools:
        """Whether each moment lies in one of the member's windows."""
        at = start[:, None]
        inside = (at >= self.begins[member]) & (at < self.ends[member])
        return np.asarray(inside.any(axis=1))


def walks(rng: Rng, country: Country, home: Ints, stops: int, reach: float = 0.6) -> Ints:
    """Ways from mast to neighbouring mast: cells, shape (members, stops), the first at home.

    Args:
        rng: the source of chance.
        country: the masts.
        home: cell at which each way begins.
        stops: number of stops of a way.
        reach: how far a step may go, 0 to the nearest mast only, 1 to any of the near ones.
    """
    way = np.empty((len(home), stops), dtype=np.int64)
    way[:, 0] = home
    for stop in range(1, stops):
        way[:, stop] = country.around(way[:, stop - 1], rng.random(len(home)) * reach)
    return way


def desk(rng: Rng, country: Country, home: Ints, seed: int) -> Desk:
    """Desks at these cells: some deep indoors under one sector, some between several."""
    count = len(home)
    flap = np.where(rng.random(count) < 0.3, 0.0, rng.beta(0.7, 4, count))
    stray = np.where(rng.random(count) < 0.5, 0.0, rng.beta(0.6, 12, count))
    return Desk(home, flap, stray, country, seed)
