from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbox.config import ScoredFeature
from simbox.scoring import Scorecard
from simbox.scoring.grades import (
    NO_KNOTS,
    Grade,
    Knots,
    SegmentRows,
    column,
    grade,
    quantile_knots,
    ramp,
    tail,
)

HIGH = ScoredFeature(legit=0.6, gateway=0.9)
LOW = ScoredFeature(legit=0.5, gateway=0.1)
LOG_HIGH = ScoredFeature(legit=2.0, gateway=8.0, scale="log")
LOG_LOW = ScoredFeature(legit=600.0, gateway=60.0, scale="log")
LEVELS = range(800, 996)
values = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("feature", "value", "expected"),
    [
        (HIGH, 0.5, 0.0),
        (HIGH, 0.6, 0.0),
        (HIGH, 0.75, 0.5),
        (HIGH, 0.9, 1.0),
        (HIGH, 7.0, 1.0),
        (LOW, 0.6, 0.0),
        (LOW, 0.2, 0.75),
        (LOW, 0.0, 1.0),
        (LOG_HIGH, 4.0, 0.5),  # ln 2 / ln 4
        (LOG_HIGH, 0.0, 0.0),
        (LOG_LOW, 0.0, 1.0),  # no pause at all is beyond the shortest
        (LOG_LOW, math.sqrt(600 * 60), 0.5),
    ],
)
def test_ramp_rises_from_the_legitimate_to_the_gateway_anchor(
    feature: ScoredFeature, value: float, expected: float
) -> None:
    assert ramp(np.array([value]), feature)[0] == pytest.approx(expected)


@pytest.mark.parametrize("feature", [HIGH, LOW, LOG_HIGH, LOG_LOW])
def test_what_is_not_measured_has_no_grade(feature: ScoredFeature) -> None:
    frame = pl.DataFrame({"x": [None, float("nan"), float("inf")]})
    graded = grade("x", column(frame, "x"), feature, NO_KNOTS, SegmentRows.of(frame))
    assert np.isnan(graded.ramp).all()
    assert np.isnan(graded.grade).all()


@given(st.lists(values, min_size=2, max_size=50), st.sampled_from([HIGH, LOW, LOG_HIGH, LOG_LOW]))
def test_ramp_never_falls_in_the_suspicious_direction(
    several: list[float], feature: ScoredFeature
) -> None:
    direction = 1 if feature.gateway > feature.legit else -1
    grades = ramp(np.sort(several)[::direction], feature)
    assert (np.diff(grades) >= 0).all()
    assert ((grades >= 0) & (grades <= 1)).all()


@given(
    st.lists(st.integers(-30, 30).map(float), min_size=1, max_size=300),
    st.integers(-31, 31).map(float),
    st.sampled_from([HIGH, LOW]),
)
def test_tail_counts_the_levels_that_the_strictly_less_suspicious_share_reaches(
    reference: list[float], value: float, feature: ScoredFeature
) -> None:
    high = feature.gateway > feature.legit
    below = sum((r < value) if high else (r > value) for r in reference)
    reached = sum(1 for level in LEVELS if below * 1000 >= level * len(reference))
    knots = quantile_knots(np.array(reference), feature, LEVELS)
    got = tail(np.array([value]), feature, knots)[0]
    assert got == pytest.approx(reached / len(LEVELS))


@pytest.mark.parametrize(
    ("ones", "expected"),
    [
        (0, 1.0),  # nobody has it: the first that does stands out in full
        (5, 1.0),  # 0.5 % have it, so 99.5 % are strictly below
        (50, 151 / 196),  # 95 % below: the levels 0.800 to 0.950
        (200, 1 / 196),  # 80 % below: the first level only
        (250, 0.0),  # a quarter has it: nothing unusual
    ],
)
def test_flag_counts_by_how_few_lines_have_it(ones: int, expected: float) -> None:
    flag = ScoredFeature(legit=0.0, gateway=1.0)
    knots = quantile_knots(np.array([1.0] * ones + [0.0] * (1000 - ones)), flag, LEVELS)
    assert tail(np.array([1.0]), flag, knots)[0] == pytest.approx(expected)
    assert tail(np.array([0.0]), flag, knots)[0] == 0.0


def test_grade_is_the_smaller_of_ramp_and_tail() -> None:
    # 1000 lines with 0.000, 0.001, ...: 0.85 is beyond 85.0 % of them, 51 of 196 levels.
    knots = quantile_knots(np.arange(1000) / 1000, HIGH, LEVELS)
    frame = pl.DataFrame({"x": [0.85, 0.65]})
    known = Knots(
        pl.DataFrame(
            {"segment": ["*"], "feature": ["x"], "lines": [1000], "left_out": [0], "knots": [knots]}
        )
    )
    graded = grade("x", column(frame, "x"), HIGH, known, SegmentRows.of(frame)).grade
    assert graded == pytest.approx([51 / 196, 0.0])


def test_what_half_of_a_population_shares_with_gateways_speaks_neither_for_nor_against() -> None:
    # Shared by half, rare, ordinary, and half way up the ramp and far out: half of each.
    ramps, grades = np.array([1.0, 1.0, 0.0, 0.5]), np.array([0.0, 1.0, 0.0, 0.5])
    compared = Grade(ramps, grades, alone=np.zeros(4, dtype=bool))
    assert compared.evidence((2.0, -1.0), (9.0, -9.0)) == pytest.approx([0.0, 2.0, -1.0, 0.5])


def test_without_a_population_the_anchors_speak_more_softly(card: Scorecard) -> None:
    alone = Grade(np.array([1.0, 0.0]), np.array([1.0, 0.0]), alone=np.ones(2, dtype=bool))
    assert alone.evidence((2.0, -1.0), (1.5, -0.9)) == pytest.approx([1.5, -0.9])
    for family in card.families:
        assert 0 < family.alone[0] < family.compared[0]
        assert family.compared[1] < family.alone[1] < 0


def test_segment_is_compared_with_its_own_lines() -> None:
    def row(segment: str, top: float) -> dict[str, object]:
        knots = np.linspace(0, top, len(LEVELS)).tolist()
        return {"segment": segment, "feature": "x", "lines": 1, "left_out": 0, "knots": knots}

    knots = Knots(pl.DataFrame([row("mobile", 0.5), row("*", 2.0)]))
    frame = pl.DataFrame({"segment": ["mobile", "fixed", None], "x": [0.9, 0.9, 0.9]})
    graded = grade("x", column(frame, "x"), HIGH, knots, SegmentRows.of(frame)).grade
    assert graded[0] == 1.0
    assert graded[1] == graded[2] < 0.5
    assert [knots.basis(s) for s in ("mobile", "fixed")] == ["segment", "run"]
    assert NO_KNOTS.basis("mobile") == "none"
