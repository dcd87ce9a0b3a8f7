from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

import host_traffic as traffic
from host_traffic import BUYER, GATEWAY, OPERATOR, START, World
from simbox.features.hosts import features, host_features
from simbox.features.hosts.concurrency import peaks
from simbox.features.hosts.declaration import views

FAR = {"198_51_100_7": "far", "203_0_113_5": "far"}


def row(world: World, host: str = GATEWAY, **sides: str) -> Mapping[str, Any]:
    table = host_features(world.tables(), world.sides(**sides))
    return table.row(by_predicate=pl.col("host") == host, named=True)


def six_calls() -> World:
    """Four sold calls, one to an own account, one out; the third and fourth overlap."""
    world = World()
    world.register(GATEWAY, ["2001", "2002", "2004"], BUYER, agent="Box", expires=90)
    sold = (BUYER, GATEWAY)
    world.call(100, sold, ("a", "9000000001"), 4.0, 53, contact_host="192.0.2.99:5060")
    world.call(200, sold, ("a", "9000000002"), 6.0, 51)
    world.call(300, sold, ("a", "9100000003"), 3.0, 54)
    world.call(330, sold, ("a", "9200000004"), 1.0, 0.0, status_code=480)
    world.call(500, sold, ("a", "2001"), 1.0, 56)
    world.call(600, (GATEWAY, BUYER), ("2002", "9300000005"), 1.0, 56)
    return world


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("calls_at_once", 2.0),
        ("dialled_in_share", 4 / 6),
        ("calls_out_share", 1 / 6),
        ("one_peer_share", 1.0),  # five calls in
        ("own_called_share", 1 / 5 + 4 / 5 * 2 / 4),  # half of the sold numbers share a block
        ("call_peers", 1.0),
        ("sold_distinct_share", None),  # four calls are too few for a share
        ("dialled_talk_mean", (53 + 51 + 54) / 3),
        ("accounts_registered", 3.0),
        ("accounts_in_order", 2 / 3),
        ("accounts_alike", 1.0),
        ("register_expires", 90.0),
        ("trunk_codec_share", 1.0),
        ("modern_codec_share", 0.0),
        ("voice_symmetry", 1.0),
        ("constant_share", 1.0),
        ("full_share", None),  # two calls at a time are a household's
        ("tunnel_calls_at_once", None),
        ("strong_signatures", None),
        ("sims_reported", None),
        ("request_refused_share", 0.0),
        ("request_targets", 4.0),
        ("side_doubt", 1.0),
    ],
)
def test_feature_of_six_calls_is_as_counted_by_hand(name: str, value: float | None) -> None:
    assert row(six_calls())[name] == (pytest.approx(value) if value is not None else None)


def test_share_of_calls_is_measured_from_five_calls_on() -> None:
    world = six_calls()
    world.call(700, (BUYER, GATEWAY), ("a", "9000000001"), 5.0, 55)
    measured = row(world)
    assert measured["sold_distinct_share"] == pytest.approx(4 / 5)
    assert measured["sold_top_share"] == pytest.approx(2 / 5)
    assert measured["dialled_answer_ratio"] == pytest.approx(4 / 5)
    assert measured["ring_delay"] == pytest.approx(4.0)
    assert measured["ring_as_gsm_share"] == pytest.approx(4 / 5)


@pytest.mark.parametrize("user", ["+9000000001", "009000000001", "77#9000000001", "9000000001"])
def test_one_number_in_two_spellings_is_one_number(user: str) -> None:
    world = World()
    for number in range(6):
        world.call(100 * number, (BUYER, GATEWAY), ("a", user if number else "9000000001"), 3, 20)
    assert row(world)["sold_distinct_share"] == pytest.approx(1 / 6)


@pytest.mark.parametrize("ports", [4, 8, 16, 32])
@pytest.mark.parametrize("registered", [True, False])
def test_ports_of_a_busy_gateway_are_exact(ports: int, registered: bool) -> None:
    measured = row(traffic.gateway(ports, registered=registered), **FAR)
    assert measured["ports"] == ports
    assert measured["lines"] == (ports if registered else None)


def test_ports_that_a_device_reports_are_exact_before_any_call() -> None:
    world = World()
    for port in range(8):
        for report in range(3):
            world.rows["sightings"].append(
                {
                    "seen": START + timedelta(seconds=30 * report), "line": f"line{port}",
                    "account": f"line{port}", "imsi": f"00101000000{port:02d}{report // 2:02d}",
                    "imei": f"3500000000000{port:02d}", "host": GATEWAY, "peer": BUYER,
                    "protocol": "goip", "source": "a.pcap", "frame": port * 3 + report + 1,
                }
            )  # fmt: skip
    measured = row(world)
    assert (measured["ports"], measured["lines"], measured["calls"]) == (8, 8, 0)
    assert measured["sims_reported"] == 16
    assert measured["sims_per_port"] == 2
    assert measured["imeis_per_port"] == 1
    assert measured["report_gap"] == 30


