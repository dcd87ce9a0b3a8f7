"""When a line lives and works: days, hours of the day, and the shift as a block of hours."""

from __future__ import annotations

import numpy as np

from simbox.features.context import Context
from simbox.features.declaration import Measures, View, nan_where
from simbox.features.events import Events
from simbox.features.segments import (
    Array,
    Index,
    ascends,
    boundaries,
    count,
    count_where,
    distinct,
    entropy,
    group,
    largest,
    total,
)
from simbox.store import DAY_S
from simbox.tables import Kind

HOUR_S = 3_600
NIGHT_S = (1_800, 19_800)  # 00:30-05:30 local
EDGE_S = 1_800  # the first and the last half hour of a block
MIN_BLOCK_CALLS = 10
MIN_BLOCK_S = 2 * HOUR_S
MIN_SHIFT_DAYS = 3


def compute(events: Events, context: Context) -> Measures:
    """Days and hours of use, the longest block of busy hours a day, and its edges."""
    return {
        **_life(events, context),
        **_days(events),
        **_hours_of_day(events),
        **_blocks(events),
    }


def _life(events: Events, context: Context) -> Measures:
    first_row, lines = events.first_row, events.lines
    last_row = np.append(first_row[1:], events.rows) - 1 if lines else first_row
    first, last = events.start[first_row], events.start[last_row]
    moc = events.moc
    line = events.line[moc]
    first_out = np.full(lines, np.nan)
    opening = boundaries(line) if len(moc) else np.zeros(0, dtype=bool)
    first_out[line[opening]] = events.start[moc[opening]]
    early = events.start[moc] - first[line] < DAY_S
    return {
        "first_s": first,
        "last_s": last,
        "after_start_s": first - context.first,
        "before_end_s": context.last - last,
        "first_out_s": first_out - first,
        "out_after_start_s": first_out - context.first,
        "moc_first_day": count_where(line, early, lines),
    }


def _days(events: Events) -> Measures:
    lines, day, moc = events.lines, events.day, events.moc
    out = distinct(events.line[moc], day[moc])
    out_line = events.line[moc[out.first]]
    incoming = np.flatnonzero(events.event_type & 1)  # MTC and SMS_MT are odd
    texts = np.flatnonzero(events.event_type >= Kind.SMS_MO)
    return {
        "days": count(events.line[distinct(events.line, day).first], lines),
        "moc_days": count(out_line, lines),
        "moc_day_max": largest(out_line, out.sizes, lines),
        "moc_days_with_incoming": _days_in_common(events, day, moc[out.first], incoming),
        "sms_days": count(events.line[texts[_days_of(events, day, texts)]], lines),
    }


def _days_of(events: Events, day: Index, rows: Index) -> Index:
    return distinct(events.line[rows], day[rows]).first


def _days_in_common(events: Events, day: Index, days: Index, rows: Index) -> Index:
    """Of rows that stand for a day each, how many of the days have one of the other rows too."""
    both = np.concatenate([days, rows[_days_of(events, day, rows)]])
    shared = group(events.line[both], day[both])
    return count(events.line[both[shared.first[shared.sizes == 2]]], events.lines)


