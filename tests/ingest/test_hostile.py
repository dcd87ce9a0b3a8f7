"""Files as careless or hostile hands leave them: nothing is lost in silence."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import available_timezones

import polars as pl
import pytest
from reading import read

from simbox.errors import ConfigError, InputError
from simbox.ingest.cdr.clock import check_zone
from simbox.ingest.cdr.profile import load, parse
from simbox.ingest.cells import load_cells
from simbox.ingest.sources import expand

HEAD = "msisdn,event_type,start,duration,other,answered,imsi,imei,cell,cause\n"
PROFILE = (
    'name = "own"\nanswered = "values"\n[columns]\nline = "msisdn"\nevent_type = "event_type"\n'
    'start = "start"\nduration = "duration"\nother = "other"\nanswered = "answered"\n'
    'imsi = "imsi"\nimei = "imei"\ncell = "cell"\ncause = "cause"\n'
)


def row(**given: str) -> str:
    usual = {
        "msisdn": "33600000001",
        "event_type": "MOC",
        "start": "2026-03-02 00:30:00",
        "duration": "60",
        "other": "33700000001",
        "answered": "yes",
        "imsi": "001010000000001",
        "imei": "350000010000017",
        "cell": "001-01-1-2",
        "cause": "16",
    }
    return ",".join((usual | given).values()) + "\n"


def table(folder: Path, *rows: str, name: str = "x.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(HEAD + "".join(rows), encoding="utf-8")
    return folder / name


def profile(folder: Path, text: str = PROFILE) -> Path:
    (folder / "own.toml").write_text(text)
    return folder / "own.toml"


@pytest.mark.parametrize(
    ("zone", "local", "rows"),
    [("Asia/Shanghai", None, [2]), ("Asia/Shanghai", "UTC", []), (None, None, [2])],
)
def test_period_is_read_on_the_clock_of_the_file_unless_a_zone_is_given(
    zone: str | None, local: str | None, rows: list[int], tmp_path: Path
) -> None:
    text = PROFILE + (f'[time]\nzone = "{zone}"\n' if zone else "")
    file = table(tmp_path, row(start="2026-03-01 23:59:59"), row(start="2026-03-02 00:00:00"))
    since, until = datetime(2026, 3, 2), datetime(2026, 3, 3)  # noqa: DTZ001
    found = read(
        [file],
        tmp_path,
        profile=profile(tmp_path, text),
        since=since,
        until=until,
        local_zone=local,
    )
    assert found.events["row"].to_list() == rows


@pytest.mark.parametrize("zero", [0xFF10, 0x0660, 0x06F0])  # full-width, Arabic-Indic, Persian
@pytest.mark.parametrize("column", ["msisdn", "other"])
def test_digits_of_other_scripts_are_digits(column: str, zero: int, tmp_path: Path) -> None:
    digits = "".join(chr(zero + int(d)) for d in "33600000077")
    found = read([table(tmp_path, row(**{column: digits}))], tmp_path)
    assert found.events["line" if column == "msisdn" else column].to_list() == ["33600000077"]


@pytest.mark.parametrize("column", ["imsi", "imei", "cell", "duration", "start", "cause"])
def test_digits_of_other_scripts_end_no_run(column: str, tmp_path: Path) -> None:
    found = read([table(tmp_path, row(), row(**{column: "\uff13\uff13\uff16"}))], tmp_path)
    assert found.report.rows == 2


@pytest.mark.parametrize(
    ("duration", "reason"),
    [
        ("604800", None),
        ("604801", "duration|out of range"),
        ("99999999999", "duration|out of range"),
        ("99999999999999999999", "duration|out of range"),
        ("604801.5", "duration|out of range"),
        ("999:00:00", "duration|out of range"),
        ("-5", "duration|negative"),
    ],
)
def test_call_of_more_than_a_week_is_rejected(
    duration: str, reason: str | None, tmp_path: Path
) -> None:
    found = read([table(tmp_path, row(duration=duration))], tmp_path)
    assert found.report.rejects == ({} if reason is None else {reason: 1})


def test_lost_values_are_counted_by_column(tmp_path: Path) -> None:
    rows = [
        row(other="9.9915E+12", answered="perhaps", cause="abc"),
        row(other="9991500000001.5", cause="300"),
        row(other="", answered="", cause=""),
        row(other="NULL", answered="NULL", cause="NULL"),
        row(cause="16.0"),
    ]
    found = read([table(tmp_path, *rows)], tmp_path)
    assert found.report.adjusted == {
        "other|unreadable": 2,
        "cause|unknown": 2,
        "answered|unknown": 1,
    }
    assert found.events["other"].to_list() == [None] * 4 + ["33700000001"]
    assert found.events["cause"].to_list() == [0, 0, 0, 0, 16]


def test_filler_of_identities_is_taken_off(tmp_path: Path) -> None:
    rows = [row(), row(imsi="001010000000001F", imei="35000001000001F")]
    events = read([table(tmp_path, *rows)], tmp_path).events
    assert events["imsi"].to_list() == ["001010000000001"] * 2
    assert events["imei"].n_unique() <= 2
    assert not events["imei"].str.contains("F").any()


def test_column_that_a_named_profile_needs_must_be_there(tmp_path: Path) -> None:
    text = PROFILE.replace('line = "msisdn"', 'line = "msisdnn"')
    file = table(tmp_path, row())
    with pytest.raises(InputError) as refused:
        read([file], tmp_path, profile=profile(tmp_path, text))
    message = str(refused.value)
    assert "msisdnn" in message
    assert "\n" not in message


def test_misspelt_time_column_is_named_with_what_was_meant(tmp_path: Path) -> None:
    text = PROFILE.replace('= "event_type"', '= "event_typo"') + 'direction = "cause"\n'
    with pytest.raises(InputError, match=r"no column 'event_typo'.*Did you mean 'event_type'"):
        read([table(tmp_path, row())], tmp_path, profile=profile(tmp_path, text))


def test_imsi_is_no_line_of_a_file_that_lost_its_numbers(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("imsi,direction,start\n001010000000001,out,2026-03-01 10:00:00\n")
    with pytest.raises(InputError, match="lacks line"):
        read([file], tmp_path)
    text = 'name = "own"\n[columns]\nimsi = "imsi"\ndirection = "direction"\nstart = "start"\n'
    (tmp_path / "again").mkdir()
    found = read([file], tmp_path / "again", profile=profile(tmp_path, text))
    assert found.events["line"].to_list() == ["001010000000001"]


def test_two_columns_of_a_name_that_is_needed_are_an_error(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("msisdn,direction,start,MSISDN\n336000,out,2026-03-01 10:00:00,337000\n")
    with pytest.raises(InputError, match=r"2 columns are named 'msisdn' \(line\)"):
        read([file], tmp_path)


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_column_of_lists_is_an_error_in_one_line(kind: str, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "msisdn": ["33600000001"],
            "direction": ["out"],
            "start": ["2026-03-01 10:00:00"],
            "duration": [[1, 2]],
        }
    )
    file = tmp_path / f"x.{kind}"
    frame.write_parquet(file) if kind == "parquet" else frame.write_ndjson(file)
    with pytest.raises(InputError, match=r"column 'duration' \(duration\) holds lists") as refused:
        read([file], tmp_path)
    assert "\n" not in str(refused.value)


def test_results_of_earlier_runs_are_not_read_again(tmp_path: Path) -> None:
    table(tmp_path / "in", row())
    run = tmp_path / "in" / "out"
    (run / "store").mkdir(parents=True)
    for name in ("run.json", "lines.parquet", "contributions.parquet", "store/texts.parquet"):
        (run / name).write_bytes(b"PAR1")
    assert [s.file.name for s in expand([tmp_path / "in"]).sources] == ["x.csv"]


def test_files_that_exporters_lay_beside_records_are_skipped_and_listed(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    table(folder, row())
    strays = ("x.csv.md5", "Thumbs.db", "notes.txt", "x.xml", "x.json", "x.ctl")
    for name in strays:
        (folder / name).write_text("d41d8cd9 x.csv\n")
    (folder / ".DS_Store").write_bytes(b"\x00\x01Bud1")
    report = read([folder], tmp_path).report
    assert report.rows == 1
    assert sorted(Path(s).name for s in report.skipped) == sorted(strays)
    (tmp_path / "again").mkdir()
    with pytest.raises(InputError, match=r"notes\.txt: no profile fits"):
        read([folder / "notes.txt"], tmp_path / "again")


def test_records_in_a_text_file_of_a_folder_are_read(tmp_path: Path) -> None:
    table(tmp_path / "in", row(), name="a.txt")
    table(tmp_path / "in", row(), name="b.csv")
    assert read([tmp_path / "in"], tmp_path).report.rows == 2


def test_unknown_file_of_a_folder_says_how_to_go_on(tmp_path: Path) -> None:
    table(tmp_path / "in", row())
    (tmp_path / "in" / "y.csv").write_text("colour,shape\nred,round\n")
    with pytest.raises(InputError, match=r"y\.csv: no profile fits.*move the file out"):
        read([tmp_path / "in"], tmp_path)


def test_one_file_by_several_ways_is_read_once(tmp_path: Path) -> None:
    file = table(tmp_path / "in", row())
    link = tmp_path / "link.csv"
    link.symlink_to(file)
    ways = [file, tmp_path / "in" / ".." / "in" / "x.csv", link, tmp_path / "in"]
    assert len(expand(ways).sources) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "x"\n[numbers]\nown = ["[0-9"]\n', "own: '[0-9' is no prefix"),
        ('name = "x"\n[numbers]\nnational_lengths = [-1]\n', "national_lengths: -1 is no number"),
        ('name = "x"\n[layout]\ndelimiter = ""\n', "layout.delimiter: is empty"),
        ('name = "x"\n[time]\nformats = ["%Q"]\n', "formats: '%Q' is no time format"),
        ('name = "x"\n[columns]\nimei = "id"\ncell = "ID"\n', "'ID' is taken by columns.imei"),
        ('name = "x"\n[match.patterns]\nfirst = "a"\n', "'first' is no position"),
    ],
)
def test_profile_that_cannot_work_is_refused_when_it_is_loaded(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text, "p.toml")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_profile_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_bytes(b"\xef\xbb\xbf" + PROFILE.encode())
    assert load(tmp_path / "p.toml").name == "own"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("GMT+8", "Etc/GMT-8"),
        ("UTC+8", "Etc/GMT-8"),
        ("+08:00", "Etc/GMT-8"),
        ("-0300", "Etc/GMT+3"),
        ("utc", "UTC"),
    ],
)
def test_offset_as_a_zone_is_told_its_name(name: str, meant: str) -> None:
    if name in available_timezones():
        pytest.skip("the machine's database knows that name")
    with pytest.raises(ConfigError, match=f"Did you mean '{meant.replace('+', '[+]')}'"):
        check_zone(name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(5000), "holds nothing but zero bytes"),
        (b"PK\x05\x06" + bytes(18), "an empty zip archive"),
    ],
)
def test_file_without_content_is_named_for_what_it_is(
    content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read([tmp_path / "x.csv"], tmp_path)


def test_cell_table_tells_what_it_left_out(tmp_path: Path) -> None:
    file = tmp_path / "cells.csv"
    file.write_text("id,lat,lon\nA,1,2\nA,1,2\nB,1,2\nB,1,3\nC,,\n")
    report = load_cells(file)
    assert (report.bad, report.moved, report.repeated) == (1, 1, 1)
    assert report.notes == (
        "1 of 5 rows without a cell or position are left out",
        "1 rows give a cell another position; its last row counts",
    )
    with pytest.raises(InputError, match="a folder; give one table of cells"):
        load_cells(tmp_path)


def test_cell_first_met_outside_the_period_keeps_its_text(tmp_path: Path) -> None:
    early = table(tmp_path, row(start="2026-02-01 10:00:00"), name="a.csv")
    late = table(tmp_path, row(start="2026-03-02 10:00:00"), name="b.csv")
    since = datetime(2026, 3, 1)  # noqa: DTZ001
    events = read([early, late], tmp_path, since=since).events
    assert events["cell"].to_list() == ["001-01-1-2"]
