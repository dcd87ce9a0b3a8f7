"""Offices: where a firm's lines stand, which terminals it bought, what the labels say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import Bools, Floats, Ints, Rng
from simbox.simulation.group import Movement, Room
from simbox.simulation.lookalikes.habits import fresh_seed, sizes
from simbox.simulation.movement import Hours, Switch, desk
from simbox.simulation.numbering import HandsetShop
from simbox.simulation.surroundings import Surroundings


@dataclass(frozen=True)
class Offices:
    """Firms and their lines: which firm each line belongs to, where it sits, when it is open."""

    lines: Ints  # lines a firm
    room: Ints  # firm of each line
    lead: Ints  # the first line of each firm
    cell: Ints  # one a firm
    opens: Floats  # hour of the day, one a firm
    closes: Floats  # hour of the day, above 24 past midnight, one a firm
    days: Bools  # working days, shape (firms, 7)

    def labels(self, kind: str) -> tuple[Room, ...]:
        """The firms as the labels tell them."""
        return labels(kind, self.lines, self.cell)

    def mate(self, rng: Rng, who: Ints) -> tuple[Ints, Ints]:
        """Those who have a colleague, and one of their colleagues."""
        count = self.lines[self.room[who]]
        who, count = who[count > 1], count[count > 1]
        lead = self.lead[self.room[who]]
        step = 1 + (rng.random(len(who)) * (count - 1)).astype(np.int64)
        return who, lead + (who - lead + step) % count


def offices(
    rng: Rng,
    around: Surroundings,
    count: int,
    staff: tuple[float, tuple[int, int]],
    hours: tuple[Floats, Floats, Bools],
) -> Offices:
    """So many firms with a median and bounds of lines; opening and closing hours, working days."""
    lines = sizes(rng, count, *staff)
    room = np.repeat(np.arange(count), lines)
    lead = np.cumsum(lines) - lines
    return Offices(lines, room, lead, around.country.homes(rng, count), *hours)


def labels(kind: str, ports: Ints, *cells: Ints) -> tuple[Room, ...]:
    """Places of one kind as the labels tell them: lines of each, and its cells."""
    each = zip(ports.tolist(), np.stack(cells, axis=1).tolist(), strict=True)
    return tuple(Room(kind, n, tuple(sorted(set(stands)))) for n, stands in each)


def at_work(rng: Rng, around: Surroundings, firms: Offices, taken_home: Bools) -> Movement:
    """Lines at the office; those `taken_home` (one a line) leave with their owners at night."""
    country, room = around.country, firms.room
    office = desk(rng, country, firms.cell[room], fresh_seed(rng))
    flat = country.homes(rng, len(room))
    home = desk(rng, country, flat, fresh_seed(rng))
    late = rng.uniform(-0.7, 0.7, len(room))
    hours = Hours(
        np.where(taken_home, firms.opens[room] + late, 0.0),
        np.where(taken_home, firms.closes[room] + late, 24.0),
        firms.days[room] | ~taken_home[:, None],
        around.weekday,
    )
    return Switch(hours, office, home)


def terminals(rng: Rng, around: Surroundings, firms: Offices, own_phone: Bools) -> Ints:
    """IMEIs: staff's own phones, or a carton of phones or of fixed wireless terminals, or odd ones.

    `own_phone` says it for each firm.
    """
    shop = around.shop
    style = np.where(own_phone, 0, rng.integers(1, 5, len(firms.lines)))
    bought = [STYLES[s](shop, n) for s, n in zip(style.tolist(), firms.lines.tolist(), strict=True)]
    return np.concatenate(bought) if bought else np.zeros(0, dtype=np.int64)


def _fixed_wireless(shop: HandsetShop, count: int) -> Ints:
    return shop.carton(count, module=True)


STYLES: tuple[Callable[[HandsetShop, int], Ints], ...] = (
    HandsetShop.phones,
    HandsetShop.carton,
    _fixed_wireless,
    HandsetShop.modules,
    HandsetShop.simple_phones,
)
