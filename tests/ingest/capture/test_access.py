from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import polars as pl
import pytest

from simbox.ingest.capture.access import access_side, private, within
from simbox.tables import DIALOGS, EVIDENCE, SIGHTINGS, STREAMS, WINDOWS

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GATEWAY, SERVER = "192.0.2.10", "198.51.100.7"


def dialogs(*rows: tuple[str, str, str, int | None]) -> pl.DataFrame:
    """Dialogs of (method, source, target, status)."""
    return DIALOGS.conform(
        pl.DataFrame(
            [
                {"start": AT, "last_seen": AT, "protocol": "sip", "method": method,
                 "call_id": str(n),
                 "status_code": status, "src": src, "dst": dst, "messages": 2, "source": "a.pcap",
                 "frame": n + 1}
                for n, (method, src, dst, status) in enumerate(rows)
            ]
        )
    )  # fmt: skip


def evidence(host: str, grade: str, peer: str | None = None) -> pl.DataFrame:
    row = {"host": host, "peer": peer, "signature": "s", "product": "p", "grade": grade, "time": AT,
           "last_seen": AT, "count": 1, "source": "a.pcap", "frame": 1}  # fmt: skip
    return EVIDENCE.conform(pl.DataFrame([row], schema_overrides={"peer": pl.String}))


def sides(tables: Mapping[str, pl.DataFrame], *networks: str) -> dict[str, str]:
    found = access_side(tables, [ip_network(n) for n in networks] or None)
    assert found["reason"].null_count() == 0
    return dict(found.select("host", pl.col("side").cast(pl.String)).iter_rows())


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("10.1.2.3", True), ("100.64.0.1", True), ("172.31.0.1", True), ("172.32.0.1", False),
        ("fd00::1", True), ("fe80::1%eth0", True), ("2001:db8::1", False), ("192.0.2.1", False),
        ("38:3f:10:00:00:01", False), ("", False),
    ],
)  # fmt: skip
def test_private_addresses_are_those_behind_routers(host: str, inside: bool) -> None:
    assert private(host) is inside


def test_address_of_another_version_is_not_within() -> None:
    assert not within("192.0.2.1", [ip_network("2001:db8::/32")])
    assert within("2001:db8::7", [ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")])


def test_networks_told_by_the_operator_decide_everything() -> None:
    tables = {"dialogs": dialogs(("REGISTER", SERVER, GATEWAY, 200))}
    assert sides(tables, "192.0.2.0/24") == {GATEWAY: "access", SERVER: "far"}


def test_two_hosts_that_call_each_other_are_both_candidates() -> None:
    tables = {"dialogs": dialogs(("INVITE", SERVER, GATEWAY, 200))}
    assert sides(tables) == {GATEWAY: "unknown", SERVER: "unknown"}


@pytest.mark.parametrize(
    ("status", "side"), [(200, "access"), (None, "access"), (403, "unknown"), (401, "unknown")]
)
def test_host_whose_registration_is_not_refused_is_a_subscriber_s(
    status: int | None, side: str
) -> None:
    found = sides({"dialogs": dialogs(("REGISTER", GATEWAY, SERVER, status))})
    assert found == {GATEWAY: side, SERVER: "unknown"}


@pytest.mark.parametrize(("registrants", "side"), [(2, "unknown"), (3, "far")])
def test_registrar_of_several_hosts_is_far(registrants: int, side: str) -> None:
    rows = [("REGISTER", f"192.0.2.{n + 1}", SERVER, 200) for n in range(registrants)]
    assert sides({"dialogs": dialogs(*rows)})[SERVER] == side


def test_telephone_system_with_telephones_inside_and_a_trunk_outside_is_a_subscriber_s() -> None:
    rows = [("REGISTER", f"192.168.1.{n + 1}", GATEWAY, 200) for n in range(5)]
    found = sides({"dialogs": dialogs(*rows, ("REGISTER", GATEWAY, SERVER, 200))})
    assert found[GATEWAY] == "access"


def test_far_side_that_registers_at_a_gateway_does_not_hide_it() -> None:
    rows = [("REGISTER", SERVER, GATEWAY, 200), ("INVITE", SERVER, GATEWAY, 200)]
    assert sides({"dialogs": dialogs(*rows)})[GATEWAY] != "far"


@pytest.mark.parametrize(("peers", "side"), [(15, "unknown"), (16, "far")])
def test_host_that_many_call_is_a_server(peers: int, side: str) -> None:
    rows = [("INVITE", f"192.0.2.{n + 1}", SERVER, 200) for n in range(peers)]
    found = sides({"dialogs": dialogs(*rows)})
    assert found[SERVER] == side
    assert found["192.0.2.1"] == "unknown"


def test_scan_over_many_hosts_makes_no_server_of_the_scanner() -> None:
    rows: list[Any] = [("INVITE", SERVER, f"192.0.2.{n + 1}", 404) for n in range(40)]
    assert sides({"dialogs": dialogs(*rows)})[SERVER] == "unknown"


@pytest.mark.parametrize("grade", ["conclusive", "strong"])
def test_device_that_shows_itself_is_on_the_access_side_and_its_peer_is_not(grade: str) -> None:
    rows = [("INVITE", SERVER, GATEWAY, 200)]
    found = sides({"dialogs": dialogs(*rows), "evidence": evidence(GATEWAY, grade)})
    assert found == {GATEWAY: "access", SERVER: "far"}


def test_device_stays_on_the_access_side_whoever_calls_it() -> None:
    rows = [("INVITE", f"198.51.100.{n + 1}", GATEWAY, 200) for n in range(40)]
    sighting = {"seen": AT, "host": GATEWAY, "peer": SERVER, "protocol": "goip",
                "source": "a.pcap", "frame": 1}  # fmt: skip
    tables = {"dialogs": dialogs(*rows), "sightings": SIGHTINGS.conform(pl.DataFrame([sighting]))}
    assert sides(tables)[GATEWAY] == "access"


def test_weak_signature_tells_no_side() -> None:
    tables = {"dialogs": dialogs(("INVITE", SERVER, GATEWAY, 200))}
    assert sides({**tables, "evidence": evidence(GATEWAY, "weak")})[GATEWAY] == "unknown"


def test_private_address_that_speaks_with_a_public_one_is_behind_the_router() -> None:
    row = {"source": "a.pcap", "src": "10.0.0.5", "src_port": 1, "dst": SERVER, "dst_port": 2,
           "protocol": 17, "window": 1, "size": 240, "packets": 500, "first_frame": 1}  # fmt: skip
    found = sides({"windows": WINDOWS.conform(pl.DataFrame([row]))})
    assert found == {"10.0.0.5": "access", SERVER: "unknown"}


def test_private_addresses_among_themselves_tell_nothing() -> None:
    tables = {"dialogs": dialogs(("INVITE", "10.0.0.5", "10.0.0.6", 200))}
    assert set(sides(tables).values()) == {"unknown"}


def test_nothing_seen_has_no_sides() -> None:
    assert sides({}) == {}
    assert sides({"dialogs": DIALOGS.empty(), "streams": STREAMS.empty()}, "192.0.2.0/24") == {}
