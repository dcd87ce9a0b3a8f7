"""A group of lines of one kind: who they are, where they stand, what they do on a day.

Whatever a leg needs of a line - its cell, its handset, whether it can be reached - is a function
of the line and the moment, so both ends of a call and any number of output files agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from simbox.simulation.attempts import Attempts, Bools, Floats, Ints, Rng
from simbox.simulation.surroundings import Surroundings

#: What a group does on a day: chance of that day and group, number of the day -> attempts that
#: start on it, with parties as :mod:`simbox.simulation.attempts` writes them.
Day = Callable[[Rng, int], Attempts]

NO_SITE = -1


class Movement(Protocol):
    """Where the members of a group are."""

    def cells(self, member: Ints, start: Floats) -> Ints:
        """The cell (index in the country) of each member (0 and up) at each moment."""


class Handsets(Protocol):
    """Which handset the members' SIMs are in."""

    def imeis(self, member: Ints, start: Floats) -> Ints:
        """The IMEI (15 digits, as a number) of each member at each moment."""


class Presence(Protocol):
    """When the network can reach the members."""

    def reachable(self, member: Ints, start: Floats) -> Bools:
        """Whether each member is switched on and attached at each moment."""


@dataclass(frozen=True)
class Always:
    """Lines that are reachable at any time."""

    def reachable(self, member: Ints, start: Floats) -> Bools:
        """True."""
        del start
        return np.ones(len(member), dtype=bool)


@dataclass(frozen=True)
class Between:
    """Lines that exist from one moment to another: new and dying ones."""

    born: Floats  # s, one a member
    gone: Floats

    def reachable(self, member: Ints, start: Floats) -> Bools:
        """Whether the line is in use."""
        return (start >= self.born[member]) & (start < self.gone[member])


@dataclass(frozen=True)
class OneHandset:
    """A handset a member, for good."""

    imei: Ints

    def imeis(self, member: Ints, start: Floats) -> Ints:
        """The member's handset."""
        del start
        return self.imei[member]


@dataclass(frozen=True)
class Room:
    """One gang's or firm's place, as the labels tell it."""

    kind: str  # the group's kind
    ports: int  # most calls that it can hold at once
    cells: tuple[int, ...]  # where its lines stand, by index in the country
    shifts: tuple[tuple[float, float], ...] = ()  # s: from when to when it works


@dataclass(frozen=True)
class Group:
    """Lines of one kind, the first of which has index `first` in the world."""

    kind: str  # 'ordinary/person', 'lookalike/courier', 'gateway/classic' ...
    first: int
    size: int
    movement: Movement
    handsets: Handsets
    day: Day
    batch: Ints  # members with equal values bought their SIM cards together, in one block
    presence: Presence = Always()
    room: Ints | None = None  # index into rooms a member, NO_SITE for none
    rooms: tuple[Room, ...] = ()
    fixed: bool = False  # fixed lines have neither cell nor SIM nor handset
    kinds: Ints | None = None  # index into `names` a member, for groups of several kinds
    names: tuple[str, ...] = ()
    radio: Ints | None = None
    """The member whose radio each member uses: lines of one dual-SIM phone never talk at once."""


@dataclass(frozen=True)
class Kind:
    """A kind of subscriber that a world can have."""

    name: str  # 'group/name', as in the labels
    doc: str
    unit: Literal["lines", "rooms"]  # what is counted
    share: float  # how many of them there are for 100,000 ordinary people, unless told
    build: Callable[[Rng, int, Surroundings, int], Group]
    """Chance, how many units, the surroundings, and the index of the group's first line."""
