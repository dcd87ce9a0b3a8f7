"""Who of a site calls when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from simbox.outputs.svg_turns import turns_chart
from simbox.outputs.turns import STEPS, turns
from simbox.tables import EVENTS

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
WIDE = 400


def call(line: str, hours: float, **columns: object) -> dict[str, object]:
    start = MIDNIGHT + timedelta(hours=hours)
    return {"line": line, "event_type": "MOC", "start": start, "duration_s": 30,
            "other": f"99914{round(hours * 3600):07d}", "utc_offset_min": 0,
            "source": "x.csv", "row": round(hours * 3600)} | columns  # fmt: skip


def events(*rows: dict[str, object]) -> pl.DataFrame:
    return EVENTS.conform(pl.DataFrame(list(rows), schema=None, infer_schema_length=None))


def test_every_call_out_stands_in_its_line_day_and_step() -> None:
    found = turns(events(call("A", 9.1), call("A", 9.15), call("B", 33.2), call("B", 35)), WIDE)
    assert found is not None
    assert (found.lines, found.begin_hour, found.step_min) == (("A", "B"), 9, 10)
    assert [str(day) for day in found.days] == ["2026-03-02", "2026-03-03"]
    assert found.out.sum() == 4
    assert (found.out[0, 0, 0], found.out[1, 1, 1], found.out[1, 1, 12]) == (2, 1, 1)
    assert found.at_work[1].tolist().count(1) == 2


def test_row_that_the_files_hold_twice_counts_once() -> None:
    found = turns(events(call("A", 9), call("A", 9, row=7), call("B", 9)), WIDE)
    assert found is not None
    assert found.out.sum() == 2


def test_night_shift_is_one_day_that_begins_in_the_evening() -> None:
    found = turns(events(*(call("A", 22 + n) for n in range(6))), WIDE)
    assert found is not None
    assert (found.begin_hour, len(found.days), found.beyond) == (22, 1, 0)
    assert str(found.days[0]) == "2026-03-02"


def test_calls_far_from_the_shift_are_counted_apart() -> None:
    busy = [call("A", 9 + n / 200) for n in range(400)]
    found = turns(events(*busy, call("A", 3)), WIDE)
    assert found is not None
    assert (found.begin_hour, found.steps * found.step_min, found.beyond) == (9, 120, 1)


def test_lines_of_one_handset_stand_beside_each_other() -> None:
    rows = [
        call("A", 9, imei="1" * 14), call("B", 9.5, imei="2" * 14), call("C", 12, imei="1" * 14),
        call("D", 8, event_type="MTC", imei="3" * 14), call("D", 13, imei="3" * 14),
    ]  # fmt: skip
    found = turns(events(*rows), WIDE)
    assert found is not None
    assert found.lines == ("A", "C", "B", "D")


@pytest.mark.parametrize(("room", "step"), [(400, 10), (109, 10), (108, 15), (73, 15), (37, 30)])
def test_steps_are_the_finest_in_which_all_days_fit(room: int, step: int) -> None:
    every = [call("A", day * 24 + 9 + n) for day in range(2) for n in range(9)]
    found = turns(events(*every), room)
    assert found is not None
    assert (found.step_min, len(found.days)) == (step, 2)
    assert len(found.days) * (found.steps + 1) - 1 <= room


def test_where_not_all_days_fit_the_last_ones_are_shown() -> None:
    every = [call("A", day * 24 + 9 + n) for day in range(5) for n in range(9)]
    found = turns(events(*every), 20)
    assert found is not None
    assert (found.step_min, [day.day for day in found.days]) == (STEPS[-1], [5, 6])
    assert found.beyond == 27


def test_site_that_never_calls_has_no_chart() -> None:
    assert turns(events(call("A", 9, event_type="MTC")), WIDE) is None
    assert turns(EVENTS.empty(), WIDE) is None


def test_drawing_has_a_mark_for_each_cell_and_names_only_the_lines_that_it_shows() -> None:
    rows = [call("A", 9), call("B", 10), call("<C>", 11), call("D", 12, event_type="MTC")]
    found = turns(events(*rows), WIDE)
    assert found is not None
    drawn = turns_chart(found, 3)
    assert "&lt;C&gt;" in drawn
    assert "<C>" not in drawn
    assert "and 1 more" in drawn
    shade = drawn.split('class="h5" d="')[1].split('"')[0]
    assert shade.count("M") == 3
