"""Groups of lines that hold together: components of the links, split where they hang on little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Index = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

UNSEEN = -1.5  # nats of a pair that met under no key
LARGEST = 768  # lines of a component that are split in one go; above, weak links fall first
WHOLE = 0.5  # of the pairs of a larger component, linked, from which it is one site
STRONGER = 1.0  # nats by which the bar rises then


@dataclass(frozen=True)
class Links:
    """Pairs of lines with what speaks for one room, in nats, the odds of chance included."""

    low: Index
    high: Index
    nats: Floats

    def where(self, chosen: npt.NDArray[np.bool_] | Index) -> Links:
        """Those that a mask or an index chooses."""
        return Links(self.low[chosen], self.high[chosen], self.nats[chosen])


def communities(links: Links, lines: int) -> Index:
    """The community of each line, numbered from 0 by its lowest line; -1 for a line alone.

    A component of the links above 0 is split by average linkage: two parts stay together as long
    as the mean over all pairs between them is above 0, so one chance link joins nothing.  A
    component that is too large for that first loses its weak links; one that holds together at
    whatever bar is one site.
    """
    found = np.full(lines, -1, dtype=np.int64)
    waiting = [(np.arange(lines), links, 0.0)]
    while waiting:
        members, inside, bar = waiting.pop()
        parts = _components(members, inside, bar)
        for part, held in parts:
            if len(part) <= LARGEST:
                for group in _split(part, held):
                    found[group] = group.min() if len(group) > 1 else -1
            elif _holds(part, held, bar + STRONGER):
                found[part] = part.min()
            else:
                waiting.append((part, held, bar + STRONGER))
    _, numbers = np.unique(np.append(found, -1), return_inverse=True)
    return np.asarray(numbers[:-1] - 1)


def _holds(members: Index, inside: Links, bar: float) -> bool:
    """Whether nearly all pairs of a large component are linked above a bar: a room, no chain."""
    pairs = len(members) * (len(members) - 1) / 2
    return float((inside.nats > bar).sum()) > WHOLE * pairs


def _components(members: Index, links: Links, bar: float) -> list[tuple[Index, Links]]:
    """The components of some lines' links above a bar, with all links inside each."""
    low, high = np.searchsorted(members, links.low), np.searchsorted(members, links.high)
    linked = links.nats > bar
    root = _roots(low[linked], high[linked], len(members))
    by_root = np.argsort(root, kind="stable")
    inside = np.flatnonzero(root[low] == root[high])
    inside = inside[np.argsort(root[low[inside]], kind="stable")]
    label = root[low[inside]]
    found = []
    for name in np.unique(root[low[linked]]).tolist():
        begin, end = np.searchsorted(label, [name, name + 1])
        first, last = np.searchsorted(root, [name, name + 1], sorter=by_root)
        found.append((members[by_root[first:last]], links.where(inside[begin:end])))
    return found


def _roots(low: Index, high: Index, lines: int) -> Index:
    """The lowest line that each line is connected with, by repeated relaxation and doubling."""
    root = np.arange(lines)
    while True:
        lowest = np.minimum(root[low], root[high])
        further = root.copy()
        np.minimum.at(further, root[low], lowest)
        np.minimum.at(further, root[high], lowest)
        further = further[further]
        if np.array_equal(further, root):
            return root
        root = further


def _split(members: Index, inside: Links) -> list[Index]:
    """Average linkage of one component."""
    count = len(members)
    between = np.full((count, count), UNSEEN)
    low, high = np.searchsorted(members, inside.low), np.searchsorted(members, inside.high)
    between[low, high] = between[high, low] = inside.nats
    size = np.ones(count)
    alive = np.ones(count, dtype=bool)
    parts = [[n] for n in range(count)]
    mean = between.copy()  # mean nats between clusters; rows of dead ones are -inf
    np.fill_diagonal(mean, -np.inf)
    for _ in range(count - 1):
        a, b = divmod(int(np.argmax(mean)), count)
        if mean[a, b] <= 0:
            break
        joined = (mean[a] * size[a] + mean[b] * size[b]) / (size[a] + size[b])
        mean[a], mean[:, a] = joined, joined
        mean[a, a] = -np.inf
        mean[b], mean[:, b] = -np.inf, -np.inf
        size[a] += size[b]
        alive[b] = False
        parts[a] += parts[b]
    return [members[np.sort(parts[n])] for n in np.flatnonzero(alive)]
