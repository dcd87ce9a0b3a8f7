"""The records of a world: its legs or calls, day by day, in the files of a profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from simbox.errors import UsageError
from simbox.simulation.attempts import DAY_S
from simbox.simulation.legs import DayOfLegs, legs
from simbox.simulation.world import World
from simbox.simulation.writing.carried import Carried, carried
from simbox.simulation.writing.files import SLICE_ROWS, Sheet
from simbox.simulation.writing.identities import as_read
from simbox.simulation.writing.rows import Writing

BY_LINE = "cdr"  # folder of the files of a profile that has one a line
MOST_FILES = 5_000  # of such a profile
_LEGS_A_CALL = 2  # at most
_DAY_REFERENCES = 10**9  # calls of one day have references below
_NUMBER_BITS = 47  # room for fourteen digits


@dataclass
class Tally:
    """What was written."""

    files: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)  # calls, texts, rows
    left_out: Counter[str] = field(default_factory=Counter)  # by what the profile has no word for


@dataclass(frozen=True)
class Records:
    """A world on its way into files."""

    world: World
    writing: Writing
    sheet: Sheet
    tally: Tally = field(default_factory=Tally)

    def write(self, folder: Path) -> Tally:
        """Write all days; the names of the files, and counts.

        Raises:
            UsageError: the profile has one file a line, and the world too many lines.
        """
        if self.sheet.profile.line_from_file:
            return self._write_by_line(folder)
        for day in self.world.days():
            for stem, events in self._parts(day):
                self._write(events, folder, stem)
        return self.tally

    def _write(self, events: pl.DataFrame, folder: Path, stem: str) -> None:
        rows = self.writing.rows(events)
        self.tally.files.append(self.sheet.write(rows, folder, stem))
        self.tally.counts["rows"] += rows.height

    def _parts(self, day: DayOfLegs) -> Iterator[tuple[str, pl.DataFrame]]:
        """Name of a file and the legs or calls it holds, by time; the parts of a day."""
        can = carried(self.writing.profile, self.writing.columns)
        size = SLICE_ROWS // _LEGS_A_CALL if can.served else SLICE_ROWS
        stem = f"cdr_{self.world.plan.first_day + timedelta(days=day.day):%Y%m%d}"
        if day.calls.height <= size:
            yield stem, self._carried(day.calls, day.day, can)
            return
        for number, calls in enumerate(day.slices(size), 1):
            yield f"{stem}_{number:02d}", self._carried(calls, day.day, can)

    def _carried(self, calls: pl.DataFrame, day: int, can: Carried) -> pl.DataFrame:
        """The events that some calls of a day are to this profile."""
        texts = int(calls["text"].sum())
        self.tally.counts += Counter(calls=calls.height - texts, texts=texts)
        if can.served:
            events = self._by_time(legs(calls), day * DAY_S)
        else:
            events = calls.with_columns(pl.col("call").cast(pl.Int64) + day * _DAY_REFERENCES)
        kept, left_out = can.sift(events)
        self.tally.left_out += left_out
        return kept

    def _by_time(self, served: pl.DataFrame, midnight: int) -> pl.DataFrame:
        """Legs by start, then by the served number: an order that pairs no legs."""
        second = (served["start"].to_numpy() - midnight).astype(np.uint64)
        number = self.world.lines["number"].to_numpy()[served["line"].to_numpy()]
        key = (second << np.uint64(_NUMBER_BITS)) | number.astype(np.uint64)
        return served[np.argsort(key, kind="stable")]

    def _write_by_line(self, folder: Path) -> Tally:
        """A file for every line that has any records."""
        lines = self.world.lines.height
        if lines > MOST_FILES:
            raise UsageError(
                f"profile {self.sheet.profile.name}: one file a line, and the world has "
                f"{lines:,} lines; ask for less than {MOST_FILES:,}, or for another profile"
            )
        days = [events for day in self.world.days() for _, events in self._parts(day)]
        names = as_read(self.writing.identities, self.world.lines)
        below = folder / BY_LINE
        below.mkdir()
        for events in pl.concat(days).partition_by("line", maintain_order=True):
            self._write(events, below, names[events["line"][0]])
        self.tally.files[:] = [f"{BY_LINE}/{name}" for name in sorted(self.tally.files)]
        return self.tally
