"""Opaque flows, counted by packet size in windows of ten seconds, for voice inside tunnels.

Encryption hides what is said but not that every packet has one size and that so many pass a
second.  A window's sizes are cut to the few most frequent ones; what remains stands in a row of
size 0, so that the packets of a window's rows are all its packets.  Seconds are told apart until a
window is written: how many packets its busy seconds have says how many calls there were at once,
even where calls come and go.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.ingest.capture.packets.addresses import AddressBook
from simbox.ingest.capture.packets.columns import ESP, UDP, Packets
from simbox.ingest.capture.sink import Sink
from simbox.tables import WINDOWS

WINDOW_S = 10
WINDOW_NS = 10_000_000_000
LEAST_PACKETS = 100  # of a flow in a window: one call at 33 packets a second has over 300
MOST_SIZES = 4  # two modes of speech and silence, and room for signalling
TELLING_SHARE = 0.6  # of the two most frequent sizes, below which sizes are not kept
LARGEST_VOICE = 480  # octets, beyond which sizes are not told apart; G.711 at 40 ms stays below
MOST_ROWS = 1 << 17  # of sizes by flow and window in memory, about 12 MB
COMPACT_ROWS = 1 << 16
SECOND_NS = 1_000_000_000

#: What a flow is by the first octets of its packets, in the order of their codes.
KINDS = (None, "wireguard", "openvpn", "esp")
OTHER, WIREGUARD, OPENVPN, ENCAPSULATED = range(len(KINDS))
KIND_SHARE = 0.9  # of a window's packets that must agree
NAT_TRAVERSAL = 4500  # ESP in UDP (RFC 3948)

Columns = dict[str, npt.NDArray[Any]]
Keys = npt.NDArray[np.uint64]

_MIX = tuple(
    np.uint64(odd)
    for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
)
_HALF = np.uint64(32)


class FlowWindows:
    """Packets of opaque flows by flow, window and size, as far as one file holds them.

    Memory is bounded: a window is written when capture time has left it, and where too many flows
    share a window the smallest are given up and counted.
    """

    def __init__(self, addresses: AddressBook) -> None:
        self.counts: Counter[str] = Counter()
        self._addresses = addresses
        self._held: list[Columns] = []
        self._rows = 0
        self._compact_at = COMPACT_ROWS
        self._window = -1

    def add(self, packets: Packets, out: Sink) -> None:
        """Count packets, in the order of their frames, that no reader has claimed."""
        opaque = (packets.protocol == UDP) | (packets.protocol == ESP)
        if not opaque.all():
            packets = packets.take(opaque)
        if not len(packets):
            return
        columns = _counted(packets)
        self._held.append(columns)
        self._rows += len(columns["key"])
        window = int(packets.time[-1]) // WINDOW_NS  # one frame's wrong clock must not flush all
        if window != self._window:
            self._window = window
            self._flush(window, out)
        elif self._rows >= self._compact_at:
            self._compact()

    def close(self, out: Sink) -> None:
        """Write all that is held."""
        self._flush(None, out)

    def _compact(self) -> None:
        held = _merged(self._held)
        if len(held["key"]) > MOST_ROWS:
            kept = _largest(held, MOST_ROWS // 2)
            self.counts["opaque packet|too many flows"] += int(held["packets"][~kept].sum())
            held = _rows(held, kept)
        self._hold(held)

    def _flush(self, window: int | None, out: Sink) -> None:
        """Write the windows before the one before this: frames may be a little out of order."""
        if not self._held:
            return
        held = _merged(self._held)
        done = np.ones(len(held["key"]), np.bool_)
        if window is not None:
            first = (window - 1) * WINDOW_S
            done = (held["second"] < first) | (held["second"] >= first + 2 * WINDOW_S)
        self._hold(_rows(held, ~done))
        if done.any():
            out.put_frame(WINDOWS, self._table(_telling(_rows(held, done))))

    def _hold(self, columns: Columns) -> None:
        self._held = [columns]
        self._rows = len(columns["key"])
        self._compact_at = 2 * self._rows + COMPACT_ROWS

    def _table(self, rows: Columns) -> pl.DataFrame:
        span = np.minimum((rows["last"] - rows["first"]) // 1_000_000, WINDOW_NS // 1_000_000)
        return pl.DataFrame(
            {
                "src": self._texts(rows["src"]),
                "src_port": rows["sport"],
                "dst": self._texts(rows["dst"]),
                "dst_port": rows["dport"],
                "protocol": rows["protocol"],
                "window": rows["second"] // WINDOW_S,
                "size": rows["size"],
                "packets": rows["packets"].astype(np.uint32),
                "kind": pl.Series(KINDS, dtype=pl.String).gather(rows["kind"].astype(np.uint32)),
                "first_frame": rows["frame"].astype(np.uint64),
                "span_ms": span.astype(np.uint16),
                "peak": rows["peak"].astype(np.uint32),
            }
        )

    def _texts(self, keys: Keys) -> pl.Series:
        unique, where = np.unique(keys, return_inverse=True)
        texts = [self._addresses.text(int(key)) for key in unique]
        return pl.Series(texts, dtype=pl.String).gather(where.astype(np.uint32))


def _counted(packets: Packets) -> Columns:
    """The packets of a batch, a row a flow, second and size."""
    time = packets.time
    second = time // SECOND_NS
    size = np.where(packets.length <= LARGEST_VOICE, packets.length, 0).astype(np.uint64)
    ends = (packets.sport.astype(np.uint64) << np.uint64(16)) | packets.dport
    ends |= packets.protocol.astype(np.uint64) << _HALF
    flow = (packets.src * _MIX[0]) ^ (packets.dst * _MIX[1]) ^ (ends * _MIX[2])
    flow ^= flow >> _HALF
    flow *= _MIX[3]
    key = flow ^ (flow >> _HALF)
    key += (second.astype(np.uint64) << np.uint64(16)) | size
    key *= _MIX[0]
    first, last, packets_of = _runs(key ^ (key >> _HALF))
    columns = {
        "key": key, "flow": flow, "second": second, "size": size.astype(np.uint16),
        "src": packets.src, "dst": packets.dst, "sport": packets.sport, "dport": packets.dport,
        "protocol": packets.protocol, "frame": packets.number, "first": time,
    }  # fmt: skip
    counted = _rows(columns, first)
    counted["flow"] += (counted["second"] // WINDOW_S).astype(np.uint64) * _MIX[1]
    return counted | {
        "last": time[last], "packets": packets_of, "kind": _kinds(packets, first)
    }  # fmt: skip


def _runs(
    keys: Keys,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first and the last place of each distinct key, and how often it is there.

    Keys and places are sorted in one number, which costs a third of sorting places by keys; the
    upper bits of a mixed key tell keys of one batch apart.
    """
    bits = np.uint64(len(keys).bit_length())
    places = (np.uint64(1) << bits) - np.uint64(1)
    packed = (keys & ~places) | np.arange(len(keys), dtype=np.uint64)
    packed.sort()
    starts = _starts(packed >> bits)
    order = (packed & places).astype(np.int64)
    ends = np.append(starts[1:], len(keys))
    return order[starts], order[ends - 1], ends - starts


