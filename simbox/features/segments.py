"""Grouping and segment arithmetic on sorted arrays: the few kernels that every view is made of.

A packed sort carries the row number in the low bits of the key, so one in-place sort of 64-bit
integers gives the order and the groups at once.  Sums are sums of integers, so they do not depend
on the order of their terms; logarithms are taken as fixed point (:data:`LOG_ONE`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MIN_HASH_BITS = 12  # a shorter hash would meet too often
LOG_SHIFT = 20
LOG_ONE = 1 << LOG_SHIFT  # fixed point of n log2 n terms: 2^-20 bit
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F)


@dataclass(frozen=True)
class Groups:
    """Rows of equal keys brought together.

    ``order`` lists the rows group by group, in their original order inside a group; ``starts``
    has the first position of each group in ``order``.
    """

    order: Index
    starts: Index

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def sizes(self) -> Index:
        return np.diff(self.starts, append=len(self.order))

    @property
    def first(self) -> Index:
        """The first row of each group."""
        return self.order[self.starts]

    def numbers(self) -> Index:
        """The number of the group at each position of ``order``."""
        return np.repeat(np.arange(len(self.starts)), self.sizes)


def row_bits(rows: int) -> int:
    """Bits that number so many rows."""
    return max(1, (rows - 1).bit_length())


def boundaries(*sorted_keys: Array) -> Mask:
    """True where a row's keys differ from the row before; the first row always does."""
    change = np.ones(len(sorted_keys[0]), dtype=bool)
    if len(change) > 1:
        np.not_equal(sorted_keys[0][1:], sorted_keys[0][:-1], out=change[1:])
        for key in sorted_keys[1:]:
            change[1:] |= key[1:] != key[:-1]
    return change


def group(*keys: Array) -> Groups:
    """Bring rows of equal keys together; the order of the groups means nothing.

    Sorts a hash of the keys with the row number below it, then checks that no two different keys
    met in the hash; on a meeting the next hash is tried, and at last a plain lexicographic sort.
    """
    rows = len(keys[0])
    if rows == 0:
        return Groups(np.zeros(0, np.int64), np.zeros(0, np.int64))
    bits = row_bits(rows)
    for multiplier in _MULTIPLIERS:
        order, hashes = sort_numbered(_hash(keys, multiplier) >> np.uint64(bits), bits)
        by_hash = boundaries(hashes)
        if not (boundaries(*(key[order] for key in keys)) & ~by_hash).any():
            return Groups(order, np.flatnonzero(by_hash))
    order = np.lexsort(keys[::-1])
    return Groups(order, np.flatnonzero(boundaries(*(key[order] for key in keys))))


def group_within(segment: Array, key: Array) -> Groups:
    """Bring rows of equal keys together inside each segment; segments ascend, and stay in order.

    The key is hashed below the segment, so whatever is gathered by the order afterwards comes from
    one segment's rows, which are near each other in memory.  Different keys that meet in the short
    hash are told apart by sorting just those rows.
    """
    rows = len(segment)
    bits = row_bits(rows)
    segment_bits = max(1, int(segment[-1]).bit_length()) if rows else 1
    hash_bits = 64 - bits - segment_bits
    if hash_bits < MIN_HASH_BITS or rows == 0:
        return group(segment, key)
    key = key.astype(np.uint64, copy=False)
    packed = _hash((key,), _MULTIPLIERS[0])
    packed >>= np.uint64(64 - hash_bits)
    packed |= segment.astype(np.uint64) << np.uint64(hash_bits)
    order, packed = sort_numbered(packed, bits)
    opens = boundaries(packed)
    sorted_key = key.take(order, mode="clip")
    met = boundaries(sorted_key) & ~opens
    if met.any():
        at, run = runs_with(opens, met)
        row = order[at]
        order[at] = row[np.lexsort((row, key[row], run))]
        sorted_key[at] = key[order[at]]
        opens |= boundaries(sorted_key)
    return Groups(order, np.flatnonzero(opens))


def sort_numbered(keys: npt.NDArray[np.uint64], bits: int) -> tuple[Index, npt.NDArray[np.uint64]]:
    """The stable order of keys that leave so many top bits free, and the sorted keys.

    The keys are overwritten: the row number rides below the key, so one sort gives both.
    """
    keys <<= np.uint64(bits)
    keys |= np.arange(len(keys), dtype=np.uint64)
    keys.sort()
    order = (keys & np.uint64((1 << bits) - 1)).view(np.int64)
    keys >>= np.uint64(bits)
    return order, keys


def runs_with(opens: Mask, chosen: Mask) -> tuple[Index, Index]:
    """The rows of the runs that hold a chosen row, and the number of each one's run."""
    number = np.cumsum(opens) - 1
    holds = np.zeros(int(number[-1]) + 1, dtype=bool)
    holds[number[chosen]] = True
    at = np.flatnonzero(holds[number])
    return at, number[at]


def _hash(keys: Sequence[Array], multiplier: int) -> npt.NDArray[np.uint64]:
    """A hash whose top bits are good: odd multiples summed, folded and multiplied again."""
    factor = np.uint64(multiplier)
    packed = keys[0].astype(np.uint64)
    for key in keys[1:]:
        packed *= factor
        packed ^= packed >> np.uint64(32)
        packed += key.astype(np.uint64)
    packed *= factor
    packed ^= packed >> np.uint64(32)
    packed *= np.uint64(_MULTIPLIERS[-1])
    return packed


