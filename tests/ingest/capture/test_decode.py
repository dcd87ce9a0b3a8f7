"""Frames of every link layer and tunnel give the innermost packet."""

from __future__ import annotations

import random
import struct

import pytest
from capture_making import ethernet, frames_of, ipv4, ipv6, udp
from hypothesis import given, settings
from hypothesis import strategies as st

from simbox.ingest.capture.packets.columns import ESP, TCP, UDP, Packets
from simbox.ingest.capture.packets.decode import MOST_TUNNELS, Decoder

VOICE = b"\x80\x08" + bytes(range(40))
INNER = ipv4(udp(VOICE, 10_000, 20_000), src="203.0.113.5", dst="203.0.113.9")
INNER6 = ipv6(udp(VOICE, 10_000, 20_000))


def decoded(octets: bytes, link: int = 1, **more: int) -> tuple[Packets, Decoder]:
    decoder = Decoder()
    found = decoder(frames_of([octets], link=link, **more))
    assert len(found) == 1
    return found[0], decoder


def ends(packets: Packets, decoder: Decoder, at: int = 0) -> tuple[str, int, str, int]:
    text = decoder.addresses.text
    return (
        text(packets.src[at]), int(packets.sport[at]), text(packets.dst[at]), int(packets.dport[at])
    )  # fmt: skip


def sll2(kind: int, inner: bytes) -> bytes:
    return struct.pack(">HHIHBB8s", kind, 0, 1, 1, 0, 6, bytes(8)) + inner


def sll(kind: int, inner: bytes) -> bytes:
    return struct.pack(">HHH8sH", 0, 1, 6, bytes(8), kind) + inner


def tagged(inner: bytes, *tags: int, kind: int = 0x0800) -> bytes:
    header = b""
    for tag in tags:
        header += struct.pack(">HH", tag, 100)
    return bytes(12) + header + kind.to_bytes(2) + inner


def label(inner: bytes, *, last: bool = True) -> bytes:
    return bytes([0, 1, 0x10 | last, 64]) + inner


def pppoe(inner: bytes, protocol: bytes = b"\0\x21") -> bytes:
    return struct.pack(">BBHH", 0x11, 0, 1, len(protocol + inner)) + protocol + inner


def llc(inner: bytes) -> bytes:
    return b"\xaa\xaa\x03\0\0\0\x08\0" + inner


LINKS = {
    "ethernet": (1, ethernet(INNER)),
    "padded ethernet": (1, ethernet(INNER) + bytes(18)),
    "802.3 snap": (1, ethernet(llc(INNER), len(INNER) + 8)),
    "vlan": (1, tagged(INNER, 0x8100)),
    "qinq": (1, tagged(INNER, 0x88A8, 0x8100)),
    "old qinq": (1, tagged(INNER, 0x9100, 0x9100, 0x8100)),
    "mpls": (1, tagged(label(INNER), kind=0x8847)),
    "mpls stack": (1, tagged(label(label(INNER), last=False), kind=0x8847)),
    "pseudowire": (1, tagged(label(bytes(4) + ethernet(INNER)), kind=0x8847)),
    "pppoe": (1, tagged(pppoe(INNER), kind=0x8864)),
    "pppoe in vlan": (1, tagged(pppoe(INNER), 0x8100, kind=0x8864)),
    "pppoe, short protocol": (1, tagged(pppoe(INNER, b"\x21"), kind=0x8864)),
    "ppp": (9, b"\0\x21" + INNER),
    "ppp framed": (9, b"\xff\x03\0\x21" + INNER),
    "hdlc": (104, b"\x0f\0\x08\0" + INNER),
    "cooked": (113, sll(0x0800, INNER)),
    "cooked vlan": (113, sll(0x8100, b"\0\x07\x08\0" + INNER)),
    "cooked v2": (276, sll2(0x0800, INNER)),
    "raw": (101, INNER),
    "raw bsd": (12, INNER),
    "raw openbsd": (14, INNER),
    "ipv4": (228, INNER),
    "null, little": (0, b"\x02\0\0\0" + INNER),
    "null, big": (0, b"\0\0\0\x02" + INNER),
    "loop": (108, b"\0\0\0\x02" + INNER),
}


