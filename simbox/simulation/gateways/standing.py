"""Rooms whose cards stay in their ports: the classic box, the cottage in shifts, the burners."""

from __future__ import annotations

import numpy as np

from simbox.simulation.attempts import DAY_S, HOUR_S, Bools, Floats, Ints, Rng
from simbox.simulation.gateways.gang import gather
from simbox.simulation.gateways.hours import all_day, eight_hours, long_days, office_hours
from simbox.simulation.gateways.seating import NO_ROUNDS, Recipe, seat
from simbox.simulation.gateways.stock import BOXES, DISGUISED
from simbox.simulation.gateways.strategy import between, habits
from simbox.simulation.group import Group
from simbox.simulation.surroundings import Surroundings


def one(rng: Rng, low: float, high: float) -> float:
    """One draw, even in the logarithm."""
    return float(between(rng, low, high, 1)[0])


def hours_of(rng: Rng, around: Surroundings, *, scam: bool) -> Floats:
    """Office hours for scam; most of the day or all of it for bypass."""
    if scam:
        return office_hours(rng, around)
    return all_day(rng, around) if rng.random() < 0.65 else long_days(rng, around)


def room_cells(rng: Rng, around: Surroundings, ports: int) -> Ints:
    """Where the ports of one room stand: one sector, at times two of the same mast."""
    home = around.country.homes(rng, 1)
    if rng.random() < 0.25 and ports > 3:
        beside = around.country.beside(home, np.ones(1, dtype=np.int64))
        return np.where(np.arange(ports) < rng.integers(1, ports), home, beside)
    return np.repeat(home, ports)


def flaps(rng: Rng) -> float:
    """How often a port shows another sector: seldom in most rooms, often at a border."""
    return min(0.45, one(rng, 0.002, 0.6))


def some_scam(rng: Rng, count: int, share: float) -> Bools:
    """Which rooms dial lists; the others end calls from abroad."""
    return rng.random(count) < share


def build_classic(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Boxes with a card in each port, in one place, most of the day."""
    scam = some_scam(rng, count, 0.35)
    recipes = []
    for strangers in scam.tolist():
        ports = int(one(rng, 4, 49))
        recipes.append(
            Recipe(
                cells=room_cells(rng, around, ports),
                sessions=hours_of(rng, around, scam=strangers),
                slots=ports,
                life_s=one(rng, 3, 40) * DAY_S,
                rests=rng.uniform(0, 0.15),
                flap=flaps(rng),
                lent=rng.uniform(0, 0.3),
                together_s=one(rng, 20, 1200),
                always_on=bool(rng.random() < 0.5),
            )
        )
    seats = [seat(rng, recipe, around) for recipe in recipes]
    manners = habits(rng, recipes, scam, (0.0, 0.55), (0.0, 0.05))
    return gather("gateway/classic", manners, seats, around, first)


def build_shift(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Rented cottages with several boxes on four uplinks, eight hours a session, silent cards."""
    scam = some_scam(rng, count, 0.85)
    recipes = []
    for _ in range(count):
        ports = int(one(rng, 6, 57))
        recipes.append(
            Recipe(
                cells=room_cells(rng, around, ports),
                sessions=eight_hours(rng, around),
                slots=ports,
                sources=BOXES,
                life_s=one(rng, 2, 20) * 8 * HOUR_S,
                rests=rng.uniform(0.02, 0.2),
                silent=rng.uniform(0, 0.25),
                flap=flaps(rng),
                lent=rng.uniform(0, 0.5),
                together_s=one(rng, 20, 900),
                always_on=bool(rng.random() < 0.25),
            )
        )
    seats = [seat(rng, recipe, around) for recipe in recipes]
    manners = habits(rng, recipes, scam, (0.05, 0.65), (0.0, 0.1))
    return gather("gateway/shift", manners, seats, around, first)


def build_burner(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Cards that are thrown away after some hours or a day or two of work."""
    scam = some_scam(rng, count, 0.8)
    recipes = []
    for strangers in scam.tolist():
        ports = int(one(rng, 2, 13))
        recipes.append(
            Recipe(
                cells=room_cells(rng, around, ports),
                sessions=hours_of(rng, around, scam=strangers),
                slots=ports,
                every_s=NO_ROUNDS,
                imei=("port", "card", "turn")[int(rng.choice(3, p=[0.5, 0.3, 0.2]))],
                sources=BOXES if rng.random() < 0.5 else DISGUISED,
                life_s=(one(rng, 2.5, 16) if strangers else one(rng, 6, 40)) * HOUR_S,
                life_spread=rng.uniform(0.1, 0.7),
                rests=rng.uniform(0, 0.05),
                flap=flaps(rng),
                lent=rng.uniform(0, 0.15),
                together_s=one(rng, 20, 1800),
                always_on=bool(rng.random() < 0.2),
            )
        )
    seats = [seat(rng, recipe, around) for recipe in recipes]
    manners = habits(rng, recipes, scam, (0.0, 0.5), (0.0, 0.1))
    return gather("gateway/burner", manners, seats, around, first)
