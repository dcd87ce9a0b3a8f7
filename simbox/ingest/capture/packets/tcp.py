"""TCP segments put in order again (RFC 9293), for the few conversations that are to be read."""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets.columns import Packets
from simbox.ingest.capture.packets.octets import Rows

SYN, RST = 0x02, 0x04
MOST_HELD = 256 << 10  # octets of one direction that wait for a hole to fill
MOST_SEGMENTS = 1024  # of one direction that wait
MOST_FLOWS = 4096
MOST_OCTETS = 32 << 20  # of all conversations that wait
IDLE_NS = 3600 * 10**9  # a registration's connection may be silent for an hour
PATIENCE_NS = 10 * 10**9  # a hole that old was lost by the capture, not by the network
_WRAP = 1 << 32
_SLOTS = 1 << 16
_SEGMENT_COST = 150  # octets that a held segment needs beside its own


class Segment(NamedTuple):
    """What one segment holds of its sender's octets."""

    sequence: int  # of the segment, from its header
    flags: int  # of the header
    payload: bytes  # as far as captured
    missing: int = 0  # octets of the payload that were not captured


_Placed = tuple[int, bytes, int]  # position, octets, octets cut off behind them
Ordered = tuple[bool, bytes]  # whether octets are missing before these, and the next octets
_NOTHING: Ordered = (False, b"")


