from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from simbox.errors import InputError
from simbox.evaluation.labels import read_labels


def labels(folder: Path, text: str, name: str = "truth.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("gateway/classic", "gateway/classic"),
        ("Gateway/Per SIM IMEI", "gateway/per_sim_imei"),
        ("fraud/rotation", "gateway/rotation"),
        ("1", "gateway"),
        ("TRUE", "gateway"),
        ("SIM box", "gateway"),
        ("look-alike/courier", "lookalike/courier"),
        ("courier", "lookalike/courier"),
        ("0", "ordinary"),
        ("Normal", "ordinary"),
        ("second_sim", "ordinary/second_sim"),
        ("ordinary/person", "ordinary/person"),
    ],
)
def test_kinds_are_known_however_carriers_write_them(
    tmp_path: Path, written: str, kind: str
) -> None:
    path = labels(tmp_path, f"line,kind\n999130000001,{written}\n999130000002,gateway\n")
    assert read_labels(path)["kind"].to_list()[0] == kind


def test_an_empty_kind_or_site_is_none(tmp_path: Path) -> None:
    path = labels(tmp_path, "line,kind,site\n999130000001,gateway,\n999130000002,,s1\n")
    assert read_labels(path).rows() == [
        ("999130000001", "gateway", None),
        ("999130000002", None, "s1"),
    ]


def test_numbers_are_read_as_runs_write_them_and_accounts_as_they_are(tmp_path: Path) -> None:
    path = labels(tmp_path, "msisdn,label\n+999 13-0000001,1\nbox-7@example.org,1\n0012345,0\n")
    assert read_labels(path)["line"].to_list() == ["999130000001", "box-7@example.org", "0012345"]


def test_parquet_with_numbers_is_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "truth.parquet"
    pl.DataFrame({"line": [999130000001, 999130000002], "fraud": [1, 0]}).write_parquet(path)
    assert read_labels(path).rows() == [
        ("999130000001", "gateway", None),
        ("999130000002", "ordinary", None),
    ]


def test_a_line_that_stands_twice_with_one_kind_counts_once(tmp_path: Path) -> None:
    path = labels(tmp_path, "line,kind\n999130000001,1\n999130000001,fraud\n")
    assert read_labels(path).height == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("number,class\n", "no gateway among"),
        ("line,when\n999130000001,now\n", "no column 'kind'; found line, when"),
        ("who,kind\n999130000001,gateway\n", "no column 'line'"),
        ("line,kind\n999130000001,gatway\n", "kind 'gatway' is not known. Did you mean 'gateway'"),
        ("line,kind\n999130000001,box/shift\n", "Write gateway/NAME"),
        ("line,kind\n999130000001,0\n", "no gateway among its 1 line;"),
        ("line,kind\n999130000001,0\n999130000001,1\n", "labelled ordinary and gateway"),
        ("", "cannot be read as labels"),
    ],
)
def test_what_cannot_be_labels_is_told_on_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        read_labels(labels(tmp_path, text))
    assert said in str(error.value)
    assert str(error.value).startswith(str(tmp_path))
    assert "\n" not in str(error.value)


def test_labels_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_labels(tmp_path / "truth.csv")
