"""The shape of NTP datagrams."""

from __future__ import annotations

from pathlib import Path

import pytest
from signs import Box, packet

from simbox.ingest.capture.protocols.ntp import Ntp


def heard(folder: Path, first: int, length: int, *, reply: bool = False) -> Box:
    payload = bytes([first]) + b"\0" * (length - 1)
    ports = (123, 40000) if reply else (40000, 123)
    box = Box(folder)
    assert Ntp().datagram(packet(payload, sport=ports[0], dport=ports[1]), box.out)
    return box


@pytest.mark.parametrize("length", [64, 1072])
def test_requests_of_a_gateway_are_told_by_their_size(tmp_path: Path, length: int) -> None:
    (row,) = heard(tmp_path, 0x1B, length).evidence()
    assert (row["signature"], row["host"], row["grade"]) == (
        "dbl-ntp-sizes",
        "192.0.2.10",
        "strong",
    )
    assert row["fields"]["length"] == str(length)


def test_reply_to_a_gateway_names_its_receiver(tmp_path: Path) -> None:
    (row,) = heard(tmp_path, 0xDC, 64, reply=True).evidence()
    assert (row["signature"], row["host"]) == ("dbl-ntp-reply", "198.51.100.7")


def test_size_of_the_wire_counts_where_the_frame_was_cut(tmp_path: Path) -> None:
    box = Box(tmp_path)
    cut = packet(b"\x1b" + b"\0" * 47, dport=123)._replace(length=1072)
    Ntp().datagram(cut, box.out)
    assert box.names() == {"dbl-ntp-sizes"}


@pytest.mark.parametrize(
    ("first", "length"),
    [
        (0x1B, 48), (0x23, 48), (0x1B, 68), (0x23, 72), (0x1B, 60),  # client, with and without MAC
        (0x24, 48), (0xDC, 48), (0xE3, 48),  # server; unsynchronised server; chrony's client
        (0x23, 104), (0x23, 1072), (0x24, 232),  # extension fields, keys of RFC 8915
        (0x16, 12), (0x17, 8), (0x97, 440),  # control and private modes
    ],
)  # fmt: skip
def test_ordinary_sizes_give_no_evidence(tmp_path: Path, first: int, length: int) -> None:
    assert heard(tmp_path, first, length).names() == set()


def test_odd_size_of_an_old_client_is_a_weak_sign(tmp_path: Path) -> None:
    (row,) = heard(tmp_path, 0x1B, 112).evidence()
    assert (row["signature"], row["grade"]) == ("dbl-ntp-odd-size", "weak")
