"""``simbox explain site:ID``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import simbox as library
import small_room


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    exports = small_room.write(tmp_path_factory.mktemp("room") / "exports")
    library.detect(exports, out=exports.parent / "run")
    return exports.parent / "run"


@pytest.fixture(scope="module")
def site(run: Path) -> str:
    return str(pl.read_parquet(run / "sites.parquet")["site"][0])


@pytest.mark.parametrize("spelled", ["{}", "site:{}"])
def test_site_is_taken_apart(
    simbox: Callable[..., Any], run: Path, site: str, spelled: str
) -> None:
    out = simbox("explain", spelled.format(site), "--run", run).out
    for words in (f"site {site}", "box of about 4 ports", "score, in nats", "lines by time",
                  "4 of 4 handsets held several of its lines", "records, 10 of"):  # fmt: skip
        assert words in out
    assert [line for line in small_room.EVERY_LINE if line not in out] == []


def test_called_numbers_are_masked_unless_revealed(
    simbox: Callable[..., Any], run: Path, site: str
) -> None:
    called = {row.split(",")[4] for row in small_room.rows() if row[:12] in small_room.EVERY_LINE}
    masked = simbox("explain", site, "--run", run, "--rows", 200).out
    revealed = simbox("explain", site, "--run", run, "--rows", 200, "--reveal").out
    assert [number for number in called if number in masked] == []
    assert len([number for number in called if number in revealed]) == 200


def test_line_says_in_which_site_it_stands(
    simbox: Callable[..., Any], run: Path, site: str
) -> None:
    out = simbox("explain", small_room.EVERY_LINE[0], "--run", run).out
    assert f"stands in site:{site}" in out
    assert f"'simbox explain site:{site}' takes it apart" in " ".join(out.split())


def test_site_that_is_not_there_is_refused_in_one_line(
    simbox: Callable[..., Any], run: Path
) -> None:
    ended = simbox("explain", "site:S-00000000", "--run", run)
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert "not among the 1 site of" in ended.err


def test_run_without_store_shows_who_but_not_when(
    simbox: Callable[..., Any], run: Path, tmp_path: Path
) -> None:
    simbox("detect", run.parent / "exports", "--out", tmp_path / "run", "--no-store")
    site = pl.read_parquet(tmp_path / "run" / "sites.parquet")["site"][0]
    ended = simbox("explain", site, "--run", tmp_path / "run")
    assert ended.code == 0
    assert "were not kept" in ended.out
    assert "lines by time" not in ended.out
    assert [line for line in small_room.EVERY_LINE if line not in ended.out] == []
    assert 'aria-label="lines by time"' in (tmp_path / "run" / "report.html").read_text()
