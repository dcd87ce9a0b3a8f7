"""Links of lines through what they carry: handsets, serials, numbers bought together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simbox.features.segments import Index, group
from simbox.features.sites.pairs import Pairs, codes_of, distinct_codes, meeting
from simbox.features.sites.traffic import Floats, Traffic
from simbox.identifiers import Ids, digits_of

SERIAL = 10**6  # serials under one TAC
NEAR_SERIAL = 8
WIDE_SERIAL = 800
COPIED_LINES = 256  # a handset identity of more lines is a copied or invalid one
DUAL_NATS, SHARED_NATS = 1.5, 7.0  # two SIMs may be one owner's phone; three share a port
SERIAL_NATS = 3.5
NUMBER_NEAR = 16
NUMBER_NATS = 3.0


def uses(traffic: Traffic) -> tuple[Index, Index, Ids]:
    """Line and handset (index) of each distinct use, and the handsets' identities."""
    rows = np.flatnonzero(traffic.imei > 0)
    imei, index = np.unique(traffic.imei[rows], return_inverse=True)
    held = group(traffic.line[rows], index.astype(np.int64))
    return traffic.line[rows][held.first], index.astype(np.int64)[held.first], imei


@dataclass(frozen=True)
class Carried:
    """What some lines were used with: handsets and their serials, found once."""

    traffic: Traffic

    @cached_property
    def uses(self) -> tuple[Index, Index, Ids]:
        """See :func:`uses`."""
        return uses(self.traffic)

    @cached_property
    def serials(self) -> Index:
        """See :func:`serial_meetings`."""
        return serial_meetings(self)


def shared_handset(pairs: Pairs, carried: Carried) -> Floats:
    """Nats for lines that were used in one handset: more where three or more were."""
    line, imei, _ = carried.uses
    lines = carried.traffic.lines
    sizes = np.bincount(imei) if len(imei) else np.zeros(0, dtype=np.int64)
    told = np.zeros(len(pairs))
    for least, nats in ((2, DUAL_NATS), (3, SHARED_NATS)):
        usable = (sizes[imei] >= least) & (sizes[imei] <= COPIED_LINES)
        at = pairs.at(meeting(imei[usable], line[usable], line[usable], lines), lines)
        told[at[at >= 0]] = nats
    return told


def near_serials(pairs: Pairs, carried: Carried) -> Floats:
    """Nats for handsets whose serials left the factory together, where few others stand around."""
    told = np.zeros(len(pairs))
    at = pairs.at(carried.serials, carried.traffic.lines)
    told[at[at >= 0]] = SERIAL_NATS
    return told


def serial_meetings(carried: Carried) -> Index:
    """Codes of pairs of lines with neighbouring serials under one TAC."""
    line, imei, ids = carried.uses
    digits = digits_of(ids)
    order = np.argsort(digits, kind="stable")
    value = digits[order]
    wide = np.searchsorted(value, value + WIDE_SERIAL) - np.searchsorted(value, value - WIDE_SERIAL)
    crowded = wide > WIDE_SERIAL // 4
    found = [np.zeros(0, dtype=np.int64)]
    owner = group(imei)
    line_of = np.full(len(ids), -1, dtype=np.int64)
    line_of[imei[owner.first]] = line[owner.first]
    for step in range(1, NEAR_SERIAL + 1):
        a, b = value[:-step], value[step:]
        near = (b - a <= NEAR_SERIAL) & (a // SERIAL == b // SERIAL) & (a >= 0)
        near &= ~crowded[:-step]
        x, y = line_of[order[:-step][near]], line_of[order[step:][near]]
        found.append(codes_of(x, y, carried.traffic.lines))
    return distinct_codes(np.concatenate(found))


def number_blocks(pairs: Pairs, traffic: Traffic) -> Floats:
    """Nats for MSISDNs that stand beside each other, by how rare that is among these lines."""
    number = digits_of(traffic.keys)
    told = np.zeros(len(pairs))
    known = np.sort(number[number >= 0])
    if len(known) < 2:
        return told
    a, b = number[pairs.low], number[pairs.high]
    near = (a >= 0) & (b >= 0) & (np.abs(a - b) <= NUMBER_NEAR)
    around = np.searchsorted(known, a + NUMBER_NEAR * 50) - np.searchsorted(
        known, a - NUMBER_NEAR * 50
    )
    dense = around / 50.0  # others that stand so near by chance
    told[near] = np.clip(np.log(0.5 / np.maximum(dense[near] / 20, 0.01)), 0.0, NUMBER_NATS)
    return told


def number_meetings(traffic: Traffic) -> Index:
    """Codes of pairs of lines whose MSISDNs stand beside each other."""
    number = digits_of(traffic.keys)
    order = np.argsort(number, kind="stable")
    order = order[number[order] >= 0]
    value = number[order]
    found = [np.zeros(0, dtype=np.int64)]
    for step in (1, 2, 3, 4):
        near = value[step:] - value[:-step] <= NUMBER_NEAR
        found.append(codes_of(order[:-step][near], order[step:][near], traffic.lines))
    return np.concatenate(found)
