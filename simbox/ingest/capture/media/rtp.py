"""RTP streams of a capture file, told with and without signalling (RFC 3550).

Packets are taken in batches of columns; the state of each stream is carried from one batch to the
next, so that the size of batches changes nothing in what is found.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.ingest.capture.media.codecs import COMFORT_NOISE, STATIC
from simbox.ingest.capture.media.follow import NS, Flags, Run, follow
from simbox.ingest.capture.media.header import Headers, mixed, read_headers
from simbox.ingest.capture.media.rows import segments
from simbox.ingest.capture.media.state import StreamRows, starts
from simbox.ingest.capture.packets.addresses import AddressBook
from simbox.ingest.capture.packets.columns import Index, Keys, Packets
from simbox.ingest.capture.sink import SPILL_ROWS, Sink
from simbox.tables import SEGMENTS

IDLE = 60 * NS  # a stream that was silent for so long has ended
SCAN = 5 * NS  # how often ended streams are looked for
MOST_STREAMS = 1 << 17  # rows, about 50 MB
CROWDED = MOST_STREAMS // 2  # from here on streams in probation are given up sooner
DOUBTFUL_IDLE = 10 * NS
MOST_ANNOUNCED = 1 << 17
FLOW_WINDOW, FLOW_STREAMS = 10 * NS, 8  # sources that a flow may try in a window of time
SMALL_FRAMES = 64  # of ended streams that are held before they are made one
TABLE = 1 << 20
PIECE = 1 << 16  # packets taken at once, so that 16 bits number them


class RtpStreams:
    """The RTP streams of one capture file, in memory bounded by those that are active.

    A stream is addresses, ports and SSRC.  It counts once 20 packets in a row look like RTP, or at
    once when its destination was announced.  ``counts`` tells what was given up.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._rows = StreamRows()
        self._known: dict[int, int] = {}  # key to row
        self._table_key = np.zeros(TABLE, np.uint64)  # the same, direct-mapped by the key's end
        self._table_row = np.zeros(TABLE, np.int32)
        self._scratch = np.zeros(0, np.int64)
        self._announced: dict[int, None] = {}  # destinations, oldest first
        self._waiting: dict[int, set[int]] = {}  # rows by destination, as long as not announced
        self._opened: Counter[int] = Counter()  # new sources by flow, in the present window
        self._window = 0
        self._ended: list[int] = []  # rows that another row of the same key has followed
        self._scanned = 0
        self._addresses: AddressBook | None = None
        self._frames: list[pl.DataFrame] = []
        self._pending = 0

    def __len__(self) -> int:
        """Streams in memory, those in probation among them."""
        return len(self._rows)

    def add(self, packets: Packets, addresses: AddressBook, free: Flags | None = None) -> Flags:
        """Take packets; true for those that belong to a stream known as RTP by then.

        Args:
            packets: of a batch, in their order.
            addresses: what spells their addresses.
            free: which of them may be RTP at all; None for all.
        """
        self._addresses = addresses
        taken = np.zeros(len(packets), np.bool_)
        heads = read_headers(packets, free)
        if len(packets) <= PIECE:
            self._add(packets, heads, taken)
            return taken
        for begin in range(0, len(heads), PIECE):
            self._add(packets, heads.take(np.arange(begin, min(begin + PIECE, len(heads)))), taken)
        return taken

    def announce(self, key: int, port: int) -> None:
        """Expect RTP at an address: what arrives there needs no probation."""
        destination = key << 16 | port
        self._announced.pop(destination, None)
        self._announced[destination] = None
        if len(self._announced) > MOST_ANNOUNCED:
            del self._announced[next(iter(self._announced))]
            self.counts["rtp|announcement forgotten"] += 1
        for row in self._waiting.pop(destination, ()):
            self._rows.rows["announced"][row] = True

    def flush(self, now: int, sink: Sink) -> None:
        """Write the streams that have ended by a capture time, nanoseconds since 1970."""
        if 0 <= now - self._scanned < SCAN and not self._ended:
            return
        self._scanned = now
        ended = self._rows.idle(now - IDLE)
        if len(self._rows) > CROWDED:
            ended = np.concatenate([ended, self._rows.idle(now - DOUBTFUL_IDLE, doubtful=True)])
        self._end(ended, sink)

    def close(self, sink: Sink) -> None:
        """Write all streams, and what was given up into the sink's counts."""
        self._end(self._rows.idle(np.iinfo(np.int64).max), sink)
        self._write(sink)
        sink.counts.update(self.counts)
        self.counts.clear()

    def _add(self, packets: Packets, heads: Headers, taken: Flags) -> None:
        rows = self._identify(packets, heads)
        kept = np.flatnonzero(rows >= 0)
        if not len(kept):
            return
        order = kept[self._by_stream(rows[kept])]
        heads = heads.take(order)
        frames = packets.row[heads.at]
        run = Run(rows[order], packets.frames.time[frames], packets.frames.number[frames], heads)
        run, first = self._split(run)
        group = np.repeat(np.arange(len(first)), np.diff(first, append=len(run.row)))
        states = self._rows.load(run.row[first])
        taken[heads.at] = follow(run, (group, first), states)
        self._rows.save(run.row[first], states)

    def _by_stream(self, rows: Index) -> Index:
        """The stable order that brings the packets of each stream together."""
        if len(self._scratch) < len(self._rows.rows):
            self._scratch = np.zeros(len(self._rows.rows), np.int64)
        # a stream is numbered by one of its packets: 16 bits, for which sorting is a radix sort
        self._scratch[rows] = np.arange(len(rows))
        return np.argsort(self._scratch[rows].astype(np.uint16), kind="stable")

    def _identify(self, packets: Packets, heads: Headers) -> Index:
        """The row of each packet's stream; -1 where it is given up."""
        keys = mixed(packets, heads.at, heads.ssrc)
        slots = (keys & np.uint64(TABLE - 1)).astype(np.int64)
        rows = self._table_row[slots].astype(np.int64)
        miss = np.flatnonzero(self._table_key[slots] != keys)
        if not len(miss):
            return rows
        flows = mixed(packets, heads.at[miss])
        times = packets.frames.time[packets.row[heads.at[miss]]]
        rows[miss], opened = self._met(keys[miss], flows, times)
        self._begin(packets, heads, miss[opened], (rows, keys))
        miss = miss[rows[miss] >= 0]
        self._table_key[slots[miss]] = keys[miss]
        self._table_row[slots[miss]] = rows[miss]
        return rows

    def _met(self, keys: Keys, flows: Keys, times: Index) -> tuple[list[int], list[int]]:
        """The rows of packets' streams, -1 where one may not open, and the packets that open one.

        Packets are taken in their order; those behind the first of a stream are not looked at
        as long as no stream is refused.
        """
        known, opened = self._known, []
        refused = len(keys)
        for at in np.sort(np.unique(keys, return_index=True)[1]).tolist():
            if int(keys[at]) not in known:
                if not self._may_open(int(flows[at]), int(times[at])):
                    refused = at
                    break
                known[int(keys[at])] = self._rows.new()
                opened.append(at)
        rows = [known.get(key, -1) for key in keys.tolist()]
        for at in range(refused + 1, len(keys)):  # what was refused may open in the next window
            key = int(keys[at])
            if key not in known and self._may_open(int(flows[at]), int(times[at])):
                known[key] = self._rows.new()
                opened.append(at)
            rows[at] = known.get(key, -1)
        return rows, opened

    def _may_open(self, flow: int, time: int) -> bool:
        """Whether a flow may have one more source: random UDP has a new one in each packet."""
        window = time // FLOW_WINDOW
        if window != self._window:
            self._window = window
            self._opened.clear()
        if self._opened[flow] >= FLOW_STREAMS:
            self.counts["rtp|too many sources in a flow"] += 1
            return False
        if len(self._rows) >= MOST_STREAMS:
            self.counts["rtp|too many streams"] += 1
            return False
        self._opened[flow] += 1
        return True

    def _begin(self, packets: Packets, heads: Headers, new: Index, ids: tuple[Index, Keys]) -> None:
        """Set up the rows of new streams by their first packets."""
        if not len(new):
            return
        rows, keys = ids[0][new], ids[1][new]
        at = heads.at[new]
        src, dst, dport = packets.src[at], packets.dst[at], packets.dport[at]
        announced = [
            self._expected(key << 16 | port, row)
            for key, port, row in zip(dst.tolist(), dport.tolist(), rows.tolist(), strict=True)
        ]
        clocks = [_clock(kind) for kind in heads.kind[new].tolist()]
        self._rows.begin(
            rows, key=keys, src=src, dst=dst, sport=packets.sport[at], dport=dport,
            ssrc=heads.ssrc[new], depth=packets.depth[at],
            announced=np.array(announced), clock=np.array(clocks),
        )  # fmt: skip

    def _expected(self, destination: int, row: int) -> bool:
        if destination in self._announced:
            return True
        self._waiting.setdefault(destination, set()).add(row)
        return False

    def _split(self, run: Run) -> tuple[Run, Index]:
        """The packets with a new row wherever a stream had ended in silence, and their starts."""
        first = starts(run.row)
        rows, states = run.row[first], self._rows.rows
        before = np.empty_like(run.time)
        before[1:] = run.time[:-1]
        begun = states["packets"][rows] > 0
        before[first] = np.where(begun, states["last_time"][rows], run.time[first])
        silent = np.flatnonzero(run.time - before >= IDLE)
        if not len(silent):
            return run, first
        row = run.row.copy()
        ends = np.append(first[1:], len(row))[np.searchsorted(first, silent, "right") - 1]
        for begin, end in zip(silent.tolist(), ends.tolist(), strict=True):
            row[begin:end] = self._renew(int(row[begin]), int(run.heads.kind[begin]))
        return replace(run, row=row), starts(row)

    def _renew(self, old: int, kind: int) -> int:
        """A row for the stream that follows an ended one of the same key."""
        new = self._rows.new()
        state = self._rows.rows[old]
        key, destination = int(state["key"]), int(state["dst"]) << 16 | int(state["dport"])
        same = ("key", "src", "dst", "sport", "dport", "ssrc", "depth")
        self._rows.begin(
            np.array([new]), announced=np.array([self._expected(destination, new)]),
            clock=np.array([_clock(kind)]), **{n: np.array([state[n]]) for n in same},
        )  # fmt: skip
        self._ended.append(old)
        self._known[key] = self._table_row[key & (TABLE - 1)] = new
        self._table_key[key & (TABLE - 1)] = key
        return new

    def _end(self, rows: Index, sink: Sink) -> None:
        """Write the streams among some rows and those that were followed, and forget the rows."""
        rows = np.unique(np.concatenate([rows, np.array(self._ended, np.int64)]))
        self._ended = []
        if not len(rows):
            return
        states = self._rows.load(rows)
        if self._addresses is not None:
            frame = segments(states[_is_rtp(states, self.counts)], self._addresses.text)
            self._frames.append(frame)
            self._pending += len(frame)
            if len(self._frames) > SMALL_FRAMES:
                self._frames = [pl.concat(self._frames, rechunk=True)]
        self._forget(rows, states)
        if self._pending >= SPILL_ROWS:
            self._write(sink)

    def _forget(self, rows: Index, states: npt.NDArray[Any]) -> None:
        destinations = zip(states["dst"].tolist(), states["dport"].tolist(), strict=True)
        for row, key, (dst, dport) in zip(
            rows.tolist(), states["key"].tolist(), destinations, strict=True
        ):
            if self._known.get(key) == row:
                del self._known[key]
            waiting = self._waiting.get(dst << 16 | dport, set())
            waiting.discard(row)
            if not waiting:
                self._waiting.pop(dst << 16 | dport, None)
        slots = (states["key"] & np.uint64(TABLE - 1)).astype(np.int64)
        mine = (self._table_key[slots] == states["key"]) & (self._table_row[slots] == rows)
        self._table_key[slots[mine]] = 0
        self._rows.give_back(rows)

    def _write(self, sink: Sink) -> None:
        if self._frames:
            sink.put_frame(SEGMENTS, pl.concat(self._frames))
        self._frames, self._pending = [], 0


def _clock(kind: int) -> int:
    """The timestamp clock that a payload type tells, Hz; 0 where it tells none."""
    codec = STATIC.get(kind)
    # comfort noise accompanies codecs of any clock
    return codec.rate if codec and codec.name != COMFORT_NOISE else 0


def _is_rtp(states: npt.NDArray[Any], counts: Counter[str]) -> Flags:
    """Which streams passed probation, or came as announced and do not contradict it."""
    kind = states["kind"]
    usual = (kind <= 34) | (kind >= 96)  # RFC 3551 section 6: the others are not assigned
    likely = usual & (2 * states["near"] >= states["packets"] - 1)
    known: Flags = states["confirmed"] | (states["announced"] & likely)
    counts["rtp|not confirmed"] += int(states["packets"][~known].sum())
    counts["rtp|packets"] += int(states["packets"][known].sum())
    return known
