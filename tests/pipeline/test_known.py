from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evaluation.small_store import DAY, HOUR, MIDNIGHT, call, number, random_rows, store, table
from simbox.identifiers import LENGTH_SHIFT, Ids
from simbox.pipeline.known import Recording, StoreUntil, over, record
from simbox.store import Store

ONE, TWO, THREE = "999130000001", "999130000002", "999130000003"
HANDSET = 100_100_00_000_001 + (14 << LENGTH_SHIFT)


def ids(*lines: str) -> Ids:
    return np.array([number(line) for line in lines], dtype=np.uint64)


def lines_of(recording: Recording) -> list[int]:
    return recording.rows["line"].unique().sort().to_list()


@pytest.fixture
def calls(tmp_path: Path) -> Store:
    rows = [
        call(ONE, 9 * HOUR, 600, imei=HANDSET),
        call(TWO, 9 * HOUR + 60, 30, imei=HANDSET),
        call(THREE, 10 * HOUR, 30),
        call(ONE, DAY + 9 * HOUR, 30),
    ]
    return store(tmp_path / "store", table(rows), buckets=2)


@pytest.mark.parametrize(
    ("cut", "starts"),
    [
        (9 * HOUR + 90, []),  # a call that ends at the cut is not over before it
        (9 * HOUR + 91, [9 * HOUR + 60]),
        (9 * HOUR + 601, [9 * HOUR, 9 * HOUR + 60]),
        (DAY, [9 * HOUR, 9 * HOUR + 60, 10 * HOUR]),
        (3 * DAY, [9 * HOUR, 9 * HOUR + 60, 10 * HOUR, DAY + 9 * HOUR]),
    ],
)
def test_a_store_until_a_time_has_the_events_that_were_over(
    calls: Store, cut: int, starts: list[int]
) -> None:
    until = StoreUntil(calls, MIDNIGHT + cut)
    seen = pl.concat(list(until.each_bucket(("start",))))["start"].cast(pl.Int64) - MIDNIGHT
    assert sorted(seen.to_list()) == starts
    assert until.manifest.last == min(MIDNIGHT + cut - 1, calls.manifest.last or 0)


def test_days_that_have_not_begun_are_not_read(calls: Store) -> None:
    assert len(StoreUntil(calls, MIDNIGHT + DAY - 1).files()) < len(calls.files())


def test_followed_lines_are_recorded_with_others_on_their_handsets(calls: Store) -> None:
    recording = record(calls, ids(ONE), lines=3, sample=0)
    assert lines_of(recording) == ids(ONE, TWO).tolist()
    assert recording.rows.filter(pl.Series(recording.followed))["line"].unique().to_list() == [
        number(ONE)
    ]
    assert not recording.sampled.any()


def test_a_sample_of_all_holds_every_line(calls: Store) -> None:
    recording = record(calls, ids(ONE), lines=3, sample=10)
    assert recording.share == 1
    assert recording.sampled.all()
    assert len(recording.rows) == 4


def test_events_stand_in_the_order_in_which_they_became_known(calls: Store) -> None:
    recording = record(calls, ids(ONE, TWO, THREE), lines=3, sample=0)
    since = (recording.at - MIDNIGHT).tolist()
    assert since == [9 * HOUR + 90, 9 * HOUR + 600, 10 * HOUR + 30, DAY + 9 * HOUR + 30]
    assert [recording.known(MIDNIGHT + cut) for cut in (9 * HOUR + 90, 9 * HOUR + 91, DAY)] == [
        0, 1, 3,
    ]  # fmt: skip
    head = recording.until(2)
    assert head.bucket(0, ("line",))["line"].to_list() == [number(TWO), number(ONE)]
    assert head.manifest.last == MIDNIGHT + 9 * HOUR + 60


def test_a_sample_is_a_share_of_lines_whatever_the_buckets(tmp_path: Path) -> None:
    rows = random_rows(1, lines=200, days=1)
    drawn = [
        lines_of(record(store(tmp_path / str(n), rows, n), ids(), lines=200, sample=50))
        for n in (1, 8)
    ]
    assert drawn[0] == drawn[1]
    assert 0 < len(drawn[0]) < 200


def test_over_is_the_start_where_the_duration_is_not_known() -> None:
    rows = table([call(ONE, 0, 60), call(ONE, 5) | {"duration": -1}])
    assert (over(rows) - MIDNIGHT).tolist() == [60, 5]