@pytest.mark.parametrize("name", LINKS)
def test_every_link_layer_gives_the_packet(name: str) -> None:
    link, octets = LINKS[name]
    packets, decoder = decoded(octets, link)
    assert ends(packets, decoder) == ("203.0.113.5", 10_000, "203.0.113.9", 20_000)
    assert packets.octets(0) == VOICE
    assert (packets.protocol[0], packets.size[0], packets.depth[0]) == (UDP, len(INNER), 0)
    assert (packets.length[0], packets.captured[0], packets.ttl[0]) == (len(VOICE), len(VOICE), 61)
    assert not decoder.counts


@pytest.mark.parametrize(
    ("link", "octets"),
    [
        (1, ethernet(INNER6, 0x86DD)),
        (101, INNER6),
        (229, INNER6),
        (0, b"\x1e\0\0\0" + INNER6),
        (276, sll2(0x86DD, INNER6)),
        (1, tagged(pppoe(INNER6, b"\0\x57"), kind=0x8864)),
    ],
)
def test_ipv6_is_read_on_every_link(link: int, octets: bytes) -> None:
    packets, decoder = decoded(octets, link)
    assert ends(packets, decoder) == ("2001:db8::1", 10_000, "2001:db8::2", 20_000)
    assert (packets.octets(0), packets.ttl[0]) == (VOICE, 55)
    assert packets.size[0] == len(INNER6)


def gtp(inner: bytes, flags: int = 0x30, more: bytes = b"") -> bytes:
    return struct.pack(">BBHI", flags, 255, len(more + inner), 7) + more + inner


def l2tp(inner: bytes, flags: int = 0x0002, more: bytes = b"") -> bytes:
    return flags.to_bytes(2) + more + struct.pack(">HH", 1, 2) + inner


def gre(inner: bytes, flags: int = 0, kind: int = 0x0800, more: bytes = b"") -> bytes:
    return ipv4(struct.pack(">HH", flags, kind) + more + inner, 47)


PDU = b"\xff\x03\0\x21" + INNER
PPTP = struct.pack(">HH", len(PDU), 5)
TUNNELS = {
    "ip in ip": ipv4(INNER, 4),
    "ip in ipv6": ipv6(INNER, 4),
    "gre": gre(INNER),
    "gre with key": gre(INNER, 0x2000, more=bytes(4)),
    "gre with all": gre(INNER, 0xB000, more=bytes(12)),
    "gre bridging": gre(ethernet(INNER), 0x2000, 0x6558, bytes(4)),
    "gre, tagged": gre(tagged(INNER, 0x8100), kind=0x6558),
    "pptp": gre(PDU, 0x3001, 0x880B, PPTP + bytes(4)),
    "pptp with ack": gre(PDU, 0x3081, 0x880B, PPTP + bytes(8)),
    "gtp": ipv4(udp(gtp(INNER), 2152, 2152)),
    "gtp with sequence": ipv4(udp(gtp(INNER, 0x32, bytes(4)), 2152, 2152)),
    "gtp with extensions": ipv4(
        udp(gtp(INNER, 0x34, b"\0\0\0\x85\x01\x10\0\x40\x01\0\0\0"), 2152, 2152)
    ),
    "gtp version 0": ipv4(
        udp(b"\x1e\xff" + len(INNER).to_bytes(2) + bytes(16) + INNER, 3386, 3386)
    ),
    "l2tp": ipv4(udp(l2tp(PDU), 1701, 1701)),
    "l2tp with length": ipv4(udp(l2tp(PDU, 0x4002, bytes(2)), 1701, 1701)),
    "l2tp with offset": ipv4(
        udp(b"\x02\x02" + bytes(4) + b"\0\x03" + bytes(3) + PDU, 1701, 40_000)
    ),
    "vxlan": ipv4(udp(b"\x08\0\0\0\0\0\x07\0" + ethernet(INNER), 40_000, 4789)),
}


