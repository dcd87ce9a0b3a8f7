"""The pcap file format (draft-ietf-opsawg-pcap): micro- and nanoseconds, both byte orders."""

from __future__ import annotations

import struct

import numpy as np

from simbox.ingest.capture.packets.columns import Index, Octets
from simbox.ingest.capture.packets.octets import gather, numbers
from simbox.ingest.capture.records.abreast import PIECE, abreast
from simbox.ingest.capture.records.walk import LONGEST_RECORD, WORTH_A_SEARCH, Found, Records

FILE_HEADER = 24
_MICRO, _NANO, _MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
_RECORD_HEADER = 16
_MODIFIED_HEADER = 24  # with interface, protocol and packet type behind the lengths
_SIZE_AT = 8  # where in a header the length is
_USUAL = 512  # octets of a record, until they have been counted
_LOOK = 256  # octets in which a header is looked for, beside those of two records
_NS_PER_S, _NS_PER_US = 1_000_000_000, 1000

MAGICS = {
    number.to_bytes(4, order): (number, order)
    for number in (_MICRO, _NANO, _MODIFIED)
    for order in ("little", "big")
}


class Pcap:
    """A pcap file: a chain of records, each a header of 16 octets and the frame."""

    name = "pcap"

    def __init__(self, file_header: bytes) -> None:
        """A file by its header of 24 octets, of which the magic number is known."""
        magic, order = MAGICS[file_header[:4]]
        self._size = _USUAL  # octets of a record, lately
        self._order = "<" if order == "little" else ">"
        # the upper half tells the length of the frame check sequence
        self.link = struct.unpack_from(self._order + "I", file_header, 20)[0] & 0xFFFF
        self._fraction = 1 if magic == _NANO else _NS_PER_US
        self._header = _MODIFIED_HEADER if magic == _MODIFIED else _RECORD_HEADER

    def walk(self, data: Octets, end: int) -> Found:
        leapt, at = np.empty(0, np.int64), 0
        if end >= WORTH_A_SEARCH:
            leapt, at = self._abreast(data, end)
        walked, after, needed = self._chain(data, at, end)
        starts = np.concatenate([leapt, walked]) if len(walked) else leapt
        self._size = max(self._header, after // max(1, len(starts)))
        damage = ""
        if needed - self._header > LONGEST_RECORD:
            damage = f"a record of {needed - self._header} octets"
        records = self._records(data, starts) if len(starts) else None
        return Found(records, len(starts), after, needed, damage)

    def _abreast(self, data: Octets, end: int) -> tuple[Index, int]:
        """Where the first whole records begin, and where to walk on."""
        guesses = self._guesses(data, end)
        if len(guesses) * PIECE * self._size < end // 2:
            return guesses[:0], 0
        sizes = numbers(data, self._order + "u4")

        def following(at: Index) -> Index:
            after: Index = at + self._header + sizes(at + _SIZE_AT)  # more than 32 bits hold
            return after

        starts, at = abreast(guesses, end - self._header, following)
        after = np.append(starts[1:], at)
        odd = np.flatnonzero((after > end) | (after - starts > self._header + LONGEST_RECORD))
        return (starts[: odd[0]], int(starts[odd[0]])) if len(odd) else (starts, at)

    def _guesses(self, data: Octets, end: int) -> Index:
        """The first place in each piece of a stretch that looks like a record header.

        The upper two octets of a time are alike for 18 hours, so also in the record behind.
        """
        piece = PIECE * self._size
        pieces = data[: end // piece * piece].reshape(-1, piece)
        width = min(2 * self._size + _LOOK, piece - 1)
        first = 2 if self._order == "<" else 0
        upper, lower = data[first : first + 2]
        alike = pieces[:, :width] == upper
        alike &= pieces[:, 1 : width + 1] == lower
        row, column = np.divmod(np.flatnonzero(alike), width)
        at = row * piece + column - first
        at = at[(at > 0) & (at <= end - self._header)]
        _, fraction, size, wire = gather(data, at, _RECORD_HEADER).view(self._order + "u4").T
        likely = (fraction < _NS_PER_S // self._fraction) & (size <= wire)
        likely &= size <= LONGEST_RECORD
        at, behind = at[likely], (at + self._header + size)[likely] + first
        behind = np.minimum(behind, end)
        at = np.append(0, at[(data[behind] == upper) & (data[behind + 1] == lower)])
        guesses: Index = at[np.diff(at // piece, prepend=-1) > 0]
        return guesses

    def _chain(self, data: Octets, at: int, end: int) -> tuple[Index, int, int]:
        """Where whole records begin from one on, where the next does, and how long that one is."""
        header, longest = self._header, LONGEST_RECORD
        length_at = struct.Struct(self._order + "8xI").unpack_from
        view = data.data
        starts: list[int] = []
        append = starts.append
        size, last = 0, end - header
        while at <= last:
            (size,) = length_at(view, at)
            after = at + header + size
            if after > end or size > longest:
                return np.array(starts, np.int64), at, header + size
            append(at)
            at = after
        return np.array(starts, np.int64), at, 0

    def _records(self, data: Octets, starts: Index) -> Records:
        headers = gather(data, starts, _RECORD_HEADER).view(self._order + "u4")
        seconds, fraction, captured, wire = headers.astype(np.int64).T
        return Records(
            start=starts + self._header,
            captured=captured,
            wire=np.maximum(wire, captured),
            time=seconds * _NS_PER_S + fraction * self._fraction,
            number=np.arange(len(starts)),
            link=np.full(len(starts), self.link, np.uint16),
        )
