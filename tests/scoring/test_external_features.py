from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from simbox.errors import DataQualityError, InputError
from simbox.scoring import Imported, Scorecard, import_features, score_file


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "features.parquet"


def imported(tmp_path: Path, text: str, share: float = 1.0) -> tuple[Imported, pl.DataFrame]:
    (tmp_path / "table.csv").write_text(text)
    known = {"out_share", "gap_median", "distinct_ratio", "night_share"}
    target = tmp_path / "features.parquet"
    made = import_features(tmp_path / "table.csv", target, known, share)
    return made, pl.read_parquet(target)


def test_any_subset_of_features_is_taken_and_absent_values_are_null(tmp_path: Path) -> None:
    made, frame = imported(
        tmp_path,
        "line,out_share,moc,gap_median\n2250100001,0.5,30,\n2250100002, NA ,7,60\n",
    )
    assert made.rows == 2
    assert made.features == ("out_share", "gap_median")
    assert made.unknown == ()
    assert made.rejects.is_empty()
    assert frame.schema == pl.Schema(
        {"line": pl.String, "out_share": pl.Float64, "moc": pl.UInt32, "gap_median": pl.Float64}
    )
    assert frame["out_share"].to_list() == [0.5, None]
    assert frame["gap_median"].to_list() == [None, 60.0]


def test_unknown_columns_are_named_with_the_nearest_feature_and_kept(tmp_path: Path) -> None:
    made, frame = imported(tmp_path, "line,out_share,out_shar,zone\n1,0.5,0.6,x\n")
    assert made.unknown == (
        "column 'out_shar' is no feature. Did you mean 'out_share'?",
        "column 'zone' is no feature.",
    )
    assert frame["zone"].to_list() == ["x"]


def test_values_that_are_no_numbers_are_reported_and_count_as_not_measured(tmp_path: Path) -> None:
    made, frame = imported(
        tmp_path,
        "line,out_share,moc\n1,0.5,3\n2,high,-4\n3,inf,x\n,0.1,1\n1,0.9,2\n",
    )
    assert frame["line"].to_list() == ["1", "2", "3"]
    assert frame["out_share"].to_list() == [0.5, None, None]
    assert made.rows == 3
    told = made.rejects.select("row", "column", "value_class", "reason").rows()
    assert told == [
        (2, "moc", "text(2)", "moc|out of range"),
        (2, "out_share", "text(4)", "out_share|not a number"),
        (3, "moc", "text(1)", "moc|not a number"),
        (3, "out_share", "text(3)", "out_share|not a number"),
        (4, "line", "empty", "line|empty"),
        (5, "line", "digits(1)", "line|duplicate"),
    ]


@pytest.mark.parametrize(
    ("column", "value", "kept"),
    [
        ("out_share", "85", None),  # a percentage
        ("out_share", "-0.1", None),
        ("out_share", "1.0000001", 1.0000001),  # a rounded one
        ("gap_median", "85", 85.0),
        ("gap_median", "-1", None),
        ("moc", "99999999999", None),
    ],
)
def test_value_that_its_unit_cannot_have_is_reported(
    tmp_path: Path, column: str, value: str, kept: float | None
) -> None:
    rows = f"line,night_share,{column}\n1,0.5,{value}\n"
    made, frame = imported(tmp_path, rows)
    assert frame[column].to_list() == [kept]
    reasons = made.rejects["reason"].to_list()
    assert reasons == ([] if kept else [f"{column}|out of range"])


def test_lines_that_went_through_a_frame_of_floats_keep_their_digits(
    tmp_path: Path, target: Path
) -> None:
    table = pl.DataFrame({"line": [99913000000001.0], "out_share": [0.5]})
    table.write_parquet(tmp_path / "table.parquet")
    import_features(tmp_path / "table.parquet", target, {"out_share"}, 0.0)
    assert pl.read_parquet(target)["line"].to_list() == ["99913000000001"]


def test_column_that_may_be_the_lines_is_to_be_renamed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Rename 'Line' to 'line'"):
        imported(tmp_path, "Line,out_share\n1,0.5\n")


def test_too_many_unusable_rows_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(DataQualityError, match=r"1 of 2 rows .* row 2: out_share\|not a number"):
        imported(tmp_path, "line,out_share\n1,0.5\n2,?\n", share=0.4)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_delimiter_is_the_one_that_the_header_uses(tmp_path: Path, separator: str) -> None:
    rows = (("line", "out_share", "gap_median"), ("1", "0.5", "7"))
    made, frame = imported(tmp_path, "\n".join(separator.join(row) for row in rows))
    assert made.features == ("out_share", "gap_median")
    assert frame.row(0) == ("1", 0.5, 7.0)


def test_parquet_of_other_types_is_taken(tmp_path: Path, target: Path) -> None:
    pl.DataFrame(
        {"line": [22501, 22502], "out_share": [True, None], "gap_median": [60, 70], "moc": [1.0, 2]}
    ).write_parquet(tmp_path / "t.parquet")
    made = import_features(tmp_path / "t.parquet", target, {"out_share", "gap_median"}, 0.0)
    assert made.rejects.is_empty()
    assert pl.read_parquet(target).rows() == [("22501", 1.0, 60.0, 1), ("22502", None, 70.0, 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("msisdn,out_share\n1,1\n", "no column 'line'; found msisdn, out_share"),
        ("line,out_shar\n1,1\n", "no column is a feature; .*Did you mean 'out_share'"),
        ("line,out_share,score\n1,1,1\n", "column 'score' is made by scoring; rename it"),
        ("line,out_share\n", "holds no rows"),
        ("", "cannot be read as CSV or Parquet"),
        ("line,out_share\n1,0.5,7,8\n", "cannot be read as CSV or Parquet"),
    ],
)
def test_file_that_is_no_table_of_features_is_one_line_of_error(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as error:
        imported(tmp_path, text)
    assert "\n" not in str(error.value)


def test_absent_file_and_nested_column_are_one_line_of_error(tmp_path: Path, target: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        import_features(tmp_path / "no.csv", target, {"out_share"}, 1.0)
    pl.DataFrame({"line": ["1"], "out_share": [[1.0]]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"column 'out_share' is List\(Float64\); a number"):
        import_features(tmp_path / "t.parquet", target, {"out_share"}, 1.0)


def test_imported_table_can_be_scored(tmp_path: Path, target: Path, card: Scorecard) -> None:
    rows = "\n".join(f"22501{n:05d},{n / 400:.4f},50,north" for n in range(400))
    (tmp_path / "t.csv").write_text(f"line,out_share,moc,region\n{rows}\n")
    import_features(tmp_path / "t.csv", target, card.known, 0.0)
    scored = score_file(target, tmp_path / "contributions.parquet", card)
    # 0.98 and more is full on the ramp; 398 of 400 lines below is the last level
    assert scored.lines["line"].to_list()[:2] == ["2250100398", "2250100399"]
    assert set(scored.lines["region"]) == {"north"}
    assert set(scored.lines["status"]) == {"clear"}
