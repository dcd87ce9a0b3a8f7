"""Links of lines that move together: the same cells, in the same order, at the same time."""

from __future__ import annotations

import numpy as np

from simbox.features.segments import Index, boundaries
from simbox.features.sites.pairs import Pairs
from simbox.features.sites.traffic import Floats, Traffic
from simbox.features.sites.whereabouts import Whereabouts

SLOT_S = 1800
CHUNK = 20_000
SAME = 0.85  # share of half hours in which lines that travel together show one place
MOST_NATS = 9.0


def slots_of(traffic: Traffic) -> Index:
    """The place of each line in each half hour (its last event there), -1 where it shows none."""
    rows = np.flatnonzero(traffic.place >= 0)
    slots = np.full((traffic.lines, traffic.days * 86_400 // SLOT_S), -1, dtype=np.int64)
    line, slot = traffic.line[rows], traffic.at[rows] // SLOT_S
    if len(rows):
        last = np.append(boundaries(line, slot)[1:], True)  # rows ascend by line and time
        slots[line[last], slot[last]] = traffic.place[rows[last]]
    return slots


def joint_moves(pairs: Pairs, slots: Index, where: Whereabouts) -> Floats:
    """Nats for being at the same place in the same half hour, beyond using the same places.

    Chance is what the two lines' own shares of places give, so lines that stand still say nothing
    here; lines that went the same way at the same time say much.
    """
    told = np.zeros(len(pairs))
    for begin in range(0, len(pairs), CHUNK):
        part = pairs.part(begin, begin + CHUNK)
        a, b = slots[part.low], slots[part.high]
        both = (a >= 0) & (b >= 0)
        met = (both & (a == b)).sum(axis=1)
        seen = both.sum(axis=1)
        chance = np.clip(_by_chance(part, where), 0.02, 0.98)
        expected = np.maximum(SAME, chance)
        gain = met * np.log(expected / chance)
        gain += (seen - met) * np.log((1 - expected + 0.01) / (1 - chance + 0.01))
        told[begin : begin + len(part)] = np.clip(gain, -3.0, MOST_NATS)
    return told


def _by_chance(pairs: Pairs, where: Whereabouts) -> Floats:
    """How often two lines would be at one place if each went its way by its shares."""
    total = np.zeros(len(pairs))
    place, share = where.place[pairs.low], where.share[pairs.low]
    other, others_share = where.place[pairs.high], where.share[pairs.high]
    for column in range(place.shape[1]):
        same = (other == place[:, [column]]) & (other >= 0)
        total += share[:, column] * np.where(same, others_share, 0.0).sum(axis=1)
    return total
