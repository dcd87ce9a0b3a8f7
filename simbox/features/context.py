"""What a view may know beyond its own bucket: the period, the feeds, shared handsets, cells."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simbox.features.segments import Array, Index
from simbox.identifiers import Ids
from simbox.store import DAY_S, Feed
from simbox.tables import Kind


@dataclass(frozen=True)
class CellTable:
    """Coordinates of cells, sorted by the id of the place."""

    place: Ids
    lat: npt.NDArray[np.float64]  # degrees
    lon: npt.NDArray[np.float64]  # degrees

    def find(self, place: Ids) -> Index:
        """The row of each place, -1 where the table does not have it."""
        if not len(self.place):
            return np.full(len(place), -1)
        at = np.minimum(np.searchsorted(self.place, place), len(self.place) - 1)
        return np.where(self.place[at] == place, at, -1)


@dataclass(frozen=True)
class LineCounts:
    """A count for some lines, sorted by the hash of the line; zero for all others."""

    hashes: Ids = field(default_factory=lambda: np.zeros(0, np.uint64))
    values: Index = field(default_factory=lambda: np.zeros(0, np.int64))

    def of(self, hashes: Ids) -> Index:
        """The count of each line."""
        if not len(self.hashes):
            return np.zeros(len(hashes), np.int64)
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[at] == hashes, self.values[at], 0)


@dataclass(frozen=True)
class Handsets:
    """What crosses lines about handsets: who shares one, and how it is passed around."""

    sims: LineCounts = field(default_factory=LineCounts)
    neighbours: LineCounts = field(default_factory=LineCounts)
    overlapping_calls: LineCounts = field(default_factory=LineCounts)
    turns: LineCounts = field(default_factory=LineCounts)


@dataclass(frozen=True)
class Context:
    """The facts of a run that every bucket is measured against."""

    first: int  # UTC seconds of the first event of the data
    last: int
    feeds: tuple[Feed, ...] = ()
    handsets: Handsets = field(default_factory=Handsets)
    cells: CellTable | None = None

    @property
    def window_days(self) -> float:
        """Length of the data in days, at least one second."""
        return max(self.last - self.first, 1) / DAY_S

    def abilities(self) -> dict[str, Array]:
        """For each ability, whether each feed has it."""
        counts = {
            "incoming": [f.count(Kind.MTC) for f in self.feeds],
            "attempts": [f.count(Kind.MOC, Kind.NO) for f in self.feeds],
            "offered": [f.count(Kind.MTC, Kind.NO) for f in self.feeds],
            "sms": [f.count(Kind.SMS_MT) for f in self.feeds],
            "sms_out": [f.count(Kind.SMS_MO) for f in self.feeds],
            "causes": [f.causes for f in self.feeds],
        }
        return {name: np.array(values) > 0 for name, values in counts.items()}
