"""Gateways in people's flats: phones on an audio cable, and boxes on residents' fixed lines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simbox.simulation.attempts import DAY_S, HOUR_S, MINUTE_S, Floats, Ints, Rng
from simbox.simulation.gateways.gang import as_group, assemble, gather
from simbox.simulation.gateways.hours import eight_hours, office_hours
from simbox.simulation.gateways.ports import Tenures, all_tenures
from simbox.simulation.gateways.seating import Recipe, Seating, seat
from simbox.simulation.gateways.standing import flaps, one, room_cells, some_scam
from simbox.simulation.gateways.strategy import habits
from simbox.simulation.group import Always, Group
from simbox.simulation.surroundings import Surroundings

NOWHERE = -1  # cell and handset of a fixed line


def build_audio_cable(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """One to four smartphones, each on a cable to another phone that brings the speech."""
    scam = some_scam(rng, count, 0.95)
    recipes = []
    for _ in range(count):
        ports = int(rng.choice([1, 2, 3, 4], p=[0.25, 0.35, 0.2, 0.2]))
        turns = rng.random() < 0.4
        recipes.append(
            Recipe(
                cells=room_cells(rng, around, ports),
                sessions=office_hours(rng, around),
                slots=ports + int(rng.integers(1, ports + 2)) if turns else ports,
                every_s=one(rng, 40, 400) * MINUTE_S if turns else float("inf"),
                order="chance" if turns else "fixed",
                sources=("phones",),
                life_s=one(rng, 1, 20) * DAY_S / 3,
                rests=rng.uniform(0, 0.1),
                flap=flaps(rng),
                stray=rng.uniform(0, 0.05),
                lent=rng.uniform(0.1, 0.7),
                together_s=one(rng, 60, 3600),
                always_on=bool(rng.random() < 0.6),
            )
        )
    seats = [seat(rng, recipe, around) for recipe in recipes]
    manners = habits(rng, recipes, scam, (0.35, 1.0), (0.0, 0.35))
    return gather("gateway/audio_cable", manners, seats, around, first)


@dataclass(frozen=True)
class NoRadio:
    """Fixed lines: no cell, no handset identity."""

    def cells(self, member: Ints, start: Floats) -> Ints:
        """-1."""
        del start
        return np.full(len(member), NOWHERE)

    def imeis(self, member: Ints, start: Floats) -> Ints:
        """-1."""
        del start
        return np.full(len(member), NOWHERE)


def _residents(rng: Rng, made: Seating, days: int) -> Seating:
    """The lines' other hours: on some the residents go on telephoning, the rest lay unused."""
    lived = rng.random(made.cards) < rng.uniform(0.2, 1)
    order = np.lexsort((made.tenures.begins, made.tenures.sim))
    stays = replace(made.tenures, port=made.tenures.sim).where(order)  # a line has its port
    first = np.append(True, stays.sim[1:] != stays.sim[:-1])
    last = np.append(first[1:], True)
    before = replace(
        stays, begins=np.where(first, 0.0, np.append(0.0, stays.ends[:-1])), ends=stays.begins
    )
    after = replace(stays, begins=stays.ends, ends=np.full(len(stays), days * float(DAY_S)))
    other = all_tenures([before, after.where(last)])
    other = _unworked(other.where(lived[other.sim] & (other.ends - other.begins > HOUR_S / 4)))
    return replace(made, tenures=all_tenures([stays, other]))


def _unworked(stays: Tenures) -> Tenures:
    count = len(stays)
    return replace(stays, works=np.zeros(count, dtype=bool), life=np.ones(count, dtype=bool))


def build_fxo(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Boxes on two to eight fixed lines of residents or of one rented room."""
    scam = some_scam(rng, count, 0.9)
    recipes, seats = [], []
    for _ in range(count):
        ports = int(rng.choice([2, 3, 4, 5, 6, 8], p=[0.15, 0.1, 0.4, 0.1, 0.1, 0.15]))
        hours = eight_hours if rng.random() < 0.6 else office_hours
        recipe = Recipe(
            cells=np.full(ports, NOWHERE),
            sessions=hours(rng, around),
            slots=ports,
            life_s=10_000.0 * DAY_S,
            rests=rng.uniform(0, 0.1),
            lent=0.0,
            together_s=one(rng, 10, 900),
        )
        recipes.append(recipe)
        seats.append(_residents(rng, seat(rng, recipe, around), around.days))
    manners = habits(rng, recipes, scam, (0.0, 0.7), (0.0, 0.0))
    gang = replace(assemble(manners, seats, around, first), fixed=True)
    group = as_group("gateway/fxo", gang, seats)
    rooms = tuple(replace(room, cells=()) for room in group.rooms)
    return replace(
        group,
        movement=NoRadio(),
        handsets=NoRadio(),
        presence=Always(),
        day=gang.day,
        rooms=rooms,
        fixed=True,
    )
