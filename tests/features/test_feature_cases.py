from __future__ import annotations

import math
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from event_tables import cell_table, store_of, table
from notes import events

from simbox.features import compute, features

FOLDER = Path(__file__).parents[1] / "cases" / "features"
FILES = {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def cases_of(name: str) -> list[dict[str, Any]]:
    return list(tomllib.loads(FILES[name].read_text(encoding="utf-8"))["case"])


CASES = [(name, number) for name in FILES for number in range(len(cases_of(name)))]


def measured(case: dict[str, Any], name: str) -> dict[str, float | None]:
    cells = {cell: tuple(at) for cell, at in case.get("cells", {}).items()}
    with store_of([table(events(case["events"]))]) as store, TemporaryDirectory() as folder:
        run = compute(store, Path(folder), cell_table(cells) if cells else None)
        rows = run.table().collect()
    return dict(rows.select("line", name).iter_rows())


@pytest.mark.parametrize(("name", "number"), CASES, ids=[f"{n}-{i}" for n, i in CASES])
def test_a_feature_gives_what_was_worked_out_by_hand(name: str, number: int) -> None:
    case = cases_of(name)[number]
    got = measured(case, name)
    for line, value in case["expect"].items():
        if value == "null":
            assert got[line] is None, f"{name} of {line} is {got[line]}, not null: {case['why']}"
        else:
            assert got[line] is not None, f"{name} of {line} is null: {case['why']}"
            close = math.isclose(got[line], value, rel_tol=1e-5, abs_tol=1e-5)
            assert close, f"{name} of {line} is {got[line]}, not {value}: {case['why']}"


@pytest.mark.parametrize("name", features())
def test_every_feature_has_a_case_and_a_contrast(name: str) -> None:
    assert name in FILES, f"no tests/cases/features/{name}.toml"
    values = [value for case in cases_of(name) for value in case["expect"].values()]
    assert any(value != "null" for value in values)
    assert len(set(map(str, values))) > 1, "one null or another value is needed beside it"


def test_every_case_belongs_to_a_feature() -> None:
    assert set(FILES) <= set(features())


@pytest.mark.parametrize(("name", "number"), CASES, ids=[f"{n}-{i}" for n, i in CASES])
def test_a_case_says_why_and_names_lines_that_it_has(name: str, number: int) -> None:
    case = cases_of(name)[number]
    assert len(case["why"].split()) >= 8
    assert set(case["expect"]) <= {
        words.split()[0] for words in case["events"].splitlines() if words.strip()
    }
