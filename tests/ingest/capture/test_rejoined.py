"""A call that the border of two files cuts is one call; so is one that both files hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from simbox.ingest.capture.signalling.rejoined import rejoined
from simbox.tables import DIALOGS

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def part(**more: Any) -> dict[str, Any]:
    return {
        "start": at(0), "ringing_at": at(4), "answered_at": at(9), "last_seen": at(9),
        "protocol": "goip", "method": "INVITE", "call_id": "line01-1", "src": "192.0.2.10",
        "dst": "198.51.100.30", "from_user": "99913500000001", "request_user": "99913000000101",
        "messages": 3, "source": "a.pcap", "frame": 7, "frames": [7, 8],
    } | more  # fmt: skip


REST = part(start=at(60), ringing_at=None, answered_at=at(60), end=at(70), last_seen=at(70),
            cause=16, call_id="line01-60", messages=2, source="b.pcap", frame=3)  # fmt: skip


def joined(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    rows = DIALOGS.conform(pl.DataFrame(list(parts), infer_schema_length=None))
    found = rejoined(rows)
    assert rejoined(rows.reverse()).equals(found)
    return found.to_dicts()


def test_a_call_goes_on_in_the_next_file() -> None:
    [call] = joined(part(), REST)
    assert (call["start"], call["answered_at"], call["end"]) == (at(0), at(9), at(70))
    assert (call["call_id"], call["source"], call["cause"]) == ("line01-1", "a.pcap", 16)
    assert (call["messages"], call["last_seen"]) == (5, at(70))


def test_a_call_that_has_ended_does_not_go_on() -> None:
    assert len(joined(part(end=at(20)), REST)) == 2


def test_a_call_much_later_is_another() -> None:
    assert len(joined(part(), REST | {"start": at(400), "last_seen": at(410)})) == 2


def test_two_calls_of_one_file_are_two() -> None:
    assert len(joined(part(), REST | {"source": "a.pcap"})) == 2


def test_a_call_to_somebody_else_is_another() -> None:
    assert len(joined(part(), REST | {"request_user": "99913000000102"})) == 2


def test_a_call_that_two_files_hold_is_one() -> None:
    whole = part(end=at(20))
    assert len(joined(whole, whole | {"source": "b.pcap"})) == 1


def test_no_calls_are_none() -> None:
    assert rejoined(DIALOGS.empty()).equals(DIALOGS.empty())
