"""Which readers may want a payload: told for a whole batch by its first octets and its ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets import Packets
from simbox.ingest.capture.protocol import Claim, Datagram, Reader

MOST_READERS = 32

Bits = npt.NDArray[np.uint32]


class ClaimTable:
    """Readers and their claims for one transport, as a bit a reader."""

    def __init__(self, readers: Sequence[Reader], claims: Sequence[Claim]) -> None:
        if len(readers) > MOST_READERS:
            raise ValueError(f"{len(readers)} readers: a batch is told by {MOST_READERS} bits")
        self._wanting = [(r, c.leads, c.ports) for r, c in zip(readers, claims, strict=True)]
        self._by_lead = np.zeros(1 << 16, np.uint32)
        self._by_port = np.zeros(1 << 16, np.uint32)
        for number, claim in enumerate(claims):
            bit = np.uint32(1 << number)
            for lead in claim.leads:
                self._by_lead[int.from_bytes(lead[:2])] |= bit
            for port in claim.ports:
                self._by_port[port] |= bit

    def bits(self, packets: Packets) -> Bits:
        """For each packet the readers that may want it; none for one without payload."""
        data, at = packets.frames.data, packets.payload
        head = data[at].astype(np.uint16) << np.uint16(8)
        head |= data[at + 1]
        found: Bits = self._by_lead[head]
        found |= self._by_port[packets.sport]
        found |= self._by_port[packets.dport]
        found[packets.captured <= 0] = 0
        return found

    def wanting(self, packet: Datagram) -> Iterator[Reader]:
        """The readers that do want a packet, in order, by the whole of their leads."""
        for reader, leads, ports in self._wanting:
            if packet.payload.startswith(leads) or packet.sport in ports or packet.dport in ports:
                yield reader
