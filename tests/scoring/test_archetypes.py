"""Hand-made lines, one a file in cases/scoring: why each is what it is, and what must come out."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from simbox.features import features
from simbox.scoring import FeatureTable, Scorecard, score_frame
from simbox.scoring.evidence import evidence
from simbox.scoring.grades import NO_KNOTS, Knots
from simbox.scoring.population import reference_knots

CASES = sorted((Path(__file__).parent.parent / "cases" / "scoring").glob("*.toml"))
COUNTS = {"moc", "sms_mo"}
EXPECTATIONS = {
    "status", "status_not", "probability_above", "score_below", "grades", "lookalikes", "absent",
    "most_lookalike_nats",
}  # fmt: skip


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return tomllib.loads(request.param.read_text(encoding="utf-8"))


def frame_of(case: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame({"line": ["2250100001"], **{n: [float(v)] for n, v in case["row"].items()}})


def test_there_are_gateways_look_alikes_and_ordinary_lines() -> None:
    kinds = {path.stem.split("_")[0] for path in CASES}
    assert kinds == {"gateway", "lookalike", "ordinary"}


def test_case_says_why_and_names_known_features(case: dict[str, Any]) -> None:
    assert len(case["why"].split()) > 15
    assert set(case["row"]) - COUNTS <= set(features())
    assert set(case["expect"]) <= EXPECTATIONS


@pytest.fixture(scope="module")
def ordinary_people(population: Callable[..., pl.DataFrame], card: Scorecard) -> Knots:
    return reference_knots(FeatureTable.of(population(1000).drop("segment")), card)


def test_case_has_the_verdict_that_its_reason_demands(
    case: dict[str, Any], card: Scorecard, ordinary_people: Knots
) -> None:
    line = score_frame(frame_of(case), card, knots=ordinary_people).lines.row(0, named=True)
    expect = case["expect"]
    assert line["status"] == expect.get("status", line["status"])
    assert line["status"] != expect.get("status_not")
    assert line["probability"] > expect.get("probability_above", -1)
    assert line["score"] < expect.get("score_below", 1e9)
    if case["kind"] == "gateway" and "status" in expect:  # alone it is less sure, and still a find
        alone = score_frame(frame_of(case), card).lines.row(0, named=True)
        assert alone["probability"] <= line["probability"]
        assert alone["status"] != "clear" or line["status"] == "clear"
    if case["kind"] == "ordinary":
        assert line["score"] < 0
    if case["kind"] != "gateway":
        assert line["status"] != "alert"


def test_case_has_the_family_grades_worked_out_by_hand(
    case: dict[str, Any], card: Scorecard
) -> None:
    made = evidence(frame_of(case), card, NO_KNOTS)
    for family, grade in case["expect"].get("grades", {}).items():
        assert made.family_grades[family][0] == pytest.approx(grade, abs=5e-4), family
    for family in case["expect"].get("absent", []):
        names = next(f.features for f in card.families if f.name == family)
        assert all(np.isnan(made.parts[name][0]) for name in names)


def test_case_has_the_look_alike_grades_worked_out_by_hand(
    case: dict[str, Any], card: Scorecard
) -> None:
    made = evidence(frame_of(case), card, NO_KNOTS)
    nats = {k.name: float(np.nan_to_num(-made.parts[k.name][0] / 1e6)) for k, _ in card.lookalikes}
    weights = {k.name: w.weight for k, w in card.lookalikes}
    for name, grade in case["expect"].get("lookalikes", {}).items():
        assert nats[name] / weights[name] == pytest.approx(grade, abs=5e-4), name
    if case["expect"].get("lookalikes") == {}:
        assert sum(nats.values()) == 0
    most = case["expect"].get("most_lookalike_nats", 1e9)
    assert sum(nats.values()) <= most


@pytest.mark.parametrize("name", ["gateway_classic_static", "gateway_shift_cottage"])
@pytest.mark.parametrize("family", ["direction", "messaging", "mobility", "identity", "tempo"])
def test_naive_gateway_is_still_watched_without_any_one_family(
    name: str, family: str, card: Scorecard
) -> None:
    path = next(p for p in CASES if p.stem == name)
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    gone = next(f.features for f in card.families if f.name == family)
    frame = frame_of(case).drop(*gone, strict=False)
    assert score_frame(frame, card).lines["status"][0] in {"alert", "watch"}


@pytest.mark.parametrize("family", ["direction", "dispersion", "tempo", "shift", "mobility"])
def test_one_family_at_full_grade_leaves_an_ordinary_person_clear(
    family: str, card: Scorecard
) -> None:
    path = next(p for p in CASES if p.stem == "ordinary_person")
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    full = next(f.features for f in card.families if f.name == family)
    case["row"] |= {name: feature.gateway for name, feature in full.items()}
    line = score_frame(frame_of(case), card).lines.row(0, named=True)
    assert line["status"] == "clear"
    assert line["probability"] < card.scoring.watch_probability / 100
