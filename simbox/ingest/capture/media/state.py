"""The state of active RTP streams: a numpy table of which a row is a stream."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets.columns import Index

CLOCKS = (8000, 16000, 48000, 90000)  # of dynamic payload types, each measured: none is told
UNIT = 10  # deviations are held in 2 ** UNIT billionths of a tick
KINDS, SIZES, STEPS = 6, 8, 6  # distinct values counted apart, the first to appear

STATE = np.dtype(
    [
        ("key", np.uint64),
        ("src", np.uint64),
        ("dst", np.uint64),
        ("first_time", np.int64),
        ("last_time", np.int64),
        ("first_frame", np.int64),
        ("last_frame", np.int64),
        ("packets", np.int64),
        ("octets", np.int64),
        ("extended", np.int64),  # number of the last packet, unwrapped, less the first
        ("highest", np.int64),  # the highest of these
        ("late", np.int64),
        ("markers", np.int64),
        ("jitter", np.float64, (len(CLOCKS),)),  # in the units of deviation
        ("deviation", np.int64, (len(CLOCKS),)),  # sum of |D|
        ("ssrc", np.uint32),
        ("stamp", np.uint32),  # of the last packet
        ("size", np.int32, (SIZES,)),
        ("size_count", np.int32, (SIZES,)),
        ("step", np.int32, (STEPS,)),
        ("step_count", np.int32, (STEPS,)),
        ("shape", np.int32, (KINDS,)),  # twice the payload type, plus one for four octets
        ("shape_count", np.int32, (KINDS,)),
        ("clock", np.int32),  # by the first payload type; 0 measures all of CLOCKS
        ("near", np.int32),  # steps while in probation that an RTP stream could make
        ("good", np.int16),  # of them in the present block: plus one or a repeat
        ("progress", np.int16),  # of them in the present block: plus one
        ("kind", np.int16),  # payload type of the last packet
        ("sequence", np.uint16),  # of the last packet
        ("first_sequence", np.uint16),
        ("sport", np.uint16),
        ("dport", np.uint16),
        ("depth", np.uint8),
        ("active", np.bool_),
        ("confirmed", np.bool_),
        ("announced", np.bool_),
    ]
)
RECORD = f"V{STATE.itemsize}"
GROWTH = 1024  # rows to begin with


class StreamRows:
    """Rows of STATE that are taken and given back; the table grows as rows are needed."""

    def __init__(self) -> None:
        self.rows: npt.NDArray[Any] = np.zeros(GROWTH, STATE)
        self._free: list[int] = []
        self._used = 0

    def __len__(self) -> int:
        return self._used - len(self._free)

    def new(self) -> int:
        """A row that nothing uses."""
        if self._free:
            return self._free.pop()
        self._used += 1
        if self._used > len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros(len(self.rows), STATE)])
        return self._used - 1

    def begin(self, rows: Index, **values: npt.NDArray[Any]) -> None:
        """Make rows those of streams without a packet yet."""
        fresh = np.zeros(len(rows), STATE)
        fresh["active"] = True
        for name in ("highest", "size", "step", "shape"):
            fresh[name] = -1
        for name, column in values.items():
            fresh[name] = column
        self.rows[rows] = fresh

    def give_back(self, rows: Index) -> None:
        self.rows["active"][rows] = False
        self._free.extend(rows.tolist())

    def load(self, rows: Index) -> npt.NDArray[Any]:
        """A copy of some rows."""
        return self.rows.view(RECORD).take(rows).view(STATE)

    def save(self, rows: Index, states: npt.NDArray[Any]) -> None:
        self.rows.view(RECORD)[rows] = states.view(RECORD)

    def idle(self, since: int, *, doubtful: bool = False) -> Index:
        """Active rows without a packet since a time; of doubtful ones only those in probation."""
        rows = self.rows[: self._used]
        idle = rows["active"] & (rows["last_time"] <= since)
        if doubtful:
            idle &= ~(rows["confirmed"] | rows["announced"])
        return np.flatnonzero(idle)


def starts(groups: Index) -> Index:
    """Where each group begins in sorted numbers of groups."""
    change = np.ones(len(groups), np.bool_)
    np.not_equal(groups[1:], groups[:-1], out=change[1:])
    return np.flatnonzero(change)


def tally(states: npt.NDArray[Any], name: str, group: Index, values: npt.NDArray[np.int32]) -> None:
    """Count the values of each group in the slots of its state.

    A value takes the next free slot when it first appears, so that the outcome depends on the order
    of the packets only; what comes when all slots are taken is not counted.

    Args:
        states: rows of STATE, changed in place.
        name: the column of slots; counts are in the column of that name with _count.
        group: row in states of each value, ascending, in the order of packets within a group.
        values: not negative.
    """
    slots, counts = states[name], states[f"{name}_count"]
    for slot in range(slots.shape[1]):
        if not len(group):
            return
        first = starts(group)
        which = group[first]
        taken = slots[:, slot].copy()
        empty = taken[which] < 0
        if empty.any():
            taken[which[empty]] = values[first[empty]]
            slots[:, slot] = taken
        miss = np.flatnonzero(taken[group] != values)
        counts[which, slot] += np.diff(first, append=len(group)).astype(np.int32)
        group, values = group[miss], values[miss]
        if len(miss):
            counts[:, slot] -= np.bincount(group, minlength=len(states)).astype(np.int32)
