from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

SMALL = ("--lines", 200, "--days", 1)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_world_is_written_with_its_labels_and_the_profile_that_reads_it(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "world"
    ended = simbox("simulate", out, *SMALL)
    assert (ended.code, ended.err) == (0, "")
    names = ["cdr_20250303.parquet", "cells.csv", "profile.toml", "sites.csv", "truth.csv"]
    assert sorted(p.name for p in out.iterdir()) == [*names, "world.json"]
    record = json.loads((out / "world.json").read_text())
    rows = pl.read_parquet(out / "cdr_20250303.parquet")
    said, advice = ended.out.splitlines()
    assert said == f"{out}: records {rows.height:,}, files 1"
    assert advice.startswith(f"simbox detect '{out}/cdr*' --profile '{out}/profile.toml'")
    assert record["counts"]["rows"] == rows.height > 100
    truth = pl.read_csv(out / "truth.csv", infer_schema=False)
    assert set(rows["line"]) <= set(truth["line"])
    assert record["lines"] == dict(truth.group_by("kind").len().rows())
    assert rows["start"].is_sorted()
    assert list(tmp_path.iterdir()) == [out]


def test_same_seed_gives_the_same_bytes_and_another_seed_others(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    for name, seed, form in (("a", 3, "csv.gz"), ("b", 3, "csv.gz"), ("c", 4, "csv.gz")):
        assert (
            simbox("simulate", tmp_path / name, *SMALL, "--seed", seed, "--format", form).code == 0
        )
    first, again, other = (digests(tmp_path / name) for name in "abc")
    assert first == again
    assert {name for name in first if first[name] == other[name]} == {"profile.toml"}


def test_parquet_of_the_same_seed_has_the_same_bytes(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    for name in "ab":
        assert simbox("simulate", tmp_path / name, *SMALL).code == 0
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--without", "lookalike/courer"), "Did you mean 'lookalike/courier'?"),
        (("--only", "nobody/*"), "kind 'nobody/*': no kind is called so."),
        (("--count", "lookalike/courier"), "--count lookalike/courier: found no KIND=N; try"),
        (("--count", "lookalike/courer=2"), "Did you mean 'lookalike/courier'?"),
        (("--lines", 0), "Invalid value for '--lines': Input should be greater"),
        (("--days", 0), "Invalid value for '--days': Input should be greater"),
        (("--days", 10**9), "records lie in the years 1990 to 2099; try"),
        (("--seed", -1), "Invalid value for '--seed': Input should be greater"),
        (("--start", "2025-02-30"), "'2025-02-30' does not match the formats '%Y-%m-%d'"),
        (("--start", "1066-10-14"), "records lie in the years 1990 to 2099; try"),
        (("--zone", "Asia/Shangai"), "Asia/Shanghai"),
        (("--profile", "generic-serve"), "Did you mean 'generic-served'?"),
        (("--profile", "asterisk", "--format", "parquet"), "is written as csv.gz or csv"),
        (("--format", "xml"), "'xml' is not one of 'parquet', 'csv', 'csv.gz'"),
        (
            ("--profile", "bandicoot", "--lines", 6000, "--days", 1),
            "one file a line, and the world",
        ),
    ],
)
def test_wrong_arguments_are_answered_with_one_line_and_nothing_is_left(
    simbox: Callable[..., Any], tmp_path: Path, arguments: tuple[object, ...], complaint: str
) -> None:
    ended = simbox("simulate", tmp_path / "world", *arguments)
    assert ended.code == 2
    assert complaint in ended.err
    assert len(ended.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_folder_that_holds_anything_is_left_as_it_is(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("mine")
    ended = simbox("simulate", tmp_path, *SMALL)
    assert ended.code == 2
    assert ended.err == (
        f"simbox: {tmp_path}: holds note.txt already; name a new or an empty folder\n"
    )
    assert [p.name for p in tmp_path.iterdir()] == ["note.txt"]


def test_file_is_not_written_over(simbox: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "world").write_text("mine")
    ended = simbox("simulate", tmp_path / "world", *SMALL)
    assert (ended.code, "is a file; name a new folder" in ended.err) == (2, True)
    assert (tmp_path / "world").read_text() == "mine"


def test_folder_of_profiles_is_no_profile(simbox: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("one", "two"):
        text = f'name = "{name}"\n[columns]\nline = "l"\nother = "o"\nstart = "s"\n'
        (tmp_path / f"{name}.toml").write_text(text)
    ended = simbox("simulate", tmp_path / "world", *SMALL, "--profile", tmp_path)
    assert (ended.code, "found one, two; name one of them" in ended.err) == (2, True)


def test_profile_without_a_column_for_the_line_is_refused(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "bare.toml").write_text('name = "bare"\n[columns]\nstart = "s"\n')
    ended = simbox("simulate", tmp_path / "world", *SMALL, "--profile", tmp_path / "bare.toml")
    assert (ended.code, "names no column for a line and a start" in ended.err) == (2, True)


def test_kinds_are_listed(simbox: Callable[..., Any]) -> None:
    ended = simbox("simulate", "--kinds")
    assert ended.code == 0
    assert {"ordinary/people", "lookalike/courier"} <= set(ended.out.split())


def test_chosen_kinds_and_counts_are_those_of_the_world(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "world"
    wanted = ("--only", "lookalike/courier", "--count", "lookalike/machine=7")
    assert simbox("simulate", out, *SMALL, *wanted).code == 0
    units = json.loads((out / "world.json").read_text())["units"]
    assert units.keys() == {"ordinary/people", "lookalike/courier", "lookalike/machine"}
    assert (units["ordinary/people"], units["lookalike/machine"]) == (200, 7)


def test_what_a_profile_cannot_carry_is_said(simbox: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "world"
    ended = simbox("simulate", out, *SMALL, "--profile", "asterisk")
    left_out = json.loads((out / "world.json").read_text())["left_out"]["texts"]
    assert left_out > 0
    said = f"left out, as the profile has no word for them: texts {left_out:,}"
    assert said in ended.out.splitlines()


def test_world_can_be_ranked(simbox: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "world"
    assert simbox("simulate", out, "--lines", 3000, "--days", 3).code == 0
    ended = simbox(
        "detect", *sorted(out.glob("cdr*")), "--profile", out / "profile.toml",
        "--cells", out / "cells.csv", "--out", tmp_path / "run", "--top", 20,
    )  # fmt: skip
    assert ended.code == 0
    ranked = [row["line"] for row in csv.DictReader(io.StringIO(ended.out))]
    truth = pl.read_csv(out / "truth.csv", infer_schema=False)
    assert len(set(ranked)) == 20
    assert set(ranked) <= set(truth["line"])
    assert truth.filter(pl.col("line").is_in(ranked))["kind"].n_unique() > 1