def _kinds(packets: Packets, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """The code of the kind of some of the packets, by their first octets.

    WireGuard: a type of 1 to 4 and three zero octets.  OpenVPN: opcode 6 or 9 (data) in the upper
    five bits.  ESP in UDP: port 4500 and an SPI that is not zero (RFC 3948).
    """
    data, at = packets.frames.data, packets.payload[rows]
    lead = data[at]
    kind = np.zeros(len(rows), np.uint8)
    opcode = lead >> 3
    kind[(opcode == 6) | (opcode == 9)] = OPENVPN
    typed = np.flatnonzero((lead >= 1) & (lead <= 4))
    at = at[typed]
    kind[typed[(data[at + 1] | data[at + 2] | data[at + 3]) == 0]] = WIREGUARD
    natted = (packets.sport[rows] == NAT_TRAVERSAL) | (packets.dport[rows] == NAT_TRAVERSAL)
    kind[natted] = ENCAPSULATED
    kind[packets.captured[rows] < 4] = OTHER
    kind[packets.protocol[rows] == ESP] = ENCAPSULATED
    return kind


def _starts(ordered: Keys) -> npt.NDArray[np.int64]:
    """Where each run of equal values starts."""
    return np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))


def _rows(columns: Columns, rows: npt.NDArray[Any]) -> Columns:
    return {name: column[rows] for name, column in columns.items()}


