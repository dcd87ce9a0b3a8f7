"""The pcap file format (draft-ietf-opsawg-pcap): micro- and nanoseconds, both byte orders."""

from __future__ import annotations

import struct

import numpy as np

from simbox.ingest.capture.packets.columns import Index, Octets
from simbox.ingest.capture.packets.octets import gather
from simbox.ingest.capture.records.walk import (
    LONGEST_RECORD,
    WORTH_A_SEARCH,
    Found,
    Records,
    chained,
)

FILE_HEADER = 24
_MICRO, _NANO, _MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
_RECORD_HEADER = 16
_MODIFIED_HEADER = 24  # with interface, protocol and packet type behind the lengths
_SMALL = 700  # octets of a record: in a stretch with longer ones a walk is faster than a search
_FEW = 48  # octets that there are to each place, at least, for a search to be faster than a walk
_AT_ONCE = 1 << 18  # octets looked at: what that takes stays in the processor's cache
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
        self._size = _SMALL  # octets of a record, lately
        self._order = "<" if order == "little" else ">"
        # the upper half tells the length of the frame check sequence
        self.link = struct.unpack_from(self._order + "I", file_header, 20)[0] & 0xFFFF
        self._fraction = 1 if magic == _NANO else _NS_PER_US
        self._header = _MODIFIED_HEADER if magic == _MODIFIED else _RECORD_HEADER

    def walk(self, data: Octets, end: int) -> Found:
        leapt, at = np.empty(0, np.int64), 0
        if self._size <= _SMALL and end >= WORTH_A_SEARCH:
            leapt, at = self._searched(data, end)
        walked, after, needed = self._chain(data, at, end)
        starts = np.concatenate([leapt, walked]) if len(walked) else leapt
        self._size = after // max(1, len(starts))
        damage = ""
        if needed - self._header > LONGEST_RECORD:
            damage = f"a record of {needed - self._header} octets"
        records = self._records(data, starts) if len(starts) else None
        return Found(records, len(starts), after, needed, damage)

    def _searched(self, data: Octets, end: int) -> tuple[Index, int]:
        """Where the first whole records begin, found without a step from one to the next.

        Every place that looks like a record header is a candidate.  Returns the records and where
        to walk on.
        """
        at = _alike(data, end, 2 if self._order == "<" else 0)
        at = at[at <= end - self._header]
        _, fraction, size, wire = gather(data, at, _RECORD_HEADER).view(self._order + "u4").T
        likely = (fraction < _NS_PER_S // self._fraction) & (size <= wire)
        likely &= size <= LONGEST_RECORD
        at, after = at[likely], (at + self._header + size)[likely]
        return chained(at, after, end)

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


def _alike(data: Octets, end: int, first: int) -> Index:
    """Places with the same two octets, ``first`` octets behind them, as the place 0.

    These are the upper two octets of a time, alike for 18 hours.  None where too many places are
    alike for a search to be worth it.
    """
    upper, lower = data[first : first + 2]
    parts = [np.empty(0, np.int64)]
    for begin in range(0, end, _AT_ONCE):
        # PAD is more than is looked at behind the end
        size = min(_AT_ONCE, (end - begin) // 8 * 8 + 8)
        alike = data[begin : begin + size] == upper
        alike &= data[begin + 1 : begin + size + 1] == lower
        # few are alike: look at eight places at a time
        eights = alike.view(np.uint64)
        words = np.flatnonzero(eights != 0)
        if len(words) > size // _FEW:
            return parts[0]
        inside = np.flatnonzero(eights[words].view(np.bool_))
        parts.append(words[inside >> 3] * 8 + (inside & 7) + (begin - first))
    places = np.concatenate(parts)
    return places[places >= 0]
