"""Where each line is, as shares of its events, against where people are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.features.segments import Index, group
from simbox.features.sites.traffic import Floats, Traffic
from simbox.identifiers import Ids

KEPT = 8  # most used places of a line that are compared


@dataclass(frozen=True)
class Whereabouts:
    """The most used places of each line, most used first; absent ones have place -1, share 0."""

    place: Index  # [lines, KEPT] index into `places`
    share: Floats  # [lines, KEPT] of the line's events that have a place
    crowd: Floats  # [places] share of ordinary life that goes on at each place
    places: Ids

    @property
    def effective(self) -> Floats:
        """How many places a line has, as exp of the entropy of its shares; 0 for none."""
        share = self.share
        spread = -np.where(share > 0, share * np.log(np.maximum(share, 1e-12)), 0.0).sum(axis=1)
        return np.where(share[:, 0] > 0, np.exp(spread), 0.0)


def whereabouts(members: Traffic, others: Traffic) -> Whereabouts:
    """The places of the members; the others tell how crowded each place is."""
    line, place, count = _counts(members)
    total = np.bincount(line, weights=count, minlength=members.lines)
    order = np.lexsort((place, -count, line))
    line, place, count = line[order], place[order], count[order]
    rank = np.arange(len(line)) - np.searchsorted(line, line)
    kept = rank < KEPT
    places = np.full((members.lines, KEPT), -1, dtype=np.int64)
    shares = np.zeros((members.lines, KEPT))
    places[line[kept], rank[kept]] = place[kept]
    shares[line[kept], rank[kept]] = count[kept] / total[line[kept]]
    return Whereabouts(places, shares, _crowd(members, others), members.places)


def _counts(traffic: Traffic) -> tuple[Index, Index, Index]:
    """Line, place and events there, for each line and place."""
    rows = np.flatnonzero(traffic.place >= 0)
    line, place = traffic.line[rows], traffic.place[rows]
    held = group(line, place)
    return line[held.first], place[held.first], held.sizes


def _crowd(members: Traffic, others: Traffic) -> Floats:
    """Share of life at each of the members' places: each other line counts alike."""
    if not len(members.places):
        return np.zeros(0)
    line, place, count = _counts(others)
    total = np.bincount(line, weights=count, minlength=max(others.lines, 1))
    ids = others.places[place] if len(place) else others.places[:0]
    at = np.minimum(np.searchsorted(members.places, ids), len(members.places) - 1)
    known = members.places[at] == ids
    weight = np.bincount(
        at[known], weights=(count / total[line])[known], minlength=len(members.places)
    )
    lines = max(int((total > 0).sum()), 1)
    return np.asarray((weight + 0.5) / (lines + 0.5 * len(members.places)))
