"""The hours of a day: curves of activity, and moments drawn from them."""

from __future__ import annotations

import numpy as np

from simbox.identifiers import mix
from simbox.simulation.attempts import DAY_S, HOUR_S, Floats, Ints, Rng

GOLDEN = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio, as splitmix64 steps

#: Calls an hour of ordinary people, on a working day, a Saturday, a Sunday; any unit.
PEOPLE_HOURS: Floats = np.array(
    [
        [5, 3, 2, 1, 2, 6, 18, 46, 72, 85, 92, 95, 90, 78, 80, 86, 92, 99, 98, 97, 88, 60, 32, 13],
        [9, 5, 3, 2, 2, 4, 10, 26, 50, 74, 88, 92, 86, 76, 74, 76, 80, 84, 86, 84, 78, 62, 42, 22],
        [11, 7, 4, 2, 2, 3, 8, 18, 38, 62, 78, 84, 80, 70, 68, 70, 74, 78, 84, 86, 78, 58, 34, 15],
    ],
    dtype=np.float64,
)  # fmt: skip


def open_hours(opens: float, closes: float) -> Floats:
    """A curve that is 1 from one hour of the day to another (fractions count), else 0."""
    hour = np.arange(24)
    return np.asarray(np.clip(np.minimum(closes, hour + 1) - np.maximum(opens, hour), 0, 1))


def moments(rng: Rng, curve: Floats, count: int, day: int) -> Floats:
    """Moments of a day drawn from one curve of 24 hours, in no order."""
    share = np.concatenate([[0.0], np.cumsum(curve) / curve.sum()])
    of_day = np.interp(rng.random(count), share, np.arange(25) * float(HOUR_S))
    return np.asarray(day * DAY_S + of_day)


def moments_each(rng: Rng, curves: Floats, who: Ints, day: int) -> Floats:
    """Moments of a day, each from the curve (row of 24 hours) that `who` names."""
    share = np.cumsum(curves, axis=1)
    share /= share[:, -1:]
    drawn = rng.random(len(who))
    hour = np.zeros(len(who), dtype=np.int64)
    for column in range(23):
        hour += drawn > share[who, column]
    below = np.where(hour > 0, share[who, hour - 1], 0.0)
    width = np.maximum(share[who, hour] - below, 1e-12)
    return np.asarray(day * DAY_S + (hour + (drawn - below) / width) * HOUR_S)


def hashed(seed: int, *parts: Ints) -> Floats:
    """Lasting chance: the same numbers in [0, 1) for the same whole numbers (splitmix64)."""
    mixed = np.uint64(seed * GOLDEN % 2**64)
    total = np.full(np.broadcast_shapes(*(np.shape(p) for p in parts)), mixed, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for part in parts:
            total = mix(total ^ mix(np.asarray(part).astype(np.uint64) + np.uint64(GOLDEN), 1), 1)
    return np.asarray((total >> np.uint64(11)).astype(np.float64) / 2**53)
