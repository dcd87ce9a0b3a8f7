"""Boxes in cars: all lines drive from mast to mast together, stop, and park."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simbox.simulation.attempts import DAY_S, MINUTE_S, Floats, Ints, Rng
from simbox.simulation.clock import hashed
from simbox.simulation.gateways.gang import as_group, assemble
from simbox.simulation.gateways.hours import short_trips
from simbox.simulation.gateways.ports import SPAN_S, Rack
from simbox.simulation.gateways.seating import Recipe, seat
from simbox.simulation.gateways.standing import flaps, one, some_scam
from simbox.simulation.gateways.strategy import habits
from simbox.simulation.geography import SECTORS, Country
from simbox.simulation.group import Group
from simbox.simulation.surroundings import Surroundings

AHEAD = 4  # roads lead to one of so many nearest masts
EDGE = 0.15  # chance in a minute that a radio of the car hears the sector beside


@dataclass(frozen=True)
class Trips:
    """Where each car is from when on, by car, then time."""

    car: Ints
    begins: Floats
    cell: Ints


@dataclass(frozen=True)
class Road:
    """Movement of cards in cars; those in earlier owners' phones move as their rack says."""

    rack: Rack
    trips: Trips
    port_room: Ints
    country: Country
    seed: int

    def cells(self, member: Ints, start: Floats) -> Ints:
        """The cell that the car drives through, at times a sector beside it."""
        stay = self.rack.stay(member, start)
        port = self.rack.tenures.port[stay]
        key = self.trips.car * SPAN_S + self.trips.begins
        at = np.searchsorted(key, self.port_room[port] * SPAN_S + start, side="right") - 1
        cell = self.trips.cell[at]
        edge = hashed(self.seed + 7, port, (start // MINUTE_S).astype(np.int64))
        beside = self.country.beside(cell, 1 + (edge * 999).astype(np.int64) % 2)
        rides = np.where(edge < EDGE, beside, cell)
        lives = self.rack.cells(member, start)
        return np.where(self.rack.tenures.life[stay], lives, rides)


def _driven(rng: Rng, recipe: Recipe, country: Country, car: int) -> Trips:
    """One car's way: through each session from where it parks, and back there for the night."""
    depot = int(recipe.cells[0])
    stops = rng.uniform(0.03, 0.3)  # chance to halt at a mast
    pace = rng.uniform(2, 7) * MINUTE_S
    begins, cells = [0.0], [depot]
    for opens, closes in recipe.sessions.tolist():
        now, mast = opens, depot // SECTORS
        while now < closes:
            halts = rng.random() < stops
            stay = rng.uniform(8, 75) * MINUTE_S if halts else pace * rng.uniform(0.5, 1.8)
            begins.append(now)
            cells.append(mast * SECTORS + int(rng.integers(SECTORS)))
            now += stay
            mast = int(country.near[mast, int(rng.random() ** 1.5 * AHEAD)])
        begins.append(closes)
        cells.append(depot)
    return Trips(np.full(len(begins), car), np.array(begins), np.array(cells))


def _recipes(rng: Rng, count: int, around: Surroundings) -> list[Recipe]:
    found = []
    for _ in range(count):
        ports = int(one(rng, 4, 33))
        turns = rng.random() < 0.3
        found.append(
            Recipe(
                cells=np.repeat(around.country.homes(rng, 1), ports),
                sessions=short_trips(rng, around),
                slots=int(ports * rng.uniform(1.5, 3)) if turns else ports,
                every_s=one(rng, 15, 120) * MINUTE_S if turns else float("inf"),
                order="robin" if turns else "fixed",
                life_s=one(rng, 1, 12) * DAY_S / 3,
                rests=rng.uniform(0, 0.15),
                flap=flaps(rng),
                lent=rng.uniform(0, 0.25),
                together_s=one(rng, 20, 600),
            )
        )
    return found


def _with_ways(trips: Sequence[Trips], group: Group, movement: Road) -> Group:
    """The group on its roads: each room's cells are those of its way."""
    ways = [tuple(np.unique(way.cell).tolist()) for way in trips]
    rooms = tuple(replace(r, cells=w) for r, w in zip(group.rooms, ways, strict=True))
    return replace(group, movement=movement, rooms=rooms)


def build_vehicle(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Cars with boxes that dial while they drive about and halt."""
    scam = some_scam(rng, count, 0.9)
    recipes = _recipes(rng, count, around)
    seats = [seat(rng, recipe, around) for recipe in recipes]
    manners = habits(rng, recipes, scam, (0.0, 0.6), (0.0, 0.1))
    gang = assemble(manners, seats, around, first)
    trips = [_driven(rng, r, around.country, car) for car, r in enumerate(recipes)]
    way = Trips(
        np.concatenate([t.car for t in trips]),
        np.concatenate([t.begins for t in trips]),
        np.concatenate([t.cell for t in trips]),
    )
    road = Road(gang.rack, way, gang.port_room, around.country, around.seed)
    return _with_ways(trips, as_group("gateway/vehicle", gang, seats), road)
