from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbox.config import Family, LookalikeWeight, ScoredFeature
from simbox.scoring import Scorecard
from simbox.scoring.evidence import evidence, exposure
from simbox.scoring.grades import NO_KNOTS
from simbox.scoring.scorecard import FamilyCard

CardWith = Callable[..., Scorecard]


@pytest.fixture(scope="module")
def two_families(card_with: CardWith) -> Scorecard:
    """Direction of two signals with weights 2 and 1, tempo of one, and one look-alike."""
    return card_with(
        prior=0.001,
        exposure_n0=20.0,
        uncompared_q=1.0,
        full_coverage=0.5,
        direction_volume=("direction",),
        families={
            "direction": Family(p=0.8, q=0.2, doc=""),
            "tempo": Family(p=0.6, q=0.1, doc=""),
        },
        features={
            "out_share": ScoredFeature(legit=0.8, gateway=1.0, weight=2.0),
            "zero_in": ScoredFeature(legit=0.0, gateway=1.0, weight=1.0),
            "gap_median": ScoredFeature(legit=600.0, gateway=60.0, weight=1.0, scale="log"),
        },
        lookalikes={
            "tiny_called_set": LookalikeWeight(
                weight=4.0, anchors={"top5_share": (0.8, 1.0), "distinct_per_day": (4.0, 2.0)}
            )
        },
    )


def parts_of(card: Scorecard, **row: float | None) -> dict[str, float]:
    frame = pl.DataFrame({"line": ["1"], **{k: [v] for k, v in row.items()}})
    made = evidence(frame, card, NO_KNOTS)
    return {name: float(part[0]) / 1e6 for name, part in made.parts.items()}


def test_parts_of_a_line_are_what_the_formula_gives_by_hand(two_families: Scorecard) -> None:
    parts = parts_of(
        two_families, moc=50, sms_mo=10, out_share=0.9, zero_in=1.0, gap_median=600.0,
        top5_share=0.9, distinct_per_day=2.0,
    )  # fmt: skip
    # c = 60 / 80 = 0.75; ln(0.8/0.2) = 1.386294, ln(0.2/0.8) = -1.386294
    # out_share: grade 0.5, so 0.5 * 1.386294 - 0.5 * 1.386294 = 0; zero_in: grade 1, weight 1/3
    assert parts["out_share"] == 0.0
    assert parts["zero_in"] == 0.346574  # 0.75 * 1.386294 / 3 = 0.3465736
    # gap_median: grade 0, ln(0.4/0.9) = -0.810930, times 0.75
    assert parts["gap_median"] == -0.608198
    # the weakest condition: (0.9 - 0.8) / 0.2 = 0.5, times 4 nats
    assert parts["tiny_called_set"] == -2.0
    assert parts["prior"] == -6.906755  # ln(0.001 / 0.999)
    assert math.isnan(parts["hot_list"])


def test_missing_family_adds_nothing_and_a_missing_signal_leaves_its_weight(
    two_families: Scorecard,
) -> None:
    parts = parts_of(two_families, moc=60, sms_mo=0, out_share=1.0)
    # zero_in is absent: out_share has 2 of 3 of the weight, more than half, and speaks for all
    assert parts["out_share"] == 1.039721  # 0.75 * 1.386294
    assert math.isnan(parts["zero_in"])
    assert math.isnan(parts["gap_median"])
    assert math.isnan(parts["tiny_called_set"])


def test_family_with_little_of_its_weight_measured_counts_in_proportion(
    two_families: Scorecard,
) -> None:
    frame = pl.DataFrame({"line": ["1"], "moc": [60], "zero_in": [1.0]})
    made = evidence(frame, two_families, NO_KNOTS)
    # a third of the weight where half is needed: two thirds of the evidence
    assert made.parts["zero_in"][0] / 1e6 == 0.693147  # 0.75 * 1.386294 * (1/3) / (1/2)
    assert made.family_grades["direction"][0] == pytest.approx(2 / 3)


def test_exposure_counts_what_the_line_sends_and_is_full_without_counts() -> None:
    frame = pl.DataFrame({"moc": [20, 0, None], "sms_mo": [0, 0, 5], "mtc": [900, 900, 900]})
    assert exposure(frame, 20.0).tolist() == [0.5, 0.0, 0.2]
    assert exposure(frame, 0.0).tolist() == [1.0, 0.0, 1.0]
    assert exposure(frame.select("mtc"), 20.0).tolist() == [1.0, 1.0, 1.0]


@st.composite
def feature_rows(draw: st.DrawFn) -> dict[str, float | None]:
    number = st.none() | st.floats(-10, 1000) | st.sampled_from([0.0, 1.0, math.inf, math.nan])
    names = ["out_share", "zero_in", "gap_median", "top5_share", "distinct_per_day"]
    row: dict[str, float | None] = {name: draw(number) for name in names}
    return row | {"moc": draw(st.integers(0, 10_000)), "sms_mo": draw(st.integers(0, 10_000))}


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(feature_rows(), min_size=1, max_size=8))
def test_total_is_the_exact_integer_sum_of_the_parts(
    two_families: Scorecard, rows: list[dict[str, float | None]]
) -> None:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.Float64))
    made = evidence(frame, two_families, NO_KNOTS)
    for k, total in enumerate(made.total):
        parts = [part[k] for part in made.parts.values() if not np.isnan(part[k])]
        assert all(float(part).is_integer() for part in parts)
        assert int(total) == sum(int(part) for part in parts)


@settings(max_examples=60, deadline=None)
@given(row=feature_rows(), more=st.floats(0, 1))
def test_score_never_falls_when_a_signal_moves_towards_its_gateway_anchor(
    two_families: Scorecard, row: dict[str, float | None], more: float
) -> None:
    def total(**changed: float) -> int:
        frame = pl.DataFrame([row | changed], schema=dict.fromkeys(row, pl.Float64))
        return int(evidence(frame, two_families, NO_KNOTS).total[0])

    assert total(out_share=0.8) <= total(out_share=0.8 + 0.2 * more) + 1
    assert total(gap_median=600.0) <= total(gap_median=600.0 - 540.0 * more) + 1


def test_every_default_family_speaks_against_a_line_at_grade_zero(card: Scorecard) -> None:
    assert all(f.compared[1] < 0 < f.compared[0] for f in card.families)


def test_half_of_a_family_s_weight_never_outweighs_the_whole(card: Scorecard) -> None:
    family: FamilyCard = card.families[0]
    full = {name: f.gateway for name, f in family.features.items()}
    for name, value in full.items():
        alone = parts_of(card, **{name: value})[name]
        whole = sum(v for k, v in parts_of(card, **full).items() if k in full)
        assert alone <= whole + 1e-5
