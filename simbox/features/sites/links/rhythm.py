"""Links of lines that begin and end their days together, and come and go together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.features.segments import Index, Mask, boundaries
from simbox.features.sites.pairs import Pairs
from simbox.features.sites.traffic import Floats, Traffic
from simbox.store import DAY_S

TOGETHER_S = (
    420.0  # scale of the time between the first calls of lines that are switched on at once
)
SWITCHED = 0.6  # share of the days on which lines of one room begin like this
BINS = 48  # of a day, for how days begin and end in ordinary life
USUAL_S = 1200  # a day that begins within this of the line's habit repeats the habit
REPEATED = 0.2  # what such a day counts
MOST_NATS = 9.0
LEAST_NATS = -4.0
TURNS_NATS = -1.0  # of working on different days: cards of one room take turns
MATCHED = 0.92  # share of days on which lines of one room agree whether they work at all
QUIET = 3.0  # events that a line misses, at its rate, before silence tells that it began later


@dataclass(frozen=True)
class Days:
    """When each line's own calls begin and end on each day."""

    first: Floats  # [lines, days] local seconds of the day, NaN where the line makes no call
    last: Floats

    @property
    def active(self) -> Mask:
        """On which days the line calls."""
        return ~np.isnan(self.first)


def days_of(traffic: Traffic) -> Days:
    """The first and last own call of each line and day."""
    shape = (traffic.lines, traffic.days)
    first, last = np.full(shape, np.nan), np.full(shape, np.nan)
    rows = np.flatnonzero(traffic.outgoing)
    line, day, at = traffic.line[rows], traffic.day[rows], traffic.at[rows] % DAY_S
    if len(rows):
        opens = boundaries(line, day)  # rows ascend by line and time
        closes = np.append(opens[1:], True)
        first[line[opens], day[opens]] = at[opens]
        last[line[closes], day[closes]] = at[closes]
    return Days(first, last)


def same_hours(pairs: Pairs, days: Days, others: Days) -> Floats:
    """Nats for days that begin together and end together, against chance at that time of day.

    Days that begin as the line's days always do tell of a habit, and count less.
    """
    total = np.zeros(len(pairs))
    for mine, theirs in ((days.first, others.first), (days.last, others.last)):
        density = _density(theirs)
        usual = _medians(mine)
        unusual = np.where(np.abs(mine - usual[:, None]) > USUAL_S, 1.0, REPEATED)
        once = _first_time(mine)
        weight = np.maximum(unusual, once)
        for day in range(mine.shape[1]):
            a, b = mine[pairs.low, day], mine[pairs.high, day]
            chance = density[np.nan_to_num(b // (DAY_S // BINS)).astype(np.int64)]
            near = np.exp(-np.abs(a - b) / TOGETHER_S) / (2 * TOGETHER_S)
            told = np.log(SWITCHED * near / chance + (1 - SWITCHED))
            counted = np.minimum(weight[pairs.low, day], weight[pairs.high, day])
            total += np.nan_to_num(told * counted)
    return np.clip(total / 2, LEAST_NATS, MOST_NATS)


def _density(times: Floats) -> Floats:
    """Chance per second that an ordinary day begins (or ends) in each part of the day."""
    known = times[~np.isnan(times)]
    counts = np.bincount((known // (DAY_S // BINS)).astype(np.int64), minlength=BINS)[:BINS] + 1.0
    return np.asarray(counts / counts.sum() / (DAY_S / BINS))


def _medians(times: Floats) -> Floats:
    """The usual time of each line; 0 where it has none."""
    ordered = np.sort(times, axis=1)  # NaN last
    known = (~np.isnan(times)).sum(axis=1)
    middle = np.maximum(known - 1, 0) // 2
    return np.asarray(np.nan_to_num(ordered[np.arange(len(times)), middle]))


def _first_time(times: Floats) -> Floats:
    """1 on the first day of each line, when nothing is a habit yet."""
    known = ~np.isnan(times)
    first = known & (np.cumsum(known, axis=1) == 1)
    return np.asarray(first, dtype=np.float64)


def same_days(pairs: Pairs, days: Days, others: Days) -> Floats:
    """Nats for working on the same days of the period, against the share of days each works."""
    active = days.active
    usual = others.active.mean(axis=0) if len(others.first) else np.ones(active.shape[1])
    rate = active.mean(axis=1, keepdims=True) * usual / max(float(usual.mean()), 1e-9)
    rate = np.clip(rate, 0.03, 0.97)
    total = np.zeros(len(pairs))
    for day in range(active.shape[1]):
        a, b = rate[pairs.low, day], rate[pairs.high, day]
        agree = active[pairs.low, day] == active[pairs.high, day]
        chance = a * b + (1 - a) * (1 - b)
        total += np.where(agree, np.log(MATCHED / chance), np.log((1 - MATCHED) / (1 - chance)))
    return np.clip(total, TURNS_NATS, MOST_NATS / 2)


def born_together(pairs: Pairs, traffic: Traffic, others: Traffic) -> Floats:
    """Nats for lines whose first events of the period fall together, hours apart at most.

    Only a line that was surely not there before counts: at its rate of events it would have shown.
    """
    born, sure = _birth(traffic)
    _, known = _birth(others)
    a, b = born[pairs.low], born[pairs.high]
    both = sure[pairs.low] & sure[pairs.high]
    a_day = max(float(known.sum()), 1.0) / max(others.days - 1, 1) / max(others.lines, 1)
    chance = np.clip(a_day, 1e-4, 0.5)
    apart = np.abs(a - b) / DAY_S
    near = np.where(apart < 0.25, 4.0, np.where(apart < 1.0, 1.0, 0.0))  # a quarter day: 4 times
    told = np.log(0.5 * near / chance + 0.5)
    return np.where(both, np.clip(told, -1.0, MOST_NATS / 2), 0.0)


def _birth(traffic: Traffic) -> tuple[Index, Mask]:
    """The first moment of each line, and whether the line surely did not exist before."""
    if not traffic.lines:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
    first = traffic.at[traffic.events.first_row]
    events = np.bincount(traffic.line, minlength=traffic.lines)
    life = np.maximum(traffic.days * DAY_S - first, DAY_S / 4)
    missed = events / life * first
    return first, (missed > QUIET) & (first > DAY_S / 2)
