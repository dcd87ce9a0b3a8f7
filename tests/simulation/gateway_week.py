"""Rooms of every kind over a week, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from simbox.simulation.attempts import Attempts, Floats, Ints, together
from simbox.simulation.gateways import GATEWAYS
from simbox.simulation.gateways.gang import Gang
from simbox.simulation.geography import build_country
from simbox.simulation.group import Group, Kind
from simbox.simulation.numbering import HandsetShop, Numbering
from simbox.simulation.surroundings import Surroundings

PEOPLE, FIRST, DAYS = 200_000, 250_000, 7
NAMES = tuple(kind.name.split("/")[1] for kind in GATEWAYS)
MOBILE = tuple(name for name in NAMES if name != "fxo")


def kind_of(name: str) -> Kind:
    return next(kind for kind in GATEWAYS if kind.name == f"gateway/{name}")


def around(seed: int = 7, days: int = DAYS) -> Surroundings:
    rng = np.random.default_rng(seed)
    country = build_country(rng, 20_000)
    return Surroundings(days, 0, country, Numbering(), HandsetShop(rng), (0, PEOPLE), seed)


@dataclass(frozen=True)
class Week:
    """A group and its calls and texts of a week."""

    group: Group
    all: Attempts

    @property
    def gang(self) -> Gang:
        return self.group.day.__self__

    @property
    def calls(self) -> Attempts:
        return self.all.where(~self.all.text)

    @property
    def made(self) -> Attempts:
        """Calls that the cards make."""
        return self.calls.where(self.calls.a >= FIRST)

    @property
    def received(self) -> Attempts:
        return self.calls.where(self.calls.b >= FIRST)

    def port(self, member: Ints, start: Floats) -> Ints:
        return self.gang.rack.tenures.port[self.gang.rack.stay(member, start)]

    def dialled(self) -> Attempts:
        """Calls from the gang's ports: not those of earlier owners."""
        made = self.made
        stay = self.gang.rack.stay(made.a - FIRST, made.start)
        return made.where(~self.gang.rack.tenures.life[stay])


@cache
def week(name: str, rooms: int = 14, seed: int = 7, days: int = DAYS) -> Week:
    group = kind_of(name).build(np.random.default_rng(seed), rooms, around(seed, days), FIRST)
    parts = [group.day(np.random.default_rng([seed, day]), day) for day in range(days)]
    return Week(group, together(parts))
