"""Links of lines that are at the same places, more than the crowd there."""

from __future__ import annotations

import numpy as np

from simbox.features.segments import Index
from simbox.features.sites.pairs import Pairs
from simbox.features.sites.traffic import Floats
from simbox.features.sites.whereabouts import KEPT, Whereabouts

STRAY = 0.10  # share of a room's events that any cell around may take
MOST_PLACES = 4.0  # beyond so many, further common places are not independent of the first
MOST_NATS = 9.0
CHUNK = 20_000  # pairs at once: bounded memory


def same_places(pairs: Pairs, where: Whereabouts) -> Floats:
    """Log-likelihood ratio of one line's places under the other's against the crowd's, in nats.

    A line on one cell of 200 says ln 200; one that shares four rare cells, as cards dealt out to
    the ports of a SIM bank do, says more; a cell where everybody is says little.
    """
    if not len(where.crowd):
        return np.zeros(len(pairs))
    told = np.zeros(len(pairs))
    for begin in range(0, len(pairs), CHUNK):
        part = pairs.part(begin, begin + CHUNK)
        both = (_under(part.low, part.high, where) + _under(part.high, part.low, where)) / 2
        told[begin : begin + len(part)] = np.clip(both, -4.0, MOST_NATS)
    return told


def _under(a: Index, b: Index, where: Whereabouts) -> Floats:
    """The places of b told by those of a."""
    place, share = where.place[b], where.share[b]
    other, others_share = where.place[a], where.share[a]
    held = np.zeros(place.shape)
    for column in range(KEPT):
        held += np.where(other[:, [column]] == place, others_share[:, [column]], 0.0)
    crowd = where.crowd[np.maximum(place, 0)]
    ratio = np.log((1 - STRAY) * held / crowd + STRAY)
    told = np.where(place >= 0, share * ratio, 0.0).sum(axis=1)
    return np.asarray(told * np.minimum(where.effective[b], MOST_PLACES))
