"""Every column of every view in plain polars: what the views must give, line by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import polars.selectors as cs
from oracle_calls import abilities, durations, pace, volume
from oracle_contacts import contacts, dialling
from oracle_days import days
from oracle_frame import plain
from oracle_handsets import devices
from oracle_places import places

from simbox.features.context import CellTable, Context
from simbox.features.declaration import Measures, views
from simbox.features.events import Events
from simbox.identifiers import party

#: Fixed point: terms of 2^-20 bit, so an entropy is right to a few millionths.
ENTROPY_OFF = 5e-6
METRE = 1e-3  # km; positions are rounded to whole metres
RELATIVE = 1e-9


@dataclass(frozen=True)
class Facts:
    """What an oracle knows beyond the events."""

    stored: pl.DataFrame
    cells: CellTable | None = None

    @property
    def first(self) -> int:
        return int(self.stored["start"].to_numpy().min())

    @property
    def last(self) -> int:
        return int(self.stored["start"].to_numpy().max())

    @property
    def coordinates(self) -> pl.DataFrame | None:
        if self.cells is None:
            return None
        return pl.DataFrame(
            {"place": self.cells.place, "lat": self.cells.lat, "lon": self.cells.lon}
        )


ORACLES: Mapping[str, Callable[[pl.DataFrame, Facts], pl.DataFrame]] = {
    "contacts": lambda events, _: contacts(events),
    "days": lambda events, facts: days(events, facts.first, facts.last),
    "devices": lambda events, _: devices(events),
    "dialling": lambda events, _: dialling(events),
    "durations": lambda events, _: durations(events),
    "pace": lambda events, _: pace(events),
    "places": lambda events, facts: places(events, facts.coordinates),
    "volume": lambda events, facts: volume(events).join(abilities(events, facts.stored), on="line"),
}


def expected(view: str, facts: Facts, events: pl.DataFrame | None = None) -> pl.DataFrame:
    """One row a line, sorted by line; counts that found nothing are zero."""
    events = plain(facts.stored) if events is None else events
    found = ORACLES[view](events, facts)
    whole = events.select("line").unique().join(found, on="line", how="left").sort("line")
    return whole.with_columns(cs.integer().fill_null(0))


def measured(view: str, buckets: Sequence[Events], context: Context) -> pl.DataFrame:
    """What a view gives for all lines, in the same form."""
    compute = next(v.compute for v in views() if v.name == view)
    frames = [as_frame(events, compute(events, context)) for events in buckets if events.lines]
    return pl.concat(frames).sort("line")


def as_frame(events: Events, measures: Measures) -> pl.DataFrame:
    columns = {name: np.ascontiguousarray(values) for name, values in measures.items()}
    return pl.DataFrame({"line": party(events.line_ids), **columns}).fill_nan(None)


def differences(
    got: pl.DataFrame, wanted: pl.DataFrame
) -> dict[str, list[tuple[int, object, object]]]:
    """For each column the lines that differ: line, what was measured, what was expected."""
    found = {}
    for name in wanted.columns:
        same = pl.Series(alike(name, got[name], wanted[name]))
        if not same.all():
            rows = zip(got["line"], got[name], wanted[name], same, strict=True)
            found[name] = [(line, a, b) for line, a, b, ok in rows if not ok]
    return found


def alike(
    name: str, got: pl.Series, wanted: pl.Series
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether values agree: integers exactly, floats closely, null only with null."""
    if got.dtype.is_integer() or got.dtype == pl.Boolean:
        exact = got.cast(pl.Float64) == wanted.cast(pl.Float64)
        return (exact & got.eq_missing(wanted.cast(got.dtype))).to_numpy()
    off = {"entropy": ENTROPY_OFF, "gyration": METRE}.get(name.split("_")[-2], 1e-9)
    a, b = got.cast(pl.Float64).to_numpy(), wanted.cast(pl.Float64).to_numpy()
    return np.isclose(a, b, rtol=RELATIVE, atol=off, equal_nan=True)
