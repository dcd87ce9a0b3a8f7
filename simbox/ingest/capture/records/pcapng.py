"""The pcapng file format (draft-ietf-opsawg-pcapng): sections, interfaces and packet blocks."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets.columns import Index, Octets
from simbox.ingest.capture.packets.octets import gather
from simbox.ingest.capture.records.walk import (
    LONGEST_RECORD,
    WORTH_A_SEARCH,
    Found,
    Records,
    chained,
)

SECTION = b"\x0a\x0d\x0d\x0a"
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_SHB, _IDB, _PB, _SPB, _EPB = 0x0A0D0D0A, 1, 2, 3, 6
_FRAMES = frozenset({_PB, _SPB, _EPB})
# records that are no packets and yet are numbered as such: journal entries and system calls
_NUMBERED = frozenset({9, 0x204, 0x208, 0x216, 0x217, 0x221, 0x222})
_LONGEST_BLOCK = 16 << 20
_MOST_INTERFACES = 1 << 10  # of a section
_TSRESOL, _TSOFFSET = 9, 14  # options of an interface
_NS_DIGITS = 9
_LATEST = 1 << 62  # nanoseconds: no sum of a time and an offset overflows
_FAR = 4_000_000_000  # seconds: the greatest offset that is taken
_SHORTEST = {_SHB: 28, _IDB: 20, _PB: 32, _SPB: 16, _EPB: 32}


def is_section(first: bytes) -> bool:
    """Whether octets begin a section, as far as they go."""
    return first[:4] == SECTION and (len(first) < 12 or first[8:12] in _ORDERS)


@dataclass(frozen=True)
class Interface:
    """What an interface says about its frames."""

    link: int
    snaplen: int
    resolution: int  # the octet if_tsresol: a power of ten, or of two with the top bit
    offset: int  # seconds

    def time(self, ticks: npt.NDArray[np.uint64]) -> Index:
        """Nanoseconds since 1970-01-01 UTC of times in the interface's units."""
        power = self.resolution & 0x7F
        scaled = _binary if self.resolution & 0x80 else _decimal
        nanoseconds: Index = scaled(ticks, power)
        nanoseconds += self.offset * 10**_NS_DIGITS
        return nanoseconds


