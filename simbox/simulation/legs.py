"""The legs that a carrier bills: one row for every served party of a call or text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from simbox.simulation.attempts import ABSENT, UNALLOCATED, Attempts, Bools, Ints

#: Causes with which the network never reached the called line, so that it has no leg.
UNREACHED = (ABSENT, UNALLOCATED)
NONE = -1  # the cell and handset of parties that have none here


@dataclass(frozen=True)
class Ends:
    """Cell (index in the country) and IMEI of one side of calls; NONE where it has none."""

    cell: Ints
    imei: Ints


@dataclass(frozen=True)
class DayOfLegs:
    """Calls and texts that start on one day.

    `calls`, ordered by start, then by the caller's number, then by the called one's:
    call UInt32 (0 and up on each day), a and b Int64 (parties), start Int64 (s since the world's
    first midnight, local), talk Int32 (s), answered Boolean, cause UInt8 (Q.850; 0 for texts),
    text Boolean, a_cell and b_cell Int32, a_imei and b_imei Int64 (NONE: not an own mobile line).
    """

    day: int
    calls: pl.DataFrame

    def slices(self, rows: int) -> Iterator[pl.DataFrame]:
        """The day's calls, so many at a time."""
        return self.calls.iter_slices(rows)


def calls_frame(made: Attempts, ends: tuple[Ends, Ends]) -> pl.DataFrame:
    """The table of calls that :class:`DayOfLegs` describes."""
    return pl.DataFrame(
        {
            "call": np.arange(len(made), dtype=np.uint32),
            "a": made.a,
            "b": made.b,
            "start": made.start.astype(np.int64),
            "talk": made.talk.astype(np.int32),
            "answered": (made.talk > 0) & ~made.text,
            "cause": made.cause.astype(np.uint8),
            "text": made.text,
            "a_cell": ends[0].cell.astype(np.int32),
            "a_imei": ends[0].imei,
            "b_cell": ends[1].cell.astype(np.int32),
            "b_imei": ends[1].imei,
        }
    )


def reached(b: Ints, cause: Ints) -> Bools:
    """Whether the called party is an own line that has a leg."""
    return np.asarray((b >= 0) & ~np.isin(cause, UNREACHED))


def legs(calls: pl.DataFrame) -> pl.DataFrame:
    """One row a served party, in the order of the calls: the caller's leg, then the called one's.

    Columns: line UInt32, outgoing Boolean, other Int64 (party), start Int64, talk Int32, answered
    Boolean, cause UInt8, text Boolean, cell Int32, imei Int64.

    Args:
        calls: some or all rows of a :class:`DayOfLegs`.
    """
    a, b = calls["a"].to_numpy(), calls["b"].to_numpy()
    served = np.empty(2 * len(a), dtype=bool)
    served[0::2] = a >= 0
    served[1::2] = reached(b, calls["cause"].to_numpy())
    row = np.flatnonzero(served)
    call, outgoing = row >> 1, row & 1 == 0
    taken = calls.select("start", "talk", "answered", "cause", "text")[call]
    return pl.DataFrame(
        {
            "line": np.where(outgoing, a[call], b[call]).astype(np.uint32),
            "outgoing": outgoing,
            "other": np.where(outgoing, b[call], a[call]),
            **{name: taken[name] for name in taken.columns},
            "cell": _either(calls, "cell", call, outgoing),
            "imei": _either(calls, "imei", call, outgoing),
        }
    )


def _either(calls: pl.DataFrame, what: str, call: Ints, outgoing: Bools) -> Ints:
    a, b = calls[f"a_{what}"].to_numpy(), calls[f"b_{what}"].to_numpy()
    return np.where(outgoing, a[call], b[call])
