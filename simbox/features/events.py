"""One bucket of events as sorted arrays, duplicates dropped and partial records joined.

Rows are in one total order - line, start, and then every other field - so nothing computed from
them depends on the order in which files or rows arrived.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.features.segments import (
    MIN_HASH_BITS,
    Array,
    Index,
    Mask,
    boundaries,
    row_bits,
    runs_with,
    sort_numbered,
)
from simbox.identifiers import Ids, class_of, party
from simbox.store import DAY_S, line_hash
from simbox.tables import Kind

QUARTER_S = 900
PARTIAL_GAP_S = 5  # a part of a long call starts within so many seconds of the end of the last

#: Columns of the store that the arrays are made from.
COLUMNS = (
    "line", "other", "imsi", "imei", "place", "start", "offset", "duration", "kind", "cause",
)  # fmt: skip


@dataclass(frozen=True)
class Events:
    """Events of some lines, sorted by line and time; one array a column, one element a row."""

    line_ids: Ids  # [lines] the id of each line
    line: npt.NDArray[np.int32]  # [rows] index into line_ids, ascending
    start: Index  # seconds UTC
    offset: npt.NDArray[np.int8]  # quarters of an hour
    duration: npt.NDArray[np.int32]  # seconds, -1 when not known
    kind: npt.NDArray[np.uint16]
    other: Ids
    place: Ids
    imei: Ids
    imsi: Ids
    cause: npt.NDArray[np.uint8]
    duplicates: int = 0
    merged: int = 0

    @property
    def rows(self) -> int:
        return len(self.line)

    @property
    def lines(self) -> int:
        return len(self.line_ids)

    @cached_property
    def first_row(self) -> Index:
        """The first row of each line."""
        return np.flatnonzero(boundaries(self.line))

    @cached_property
    def event_type(self) -> npt.NDArray[np.uint8]:
        return (self.kind & Kind.TYPE_MASK).astype(np.uint8)

    @cached_property
    def answer(self) -> npt.NDArray[np.uint8]:
        return ((self.kind >> Kind.ANSWER_SHIFT) & 3).astype(np.uint8)

    @cached_property
    def feed(self) -> npt.NDArray[np.uint8]:
        return (self.kind >> Kind.FEED_SHIFT).astype(np.uint8)

    @cached_property
    def local(self) -> Index:
        """Local wall clock, seconds."""
        return self.start + self.offset.astype(np.int64) * QUARTER_S

    @cached_property
    def day(self) -> Index:
        """Local day, counted from 1970-01-01."""
        return self.local // DAY_S

    @cached_property
    def end(self) -> Index:
        """End of the conversation; the start where the duration is not known."""
        return self.start + np.maximum(self.duration, 0)

    @cached_property
    def party(self) -> Ids:
        """The other party whatever its class; 0 when withheld."""
        return party(self.other)

    @cached_property
    def party_class(self) -> npt.NDArray[np.uint8]:
        return class_of(self.other)

    @cached_property
    def moc(self) -> Index:
        """Rows that are outgoing calls."""
        return np.flatnonzero(self.event_type == Kind.MOC)

    def take(self, rows: Array) -> Events:
        """The events of some rows, in the order given; the lines stay numbered as they are."""
        columns = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name in _ARRAYS}
        return replace(self, **columns)


_ARRAYS = (
    "line", "start", "offset", "duration", "kind", "other", "place", "imei", "imsi", "cause",
)  # fmt: skip


def arrange(frame: pl.DataFrame) -> Events:
    """Sort rows of tables.STORED, drop duplicates and join partial records.

    A duplicate has the line, event type, start, other party and duration of another row.  A
    partial record (``kind`` says so) is joined with the next record of the same line, party and
    type - and call reference, when the feed has one - that starts where it ends.
    """
    columns = {name: frame[name].to_numpy() for name in frame.columns}
    line_ids, line, order = _by_line_and_time(columns["line"], columns["start"])
    _settle_ties(columns, line, order)
    raw = {name: _in_order(column, order) for name, column in columns.items() if name != "line"}
    call_ref = raw.pop("call_ref", None)
    raw["start"] = raw["start"].astype(np.int64)
    events = Events(line_ids, line, **raw)  # type: ignore[arg-type]
    keep = ~_duplicates(events)
    duplicates = events.rows - int(keep.sum())
    if duplicates:
        events = events.take(keep)
        call_ref = None if call_ref is None else call_ref[keep]
    joined = _join_partials(events, call_ref)
    return replace(joined, duplicates=duplicates)


def _in_order(column: Array, order: Index) -> Array:
    """A column in another order; one value throughout, as zones and causes are, needs none."""
    same = len(column) > 0 and column[0] == column[-1] and (column == column[0]).all()
    return column if same else column.take(order, mode="clip")


def _by_line_and_time(
    lines: Ids, start: npt.NDArray[np.uint32]
) -> tuple[Ids, npt.NDArray[np.int32], Index]:
    """Ids of the lines in hash order, the line of each sorted row, and the order of the rows."""
    if not len(lines):
        return lines, np.zeros(0, np.int32), np.zeros(0, np.int64)
    hashes = line_hash(lines)
    order, same_hash = _by_hash_and_time(hashes, start)
    grouped = lines.take(order, mode="clip")
    opens = boundaries(party(grouped))
    met = opens & ~same_hash
    if met.any():  # lines that meet in the top bits of the hash: those rows alone are sorted again
        at, run = runs_with(same_hash, met)
        row = order[at]
        order[at] = row[np.lexsort((row, start[row], hashes[row], run))]
        grouped[at] = lines[order[at]]
        opens = boundaries(party(grouped))
    # One line may come in several classes, one from each feed: the largest names it.
    line_ids = np.maximum.reduceat(grouped, np.flatnonzero(opens))
    return line_ids, np.cumsum(opens, dtype=np.int32) - np.int32(1), order


def _by_hash_and_time(hashes: Ids, start: npt.NDArray[np.uint32]) -> tuple[Index, Mask]:
    """Rows by as much of the hash as fits and by time, and where that much of the hash changes."""
    bits = row_bits(len(hashes))
    since = start - start.min()
    time_bits = max(1, int(since.max()).bit_length())
    hash_bits = 64 - bits - time_bits
    if hash_bits < MIN_HASH_BITS:
        order: Index = np.lexsort((start, hashes))
        return order, boundaries(hashes[order])
    # All hashes of a bucket begin alike: what they share tells nothing.
    alike = 64 - int(hashes.min() ^ hashes.max()).bit_length()
    packed = (hashes << np.uint64(min(alike, 63))) >> np.uint64(64 - hash_bits)
    packed = (packed << np.uint64(time_bits)) | since
    order, packed = sort_numbered(packed, bits)
    return order, boundaries(packed >> np.uint64(time_bits))


def _settle_ties(columns: dict[str, Array], line: Array, order: Index) -> None:
    """Put events of one line in the same second into the order of their other fields, in place."""
    start = columns["start"][order]
    same = np.zeros(len(order), dtype=bool)
    same[1:] = ~boundaries(line, start)[1:]
    tied = same.copy()
    tied[:-1] |= same[1:]
    places = np.flatnonzero(tied)
    if not len(places):
        return
    rows = order[places]
    by = [columns["kind"][rows] & Kind.TYPE_MASK, columns["duration"][rows]]
    by += [party(columns["other"][rows])]
    # Descending in the fields that a duplicate may lack, so that the fuller record comes first.
    by += [~columns[name][rows] for name in ("place", "imei", "imsi", "cause")]
    rest = ("kind", "other", "offset", "call_ref")
    by += [columns[name][rows] for name in rest if name in columns]
    order[places] = rows[np.lexsort((*by[::-1], start[places], line[places]))]


def _duplicates(events: Events) -> Mask:
    """Rows that repeat an earlier row of the same second."""
    repeated = np.zeros(events.rows, dtype=bool)
    repeated[1:] = ~boundaries(
        events.line, events.start, events.event_type, events.duration, events.party
    )[1:]
    return repeated


def _join_partials(events: Events, call_ref: Ids | None) -> Events:
    """Chains of partial records as one event each: durations summed, answered if any part was."""
    partial = (events.kind & Kind.PARTIAL) != 0
    if not partial.any():
        return events
    after = _next_part(events, partial, call_ref)
    head = np.ones(events.rows, dtype=bool)
    head[after[after >= 0]] = False
    root = _roots(after, head)
    known = np.maximum(events.duration, 0)
    seconds = np.bincount(root, weights=known, minlength=events.rows).astype(np.int32)
    told = np.bincount(root, weights=events.duration >= 0, minlength=events.rows) > 0
    duration = np.where(told, seconds, np.int32(-1))
    cause, released = events.cause.copy(), np.flatnonzero(events.cause)
    cause[root[released]] = events.cause[released]  # that of the last part that has one
    answered = np.bincount(root, weights=events.answer == Kind.YES, minlength=events.rows) > 0
    kind = events.kind.copy()
    answer_mask = np.uint16(~(3 << Kind.ANSWER_SHIFT) & 0xFFFF)
    kind[answered] = (kind[answered] & answer_mask) | np.uint16(Kind.YES << Kind.ANSWER_SHIFT)
    whole = replace(events, duration=duration, kind=kind, cause=cause)
    whole = whole.take(np.flatnonzero(head))
    return replace(whole, merged=int((~head).sum()))


def _next_part(events: Events, partial: Mask, call_ref: Ids | None) -> Index:
    """For each partial record the row of the record that continues it, else -1."""
    keys: list[Array] = [events.line, events.event_type, events.party]
    if call_ref is not None:
        keys.append(call_ref)
    order: Index = np.lexsort((events.start, *reversed(keys)))
    same = np.zeros(events.rows, dtype=bool)
    same[:-1] = ~boundaries(*(key[order] for key in keys))[1:]
    following = np.roll(order, -1)
    gap = np.abs(events.start[following] - events.end[order])
    goes_on = same & partial[order] & (gap <= PARTIAL_GAP_S)
    after = np.full(events.rows, -1, dtype=np.int64)
    after[order[goes_on]] = following[goes_on]
    return after


def _roots(after: Index, head: Mask) -> Index:
    """The first record of the chain that each row belongs to, by pointer doubling."""
    before = np.where(head, np.arange(len(after)), -1)
    linked = np.flatnonzero(after >= 0)
    before[after[linked]] = linked
    while True:
        further = before[before]
        if np.array_equal(further, before):
            return before
        before = further
