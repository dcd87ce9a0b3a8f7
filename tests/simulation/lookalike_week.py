"""A week of look-alikes in a small country, as the tests want it: every kind built on its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from simbox.simulation.attempts import CLEARED, Attempts, Bools, Floats, Ints, together
from simbox.simulation.geography import build_country
from simbox.simulation.group import Group, Kind
from simbox.simulation.lookalikes import LOOKALIKES
from simbox.simulation.numbering import HandsetShop, Numbering
from simbox.simulation.surroundings import Surroundings

PEOPLE, DAYS = 200_000, 7
KINDS = {kind.name.removeprefix("lookalike/"): kind for kind in LOOKALIKES}


@dataclass(frozen=True)
class Week:
    """A group, its attempts of a week, and what the tests ask of them."""

    group: Group
    done: Attempts
    around: Surroundings

    def of(self, name: str) -> Ints:
        """Members of one of the group's kinds."""
        if self.group.kinds is None:
            return np.arange(self.group.size)
        return np.flatnonzero(self.group.kinds == self.group.names.index(f"lookalike/{name}"))

    def is_own(self, party: Ints) -> Bools:
        return (party >= self.group.first) & (party < self.group.first + self.group.size)

    def side(self, *, outgoing: bool, text: bool = False) -> tuple[Attempts, Ints]:
        """Calls (or texts) that members make or get, and the member behind each."""
        mine = self.done.a if outgoing else self.done.b
        chosen = self.done.where(self.is_own(mine) & (self.done.text == text))
        return chosen, (chosen.a if outgoing else chosen.b) - self.group.first

    def count(self, *, outgoing: bool, text: bool = False) -> Ints:
        return np.bincount(self.side(outgoing=outgoing, text=text)[1], minlength=self.group.size)

    def distinct(self) -> Ints:
        """Numbers that each member called."""
        out, member = self.side(outgoing=True)
        pairs = np.unique(np.stack([member, out.b]), axis=1)
        return np.bincount(pairs[0], minlength=self.group.size)

    def cells_a_day(self, day: int) -> Ints:
        """Different cells each member called from on a day."""
        out, member = self.side(outgoing=True)
        today = (out.start // 86_400) == day
        cell = self.group.movement.cells(member[today], out.start[today])
        pairs = np.unique(np.stack([member[today], cell]), axis=1)
        return np.bincount(pairs[0], minlength=self.group.size)

    def share(self, chosen: Bools, member: Ints) -> Floats:
        """Share of each member's attempts that are chosen; not a number for those without."""
        all_of = np.bincount(member, minlength=self.group.size)
        with np.errstate(invalid="ignore"):
            return np.bincount(member, chosen, minlength=self.group.size) / all_of


def surroundings(seed: int = 1, days: int = DAYS, people: int = PEOPLE) -> Surroundings:
    rng = np.random.default_rng(seed)
    country = build_country(rng, max(people, 1000))
    return Surroundings(days, 0, country, Numbering(), HandsetShop(rng), (0, people), seed)


def build(kind: Kind, count: int, around: Surroundings, seed: int = 5) -> Group:
    return kind.build(np.random.default_rng(seed), count, around, around.people[1])


@cache
def week(name: str) -> Week:
    """The week of the kind with the units that it has by default."""
    around, kind = surroundings(), KINDS[name]
    group = build(kind, round(kind.share * PEOPLE / 100_000), around)
    days = (group.day(np.random.default_rng(100 + day), day) for day in range(DAYS))
    return Week(group, together(days), around)


def answered(of: Attempts) -> Bools:
    return np.asarray(of.cause == CLEARED)
