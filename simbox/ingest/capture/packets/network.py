"""IPv4 (RFC 791) and IPv6 (RFC 8200) headers, fragments told apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets.addresses import AddressBook
from simbox.ingest.capture.packets.columns import Index, Keys, Octets
from simbox.ingest.capture.packets.link import Spans
from simbox.ingest.capture.packets.octets import Rows, gather, number, tally

_V4_HEADER, _V6_HEADER = 20, 40
_HOP, _ROUTING, _FRAGMENT, _AH, _OPTIONS = 0, 43, 44, 51, 60
_EXTENSIONS = np.zeros(256, bool)
_EXTENSIONS[[_HOP, _ROUTING, _FRAGMENT, _AH, _OPTIONS, 135, 139, 140]] = True
_MOST_EXTENSIONS = 8


@dataclass(frozen=True)
class Headers:
    """What IP headers say, one element a packet or fragment."""

    row: Index
    src: Keys
    dst: Keys
    protocol: npt.NDArray[np.uint8]
    ttl: npt.NDArray[np.uint8]
    size: Index  # octets of the IP packet
    start: Index  # offset of the IP header
    at: Index  # offset of the octets behind the headers
    end: Index  # behind the last captured octet
    stop: Index  # where the packet ends by its header
    piece: Index  # -1, or of a fragment: offset * 8 + its flags in the lowest bits
    ident: Index  # identification of a fragment

    def take(self, rows: Rows | Index) -> Self:
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Several, one behind the other."""
        if len(parts) == 1:
            return parts[0]
        names = [f.name for f in fields(cls)]
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))


def headers(data: Octets, spans: Spans, book: AddressBook, counts: Counter[str]) -> Headers:
    """The IP headers at the beginning of spans; spans that hold none are counted."""
    version = data[spans.at] >> 4
    four = version == 4
    if four.all():
        return _v4(data, spans, counts)
    six = version == 6
    tally(counts, "ip|wrong version", ~(four | six))
    parts = [_v4(data, spans.take(four), counts)] if four.any() else []
    return Headers.joined([*parts, _v6(data, spans.take(six), book, counts)])


def _kept(spans: Spans, good: Rows, counts: Counter[str], name: str) -> Spans:
    tally(counts, name, ~good)
    return spans.take(good)


def _v4(data: Octets, spans: Spans, counts: Counter[str]) -> Headers:
    whole = spans.at + _V4_HEADER <= spans.end
    if not whole.all():
        spans = _kept(spans, whole, counts, "ip|cut short")
    fixed = gather(data, spans.at, _V4_HEADER)
    length = (fixed[:, 0] & 15).astype(np.int64) * 4
    size = number(fixed, 2)
    rest = spans.stop - spans.at
    size = np.where(size == 0, rest, size)  # left to the network card to fill in
    good = (length >= _V4_HEADER) & (size >= length)
    if not good.all():
        spans = _kept(spans, good, counts, "ip|length lies")
        fixed, length, size, rest = fixed[good], length[good], size[good], rest[good]
    tally(counts, "ip|longer than its frame", size > rest)
    piece = number(fixed, 6) & 0x3FFF
    if piece.any():
        piece = np.where(piece == 0, -1, (piece & 0x1FFF) * 64 + (piece >> 13))
    else:
        piece -= 1
    stop = spans.at + size
    end = np.minimum(spans.end, stop)
    return Headers(
        row=spans.row,
        src=number(fixed, 12, 4).view(np.uint64),
        dst=number(fixed, 16, 4).view(np.uint64),
        protocol=fixed[:, 9],
        ttl=fixed[:, 8],
        size=size,
        start=spans.at,
        at=np.minimum(spans.at + length, end),
        end=end,
        stop=stop,
        piece=piece,
        ident=number(fixed, 4),
    )


def _v6(data: Octets, spans: Spans, book: AddressBook, counts: Counter[str]) -> Headers:
    whole = spans.at + _V6_HEADER <= spans.end
    spans = _kept(spans, whole, counts, "ip|cut short")
    fixed = gather(data, spans.at, _V6_HEADER)
    size = number(fixed, 4) + _V6_HEADER
    rest = spans.stop - spans.at
    # a length of 0: a jumbogram, or left to the network card
    size = np.where(size == _V6_HEADER, np.maximum(rest, _V6_HEADER), size)
    tally(counts, "ip|longer than its frame", size > rest)
    stop = spans.at + size
    end = np.minimum(spans.end, stop)
    protocol, at, piece, ident = _extensions(data, fixed[:, 6].copy(), spans.at + _V6_HEADER, end)
    return Headers(
        row=spans.row,
        src=book.keys(fixed[:, 8:24]),
        dst=book.keys(fixed[:, 24:40]),
        protocol=protocol,
        ttl=fixed[:, 7],
        size=size,
        start=spans.at,
        at=at,
        end=end,
        stop=stop,
        piece=piece,
        ident=ident,
    )


def _extensions(
    data: Octets, protocol: npt.NDArray[np.uint8], at: Index, end: Index
) -> tuple[npt.NDArray[np.uint8], Index, Index, Index]:
    """Protocol and offset behind the extension headers, and what a fragment header said."""
    piece, ident = np.full(len(at), -1), np.zeros(len(at), np.int64)
    left = np.flatnonzero(_EXTENSIONS[protocol] & (at + 8 <= end))
    for _ in range(_MOST_EXTENSIONS):
        if not len(left):
            break
        header = gather(data, at[left], 8)
        kind = protocol[left]
        length = header[:, 1].astype(np.int64)
        octets = np.select([kind == _FRAGMENT, kind == _AH], [8, (length + 2) * 4], length * 8 + 8)
        protocol[left] = header[:, 0]
        at[left] = np.minimum(at[left] + octets, end[left])
        place = number(header, 2)
        # a fragment that is whole (RFC 6946) is a packet
        part = (kind == _FRAGMENT) & ((place & 0xFFF9) != 0)
        piece[left[part]] = (place & 0xFFF8)[part] * 8 + (place & 1)[part]
        ident[left[part]] = number(header, 4, 4)[part]
        left = left[~part]
        left = left[_EXTENSIONS[protocol[left]] & (at[left] + 8 <= end[left])]
    return protocol, at, piece, ident
