from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from simbox.scoring import FeatureTable, Scorecard, score_frame
from simbox.scoring.population import reference_knots

Population = Callable[..., pl.DataFrame]


@pytest.mark.parametrize("gateways", [5, 120, 240])
def test_gateways_do_not_hide_behind_each_other(
    gateways: int, population: Population, card: Scorecard
) -> None:
    """0.5 %, 12 % and 24 % of gateways that all look alike: each of them still alerts."""
    lines = score_frame(population(1000 - gateways, gateways), card).lines
    alerts = lines.filter(pl.col("status") == "alert")["line"]
    assert sorted(alerts) == [f"22501{n:07d}" for n in range(1000 - gateways, 1000)]


def test_without_leaving_them_out_many_gateways_would_hide(
    population: Population, card_with: Callable[..., Scorecard]
) -> None:
    keeping_all = card_with(max_left_out=0.0)
    lines = score_frame(population(700, 300), keeping_all).lines
    hidden = 300 - (lines["status"] == "alert").sum()
    assert hidden > 50


def test_lines_left_out_never_exceed_their_share(
    population: Population, card_with: Callable[..., Scorecard]
) -> None:
    card = card_with(max_left_out=0.05)
    knots = reference_knots(FeatureTable.of(population(700, 300)), card)
    assert knots.frame["left_out"].max() == 50


def test_clean_population_leaves_nobody_out_and_alerts_nobody(
    population: Population, card: Scorecard
) -> None:
    scored = score_frame(population(1000), card)
    assert scored.knots.frame["left_out"].max() == 0
    assert set(scored.lines["status"]) == {"clear"}
    assert scored.lines["score"].max() < -9


def test_ordinary_lines_have_small_family_grades_by_construction(
    population: Population, card: Scorecard
) -> None:
    """The ground of the small q: the mean of a tail over a population is 0.10 at most."""
    from simbox.scoring.evidence import evidence

    frame = population(2000)
    knots = reference_knots(FeatureTable.of(frame), card)
    for grades in evidence(frame, card, knots).family_grades.values():
        assert np.nanmean(grades) <= 0.11


def test_anchors_that_misfit_a_country_are_held_back_by_the_percentiles(
    population: Population, card: Scorecard
) -> None:
    """Everybody's calls go out and nobody texts: a country's habit convicts nobody."""
    habit = {
        name: pl.lit(card.features[name].gateway)
        for family in card.families
        if family.name in {"direction", "messaging", "mobility", "reciprocity"}
        for name in family.features
    }
    scored = score_frame(population(1000).with_columns(**habit), card)
    assert set(scored.lines["status"]) == {"clear"}


def test_small_segment_is_compared_with_the_whole_run_and_says_so(
    population: Population, card: Scorecard
) -> None:
    frame = population(600).with_columns(
        segment=pl.when(pl.int_range(pl.len()) < 50).then(pl.lit("fixed")).otherwise("segment")
    )
    scored = score_frame(frame, card)
    compared = scored.lines.group_by("segment").agg(pl.col("compared_with").unique())
    assert dict(compared.iter_rows()) == {"fixed": ["run"], "mobile": ["segment"]}
    assert any("segment fixed: too few lines" in note for note in scored.notes)


def test_small_run_is_scored_by_the_anchors_alone_and_says_so(
    population: Population, card: Scorecard
) -> None:
    scored = score_frame(population(150), card)
    assert scored.knots.empty
    assert set(scored.lines["compared_with"]) == {"none"}
    assert any("too few lines for percentiles" in note for note in scored.notes)


def test_quiet_lines_do_not_take_part_in_the_percentiles(
    population: Population, card: Scorecard
) -> None:
    frame = population(300)
    quiet = population(300, seed=8).with_columns(
        line=pl.concat_str(pl.lit("9"), "line"), moc=pl.lit(9, pl.UInt32)
    )
    alone = reference_knots(FeatureTable.of(frame), card)
    among = reference_knots(FeatureTable.of(pl.concat([frame, quiet])), card)
    assert alone.frame.equals(among.frame)


def test_later_lines_are_scored_against_an_earlier_population(
    population: Population, card: Scorecard
) -> None:
    earlier = score_frame(population(500, 5), card)
    one = population(500, 5).tail(1)
    later = score_frame(one, card, knots=earlier.knots)
    same = earlier.lines.filter(pl.col("line") == one["line"][0])
    assert later.lines["score"].to_list() == same["score"].to_list()
