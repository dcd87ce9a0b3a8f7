"""The order in which a line dials: consecutive numbers, shared blocks, ascending lists."""

from __future__ import annotations

import numpy as np

from simbox.features.context import Context
from simbox.features.declaration import Measures, View
from simbox.features.events import Events
from simbox.features.segments import count_where
from simbox.features.views.contacts import BLOCK_DIGITS
from simbox.identifiers import digits_of, length_of

NEAR = 100  # consecutive numbers at most so far apart count as a sequence (CN106657549B)


def compute(events: Events, context: Context) -> Measures:
    """Steps from one called number to the next of the same length."""
    moc, lines = events.moc, events.lines
    number = digits_of(events.other[moc])
    known = np.flatnonzero(number >= 0)
    rows, number = moc[known], number[known]
    line, length = events.line[rows], length_of(events.other[rows])
    if len(rows) < 2:
        zero = np.zeros(lines, np.int64)
        return dict.fromkeys(VIEW.columns, zero)
    step = number[1:] - number[:-1]
    next_number = (line[1:] == line[:-1]) & (step != 0)
    alike = next_number & (length[1:] == length[:-1]) & (length[1:] > BLOCK_DIGITS + 2)
    owner = line[1:]
    block = number // 10**BLOCK_DIGITS
    return {
        "dial_steps": count_where(owner, alike, lines),
        "dial_near": count_where(owner, alike & (np.abs(step) <= NEAR), lines),
        "dial_same_block": count_where(owner, alike & (block[1:] == block[:-1]), lines),
        "dial_up": count_where(owner, alike & (step > 0), lines),
    }


VIEW = View(
    name="dialling",
    doc="Steps from one called number to the next.",
    columns={
        "dial_steps": "outgoing calls to another number of the same length than the call before",
        "dial_near": f"those at most {NEAR} apart",
        "dial_same_block": "those that differ in the last four digits only",
        "dial_up": "those to a larger number",
    },
    compute=compute,
)
