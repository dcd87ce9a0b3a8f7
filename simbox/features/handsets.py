"""What crosses lines about handsets: shared IMEIs, neighbouring serials, turns and overlaps.

Two passes over the store: the first reads three columns and finds the handsets that more than one
SIM was used with; the second reads only the calls on those, which are few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simbox.features.context import Handsets, LineCounts
from simbox.features.events import arrange
from simbox.features.segments import Array, Index, Mask, boundaries, group, rows_where
from simbox.identifiers import Ids, digits_of, handset, mix, party
from simbox.store import Store, line_hash
from simbox.tables import STORED, Kind

SERIAL_DIGITS = 6  # of the 14 digits of an IMEI, below the TAC
_SLOT_BITS = 18  # a table that stays in the cache
_LIST_BITS = 20
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd, so that a product keeps all of its factor
NEAR_SERIAL = 8  # serials at most so far apart came from one carton
WIDE_SERIAL = 800  # serials so far around tell how dense the TAC is there


@dataclass(frozen=True)
class _Use:
    """Each distinct use of a handset: by which line, with which SIM."""

    imei: Ids
    line: Ids  # hash of the line
    sim: Ids  # see _sims


def handset_facts(store: Store) -> Handsets:
    """The facts about handsets that no line's own events can tell."""
    use = _uses(store)
    if not len(use.imei):
        return Handsets()
    imei, sims = _sims_of_handsets(use)
    of_use = np.searchsorted(imei, use.imei)
    overlaps, turns = _passed_around(store, imei[sims > 1])
    return Handsets(
        _max_by_line(use.line, sims[of_use]),
        _max_by_line(use.line, _near_serials(imei)[of_use]),
        overlaps,
        turns,
    )


def _uses(store: Store) -> _Use:
    parts = [_distinct_uses(frame) for frame in store.each_bucket(("line", "imei", "imsi"))]
    return _Use(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _distinct_uses(frame: pl.DataFrame) -> tuple[Ids, Ids, Ids]:
    rows = rows_where(frame["imei"].to_numpy() > 0)
    imei, line, imsi = (frame[name].to_numpy()[rows] for name in ("imei", "line", "imsi"))
    few = _thin_out(((imei * _SPREAD ^ line) * _SPREAD ^ imsi) * _SPREAD)
    line, imei = line_hash(line[few]), handset(imei[few])
    sim = _sims(imei, line, party(imsi[few]))
    uses = group(imei, line, sim).first
    return imei[uses], line[uses], sim[uses]


def _sims(imei: Ids, line: Ids, imsi: Ids) -> Ids:
    """The SIM of each use: its IMSI, else one that the line showed in the handset, else the line.

    A feed that gives the IMSI with some events only must not make two SIMs of one.
    """
    if not len(imei):
        return imsi
    held = group(imei, line)
    shown = np.empty_like(imsi)
    shown[held.order] = np.repeat(np.maximum.reduceat(imsi[held.order], held.starts), held.sizes)
    return np.where(imsi > 0, imsi, np.where(shown > 0, shown, line))


def _thin_out(hashes: Ids) -> Index:
    """Rows that still hold every distinct hash, most repeats dropped without a sort.

    Each row writes its number into a small table; a row stays when it wrote last, or when the
    last writer of its slot has another hash.
    """
    slot = (hashes >> np.uint64(64 - _SLOT_BITS)).view(np.int64)
    last = np.zeros(1 << _SLOT_BITS, dtype=np.int32)
    number = np.arange(len(hashes), dtype=np.int32)
    last[slot] = number
    writer = last.take(slot, mode="clip")
    return np.flatnonzero((writer == number) | (hashes.take(writer, mode="clip") != hashes))


def _sims_of_handsets(use: _Use) -> tuple[Ids, Index]:
    """Every handset in the order of its id, and how many SIMs were used in it."""
    pairs = group(use.imei, use.sim).first
    handsets = group(use.imei[pairs])
    imei = use.imei[pairs][handsets.first]
    order = np.argsort(imei)
    return imei[order], handsets.sizes[order]


def _near_serials(imei: Ids) -> Index:
    """How many more handsets of the data stand near each one's serial than its surroundings tell.

    ``imei`` is every handset once, ascending.

    A carrier's favourite model fills whole ranges of serials, and each of them has neighbours; the
    wider surroundings say how many to expect.  A carton of modules stands out from them.
    """
    value = digits_of(imei)
    known = np.unique(value[value >= 0])
    near = _within(value, known, NEAR_SERIAL)
    around = _within(value, known, WIDE_SERIAL) - near
    expected = around * NEAR_SERIAL // (WIDE_SERIAL - NEAR_SERIAL)
    return np.where(value >= 0, np.maximum(near - 1 - expected, 0), 0)


def _within(value: Index, known: Index, distance: int) -> Index:
    """Known handsets at most so far in serial from each, under its TAC."""
    floor = value // 10**SERIAL_DIGITS * 10**SERIAL_DIGITS
    low = np.maximum(value - distance, floor)
    high = np.minimum(value + distance, floor + 10**SERIAL_DIGITS - 1)
    return np.asarray(np.searchsorted(known, high, side="right") - np.searchsorted(known, low))


def _max_by_line(line: Ids, values: Index) -> LineCounts:
    order = np.lexsort((values, line))
    last = order[np.append(boundaries(line[order])[1:], True)]
    return LineCounts(line[last], values[last])


def _sum_by_line(line: Ids) -> LineCounts:
    hashes, sizes = np.unique(line, return_counts=True)
    return LineCounts(hashes, sizes)


def _passed_around(store: Store, shared: Ids) -> tuple[LineCounts, LineCounts]:
    """Calls that overlap a call of another SIM on the handset, and turns from SIM to SIM."""
    if not len(shared):
        return LineCounts(), LineCounts()
    imei, line, sim, start, end = _calls_on(store, shared)
    number: Index = np.searchsorted(shared, imei)
    order = np.lexsort((sim, number << 32 | start))
    number, sim = number[order], sim[order]
    turn = np.zeros(len(number), dtype=bool)
    turn[1:] = (number[1:] == number[:-1]) & (sim[1:] != sim[:-1])
    overlap = _overlaps(number, sim, start[order], end[order])
    return _sum_by_line(line[order[overlap]]), _sum_by_line(line[order[turn]])


def _calls_on(store: Store, shared: Ids) -> tuple[Array, ...]:
    """Calls on some handsets: IMEI, line, SIM, start and end."""
    columns = ["line", "other", "imei", "imsi", "start", "duration", "kind"]
    columns += ["call_ref"] * (store.manifest.has_call_ref and store.manifest.has_partial)
    listed = np.zeros(1 << _LIST_BITS, dtype=bool)  # most handsets are told off by this alone
    listed[_slot(shared)] = True
    found = []
    for frame in store.each_bucket(columns):
        imei = handset(frame["imei"].to_numpy())
        rows = np.flatnonzero(listed.take(_slot(imei), mode="clip"))
        at = np.minimum(np.searchsorted(shared, imei[rows]), len(shared) - 1)
        rows = rows[shared[at] == imei[rows]]
        found.append(_whole_calls(frame[rows.astype(np.uint32)]))
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))


