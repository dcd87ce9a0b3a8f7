"""What firms and persons draw once and keep: rates, hours, lists of numbers, packs of SIM cards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import DAY_S, Attempts, Bools, Floats, Ints, Rng, together
from simbox.simulation.clock import hashed, open_hours
from simbox.simulation.numbering import ABROAD
from simbox.simulation.surroundings import Surroundings

#: What a hashed draw is for.
INSIDE, WHO, WHICH, WORKS, FARAWAY = range(201, 206)


def between(rng: Rng, low: float, high: float, count: int) -> Floats:
    """Rates that differ by factors: even on a logarithmic scale from low to high."""
    return np.asarray(low * (high / low) ** rng.random(count))


def events(rng: Rng, rate: Floats) -> Ints:
    """The member behind each event of a day, when each has so many a day on average."""
    return np.repeat(np.arange(len(rate)), rng.poisson(rate))


def sizes(rng: Rng, count: int, median: float, bounds: tuple[int, int]) -> Ints:
    """Lines of each firm: many small firms, few large ones."""
    drawn = median * np.exp(rng.normal(0, 0.7, count))
    return np.clip(np.round(drawn), *bounds).astype(np.int64)


def packs(rng: Rng, room: Ints, each: int = 3) -> Ints:
    """SIM cards that each firm bought in one to `each` packs; equal values mean one pack."""
    bought = rng.integers(1, each + 1, int(room.max(initial=-1)) + 1)
    return np.asarray(room * each + (rng.random(len(room)) * bought[room]).astype(np.int64))


def alone(count: int) -> Ints:
    """Everybody bought a SIM card of their own."""
    return np.arange(count)


def working(rng: Rng, opens: Floats, closes: Floats) -> Floats:
    """Curves of 24 hours, one a firm: open hours, often a lunch dip, every firm uneven in its way.

    Args:
        rng: the source of chance.
        opens: hour of the day, one a firm.
        closes: hour of the day; past midnight where it is above 24.
    """
    curves = np.stack(
        [
            np.maximum(open_hours(a, min(b, 24.0)), open_hours(0.0, max(b - 24.0, 0.0)))
            for a, b in zip(opens.tolist(), closes.tolist(), strict=True)
        ]
    )
    curves[:, 12] *= 1 - rng.beta(0.8, 1, len(opens)) * (curves.sum(axis=1) < 14)
    return np.asarray(curves * np.exp(rng.normal(0, 0.25, curves.shape)))


def week(rng: Rng, saturday: float, sunday: float, count: int) -> Bools:
    """Working days, shape (count, 7), Monday first; chances of working at the weekend."""
    days = np.ones((count, 7), dtype=bool)
    days[:, 5] = rng.random(count) < saturday
    days[:, 6] = (rng.random(count) < sunday) & days[:, 5]
    return days


def days_off(rng: Rng, count: int, most: int = 2) -> Bools:
    """Working days of people on a rota, shape (count, 7): up to so many days off, any weekday."""
    rank = np.argsort(rng.random((count, 7)), axis=1)
    return np.asarray(rank >= rng.integers(0, most + 1, count)[:, None])


def today(days: Bools, around: Surroundings, day: int) -> Bools:
    """Who works on a day, by its weekday."""
    return days[:, (around.weekday + day) % 7]


@dataclass(frozen=True)
class Numbers:
    """Lists of numbers, one an owner, each entry the same whenever it is asked for."""

    around: Surroundings
    seed: int
    own: float | Floats = 0.6  # share of the home carrier's lines, one for all or one an owner

    def party(self, owner: Ints, place: Ints) -> Ints:
        """The party at a place (0 and up) of each owner's list."""
        first, end = self.around.people
        own = self.own if isinstance(self.own, float) else self.own[owner]
        who = hashed(self.seed + WHO, owner, place)
        inside = (hashed(self.seed + INSIDE, owner, place) < own) & (end > first)
        elsewhere = self.around.numbering.elsewhere_of(hashed(self.seed + WHICH, owner, place), who)
        return np.where(inside, first + (who * (end - first)).astype(np.int64), elsewhere)

    def abroad(self, owner: Ints, place: Ints) -> Ints:
        """The number in a foreign country at a place of each owner's list."""
        who = hashed(self.seed + FARAWAY, owner, place)
        country = np.asarray(ABROAD)[owner % len(ABROAD)]
        return -(country * 10**9 + (who * 10**9).astype(np.int64))


def often_first(rng: Rng, count: int, length: Ints | int, skew: float = 2.0) -> Ints:
    """Places in lists of so many numbers; the first are called most."""
    return np.asarray((rng.random(count) ** skew * length).astype(np.int64))


def fresh_seed(rng: Rng) -> int:
    """A seed of lasting chance for one group."""
    return int(rng.integers(2**40))


def one_after_another(who: Ints, takes: Floats) -> Floats:
    """Seconds from the begin of each owner's row of events to each event.

    `who` is sorted; `takes` is what each event takes before the owner's next one.
    """
    if len(who) == 0:
        return np.zeros(0)
    before = np.cumsum(takes) - takes
    return np.asarray(before - before[np.searchsorted(who, who)])


def counted(count: Ints) -> tuple[Ints, Ints]:
    """Owners, each repeated `count` times, and the place of each repetition."""
    who = np.repeat(np.arange(len(count)), count)
    return who, np.arange(len(who)) - np.repeat(np.cumsum(count) - count, count)


def on_day(parts: Iterable[Attempts], day: int) -> Attempts:
    """All attempts of a day; what would follow after midnight does not happen."""
    all_parts = together(parts)
    return all_parts.where(all_parts.start < (day + 1) * DAY_S)
