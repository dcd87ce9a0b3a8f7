"""Sites on the command line: their table, their map, and how they are asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import small_room


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_room.write(tmp_path_factory.mktemp("room") / "exports")


@pytest.fixture(scope="module")
def ended(exports: Path) -> Callable[..., list[object]]:
    """The arguments of a run on the room."""

    def arguments(*more: object) -> list[object]:
        cells = exports.parent / "cells.csv"
        return ["detect", exports, "--cells", cells, "--out", exports.parent / "run", *more]

    return arguments


@pytest.mark.parametrize("columns", [72, 80, 120, 180])
def test_sites_come_above_the_lines_which_name_theirs(
    simbox: Callable[..., Any],
    ended: Callable[..., list[object]],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = simbox(*ended("--format", "table", "--top", 3)).out
    [site] = {word.rstrip(":") for word in out.split() if word.startswith("S-")}
    sites, lines = out.index("rank  site"), out.index("rank  line")
    assert sites < lines
    assert out[lines:].count(f"  {site}") == 3
    assert "1: 1 alert; 0.0" in " ".join(out.split())
    assert "false ones expected among the 1 alert" in " ".join(out.split())
    assert "…" not in out[sites:]  # nothing is cut off: what has no room stands below
    for words in ("box", "09:00–17:5", small_room.CELL):
        assert words in out[sites:lines]
    assert f"simbox explain site:{site}" in out
    said = [line for line in out.splitlines() if "  " in line and "run" not in line]
    assert max(len(line.rstrip()) for line in said if "/" not in line) <= columns


def test_ranking_of_sites_is_csv_and_json_on_request(
    simbox: Callable[..., Any], ended: Callable[..., list[object]], exports: Path
) -> None:
    [row] = csv.DictReader(io.StringIO(simbox(*ended("--ranking", "sites", "--format", "csv")).out))
    assert (row["lines"], row["ports"], row["district"]) == ("12", "4", "Harbour")
    assert (row["shift_start"], row["cells"]) == ("09:00", small_room.CELL)
    [told] = json.loads(simbox(*ended("--ranking", "sites", "--format", "json")).out)
    assert (told["site"], len(told["shifts"])) == (row["site"], small_room.DAYS)
    kept = (exports.parent / "run" / "sites.csv").read_text(encoding="utf-8")
    assert next(csv.DictReader(io.StringIO(kept))) == row


def test_ranking_of_sites_without_any_is_a_header(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    import small_world

    exports = small_world.write(tmp_path / "exports")
    run = ["detect", exports, "--out", tmp_path / "run", "--ranking", "sites"]
    assert simbox(*run, "--format", "csv").out.startswith("rank,site,status")
    assert json.loads(simbox(*run, "--format", "json").out) == []


def test_map_of_sites_is_written_beside_the_run(
    simbox: Callable[..., Any], ended: Callable[..., list[object]], tmp_path: Path
) -> None:
    target = tmp_path / "map.geojson"
    assert simbox(*ended("--geojson", target)).code == 0
    [feature] = json.loads(target.read_text(encoding="utf-8"))["features"]
    assert feature["geometry"]["coordinates"] == [-41.25, 12.5]
    first = target.read_bytes()
    simbox(*ended("--geojson", target))
    assert target.read_bytes() == first


def test_map_in_the_folder_of_the_run_is_refused_before_anything_is_read(
    simbox: Callable[..., Any], ended: Callable[..., list[object]], exports: Path
) -> None:
    refused = simbox(*ended("--geojson", exports.parent / "run" / "map.geojson"))
    assert refused.code == 2
    assert len(refused.err.splitlines()) == 1


def test_site_that_alerts_fails_a_run_that_is_to_be_clean(
    simbox: Callable[..., Any], ended: Callable[..., list[object]]
) -> None:
    assert simbox(*ended("--fail-on", "alert")).code == 3
