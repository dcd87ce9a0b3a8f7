from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from simbox.outputs.activity import Day, busiest, days_of, strip
from simbox.tables import EVENTS


def events(*moments: tuple[str, str, int]) -> pl.DataFrame:
    """Type, UTC time and offset in minutes of a line's events."""
    rows = [
        {
            "line": "999130000001",
            "event_type": kind,
            "start": datetime.fromisoformat(start).replace(tzinfo=UTC),
            "other": str(number),
            "utc_offset_min": offset,
        }
        for number, (kind, start, offset) in enumerate(moments)
    ]
    return EVENTS.conform(pl.DataFrame(rows))


def hours(counts: dict[int, int]) -> tuple[int, ...]:
    return tuple(counts.get(hour, 0) for hour in range(24))


def test_events_count_at_the_hour_of_the_local_clock() -> None:
    # 23:30 UTC is 07:30 of the next day, eight hours further east
    (day,) = days_of(events(("MOC", "2026-03-01T23:30", 480), ("MTC", "2026-03-02T00:10", 480)))
    assert day == Day(date(2026, 3, 2), hours({7: 1}), hours({8: 1}))


def test_texts_count_with_calls_of_their_direction() -> None:
    (day,) = days_of(events(("SMS_MO", "2026-03-02T09:00", 0), ("SMS_MT", "2026-03-02T09:00", 0)))
    assert (sum(day.outgoing), sum(day.incoming)) == (1, 1)


def test_days_without_events_stand_between_the_first_and_the_last() -> None:
    days = days_of(events(("MOC", "2026-03-02T09:00", 0), ("MOC", "2026-03-05T09:00", 0)))
    assert [day.date - days[0].date for day in days] == [timedelta(days=n) for n in range(4)]
    assert sum(days[1].outgoing) == 0


def test_a_repeated_record_counts_once() -> None:
    once = events(("MOC", "2026-03-02T09:00", 0))
    (day,) = days_of(pl.concat([once, once]))
    assert sum(day.outgoing) == 1


def test_a_line_without_events_has_no_days() -> None:
    assert days_of(EVENTS.empty()) == []
    assert busiest([]) == 1


@pytest.mark.parametrize(
    ("counts", "drawn"), [((0, 1, 8), "·▁█"), ((0, 4, 5), "·▄▅"), ((8, 0, 2), "█·▂")]
)
def test_strip_is_as_high_as_its_hours_against_the_busiest(
    counts: tuple[int, ...], drawn: str
) -> None:
    assert strip(counts, 8) == drawn


def test_one_event_among_very_many_can_be_seen() -> None:
    assert strip((1,), 10_000) == "▁"
