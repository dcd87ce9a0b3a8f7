"""Runs over many files: formats side by side, periods, legs, progress and rejects."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from reading import read

from simbox.errors import InputError, UsageError
from simbox.ingest import IngestOptions, IngestProgress, ingest
from simbox.store import Store
from simbox.tables import REJECTS

EVENTS = pl.DataFrame(
    {
        "msisdn": ["33600000001", "33600000001", "33600000002"],
        "event_type": ["MOC", "SMS_MT", "MTC"],
        "other": ["33700000001", "MYBANK", "33700000002"],
        "start": pl.Series(
            ["2026-03-01 10:00", "2026-03-02 10:00", "2026-03-03 10:00"]
        ).str.to_datetime(),
        "duration": [60, None, 5],
        "imsi": [1010000000001, None, 1010000000002],
        "answered": [True, None, False],
    }
)


def written(frame: pl.DataFrame, folder: Path, kind: str) -> Path:
    file = folder / f"events.{kind}"
    if kind == "csv":
        frame.write_csv(file, datetime_format="%Y-%m-%d %H:%M:%S")
    elif kind == "jsonl":
        frame.with_columns(pl.col("start").dt.strftime("%Y-%m-%dT%H:%M:%S")).write_ndjson(file)
    else:
        frame.write_parquet(file)
    return file


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_same_events_come_out_of_every_format(kind: str, tmp_path: Path) -> None:
    found = read([written(EVENTS, tmp_path, kind)], tmp_path)
    assert found.report.files[0].profile == "generic-served"
    columns = ["row", "line", "event_type", "start", "duration", "answer", "other", "imsi"]
    assert found.events.select(columns).rows() == [
        (1, "33600000001", "MOC", "2026-03-01 10:00:00", 60, 1, "33700000001", "1010000000001"),
        (2, "33600000001", "SMS_MT", "2026-03-02 10:00:00", -1, 2, "MYBANK", None),
        (3, "33600000002", "MTC", "2026-03-03 10:00:00", 5, 0, "33700000002", "1010000000002"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        pl.col("start").dt.replace_time_zone("UTC"),
        pl.col("start").dt.epoch("s"),
        pl.col("start").dt.epoch("ms"),
        pl.col("event_type").cast(pl.Categorical),
        pl.col("msisdn").cast(pl.Int64),
        pl.col("duration").cast(pl.Float64),
        pl.duration(seconds="duration").alias("duration"),
    ],
)
def test_parquet_columns_may_have_any_fitting_type(change: pl.Expr, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = read([written(EVENTS, tmp_path, "parquet")], tmp_path / "a")
    typed = read([written(EVENTS.with_columns(change), tmp_path, "parquet")], tmp_path / "b")
    assert typed.report.rejects == {}
    assert typed.events.rows() == plain.events.rows()


def test_broken_json_lines_are_rejected_and_nested_keys_reached(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'name = "nested"\nformat = "jsonl"\ndirection = "out"\n'
        '[columns]\nline = "from.number"\nstart = "at"\n'
    )
    file = tmp_path / "x.jsonl"
    file.write_text(
        '{"from": {"number": "33600000001"}, "at": "2026-03-01 10:00:00"}\n'
        '{"from": {"number": "336000\n'
        "\n"
        '{"at": "2026-03-01 10:00:00"}\n'
    )
    found = read([file], tmp_path, profile=tmp_path / "own.toml")
    assert found.events["row"].to_list() == [1]
    assert found.rejects.select("row", "reason").rows() == [
        (2, "json|unreadable"),
        (4, "line|missing"),
    ]


def test_files_of_different_kinds_are_read_in_one_run(tmp_path: Path) -> None:
    csv, parquet = written(EVENTS, tmp_path, "csv"), written(EVENTS, tmp_path, "parquet")
    calls = tmp_path / "calls.csv"
    calls.write_text("a_number,b_number,start_time\n33600000001,33600000002,2026-03-01 10:00:00\n")
    report = read([csv, parquet, calls], tmp_path).report
    assert [f.profile for f in report.files] == ["generic-served", "generic-served", "generic-call"]
    assert (report.rows, report.events) == (7, 7)
    assert report.files[0].sha256 == hashlib.sha256(csv.read_bytes()).hexdigest()
    assert (report.first, report.last) == (
        datetime(2026, 3, 1, 10, tzinfo=UTC),
        datetime(2026, 3, 3, 10, tzinfo=UTC),
    )


def test_events_outside_the_period_are_left_out_and_counted(tmp_path: Path) -> None:
    found = read(
        [written(EVENTS, tmp_path, "csv")],
        tmp_path,
        since=datetime(2026, 3, 2, 10, tzinfo=UTC),
        until=datetime(2026, 3, 3, 10, tzinfo=UTC),
    )
    assert found.events["row"].to_list() == [2]
    assert (found.report.outside, found.report.events, found.report.rows) == (2, 1, 3)


def test_period_without_a_zone_is_read_in_the_local_zone(tmp_path: Path) -> None:
    file = written(EVENTS, tmp_path, "csv")
    found = read([file], tmp_path, since=datetime(2026, 3, 2, 10), local_zone="Asia/Shanghai")  # noqa: DTZ001
    assert found.events["row"].to_list() == [2, 3]
    assert found.events["offset"].unique().to_list() == [32]
    assert found.events["start"][0] == "2026-03-02 02:00:00"


def test_empty_period_is_an_error(tmp_path: Path) -> None:
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    with pytest.raises(UsageError, match="an empty period"):
        read([written(EVENTS, tmp_path, "csv")], tmp_path, since=moment, until=moment)


CALLS = """a,b,start,duration,a_imsi
33600000001,33600000002,2026-03-01 10:00:00,60,001010000000001
33600000001,33700000002,2026-03-01 10:00:00,60,001010000000001
33700000001,33600000002,2026-03-01 10:00:00,60,
33700000001,33700000002,2026-03-01 10:00:00,60,
"""


def test_own_ranges_tell_which_ends_of_a_call_are_lines_of_the_carrier(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'name = "own"\nform = "call"\nanswered = "duration"\n[columns]\na = "a"\nb = "b"\n'
        'start = "start"\nduration = "duration"\nimsi = "a_imsi"\n'
        '[numbers]\ncountry = "33"\nown = ["336"]\n'
    )
    (tmp_path / "x.csv").write_text(CALLS)
    found = read([tmp_path / "x.csv"], tmp_path, profile=tmp_path / "own.toml")
    assert found.events.select("row", "event_type", "line", "other_class").rows() == [
        (1, "MOC", "33600000001", "onnet"),
        (1, "MTC", "33600000002", "onnet"),
        (2, "MOC", "33600000001", "offnet"),
        (3, "MTC", "33600000002", "offnet"),
    ]
    assert found.report.ignored == 1  # a call between two strangers is no line's event


def test_imsi_stands_in_for_a_line_without_a_number(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(
        "msisdn,imsi,direction,start\n,001010000000001,out,2026-03-01 10:00:00\n"
        "33600000001,001010000000001,out,2026-03-01 10:00:00\n"
    )
    assert read([file], tmp_path).events["line"].to_list() == ["001010000000001", "33600000001"]


def test_clock_changes_are_counted_in_the_report(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    times = ("2026-03-29 02:30:00", "2026-10-25 02:30:00", "2026-10-25 12:00:00")
    rows = [f"33600000001,out,{time}" for time in times]
    file.write_text("\n".join(["msisdn,direction,start", *rows, ""]))
    report = read([file], tmp_path, local_zone="Europe/Paris").report
    assert report.adjusted == {"dst_gap": 1, "dst_fold": 1}


def test_progress_is_told_per_batch_and_ends_at_the_whole(tmp_path: Path) -> None:
    file = written(EVENTS, tmp_path, "csv")
    told: list[IngestProgress] = []
    with Store.create(tmp_path / "store", 1).writer() as writer:
        ingest([file, written(EVENTS, tmp_path, "jsonl")], writer, IngestOptions(), told.append)
    assert [(p.file, p.files, p.rows) for p in told] == [(1, 2, 3), (2, 2, 6)]
    assert told[-1].bytes_read == told[-1].bytes_total


def test_rejects_are_written_as_the_canonical_table_even_when_there_are_none(
    tmp_path: Path,
) -> None:
    found = read([written(EVENTS, tmp_path, "csv")], tmp_path)
    assert dict(found.rejects.schema) == dict(REJECTS.schema)
    assert found.rejects.is_empty()


def test_rejects_never_hold_the_value_itself(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("msisdn,direction,start\nsecret-name,out,2026-03-01 10:00:00\n")
    found = read([file], tmp_path)
    assert found.rejects.rows() == [(str(file), 1, "msisdn", "text(11)", "line|unreadable")]


def test_share_of_events_without_a_value_is_reported(tmp_path: Path) -> None:
    share = read([written(EVENTS, tmp_path, "csv")], tmp_path).report.files[0].null_share
    assert share["imsi"] == pytest.approx(1 / 3)
    assert share["imei"] == 1.0
    assert share["duration"] == 0.0


def test_named_profile_says_which_columns_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("number,when\n1,2\n")
    with pytest.raises(InputError) as refused:
        read([file], tmp_path, profile="cdr-stats")
    assert str(refused.value) == (
        f"{file}: profile cdr-stats finds no column for start or start_date (starting_date); "
        "a or line (caller_id_number); b or other (destination_number); the file has number, when; "
        "simbox inspect FILE proposes a profile"
    )


def test_unknown_file_names_the_nearest_profile_and_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("msisdn,start,colour\n1,2026-03-01 10:00:00,red\n")
    with pytest.raises(InputError) as refused:
        read([file], tmp_path)
    assert str(refused.value) == (
        f"{file}: no profile fits; found msisdn, start, colour; nearest is generic-served, the "
        "file lacks event_type or direction; simbox inspect FILE proposes a profile"
    )


def test_unknown_profile_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'asterisk'"):
        read([written(EVENTS, tmp_path, "csv")], tmp_path, profile="asterix")