@pytest.mark.parametrize("name", TUNNELS)
def test_every_tunnel_gives_the_packet_inside(name: str) -> None:
    packets, decoder = decoded(TUNNELS[name], 101)
    assert ends(packets, decoder) == ("203.0.113.5", 10_000, "203.0.113.9", 20_000)
    assert (packets.octets(0), packets.depth[0]) == (VOICE, 1)
    assert not decoder.counts


def test_ipv6_inside_ipv4_gives_the_packet_inside() -> None:
    packets, decoder = decoded(ipv4(INNER6, 41), 101)
    assert ends(packets, decoder)[0] == "2001:db8::1"
    assert packets.octets(0) == VOICE


@pytest.mark.parametrize(
    "payload",
    [
        (VOICE, 2152),
        (gtp(b"\x45" + bytes(10)), 2152),
        (gtp(INNER)[:1] + b"\x01" + gtp(INNER)[2:], 2152),
        (gtp(INNER[:-1]), 2152),
        (b"\xc8\x02" + PDU, 1701),
        (b"\x08\0\0\0\0\0\x07\0" + ethernet(b"arp" * 9, 0x0806), 4789),
        (b"", 2152),
    ],
)
def test_a_port_is_no_proof_of_a_tunnel(payload: tuple[bytes, int]) -> None:
    octets, port = payload
    packets, _ = decoded(ipv4(udp(octets, port, port)), 101)
    assert (packets.octets(0), packets.dport[0], packets.depth[0]) == (octets, port, 0)


def test_tunnels_in_tunnels_are_opened_down_to_a_limit() -> None:
    octets = INNER
    for _ in range(MOST_TUNNELS):
        octets = ipv4(octets, 4)
    packets, decoder = decoded(octets, 101)
    assert (packets.depth[0], packets.octets(0)) == (MOST_TUNNELS, VOICE)
    assert not decoder.counts
    packets, decoder = decoded(ipv4(octets, 4), 101)
    assert (packets.depth[0], packets.protocol[0]) == (MOST_TUNNELS, 4)
    assert decoder.counts == {"tunnel|too deep": 1}


def test_other_protocols_stay_packets_without_ports() -> None:
    packets, _ = decoded(ethernet(ipv4(b"sealed octets", ESP)))
    assert (packets.protocol[0], packets.sport[0], packets.dport[0]) == (ESP, 0, 0)
    assert packets.octets(0) == b"sealed octets"


def test_tcp_gives_sequence_flags_and_payload_behind_options() -> None:
    header = struct.pack(">HHIIBBHHH", 5060, 40_000, 0xFFFFFFF0, 1, 0x70, 0x18, 512, 0, 0)
    packets, _ = decoded(ethernet(ipv4(header + bytes(8) + b"SIP/2.0", TCP)))
    assert (packets.sequence[0], packets.flags[0]) == (0xFFFFFFF0, 0x18)
    assert (packets.sport[0], packets.octets(0)) == (5060, b"SIP/2.0")


def test_ip_options_and_extension_headers_are_passed() -> None:
    packets, _ = decoded(ipv4(udp(VOICE), options=b"\x94\x04\0\0" * 2), 101)
    assert packets.octets(0) == VOICE
    hops = bytes([60, 0]) + bytes(6)
    options = bytes([44, 1]) + bytes(14)
    atomic = bytes([17, 0, 0, 0]) + b"\0\0\0\x09"
    packets, _ = decoded(ipv6(hops + options + atomic + udp(VOICE), 0), 101)
    assert (packets.protocol[0], packets.octets(0)) == (UDP, VOICE)


@pytest.mark.parametrize("told", [0, 7, 9999])
def test_a_udp_length_that_lies_gives_way_to_that_of_ip(told: int) -> None:
    datagram = udp(VOICE)[:4] + told.to_bytes(2) + udp(VOICE)[6:]
    packets, _ = decoded(ipv4(datagram), 101)
    assert packets.octets(0) == VOICE


