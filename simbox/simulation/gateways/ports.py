"""Which SIM card is in which port when, and what follows: its cell, its handset, its presence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from simbox.simulation.attempts import DAY_S, HOUR_S, Bools, Floats, Ints
from simbox.simulation.clock import hashed
from simbox.simulation.geography import Country
from simbox.simulation.group import Movement
from simbox.simulation.movement import Desk

SPAN_S = 2.0**27  # longer than any world: sorts a whole number first, then a moment
STAY_S = 2 * HOUR_S  # people stay about so long before they go elsewhere
STAYS_HOME = 0.65


@dataclass(frozen=True)
class Tenures:
    """Stays of SIM cards in ports, one array element each.

    A port is a radio (or a fixed line) that carries one call at a time; the phone of a card's
    earlier owner counts as a port of its own.
    """

    sim: Ints
    port: Ints
    begins: Floats  # s since the world's first midnight
    ends: Floats
    cell: Ints
    imei: Ints
    works: Bools  # dials for the gang; else the card lies still
    life: Bools  # an ordinary person's use

    def __len__(self) -> int:
        return len(self.sim)

    def where(self, chosen: Bools | Ints) -> Tenures:
        """Those that a mask or an index chooses."""
        return Tenures(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    def on(self, day: int) -> Tenures:
        """Those of a day, cut to it."""
        begins, ends = (
            np.maximum(self.begins, day * DAY_S),
            np.minimum(self.ends, (day + 1) * DAY_S),
        )
        return replace(self, begins=begins, ends=ends).where(ends > begins)


def all_tenures(parts: Iterable[Tenures]) -> Tenures:
    """The stays of several rooms, one list."""
    given = list(parts)
    return Tenures(
        **{f.name: np.concatenate([getattr(p, f.name) for p in given]) for f in fields(Tenures)}
    )


@dataclass(frozen=True)
class Rack:
    """Movement, handsets and presence of SIM cards by their stays in ports.

    Between two stays a card keeps the place and the handset of the earlier one.
    """

    tenures: Tenures  # by card, then time; every card has one at least
    place: Movement  # of the ports

    @cached_property
    def _by_sim(self) -> Floats:
        return np.asarray(self.tenures.sim * SPAN_S + self.tenures.begins)

    @cached_property
    def _port_order(self) -> Ints:
        return np.lexsort((self.tenures.begins, self.tenures.port))

    @cached_property
    def _by_port(self) -> Floats:
        order = self._port_order
        return np.asarray(self.tenures.port[order] * SPAN_S + self.tenures.begins[order])

    def stay(self, member: Ints, start: Floats) -> Ints:
        """Index of each card's stay at each moment, else of the one before, else of its first."""
        found = np.searchsorted(self._by_sim, member * SPAN_S + start, side="right") - 1
        return np.maximum(found, np.searchsorted(self.tenures.sim, member))

    def in_port(self, port: Ints, start: Floats) -> Ints:
        """Index of the stay in each port at each moment, -1 where no card is in it."""
        found = np.searchsorted(self._by_port, port * SPAN_S + start, side="right") - 1
        stay = self._port_order[np.maximum(found, 0)]
        held = (self.tenures.port[stay] == port) & (start < self.tenures.ends[stay]) & (found >= 0)
        return np.where(held, stay, -1)

    def cells(self, member: Ints, start: Floats) -> Ints:
        """The cell that the port of each card hears."""
        return self.place.cells(self.tenures.port[self.stay(member, start)], start)

    def imeis(self, member: Ints, start: Floats) -> Ints:
        """The handset identity that the card shows."""
        return self.tenures.imei[self.stay(member, start)]

    def reachable(self, member: Ints, start: Floats) -> Bools:
        """Whether the card is in a port with power."""
        stay = self.stay(member, start)
        return (start >= self.tenures.begins[stay]) & (start < self.tenures.ends[stay])


@dataclass(frozen=True)
class Places:
    """Where ports are: those of gangs stand, the phones of earlier owners go about."""

    desk: Desk  # its members are the ports
    life: Bools  # one a port
    country: Country
    seed: int

    def cells(self, member: Ints, start: Floats) -> Ints:
        """The port's cell at a desk; a person's home or a mast near it."""
        drawn = hashed(self.seed, member, (start // STAY_S).astype(np.int64))
        away = np.maximum(drawn - STAYS_HOME, 0) / (1 - STAYS_HOME)
        goes = self.life[member] & (drawn > STAYS_HOME)
        home = self.desk.home[member]
        return np.where(goes, self.country.around(home, away), self.desk.cells(member, start))


def in_order(tenures: Tenures) -> Tenures:
    """By card, then time, as a rack keeps them."""
    return tenures.where(np.lexsort((tenures.begins, tenures.sim)))
