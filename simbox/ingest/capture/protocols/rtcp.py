"""RTCP, the control protocol beside RTP (RFC 3550 section 6): recognised and counted.

Nothing of a description (SDES) is kept, as CNAME may name a person.
"""

from __future__ import annotations

import struct

from simbox.ingest.capture.protocol import Claim, Conversation, Datagram
from simbox.ingest.capture.sink import Sink

HEADER = 4  # octets
MOST_PACKETS = 64  # of a compound that are read
REPORT = 24  # octets of a report block
NAMES = {
    200: "sender reports",
    201: "receiver reports",
    202: "descriptions",
    203: "byes",
    204: "applications",
    205: "transport feedback",
    206: "payload feedback",
    207: "extended reports",
}
BLOCKS_AT = {200: 28, 201: 8}  # where a report's blocks begin
FEWEST = {200: 28, 201: 8, 202: 4, 203: 4, 204: 12, 205: 12, 206: 12, 207: 8}  # octets
PADDING = 0x20


class Rtcp:
    """The reader of RTCP over UDP, on a port of its own or beside RTP (RFC 5761)."""

    name = "rtcp"
    udp = Claim(leads=tuple(bytes((0x80 | n, kind)) for n in range(64) for kind in NAMES))
    tcp = Claim()

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        """Count a compound packet; False where its packets do not add up to the datagram."""
        packets = _compound(packet.payload, max(packet.length, len(packet.payload)))
        if not packets:
            return False
        out.counts["rtcp|datagrams"] += 1
        for kind, end, at in packets:
            out.counts[f"rtcp|{NAMES[kind]}"] += 1
            lossy = _lossy(packet.payload, kind, at, end)
            if lossy:
                out.counts["rtcp|reports of loss"] += lossy
        return True

    def opens(self, segment: Datagram) -> bool:
        """False: RTCP over TCP is not read."""
        del segment
        return False

    def conversation(self) -> Conversation:
        """Never asked for.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("RTCP is read from datagrams")


def _compound(octets: bytes, length: int) -> list[tuple[int, int, int]]:
    """Type, end and start of the packets in a datagram; none where they do not add up to it.

    Of a datagram that the capture cut, the packets up to the cut are told.
    """
    found: list[tuple[int, int, int]] = []
    at = 0
    while at < length and len(found) < MOST_PACKETS:
        if at + HEADER > len(octets):
            return found if len(octets) < length else []
        first, kind, words = struct.unpack_from(">BBH", octets, at)
        end = at + 4 * (words + 1)
        if first >> 6 != 2 or kind not in NAMES or end > length:
            return []
        blocks = (first & 31) * REPORT if kind in BLOCKS_AT else 0
        if end - at < FEWEST[kind] + blocks:
            return []
        if first & PADDING and end != length:  # RFC 3550 A.2: of the last packet only
            return []
        found.append((kind, end, at))
        at = end
    return found if at == length else []


def _lossy(octets: bytes, kind: int, at: int, end: int) -> int:
    """Report blocks of a report that tell a loss."""
    if kind not in BLOCKS_AT or at + HEADER > len(octets):
        return 0
    begin = at + BLOCKS_AT[kind]
    blocks = range(begin, min(begin + (octets[at] & 31) * REPORT, end), REPORT)
    # the fraction lost is the octet behind the SSRC of the source
    return sum(1 for block in blocks if block + 4 < len(octets) and octets[block + 4])