def _hours_of_day(events: Events) -> Measures:
    moc, lines = events.moc, events.lines
    line, second = events.line[moc].astype(np.int64), events.local[moc] % DAY_S
    table = count(line * 24 + second // HOUR_S, lines * 24)
    owner = np.repeat(np.arange(lines), 24)
    night = (second >= NIGHT_S[0]) & (second < NIGHT_S[1])
    return {
        "hours_of_day": (table.reshape(lines, 24) > 0).sum(axis=1),
        "hour_entropy_bit": entropy(owner, table, lines),
        "moc_night": count_where(line, night, lines),
    }


def _blocks(events: Events) -> Measures:
    """The longest run of consecutive clock hours with an outgoing call, a start day at a time."""
    moc, lines = events.moc, events.lines
    line, local = events.line[moc].astype(np.int64), events.local[moc]
    if not ascends(line, local):  # a clock was put back
        order = np.lexsort((local, line))
        line, local = line[order], local[order]
    hour = local // HOUR_S
    slots = np.flatnonzero(boundaries(line, hour)) if len(moc) else moc
    slot_line, slot_hour = line[slots], hour[slots]
    opens = np.ones(len(slots), dtype=bool)
    opens[1:] = (slot_line[1:] != slot_line[:-1]) | (slot_hour[1:] != slot_hour[:-1] + 1)
    runs = np.flatnonzero(opens)
    run_line = slot_line[runs]
    first_call = slots[runs]
    past_call = np.append(first_call[1:], len(moc))
    hours = np.diff(runs, append=len(slots))
    longest = _longest_a_day(run_line, local[first_call] // DAY_S, hours, past_call - first_call)
    owner = run_line[longest]
    return {
        "out_hours": count(slot_line, lines),
        "block_days": count(owner, lines),
        "block_hours_sum": total(owner, np.minimum(hours[longest], 24), lines),
        "block_calls": total(owner, (past_call - first_call)[longest], lines),
        **_edges(owner, local, first_call[longest], past_call[longest], lines),
        **_shift_edges(owner, local, first_call[longest], past_call[longest], lines),
    }


def _longest_a_day(line: Index, day: Index, hours: Index, calls: Index) -> Index:
    """Of each line and start day the run with most hours, then calls, then the earliest."""
    opens = np.flatnonzero(boundaries(line, day))
    if not len(opens):
        return opens
    place = np.arange(len(line)) - np.repeat(opens, np.diff(opens, append=len(line)))
    # A day has at most 24 runs; a run of more than 2^34 hours or calls cannot be.
    rank = (
        (np.minimum(hours, 1 << 20) << 40) | (np.minimum(calls, (1 << 34) - 1) << 6) | (63 - place)
    )
    best = np.maximum.reduceat(rank, opens)
    return np.asarray(opens + 63 - (best & 63))


def _edges(owner: Index, local: Index, first: Index, past: Index, lines: int) -> Measures:
    """Calls in the first and last half hour of blocks against their mean rate."""
    if not len(owner):
        zero = np.zeros(lines, np.int64)
        return {"edge_calls": zero, "edge_expected_milli": zero}
    length = local[past - 1] - local[first]
    wide = (past - first >= MIN_BLOCK_CALLS) & (length >= MIN_BLOCK_S)
    owner, first, past, length = owner[wide], first[wide], past[wide], length[wide]
    base = int(local.min())
    sizes = past - first
    block = np.repeat(np.arange(len(first)), sizes)
    inside = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    at = local[np.repeat(first, sizes) + inside] - base
    near_start = at - np.repeat(local[first] - base, sizes) <= EDGE_S
    near_end = np.repeat(local[past - 1] - base, sizes) - at <= EDGE_S
    edge = np.bincount(block[near_start | near_end], minlength=len(first))
    # The two outermost calls are at the edges by definition, so they do not count.
    expected = (sizes - 2) * 2000 * EDGE_S // np.maximum(length, 1)
    return {
        "edge_calls": total(owner, edge - 2, lines),
        "edge_expected_milli": total(owner, expected, lines),
    }


def _shift_edges(owner: Index, local: Index, first: Index, past: Index, lines: int) -> Measures:
    """Spread over the days of the clock time at which the day's block starts and ends."""
    if not len(owner):
        nothing = np.full(lines, np.nan)
        return {"shift_start_sd_min": nothing, "shift_end_sd_min": nothing}
    start = local[first] % DAY_S
    end = local[past - 1] - local[first] + start  # past midnight when the block is
    return {
        "shift_start_sd_min": _spread_min(owner, start, lines),
        "shift_end_sd_min": _spread_min(owner, end, lines),
    }


def _spread_min(owner: Index, second: Array, lines: int) -> Array:
    days = count(owner, lines)
    sums, squares = total(owner, second, lines), total(owner, second**2, lines)
    variance = (days * squares - sums**2) / np.maximum(days * (days - 1), 1)
    return nan_where(days < MIN_SHIFT_DAYS, np.sqrt(np.maximum(variance, 0)) / 60)


VIEW = View(
    name="days",
    doc="Days, hours and shifts of a line on the local clock.",
    columns={
        "first_s": "first event, seconds UTC",
        "last_s": "last event, seconds UTC",
        "after_start_s": "seconds from the start of the data to the line's first event",
        "before_end_s": "seconds from the line's last event to the end of the data",
        "first_out_s": "seconds from the first event to the first outgoing call; NaN without one",
        "out_after_start_s": "seconds from the start of the data to the first outgoing call",
        "moc_first_day": "outgoing calls within 24 h of the line's first event",
        "days": "local days with an event",
        "moc_days": "local days with an outgoing call",
        "moc_day_max": "outgoing calls on the busiest day",
        "moc_days_with_incoming": "days with an outgoing call and anything incoming",
        "sms_days": "days with a text",
        "hours_of_day": "distinct hours of the day with an outgoing call",
        "hour_entropy_bit": "Shannon entropy of the hours of the day, bits",
        "moc_night": "outgoing calls from 00:30 to 05:30",
        "out_hours": "clock hours with an outgoing call",
        "block_days": "days on which a block of consecutive busy hours starts",
        "block_hours_sum": "hours of the longest block of each such day, 24 at most each",
        "block_calls": "outgoing calls inside those blocks",
        "edge_calls": "calls in the first and last half hour of blocks, the outermost two left out",
        "edge_expected_milli": "a thousand times what the mean rate of the blocks gives there",
        "shift_start_sd_min": "standard deviation of the block's start, minutes; NaN below 3 days",
        "shift_end_sd_min": "standard deviation of the block's end, minutes; NaN below 3 days",
    },
    compute=compute,
)
