"""From measured sites to features of sites: the lines' own evidence, and what links them."""

from __future__ import annotations

import numpy as np
import pytest
from room_traffic import DAY, HOUR, Leg, line_of, traffic

from simbox.features.declaration import ABILITIES
from simbox.features.sites.engine import LOUD, features, site_features
from simbox.features.sites.network import FAMILIES, Network
from simbox.features.sites.pairs import Pairs

NAMES = [f"99913000050{n}" for n in range(5)]
EVERYTHING = dict.fromkeys(ABILITIES, True)
LEGS = [
    Leg(name, day * DAY + 9 * HOUR + step * 300 + n, f"99915{n}{day}{step:05d}")
    for n, name in enumerate(NAMES)
    for day in range(2)
    for step in range(3)
] + [Leg(NAMES[0], DAY + 12 * HOUR, "999150000001", what="MTC")]
TRAFFIC, _ = traffic(LEGS)
LINE = [line_of(TRAFFIC, name) for name in NAMES]
SITE = np.full(5, -1, dtype=np.int64)
SITE[LINE[:3]] = 0
SITE[LINE[3:]] = 1


def linked(**families: list[float]) -> Network:
    """Links 0-1 and 0-2 in one site, 3-4 in the other, and 2-3 between both."""
    ends = sorted(
        (*sorted((LINE[a], LINE[b])), n)
        for n, (a, b) in enumerate(((0, 1), (0, 2), (3, 4), (2, 3)))
    )
    low, high, order = (np.array(column) for column in zip(*ends, strict=True))
    nats = {f.name: np.array(families.get(f.name, [0.0] * 4))[order] for f in FAMILIES}
    return Network(Pairs(low, high), nats, 5)


def told(own: list[float] | None = None, **given: object) -> dict[str, list[float | None]]:
    nats = np.zeros(5)
    nats[LINE] = own or [0.0] * 5
    abilities = {**EVERYTHING, **given.pop("abilities", {})}  # type: ignore[dict-item]
    net = linked(**given)  # type: ignore[arg-type]
    return site_features(TRAFFIC, net, SITE, nats, abilities).to_dict(as_series=False)


def test_lines_repeat_each_other_s_evidence_so_the_k_th_counts_a_k_th() -> None:
    found = told([2.0, 6.0, 3.0, -1.0, 5.0])
    assert found["member_evidence"] == pytest.approx([6 + 3 / 2 + 2 / 3, 5 - 1 / 2])
    assert found["member_share"] == pytest.approx([2 / 3, 1 / 2])


def test_evidence_at_the_bar_is_loud() -> None:
    assert told([LOUD, LOUD - 1e-9, 0, 0, 0])["member_share"][0] == pytest.approx(1 / 3)


def test_links_are_averaged_over_all_pairs_and_those_that_never_met_count_nothing() -> None:
    found = told(place=[3.0, 2.0, 4.0, 9.0], rhythm=[1.5, 0.0, -1.0, 9.0])
    assert found["place_nats"] == pytest.approx([5 / 3, 4.0])
    assert found["rhythm_nats"] == pytest.approx([0.5, -1.0])
    assert found["link_nats"] == pytest.approx([6.5 / 3, 3.0])


@pytest.mark.parametrize(
    ("feature", "family"),
    [("turn_nats", "port"), ("handset_nats", "identity"), ("list_nats", "list"),
     ("move_nats", "moves")],
)  # fmt: skip
def test_the_strongest_link_of_each_line_speaks_for_it(feature: str, family: str) -> None:
    # Line 0 has 5 and 2, line 1 has 5, line 2 has 2; between sites 7 counts for nobody.
    found = told(**{family: [5.0, 2.0, 3.0, 7.0]})
    assert found[feature] == pytest.approx([(5 + 5 + 2) / 3, 3.0])


def test_a_link_against_speaks_for_nobody_s_strongest() -> None:
    assert told(moves=[-1.0, -1.0, -1.0, 5.0])["move_nats"] == [0.0, 0.0]


NEEDING = sorted(name for name, feature in features().items() if "incoming" in feature.needs)


def test_features_about_callers_are_those_that_need_incoming_calls() -> None:
    assert NEEDING == [
        "site_answered_in_share", "site_called_back_share", "site_incoming_share",
        "site_known_share",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NEEDING)
def test_a_feed_that_shows_no_incoming_calls_says_nothing_about_callers(name: str) -> None:
    assert told()[name][0] is not None
    assert told(abilities={"incoming": False})[name] == [None, None]


def test_what_was_measured_stays_beside_the_features() -> None:
    found = told()
    assert found["site_lines"] == found["lines"] == [3, 2]
    assert set(features()) <= set(found)
    assert found["can_incoming"] == [True, True]
