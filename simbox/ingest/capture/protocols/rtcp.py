"""RTCP, the control protocol beside RTP (RFC 3550 section 6): recognised and counted.

Nothing of a description (SDES) is kept, as CNAME may name a person.
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets.columns import Index, Octets, Packets
from simbox.ingest.capture.packets.octets import gather, number
from simbox.ingest.capture.protocol import Claim, Datagram, DatagramReader
from simbox.ingest.capture.sink import Sink

HEADER = 4  # octets
MOST_PACKETS = 64  # of a compound that are read
MOST_IN_BULK = 4  # of a compound that is read with many others
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

Flags = npt.NDArray[np.bool_]
_FEWEST = np.array([FEWEST.get(kind, 0) for kind in range(256)])  # 0: no type of RTCP
_BLOCKS_AT = np.array([BLOCKS_AT.get(kind, 0) for kind in range(256)])


class Rtcp(DatagramReader):
    """The reader of RTCP over UDP, on a port of its own or beside RTP (RFC 5761)."""

    name = "rtcp"
    udp = Claim(leads=tuple(bytes((0x80 | n, kind)) for n in range(64) for kind in NAMES))

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

    def bulk(self, packets: Packets, rows: Index, out: Sink) -> tuple[Flags, Flags]:
        """Count the usual compounds: not cut by the capture, and of a few packets."""
        data, at, length = packets.frames.data, packets.payload[rows], packets.length[rows]
        stop = at + length
        good: Flags = packets.captured[rows] == length
        left = np.flatnonzero(good)
        at = at[left]
        found = []
        for _ in range(MOST_IN_BULK):
            if not len(left):
                break
            heads = gather(data, at, HEADER)
            end = at + 4 * (number(heads, 2) + 1)
            fits = _fits(heads, end - at, stop[left] - end)
            good[left[~fits]] = False
            found.append((left[fits], heads[fits], at[fits]))
            more = fits & (end < stop[left])
            left, at = left[more], end[more]
        good[left] = False
        for which, heads, at in found:
            counted = good[which]
            _count(data, heads[counted], at[counted], out)
        if good.any():
            out.counts["rtcp|datagrams"] += int(good.sum())
        return good, good


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


def _fits(heads: Octets, size: Index, rest: Index) -> Flags:
    """Which packets can be of RTCP, by their headers, octets and the octets behind them."""
    first, kind = heads[:, 0], heads[:, 1]
    blocks = np.where(_BLOCKS_AT[kind] > 0, (first & 31).astype(np.int64) * REPORT, 0)
    fits: Flags = (first >> 6 == 2) & (_FEWEST[kind] > 0) & (size >= _FEWEST[kind] + blocks)
    fits &= (rest >= 0) & ((first & PADDING == 0) | (rest == 0))
    return fits


def _count(data: Octets, heads: Octets, at: Index, out: Sink) -> None:
    """Count packets by their types, and the report blocks in them that tell a loss."""
    kind, blocks = heads[:, 1], heads[:, 0] & 31
    for of_kind, name in NAMES.items():
        if found := int((kind == of_kind).sum()):
            out.counts[f"rtcp|{name}"] += found
    reports = np.flatnonzero((_BLOCKS_AT[kind] > 0) & (blocks > 0))
    begin, blocks = at[reports] + _BLOCKS_AT[kind[reports]], blocks[reports]
    for block in range(int(blocks.max(initial=0))):
        lost = data[begin[blocks > block] + block * REPORT + 4]
        if lossy := int(np.count_nonzero(lost)):
            out.counts["rtcp|reports of loss"] += lossy


def _lossy(octets: bytes, kind: int, at: int, end: int) -> int:
    """Report blocks of a report that tell a loss."""
    if kind not in BLOCKS_AT or at + HEADER > len(octets):
        return 0
    begin = at + BLOCKS_AT[kind]
    blocks = range(begin, min(begin + (octets[at] & 31) * REPORT, end), REPORT)
    # the fraction lost is the octet behind the SSRC of the source
    return sum(1 for block in blocks if block + 4 < len(octets) and octets[block + 4])
