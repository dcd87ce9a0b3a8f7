"""Makers by Ethernet address."""

from __future__ import annotations

from pathlib import Path

import pytest
from signs import START, Box

from simbox.ingest.capture.signatures.ouis import Station, mac_in, oui_evidence
from simbox.ingest.capture.signatures.shipped import shipped_signatures


def told(folder: Path, stations: list[Station]) -> set[tuple[str, str]]:
    box = Box(folder)
    oui_evidence(stations, shipped_signatures(), box.out)
    return {(r["signature"], r["host"]) for r in box.evidence()}


def test_gateway_is_told_at_its_address(tmp_path: Path) -> None:
    stations = [
        Station("38:3f:10:00:00:01", "192.0.2.10", START, 1),
        Station("02:00:00:00:00:01", "192.0.2.11", START, 2),
        Station("", "192.0.2.12", START, 3),
        Station("00:50:c2:11:00:01", "", START, 4),
    ]
    assert told(tmp_path, stations) == {
        ("dbl-oui", "192.0.2.10"), ("quescom-oui", "00:50:c2:11:00:01"),
    }  # fmt: skip


def test_router_with_many_hosts_behind_it_stands_for_itself(tmp_path: Path) -> None:
    stations = [Station("f8:a0:3d:00:00:01", f"192.0.2.{n}", START + n, n) for n in range(9, 0, -1)]
    assert told(tmp_path, stations) == {("dinstar-oui", "f8:a0:3d:00:00:01")}


def test_address_inside_an_ipv6_address_is_told_behind_a_router(tmp_path: Path) -> None:
    stations = [Station("02:00:00:00:00:01", "2001:db8::3a3f:10ff:fe00:1", START, 1)]
    assert told(tmp_path, stations) == {("dbl-oui", "2001:db8::3a3f:10ff:fe00:1")}


@pytest.mark.parametrize(
    ("ip", "mac"),
    [
        ("2001:db8::3a3f:10ff:fe00:1", "38:3f:10:00:00:01"),
        ("2001:db8::1", ""), ("192.0.2.1", ""), ("", ""), ("ff:fe", ""), ("ff:fe::1", ""),
    ],
)  # fmt: skip
def test_ipv6_address_holds_an_ethernet_address_or_none(ip: str, mac: str) -> None:
    assert mac_in(ip) == mac
