"""Moments as a source writes them: local, with an offset, or as seconds since some instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from simbox.ingest.cdr.clock import to_utc, zone_table
from simbox.ingest.cdr.profile import Time
from simbox.simulation.attempts import DAY_S

USUAL = "%Y-%m-%d %H:%M:%S"
_PER_SECOND = {"epoch": 1, "epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Clock:
    """How one profile writes the moments of one world."""

    rules: Time
    zone: str  # of the world
    first_day: date
    typed: bool  # Parquet: times are times unless the profile names a format

    def column(self, seconds: pl.Series, part: str = "start") -> pl.Series:
        """Moments, given in seconds since the world's first midnight, local.

        Args:
            seconds: null where there is no moment.
            part: 'start_date' or 'start_time' for half of it, else all of it.
        """
        wall = seconds.cast(pl.Int64) + (self.first_day - _EPOCH).days * DAY_S
        form = self.rules.formats[0] if self.rules.formats else USUAL
        if form in _PER_SECOND:
            return self._utc(wall) * _PER_SECOND[form]
        if form == "seconds":
            return wall - _moment(self.rules.base)
        if self.typed and not self.rules.formats and part == "start":
            return _local(wall)
        day, _, clock = form.partition(" ")
        return self._spelled(wall, {"start_date": day, "start_time": clock}.get(part, form))

    def _spelled(self, wall: pl.Series, form: str) -> pl.Series:
        if not form.endswith(("z", "Z")):
            return _local(wall).dt.strftime(form)
        utc = _local(self._utc(wall))
        if form.endswith("Z"):
            return utc.dt.strftime(form)
        return utc.dt.replace_time_zone("UTC").dt.convert_time_zone(self.zone).dt.strftime(form)

    def _utc(self, wall: pl.Series) -> pl.Series:
        known = wall.is_not_null()
        found = to_utc(wall.fill_null(0).to_numpy(), zone_table(self.zone)).utc
        return pl.select(pl.when(known).then(pl.Series(found))).to_series()


def _local(wall: pl.Series) -> pl.Series:
    return (wall * 1000).cast(pl.Datetime("ms"))


def _moment(base: str) -> int:
    """The instant that bare seconds count from, on the same wall clock."""
    return int((datetime.fromisoformat(base) - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001
