"""Columns read as integers give the very store that reading them as text gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import read

from simbox.errors import SimboxError
from simbox.ingest.cdr import delimited
from simbox.ingest.cdr.figures import digit_counts, plain, spelled_bytes

HEADER = "msisdn,direction,other,start,duration,imsi,imei\n"
GOOD: tuple[str, ...] = ("33600000001", "out", "33700000001", "2026-03-01 10:00:00", "60")
GOOD = (*GOOD, "901700000000001", "350000000000006")
NUMBER_COLUMNS = (0, 2, 4, 5, 6)

SPELLINGS = (
    "", "0", "00", "-1", " 7", "7 ", "\t7", "7\r", '"7"', '7"', "1e3", "1_0", "0x1", "7.0", "7,",
    "7\x00", "7\n", "é", "\uff11\uff12", "\ufeff7", "Bank", "NULL", "9" * 15, "9" * 16, "0" * 15,
    "18446744073709551615", "18446744073709551616", "-0", "--1", "+",
)  # fmt: skip
hostile = st.one_of(
    st.integers(0, 10**21).map(str),
    st.integers(0, 10**12).map(lambda n: f"00{n}"),
    st.integers(0, 10**12).map(lambda n: f"+{n}"),
    st.sampled_from(SPELLINGS),
)


def outcome(file: Path, folder: Path) -> tuple[object, ...]:
    folder.mkdir()
    try:
        found = read([file], folder)
    except SimboxError as refused:
        return (str(refused),)
    report = found.report.files[0]
    counts = (report.rows, report.events, report.rejects, report.adjusted, report.null_share)
    return (found.events.rows(), found.rejects.drop("file").rows(), counts)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 11), st.sampled_from(NUMBER_COLUMNS), hostile), max_size=5
    ),
    line_end=st.sampled_from(["\n", "\n", "\r\n"]),
)
def test_integers_and_texts_give_the_same_store(
    changes: list[tuple[int, int, str]], line_end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [list(GOOD) for _ in range(12)]
    for row, column, value in changes:
        lines[row][column] = value
    folder = tmp_path_factory.mktemp("both")
    file = folder / "x.csv"
    text = HEADER + "".join(",".join(line) + line_end for line in lines)
    file.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_FIRST_BYTES", 120)  # one line: the others come as a surprise
        typed = outcome(file, folder / "typed")
        patch.setattr(delimited, "_plain_at_first", lambda *_: frozenset())
        assert typed == outcome(file, folder / "texts")


def pieces_of(*bodies: str) -> list[pl.DataFrame]:
    shape = delimited.Shape(3, ",", '"', "", {"line": 0, "other": 1, "duration": 2})
    encoded = (body.encode() for body in bodies)
    return [b.frame for b in delimited.batches(encoded, shape, 0)]  # type: ignore[arg-type]


@pytest.mark.parametrize("odd", ["007", "+7", " 7", "7 ", "x", "9" * 16])
def test_column_with_one_odd_entry_is_read_as_text_and_the_others_as_integers(odd: str) -> None:
    frames = pieces_of("7,8,9\n" * 3, f"7,8,9\n7,{odd},9\n", "7,8,9\n")
    assert [f["other"].dtype for f in frames] == [pl.UInt64, pl.String, pl.String]
    assert [f["line"].dtype for f in frames] == [pl.UInt64] * 3
    assert frames[1]["other"].to_list() == ["8", odd]


def test_shorter_entry_does_not_hide_a_leading_zero() -> None:
    [_, frame] = pieces_of("71,81,91\n", "071,81,9\n71,81,91\n")
    assert frame["line"].to_list() == ["071", "71"]


@pytest.mark.parametrize(
    ("odd", "lines", "rejects"),
    [
        ("071,81,91\n71,81\n", ["071"], ["fields|too few"]),
        ("071,81,91\n71,81,9,\n", ["071"], ["fields|too many"]),
        ("71,81,\n071,81,\n", ["71", "071"], []),
        ("71,81,91\n\n071,81,9\n", ["71", "071"], []),
        ("71,81,91\n\n71,81\n", ["71"], ["fields|too few"]),
        ("71,81,\n71,81,\n", [71, 71], []),
    ],
)
def test_bytes_of_one_line_do_not_make_up_for_those_of_another(
    odd: str, lines: list[object], rejects: list[str]
) -> None:
    shape = delimited.Shape(3, ",", '"', "", {"line": 0, "other": 1, "duration": 2})
    encoded = (body.encode() for body in ("71,81,91\n", odd))
    [_, batch] = delimited.batches(encoded, shape, 0)  # type: ignore[arg-type]
    assert batch.frame["line"].to_list() == lines
    assert batch.rejects["reason"].to_list() == rejects


def test_lines_of_head_may_end_in_a_later_piece() -> None:
    shape = delimited.Shape(3, ",", '"', "", {"line": 0, "other": 1, "duration": 2})
    encoded = (body.encode() for body in ("a\n", "b\nc\n", "71,81,91\n"))
    [batch] = delimited.batches(encoded, shape, 3)  # type: ignore[arg-type]
    assert batch.frame["row"].to_list() == [1]


@pytest.mark.parametrize(
    ("values", "lengths"),
    [([], []), ([0], [1]), ([0, 9, 10, 99, 100], [1, 1, 2, 2, 3]), ([10**15, 5], [16, 1])],
)
def test_digits_are_counted_as_they_are_written(values: list[int], lengths: list[int]) -> None:
    assert digit_counts(np.array(values, dtype=np.uint64)).tolist() == lengths


@pytest.mark.parametrize(
    "values", [[], [None], [0, None], [None, 9, 10, 99, 100, 10**14], [10**14] * 3, [5, 10**15 - 1]]
)
def test_bytes_of_integers_are_those_of_their_texts(values: list[int | None]) -> None:
    column = pl.Series("a", values, dtype=pl.UInt64)
    expected = sum(len(str(v)) for v in values if v is not None)
    assert spelled_bytes(pl.DataFrame([column])) == expected
    assert spelled_bytes(pl.DataFrame({"a": [10**15]})) is None


def test_bytes_are_those_of_texts_and_of_integers_written_shortest() -> None:
    frame = pl.DataFrame({"a": ["é", None, "xy"], "b": pl.Series([10, None, 0], dtype=pl.UInt64)})
    assert spelled_bytes(frame) == 2 + 2 + 2 + 1
    assert plain(pl.DataFrame({"a": ["0", None], "b": ["01", "1"]}), "ab") == {"a"}
