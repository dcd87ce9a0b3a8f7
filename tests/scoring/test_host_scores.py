from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

import host_traffic as traffic
from host_traffic import GATEWAY, World
from simbox.config import load
from simbox.errors import ConfigError
from simbox.features.hosts import features, host_features
from simbox.scoring.host_lookalikes import HOST_LOOKALIKES
from simbox.scoring.hosts import HOST_COLUMNS, HOST_STATUSES, host_scorecard, score_hosts
from simbox.scoring.reasons import explain
from simbox.scoring.scorecard import MICRO, Scorecard

FAMILIES = {name: feature.family for name, feature in features().items()}


@pytest.fixture(scope="module")
def card() -> Scorecard:
    return host_scorecard(load(), FAMILIES)


def hosts(world: World, card: Scorecard, **sides: str) -> pl.DataFrame:
    return score_hosts(host_features(world.tables(), world.sides(**sides)), card).hosts


def verdict(world: World, card: Scorecard, **sides: str) -> Mapping[str, Any]:
    return hosts(world, card, **sides).row(by_predicate=pl.col("host") == GATEWAY, named=True)


@pytest.mark.parametrize("ports", [4, 8, 16, 32])
@pytest.mark.parametrize("registered", [True, False])
def test_gateway_is_found_in_ten_minutes_by_behaviour_alone(
    ports: int, registered: bool, card: Scorecard
) -> None:
    found = hosts(traffic.gateway(ports, registered=registered), card)
    assert found.filter(pl.col("status") == "alert")["host"].to_list() == [GATEWAY]
    assert found["rank"][0] == 1
    assert found["ports"][0] == ports


@pytest.mark.parametrize("ports", [4, 32])
def test_gateway_that_rings_at_once_and_is_always_answered_is_found(
    ports: int, card: Scorecard
) -> None:
    world = World(ports)
    for port in range(ports):
        at = port * 1.5
        while at < 600:
            talk = world.random.uniform(20, 60)
            users = ("caller", world.stranger())
            world.call(at, (traffic.BUYER, GATEWAY), users, 0.4, talk)
            at += talk + world.random.uniform(5, 9)
    assert verdict(world, card)["status"] == "alert"


def test_gateway_of_which_only_a_tunnel_is_seen_is_found(card: Scorecard) -> None:
    found = verdict(traffic.tunnelled_gateway(), card)
    assert found["status"] == "alert"
    assert found["ports"] == 8


def test_voice_of_one_call_in_a_tunnel_is_a_home_worker_s(card: Scorecard) -> None:
    assert verdict(traffic.tunnelled_gateway(1), card)["status"] == "clear"


def called_office(blocks: list[str], digits: int) -> World:
    """An office that is called all day at the numbers of its blocks and never calls."""
    world = World(21)
    for number in range(300):
        own = world.random.choice(blocks) + f"{world.random.randrange(10**digits):0{digits}d}"
        at = world.random.uniform(0, 1800)
        talk = world.random.expovariate(1 / 150) if number % 4 else 0.0
        world.call(at, (traffic.OPERATOR, GATEWAY), (world.stranger(), own), 0.5, talk)
    return world


@pytest.mark.parametrize(
    ("blocks", "digits"),
    [(["955500"], 4), (["95550001", "92240077", "93350055", "94460012", "91170031"], 2)],
)
def test_office_that_is_only_called_at_its_thousands_of_numbers_is_no_alert(
    blocks: list[str], digits: int, card: Scorecard
) -> None:
    found = verdict(called_office(blocks, digits), card, **{GATEWAY.replace(".", "_"): "access"})
    assert found["status"] != "alert"


def test_gateway_that_dials_a_block_in_order_is_no_office(card: Scorecard) -> None:
    world = traffic.gateway(8, registered=False)
    for number, call in enumerate(world.rows["dialogs"]):
        call["request_user"] = f"955500{number:04d}"
    assert verdict(world, card)["status"] == "alert"