class Direction:
    """The octets of one sender of a conversation, in order.

    Positions are sequence numbers that do not wrap.  The first segment seen is where the order
    begins, whether or not it opens the conversation.
    """

    def __init__(self) -> None:
        self.held = 0  # octets that wait for a hole to fill, with what holding them costs
        self._next: int | None = None
        self._syn: int | None = None
        self._waiting: list[_Placed] = []  # a heap
        self._gap = False  # before the next octets to be handed out

    def push(self, segment: Segment) -> Ordered:
        """Take a segment; the next octets in order, often those that it holds, maybe none."""
        sequence = segment.sequence
        if segment.flags & SYN:
            sequence = (sequence + 1) % _WRAP
            self._open(sequence)
        if segment.flags & RST or not (segment.payload or segment.missing):
            return _NOTHING
        if self._next is None:
            self._next = sequence
        ahead = (sequence - self._next + _WRAP // 2) % _WRAP - _WRAP // 2
        placed = (self._next + ahead, segment.payload, segment.missing)
        if ahead <= 0:
            return self._ordered([placed])
        heapq.heappush(self._waiting, placed)
        self.held += len(segment.payload) + _SEGMENT_COST
        full = self.held > MOST_HELD or len(self._waiting) > MOST_SEGMENTS
        return self.skip() if full else _NOTHING

    def skip(self) -> Ordered:
        """Give up the hole: go on with the first octets behind it."""
        if self._waiting and self._next is not None:
            self._gap |= self._waiting[0][0] > self._next
            self._next = max(self._next, self._waiting[0][0])
        return self._ordered([])

    def _open(self, first: int) -> None:
        """Begin a conversation; the same one begun again is a retransmission."""
        if first != self._syn:
            self._syn = self._next = first
            self._gap, self.held = False, 0
            self._waiting.clear()

    def _ordered(self, segments: list[_Placed]) -> Ordered:
        """The octets of segments and of those that follow them, up to what was cut off."""
        gap, self._gap = self._gap, False
        parts = [self._taken(*segment) for segment in segments]
        while self._waiting and not self._gap and self._waiting[0][0] <= (self._next or 0):
            segment = heapq.heappop(self._waiting)
            self.held -= len(segment[1]) + _SEGMENT_COST
            parts.append(self._taken(*segment))
        octets = b"".join(parts)
        if not octets:
            self._gap |= gap
            return _NOTHING
        return gap, octets

    def _taken(self, position: int, octets: bytes, missing: int) -> bytes:
        """What is new in a segment that begins at the next octet or before it."""
        following = self._next or 0
        new = octets[following - position :]
        end = position + len(octets)
        self._next = max(following, end)
        if missing and end + missing > self._next:
            self._next = end + missing
            self._gap = True
        return new


class Flow(NamedTuple):
    """Both ends of a conversation, as the sender of a segment sees them."""

    src: int  # address keys
    sport: int
    dst: int
    dport: int

    def conversation(self) -> Flow:
        """The same for both senders."""
        here, there = self[:2], self[2:]
        return self if here <= there else Flow(*there, *here)


Owner = TypeVar("Owner")


@dataclass
class _Marked(Generic[Owner]):
    owner: Owner
    slot: int
    seen: int
    directions: dict[tuple[int, int], Direction] = field(default_factory=dict)
    waiting: dict[tuple[int, int], int] = field(default_factory=dict)  # since when, nanoseconds

    def held(self) -> int:
        return sum(direction.held for direction in self.directions.values())


class Flows(Generic[Owner]):
    """The conversations that are put in order: bounded, and forgotten by capture time.

    Each has an owner, whatever its octets are read by.  ``counts`` tells what was given up.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._marked: OrderedDict[Flow, _Marked[Owner]] = OrderedDict()
        self._slots = np.zeros(_SLOTS, np.uint16)  # marked conversations by their hash
        self._held = 0

    def __len__(self) -> int:
        return len(self._marked)

    def candidates(self, packets: Packets) -> Rows:
        """Which packets may be of marked conversations: all that are, and a few others."""
        if not self._marked:
            return np.zeros(len(packets), bool)
        ports = packets.sport.astype(np.uint64) + packets.dport
        marked: Rows = self._slots[_slots(packets.src ^ packets.dst, ports)] > 0
        return marked

    def owner(self, flow: Flow) -> Owner | None:
        """The owner of a marked conversation, by either of its flows."""
        marked = self._marked.get(flow.conversation())
        return None if marked is None else marked.owner

    def mark(self, flow: Flow, time: int, owner: Owner) -> None:
        """Put a conversation in order from its next segment on."""
        self.drop(flow)
        self._expire(time)
        if len(self._marked) >= MOST_FLOWS:
            self._give_up(next(iter(self._marked)), "too many")
        keys = np.array([flow.src ^ flow.dst], np.uint64)
        slot = int(_slots(keys, np.array([flow.sport + flow.dport], np.uint64))[0])
        self._slots[slot] += 1
        self._marked[flow.conversation()] = _Marked(owner, slot, time)

    def push(self, flow: Flow, time: int, segment: Segment) -> Ordered:
        """Take a segment of a marked conversation; its sender's next octets in order."""
        key = flow.conversation()
        marked = self._marked.get(key)
        if marked is None:
            return _NOTHING
        marked.seen = max(marked.seen, time)
        self._marked.move_to_end(key)
        sender = flow[:2]
        direction = marked.directions.setdefault(sender, Direction())
        before = direction.held
        ordered = direction.push(segment)
        if direction.held and not ordered[1]:
            since = marked.waiting.setdefault(sender, time)
            if time - since > PATIENCE_NS:
                ordered = direction.skip()
        if ordered[1]:
            marked.waiting.pop(sender, None)
            self.counts["tcp|hole given up"] += ordered[0]
        self._held += direction.held - before
        while self._held > MOST_OCTETS:
            self._give_up(next(iter(self._marked)), "too many octets held")
        return ordered

    def drop(self, flow: Flow) -> None:
        """Put a conversation in order no more: it has been read."""
        marked = self._marked.pop(flow.conversation(), None)
        if marked is not None:
            self._slots[marked.slot] -= 1
            self._held -= marked.held()

    def close(self) -> None:
        """Give up all conversations; what waits behind holes is counted."""
        for key in list(self._marked):
            self._give_up(key, "")

    def _expire(self, now: int) -> None:
        while self._marked:
            key, oldest = next(iter(self._marked.items()))
            if now - oldest.seen <= IDLE_NS:
                break
            self._give_up(key, "")

    def _give_up(self, key: Flow, why: str) -> None:
        if why:
            self.counts[f"tcp|conversation given up, {why}"] += 1
        if self._marked[key].held():
            self.counts["tcp|conversation ended behind a hole"] += 1
        self.drop(key)


def _slots(
    addresses: npt.NDArray[np.uint64], ports: npt.NDArray[np.uint64]
) -> npt.NDArray[np.intp]:
    """Slots of conversations, the same for both directions."""
    mixed = (addresses + (ports << np.uint64(33))) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(48)).astype(np.intp)