def test_slots_of_a_sim_bank_are_no_ports() -> None:
    world = six_calls()
    world.rows["sightings"] = [
        {"seen": START, "iccid": f"{slot:019d}", "host": GATEWAY, "port": slot,
         "protocol": "simbank", "source": "a.pcap", "frame": 1}
        for slot in range(128)
    ]  # fmt: skip
    measured = row(world)
    assert (measured["ports"], measured["sims_reported"]) == (3, 128)


def test_calls_in_tunnels_are_counted_by_their_starts() -> None:
    world = World()
    world.rows["tunnels"].append(
        {
            "host": GATEWAY, "host_port": 1, "peer": BUYER, "peer_port": 2, "start": START,
            "end": START + timedelta(seconds=60), "windows": 5, "share": 0.5, "calls_max": 3,
            "calls_mean": 2.0, "calls": [1, 3, 3, 0, 2, 1], "source": "a.pcap", "first_frame": 1,
        }
    )  # fmt: skip
    measured = row(world)
    assert (measured["calls"], measured["ports"]) == (5, 3)
    assert measured["tunnel_calls_at_once"] == 3
    assert measured["full_share"] == pytest.approx(2 / 5)
    assert measured["duty"] == pytest.approx(10 / 5 / 3)
    assert measured["tunnel_voice_share"] == pytest.approx(0.5)


def test_far_hosts_are_left_out_unless_they_scan() -> None:
    table = host_features(six_calls().tables(), six_calls().sides(**FAR))
    assert table["host"].to_list() == [GATEWAY]
    scan = traffic.scanner()
    table = host_features(scan.tables(), scan.sides(**{GATEWAY.replace(".", "_"): "far"}))
    assert table.filter("scanner")["host"].to_list() == [GATEWAY]


def test_calls_of_a_scanner_are_not_the_victim_s() -> None:
    world = traffic.scanner()
    world.call(900, (BUYER, OPERATOR), ("a", "9000000001"), 3, 20)
    assert row(world, OPERATOR)["calls"] == 1


def test_private_contact_behind_another_address_is_a_leak() -> None:
    world = World()
    for number in range(6):
        contact = "10.0.0.7:5060" if number % 2 else f"{GATEWAY}:5060"
        world.call(number, (GATEWAY, BUYER), ("a", "9000000001"), 1, 5, contact_host=contact)
    assert row(world)["private_contact_share"] == pytest.approx(0.5)


def test_media_before_the_answer_is_early() -> None:
    world = World()
    for number in range(6):
        world.call(100 * number, (BUYER, GATEWAY), ("a", world.stranger()), 3, 20)
    for stream in world.rows["streams"][:4]:
        stream["start"] -= timedelta(seconds=2)
    assert row(world)["early_media_share"] == pytest.approx(2 / 6)


def test_calls_that_the_device_reports_stand_in_where_signalling_is_hidden() -> None:
    world = World()
    for number in range(6):
        ends = (GATEWAY, BUYER)
        users = ("line1", world.stranger())
        world.call(100 * number, ends, users, 4, 50, protocol="goip", port=1, media=False)
    world.rows["sightings"].append(
        {"seen": START, "account": "line1", "host": GATEWAY, "protocol": "goip",
         "source": "a.pcap", "frame": 1}
    )  # fmt: skip
    measured = row(world)
    assert measured["calls"] == 6
    assert measured["dialled_in_share"] is None
    assert measured["sold_distinct_share"] == 1.0


def test_shift_is_measured_over_six_hours_and_more() -> None:
    world = World()
    for hour in (0, 1, 2, 3, 6):
        world.call(3600 * hour, (BUYER, GATEWAY), ("a", world.stranger()), 3, 20)
    assert row(world)["shift_hours"] == 4
    del world.rows["dialogs"][-1]
    assert row(world)["shift_hours"] is None


def test_call_that_ends_where_another_starts_does_not_overlap_it() -> None:
    moments = [START + timedelta(seconds=s) for s in (0, 10, 20, 20, 15)]
    intervals = pl.DataFrame(
        {"host": ["h"] * 3, "start": [moments[0], moments[1], moments[1]],
         "until": [moments[1], moments[2], moments[4]]}
    )  # fmt: skip
    assert peaks(intervals).rows() == [("h", 2, 20_000_000, 5_000_000, 25_000_000)]


def test_nothing_seen_is_no_hosts() -> None:
    table = host_features({}, pl.DataFrame(schema={"host": pl.String, "side": pl.String}))
    assert table.height == 0
    assert set(features()) < set(table.columns)


def test_rows_of_any_order_give_the_same_table() -> None:
    world = traffic.gateway(8)
    tables = world.tables()
    shuffled = {
        name: frame.sample(fraction=1.0, shuffle=True, seed=4) for name, frame in tables.items()
    }
    assert host_features(shuffled, world.sides()).equals(host_features(tables, world.sides()))


def test_every_feature_says_what_it_is_and_every_view_what_it_yields() -> None:
    for feature in features().values():
        assert feature.doc.endswith(".")
        assert feature.source
        assert feature.unit
    for view in views():
        assert all(view.columns.values())