def _decimal(ticks: npt.NDArray[np.uint64], power: int) -> Index:
    if power <= _NS_DIGITS:
        factor = 10 ** (_NS_DIGITS - power)
        scaled: Index = np.minimum(ticks, np.uint64(_LATEST // factor)).astype(np.int64) * factor
        return scaled
    if power >= _NS_DIGITS + 20:
        return np.zeros(len(ticks), np.int64)
    whole = ticks // np.uint64(min(10 ** (power - _NS_DIGITS), (1 << 64) - 1))
    nanoseconds: Index = np.minimum(whole, np.uint64(_LATEST)).astype(np.int64)
    return nanoseconds


def _binary(ticks: npt.NDArray[np.uint64], power: int) -> Index:
    if power >= 64:
        return np.zeros(len(ticks), np.int64)
    whole = np.minimum(ticks >> np.uint64(power), np.uint64(_LATEST // 10**_NS_DIGITS))
    part = ticks & np.uint64((1 << power) - 1)
    kept = min(power, 30)  # bits: no product overflows
    part = (part >> np.uint64(power - kept)) * np.uint64(10**_NS_DIGITS) >> np.uint64(kept)
    nanoseconds: Index = (whole * np.uint64(10**_NS_DIGITS) + part).astype(np.int64)
    return nanoseconds


def _interface(block: bytes, order: str) -> Interface:
    """An interface by its description block, whose options may be anything."""
    link, _, snaplen = struct.unpack_from(order + "HHI", block, 8)
    resolution, offset, at = 6, 0, 16
    while at + 4 <= len(block) - 4:
        code, length = struct.unpack_from(order + "HH", block, at)
        value = block[at + 4 : min(at + 4 + length, len(block) - 4)]
        if code == 0:
            break
        if code == _TSRESOL and len(value) == 1:
            resolution = value[0]
        if code == _TSOFFSET and len(value) == 8:
            offset = max(-_FAR, min(_FAR, struct.unpack(order + "q", value)[0]))
        at += 4 + (length + 3) // 4 * 4
    return Interface(link, snaplen, resolution, offset)


@dataclass
class _Run:
    """Blocks of one section that lie one behind the other in a stretch."""

    starts: list[int]  # of blocks with a frame
    numbers: list[int]  # of their frames, from 0 at the first record of the stretch
    after: int  # where the first block begins that is not part of the run
    count: int  # the next frame number
    needed: int = 0
    damage: str = ""
    more: bool = False  # whether the next run begins at ``after``
    searched: Index = field(default_factory=lambda: np.empty(0, np.int64))  # blocks before starts

    def __len__(self) -> int:
        return len(self.searched) + len(self.starts)

    def frames(self) -> tuple[Index, Index]:
        """Where all its blocks with a frame begin, and the numbers of the frames."""
        if not self.starts:
            return self.searched, np.arange(len(self.searched))
        starts = np.concatenate([self.searched, np.array(self.starts, np.int64)])
        numbers = np.array(self.numbers, np.int64)
        return starts, np.concatenate([np.arange(len(self.searched)), numbers])


class Pcapng:
    """A pcapng file: a chain of blocks, in sections that each have a byte order."""

    name = "pcapng"

    def __init__(self) -> None:
        self._order = "<"
        self._interfaces: list[Interface] = []

    def walk(self, data: Octets, end: int) -> Found:
        parts: list[Records] = []
        starts, at = self._searched(data, end)
        run = _Run([], [], at, len(starts), searched=starts)
        while True:
            self._walk_on(data, end, run)
            if len(run):
                parts += self._whole(data, run)
            if not run.more:
                break
            run = _Run([], [], run.after, run.count)
        records = Records.joined(parts) if parts else None
        return Found(records, run.count, run.after, run.needed, run.damage)

    def _searched(self, data: Octets, end: int) -> tuple[Index, int]:
        """Where the enhanced packet blocks begin that a stretch begins with, and where they end."""
        nothing = np.empty(0, np.int64)
        if end < WORTH_A_SEARCH:
            return nothing, 0
        kinds = data[: end // 4 * 4].view(self._order + "u4")
        at = np.flatnonzero(kinds == _EPB) * 4
        if not len(at) or at[0] != 0 or len(at) > end // _SHORTEST[_EPB]:
            return nothing, 0
        at = at[at <= end - 8]
        size = gather(data, at, 8).view(self._order + "u4")[:, 1].astype(np.int64)
        likely = (size >= _SHORTEST[_EPB]) & (size & 3 == 0) & (size <= _LONGEST_BLOCK)
        return chained(at[likely], (at + size)[likely], end)

    def _walk_on(self, data: Octets, end: int, run: _Run) -> None:
        """Add the blocks up to the next section, to the end, or to damage to a run."""
        view = data.data
        header = struct.Struct(self._order + "II").unpack_from
        while run.after + 12 <= end:
            at = run.after
            kind, size = header(view, at)
            if kind == _SHB:
                if len(run):
                    run.more = True
                    return
                run.damage = self._begin_section(view[at + 8 : at + 12])
                header = struct.Struct(self._order + "II").unpack_from
                kind, size = header(view, at)
            if at + size > end or size < _SHORTEST.get(kind, 12) or size & 3:
                run.needed = size
                run.damage = run.damage or _absurd(kind, size)
            elif kind in _FRAMES:
                run.starts.append(at)
                run.numbers.append(run.count)
                run.count += 1
            elif kind == _IDB:
                run.damage = self._describe(bytes(view[at : at + size]))
            elif kind in _NUMBERED:
                run.count += 1
            if run.needed or run.damage:
                return
            run.after = at + size

    def _begin_section(self, magic: memoryview) -> str:
        order = _ORDERS.get(bytes(magic))
        if order is None:
            return "a section without its byte-order magic"
        self._order = order
        self._interfaces = []
        return ""

    def _describe(self, block: bytes) -> str:
        """Take an interface description; why it cannot be taken."""
        if len(self._interfaces) >= _MOST_INTERFACES:
            return f"more than {_MOST_INTERFACES} interfaces"
        self._interfaces.append(_interface(block, self._order))
        return ""

    def _whole(self, data: Octets, run: _Run) -> list[Records]:
        """The frames of a run, up to the first block that contradicts itself."""
        starts, numbers = run.frames()
        words = gather(data, starts, 28).view(self._order + "u4").astype(np.int64)
        interface, captured, wire, header = self._fields(words)
        size = words[:, 1]
        trailer = gather(data, starts + size - 4, 4).view(self._order + "u4")[:, 0]
        good = (trailer == size) & (interface < len(self._interfaces))
        good &= (captured <= size - header - 4) & (captured <= LONGEST_RECORD)
        count = len(starts)
        if not good.all():
            count = int(np.argmin(good))
            run.after, run.count = int(starts[count]), int(numbers[count])
            run.damage, run.more = "a packet block that contradicts itself", False
        if not count:
            return []
        link, time = self._of_interfaces(words[:count], interface[:count])
        return [
            Records(
                start=(starts + header)[:count],
                captured=captured[:count],
                wire=np.maximum(wire, captured)[:count],
                time=time,
                number=numbers[:count],
                link=link,
            )
        ]

    def _fields(self, words: Index) -> tuple[Index, Index, Index, Index]:
        """Interface, captured and wire octets and header length of packet blocks."""
        kind = words[:, 0]
        if (kind == _EPB).all():
            return words[:, 2], words[:, 5], words[:, 6], np.full(len(words), 28)
        simple, old = kind == _SPB, kind == _PB
        half = words[:, 2] & 0xFFFF if self._order == "<" else words[:, 2] >> 16
        interface = np.where(simple, 0, np.where(old, half, words[:, 2]))
        wire = np.where(simple, words[:, 2], words[:, 6])
        snaplen = self._interfaces[0].snaplen if self._interfaces else 0
        most = np.minimum(words[:, 1] - 16, snaplen or LONGEST_RECORD)
        captured = np.where(simple, np.minimum(wire, most), words[:, 5])
        return interface, captured, wire, np.where(simple, 12, 28)

    def _of_interfaces(
        self, words: Index, interface: Index
    ) -> tuple[npt.NDArray[np.uint16], Index]:
        """Link types and times of frames."""
        ticks = (words[:, 3].astype(np.uint64) << np.uint64(32)) | words[:, 4].astype(np.uint64)
        link = np.empty(len(words), np.uint16)
        time = np.empty(len(words), np.int64)
        for number in np.unique(interface):
            of_it = slice(None) if (interface == number).all() else interface == number
            described = self._interfaces[number]
            link[of_it] = described.link
            time[of_it] = described.time(ticks[of_it])
        time[words[:, 0] == _SPB] = 0  # a simple packet block has no time
        return link, time


def _absurd(kind: int, size: int) -> str:
    """Why a block header cannot be one; empty where it can."""
    if size < _SHORTEST.get(kind, 12) or size & 3 or size > _LONGEST_BLOCK:
        return f"a block of {size} octets"
    return ""
