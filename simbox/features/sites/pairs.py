"""Pairs of lines that are worth comparing: they meet under a key, never all with all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.features.segments import Index, boundaries

WINDOW = 48  # under a key with many lines, each is paired with so many that follow it
WHOLE = 320  # a key with at most so many lines pairs all of them


@dataclass(frozen=True)
class Pairs:
    """Distinct pairs of lines, the lower index first, in ascending order."""

    low: Index
    high: Index

    def __len__(self) -> int:
        return len(self.low)

    def part(self, begin: int, end: int) -> Pairs:
        """Some of the pairs, for passes of bounded memory."""
        return Pairs(self.low[begin:end], self.high[begin:end])

    def find(self, a: Index, b: Index, lines: int) -> Index:
        """The position of each pair given as two lines; -1 where it is not among these."""
        return self.at(np.minimum(a, b) * lines + np.maximum(a, b), lines)

    def at(self, code: Index, lines: int) -> Index:
        """The position of each pair given as low * lines + high; -1 where it is not among these."""
        if not len(self.low):
            return np.full(len(code), -1, dtype=np.int64)
        own = self.low * lines + self.high
        at = np.minimum(np.searchsorted(own, code), len(own) - 1)
        return np.where(own[at] == code, at, -1)


def codes_of(a: Index, b: Index, lines: int) -> Index:
    """Codes low * lines + high of pairs given as two lines; a line and itself is none."""
    differ = a != b
    low, high = np.minimum(a, b)[differ], np.maximum(a, b)[differ]
    return np.asarray(low * lines + high)


def pairs_of(codes: list[Index], lines: int) -> Pairs:
    """The distinct pairs among several lists of codes low * lines + high."""
    code = distinct_codes(np.concatenate([*codes, np.zeros(0, dtype=np.int64)]))
    low, high = np.divmod(code, max(lines, 1))
    return Pairs(low, high)


def meeting(key: Index, line: Index, order: Index, lines: int) -> Index:
    """Codes of pairs of lines under equal keys.

    Under a key with more than WHOLE lines each is paired with the WINDOW lines that follow it by
    ``order``, so that a dense cell costs as many pairs as it has lines, times a constant.

    Args:
        key: one a row; rows of equal keys meet.
        line: the line of each row.
        order: what brings near each other the lines that may belong together.
        lines: how many lines there are.
    """
    if not len(key):
        return np.zeros(0, dtype=np.int64)
    by = np.lexsort((line, order, key))
    key, line = key[by], line[by]
    starts = np.flatnonzero(boundaries(key))
    sizes = np.diff(starts, append=len(key))
    reach = np.repeat(np.where(sizes > WHOLE, np.minimum(WINDOW, sizes - 1), sizes - 1), sizes)
    left = np.repeat(starts + sizes, sizes) - np.arange(len(key)) - 1  # rows of the key that follow
    reach = np.minimum(reach, left)
    first = np.repeat(np.arange(len(key)), reach)
    step = np.arange(len(first)) - np.repeat(np.cumsum(reach) - reach, reach) + 1
    a, b = line[first], line[first + step]
    return distinct_codes(codes_of(a, b, lines))


def distinct_codes(code: Index) -> Index:
    """Each code once, ascending; by sorting, which is faster than numpy's table of hashes."""
    ordered = np.sort(code)
    return ordered[boundaries(ordered)] if len(ordered) else ordered
