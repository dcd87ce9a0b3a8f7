"""Lines that cannot be split for certain are rejected with their row; nothing shifts silently."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import read

from simbox.errors import DataQualityError, SimboxError
from simbox.ingest.cdr import delimited, text

HEADER = "msisdn,direction,other,start,duration\n"
GOOD = "33600000001,out,33700000001,2026-03-01 10:00:00,60\n"


def rejects_of(body: bytes, tmp_path: Path) -> list[tuple[int, str, str]]:
    file = tmp_path / "x.csv"
    file.write_bytes(HEADER.encode() + body)
    found = read([file], tmp_path)
    assert found.report.rows == found.report.events + found.report.rejected
    return found.rejects.select("row", "value_class", "reason").rows()


@pytest.mark.parametrize(
    ("line", "reject"),
    [
        (b"33600000001,out\n", ("2 fields", "fields|too few")),
        (b"33600000001,out,3,2026-03-01 10:00:00,60,7\n", ("6 fields", "fields|too many")),
        (b"33600000001,out,3,2026-03-01 10:00:00,60,\n", ("6 fields", "fields|too many")),
        (b'33600000001,out,"3,2026-03-01 10:00:00,60\n', ("3 fields", "quotes|not closed")),
        (b'33600000001,out,3"4"5,2026-03-01 10:00:00,6\n', ("5 fields", "quotes|inside a field")),
        (b"33600000001,out,3\x00,2026-03-01 10:00:00,60\n", ("5 fields", "bytes|NUL")),
        (b"33600000001,out,3,not a time,60\n", ("text(10)", "start|unreadable")),
        (b"33600000001,out,3,2026-02-30 10:00:00,60\n", ("figures(19)", "start|unreadable")),
        (b"33600000001,out,3,1889-03-01 10:00:00,60\n", ("figures(19)", "start|out of range")),
        (b"33600000001,out,3,,60\n", ("empty", "start|missing")),
        (b"33600000001,out,3,2026-03-01 10:00:00,ten\n", ("text(3)", "duration|unreadable")),
        (b"33600000001,out,3,2026-03-01 10:00:00,-7\n", ("figures(2)", "duration|negative")),
        (b"nobody,out,3,2026-03-01 10:00:00,60\n", ("text(6)", "line|unreadable")),
        (b"NULL,out,3,2026-03-01 10:00:00,60\n", ("text(4)", "line|missing")),
        (b",out,3,2026-03-01 10:00:00,60\n", ("empty", "line|missing")),
        (b"33600000001,up,3,2026-03-01 10:00:00,60\n", ("text(2)", "event_type|unknown")),
        (b"33600000001,,3,2026-03-01 10:00:00,60\n", ("empty", "event_type|missing")),
        (b"33600000001,out,33700000001,2026-03-", ("4 fields", "fields|too few")),
    ],
)
@pytest.mark.parametrize("before", [1, 3])
def test_bad_line_is_rejected_with_its_row_and_reason(
    line: bytes, reject: tuple[str, str], before: int, tmp_path: Path
) -> None:
    good = GOOD.encode()
    assert rejects_of(good * before + line, tmp_path) == [(before + 1, *reject)]


def test_blank_lines_are_no_rows_but_keep_their_place(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(HEADER + GOOD + "\n\r\n" + GOOD)
    found = read([file], tmp_path)
    assert (found.report.rows, found.events["row"].to_list()) == (2, [1, 4])


def test_long_and_short_line_do_not_cancel_out(tmp_path: Path) -> None:
    body = GOOD.encode() + b"33600000001,out,3,2026-03-01 10:00:00\n" + b"1,out,3,x,60,7\n"
    reasons = [r[2] for r in rejects_of(body, tmp_path)]
    assert reasons == ["fields|too few", "fields|too many"]


def test_line_ending_with_a_delimiter_throughout_is_no_fault(tmp_path: Path) -> None:
    line = GOOD.rstrip("\n") + ",\n"
    file = tmp_path / "x.csv"
    file.write_text(HEADER + line * 5)
    assert read([file], tmp_path).report.rejects == {}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "gb18030", "cp1252"])
def test_encoding_is_found_and_decoded(encoding: str, tmp_path: Path) -> None:
    cell = {"gb18030": "成都武侯", "cp1252": "Köln-Süd"}.get(encoding, "Été")
    text_ = "msisdn,direction,other,start,duration,cell\n" + GOOD.replace("\n", f",{cell}\n") * 9
    file = tmp_path / "x.csv"
    file.write_bytes(text_.encode(encoding))
    found = read([file], tmp_path)
    assert found.report.rejects == {}
    assert found.events["cell"].unique().to_list() == [cell]


def test_carriage_returns_alone_end_lines_too(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes((HEADER + GOOD * 3).replace("\n", "\r").encode())
    assert read([file], tmp_path).report.events == 3


def test_one_undecodable_line_does_not_spoil_the_others(tmp_path: Path) -> None:
    lines = [(b"msisdn,direction,other,start,duration,cell\n")]
    lines += [GOOD.replace("\n", ",Été\n").encode()] * 2000
    lines[700] = GOOD.replace("\n", ",").encode() + b"\xff\xfe\n"
    file = tmp_path / "x.csv"
    file.write_bytes(b"".join(lines))
    found = read([file], tmp_path)
    assert found.report.rejects == {"bytes|not text": 1}
    assert found.rejects["row"].to_list() == [700]


def test_pieces_of_any_size_give_the_same_batches(tmp_path: Path) -> None:
    body = "".join(f'3360000{i:04d},out,"3,{i}",x,{i}\n' for i in range(200))
    file = tmp_path / "x.csv"
    file.write_text(HEADER + body)
    shape = delimited.Shape(5, ",", '"', "", {"line": 0, "other": 2, "duration": 4})
    seen = []
    for size in (64, 1000, 1 << 20):
        from simbox.ingest.sources import Source, Stream

        with Stream(Source(file)) as stream:
            pieces = text.Pieces(stream, "utf-8", size=size)
            frames = [b.frame for b in delimited.batches(pieces, shape, 1)]
        seen.append(pl.concat(frames).rows())
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == 200


def test_too_many_rejects_end_the_run_with_the_reasons(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(HEADER + GOOD * 9 + "33600000001,out,3,yesterday,60\n")
    with pytest.raises(DataQualityError) as refused:
        read([file], tmp_path, max_reject_share=0.05)
    assert str(refused.value) == (
        f"{file}: 1 of 10 rows rejected (10%): start|unreadable 1; "
        "simbox inspect shows more, --profile names another profile"
    )


def test_reasons_of_equal_counts_stand_in_the_order_of_their_names(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    odd = ("7,up,3,x,60", "7,out,3,2026-03-01 10:00:00,-7", "7,out", ",out,3,2026-03-01 10:00:00,6")
    file.write_text(HEADER + GOOD * 99 + "".join(line + "\n" for line in odd))
    reasons = list(read([file], tmp_path).report.rejects)
    assert reasons == ["duration|negative", "event_type|unknown", "fields|too few", "line|missing"]


SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SLOW
@given(data=st.binary(max_size=400))
def test_arbitrary_bytes_raise_nothing_but_simbox_errors(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    file = folder / "x.csv"
    file.write_bytes(data)
    with pytest.raises(SimboxError) as refused:
        read([file], folder)
    assert "\n" not in str(refused.value)


@SLOW
@given(
    cuts=st.lists(
        st.tuples(st.integers(0, 600), st.integers(0, 6), st.binary(max_size=4)), max_size=5
    )
)
def test_mutated_file_accounts_for_every_row_or_is_refused(
    cuts: list[tuple[int, int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray((HEADER + GOOD * 12).encode())
    for at, length, new in cuts:
        data[at : at + length] = new
    folder = tmp_path_factory.mktemp("mutated")
    file = folder / "x.csv"
    file.write_bytes(bytes(data))
    try:
        found = read([file], folder)
    except SimboxError as refused:
        assert "\n" not in str(refused)  # noqa: PT017  # either way is right
        return
    assert found.report.rows == found.report.events + found.report.rejected + found.report.ignored
