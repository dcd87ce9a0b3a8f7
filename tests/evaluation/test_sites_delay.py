from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from small_store import DAY, HOUR, MIDNIGHT, call, store, table

from simbox.evaluation.inputs import RunInput
from simbox.evaluation.sites_delay import DELAYS, delays_of, first_reports, site_delays, summary
from simbox.tables import UTC as UTC_TYPE
from simbox.tables import Kind

CLASSIC, SHIFT = "gateway/classic", "gateway/shift"
A, B, C, D = "999130000001", "999130000002", "999130000003", "999130000004"
PERSON = "999130000009"
ZERO = datetime.fromtimestamp(MIDNIGHT, UTC)


def truth() -> pl.DataFrame:
    rows = [(A, CLASSIC, "a"), (B, CLASSIC, "a"), (C, SHIFT, "c"), (D, SHIFT, "c"),
            (PERSON, "ordinary/person", None)]  # fmt: skip
    return pl.DataFrame(rows, schema=["line", "kind", "room"], orient="row")


def sites(*rows: tuple[int, str, str, Sequence[str]]) -> pl.DataFrame:
    """Rows of hour, id, status, members."""
    told = [(ZERO + timedelta(hours=h), site, status, 1.0, [*m]) for h, site, status, m in rows]
    schema = {"hour": UTC_TYPE, "id": pl.String, "status": pl.String, "score": pl.Float64,
              "lines": pl.List(pl.String)}  # fmt: skip
    return pl.DataFrame(told, schema=schema, orient="row")


def test_a_room_is_reported_at_the_first_hour_an_alert_stands_for_it() -> None:
    found = sites(
        (9, "X", "watch", [A, B]),
        (10, "X", "alert", [A, PERSON]),
        (11, "X", "alert", [A, B, PERSON]),
        (12, "Y", "alert", [A, B]),
    )
    reports = first_reports(found, truth())
    assert reports.rows() == [("a", ZERO + timedelta(hours=11))]


def test_traffic_is_counted_in_quarters_of_an_hour_with_calls_of_any_line(tmp_path: Path) -> None:
    rows = [
        call(A, 8 * HOUR, 60),
        call(B, 8 * HOUR + 300, 60),  # the same quarter
        call(B, 9 * HOUR, 1_000),  # two quarters
        call(A, 9 * HOUR + 600, 0) | {"kind": Kind.MTC},  # nothing that it does itself
        call(A, 10 * HOUR + 3_500, 600),  # not over at 11
        call(A, DAY, 60),
        call(C, 8 * HOUR, 60),
        call(D, DAY, 60),
        call(PERSON, 8 * HOUR + 1_800, 60),
    ]
    kept = store(tmp_path / "store", table(rows), buckets=2)
    told = delays_of(sites((11, "X", "alert", [A, B])), truth(), kept)
    assert told.columns == list(DELAYS)
    a, c = told.rows(named=True)
    assert (a["room"], a["kind"], a["hours"]) == ("a", CLASSIC, 0.75)
    assert (c["alerted_at"], c["hours"]) == (None, 0.5)  # never: up to the end


def test_rooms_of_which_fewer_than_two_lines_call_are_left_out(tmp_path: Path) -> None:
    rows = [call(A, 0, 60), call(B, 60, 60), call(C, 60, 60)]
    kept = store(tmp_path / "store", table(rows))
    assert delays_of(sites(), truth(), kept)["room"].to_list() == ["a"]


def delays(hours: Sequence[float | None], kind: str = CLASSIC) -> pl.DataFrame:
    rows = [
        (f"{kind}-{n}", kind, None if h is None else ZERO, 9.0 if h is None else h)
        for n, h in enumerate(hours)
    ]
    return pl.DataFrame(rows, schema=DELAYS, orient="row")


def test_a_quantile_is_an_observed_delay_and_never_is_later_than_any() -> None:
    told = summary([delays([1, 3, 2, None]), delays([0.5] * 6, SHIFT)])
    assert [(one.kind, one.sites, one.reported) for one in told] == [
        ("all", 10, 9), (CLASSIC, 4, 3), (SHIFT, 6, 6),
    ]  # fmt: skip
    assert [(one.median, one.p90) for one in told] == [(0.5, 3), (2, None), (0.5, 0.5)]


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_a_median_of_any_number_of_sites_is_that_of_the_middle_one(count: int) -> None:
    told = summary([delays([float(n) for n in range(count)])])
    assert told[0].median == (count - 1) // 2


def test_a_table_of_scores_tells_no_delay() -> None:
    assert site_delays(RunInput("scores", pl.DataFrame(), pl.DataFrame(), None, 0)) is None
