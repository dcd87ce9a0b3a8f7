from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from simbox.identifiers import (
    CHECK_ABSENT,
    CHECK_SHIFT,
    CLASS_SHIFT,
    NumberClass,
    digits_id,
    text_id,
    with_class,
)
from simbox.outputs.events import events_of, write_events
from simbox.store import Store
from simbox.tables import EVENTS, STORED, Kind

LINE, OTHER_LINE, HASHED = "999130000001", "999130000002", "a3f1c0ffee"
CELL, HOST = "001-01-17-9", "host:192.0.2.7"
EMPTY = {
    "other": 0, "imsi": 0, "imei": 0, "place": 0, "offset": 0, "duration": -1, "cause": 0,
    "call_ref": 0, "source": 0,
}  # fmt: skip


def identity(text: str, number_class: NumberClass = NumberClass.UNKNOWN) -> int:
    spelled = pl.lit(text)
    ids = digits_id(spelled) if text.isdigit() else text_id(spelled)
    return int(pl.select(with_class(ids, pl.lit(int(number_class)))).item())


def event(row: int, line: str = LINE, **columns: int) -> dict[str, int]:
    kind = columns.pop("kind", Kind.MOC)
    start = 1_772_442_000  # 2026-03-02 09:00 UTC
    return {**EMPTY, "line": identity(line), "start": start, "kind": kind, "row": row, **columns}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    full = event(
        1, other=identity("0014000012", NumberClass.SHORT), imsi=identity("001010000000001"),
        imei=identity("00100100000017") + (CHECK_ABSENT << CHECK_SHIFT), place=identity(CELL),
        offset=22, duration=61, cause=16, kind=Kind.MOC | Kind.YES << Kind.ANSWER_SHIFT,
    )  # fmt: skip
    bare = event(2, kind=Kind.SMS_MT | Kind.NOT_KNOWN << Kind.ANSWER_SHIFT)
    withheld = event(
        3, other=NumberClass.WITHHELD << CLASS_SHIFT, place=identity(HOST),
        kind=Kind.MTC | Kind.NO << Kind.ANSWER_SHIFT, duration=0,
    )  # fmt: skip
    rows = [full, bare, withheld, event(4, OTHER_LINE), event(5, HASHED)]
    texts = pl.DataFrame({"text": [CELL, HOST, HASHED]}).select(
        id=text_id(pl.col("text")), text="text"
    )
    store = Store.create(tmp_path / "store", buckets=4)
    with store.writer() as writer:
        writer.add_source("cdr.csv", "generic-served")
        writer.append(STORED.conform(pl.DataFrame(rows)), texts)
    return Store.open(tmp_path / "store")


def test_full_record_comes_back_as_it_was(store: Store) -> None:
    assert events_of(store, [LINE]).filter(row=1).row(0, named=True) == {
        "line": LINE, "event_type": "MOC", "start": datetime(2026, 3, 2, 9, tzinfo=UTC),
        "duration_s": 61, "answered": True, "other": "0014000012", "other_class": "short",
        "imsi": "001010000000001", "imei": "00100100000017", "cell": CELL, "host": None,
        "cause": 16, "utc_offset_min": 330, "source": "cdr.csv", "row": 1,
    }  # fmt: skip


def test_what_was_not_measured_is_null(store: Store) -> None:
    bare = events_of(store, [LINE]).filter(row=2).row(0, named=True)
    assert {name for name, value in bare.items() if value is None} == {
        "duration_s", "answered", "other", "other_class", "imsi", "imei", "cell", "host", "cause",
    }  # fmt: skip


def test_withheld_party_has_a_class_and_no_number_and_a_host_is_no_cell(store: Store) -> None:
    row = events_of(store, [LINE]).filter(row=3).row(0, named=True)
    assert (row["other"], row["other_class"]) == (None, "withheld")
    assert (row["cell"], row["host"]) == (None, "192.0.2.7")
    assert (row["answered"], row["duration_s"]) == (False, 0)


@pytest.mark.parametrize(("line", "rows"), [(LINE, [1, 2, 3]), (OTHER_LINE, [4]), (HASHED, [5])])
def test_only_the_rows_of_the_line_are_found(store: Store, line: str, rows: list[int]) -> None:
    assert sorted(events_of(store, [line])["row"]) == rows


def test_unknown_line_has_no_rows(store: Store) -> None:
    assert events_of(store, ["123"]).is_empty()


def test_several_lines_are_found_at_once(store: Store) -> None:
    assert sorted(events_of(store, [LINE, HASHED])["row"]) == [1, 2, 3, 5]


def test_all_events_are_written_as_the_canonical_table(store: Store, tmp_path: Path) -> None:
    write_events(store, tmp_path / "events.parquet")
    events = pl.read_parquet(tmp_path / "events.parquet")
    assert sorted(events["row"]) == [1, 2, 3, 4, 5]
    assert events.columns == [column.name for column in EVENTS.columns]
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["events.parquet"]
