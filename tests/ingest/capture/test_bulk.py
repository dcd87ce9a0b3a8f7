"""Datagrams that a reader takes as columns come out as when it sees them one by one."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from capture_making import ethernet, frames_of, ipv4, udp

from simbox.ingest.capture.claims import Bulk, ClaimTable
from simbox.ingest.capture.packets.columns import Packets
from simbox.ingest.capture.packets.datagrams import datagrams
from simbox.ingest.capture.packets.decode import Decoder
from simbox.ingest.capture.protocol import Claim, Reader
from simbox.ingest.capture.protocols.dns import Dns
from simbox.ingest.capture.protocols.rtcp import Rtcp
from simbox.ingest.capture.sink import Sink

LOSS = struct.pack(">IBBHIIII", 0x99, 12, 0, 30, 70000, 88, 0, 0)
NO_LOSS = struct.pack(">IBBHIIII", 0x99, 0, 0, 0, 70000, 88, 0, 0)


def part(kind: int, body: bytes, count: int = 0) -> bytes:
    return struct.pack(">BBH", 0x80 | count, kind, len(body) // 4) + body


SENDER, BYE = part(200, bytes(24) + LOSS, 1), part(203, bytes(4), 1)
RECEIVER = part(201, bytes(4) + NO_LOSS + LOSS, 2)
REPORTS = [
    SENDER, RECEIVER + BYE, BYE * 3, BYE * 9, BYE * 70, SENDER[:-4], SENDER + b"\0", SENDER + BYE,
    b"\xa0" + BYE[1:], b"\xa0" + BYE[1:] + BYE, part(200, bytes(8)), part(200, bytes(24), 3),
    part(207, bytes(4)), part(206, bytes(4)), b"\x80\xc8", b"\x80\xc8\xff\xff",
]  # fmt: skip


def query(name: bytes, flags: int = 0x0100, questions: int = 1, rest: bytes = b"\0\1\0\1") -> bytes:
    labels = b"".join(bytes([len(label)]) + label for label in name.split(b"."))
    return struct.pack(">HHHQ", 0x1234, flags, questions, 0)[:12] + labels + b"\0" + rest


QUERIES = [
    query(b"www.example.org"), query(b"WWW.example.org"), query(b"www.gontp.com"), query(b"a\0b.c"),
    query(b"www.example.org", rest=b""), query(b"x" * 70), query(b"x.org", questions=2),
    query(b"x.org", 0x8180), query(b"x.org", 0x0800), b"", bytes(12), query(b"www.example.org"),
]  # fmt: skip


def batch(payloads: list[bytes], decoder: Decoder, cut: int) -> Packets:
    frames = [
        ethernet(ipv4(udp(payload, *ports)))
        for payload in payloads
        for ports in ((53, 4000), (4000, 53))
    ]
    (packets,) = decoder(frames_of(frames))
    return replace(packets, captured=np.maximum(packets.captured - cut, 0))


@pytest.mark.parametrize("cut", [0, 1, 4, 30])
@pytest.mark.parametrize(
    ("reader", "payloads"), [(Rtcp, REPORTS), (Dns, QUERIES)], ids=["rtcp", "dns"]
)
def test_what_is_settled_in_bulk_is_what_one_by_one_gives(
    reader: type[Rtcp | Dns], payloads: list[bytes], cut: int, tmp_path: Path
) -> None:
    decoder = Decoder()
    packets = batch(payloads, decoder, cut)
    rows = np.arange(len(packets))
    bulk, single = Sink(tmp_path / "bulk", "a"), Sink(tmp_path / "single", "a")
    settled, claimed = reader().bulk(packets, rows, bulk)
    assert not (claimed & ~settled).any()
    known = rows[settled]
    told = [reader().datagram(d, single) for d in datagrams(packets, known, decoder.addresses)]
    assert told == claimed[known].tolist()
    assert dict(bulk.counts) == dict(single.counts)
    assert not single._evidence


def test_most_of_what_is_usual_is_settled_in_bulk(tmp_path: Path) -> None:
    decoder = Decoder()
    packets = batch([SENDER, RECEIVER + BYE], decoder, 0)
    assert Rtcp().bulk(packets, np.arange(4), Sink(tmp_path, "a"))[0].all()
    packets = batch([QUERIES[0], QUERIES[7]], decoder, 0)
    assert Dns().bulk(packets, np.arange(4), Sink(tmp_path, "a"))[0].all()


def test_query_for_a_vendor_s_name_is_left_to_be_read(tmp_path: Path) -> None:
    packets = batch([query(b"www.gontp.com")], Decoder(), 0)
    settled, claimed = Dns().bulk(packets, np.arange(2), Sink(tmp_path, "a"))
    assert not settled.any()
    assert not claimed.any()


def test_only_what_nobody_else_may_want_is_taken_in_bulk() -> None:
    readers: list[Reader] = [Rtcp(), Dns()]
    table = ClaimTable(readers, [reader.udp for reader in readers])
    packets = batch([SENDER, b"x" * 20], Decoder(), 0)
    packets = replace(packets, dport=np.array([4000, 5000, 4000, 5000], np.uint16))
    packets = replace(packets, sport=np.array([53, 4000, 53, 4000], np.uint16))
    found = {type(reader): rows.tolist() for reader, rows in table.bulks(table.bits(packets))}
    assert found == {Rtcp: [1], Dns: [2]}


def test_reader_with_longer_leads_is_not_asked_in_bulk() -> None:
    reader = Rtcp()
    assert isinstance(reader, Bulk)
    table = ClaimTable([reader], [Claim(leads=(b"\x80\xc8\x00",))])
    packets = batch([SENDER], Decoder(), 0)
    assert not list(table.bulks(table.bits(packets)))
