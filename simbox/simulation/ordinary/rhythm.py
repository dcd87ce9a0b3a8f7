"""Moments of a day, drawn quickly for millions of calls from a few curves."""

from __future__ import annotations

import numpy as np

from simbox.simulation.attempts import DAY_S, HOUR_S, Floats, Ints, Rng
from simbox.simulation.clock import PEOPLE_HOURS

STEPS = 1024
PEOPLE, EVENING, OFFICE = range(3)  # curves

#: Multiplies people's hours: families call when they come home, colleagues while they work.
LATE = np.array([1.0] * 6 + [0.8, 0.9, 0.7, 0.6, 0.6, 0.8, 1.2, 0.9, 0.6, 0.6, 0.8, 1.4, 1.8])
LATE = np.concatenate([LATE, [2.0, 2.1, 2.2, 2.0, 1.4]])
BUSY = np.array([0.1] * 6 + [0.3, 0.7, 1.4, 1.8, 1.8, 1.6, 0.9, 0.9, 1.5, 1.6, 1.5, 1.2, 0.6])
BUSY = np.concatenate([BUSY, [0.4, 0.3, 0.2, 0.15, 0.1]])


def _quantiles(curve: Floats) -> Floats:
    share = np.concatenate([[0.0], np.cumsum(curve) / curve.sum()])
    return np.asarray(np.interp(np.linspace(0, 1, STEPS + 1), share, np.arange(25.0) * HOUR_S))


#: Seconds of the day by quantile, shape (working day / Saturday / Sunday, curve, STEPS + 1).
QUANTILES: Floats = np.array(
    [[_quantiles(hours * factor) for factor in (np.ones(24), LATE, BUSY)] for hours in PEOPLE_HOURS]
)


def moments(rng: Rng, weekend: int, curve: Ints | int, shift: Floats, day: int) -> Floats:
    """A moment of a day for each caller.

    Args:
        rng: the source of chance.
        weekend: 0 on working days, 1 on Saturday, 2 on Sunday.
        curve: which curve each follows.
        shift: hours by which each one's day is later; who is up all night wraps around.
        day: number of the day.
    """
    at = rng.random(len(shift)) * STEPS
    step = at.astype(np.int64)
    table = QUANTILES[weekend]
    low = table[curve, step]
    second = low + (table[curve, step + 1] - low) * (at - step)
    return np.asarray(day * DAY_S + (second + shift * HOUR_S) % DAY_S)
