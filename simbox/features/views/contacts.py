"""Whom a line calls and texts: how many, how often, and who answers in kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simbox.features.context import Context
from simbox.features.declaration import Measures, View
from simbox.features.events import Events
from simbox.features.segments import (
    Groups,
    Index,
    Mask,
    count,
    count_where,
    distinct,
    entropy,
    group_within,
    largest,
    rows_where,
    total,
)
from simbox.identifiers import NumberClass, class_of, digits_of, length_of
from simbox.tables import Kind

CALLBACK_S = 86_400
REDIAL_S = 3_600
BLOCK_DIGITS = 4  # numbers that share all but so many last digits stand in one block
_COUNTERS = 5
_MISSED = 4  # the counter of missed calls, after those of the four event types
_COUNTER_BITS = 12
_COUNTER_MASK = (1 << _COUNTER_BITS) - 1
_IS_SHORT = np.isin(np.arange(16), (NumberClass.SHORT, NumberClass.SERVICE))


@dataclass(frozen=True)
class _Pairs:
    """Each line and party that met, the rows of their events in time order, and counts."""

    groups: Groups
    row: Index  # [rows] the event at each position of the groups
    event_type: npt.NDArray[np.uint8]  # [rows]
    missed: Mask  # [rows] an outgoing call known not to be answered
    start: Index  # [rows] seconds UTC
    number: Index  # [rows] the pair of each position
    line: Index  # [pairs]
    counts: tuple[Index, ...]  # [pairs] each: events by type, then missed calls

    @property
    def called(self) -> Index:
        return np.flatnonzero(self.counts[Kind.MOC])


def _pairs(events: Events) -> _Pairs:
    rows = rows_where(events.party > 0)
    groups = group_within(events.line[rows], events.party[rows])
    row = groups.order if isinstance(rows, slice) else rows.take(groups.order, mode="clip")
    kind = events.kind.take(row, mode="clip")
    event_type = (kind & Kind.TYPE_MASK).astype(np.uint8)
    missed = (kind & 15) == (Kind.NO << Kind.ANSWER_SHIFT | Kind.MOC)
    return _Pairs(
        groups=groups,
        row=row,
        event_type=event_type,
        missed=missed,
        start=events.start.take(row, mode="clip"),
        number=groups.numbers(),
        line=events.line[row[groups.starts]].astype(np.int64),
        counts=_counts(event_type, missed, groups),
    )


def _counts(event_type: npt.NDArray[np.uint8], missed: Mask, groups: Groups) -> tuple[Index, ...]:
    if len(groups) and groups.sizes.max() > _COUNTER_MASK:
        number, pairs = groups.numbers(), len(groups)
        by_type = [count_where(number, event_type == kind, pairs) for kind in range(4)]
        return (*by_type, count_where(number, missed, pairs))
    # Five counters of 12 bits in one integer, and their sums as differences of a running sum,
    # which may wrap: the differences do not.
    ones = np.left_shift(np.uint64(1), event_type.astype(np.uint64) * np.uint64(_COUNTER_BITS))
    ones += missed.astype(np.uint64) << np.uint64(_COUNTER_BITS * _MISSED)
    running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(ones)])
    sums = running[groups.starts + groups.sizes] - running[groups.starts]
    return tuple(
        ((sums >> np.uint64(_COUNTER_BITS * counter)) & np.uint64(_COUNTER_MASK)).astype(np.int64)
        for counter in range(_COUNTERS)
    )


def compute(events: Events, context: Context) -> Measures:
    """Counts of contacts by what passed between them and the line."""
    pairs = _pairs(events)
    return {
        **_spread(pairs, events.lines),
        **_exchange(pairs, events.lines),
        **_new_and_known(events, pairs),
        **_calls_returned(pairs, events.lines),
        **_blocks(events, pairs),
    }


def _spread(pairs: _Pairs, lines: int) -> Measures:
    called = pairs.called
    line, calls = pairs.line[called], pairs.counts[Kind.MOC][called]
    return {
        "called": count(line, lines),
        "called_calls": total(line, calls, lines),
        "called_once": count_where(line, calls == 1, lines),
        "called_top1": largest(line, calls, lines),
        "called_top5": largest(line, calls, lines, top=5),
        "called_entropy_bit": entropy(line, calls, lines),
        "called_missed": count_where(pairs.line, pairs.counts[_MISSED] > 0, lines),
    }


def _exchange(pairs: _Pairs, lines: int) -> Measures:
    moc, mtc, sms_mo, sms_mt = (pairs.counts[kind] > 0 for kind in range(4))
    chosen = {
        "called_who_return": moc & (mtc | sms_mt),
        "callers": mtc,
        "texted": sms_mo,
        "texted_who_text": sms_mo & sms_mt,
        "texted_and_called": sms_mo & moc,
    }
    return {name: count_where(pairs.line, mask, lines) for name, mask in chosen.items()}


def _new_and_known(events: Events, pairs: _Pairs) -> Measures:
    """New contacts in a line's second half, calls to those who came in before, daily contacts."""
    lines = events.lines
    calls = pairs.counts[Kind.MOC]
    of_line = total(pairs.line, calls, lines)
    middle = _middle_rows(events, of_line)
    new = pairs.row[pairs.groups.starts] >= middle[pairs.line]
    moc = np.flatnonzero(pairs.event_type == Kind.MOC)
    incoming = (pairs.event_type & 1) == 1  # MTC and SMS_MT are odd
    last_in = _last_where(incoming)
    number = pairs.number[moc]
    known = last_in[moc] >= pairs.groups.starts[number]
    daily = number[distinct(number, events.day[pairs.row[moc]]).first]
    return {
        "late_calls": of_line // 2,
        "late_calls_new": total(pairs.line[new], calls[new], lines),
        "called_after_incoming": count(pairs.line[number[np.flatnonzero(known)]], lines),
        "moc_day_contacts": count(pairs.line[daily], lines),
    }


