from __future__ import annotations

import polars as pl
import pytest

from simbox.evaluation.calibration import BANDS, calibration
from simbox.evaluation.inputs import RunInput


def world(
    gateways: list[float | None], others: list[float | None], site: str | None = None
) -> RunInput:
    scored = pl.DataFrame(
        {
            "probability": pl.Series([*gateways, *others], dtype=pl.Float64),
            "kind": ["gateway/classic"] * len(gateways) + ["ordinary/person"] * len(others),
            "site": pl.Series([site] * len(gateways) + [None] * len(others), dtype=pl.String),
        }
    ).with_columns(score=pl.col("probability"))
    return RunInput("world", scored, pl.DataFrame(), None, 0)


def band(frame: pl.DataFrame | None, number: int) -> dict[str, float | int | None]:
    assert frame is not None
    return frame.row(number, named=True)


def test_others_are_weighed_to_the_prior() -> None:
    # 10 gateways and 1,000 others: at the shipped prior of 1 in 10,000 an other stands for 99.99
    found = calibration([world([0.95] * 10, [0.95] * 1 + [0.05] * 999)])
    top = band(found, BANDS - 1)
    assert (top["gateways"], top["others"]) == (10, 1)
    assert top["observed"] == pytest.approx(10 / (10 + 99.99))
    assert top["predicted"] == pytest.approx(0.95)
    assert top["ratio"] == pytest.approx(10 / (10 + 99.99) / 0.95)


def test_probabilities_that_come_true_are_calibrated() -> None:
    # 100 gateways in 1,000,000 lines, as the prior has it: nobody needs a weight
    quiet = [1e-9] * 999_800
    found = calibration([world([0.25] * 25 + [0.75] * 75, [0.25] * 75 + [0.75] * 25 + quiet)])
    for number in (2, 7):
        assert band(found, number)["ratio"] == pytest.approx(1)


def test_probabilities_that_boast_are_found_out() -> None:
    quiet = [1e-9] * 999_900
    found = calibration([world([0.95] * 100, [0.95] * 900 + quiet)])
    assert band(found, 9)["ratio"] == pytest.approx(0.1 / 0.95, rel=0.01)


def test_a_band_without_lines_says_nothing() -> None:
    found = band(calibration([world([0.95], [0.05])]), 5)
    assert (found["predicted"], found["observed"], found["ratio"]) == (None, None, None)


def test_the_interval_holds_the_observed_share_and_widens_with_fewer_sites() -> None:
    alone = band(calibration([world([0.95] * 40, [0.95] * 4 + [0.05] * 4_000)]), BANDS - 1)
    room = band(calibration([world([0.95] * 40, [0.95] * 4 + [0.05] * 4_000, "s")]), BANDS - 1)
    assert alone["observed_low"] < alone["observed"] < alone["observed_high"]  # type: ignore[operator]
    assert room["observed"] == alone["observed"]
    assert room["observed_low"] < alone["observed_low"]  # type: ignore[operator]


def test_worlds_are_pooled() -> None:
    one = calibration([world([0.95] * 5, [0.95] + [0.05] * 99)])
    two = calibration([world([0.95] * 5, [0.95] + [0.05] * 99)] * 2)
    assert band(two, 9)["gateways"] == 10
    assert band(two, 9)["observed"] == pytest.approx(band(one, 9)["observed"])


def test_gateways_that_the_run_does_not_have_print_nothing() -> None:
    with_absent = calibration([world([0.95, None], [0.05] * 10)])
    assert band(with_absent, 9) == band(calibration([world([0.95], [0.05] * 10)]), 9)


def test_scores_without_probabilities_have_no_calibration() -> None:
    assert calibration([world([None], [None])]) is None
