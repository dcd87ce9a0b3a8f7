"""Records found in a stretch of a capture file, and the damage at which reading stops."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets.columns import Index, Octets

WORTH_A_SEARCH = 1 << 16  # octets of a stretch in which a search is faster than a walk
LONGEST_RECORD = 1 << 18  # octets of the longest frame that capture programs write


@dataclass(frozen=True)
class Damage:
    """Where a capture file stops being one, and how that shows."""

    position: int  # octets from its beginning, of the unpacked file
    reason: str

    def __str__(self) -> str:
        return f"damaged at byte {self.position}: {self.reason}"


@dataclass(frozen=True)
class Records:
    """Columns of the records in a stretch, one element a record."""

    start: Index
    captured: Index
    wire: Index
    time: Index
    number: Index  # from 0 at the first record of the stretch
    link: npt.NDArray[np.uint16]

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """The records of several parts, in their order."""
        if len(parts) == 1:
            return parts[0]
        names = [f.name for f in fields(cls)]
        return cls(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})


@dataclass(frozen=True)
class Found:
    """What a walk through a stretch found."""

    records: Records | None
    numbers: int  # frame numbers given in the stretch
    after: int  # where in the stretch the first record begins that is not whole
    needed: int = 0  # octets of that record, where its header tells
    damage: str = ""  # why the record at ``after`` cannot be one


class Format(Protocol):
    """A capture file format: a walk from record to record."""

    name: str

    def walk(self, data: Octets, end: int) -> Found:
        """The whole records of a stretch that begins with a record and has ``end`` octets."""
        ...


def chained(at: Index, after: Index, end: int) -> tuple[Index, int]:
    """The candidates that are the first whole records of a stretch, and where the next begins.

    As far as each candidate ends where the next one begins, from the first octet on, they are the
    records: by induction exactly those that a walk from one to the next would find.

    Args:
        at: where something begins that looks like a record, ascending.
        after: where it ends.
        end: octets of the stretch.
    """
    if (at[1:] != after[:-1]).any():
        led_to = np.isin(at, after)  # what no other candidate leads to lies within a frame
        led_to[:1] = True
        at, after = at[led_to], after[led_to]
    if not len(at) or at[0] != 0:
        return at[:0], 0
    broken = np.flatnonzero(at[1:] != after[:-1])
    count = int(broken[0]) + 1 if len(broken) else len(at)
    if after[count - 1] > end:
        count -= 1
    return at[:count], int(after[count - 1]) if count else 0