def test_gateway_reached_by_accounts_registered_before_the_capture_is_found(
    card: Scorecard,
) -> None:
    world = traffic.gateway(8, registered=False)
    for number, call in enumerate(world.rows["dialogs"]):
        call["to_user"], call["request_user"] = call["request_user"], f"{2000 + number % 8}"
    assert verdict(world, card)["status"] == "alert"


def only_media(world: World, ends_first: bool, ring: float) -> World:
    """The same world with its signalling encrypted; one end sends while it rings."""
    del world.rows["dialogs"][:]
    for number, stream in enumerate(world.rows["streams"]):
        stream["call_id"] = None
        there = stream["src"] == GATEWAY
        ports = 10_000 + number // 2 * 2, 20_000
        stream["src_port"], stream["dst_port"] = ports if there else ports[::-1]
        if there == ends_first:
            stream["start"] -= timedelta(seconds=ring)
    return world


def test_gateway_with_encrypted_signalling_is_worth_watching_by_its_ring_back(
    card: Scorecard,
) -> None:
    assert verdict(only_media(traffic.gateway(8), True, 6.0), card)["status"] == "watch"


def test_office_with_encrypted_signalling_hears_the_ring_back_of_its_calls(
    card: Scorecard,
) -> None:
    assert verdict(only_media(traffic.call_centre(), False, 6.0), card)["status"] == "clear"


def test_voice_of_a_branch_in_a_tunnel_for_hours_is_no_alert(card: Scorecard) -> None:
    world = traffic.tunnelled_gateway(8)
    tunnel = world.rows["tunnels"][0]
    tunnel["calls"] = [world.random.choice((1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 6)) for _ in range(430)]
    tunnel["calls"] += [8] * 10
    assert verdict(world, card)["status"] != "alert"


@pytest.mark.parametrize("name", traffic.INNOCENT)
@pytest.mark.parametrize("sided", [True, False])
def test_look_alike_is_no_alert(name: str, sided: bool, card: Scorecard) -> None:
    sides = {"198_51_100_7": "far", "203_0_113_5": "far"} if sided else {}
    found = hosts(traffic.INNOCENT[name](), card, **sides)
    assert "alert" not in found["status"].to_list()
    assert found.filter(host=GATEWAY)["status"].to_list() == ["clear"]


def test_scanner_is_shown_as_one_and_its_victim_is_clear(card: Scorecard) -> None:
    found = hosts(traffic.scanner(), card, **{GATEWAY.replace(".", "_"): "far"})
    assert dict(found.select("host", pl.col("status").cast(pl.String)).iter_rows())[GATEWAY] == (
        "scanner"
    )
    assert "alert" not in found["status"].to_list()


def test_gateway_whose_registrations_fail_is_no_scanner_for_that(card: Scorecard) -> None:
    world = traffic.gateway(8, registered=False)
    for number in range(64):
        world.dialog(
            number, GATEWAY, traffic.OPERATOR, method="REGISTER", to_user=f"{2000 + number % 16}",
            status_code=403,
        )  # fmt: skip
    assert verdict(world, card)["status"] == "alert"


@pytest.mark.parametrize("grade", ["strong", "weak"])
def test_signature_only_ever_adds(grade: str, card: Scorecard) -> None:
    bare, signed = traffic.gateway(4), traffic.gateway(4)
    signed.evidence(GATEWAY, grade)
    signed.evidence(GATEWAY, grade)
    without, with_it = verdict(bare, card), verdict(signed, card)
    assert with_it["score"] > without["score"]
    assert with_it["product"] == "Example Gateway"
    assert without["product"] is None


def test_conclusive_evidence_is_enough_before_any_call(card: Scorecard) -> None:
    world = World()
    world.dialog(0, GATEWAY, traffic.BUYER, method="OPTIONS", status_code=200)
    world.evidence(GATEWAY, "conclusive")
    found = verdict(world, card)
    assert (found["status"], found["calls"]) == ("alert", 0)


