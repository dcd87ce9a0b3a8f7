from __future__ import annotations

import numpy as np
import pytest

from simbox.evaluation.intervals import (
    Clustered,
    Estimate,
    mean_of_values,
    over_seeds,
    student,
    wilson,
)


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.7062), (4, 2.7764), (30, 2.0423), (40, 2.0211), (120, 1.9799)]
)
def test_students_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, abs=2e-4)


@pytest.mark.parametrize(
    ("found", "count", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634)],
)
def test_wilsons_interval_is_that_of_the_paper(
    found: int, count: int, low: float, high: float
) -> None:
    estimate = wilson(found / count, count)
    assert (estimate.low, estimate.high) == (
        pytest.approx(low, abs=1e-4),
        pytest.approx(high, abs=1e-4),
    )


def clustered(sizes: list[int], hits: list[int], alone: int = 0, found: int = 0) -> Clustered:
    return Clustered(
        alone + sum(sizes),
        found + sum(hits),
        alone,
        found,
        np.array(sizes, int),
        np.array(hits, int),
    )


def test_sites_that_stand_and_fall_together_count_as_one_line_each() -> None:
    assert clustered([10] * 20, [10, 0] * 10).effective() == pytest.approx(20, rel=0.06)


def test_lines_without_a_site_count_in_full() -> None:
    assert clustered([], [], alone=200, found=60).effective() == pytest.approx(200, rel=0.01)


def test_all_or_none_found_says_as_much_as_there_are_sites() -> None:
    assert clustered([50, 50], [0, 0]).effective() == 2
    assert (clustered([50, 50], [0, 0]).estimate().high or 0) > 0.5


def test_one_seed_keeps_its_own_interval() -> None:
    own = Estimate(0.5, 0.4, 0.6)
    assert over_seeds([own, Estimate(None)]) == own


def test_the_interval_of_a_mean_of_shares_stays_between_0_and_1() -> None:
    found = over_seeds([Estimate(1.0), Estimate(0.2)])
    assert (found.low, found.high) == (0, 1)


def test_a_loss_may_be_below_zero() -> None:
    assert (mean_of_values([-0.2, 0.1]).low or 0) < -0.2


def test_nothing_known_gives_nothing() -> None:
    assert over_seeds([Estimate(None)]) == Estimate(None)