def test_no_feature_of_a_host_bears_the_name_of_another_of_a_line() -> None:
    from simbox.features import features as of_lines

    assert not set(features()) & set(of_lines())


def test_number_in_to_is_dialled_where_a_line_s_account_is_asked_for() -> None:
    world = World()
    world.register(GATEWAY, ["2001", "2002"], BUYER)
    for number in range(6):
        users = ("a", f"200{1 + number % 2}")
        world.call(100 * number, (BUYER, GATEWAY), users, 4, 20, to_user=world.stranger())
    measured = row(world)
    assert measured["dialled_in_share"] == 1.0
    assert measured["sold_distinct_share"] == 1.0


def test_own_number_in_to_is_the_account_s() -> None:
    world = World()
    world.register(GATEWAY, ["trunk"], OPERATOR)
    world.call(0, (GATEWAY, OPERATOR), ("9555000001", "9000000001"), 2, 20)
    for number in range(6):
        users = ("a", "trunk")
        world.call(100 + 100 * number, (OPERATOR, GATEWAY), users, 1, 20, to_user="9555000001")
    assert row(world)["dialled_in_share"] == 0.0


def test_evidence_from_before_a_device_had_its_address_is_the_address_s() -> None:
    world = World()
    mac = "02:00:5e:00:53:01"
    world.evidence(mac, "conclusive")
    world.evidence(GATEWAY, "strong")
    world.rows["evidence"][1]["fields"] = f'{{"mac": "{mac}"}}'
    table = host_features(world.tables(), world.sides())
    assert table.select("host", "conclusive_signatures", "strong_signatures").rows() == [
        (GATEWAY, 1.0, 1.0)
    ]


@pytest.mark.parametrize(("status", "scanning"), [(200, False), (None, True), (404, True)])
def test_host_whose_pings_are_answered_is_no_scanner(status: int | None, scanning: bool) -> None:
    world = World()
    for number in range(40):
        world.dialog(number, GATEWAY, f"203.0.113.{number}", method="OPTIONS", status_code=status)
    table = host_features(world.tables(), world.sides())
    assert table.filter(host=GATEWAY)["scanner"].to_list() == [scanning]


def test_pings_that_are_answered_do_not_hide_a_scanner() -> None:
    world = traffic.scanner()
    for number in range(30):
        world.dialog(number, GATEWAY, OPERATOR, method="OPTIONS", status_code=200)
    assert row(world)["scanner"] is True


def test_duty_of_a_tunnel_of_hours_is_a_share() -> None:
    world = traffic.tunnelled_gateway(4)
    tunnel = world.rows["tunnels"][0]
    tunnel["calls"] = [1, 4] * 540  # three hours
    measured = row(world)
    assert measured["duty"] == pytest.approx(2.5 / 4)
    assert measured["full_share"] == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("called", "share"),
    [
        ([f"955500{n:04d}" for n in (1, 2000, 4000, 6000, 9999)], 1.0),  # one block of 10,000
        ([f"955500{n:04d}" for n in (1, 2, 3)] + ["9000000001", "9100000002"], 6 / 20),
        ([f"9{n}00000001" for n in range(5)], 0.0),
        (["101", "102", "2001", "2002", "31"], 1.0),  # extensions of one house
        (["alice", "bob", "carol", "dave", "erin"], 0.0),
    ],
)
def test_pairs_of_called_numbers_in_a_block_are_counted(called: list[str], share: float) -> None:
    world = World()
    for number, user in enumerate(called):
        world.call(100 * number, (BUYER, GATEWAY), ("a", user), 1, 20)
    assert row(world)["sold_block_share"] == pytest.approx(share)


@pytest.mark.parametrize("registered", [True, False])
def test_number_in_to_is_dialled_though_the_registration_is_older_than_the_capture(
    registered: bool,
) -> None:
    world = World()
    if registered:
        world.register(GATEWAY, ["2001", "2002"], BUYER)
    for number in range(6):
        users = ("a", f"200{1 + number % 2}")
        world.call(100 * number, (BUYER, GATEWAY), users, 4, 20, to_user=world.stranger())
    assert row(world)["dialled_in_share"] == 1.0
    assert row(world)["sold_distinct_share"] == 1.0


@pytest.mark.parametrize(("rung", "share"), [(6, 1.0), (3, 0.5), (1, None), (0, None)])
def test_media_of_who_dials_comes_first_where_signalling_is_hidden(
    rung: int, share: float | None
) -> None:
    world = World()
    for number in range(6):
        start = START + timedelta(seconds=100 * number)
        call = {"answered_at": start, "end": start + timedelta(seconds=60), "call_id": None}
        for ends in ((GATEWAY, BUYER), (BUYER, GATEWAY)):
            world.stream(call, *ends)
        there, back = world.rows["streams"][-2:]
        back["src_port"], back["dst_port"] = there["dst_port"], there["src_port"]
        back["start"] += timedelta(seconds=5 if number < rung else 0.2)
    measured = row(world)
    assert measured["media_first_share"] == (pytest.approx(share) if share else None)
    assert row(world, BUYER)["media_first_share"] is None
