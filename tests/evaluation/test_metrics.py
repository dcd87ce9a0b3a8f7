from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scored_lines import ranking

from simbox.errors import InputError
from simbox.evaluation.metrics import KindFigures, Metrics, mean_of, measure

GATEWAY, ORDINARY = "gateway/classic", "ordinary/person"


def value(metrics: Metrics, figure: str) -> float:
    found = metrics.figures[figure].value
    assert found is not None
    return found


def kind_of(metrics: Metrics, name: str) -> KindFigures:
    return next(kind for kind in metrics.kinds if kind.kind == name)


def test_average_precision_is_the_mean_precision_where_each_gateway_is_reached() -> None:
    found = measure(ranking({GATEWAY: [9, 7], ORDINARY: [8, 1, 0]}))
    assert value(found, "average_precision") == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_of_lines_with_one_score_the_gateways_come_last() -> None:
    found = measure(ranking({GATEWAY: [5, 5], ORDINARY: [5, 5, 1]}))
    assert value(found, "average_precision") == pytest.approx((1 / 3 + 2 / 4) / 2)


def test_a_constant_score_finds_nothing_at_any_small_false_positive_rate() -> None:
    found = measure(ranking({GATEWAY: [1.0] * 10, ORDINARY: [1.0] * 90}))
    assert value(found, "recall_at_fpr_1e-2") == 0
    assert kind_of(found, GATEWAY).found["fpr_1e-2"].value == 0


@pytest.mark.parametrize(
    ("figure", "recall"),
    [("recall_at_fpr_1e-4", 1 / 4), ("recall_at_fpr_1e-3", 2 / 4), ("recall_at_fpr_1e-2", 3 / 4)],
)
def test_recall_counts_gateways_above_the_first_line_too_many(figure: str, recall: float) -> None:
    # 1,000 others: none may be let in at 1e-4, one at 1e-3, ten at 1e-2
    others = [100.0, 80.0, *np.linspace(60, 1, 998)]
    found = measure(ranking({GATEWAY: [110, 90, 59.9, 0], ORDINARY: others}))
    assert value(found, figure) == pytest.approx(recall)
    assert kind_of(found, GATEWAY).found[figure.removeprefix("recall_at_")].value == recall


def test_gateways_that_the_run_does_not_have_are_missed() -> None:
    found = measure(ranking({GATEWAY: [9, None], ORDINARY: [1, 0]}))
    assert found.absent == kind_of(found, GATEWAY).absent == 1
    assert value(found, "average_precision") == pytest.approx(0.5)
    assert value(found, "recall_at_fpr_1e-2") == pytest.approx(0.5)
    assert kind_of(found, GATEWAY).found["fpr_1e-2"].value == pytest.approx(0.5)


def test_other_lines_that_the_run_does_not_have_are_no_part_of_any_rate() -> None:
    found = measure(ranking({GATEWAY: [9], ORDINARY: [10, 1, None, None]}))
    assert found.others == 2
    assert kind_of(found, ORDINARY).lines == 4
    assert kind_of(found, ORDINARY).absent == 2


def test_a_score_that_is_no_number_is_as_good_as_none() -> None:
    found = measure(ranking({GATEWAY: [9, float("nan")], ORDINARY: [1, 0]}))
    assert found.absent == 1


def test_precision_counts_each_other_line_as_often_as_the_prevalence_asks() -> None:
    # 100 gateways among 99,900 others are 1 in 1,000 already; at 1 in 10,000 an other counts 10 x
    gateways = [200.0 - i for i in range(100)]
    others = [150.5, *([0.0] * 99_899)]  # one other line behind 50 gateways
    found = measure(ranking({GATEWAY: gateways, ORDINARY: others}))
    assert value(found, "precision_at_50_prevalence_1e-3") == 1
    assert value(found, "precision_at_100_prevalence_1e-3") == pytest.approx(0.99)
    assert value(found, "precision_at_100_prevalence_1e-4") == pytest.approx(0.89)


def test_precision_cannot_pass_the_number_of_gateways() -> None:
    found = measure(ranking({GATEWAY: [9] * 20, ORDINARY: [0] * 500}))
    assert value(found, "precision_at_100_prevalence_1e-3") == pytest.approx(0.2)


def test_statuses_give_recall_and_false_alerts_a_kind() -> None:
    found = measure(
        ranking(
            {GATEWAY: [9, 8, 7], "lookalike/courier": [5, 4]},
            statuses={
                GATEWAY: ["alert", "watch", "listed"],
                "lookalike/courier": ["watch", "clear"],
            },
        )
    )
    gateway, courier = kind_of(found, GATEWAY).found, kind_of(found, "lookalike/courier").found
    assert gateway["alert"].value == pytest.approx(1 / 3)
    assert gateway["watch"].value == pytest.approx(2 / 3)
    assert (courier["alert"].value, courier["watch"].value) == (0, 0.5)


def test_a_ranking_without_statuses_has_no_figures_by_status() -> None:
    found = measure(ranking({GATEWAY: [9], ORDINARY: [1]}))
    assert set(kind_of(found, GATEWAY).found) == {"fpr_1e-4", "fpr_1e-3", "fpr_1e-2"}


