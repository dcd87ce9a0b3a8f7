"""RTP headers of a batch as columns: which UDP payloads could be RTP at all.

A header is weak evidence (two fixed bits); ``rtp.RtpStreams`` decides over the packets of a stream.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets.columns import UDP, Index, Keys, Packets
from simbox.ingest.capture.packets.octets import gather, number_at

HEADER = 12  # octets without contributing sources (RFC 3550 section 5.1)
VERSION = 2
LONGEST = 65_535  # octets of payload; a datagram can have no more
GOIP_DDNS = 0x86701413  # opens a GoIP's dynamic DNS datagram, which looks like RTP with CSRC
ANY_EXTRA = 0x1F000000  # extension bit and CSRC count in the first word
EXTENSION = 0x10000000


@dataclass(frozen=True)
class Headers:
    """RTP headers, one element a candidate packet in every column, in the packets' order."""

    at: Index  # of the packet among those given
    kind: npt.NDArray[np.int16]  # payload type
    marker: npt.NDArray[np.bool_]
    sequence: npt.NDArray[np.uint16]
    stamp: npt.NDArray[np.uint32]  # RTP timestamp
    ssrc: npt.NDArray[np.uint32]
    size: Index  # octets of payload, padding included

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: Index | npt.NDArray[np.bool_]) -> Self:
        """Some of the headers."""
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        return type(self)(*(getattr(self, f.name).take(rows) for f in fields(self)))


def read_headers(packets: Packets, free: npt.NDArray[np.bool_] | None = None) -> Headers:
    """The UDP payloads that can be RTP by their header alone (RFC 3550 sections 5.1 and A.1).

    Refused are RTCP by its packet types 192-223 (RFC 5761 section 4) and payload types 72-76
    (reserved by RFC 3551 section 6), lists of contributing sources and extensions that overrun the
    packet, and what is known to look alike; where ``free`` is given, also what is not free.
    """
    data = packets.frames.data
    possible = (packets.protocol == UDP) & (packets.captured >= HEADER)
    if free is not None:
        possible &= free
    possible &= data.take(packets.payload) >> 6 == VERSION
    at = np.flatnonzero(possible)
    # one column behind the other, as every step from here on takes a column
    words = gather(data, packets.payload.take(at), HEADER).view(">u4").T.astype(np.uint32, "C")
    first, stamp, ssrc = words
    octet = (first >> 16) & 0xFF
    kind = octet & 0x7F
    rtcp = (octet - 192 < 32) | (kind - 72 < 5)  # unsigned: below the range wraps to far above
    header, valid = _header_octets(packets, at, first)
    valid &= ~rtcp & (first != GOIP_DDNS)
    found = Headers(
        at=at,
        kind=kind.astype(np.int16),
        marker=octet >= 128,
        sequence=first.astype(np.uint16),
        stamp=stamp,
        ssrc=ssrc,
        size=np.clip(packets.length.take(at) - header, 0, LONGEST),
    )
    return found if valid.all() else found.take(valid)


def mixed(packets: Packets, at: Index, ssrc: npt.NDArray[np.uint32] | None = None) -> Keys:
    """A 64-bit hash of addresses, ports and SSRC of some packets; never zero."""
    ports = packets.sport[at].astype(np.uint64) << np.uint64(16) | packets.dport[at]
    if ssrc is not None:
        ports |= ssrc.astype(np.uint64) << np.uint64(32)
    mix = (packets.src[at] ^ (ports * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(
        0xBF58476D1CE4E5B9
    )
    mix ^= mix >> np.uint64(29)
    mix = (mix + packets.dst[at]) * np.uint64(0x94D049BB133111EB)
    return (mix ^ (mix >> np.uint64(32))) | np.uint64(1)


def _header_octets(
    packets: Packets, at: Index, first: npt.NDArray[np.uint32]
) -> tuple[Index, npt.NDArray[np.bool_]]:
    """Octets of each RTP header, and whether they fit in the packet."""
    header = np.full(len(at), HEADER, np.int64)
    fits = np.ones(len(at), np.bool_)
    odd = np.flatnonzero(first & ANY_EXTRA)
    if not len(odd):
        return header, fits
    rows, word = at[odd], first[odd]
    octets = HEADER + 4 * (word >> 24 & 15).astype(np.int64)
    extended = (word & EXTENSION) != 0
    # of a packet cut short the extension is taken to be empty, as nothing tells its length
    there = extended & (packets.captured[rows] >= octets + 4)
    extra = 4 * number_at(packets.frames.data, packets.payload[rows] + octets + 2)
    octets += np.where(extended, 4, 0) + np.where(there, extra, 0)
    header[odd] = octets
    fits[odd] = octets <= packets.length[rows]
    return header, fits
