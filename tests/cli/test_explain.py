from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from small_world import GATEWAY, rows


@pytest.mark.parametrize("spelled", [GATEWAY, f"+{GATEWAY}", f"00{GATEWAY}", "999 130-000 001"])
def test_line_is_found_however_it_is_written(
    simbox: Callable[..., Any], finished: Path, spelled: str
) -> None:
    ended = simbox("explain", spelled, "--run", finished)
    assert ended.code == 0
    assert f"line {GATEWAY}" in ended.out


def test_unknown_line_is_answered_with_the_nearest(
    simbox: Callable[..., Any], finished: Path
) -> None:
    ended = simbox("explain", f"{GATEWAY}2", "--run", finished)
    assert ended.code == 2
    assert f"Did you mean '{GATEWAY}'?" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_other_parties_are_masked_unless_revealed(
    simbox: Callable[..., Any], finished: Path
) -> None:
    called = {row.split(",")[4] for row in rows() if row.startswith(GATEWAY)}
    masked = simbox("explain", GATEWAY, "--run", finished, "--rows", 1000).out
    revealed = simbox("explain", GATEWAY, "--run", finished, "--rows", 1000, "--reveal").out
    assert not [number for number in called if number in masked]
    assert [number for number in called if number not in revealed] == []


def test_every_record_is_named_by_file_and_row(
    simbox: Callable[..., Any], exports: Path, finished: Path
) -> None:
    ended = simbox("explain", GATEWAY, "--run", finished, "--rows", 1000)
    records = ended.out.split("records, ")[1]
    told, name = set(), ""
    for words in (line.split() for line in records.splitlines()[1:]):
        if words and words[0].endswith(".csv"):
            name = Path(words[0]).name
        elif words and words[0].isdigit():
            told.add((name, int(words[0])))
    held = {
        (path.name, number)
        for path in exports.iterdir()
        for number, row in enumerate(path.read_text().splitlines()[1:], 1)
        if row.startswith(GATEWAY)
    }
    assert told == held


@pytest.mark.parametrize("columns", [80, 120, 150])
def test_explanation_keeps_within_the_terminal(
    simbox: Callable[..., Any], finished: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    ended = simbox("explain", GATEWAY, "--run", finished, "--full")
    lines = [line for line in ended.out.splitlines() if not line.endswith(".csv")]
    assert max(len(line) for line in lines) <= columns


def test_folder_without_a_run_is_refused(simbox: Callable[..., Any], tmp_path: Path) -> None:
    ended = simbox("explain", GATEWAY, "--run", tmp_path)
    assert ended.code == 2
    assert "no simbox run here" in ended.err


def test_run_without_store_is_explained_without_records(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    simbox("detect", exports, "--out", tmp_path / "run", "--no-store")
    ended = simbox("explain", GATEWAY, "--run", tmp_path / "run")
    assert ended.code == 0
    assert "records behind it were not kept" in ended.out
