"""Octets of single packets: UDP, TCP, IP with fragments, and the link layers around them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from types import MappingProxyType

UDP, TCP = 17, 6
SYN, ACK, PSH, FIN = 2, 16, 8, 1
IPV4, IPV6 = 0x0800, 0x86DD
LINK_TYPES = {"ethernet": 1, "vlan": 1, "qinq": 1, "pppoe": 1, "raw": 101, "cooked": 113}
ROUTER = "02:00:5e:00:00:01"  # whoever is not at home is behind it

End = tuple[str, int]  # address and port


@dataclass(frozen=True)
class Packet:
    """An IP packet: when, between whom, and its transport header with payload."""

    time: int  # nanoseconds since 1970-01-01 UTC
    src: str
    dst: str
    protocol: int
    segment: bytes
    ttl: int = 64
    ident: int = 0  # of IPv4; a packet with one may be cut into fragments


@dataclass(frozen=True)
class Link:
    """What the capturing port sees around IP packets."""

    kind: str = "ethernet"
    mtu: int = 1500
    macs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    vlan: int = 101
    session: int = 0x0BAD  # of PPPoE

    @property
    def link_type(self) -> int:
        return LINK_TYPES[self.kind]

    def header(self, src: str, dst: str, size: int) -> bytes:
        """The octets before an IP packet of the size."""
        family = IPV6 if ":" in src else IPV4
        if self.kind == "raw":
            return b""
        mac = octets_of(self.macs.get(src, ROUTER))
        if self.kind == "cooked":
            return struct.pack("!HHH6sHH", 0, 1, 6, mac, 0, family)
        ends = octets_of(self.macs.get(dst, ROUTER)) + mac
        if self.kind == "vlan":
            return ends + struct.pack("!HHH", 0x8100, self.vlan, family)
        if self.kind == "qinq":
            return ends + struct.pack("!HHHHH", 0x88A8, 7, 0x8100, self.vlan, family)
        if self.kind == "pppoe":
            inside = 0x57 if family == IPV6 else 0x21
            return ends + struct.pack("!HBBHHH", 0x8864, 0x11, 0, self.session, size + 2, inside)
        return ends + family.to_bytes(2, "big")

    def frames(self, packet: Packet) -> list[bytes]:
        """The frame of a packet, or the frames of its fragments."""
        found = ip_packets(packet, self.mtu)
        return [self.header(packet.src, packet.dst, len(ip)) + ip for ip in found]


@lru_cache(maxsize=4096)
def octets_of(mac: str) -> bytes:
    """A MAC address as octets."""
    return bytes.fromhex(mac.replace(":", ""))


@lru_cache(maxsize=65536)
def packed(address: str) -> bytes:
    """An IP address as octets."""
    return ip_address(address).packed


def word_sum(data: bytes) -> int:
    """The sum of the 16-bit words (RFC 1071), not folded."""
    even = data + b"\0" if len(data) % 2 else data
    return sum(struct.unpack(f"!{len(even) // 2}H", even))


def checksum(total: int) -> int:
    """The ones' complement of the folded sum."""
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_sum(src: str, dst: str, protocol: int, size: int) -> int:
    """The word sum of the pseudo header (RFC 768, RFC 8200 8.1)."""
    return word_sum(packed(src)) + word_sum(packed(dst)) + protocol + size


def udp(src: End, dst: End, payload: bytes) -> bytes:
    """A UDP header with its checksum, and the payload."""
    head = struct.pack("!HHHH", src[1], dst[1], 8 + len(payload), 0)
    total = pseudo_sum(src[0], dst[0], UDP, 8 + len(payload)) + word_sum(head) + word_sum(payload)
    return head[:6] + (checksum(total) or 0xFFFF).to_bytes(2, "big") + payload


@dataclass(frozen=True)
class Segment:
    """What a TCP header says beyond its ports."""

    sequence: int
    acknowledged: int
    flags: int
    options: bytes = b""
    window: int = 5840


def tcp(src: End, dst: End, segment: Segment, payload: bytes = b"") -> bytes:
    """A TCP header with its checksum, and the payload."""
    offset = (20 + len(segment.options)) // 4 << 4
    head = struct.pack(
        "!HHIIBBHHH",
        src[1],
        dst[1],
        segment.sequence & 0xFFFFFFFF,
        segment.acknowledged & 0xFFFFFFFF,
        offset,
        segment.flags,
        segment.window,
        0,
        0,
    )
    body = head + segment.options + payload
    total = pseudo_sum(src[0], dst[0], TCP, len(body)) + word_sum(body)
    return body[:16] + checksum(total).to_bytes(2, "big") + body[18:]


def ip_packets(packet: Packet, mtu: int = 1500) -> list[bytes]:
    """The IP packet, in fragments where it is larger than the link takes."""
    make = _ipv6 if ":" in packet.src else _ipv4
    room = mtu - (40 if ":" in packet.src else 20)
    if len(packet.segment) <= room:
        return [make(packet, packet.segment, None)]
    room = (room - (8 if ":" in packet.src else 0)) // 8 * 8
    cuts = range(0, len(packet.segment), room)
    last = cuts[-1]
    return [make(packet, packet.segment[at : at + room], (at // 8, at < last)) for at in cuts]


def _ipv4(packet: Packet, part: bytes, fragment: tuple[int, bool] | None) -> bytes:
    place = 0x4000 if fragment is None and not packet.ident else 0
    if fragment is not None:
        place = fragment[0] | (0x2000 if fragment[1] else 0)
    head = struct.pack(
        "!BBHHHBBH4s4s",
        0x45,
        0,
        20 + len(part),
        packet.ident,
        place,
        packet.ttl,
        packet.protocol,
        0,
        packed(packet.src),
        packed(packet.dst),
    )
    return head[:10] + checksum(word_sum(head)).to_bytes(2, "big") + head[12:] + part


def _ipv6(packet: Packet, part: bytes, fragment: tuple[int, bool] | None) -> bytes:
    following, extension = packet.protocol, b""
    if fragment is not None:
        place = fragment[0] << 3 | fragment[1]
        extension = struct.pack("!BBHI", packet.protocol, 0, place, 0x10000 + packet.ident)
        following = 44
    head = struct.pack("!IHBB", 0x60000000, len(extension) + len(part), following, packet.ttl)
    return head + packed(packet.src) + packed(packet.dst) + extension + part
