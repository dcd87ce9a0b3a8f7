"""What DHCP tells of a client."""

from __future__ import annotations

from pathlib import Path

import pytest
from signs import Box, hear, packet

from simbox.ingest.capture.protocols.dhcp import Dhcp, read_options

MAC = bytes.fromhex("383f10000001")
PHONE = bytes.fromhex("020000000001")
GOIP_LIST = bytes((1, 3, 6, 12, 15, 28, 66, 120, 166))

NO_ADDRESS = "0.0.0.0"  # noqa: S104  # what a client without one sends
Options = list[tuple[int, bytes]]


def goip(message: int, *more: tuple[int, bytes]) -> Options:
    return [(53, bytes([message])), (61, b"\1" + MAC), (60, b"dbl"), (55, GOIP_LIST), *more]


def message(options: Options, mac: bytes = MAC, operation: int = 1, ciaddr: bytes = b"") -> bytes:
    fixed = bytes((operation, 1, 6, 0)) + b"\0\0\0\1" + b"\0" * 4
    fixed += ciaddr.ljust(4, b"\0") + b"\0" * 12 + mac.ljust(16, b"\0") + b"\0" * 192
    tail = b"".join(bytes((n, len(v))) + v for n, v in options)
    return fixed + b"\x63\x82\x53\x63" + tail + b"\xff"


def heard(folder: Path, data: bytes, src: str = NO_ADDRESS) -> Box:
    sent = packet(data, src=src, dst="255.255.255.255", sport=68, dport=67)
    return hear(Dhcp(), [sent], folder)


def test_booting_gateway_is_told_by_class_list_and_order(tmp_path: Path) -> None:
    box = heard(tmp_path, message(goip(1)))
    assert box.names() == {"dbl-dhcp-boot", "dbl-dhcp-class", "dbl-dhcp-options"}
    assert {r["host"] for r in box.evidence()} == {"38:3f:10:00:00:01"}
    first = box.evidence()[0]
    assert first["fields"]["vendor_class"] == "dbl"
    assert first["fields"]["order"] == "53,61,60,55"


@pytest.mark.parametrize(
    ("options", "ciaddr", "src", "host"),
    [
        (goip(3, (50, bytes((192, 0, 2, 10)))), b"", NO_ADDRESS, "192.0.2.10"),
        (goip(3), bytes((192, 0, 2, 11)), "192.0.2.11", "192.0.2.11"),
        (goip(8), b"", "192.0.2.12", "192.0.2.12"),
        (goip(1, (50, b"\0\0\0\0")), b"", NO_ADDRESS, "38:3f:10:00:00:01"),
        (goip(1, (50, b"\1")), b"", NO_ADDRESS, "38:3f:10:00:00:01"),
    ],
)
def test_host_is_the_address_wherever_it_is_known(
    tmp_path: Path, options: Options, ciaddr: bytes, src: str, host: str
) -> None:
    box = heard(tmp_path, message(options, ciaddr=ciaddr), src)
    assert {r["host"] for r in box.evidence()} == {host}
    assert {r["fields"]["mac"] for r in box.evidence()} == {"38:3f:10:00:00:01"}


@pytest.mark.parametrize(
    "options",
    [
        [(53, b"\1"), (61, b"\1" + PHONE), (50, b"\300\0\2\12"), (12, b"pc"), (60, b"MSFT 5.0"),
         (55, bytes((1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252)))],
        [(53, b"\1"), (60, b"Yealink SIP-T46S"), (12, b"phone"),
         (55, bytes((1, 3, 6, 12, 15, 28, 42, 66, 67, 120, 125)))],
        [(53, b"\1"), (61, b"\1" + PHONE), (60, b"udhcp 1.20.2"), (55, bytes((1, 3, 6, 12, 15)))],
        [(53, b"\1"), (55, bytes((1, 121, 3, 6, 15, 119, 252))), (61, b"\1" + PHONE)],
        [],
    ],
)  # fmt: skip
def test_ordinary_clients_give_no_evidence(tmp_path: Path, options: Options) -> None:
    assert heard(tmp_path, message(options, mac=PHONE)).names() == set()


def test_servers_and_other_payloads_give_no_evidence(tmp_path: Path) -> None:
    box = Box(tmp_path)
    reader = Dhcp()
    assert reader.datagram(packet(message(goip(2), operation=2), sport=67, dport=68), box.out)
    assert not reader.datagram(packet(b"\1" * 300, sport=68, dport=67), box.out)
    assert not reader.datagram(packet(b"", sport=68, dport=67), box.out)
    assert box.names() == set()


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b"\x35\x01\x01\x00\x00\x3c\x03dbl\xff\x0c\x01x", {53: b"\1", 60: b"dbl"}),
        (b"\x3c\xffdbl", {}),
        (b"\x3c", {}),
        (b"\x3c\x02ab\x3c\x01c", {60: b"abc"}),
        (b"", {}),
    ],
)
def test_options_are_read_as_far_as_they_go(data: bytes, options: dict[int, bytes]) -> None:
    assert read_options(data) == options
