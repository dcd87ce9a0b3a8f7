"""Fragments of IP packets joined (RFC 791, RFC 8200 section 4.5), in any order."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from simbox.ingest.capture.packets.columns import Frames
from simbox.ingest.capture.packets.network import Headers

MOST_KEYS = 4096
MOST_OCTETS = 32 << 20
PATIENCE_NS = 30_000_000_000  # as long as Linux waits, in capture time
_LONGEST = 65_535
_MOST_PIECES = 1024  # of one packet: links that carry 64 octets need no more
_V6_HEADER = 40
_PIECE_COST = 100  # octets that a held piece needs beside its own


class Joined(NamedTuple):
    """An IP packet whose fragments have all come."""

    octets: bytes
    time: int  # of the last fragment, nanoseconds
    number: int  # frame number of the last fragment


class Pieces(NamedTuple):
    """The fragments among the packets of some frames."""

    frames: Frames
    ip: Headers


class _Piece(NamedTuple):
    time: int
    offset: int
    more: bool
    octets: bytes


@dataclass
class _Partial:
    """What has come of one packet."""

    begun: int  # nanoseconds
    pieces: dict[int, bytes] = field(default_factory=dict)  # by offset
    header: bytes = b""  # of the first fragment
    length: int = -1  # octets of the whole, once the last fragment has come
    held: int = 0  # octets of all pieces

    def octets(self) -> bytes | None:
        """The octets of the whole, None where some are missing.

        Of overlapping pieces the one counts that begins earlier.
        """
        if self.length < 0 or not self.header or self.held < self.length:
            return None
        parts, at = [], 0
        for offset in sorted(self.pieces):
            if offset > at:
                return None
            piece = self.pieces[offset]
            parts.append(piece[at - offset :])
            at = max(at, offset + len(piece))
        return b"".join(parts)[: self.length] if at >= self.length else None


class Fragments:
    """The fragments that wait for others; bounded, and forgotten by capture time."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._partial: OrderedDict[tuple[int, ...], _Partial] = OrderedDict()
        self._held = 0

    def add(self, pieces: list[Pieces], depth: int) -> list[Joined]:
        """Take the fragments that lie in so many tunnels; the packets that they complete."""
        if not pieces:
            return []
        joined = []
        numbers = np.concatenate([p.frames.number[p.ip.row] for p in pieces])
        places = [(p, at) for p in pieces for at in range(len(p.ip.row))]
        for place in np.argsort(numbers, kind="stable").tolist():
            within, at = places[place]
            whole = self._add(within.frames, within.ip, at, depth)
            if whole is not None:
                joined.append(whole)
        return joined

    def _add(self, frames: Frames, ip: Headers, at: int, depth: int) -> Joined | None:
        row, begin, end = int(ip.row[at]), int(ip.at[at]), int(ip.end[at])
        if end < int(ip.stop[at]):
            self._counts["ip|fragment cut short"] += 1
            return None
        time, place = int(frames.time[row]), int(ip.piece[at])
        piece = _Piece(time, place >> 3, bool(place & 1), frames.data[begin:end].tobytes())
        # what is captured both in a tunnel and outside of it is not mixed
        ends = int(ip.src[at]), int(ip.dst[at])
        key = (*ends, int(ip.protocol[at]), int(ip.ident[at]), depth)
        start = int(ip.start[at])
        header = frames.data[start:begin].tobytes() if piece.offset == 0 else b""
        whole = self._take(key, piece, header)
        if whole is None:
            return None
        octets = _packet(whole[0], int(ip.protocol[at]), whole[1])
        return Joined(octets, time, int(frames.number[row]))

    def _take(
        self, key: tuple[int, ...], piece: _Piece, header: bytes
    ) -> tuple[bytes, bytes] | None:
        """Header and payload of the packet that a piece completes."""
        self._expire(piece.time)
        if piece.offset + len(piece.octets) + len(header) > _LONGEST:
            self._counts["ip|fragment beyond the longest packet"] += 1
            return None
        partial = self._partial.get(key)
        if partial is None:
            partial = self._partial[key] = _Partial(piece.time)
        known = partial.pieces.get(piece.offset, b"")
        if len(known) < len(piece.octets) or not known:
            partial.pieces[piece.offset] = piece.octets
            cost = len(piece.octets) - len(known)
            partial.held += cost
            self._held += cost + (0 if known else _PIECE_COST)
        partial.header = partial.header or header
        if not piece.more and partial.length < 0:
            partial.length = piece.offset + len(piece.octets)
        whole = partial.octets()
        if whole is None:
            if len(partial.pieces) > _MOST_PIECES:
                self._give_up(key)
            self._bound()
            return None
        self._forget(key)
        return partial.header, whole

    def _expire(self, now: int) -> None:
        while self._partial:
            key, oldest = next(iter(self._partial.items()))
            if now - oldest.begun <= PATIENCE_NS:
                break
            self._give_up(key)

    def _bound(self) -> None:
        while len(self._partial) > MOST_KEYS or self._held > MOST_OCTETS:
            self._give_up(next(iter(self._partial)))

    def _give_up(self, key: tuple[int, ...]) -> None:
        partial = self._forget(key)
        begun = "without the rest" if partial.header else "without the beginning"
        self._counts[f"ip|fragments {begun}"] += len(partial.pieces)

    def _forget(self, key: tuple[int, ...]) -> _Partial:
        partial = self._partial.pop(key)
        self._held -= partial.held + _PIECE_COST * len(partial.pieces)
        return partial

    def close(self) -> None:
        """Give up all that wait."""
        while self._partial:
            self._give_up(next(iter(self._partial)))


def _packet(header: bytes, protocol: int, payload: bytes) -> bytes:
    """The IP packet of a first fragment's header and the whole payload."""
    if header[0] >> 4 == 4:
        size = min(len(header) + len(payload), _LONGEST)
        return header[:2] + size.to_bytes(2) + header[4:6] + b"\0\0" + header[8:] + payload
    # extension headers before the fragment header concern routers only
    start = header[:4] + len(payload).to_bytes(2) + bytes([protocol]) + header[7:_V6_HEADER]
    return start + payload