def test_two_strong_signatures_alone_are_no_alert(card: Scorecard) -> None:
    world = World()
    world.dialog(0, GATEWAY, traffic.BUYER, method="OPTIONS", status_code=200)
    world.evidence(GATEWAY, "strong")
    world.evidence(GATEWAY, "strong")
    assert verdict(world, card)["status"] == "watch"


def test_parts_add_up_to_the_score_exactly(card: Scorecard) -> None:
    world = traffic.gateway(8)
    world.evidence(GATEWAY, "strong")
    table = host_features(world.tables(), world.sides())
    scored = score_hosts(table, card)
    for host, total in scored.contributions.select("host", "total").iter_rows():
        row = scored.contributions.filter(pl.col("host") == host)
        parts = explain(
            table.filter(pl.col("host") == host).rename({"host": "line"}), row, card, scored.knots
        )
        assert parts["micro_nats"].sum() == total
        score = scored.hosts.filter(pl.col("host") == host)["score"][0]
        assert total == round(MICRO * score)


def test_table_of_hosts_has_the_shape_of_the_lines(card: Scorecard) -> None:
    found = hosts(traffic.home_box(), card)
    assert tuple(found.columns[: len(HOST_COLUMNS)]) == HOST_COLUMNS
    assert found["status"].dtype == pl.Enum(HOST_STATUSES)
    assert {"product", "ports", "lines", "calls", "peers", "side"} < set(found.columns)


def test_no_hosts_are_scored_as_none(card: Scorecard) -> None:
    table = host_features({}, pl.DataFrame(schema={"host": pl.String, "side": pl.String}))
    scored = score_hosts(table, card)
    assert scored.hosts.height == scored.contributions.height == 0
    assert tuple(scored.hosts.columns[: len(HOST_COLUMNS)]) == HOST_COLUMNS


def test_every_scored_feature_of_hosts_has_its_declared_direction() -> None:
    scored = load().hosts.features
    for name, feature in features().items():
        direction = "none"
        if name in scored:
            direction = "high" if scored[name].gateway > scored[name].legit else "low"
        assert direction == feature.suspicious, name
    assert set(load().hosts.lookalikes) == {lookalike.name for lookalike in HOST_LOOKALIKES}


@pytest.mark.parametrize(
    ("families", "message"),
    [
        (
            {k if k != "duty" else "duties": v for k, v in FAMILIES.items()},
            "hosts.features.duty: no feature 'duty'. Did you mean 'duties'?",
        ),
        (
            {k: v.replace("tunnel", "tunnels") for k, v in FAMILIES.items()},
            "hosts.families.tunnel: no such family. Did you mean 'tunnels'?",
        ),
    ],
)
def test_names_that_no_feature_of_a_host_has_are_refused(
    families: Mapping[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        host_scorecard(load(), families)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[hosts]\npriors = 0.1\n", "unknown key 'hosts.priors'. Did you mean 'prior'?"),
        ("[hosts.lookalikes.office]\nweight = 1\n", "no look-alike 'office'."),
        ("[hosts]\nsufficient = ['identify']\n", "sufficient names no family 'identify'."),
    ],
)
def test_mistakes_in_the_section_of_hosts_are_named(text: str, message: str, tmp_path: Any) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load(tmp_path / "own.toml")
    assert message in str(error.value)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [traffic.home_box, traffic.office_pbx])
def test_hundreds_of_ordinary_hosts_neither_alert_nor_hide_a_gateway(
    kind: Callable[[], World], seed: int, card: Scorecard
) -> None:
    ordinary = host_features(kind().tables(), kind().sides()).filter(pl.col("host") == GATEWAY)
    several = pl.concat(
        ordinary.with_columns(host=pl.lit(f"203.0.113.{seed}-{n}")) for n in range(220)
    )
    world = traffic.gateway(8)
    gateway = host_features(world.tables(), world.sides()).filter(pl.col("host") == GATEWAY)
    found = score_hosts(pl.concat([several, gateway]), card).hosts
    assert found.filter(pl.col("status") == "alert")["host"].to_list() == [GATEWAY]
    assert found["compared_with"][0] == "segment"
