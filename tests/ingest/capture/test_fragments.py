"""Fragments of IP packets are joined in any order, and given up within bounds."""

from __future__ import annotations

import itertools
import struct

import pytest
from capture_making import T0, ethernet, frames_of, ipv4, ipv6, udp

from simbox.ingest.capture.packets import fragments
from simbox.ingest.capture.packets.columns import Packets
from simbox.ingest.capture.packets.decode import Decoder

MESSAGE = b"INVITE sip:100@192.0.2.1 SIP/2.0\r\n" + bytes(range(256)) * 6
DATAGRAM = udp(MESSAGE)


def pieces4(inner: bytes = DATAGRAM, size: int = 600, ident: int = 9, protocol: int = 17) -> list[bytes]:  # fmt: skip  # noqa: E501
    return [
        ipv4(
            inner[at : at + size], protocol, ident=ident,
            fragment=at // 8 | (0x2000 if at + size < len(inner) else 0),
        )
        for at in range(0, len(inner), size)
    ]  # fmt: skip


def pieces6(inner: bytes = DATAGRAM, size: int = 600) -> list[bytes]:
    hops = bytes([44, 0]) + bytes(6)
    return [
        ipv6(
            hops + struct.pack(">BBHI", 17, 0, at | (at + size < len(inner)), 77)
            + inner[at : at + size], 0,
        )
        for at in range(0, len(inner), size)
    ]  # fmt: skip


def joined(octets: list[bytes], decoder: Decoder | None = None, **more: int) -> list[Packets]:
    found = (decoder or Decoder())(frames_of(octets, **{"link": 101, **more}))
    assert not len(found[0])
    return found[1:]


@pytest.mark.parametrize("make", [pieces4, pieces6])
def test_fragments_in_any_order_give_the_datagram(make: object) -> None:
    pieces = make()  # type: ignore[operator]
    assert len(pieces) == 3
    for order in itertools.permutations(pieces):
        (packets,) = joined(list(order))
        assert packets.octets(0) == MESSAGE
        assert (packets.sport[0], packets.dport[0]) == (5060, 5062)
        assert (packets.number[0], packets.time[0]) == (3, T0 + 2_000_000)


def test_repeated_and_overlapping_fragments_do_no_harm() -> None:
    first, second, third = pieces4()
    overlap = ipv4(DATAGRAM[400:1000], ident=9, fragment=50 | 0x2000)
    (packets,) = joined([first, first, overlap, second, second, third])
    assert packets.octets(0) == MESSAGE


def test_fragments_may_come_in_different_batches() -> None:
    decoder = Decoder()
    first, second, third = pieces4()
    assert joined([third], decoder) == []
    assert joined([first], decoder) == []
    (packets,) = joined([second], decoder)
    assert packets.octets(0) == MESSAGE
    decoder.close()
    assert not decoder.counts


def test_packets_and_fragments_of_one_batch_both_come() -> None:
    whole = ethernet(ipv4(udp(b"alone")))
    octets = [whole, *map(ethernet, pieces4()), whole]
    packets, put_together = Decoder()(frames_of(octets))
    assert packets.number.tolist() == [1, 5]
    assert put_together.number.tolist() == [4]


def test_a_tunnel_inside_fragments_is_opened() -> None:
    inner = ipv4(DATAGRAM, src="203.0.113.7", ident=3)
    (packets,) = joined(pieces4(inner, protocol=4))
    assert (packets.depth[0], packets.octets(0)) == (1, MESSAGE)


def test_fragments_inside_a_tunnel_inside_fragments_are_joined() -> None:
    outer = []
    for ident, piece in enumerate(pieces4()):
        outer += pieces4(ipv4(piece, 4), size=240, ident=100 + ident, protocol=4)
    found = joined(outer)
    assert [len(packets) for packets in found] == [0, 1]
    assert (found[-1].octets(0), found[-1].depth[0]) == (MESSAGE, 2)


def test_a_fragment_that_waits_too_long_is_given_up_and_counted() -> None:
    decoder = Decoder()
    first, second, third = pieces4()
    joined([first, second], decoder)
    assert joined([third], decoder, time=T0 + 31 * 10**9) == []
    assert decoder.counts == {"ip|fragments without the rest": 2}
    decoder.close()
    assert decoder.counts["ip|fragments without the beginning"] == 1


def test_a_cut_fragment_is_counted() -> None:
    decoder = Decoder()
    assert joined([pieces4()[0][:100]], decoder, missing=520) == []
    assert decoder.counts == {"ip|fragment cut short": 1}


def test_a_fragment_beyond_the_longest_packet_is_counted() -> None:
    decoder = Decoder()
    assert joined([ipv4(bytes(100), fragment=0x1FFF)], decoder) == []
    assert decoder.counts == {"ip|fragment beyond the longest packet": 1}


def test_a_flood_of_fragments_stays_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MOST_KEYS", 100)
    decoder = Decoder()
    octets = [ipv4(bytes(8), ident=n, fragment=0x2000) for n in range(1000)]
    assert joined(octets, decoder) == []
    assert decoder.counts == {"ip|fragments without the rest": 900}
    decoder.close()
    assert decoder.counts == {"ip|fragments without the rest": 1000}


def test_octets_held_stay_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MOST_OCTETS", 10_000)
    decoder = Decoder()
    octets = [ipv4(bytes(1400), ident=n, fragment=100 | 0x2000) for n in range(50)]
    assert joined(octets, decoder) == []
    assert decoder.counts["ip|fragments without the beginning"] == 44


def test_a_packet_of_too_many_pieces_is_given_up() -> None:
    decoder = Decoder()
    octets = [ipv4(bytes(8), ident=5, fragment=n | 0x2000) for n in range(1, 1500)]
    assert joined(octets, decoder) == []
    assert decoder.counts == {"ip|fragments without the beginning": 1025}