@pytest.mark.parametrize(
    ("octets", "name", "left"),
    [
        (b"\x44" + INNER[1:], "ip|length lies", 0),
        (ipv4(udp(VOICE), total=19), "ip|length lies", 0),
        (ipv4(udp(VOICE), total=2000), "ip|longer than its frame", 1),
        (INNER[:19], "ip|cut short", 0),
        (INNER6[:39], "ip|cut short", 0),
        (b"\x55" + INNER[1:], "link|not IP", 0),
        (b"", "link|cut short", 0),
        (ipv4(b"\x13\xc4\x13"), "transport|cut short", 1),
    ],
)
def test_what_is_wrong_with_a_packet_is_counted(octets: bytes, name: str, left: int) -> None:
    packets, decoder = decoded(octets, 101)
    assert decoder.counts == {name: 1}
    assert len(packets) == left


def test_an_ip_length_left_to_the_network_card_is_that_of_the_frame() -> None:
    packets, decoder = decoded(ipv4(udp(VOICE), total=0), 101)
    assert (packets.octets(0), packets.size[0]) == (VOICE, 28 + len(VOICE))
    assert not decoder.counts


def test_unknown_links_and_other_protocols_are_counted() -> None:
    _, decoder = decoded(INNER, 189)
    assert decoder.counts == {"link|unknown type 189": 1}
    _, decoder = decoded(ethernet(bytes(28), 0x0806))
    assert decoder.counts == {"link|not IP": 1}


EVERYTHING = [*LINKS.values(), *((101, octets) for octets in TUNNELS.values()), (101, INNER6)]


@pytest.mark.parametrize("case", range(len(EVERYTHING)))
def test_a_frame_cut_anywhere_gives_what_is_there(case: int) -> None:
    link, octets = EVERYTHING[case]
    for size in range(len(octets)):
        decoder = Decoder()
        frames = frames_of([octets[:size], b"\xff" * 40], link=link, missing=len(octets) - size)
        packets = decoder(frames)[0]
        for at in range(len(packets)):
            if packets.row[at] == 0:
                inside = packets.octets(at)
                assert inside == octets[int(packets.payload[at]) :][: len(inside)]
                assert packets.payload[at] + packets.captured[at] <= size
                assert packets.captured[at] <= packets.length[at]
                assert packets.length[at] <= len(octets)


def test_a_mixed_batch_is_in_the_order_of_its_frames() -> None:
    cases = [octets for link, octets in EVERYTHING if link == 101] * 3
    random.Random(3).shuffle(cases)
    decoder = Decoder()
    packets = decoder(frames_of(cases, link=101))[0]
    assert packets.row.tolist() == list(range(len(cases)))
    assert packets.number.tolist() == list(range(1, len(cases) + 1))
    assert {packets.octets(at) for at in range(len(packets))} == {VOICE}


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, len(EVERYTHING) - 1),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6),
    st.integers(0, 200),
)
def test_flipped_octets_never_leave_the_frame(
    case: int, flips: list[tuple[int, int]], size: int
) -> None:
    link, octets = EVERYTHING[case]
    changed = bytearray(octets)
    for at, value in flips:
        changed[at % len(changed)] = value
    frames = frames_of([INNER[:3], bytes(changed[:size])], link=link)
    for packets in Decoder()(frames):
        stop = packets.frames.start + packets.frames.captured
        assert (packets.payload + packets.captured <= stop[packets.row]).all()
        assert (packets.payload >= packets.frames.start[packets.row]).all()
        assert (packets.captured >= 0).all()
        assert (packets.captured <= packets.length).all()
        assert len(set(packets.row.tolist())) == len(packets)


def test_random_octets_on_every_link_never_raise() -> None:
    seeded = random.Random(11)
    for link in (*range(15), 50, 51, 101, 104, 108, 113, 228, 229, 276):
        octets = [seeded.randbytes(seeded.randrange(90)) for _ in range(300)]
        frames = frames_of(octets, link=link)
        for packets in Decoder()(frames):
            assert (packets.captured >= 0).all()
