"""Frames into packets: link layers, IP, tunnels, fragments and transports, all rows at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields, replace

import numpy as np

from simbox.ingest.capture.packets.addresses import AddressBook
from simbox.ingest.capture.packets.columns import PAD, Frames, Packets
from simbox.ingest.capture.packets.encapsulation import inside
from simbox.ingest.capture.packets.fragments import Fragments, Joined, Pieces
from simbox.ingest.capture.packets.link import Spans, ip_in_frames
from simbox.ingest.capture.packets.network import headers
from simbox.ingest.capture.packets.transport import packets as transported

MOST_TUNNELS = 8
_RAW_IP = 101  # LINKTYPE_RAW


@dataclass
class _Pass:
    """Frames on their way through the layers."""

    frames: Frames
    spans: Spans  # where the IP packets begin that are to be read next
    layers: list[Packets] = field(default_factory=list)  # packets found, by tunnels around them


class Decoder:
    """The decoder of one capture file, whose frames it takes in their order.

    ``counts`` tells by stable names what frames and packets were given up or odd.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.addresses = AddressBook()
        self._fragments = Fragments(self.counts)

    def __call__(self, frames: Frames) -> list[Packets]:
        """The innermost packets of frames; those joined from fragments apart, over own frames."""
        passes = [self._begun(frames)]
        for depth in range(MOST_TUNNELS + 1):
            fragments = [self._layer(p, depth) for p in passes if len(p.spans.row) or not depth]
            # one depth after the other: the fragments of each are taken in their order
            joined = self._fragments.add([f for f in fragments if len(f.ip.row)], depth)
            if joined:
                passes.append(self._begun(_frames_of(joined)))
                self._layer(passes[-1], depth)
        return [_in_order(p) for p in passes]

    def close(self) -> None:
        """Give up the fragments that wait for others, and count them."""
        self._fragments.close()
        self.counts.update(self.addresses.counts)
        self.addresses.counts.clear()

    def _begun(self, frames: Frames) -> _Pass:
        return _Pass(frames, ip_in_frames(frames, self.counts))

    def _layer(self, one: _Pass, depth: int) -> Pieces:
        """Read the IP packets of one depth; the fragments among them."""
        ip = headers(one.frames.data, one.spans, self.addresses, self.counts)
        fragment = np.flatnonzero(ip.piece >= 0)
        pieces = Pieces(one.frames, ip.take(fragment))
        if len(fragment):
            ip = ip.take(ip.piece < 0)
        packets = transported(one.frames, ip, depth, self.counts)
        within = inside(packets)
        if depth == MOST_TUNNELS and len(within.row):
            self.counts["tunnel|too deep"] += len(within.row)
            within = within.take(within.row[:0])
        if len(within.row):
            around = np.ones(len(packets), bool)
            around[within.row] = False
            within = replace(within, row=packets.row[within.row])
            packets = packets.take(around)
        one.spans = within
        one.layers.append(packets)
        return pieces


def _in_order(one: _Pass) -> Packets:
    """The packets of all depths in the order of their frames."""
    layers = [packets for packets in one.layers if len(packets)] or one.layers[:1]
    packets = layers[0]
    if len(layers) > 1:
        names = [f.name for f in fields(Packets) if f.name != "frames"]
        columns = {n: np.concatenate([getattr(p, n) for p in layers]) for n in names}
        packets = Packets(frames=one.frames, **columns)
    if (np.diff(packets.row) < 0).any():
        packets = packets.take(np.argsort(packets.row, kind="stable"))
    return packets


def _frames_of(joined: list[Joined]) -> Frames:
    """Joined IP packets as frames of their own."""
    sizes = np.array([len(j.octets) for j in joined], np.int64)
    return Frames(
        data=np.frombuffer(b"".join(j.octets for j in joined) + bytes(PAD), np.uint8),
        start=np.cumsum(sizes) - sizes,
        captured=sizes,
        wire=sizes,
        time=np.array([j.time for j in joined], np.int64),
        number=np.array([j.number for j in joined], np.int64),
        link=np.full(len(joined), _RAW_IP, np.uint16),
    )
