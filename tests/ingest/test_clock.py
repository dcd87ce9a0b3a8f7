"""Local wall time to UTC, with its gaps and folds."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbox.errors import ConfigError
from simbox.ingest.cdr.clock import quarters, to_utc, zone_table
from simbox.ingest.cdr.decode import TimeReader
from simbox.ingest.cdr.profile import Time

ZONES = ("UTC", "Europe/Paris", "Asia/Kathmandu", "Africa/Casablanca", "Australia/Lord_Howe")


def wall(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def utc_of(text: str, zone: str) -> tuple[str, int, int]:
    found = to_utc(np.array([wall(text)]), zone_table(zone))
    moment = datetime.fromtimestamp(int(found.utc[0]), UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}", found.gaps, found.folds


@pytest.mark.parametrize(
    ("local", "zone", "utc", "gaps", "folds"),
    [
        ("2026-01-15 12:00:00", "Europe/Paris", "2026-01-15 11:00:00", 0, 0),
        ("2026-07-15 12:00:00", "Europe/Paris", "2026-07-15 10:00:00", 0, 0),
        # 29 March 2026: 02:00 to 03:00 never was; it is read an hour east of Greenwich as before
        ("2026-03-29 01:59:59", "Europe/Paris", "2026-03-29 00:59:59", 0, 0),
        ("2026-03-29 02:30:00", "Europe/Paris", "2026-03-29 01:30:00", 1, 0),
        ("2026-03-29 03:00:00", "Europe/Paris", "2026-03-29 01:00:00", 0, 0),
        # 25 October 2026: 02:00 to 03:00 was twice; the earlier one was in summer time
        ("2026-10-25 02:30:00", "Europe/Paris", "2026-10-25 00:30:00", 0, 1),
        ("2026-10-25 03:00:00", "Europe/Paris", "2026-10-25 02:00:00", 0, 0),
        ("2026-05-01 05:45:00", "Asia/Kathmandu", "2026-05-01 00:00:00", 0, 0),
    ],
)
def test_wall_time_is_taken_to_utc(local: str, zone: str, utc: str, gaps: int, folds: int) -> None:
    assert utc_of(local, zone) == (utc, gaps, folds)


@given(
    st.lists(st.integers(wall("1990-01-02"), wall("2036-12-31")), min_size=1, max_size=50),
    st.sampled_from(ZONES),
)
def test_conversion_agrees_with_the_time_zone_database(walls: list[int], zone: str) -> None:
    found = to_utc(np.array(walls), zone_table(zone))
    for seconds, got in zip(walls, found.utc.tolist(), strict=True):
        naive = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=ZoneInfo(zone), fold=0)
        assert got == int(naive.timestamp())


@given(st.lists(st.integers(wall("1990-01-02"), wall("2036-12-31")), min_size=1, max_size=20))
def test_offset_is_in_quarters_of_an_hour_at_the_instant(instants: list[int]) -> None:
    got = quarters(np.array(instants), zone_table("Australia/Lord_Howe"))
    for instant, offset in zip(instants, got.tolist(), strict=True):
        local = datetime.fromtimestamp(instant, UTC).astimezone(ZoneInfo("Australia/Lord_Howe"))
        assert offset == local.utcoffset().total_seconds() // 900  # type: ignore[union-attr]


def test_unknown_zone_is_an_error_with_a_hint() -> None:
    with pytest.raises(ConfigError) as refused:
        zone_table("Europe/Pariss")
    assert str(refused.value) == (
        "zone 'Europe/Pariss': not in the time zone database. Did you mean 'Europe/Paris'?"
    )


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-01 10:00:00",
        "2026-03-01T10:00:00",
        "2026-03-01T10:00:00Z",
        "2026-03-01T12:00:00+02:00",
        "2026-03-01 10:00:00.999",
        "2026/03/01 10:00:00",
        "20260301100000",
        "2026-03-01 10:00",
        "1772359200",
        "1772359200000",
        "1772359200000000",
        "1772359200.75",
    ],
)
def test_usual_spellings_of_a_time_are_read_in_any_mixture(written: str) -> None:
    times = TimeReader(Time()).encode(pl.Series([written, "2026-03-01 10:00:00", "soon", None]))
    assert times.seconds[:2].tolist() == [1772359200, 1772359200]
    assert times.good.tolist() == [True, True, False, False]


@pytest.mark.parametrize("written", ["2026-03-01 26:11:54", "01/03/2026 10:00:00", "20 March"])
def test_impossible_and_ambiguous_times_are_not_guessed(written: str) -> None:
    assert not TimeReader(Time()).encode(pl.Series([written])).good.any()


def test_seconds_count_from_the_base_of_the_profile() -> None:
    reader = TimeReader(Time(formats=("seconds",), base="2012-09-01T00:00:00"))
    times = reader.encode(pl.Series(["0", "61"]))
    assert times.seconds.tolist() == [wall("2012-09-01"), wall("2012-09-01 00:01:01")]
    assert not times.absolute.any()