@pytest.mark.parametrize(
    "scores", [{ORDINARY: [1.0]}, {GATEWAY: [1.0]}, {GATEWAY: [1.0], ORDINARY: [None]}]
)
def test_without_gateways_or_others_there_is_nothing_to_measure(
    scores: dict[str, list[float | None]],
) -> None:
    with pytest.raises(InputError):
        measure(ranking(scores))


def test_lines_of_one_site_make_wider_intervals_than_lines_alone() -> None:
    rng = np.random.default_rng(3)
    by_site = np.repeat(rng.normal(3, 2, 10), 20)  # ten sites of twenty lines that score alike
    scores = {GATEWAY: by_site.tolist(), ORDINARY: rng.normal(0, 1, 5_000).tolist()}
    sites: dict[str, list[str | None]] = {GATEWAY: [f"s{i // 20}" for i in range(200)]}
    alone = measure(ranking(scores)).figures["average_precision"]
    tied = measure(ranking(scores, sites=sites)).figures["average_precision"]
    assert tied.value == alone.value
    assert (tied.high or 0) - (tied.low or 0) > 2 * ((alone.high or 0) - (alone.low or 0))


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    truth = measure(
        ranking(
            {
                GATEWAY: rng.normal(2, 1, 20_000).tolist(),
                ORDINARY: rng.normal(0, 1, 20_000).tolist(),
            }
        )
    )
    expected = value(truth, "recall_at_fpr_1e-2")
    covered = 0
    for _ in range(25):
        drawn = {
            GATEWAY: rng.normal(2, 1, 100).tolist(),
            ORDINARY: rng.normal(0, 1, 2_000).tolist(),
        }
        found = measure(ranking(drawn)).figures["recall_at_fpr_1e-2"]
        covered += (found.low or 0) <= expected <= (found.high or 0)
    assert covered >= 20  # of 24 expected; 19 and fewer happen in 1 of 1,000 such draws


def test_finding_every_gateway_is_no_certainty() -> None:
    found = measure(ranking({GATEWAY: [9] * 30, ORDINARY: [0] * 100}))
    recall = found.figures["recall_at_fpr_1e-4"]
    assert recall.value == recall.high == 1
    assert recall.low == pytest.approx(0.886, abs=0.001)  # Wilson's interval for 30 of 30


def test_gateways_of_a_single_site_give_figures_without_an_interval() -> None:
    found = measure(ranking({GATEWAY: [9, 8], ORDINARY: [1]}, sites={GATEWAY: ["s", "s"]}))
    assert found.figures["average_precision"].low is None


def test_the_same_ranking_gives_the_same_intervals_in_any_order() -> None:
    rng = np.random.default_rng(1)
    lines = ranking(
        {GATEWAY: rng.normal(2, 1, 50).tolist(), ORDINARY: rng.normal(0, 1, 500).tolist()}
    )
    assert measure(lines) == measure(lines.sample(fraction=1, shuffle=True, seed=4))


def test_several_worlds_give_means_with_students_interval() -> None:
    worlds = [measure(ranking({GATEWAY: [9], ORDINARY: [score, 0]})) for score in (1, 10, 1)]
    found = mean_of(worlds)
    precision = found.figures["average_precision"]
    values = np.array([1, 0.5, 1])
    half = 4.3027 * values.std(ddof=1) / np.sqrt(3)
    assert precision.value == pytest.approx(values.mean())
    assert precision.low == pytest.approx(values.mean() - half, abs=1e-4)
    assert precision.high == 1
    assert (found.gateways, found.others, found.seeds) == (3, 6, 3)


def test_a_kind_that_one_world_lacks_is_the_mean_of_the_others() -> None:
    with_courier = measure(ranking({GATEWAY: [9], "lookalike/courier": [1], ORDINARY: [0]}))
    without = measure(ranking({GATEWAY: [9], ORDINARY: [0]}))
    courier = kind_of(mean_of([with_courier, without]), "lookalike/courier")
    assert courier.lines == 1
    assert courier.found["fpr_1e-2"].value is not None


def naive_average_precision(gateways: list[int], others: list[int]) -> float:
    """Gateways one by one, best first, each behind all others of its score."""
    precisions = []
    for reached, score in enumerate(sorted(gateways, reverse=True), 1):
        above = sum(other >= score for other in others)
        precisions.append(reached / (reached + above))
    return sum(precisions) / len(gateways)


SCORES = st.lists(st.integers(0, 8), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(SCORES, SCORES)
def test_average_precision_agrees_with_a_plain_count(
    gateways: list[int], others: list[int]
) -> None:
    found = measure(ranking({GATEWAY: gateways, ORDINARY: others}))
    expected = naive_average_precision(gateways, others)
    assert value(found, "average_precision") == pytest.approx(expected)


def test_a_million_lines_are_measured_in_seconds() -> None:
    rng = np.random.default_rng(2)
    lines = 1_000_000
    frame = pl.DataFrame(
        {
            "score": rng.normal(size=lines),
            "kind": pl.Series(np.where(np.arange(lines) < 500, GATEWAY, ORDINARY)),
        }
    ).with_columns(
        line=pl.int_range(pl.len()).cast(pl.String),
        site=pl.lit(None, pl.String),
        status=pl.lit(None, pl.String),
        probability=pl.lit(None, pl.Float64),
    )
    began = time.process_time()
    measure(frame)
    assert time.process_time() - began < 5
