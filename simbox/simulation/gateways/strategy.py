"""How far rooms go in each direction of evasion, and the manners that follow.

The directions are those of Kouam, Viana, Tchana, "Battle of Wits" (AsiaCCS 2024): traffic,
mobility (here: the seating of each kind), social; every room stands somewhere between naive (0)
and advanced (1) in each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simbox.simulation.attempts import DAY_S, Bools, Floats, Rng
from simbox.simulation.gateways.gang import Habits
from simbox.simulation.gateways.seating import Recipe
from simbox.simulation.gateways.social import Company
from simbox.simulation.gateways.targets import Lists
from simbox.simulation.gateways.traffic import Pace

LEAST_QUOTA = 4.0


def between(rng: Rng, low: float, high: float, count: int) -> Floats:
    """So many draws, even in the logarithm."""
    return np.exp(rng.uniform(np.log(low), np.log(high), count))


def habits(
    rng: Rng,
    recipes: Sequence[Recipe],
    scam: Bools,
    traffic: tuple[float, float],
    social: tuple[float, float],
) -> Habits:
    """Manners of rooms.

    Args:
        rng: the source of chance.
        recipes: what each room has.
        scam: whether a room dials lists of strangers; else it ends calls from abroad.
        traffic: from where to where the rooms hide their traffic, 0 to 1.
        social: from where to where they imitate company, 0 to 1.
    """
    count = len(recipes)
    hidden = rng.uniform(*traffic, count)
    powered = np.array([_powered_s(recipe) for recipe in recipes])
    ports = np.array([recipe.ports for recipe in recipes], dtype=np.float64)
    pace = _pace(rng, scam, hidden, powered)
    lists = _lists(rng, scam, ports)
    return Habits(pace, lists, _company(rng, scam, rng.uniform(*social, count)))


def _powered_s(recipe: Recipe) -> float:
    """Seconds a day that a card spends in ports with power."""
    length = recipe.sessions[:, 1] - recipe.sessions[:, 0]
    days = len(np.unique(recipe.sessions[:, 0] // DAY_S))
    per_day = min(float(length.sum()) / days, DAY_S)
    return per_day * min(1.0, recipe.ports / recipe.slots)


def _pace(rng: Rng, scam: Bools, hidden: Floats, powered: Floats) -> Pace:
    count = len(scam)
    quota = np.exp(np.interp(hidden, [0, 1], np.log([150, 14])) + rng.normal(0, 0.45, count))
    quota = np.maximum(quota, LEAST_QUOTA)
    quick = np.exp(np.interp(hidden, [0, 1], np.log([14, 200])) + rng.normal(0, 0.7, count))
    calm = np.maximum(powered / quota * rng.uniform(0.35, 0.9, count), 10)
    spreads = rng.random(count) < 0.2 + 0.65 * hidden
    spread = np.interp(hidden, [0, 1], [0.4, 1.1]) * np.exp(rng.normal(0, 0.25, count))
    return Pace(
        scam=scam,
        curve=np.where(scam[:, None], _office(rng, count), _abroad(rng, count)),
        gap_s=np.where(spreads, calm * np.exp(-(spread**2) / 2), quick),
        gap_spread=spread,
        answer=np.where(scam, rng.uniform(0.2, 0.6, count), rng.uniform(0.45, 0.8, count)),
        talk_s=np.where(scam, between(rng, 22, 90, count), between(rng, 50, 240, count)),
        talk_spread=np.where(scam, rng.uniform(0.7, 1.1, count), rng.uniform(0.9, 1.3, count)),
        hangs_up=rng.uniform(0.35, 0.75, count),
        held=between(rng, 0.003, 0.04, count),
        quota=quota,
        quota_spread=rng.uniform(0, 0.6, count),
        uneven=rng.uniform(0, 2, count) * (rng.random(count) < 0.4),
        seed=int(rng.integers(2**31)),
    )


def _office(rng: Rng, count: int) -> Floats:
    """Demand of a list by the hour: the staff's zeal comes and goes. Shape (rooms, 24)."""
    zeal = np.exp(rng.normal(0, 1, (count, 24)) * rng.uniform(0.02, 0.35, (count, 1)))
    return np.asarray(zeal / zeal.max(axis=1, keepdims=True))


def _abroad(rng: Rng, count: int) -> Floats:
    """Demand of people abroad by the hour here: after their work and on their breaks."""
    hour = np.arange(24)[None, :]
    curve = np.repeat(rng.uniform(0.02, 0.2, (count, 1)), 24, axis=1)
    for low, high, weight in ((15.0, 24.0, (1.0, 1.0)), (6.0, 15.0, (0.1, 0.9))):
        peak = rng.uniform(low, high, (count, 1))
        width = rng.uniform(2, 5, (count, 1))
        away = np.abs((hour + 0.5 - peak + 12) % 24 - 12)
        curve = curve + rng.uniform(*weight, (count, 1)) * np.exp(-((away / width) ** 2) / 2)
    return np.asarray(curve / curve.max(axis=1, keepdims=True))


def _lists(rng: Rng, scam: Bools, ports: Floats) -> Lists:
    count = len(scam)
    return Lists(
        scam=scam.astype(np.int64),
        order=rng.choice(3, count, p=[0.5, 0.25, 0.25]),
        own=np.where(scam, rng.uniform(0.2, 0.8, count), rng.uniform(0.6, 0.98, count)),
        again=np.where(scam, rng.uniform(0, 0.12, count), rng.uniform(0.04, 0.25, count)),
        circle=ports * between(rng, 60, 900, count),
        steep=rng.uniform(1.2, 3.5, count),
        dead=np.where(scam, rng.uniform(0.0, 0.14, count), rng.uniform(0, 0.03, count)),
    )


def _company(rng: Rng, scam: Bools, warm: Floats) -> Company:
    count = len(scam)

    def some(low: float, high: float) -> Floats:
        """A rate in the rooms that do it at all: the warmer, the more of them."""
        return np.where(rng.random(count) < 1.4 * warm, between(rng, low, high, count), 0.0)

    return Company(
        mutual=some(0.4, 5),
        mutual_s=between(rng, 15, 150, count),
        mutual_spread=rng.uniform(0.1, 0.9, count),
        outside=some(0.2, 4),
        texting=some(0.3, 6),
        family=np.minimum(some(0.05, 0.5), 0.5),
        family_size=rng.integers(2, 9, count),
        sleeps=rng.random(count) < 0.2 + 0.7 * warm,
        notices=between(rng, 0.15, 2, count),
        codes=between(rng, 0.03, 0.6, count),
        rings_back=between(rng, 0.004, 0.06, count),
        callback=np.where(scam, between(rng, 0.01, 0.1, count), between(rng, 0.03, 0.25, count)),
        returned=np.where(rng.random(count) < 0.1 + 0.5 * warm, rng.uniform(0.05, 0.6, count), 0.0),
    )
