"""Events of captures are in the store what events of CDRs are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from simbox.identifiers import NumberClass, class_of, digits_text
from simbox.ingest.capture.storing import store_events
from simbox.outputs.events import decode
from simbox.store import Store
from simbox.tables import EVENTS

START = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


EVENT = {
    "line": "99913500000003", "event_type": "MOC", "start": START, "duration_s": 48,
    "answered": True, "other": "99913000000101", "imsi": "001010000000003",
    "imei": "001001000000030", "host": "192.0.2.10", "cause": 16, "source": "a.pcap", "row": 7,
}  # fmt: skip


def stored(tmp_path: Path, **columns: object) -> tuple[Store, pl.DataFrame]:
    events = EVENTS.conform(pl.DataFrame([EVENT | columns]))
    store = Store.create(tmp_path / "store", 1)
    with store.writer() as writer:
        store_events(events, writer, "Asia/Shanghai")
    return store, store.bucket(0, ["line", "other", "imsi", "imei", "offset", "duration", "cause"])


def test_an_event_comes_back_as_it_was(tmp_path: Path) -> None:
    store, _ = stored(tmp_path)
    [event] = decode(store, store.scan().collect()).to_dicts()
    assert event["line"] == "99913500000003"
    assert (event["other"], event["imsi"]) == ("99913000000101", "001010000000003")
    assert (event["event_type"], event["start"], event["duration_s"]) == ("MOC", START, 48)
    assert (event["answered"], event["cause"], event["source"]) == (True, 16, "a.pcap")
    assert (event["host"], event["row"]) == ("192.0.2.10", 7)


def test_the_local_clock_is_that_of_the_zone(tmp_path: Path) -> None:
    _, rows = stored(tmp_path)
    assert rows["offset"].to_list() == [32]


def test_short_users_and_names_are_accounts(tmp_path: Path) -> None:
    _, rows = stored(tmp_path, line="2001", other="alice")
    assert class_of(rows["line"].to_numpy()).tolist() == [NumberClass.ACCOUNT]
    assert class_of(rows["other"].to_numpy()).tolist() == [NumberClass.ACCOUNT]
    assert rows.select(digits_text(pl.col("line") % (1 << 60))).item() == "2001"


def test_a_party_that_is_nobody_is_withheld(tmp_path: Path) -> None:
    _, rows = stored(tmp_path, other=None)
    assert class_of(rows["other"].to_numpy()).tolist() == [NumberClass.WITHHELD]


def test_what_is_not_known_is_not_zero(tmp_path: Path) -> None:
    store, rows = stored(tmp_path, duration_s=None, answered=None, cause=None, imei=None)
    assert rows.select("duration", "cause", "imei").row(0) == (-1, 0, 0)
    [event] = decode(store, store.scan().collect()).to_dicts()
    assert (event["duration_s"], event["answered"], event["imei"]) == (None, None, None)


RECORD = EVENTS.conform(
    pl.DataFrame(
        [
            {"line": "99913500000003", "event_type": "MOC", "start": START, "duration_s": 47,
             "answered": True, "other": "013000000101", "host": "192.0.2.1", "source": "cdr.csv",
             "row": 1}
        ]
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "left_out"),
    [
        ({}, 1),
        ({"start": START + timedelta(seconds=50)}, 1),
        ({"start": START + timedelta(seconds=90)}, 0),
        ({"other": "99913000000102"}, 0),
        ({"line": "99913500000004"}, 0),
        ({"event_type": "MTC"}, 0),
        ({"other": None}, 0),
    ],
)
def test_a_call_that_a_record_tells_of_counts_once(
    tmp_path: Path, change: dict[str, object], left_out: int
) -> None:
    store = Store.create(tmp_path / "store", 2)
    seen = EVENTS.conform(pl.DataFrame([EVENT | change]))
    with store.writer() as writer:
        assert store_events(RECORD, writer, "UTC") == 0
        assert store_events(seen, writer, "UTC") == left_out
    assert store.manifest.rows == 2 - left_out


def test_no_events_are_no_source(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "store", 1)
    with store.writer() as writer:
        store_events(EVENTS.empty(), writer, "UTC")
    assert (store.manifest.rows, store.manifest.sources) == (0, [])
