"""The site score: parts that sum, look-alikes that hold for whom they are meant, verdicts."""

from __future__ import annotations

import math

import polars as pl
import pytest
from site_rows import CALL_CENTRE, CARD, CONFIG, CROWD, GATEWAY, HOUSEHOLD, OFFICE, scored, verdict

from simbox.scoring.scorecard import MICRO
from simbox.scoring.sites.score import SITE_COLUMNS

KINDS = {
    "gateway": GATEWAY, "call_centre": CALL_CENTRE, "office": OFFICE, "household": HOUSEHOLD,
    "crowd": CROWD,
}  # fmt: skip
LIMITS = CONFIG.sites
LOOKALIKES = [k.name for k, _ in CARD.lookalikes]


def parts(row: dict[str, float | None]) -> dict[str, int | None]:
    return scored(one=row).contributions.row(0, named=True)


def nats(row: dict[str, float | None], name: str) -> float:
    return -(parts(row)[name] or 0) / MICRO


def test_the_parts_of_every_site_sum_to_its_score_exactly() -> None:
    found = scored(**KINDS, nothing=dict.fromkeys(GATEWAY), few=GATEWAY | {"calls": 1.0})
    told = found.contributions
    addends = [name for name in told.columns if name not in {"site", "total"}]
    assert (told.select(pl.sum_horizontal(addends)).to_series() == told["total"]).all()
    score = found.sites.join(told, on="site").select(pl.col("score") * MICRO - pl.col("total"))
    assert score.to_series().abs().max() < 1e-3
    assert told.height == len(KINDS) + 2


def test_a_site_of_which_nothing_is_measured_has_the_prior_alone() -> None:
    told = parts(dict.fromkeys(GATEWAY))
    prior = round(MICRO * math.log(LIMITS.prior / (1 - LIMITS.prior)))
    assert told["prior"] == told["total"] == prior
    assert verdict(dict.fromkeys(GATEWAY)) == "clear"


def test_probability_is_the_logistic_of_the_score_and_sites_are_ranked_by_it() -> None:
    found = scored(**KINDS).sites
    assert found.columns[: len(SITE_COLUMNS)] == list(SITE_COLUMNS)
    assert found["rank"].to_list() == list(range(1, 6))
    assert found["score"].is_sorted(descending=True)
    assert found["site"][0] == "gateway"
    for score, probability in found.select("score", "probability").iter_rows():
        assert probability == pytest.approx(1 / (1 + math.exp(-score)))


HOLDS = [
    ("call_centre", "agents"), ("call_centre", "customers"), ("office", "reception"),
    ("office", "customers"), ("household", "household"), ("crowd", "crowd"),
]  # fmt: skip


def conditions(name: str) -> tuple[str, ...]:
    return next(k.conditions for k, _ in CARD.lookalikes if k.name == name)


@pytest.mark.parametrize(("kind", "name"), HOLDS)
def test_a_lookalike_holds_for_whom_it_is_meant(kind: str, name: str) -> None:
    assert nats(KINDS[kind], name) > 0.6 * LIMITS.lookalikes[name].weight


@pytest.mark.parametrize(
    ("kind", "name", "condition"), [(*held, c) for held in HOLDS for c in conditions(held[1])]
)
def test_each_condition_of_a_lookalike_can_undo_it(kind: str, name: str, condition: str) -> None:
    none, _ = LIMITS.lookalikes[name].anchors[condition]
    assert nats(KINDS[kind] | {condition: none}, name) == 0.0


@pytest.mark.parametrize("name", LOOKALIKES)
def test_no_lookalike_holds_for_a_gateway(name: str) -> None:
    assert nats(GATEWAY, name) == 0.0


@pytest.mark.parametrize("name", LOOKALIKES)
def test_a_lookalike_says_nothing_where_a_needed_feature_is_missing(name: str) -> None:
    lookalike = next(k for k, _ in CARD.lookalikes if k.name == name)
    for row in KINDS.values():
        for needed in lookalike.needs:
            assert parts(row | {needed: None})[name] is None


def test_a_gateway_alerts_and_its_lookalikes_do_not() -> None:
    assert {name: verdict(row) for name, row in KINDS.items()} == {
        "gateway": "alert", "call_centre": "clear", "office": "clear", "household": "clear",
        "crowd": "clear",
    }  # fmt: skip


def test_a_room_of_few_calls_does_not_alert() -> None:
    assert verdict(GATEWAY | {"calls": float(LIMITS.min_outgoing)}) == "alert"
    assert verdict(GATEWAY | {"calls": LIMITS.min_outgoing - 1.0}) != "alert"


def test_a_room_needs_several_families_for_an_alert() -> None:
    row = {name: value for name, value in GATEWAY.items() if name in {"calls", "segment"}}
    one = row | {"member_evidence": 60.0, "member_share": 1.0}
    two = one | {"link_nats": 30.0, "site_lines": 40.0}
    assert scored(one=dict.fromkeys(GATEWAY) | one).sites["families"].item() == 1
    for few in (one, two):
        assert verdict(dict.fromkeys(GATEWAY) | few) != "alert"


def test_many_calls_that_nobody_returns_are_no_site_by_themselves() -> None:
    """Members and silence alone are what a line's own score says already."""
    row = dict.fromkeys(GATEWAY) | {
        name: GATEWAY[name]
        for name in ("calls", "member_evidence", "member_share", "site_incoming_share",
                     "site_answered_in_share", "site_called_back_share", "site_known_share")
    }  # fmt: skip
    assert verdict(row) != "alert"


def test_exposure_is_counted_in_calls_of_the_site() -> None:
    half = GATEWAY | {"calls": LIMITS.exposure_n0}
    features = [n for f in CARD.families for n in f.features]
    full = parts(GATEWAY | {"calls": 1e12})
    told = parts(half)
    assert sum(told[n] or 0 for n in features) == pytest.approx(
        sum(full[n] or 0 for n in features) / 2, abs=len(features)
    )
