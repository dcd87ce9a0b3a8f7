from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import small_world
from simbox.errors import InputError
from simbox.evaluation.inputs import open_input
from simbox.evaluation.labels import TRUTH

LABELS = "line,kind,site\n1,gateway/classic,s\n2,ordinary,\n9,gateway/shift,t\n8,ordinary,\n"


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / TRUTH
    path.write_text(LABELS, encoding="utf-8")
    return path


def table(folder: Path, text: str) -> Path:
    path = folder / "scores.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_get_their_labels_and_labelled_lines_that_are_not_there_no_score(
    tmp_path: Path, truth: Path
) -> None:
    world = open_input(table(tmp_path, "line,score\n1,5\n2,4.5\n3,-1\n"), truth)
    assert world.scored.select("line", "score", "kind", "site").rows() == [
        ("1", 5.0, "gateway/classic", "s"),
        ("2", 4.5, "ordinary", None),
        ("3", -1.0, "ordinary", None),
        ("9", None, "gateway/shift", "t"),
        ("8", None, "ordinary", None),
    ]
    assert (world.unlabelled, world.absent) == (1, 1)


def test_lines_without_a_label_may_be_left_out(tmp_path: Path, truth: Path) -> None:
    path = table(tmp_path, "line,score\n1,5\n3,-1\n")
    world = open_input(path, truth, keep_unlabelled=False)
    assert "3" not in world.scored["line"].to_list()
    assert world.unlabelled == 1


def test_another_ranking_of_the_lines_gets_the_same_labels(tmp_path: Path, truth: Path) -> None:
    world = open_input(table(tmp_path, "line,score\n1,5\n2,4\n"), truth)
    other = world.labelled(pl.DataFrame({"line": ["2", "1"], "score": [0.9, 0.1]}))
    assert other.select("line", "score", "kind").rows()[:3] == [
        ("2", 0.9, "ordinary"),
        ("1", 0.1, "gateway/classic"),
        ("9", None, "gateway/shift"),
    ]


def test_leading_zeros_of_lines_are_kept(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("line,kind\n001010000000001,1\n", encoding="utf-8")
    world = open_input(table(tmp_path, "line,score\n001010000000001,5\n"), labels)
    assert world.scored["kind"].to_list() == ["gateway"]


def test_probability_and_status_come_along_and_other_columns_do_not(
    tmp_path: Path, truth: Path
) -> None:
    path = table(tmp_path, "line,probability,note,score,status\n1,0.9,x,5,alert\n")
    scored = open_input(path, truth).scored
    assert scored.columns == ["line", "score", "probability", "status", "kind", "site"]
    assert scored.row(0)[1:4] == (5.0, 0.9, "alert")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("line,points\n1,5\n", "no column 'score'; found line, points"),
        ("score\n5\n", "no column 'line'"),
        ("line,score\n1,high\n", "cannot be read as a table of scores"),
        ("line,score\n1,5\n1,6\n", "a line stands twice"),
        ("line,score\n77,5\n", "none of its 1 lines is among the 4 labelled ones"),
    ],
)
def test_a_table_that_cannot_be_used_is_told_on_one_line(
    tmp_path: Path, truth: Path, text: str, said: str
) -> None:
    with pytest.raises(InputError) as error:
        open_input(table(tmp_path, text), truth)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_table_that_is_not_there_is_named(tmp_path: Path, truth: Path) -> None:
    with pytest.raises(InputError, match="no such file or run folder"):
        open_input(tmp_path / "scores.csv", truth)


@pytest.mark.parametrize("place", [".", ".."])
def test_labels_are_found_beside_what_the_run_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    from simbox import detect

    monkeypatch.chdir(tmp_path)
    exports = small_world.write(tmp_path / "world" / "cdr")
    truth = exports / place / TRUTH
    detect(exports, out=tmp_path / "run")
    with pytest.raises(InputError, match=r"no truth\.csv beside its inputs.*--labels"):
        open_input(tmp_path / "run", None)
    truth.write_text(f"line,kind\n{small_world.GATEWAY},gateway/classic\n", encoding="utf-8")
    world = open_input(tmp_path / "run", None)
    assert world.scored["kind"].to_list().count("gateway/classic") == 1
    assert world.prior == pytest.approx(1e-4)
