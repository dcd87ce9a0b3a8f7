"""Each shipped profile reads its case file as worked out by hand."""

from __future__ import annotations

import tomllib
from pathlib import Path

import polars as pl
import pytest
from reading import read

from simbox.ingest.cdr.profile import load_all

CASES = Path(__file__).parents[1] / "cases" / "profiles"
NAMES = sorted(p.name for p in CASES.iterdir() if p.is_dir())


def case_of(name: str) -> tuple[dict[str, object], Path]:
    case = tomllib.loads((CASES / name / "case.toml").read_text(encoding="utf-8"))
    files = [p for p in (CASES / name).iterdir() if p.name not in ("case.toml", "expected.csv")]
    return case, files[0]


@pytest.mark.parametrize("name", NAMES)
def test_profile_is_recognised_and_gives_the_events_worked_out_by_hand(
    name: str, tmp_path: Path
) -> None:
    case, file = case_of(name)
    zone = case.get("local_zone")
    found = read([file], tmp_path, local_zone=zone) if zone else read([file], tmp_path)
    expected = pl.read_csv(CASES / name / "expected.csv", infer_schema=False)
    got = found.events.select(pl.col(expected.columns).cast(pl.String))
    assert got.rows() == expected.sort("row", "event_type").rows()


@pytest.mark.parametrize("name", NAMES)
def test_case_accounts_for_every_row(name: str, tmp_path: Path) -> None:
    case, file = case_of(name)
    report = read([file], tmp_path).report.files[0]
    assert report.profile == case["profile"]
    assert report.rejects == case["rejects"]
    assert report.ignored == case.get("ignored", 0)
    assert report.encoding == case.get("encoding", "utf-8")
    expected = pl.read_csv(CASES / name / "expected.csv", infer_schema=False)
    assert report.rows_used == expected["row"].n_unique()


def test_every_shipped_profile_has_a_case_with_a_negative_row() -> None:
    assert set(load_all()) == set(NAMES)
    for name in NAMES:
        case, _ = case_of(name)
        assert case["why"]
        assert case["rejects"]
