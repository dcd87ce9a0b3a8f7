"""The few TCP conversations that a reader wants, put in order and handed to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from simbox.ingest.capture.claims import ClaimTable
from simbox.ingest.capture.packets.columns import Index, Packets
from simbox.ingest.capture.packets.octets import Rows
from simbox.ingest.capture.packets.tcp import Flow, Flows, Segment
from simbox.ingest.capture.protocol import Conversation, Datagram, Reader
from simbox.ingest.capture.sink import Sink


class Conversations:
    """The conversations of a file that are being read."""

    def __init__(self, readers: Sequence[Reader], sink: Sink) -> None:
        self._claims = ClaimTable(readers, [reader.tcp for reader in readers])
        self._flows: Flows[Conversation] = Flows()
        self._sink = sink

    @property
    def counts(self) -> Counter[str]:
        """What was given up, by stable names."""
        return self._flows.counts

    def claimed(self, tcp: Packets) -> Rows:
        """The segments of a batch with which a conversation may open."""
        return self._claims.bits(tcp) > 0

    def wanted(self, tcp: Packets, claimed: Rows | None = None) -> Index:
        """The segments of a batch that Python has to see: claimed, or of marked conversations.

        A conversation may be marked by a segment of the same batch, so a batch is asked again
        after each new mark, from the next segment on.
        """
        opening = self.claimed(tcp) if claimed is None else claimed
        return np.flatnonzero(opening | self._flows.candidates(tcp))

    def push(self, tcp: Packets, at: int, segment: Datagram) -> bool:
        """Take one segment; true when it has opened a conversation."""
        flow = Flow(int(tcp.src[at]), segment.sport, int(tcp.dst[at]), segment.dport)
        opened = False
        conversation = self._flows.owner(flow)
        if conversation is None:
            conversation = self._opened(segment)
            if conversation is None:
                return False
            opened = True
            self._flows.mark(flow, segment.time, conversation)
        missing = max(segment.length - len(segment.payload), 0)
        held = Segment(int(tcp.sequence[at]), int(tcp.flags[at]), segment.payload, missing)
        gap, octets = self._flows.push(flow, segment.time, held)
        if gap:
            conversation.gap(segment.src, segment.sport)
        if octets and not conversation.feed(segment._replace(payload=octets), self._sink):
            self._flows.drop(flow)
        return opened

    def close(self) -> None:
        """Give up what is still open."""
        self._flows.close()

    def _opened(self, segment: Datagram) -> Conversation | None:
        for reader in self._claims.wanting(segment):
            if reader.opens(segment):
                return reader.conversation()
        return None
