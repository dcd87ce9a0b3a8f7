"""What a group that is being built may know of the world around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import Ints, Rng
from simbox.simulation.geography import Country
from simbox.simulation.numbering import HandsetShop, Numbering


@dataclass(frozen=True)
class Surroundings:
    """The country, its calendar, its people and its numbers."""

    days: int
    weekday: int  # of day 0, Monday is 0
    country: Country
    numbering: Numbering
    shop: HandsetShop
    people: tuple[int, int]  # indices of the ordinary people's lines: first, and one past the last
    seed: int  # of the group's own lasting chance (hashed draws)

    def strangers(self, rng: Rng, count: int, own: float = 0.6) -> Ints:
        """Parties that nobody knows: a share of own people's lines, else numbers elsewhere."""
        first, end = self.people
        inside = rng.integers(first, max(end, first + 1), count)
        elsewhere = self.numbering.elsewhere(rng, count)
        return np.where((rng.random(count) < own) & (end > first), inside, elsewhere)

    def weekend(self, day: int) -> int:
        """0 on working days, 1 on Saturday, 2 on Sunday."""
        return max((self.weekday + day) % 7 - 4, 0)
