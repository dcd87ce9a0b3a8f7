"""Frames and packets as columns: what the reader, the decoder and the analysers share.

Nothing here loops over packets.  A *frame* is a record of the file, a *packet* the innermost IP
packet in it; a frame without IP has none, a tunnel's frame gives the packet that it carries.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Index = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

PAD = 128  # zero octets behind the last frame, so that a fixed window never leaves the buffer

ICMP, TCP, UDP, ESP = 1, 6, 17, 50


@dataclass(frozen=True)
class Frames:
    """Records of a stretch of a capture file, in one buffer."""

    data: Octets  # the stretch, followed by PAD octets
    start: Index  # of each frame's first octet in data
    captured: Index  # octets of the frame that are in data
    wire: Index  # octets that the frame had
    time: Index  # nanoseconds since 1970-01-01 UTC
    number: Index  # frame number in its file, from 1
    link: npt.NDArray[np.uint16]  # link type (LINKTYPE_ registry) of each frame

    def __len__(self) -> int:
        return len(self.start)

    def octets(self, row: int) -> bytes:
        """The captured octets of one frame."""
        begin = int(self.start[row])
        return self.data[begin : begin + int(self.captured[row])].tobytes()


@dataclass(frozen=True)
class Packets:
    """IP packets, one element a packet in every column, in the order of their frames.

    Addresses are keys: an IPv4 address is its 32-bit number, an IPv6 address a 64-bit hash with the
    top bit set; ``addresses.AddressBook`` turns keys into text.  A fragment is no packet until it
    has been joined.
    """

    frames: Frames
    row: Index  # of the packet's frame in frames
    src: Keys
    dst: Keys
    protocol: npt.NDArray[np.uint8]  # IP protocol number of the transport
    sport: npt.NDArray[np.uint16]  # 0 where the transport has no ports
    dport: npt.NDArray[np.uint16]
    payload: Index  # of the transport payload's first octet in frames.data
    length: Index  # octets of the transport payload by the headers
    captured: Index  # octets of it that are in data, at most length
    size: Index  # octets of the IP packet by its header
    ttl: npt.NDArray[np.uint8]  # time to live or hop limit
    sequence: npt.NDArray[np.uint32]  # of TCP, else 0
    flags: npt.NDArray[np.uint8]  # of TCP (RFC 9293), else 0
    depth: npt.NDArray[np.uint8]  # tunnels around the packet

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: Index | npt.NDArray[np.bool_]) -> Self:
        """Some of the packets, over the same frames."""
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)  # once, not for each column
            if len(rows) == len(self):
                return self
        columns = (getattr(self, f.name).take(rows) for f in fields(self) if f.name != "frames")
        return type(self)(self.frames, *columns)

    @property
    def time(self) -> Index:
        """Nanoseconds since 1970-01-01 UTC."""
        return self.frames.time[self.row]

    @property
    def last(self) -> int:
        """The time of the last packet."""
        return int(self.frames.time[self.row[-1]])

    @property
    def number(self) -> Index:
        """Frame numbers."""
        return self.frames.number[self.row]

    def moments(self, rows: Index) -> tuple[Index, Index]:
        """Times and frame numbers of some of the packets."""
        frames = self.row[rows]
        return self.frames.time[frames], self.frames.number[frames]

    def octets(self, at: int) -> bytes:
        """The captured transport payload of one packet."""
        begin = int(self.payload[at])
        return self.frames.data[begin : begin + int(self.captured[at])].tobytes()