def _slot(imei: Ids) -> Index:
    return ((imei * _SPREAD) >> np.uint64(64 - _LIST_BITS)).view(np.int64)


def _whole_calls(frame: pl.DataFrame) -> tuple[Array, ...]:
    """The calls among events as the views count them: repeats dropped, parts of one call joined."""
    line, imei, imsi = (frame[name].to_numpy() for name in ("line", "imei", "imsi"))
    unread = [pl.lit(0, STORED.schema[name]).alias(name) for name in ("place", "offset", "cause")]
    sim = pl.Series("imsi", _sims(handset(imei), line_hash(line), party(imsi)))
    frame = frame.with_columns(sim, *unread)
    calls = arrange(frame.filter(pl.col("kind") & Kind.TYPE_MASK <= Kind.MTC))
    line = line_hash(calls.line_ids)[calls.line]
    return handset(calls.imei), line, calls.imsi, calls.start, calls.end


def _overlaps(number: Index, sim: Ids, start: Index, end: Index) -> Mask:
    """Calls open at the same time as a call of another SIM on the handset."""
    talked = np.flatnonzero(end > start)
    overlap = np.zeros(len(number), dtype=bool)
    if len(talked):
        start, end = start[talked] - start.min(), end[talked] - start.min()
        _, use = np.unique(mix(sim[talked]) ^ number[talked].astype(np.uint64), return_inverse=True)
        overlap[talked] = _open_beside(number[talked], start, end) > _open_beside(use, start, end)
    return overlap


def _open_beside(owner: Index, start: Index, end: Index) -> Index:
    """For each interval how many of its owner, itself included, overlap it."""
    span = np.int64(end.max() + 1)
    begun = np.searchsorted(np.sort(owner * span + start), owner * span + end, side="left")
    over = np.searchsorted(np.sort(owner * span + end), owner * span + start, side="right")
    return np.asarray(begun - over)
