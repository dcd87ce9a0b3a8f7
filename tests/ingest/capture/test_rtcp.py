from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from rtp_making import START, datagrams, segments, talk

from simbox.ingest.capture.protocol import Datagram
from simbox.ingest.capture.protocols.rtcp import Rtcp
from simbox.ingest.capture.sink import Sink

BLOCK = struct.pack(">IBBHIIII", 0x99, 12, 0, 30, 70000, 88, 0, 0)
LOSSLESS = struct.pack(">IBBHIIII", 0x99, 0, 0, 0, 70000, 88, 0, 0)


def part(kind: int, body: bytes, count: int = 0) -> bytes:
    return struct.pack(">BBH", 0x80 | count, kind, len(body) // 4) + body


SENDER = part(200, bytes(24) + BLOCK, 1)
RECEIVER = part(201, bytes(4) + LOSSLESS + BLOCK, 2)
NAMED = part(202, b"\0\0\0\1\1\x02a@\0\0\0\0", 1)
BYE = part(203, bytes(4), 1)


def read(octets: bytes, tmp_path: Path, length: int = 0) -> tuple[bool, dict[str, int]]:
    out = Sink(tmp_path, "made.pcap")
    datagram = Datagram(
        START, 1, "192.0.2.1", 4001, "198.51.100.1", 5001, octets, length=length or len(octets)
    )
    return Rtcp().datagram(datagram, out), dict(out.counts)


def test_compound_is_counted_part_by_part(tmp_path: Path) -> None:
    assert read(SENDER + NAMED + BYE, tmp_path) == (
        True,
        {
            "rtcp|datagrams": 1, "rtcp|sender reports": 1, "rtcp|reports of loss": 1,
            "rtcp|descriptions": 1, "rtcp|byes": 1,
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    "octets",
    [RECEIVER + NAMED, part(206, bytes(8), 1), part(200, bytes(24)), SENDER + part(207, bytes(4))],
    ids=["receiver report", "reduced size", "no blocks", "extended report"],
)
def test_valid_rtcp_is_recognised(octets: bytes, tmp_path: Path) -> None:
    assert read(octets, tmp_path)[0]
    assert octets[:2] in Rtcp.udp.leads


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"\x80", SENDER[:-4], SENDER + b"\0", SENDER + bytes(4), part(200, bytes(8)),
        part(200, bytes(24), 3), part(199, bytes(24)), b"\x40" + SENDER[1:],
        b"\xa0" + NAMED[1:] + BYE, part(201, bytes(4)) * 65,
    ],
)  # fmt: skip
def test_what_does_not_add_up_is_refused_and_not_counted(octets: bytes, tmp_path: Path) -> None:
    assert read(octets, tmp_path) == (False, {})


@pytest.mark.parametrize("kept", range(4, len(SENDER + NAMED)))
def test_datagram_cut_by_the_capture_is_recognised_by_what_is_left(
    kept: int, tmp_path: Path
) -> None:
    whole = SENDER + NAMED
    assert read(whole[:kept], tmp_path, len(whole))[0]


def test_random_octets_are_refused(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for lead in Rtcp.udp.leads:
        assert not read(lead + random.bytes(50), tmp_path)[0]


def test_rtcp_beside_rtp_is_no_part_of_the_stream(tmp_path: Path) -> None:
    speech = struct.pack(">BBHII", 128, 8, 0, 0, 0x99)
    octets = [speech[:2] + struct.pack(">HII", n, n * 160, 0x99) + bytes(160) for n in range(60)]
    octets[30] = SENDER + NAMED
    row = segments(datagrams(talk(60), octets), tmp_path).row(0, named=True)
    assert (row["packets"], row["extended_seq"]) == (59, 59)


def test_rtcp_over_tcp_is_not_read() -> None:
    segment = Datagram(START, 1, "192.0.2.1", 1, "198.51.100.1", 2, SENDER, "tcp")
    assert not Rtcp().opens(segment)
    with pytest.raises(NotImplementedError):
        Rtcp().conversation()
