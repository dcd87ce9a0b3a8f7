"""The handsets and SIMs of a line, alone and against the other lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simbox.features.context import Context
from simbox.features.declaration import Measures, View
from simbox.features.events import Events
from simbox.features.segments import (
    Array,
    Groups,
    Index,
    Mask,
    boundaries,
    count,
    count_where,
    group_within,
)
from simbox.identifiers import (
    CHECK_SHIFT,
    CHECK_SV,
    IMEI_DIGITS,
    Ids,
    digits_of,
    handset,
    length_of,
    luhn_digit,
    party,
)
from simbox.store import line_hash
from simbox.tables import Kind


def compute(events: Events, context: Context) -> Measures:
    """Distinct handsets and SIMs, changes between handsets, and what other lines share."""
    lines = events.lines
    rows = np.flatnonzero(events.imei)
    calls = rows[events.event_type[rows] <= Kind.MTC]
    opens = np.flatnonzero(boundaries(events.line[rows], events.imei[rows]))
    runs = _Runs(events.line[rows[opens]], handset(events.imei[rows[opens]]), len(rows), opens)
    handsets = group_within(runs.line, runs.imei)
    owner = runs.line[handsets.first]
    hashes = line_hash(events.line_ids)
    shared = context.handsets
    return {
        "handsets": count(owner, lines),
        "handset_events": count(events.line[rows], lines),
        "handset_calls": count(events.line[calls], lines),
        "handset_changes": count_where(runs.line, runs.changed, lines),
        "handset_top": _top(runs, handsets, lines),
        **_invalid(events.imei[rows[opens[handsets.first]]], owner, lines),
        "sims": _sims(events),
        "handset_sims": np.maximum(shared.sims.of(hashes), 1),
        "handset_neighbours": shared.neighbours.of(hashes),
        "handset_overlaps": shared.overlapping_calls.of(hashes),
        "handset_turns": shared.turns.of(hashes),
    }


@dataclass(frozen=True)
class _Runs:
    """Successive events of a line on one handset, as one row."""

    line: npt.NDArray[np.int32]
    imei: Ids
    events: int
    opens: Index

    @property
    def sizes(self) -> Index:
        return np.diff(self.opens, append=self.events)

    @property
    def changed(self) -> Mask:
        changed = np.zeros(len(self.line), dtype=bool)
        changed[1:] = (self.line[1:] == self.line[:-1]) & (self.imei[1:] != self.imei[:-1])
        return changed


def _sims(events: Events) -> Index:
    rows = np.flatnonzero(events.imsi)
    runs = rows[boundaries(events.line[rows], events.imsi[rows])]
    sims = group_within(events.line[runs], party(events.imsi[runs]))
    return count(events.line[runs[sims.first]], events.lines)


def _top(runs: _Runs, handsets: Groups, lines: int) -> Ids:
    """The handset with most events; the smallest id where two tie."""
    top = np.zeros(lines, np.uint64)
    if len(handsets):
        sizes = np.add.reduceat(runs.sizes[handsets.order], handsets.starts)
        owner, imei = runs.line[handsets.first], runs.imei[handsets.first]
        order = np.lexsort((~imei, sizes, owner))
        last = order[np.append(boundaries(owner[order])[1:], True)]
        top[owner[last]] = imei[last]
    return top


def _invalid(imei: Ids, owner: Array, lines: int) -> Measures:
    return {
        "handsets_digits": count_where(owner, digits_of(imei) >= 0, lines),
        "handsets_invalid": count_where(owner, invalid_imei(imei), lines),
    }


def invalid_imei(imei: Ids) -> Mask:
    """IMEIs that no handset can carry: a wrong check digit, a zero TAC, one repeated digit.

    The check digit counts only when one was transmitted: signalling sends 0 in its place
    (TS 23.003 annex B), and an IMEISV has none.
    """
    value = digits_of(imei)
    told = value >= 0
    check = ((imei >> np.uint64(CHECK_SHIFT)) & np.uint64(15)).astype(np.int64)
    sent = (check > 0) & (check < CHECK_SV)
    repeated = np.zeros(len(imei), dtype=bool)
    for digit in range(10):
        repeated |= value == int(str(digit) * IMEI_DIGITS)
    wrong = sent & (check != luhn_digit(value))
    shape = (length_of(imei) != IMEI_DIGITS) | (value < 10**6) | repeated
    invalid: Mask = told & (wrong | shape)
    return invalid


VIEW = View(
    name="devices",
    doc="Handsets (IMEI) and SIMs (IMSI) of a line.",
    columns={
        "handsets": "distinct IMEIs",
        "handset_events": "events with an IMEI",
        "handset_calls": "calls with an IMEI",
        "handset_changes": "events on another IMEI than the event before",
        "handsets_digits": "distinct IMEIs whose digits are known",
        "handsets_invalid": "distinct IMEIs that no handset can carry, as first transmitted",
        "handset_top": "id of the IMEI with most events; the smallest where two tie",
        "sims": "distinct IMSIs",
        "handset_sims": "most SIMs (lines or IMSIs) seen in one of the line's handsets",
        "handset_neighbours": "other handsets next in serial to one of the line's, beyond those that "
        "the serials around it make likely",
        "handset_overlaps": "calls that overlap a call of another SIM on the same handset",
        "handset_turns": "times that a handset passed from another SIM to this line",
    },
    compute=compute,
)
