"""How fast a line calls: idle gaps, the busiest hour, and calls at the same time."""

from __future__ import annotations

import numpy as np

from simbox.features.context import Context
from simbox.features.declaration import Measures, View, nan_where
from simbox.features.events import Events
from simbox.features.segments import (
    Array,
    Index,
    count,
    count_where,
    median,
    most_at_once,
    running_max,
    total,
)
from simbox.tables import Kind

HOUR_S = 3_600
SESSION_GAP_S = 3_600  # a longer pause ends a session and is not an idle gap
BACK_TO_BACK_S = 30


def compute(events: Events, context: Context) -> Measures:
    """Gaps between outgoing calls, the busiest rolling hour, and concurrency."""
    return {
        **_gaps(events),
        **_busiest_hour(events, events.moc, "moc"),
        **_busiest_texts(events),
        "at_once": _at_once(events),
    }


def _gaps(events: Events) -> Measures:
    moc, lines = events.moc, events.lines
    if len(moc) < 2:
        moc = moc[:0]
    line = events.line[moc]
    pair = line[1:] == line[:-1]
    owner = line[1:][pair].astype(np.int64)
    gap = np.maximum((events.start[moc][1:] - events.end[moc][:-1])[pair], 0)
    inside = gap < SESSION_GAP_S
    owner_in, gap_in = owner[inside], gap[inside]
    gaps = count(owner_in, lines)
    sums, squares = total(owner_in, gap_in, lines), total(owner_in, gap_in**2, lines)
    variance = (gaps * squares - sums**2) / np.maximum(gaps * (gaps - 1), 1)
    few = (gaps < 3) | (sums == 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.maximum(variance, 0)) * gaps / sums
    return {
        "successions": count(owner, lines),
        "gaps": gaps,
        "gap_median_s": median(owner_in, gap_in, lines),
        "gap_cv": nan_where(few, spread),
        "back_to_back_calls": count_where(owner, gap <= BACK_TO_BACK_S, lines),
    }


def _window_starts(line: Array, start: Array) -> Index:
    """For each row the first row of its line within the hour before it."""
    base = int(start.min()) - HOUR_S
    span = np.int64(int(start.max()) - base + 1)
    lifted = line.astype(np.int64) * span + (start - base)
    opened: Index = np.searchsorted(lifted, lifted - (HOUR_S - 1), side="left")
    return opened


def _busiest_hour(events: Events, rows: Index, prefix: str) -> Measures:
    if not len(rows):
        zero = np.zeros(events.lines, np.int64)
        return {f"{prefix}_hour_max": zero, f"{prefix}_hour_talk_s": zero}
    line, start = events.line[rows], events.start[rows]
    opened = _window_starts(line, start)
    calls = np.arange(1, len(rows) + 1) - opened
    talked = np.where(events.answer[rows] == Kind.NO, 0, np.maximum(events.duration[rows], 0))
    talk = np.concatenate([[0], np.cumsum(talked, dtype=np.int64)])
    seconds = talk[1:] - talk[opened]
    return {
        f"{prefix}_hour_max": _segment_max(line, calls, events.lines),
        f"{prefix}_hour_talk_s": _segment_max(line, seconds, events.lines),
    }


def _busiest_texts(events: Events) -> Measures:
    rows = np.flatnonzero(events.event_type == Kind.SMS_MO)
    return {"sms_mo_hour_max": _busiest_hour(events, rows, "sms")["sms_hour_max"]}


def _segment_max(line: Array, values: Array, lines: int) -> Index:
    first = np.flatnonzero(np.concatenate([[True], line[1:] != line[:-1]]))
    result = np.zeros(lines, np.int64)
    result[line[first]] = np.maximum.reduceat(values, first)
    return result


def _at_once(events: Events) -> Index:
    """Most simultaneous calls of each line; only lines with any overlap are swept."""
    rows = np.flatnonzero((events.event_type <= Kind.MTC) & (events.duration > 0))
    result = np.zeros(events.lines, np.int64)
    if not len(rows):
        return result
    line = events.line[rows].astype(np.int64)
    base = int(events.start[rows].min())
    start, end = events.start[rows] - base, events.end[rows] - base
    result[line] = 1
    latest = running_max(line, end, int(end.max()))
    overlaps = (line[1:] == line[:-1]) & (start[1:] < latest[:-1])
    busy = np.zeros(events.lines, dtype=bool)
    busy[line[1:][overlaps]] = True
    swept = busy[line]
    most = most_at_once(line[swept], start[swept], end[swept], events.lines)
    return np.maximum(result, most)


VIEW = View(
    name="pace",
    doc="The tempo of a line's outgoing calls.",
    columns={
        "successions": "outgoing calls that follow another",
        "gaps": f"idle gaps below {SESSION_GAP_S} s between outgoing calls",
        "gap_median_s": "median of those gaps, seconds",
        "gap_cv": "their standard deviation over their mean; NaN below three gaps",
        "back_to_back_calls": f"outgoing calls within {BACK_TO_BACK_S} s of the last one's end",
        "moc_hour_max": "most outgoing calls in any rolling hour",
        "moc_hour_talk_s": "most seconds talked in calls that start in one rolling hour",
        "sms_mo_hour_max": "most texts sent in any rolling hour",
        "at_once": "most calls of the line at the same time",
    },
    compute=compute,
)
