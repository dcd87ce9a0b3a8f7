from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from event_tables import (
    BASE,
    CELLS,
    LINES,
    Kind,
    cell_table,
    context_for,
    digits,
    event_tables,
    events_of,
    kind,
    realistic,
    table,
)
from hypothesis import given, settings
from oracle import ORACLES, Facts, differences, expected, measured

from simbox.features.context import CellTable, Context
from simbox.features.declaration import COMMON, views

EVENT = ("line", "start", "duration", pl.col("kind") % 4, pl.col("other") % (1 << 60))


def test_every_column_of_every_view_has_an_oracle() -> None:
    tiny = realistic(200)
    missing = {
        view.name: set(view.columns) - set(expected(view.name, Facts(tiny)).columns)
        for view in views()
    }
    assert missing == {view.name: set() for view in views()}


def test_every_view_gives_the_columns_that_it_declares_and_no_others() -> None:
    tiny = realistic(200)
    context = context_for(tiny)
    given = {view.name: set(view.compute(events_of(tiny), context)) for view in views()}
    declared = {view.name: set(view.columns) for view in views()}
    declared["volume"] |= {name for name in COMMON if name.startswith("can_")}
    assert given == declared


@pytest.mark.parametrize("cells", [None, cell_table(CELLS)], ids=["no cells", "cells"])
@pytest.mark.parametrize("view", ["places"])
def test_places_agree_with_and_without_coordinates(view: str, cells: CellTable | None) -> None:
    stored = realistic(400, lines=9)
    got = measured(view, [events_of(stored)], context_for(stored, cells))
    assert differences(got, expected(view, Facts(stored, cells))) == {}


@pytest.mark.parametrize("view", ORACLES)
def test_a_view_agrees_with_its_oracle_on_awkward_tables(view: str) -> None:
    cells = cell_table(CELLS)

    @settings(max_examples=25)
    @given(event_tables())
    def agrees(stored: pl.DataFrame) -> None:
        if view == "devices":  # of repeats that name two handsets both count as uses of theirs
            stored = stored.filter(pl.struct(*EVENT).is_first_distinct())
        got = measured(view, [events_of(stored)], context_for(stored, cells))
        assert differences(got, expected(view, Facts(stored, cells))) == {}

    agrees()


@pytest.mark.parametrize("view", ORACLES)
@pytest.mark.parametrize("event_type", [Kind.MOC, Kind.MTC, Kind.SMS_MO, Kind.SMS_MT])
def test_a_view_agrees_on_a_line_of_a_single_event(view: str, event_type: int) -> None:
    duration = 30 if event_type <= Kind.MTC else -1
    row = {"line": LINES[0], "start": BASE, "duration": duration, "kind": kind(event_type, 1)}
    stored = table([row])
    got = measured(view, [events_of(stored)], context_for(stored))
    assert differences(got, expected(view, Facts(stored))) == {}


@pytest.mark.parametrize("view", views(), ids=lambda view: view.name)
def test_a_view_of_no_events_has_no_rows(view: object) -> None:
    nothing = view.compute(events_of(table([])), Context(0, 0))  # type: ignore[attr-defined]
    assert {name for name, column in nothing.items() if len(column)} == set()


@pytest.mark.parametrize("view", ["contacts", "volume", "pace", "days", "dialling"])
def test_a_pair_of_thousands_of_events_is_counted_in_full(view: str) -> None:
    busy = {"line": LINES[0], "other": digits("999555000007"), "kind": kind(Kind.MOC, Kind.NO)}
    rare = {"line": LINES[1], "other": digits("999555000007"), "kind": kind(Kind.MTC, Kind.YES)}
    stored = table([*(busy | {"start": BASE + 7 * n} for n in range(5000)), rare | {"start": BASE}])
    got = measured(view, [events_of(stored)], context_for(stored))
    assert differences(got, expected(view, Facts(stored))) == {}


def test_an_overlap_of_a_call_in_parts_counts_once() -> None:
    imei = {"imei": digits("35209900176148"), "duration": 900}
    part = kind(Kind.MOC, Kind.YES, part=True)
    rows = [
        *({"line": LINES[0], "start": BASE + 900 * n, "kind": part} | imei for n in range(3)),
        {"line": LINES[1], "start": BASE + 10, "kind": kind(Kind.MOC, 1)}
        | imei
        | {"duration": 2600},
    ]
    stored = table(rows)
    got = measured("devices", [events_of(stored)], context_for(stored))
    assert got["handset_calls"].to_list() == [1, 1]
    assert got["handset_overlaps"].to_list() == [1, 1]


def test_the_period_of_the_data_is_what_the_context_says() -> None:
    stored = realistic(200)
    context = replace(context_for(stored), first=BASE - 100, last=BASE + 10**6)
    got = measured("days", [events_of(stored)], context)
    assert (got["after_start_s"] == got["first_s"] - BASE + 100).all()
    assert (got["before_end_s"] == BASE + 10**6 - got["last_s"]).all()