def _last_where(mask: Mask) -> Index:
    """The last position up to each where a mask holds; -1 before the first."""
    positions = np.arange(len(mask))
    positions[~mask] = -1
    return np.maximum.accumulate(positions, out=positions)


def _middle_rows(events: Events, calls: Index) -> Index:
    """The row of the call that opens the second half of each line's calls to known parties."""
    moc = events.moc[events.party[events.moc] > 0]
    starts = np.cumsum(calls) - calls
    middle = np.full(events.lines, events.rows, dtype=np.int64)
    several = np.flatnonzero(calls > 1)
    middle[several] = moc[(starts + (calls + 1) // 2)[several]]
    return middle


def _calls_returned(pairs: _Pairs, lines: int) -> Measures:
    """Called parties who call in within a day, and unanswered calls tried again in an hour."""
    moc = pairs.event_type == Kind.MOC
    last = _last_where(moc)
    mtc = np.flatnonzero(pairs.event_type == Kind.MTC)
    call = last[mtc]
    soon = (call >= pairs.groups.starts[pairs.number[mtc]]) & (
        pairs.start[mtc] - pairs.start[call] <= CALLBACK_S
    )
    calls = np.flatnonzero(moc)
    tries = np.flatnonzero(pairs.missed[calls[:-1]])
    again, following = calls[tries], calls[tries + 1]
    redial = pairs.number[again] == pairs.number[following]
    redial &= pairs.start[following] - pairs.start[again] <= REDIAL_S
    again = again[redial]
    return {
        "called_who_call_back": _lines_of(pairs, mtc[soon], lines),
        "missed_who_call_back": _lines_of(pairs, mtc[soon & pairs.missed[call]], lines),
        "redials": count(pairs.line[pairs.number[again]], lines),
    }


def _lines_of(pairs: _Pairs, positions: Index, lines: int) -> Index:
    """Distinct pairs among some positions, counted by line."""
    chosen = np.zeros(len(pairs.line), dtype=bool)
    chosen[pairs.number[positions]] = True
    return count_where(pairs.line, chosen, lines)


def _blocks(events: Events, pairs: _Pairs) -> Measures:
    """Called numbers and the blocks of 10,000 that they stand in."""
    called = pairs.called
    other = events.other[pairs.row[pairs.groups.starts[called]]]
    value = digits_of(other)
    long = (value >= 0) & (length_of(other) > BLOCK_DIGITS + 2)
    long &= ~_IS_SHORT[class_of(other)]
    line, block = pairs.line[called][long], value[long] // 10**BLOCK_DIGITS
    blocks = group_within(line, block)
    return {
        "called_digits": count(line, events.lines),
        "called_blocks": count(line[blocks.first], events.lines),
    }


VIEW = View(
    name="contacts",
    doc="The parties of a line, from one grouping of its events by party.",
    columns={
        "called": "distinct numbers called",
        "called_calls": "outgoing calls to a known number",
        "called_once": "numbers called exactly once",
        "called_top1": "calls to the number called most",
        "called_top5": "calls to the five numbers called most",
        "called_entropy_bit": "Shannon entropy of the called numbers, bits",
        "called_who_return": "called numbers that also call or text in",
        "callers": "distinct numbers that call in",
        "texted": "distinct numbers texted",
        "texted_who_text": "texted numbers that text in",
        "texted_and_called": "texted numbers that are also called",
        "late_calls": "the second half of the line's outgoing calls to a known number",
        "late_calls_new": "those to numbers not met in the first half",
        "moc_day_contacts": "numbers called, each counted once a day",
        "called_after_incoming": "outgoing calls to numbers that had called or texted before",
        "called_who_call_back": "called numbers that call in within 24 h of a call",
        "missed_who_call_back": "called numbers that call in within 24 h of a last call unanswered",
        "called_missed": "called numbers with an unanswered call",
        "redials": "unanswered calls followed by another to that number within an hour",
        "called_digits": "distinct called numbers whose digits are known, short codes left out",
        "called_blocks": "blocks of 10,000 numbers that those stand in",
    },
    compute=compute,
)