def _merged(held: list[Columns]) -> Columns:
    """All rows that are held, those of one flow, window, kind and size made one."""
    columns = {name: np.concatenate([part[name] for part in held]) for name in held[0]}
    order = np.argsort(columns["key"])
    if not len(order):
        return columns
    return _summed(columns, order, _starts(columns["key"][order]))


def _summed(
    columns: Columns, order: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]
) -> Columns:
    """One row a run of rows in an order: the sum of their packets, their first and last."""
    summed = _rows(columns, order[starts])
    summed["packets"] = np.add.reduceat(columns["packets"][order], starts)
    for name, least in (("frame", True), ("first", True), ("last", False)):
        reduce = np.minimum if least else np.maximum
        summed[name] = reduce.reduceat(columns[name][order], starts)
    return summed


def _seconds_joined(columns: Columns) -> Columns:
    """The seconds of each flow and size made one, with the packets of the second busiest."""
    order = np.lexsort((-columns["packets"], columns["size"], columns["flow"]))
    if not len(order):
        return columns | {"peak": columns["packets"]}
    flow, size = columns["flow"][order], columns["size"][order]
    changed = np.append(True, (flow[1:] != flow[:-1]) | (size[1:] != size[:-1]))
    starts = np.flatnonzero(changed)
    several = np.diff(starts, append=len(order)) > 1
    joined = _summed(columns, order, starts)
    joined["peak"] = columns["packets"][order][starts + several]
    return joined


def _totals(columns: Columns) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The flow of each row in its window, and the packets of each flow."""
    _, which = np.unique(columns["flow"], return_inverse=True)
    return which, np.bincount(which, columns["packets"]).astype(np.int64)


def _largest(columns: Columns, rows: int) -> npt.NDArray[np.bool_]:
    """Which rows are of the flows with most packets, at most so many rows."""
    which, total = _totals(columns)
    order = np.argsort(-total[which], kind="stable")
    kept = np.zeros(len(which), np.bool_)
    kept[order[:rows]] = True
    return kept


def _telling(columns: Columns) -> Columns:
    """The rows worth writing: the few sizes of what may be voice, else just how much passed."""
    which, total = _totals(columns)
    columns["kind"] = _agreed(columns, which, total)[which]
    columns = _seconds_joined(_rows(columns, total[which] >= LEAST_PACKETS))
    order = np.lexsort((columns["size"], -columns["packets"], columns["flow"]))
    columns = _rows(columns, order)
    if not len(order):
        return columns
    starts = _starts(columns["flow"])
    lengths = np.diff(starts, append=len(order))
    flow = np.repeat(np.arange(len(starts)), lengths)
    place = np.arange(len(order)) - np.repeat(starts, lengths)
    top = np.add.reduceat(np.where(place < 2, columns["packets"], 0), starts)
    telling = top >= TELLING_SHARE * np.add.reduceat(columns["packets"], starts)
    telling &= columns["size"][starts] > 0
    kept = telling[flow] & (place < MOST_SIZES) & (columns["size"] > 0)
    others = _summed(columns, np.arange(len(order)), starts)
    others["size"] = np.zeros_like(others["size"])
    others["packets"] = np.add.reduceat(np.where(kept, 0, columns["packets"]), starts)
    others["peak"] = others["packets"]
    both = (_rows(columns, kept), _rows(others, others["packets"] > 0))
    return {name: np.concatenate([part[name] for part in both]) for name in columns}


def _agreed(
    columns: Columns, which: npt.NDArray[np.int64], total: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    """The kind that nearly all packets of each flow's window share, else none."""
    agreed = np.zeros(len(total), np.uint8)
    for kind in range(1, len(KINDS)):
        weight = np.where(columns["kind"] == kind, columns["packets"], 0)
        agreed[np.bincount(which, weight, len(total)) >= KIND_SHARE * total] = kind
    return agreed
