from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from small_world import GATEWAY, ORDINARY, rows


def lines(printed: str) -> list[str]:
    return [row["line"] for row in csv.DictReader(io.StringIO(printed))]


def test_version_is_printed(simbox: Callable[..., Any]) -> None:
    from simbox import __version__

    assert simbox("--version").out == f"simbox {__version__}\n"


def test_inspect_counts_rows_lines_and_duplicates(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    text = (exports / "cdr_0.csv").read_text()
    last = text.splitlines()[-1]
    (tmp_path / "cdr.csv").write_text(text + last + "\n")
    ended = simbox("inspect", tmp_path / "cdr.csv")
    assert ended.code == 0
    facts = ended.out.split("all files")[1]
    assert f"rows            {len(rows()[::2]) + 1:,}" in facts
    assert "duplicates      1" in facts
    assert f"lines           {1 + len(ORDINARY)}" in facts


def test_proposed_profile_reads_the_unknown_file(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    calls = [row.split(",") for row in rows() if ",MOC," in row]
    text = "\n".join(f"{c[0]};{c[4]};{c[2]};{c[3]}" for c in calls)
    (tmp_path / "odd.csv").write_text(f"numero_abonne;numero_appele;debut_appel;duree\n{text}\n")
    proposed = simbox("inspect", tmp_path / "odd.csv")
    assert (proposed.code, len(proposed.err.splitlines())) == (0, 1)
    (tmp_path / "odd.toml").write_text(proposed.out)
    ended = simbox(
        "detect", tmp_path / "odd.csv", "--profile", tmp_path / "odd.toml",
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert ended.code == 0
    assert GATEWAY in lines(ended.out)


def test_features_alone_give_the_same_ranking(
    simbox: Callable[..., Any], finished: Path, tmp_path: Path
) -> None:
    ranked = pl.read_parquet(finished / "lines.parquet")["line"].to_list()
    ended = simbox("score", finished / "features.parquet", "--top", 100)
    assert lines(ended.out) == ranked
    pl.read_parquet(finished / "features.parquet").write_csv(tmp_path / "features.csv")
    assert lines(simbox("score", tmp_path / "features.csv", "--top", 100).out) == ranked


def test_scored_features_can_be_explained(
    simbox: Callable[..., Any], finished: Path, tmp_path: Path
) -> None:
    ended = simbox("score", finished / "features.parquet", "--out", tmp_path / "run")
    assert ended.code == 0
    assert simbox("explain", GATEWAY, "--run", tmp_path / "run").code == 0


def test_few_features_and_no_counts_are_enough_to_score(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    table = pl.DataFrame(
        {"line": ["1", "2"], "out_share": [1.0, 0.2], "distinct_ratio": [1.0, 0.1]}
    )
    table.write_csv(tmp_path / "own.csv")
    for form in ("csv", "json", "table"):
        ended = simbox("score", tmp_path / "own.csv", "--format", form)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out


def test_wrong_column_of_features_is_named(simbox: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("line,out_shre\n1,0.5\n")
    ended = simbox("score", tmp_path / "own.csv")
    assert ended.code == 2
    assert "Did you mean 'out_share'?" in ended.err


def test_defaults_are_a_valid_configuration(simbox: Callable[..., Any]) -> None:
    ended = simbox("check-config")
    assert (ended.code, ended.err) == (0, "")


def test_misspelt_key_is_answered_with_the_right_one(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text("[scoring]\npriro = 0.001\n")
    ended = simbox("check-config", tmp_path / "own.toml")
    assert ended.code == 2
    assert "line 2" in ended.err
    assert "Did you mean 'prior'?" in ended.err


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ('[time]\nlocal_zone = "Mars/Base"', "Mars/Base"),
        ('[ingest]\nprofile_folders = ["absent"]', "absent"),
        ('[lists]\nfiles = ["absent.csv"]', "absent.csv"),
    ],
)
def test_what_a_configuration_names_must_be_there(
    simbox: Callable[..., Any], tmp_path: Path, table: str, found: str
) -> None:
    (tmp_path / "own.toml").write_text(f"{table}\n")
    ended = simbox("check-config", tmp_path / "own.toml")
    assert ended.code == 2
    assert found in ended.err


def test_profiles_are_listed(simbox: Callable[..., Any]) -> None:
    assert "generic-served" in simbox("profiles").out


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_catalogue_prints_in_every_form(simbox: Callable[..., Any], form: str) -> None:
    assert "distinct_ratio" in simbox("catalogue", "--format", form).out


def test_unexpected_trouble_is_one_line_and_exit_code_1(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a\nstrange thing")

    monkeypatch.setattr("simbox.pipeline.compute", broken)
    ended = simbox("detect", exports, "--out", tmp_path / "run")
    assert ended.code == 1
    assert ended.err.splitlines() == [
        "simbox: unexpected RuntimeError: a strange thing (--debug shows where)"
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        OSError("File too large (os error 27)"),
        pl.exceptions.ComputeError("parquet: No space left on device (os error 28)"),
    ],
)
def test_full_disk_is_told_with_what_helps(
    simbox: Callable[..., Any],
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr("simbox.pipeline.compute", full)
    ended = simbox("detect", exports, "--out", tmp_path / "run")
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "free space" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_control_characters_of_a_file_do_not_reach_the_terminal(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "odd.csv").write_text("a\x1b[2Jb,c\n1,2\n")
    ended = simbox("detect", tmp_path / "odd.csv", "--out", tmp_path / "run")
    assert ended.code == 2
    assert "\x1b" not in ended.err


def test_run_goes_to_the_default_folder_and_is_found_there(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert simbox("detect", exports).code == 0
    assert simbox("explain", GATEWAY).code == 0
    assert [p.name for p in tmp_path.iterdir()] == ["simbox-run"]