def ascends(segment: Array, values: Array) -> bool:
    """Whether values never fall inside a segment; segments ascend."""
    return bool(((segment[1:] != segment[:-1]) | (values[1:] >= values[:-1])).all())


def distinct(segment: Array, values: Array) -> Groups:
    """Groups of equal values inside each segment, without a sort where values ascend."""
    if ascends(segment, values):
        starts = np.flatnonzero(boundaries(segment, values)) if len(segment) else segment[:0]
        return Groups(np.arange(len(segment)), starts.astype(np.int64))
    return group_within(segment, values)


def sort_within(segment: Array, values: Array) -> tuple[Index, Array]:
    """Segments and values sorted by both; segments are small integers, values not negative.

    Raises:
        OverflowError: both do not fit into 64 bits together.
    """
    if len(segment) == 0:
        return segment.astype(np.int64), values
    bits = max(1, int(values.max()).bit_length())
    if int(segment.max()).bit_length() + bits > 63:
        raise OverflowError(f"segment and value need more than 63 bits (value has {bits})")
    packed = (segment.astype(np.uint64) << np.uint64(bits)) | values.astype(np.uint64)
    packed.sort()
    mask = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
    return (packed >> np.uint64(bits)).astype(np.int64), (packed & mask).astype(np.int64)


def among(values: Array, ascending: Array) -> Mask:
    """Which values are among some that ascend."""
    if not len(ascending):
        return np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return np.asarray(ascending[at] == values)


def rows_where(mask: Mask) -> Index | slice:
    """The rows where a mask holds; when it holds throughout, a slice, which copies nothing."""
    return slice(None) if mask.all() else np.flatnonzero(mask)


def count(segment: Array, segments: int) -> Index:
    """Rows in each segment."""
    return np.bincount(segment, minlength=segments)


def count_where(segment: Array, mask: Mask, segments: int) -> Index:
    """Rows in each segment at which a mask holds."""
    return np.bincount(segment.take(np.flatnonzero(mask), mode="clip"), minlength=segments)


def total(segment: Array, values: Array, segments: int) -> Index:
    """Sum of integers in each segment; exact below 2^53."""
    return np.bincount(segment, weights=values, minlength=segments).astype(np.int64)


def median(segment: Array, values: Array, segments: int) -> npt.NDArray[np.float64]:
    """Median of non-negative integers in each segment; NaN where there are none."""
    segment, values = sort_within(segment, values)
    sizes = count(segment, segments)
    ends = np.cumsum(sizes)
    low = np.clip(ends - sizes + (sizes - 1) // 2, 0, max(len(values) - 1, 0))
    high = np.clip(ends - sizes + sizes // 2, 0, max(len(values) - 1, 0))
    result = np.full(segments, np.nan)
    if len(values):
        middle = (values[low] + values[high]) / 2
        result = np.where(sizes > 0, middle, np.nan)
    return result


def largest(segment: Array, values: Array, segments: int, top: int = 1) -> Index:
    """Sum of the ``top`` largest non-negative integers in each segment."""
    segment, values = sort_within(segment, values)
    ends = np.cumsum(count(segment, segments))
    starts = np.concatenate([[0], ends[:-1]])
    sums = np.concatenate([[0], np.cumsum(values)])
    return np.asarray(sums[ends] - sums[np.maximum(starts, ends - top)])


def n_log_n(counts: Array) -> Index:
    """Each count times its binary logarithm: n log2 n in fixed point, so that sums of them are exact."""
    n = counts.astype(np.float64)
    return np.rint(n * np.log2(np.maximum(n, 1.0)) * LOG_ONE).astype(np.int64)


def entropy(segment: Array, counts: Array, segments: int) -> npt.NDArray[np.float64]:
    """Shannon entropy in bits of the counts of each segment; NaN where they sum to zero."""
    sums = total(segment, counts, segments)
    spread = n_log_n(sums) - total(segment, n_log_n(counts), segments)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = np.where(sums > 0, spread / LOG_ONE / sums, np.nan)
    return np.asarray(np.maximum(result, 0.0))


def running_max(segment: Array, values: Array, span: int) -> Index:
    """Largest value so far inside each segment; segments ascend, values lie in 0..span."""
    lifted = segment.astype(np.int64) * (span + 1) + values
    return np.asarray(np.maximum.accumulate(lifted) - segment.astype(np.int64) * (span + 1))


def most_at_once(segment: Array, start: Array, end: Array, segments: int) -> Index:
    """Most intervals open at one time in each segment; intervals are half open, times >= 0.

    Every start and end is an event; sorted by segment, time, and ends before starts, the running
    sum of +1 and -1 is back at zero where a segment ends, so one sum serves all.
    """
    if len(segment) == 0:
        return np.zeros(segments, np.int64)
    lift = segment.astype(np.int64) << np.int64(1)
    bits = np.int64(max(1, int(end.max()).bit_length()))
    opened = (((lift >> 1) << bits | start) << 1) | 1
    closed = ((lift >> 1) << bits | end) << 1
    marks = np.concatenate([opened, closed])
    marks.sort()
    at_once = np.cumsum(2 * (marks & 1) - 1)
    owner = marks >> (bits + 1)
    first = np.flatnonzero(boundaries(owner))
    result = np.zeros(segments, np.int64)
    result[owner[first]] = np.maximum.reduceat(at_once, first)
    return result
