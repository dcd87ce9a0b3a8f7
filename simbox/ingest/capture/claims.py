"""Which readers may want a payload: told for a whole batch by its first octets and its ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets.columns import Index, Packets
from simbox.ingest.capture.protocol import Claim, Datagram, Reader
from simbox.ingest.capture.sink import Sink

MOST_READERS = 32

Bits = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]


@runtime_checkable
class Bulk(Protocol):
    """A reader that can settle many datagrams at once, where no other reader wants them."""

    def bulk(self, packets: Packets, rows: Index, out: Sink) -> tuple[Flags, Flags]:
        """Read some datagrams of a batch as columns.

        Returns:
            Which of them are settled, so that ``datagram`` need not see them, and which of these
            are of the reader's protocol.
        """
        ...


class ClaimTable:
    """Readers and their claims for one transport, as a bit a reader."""

    def __init__(self, readers: Sequence[Reader], claims: Sequence[Claim]) -> None:
        if len(readers) > MOST_READERS:
            raise ValueError(f"{len(readers)} readers: a batch is told by {MOST_READERS} bits")
        self._readers = tuple(readers)
        self._by_lead = np.zeros(1 << 16, np.uint32)
        self._by_port = np.zeros(1 << 16, np.uint32)
        self._ports: dict[int, int] = {}  # the bits of the readers that want a port
        # of readers in bulk whose leads are all of two octets, so that their bit is exact
        self._bulk = [
            (np.uint32(1 << number), reader)
            for number, (reader, claim) in enumerate(zip(readers, claims, strict=True))
            if isinstance(reader, Bulk) and all(len(lead) == 2 for lead in claim.leads)
        ]
        # by the first two octets: the bits of readers, and the leads of which they want one
        self._leads: dict[bytes, list[tuple[int, tuple[bytes, ...]]]] = {}
        self._sets: dict[int, tuple[Reader, ...]] = {0: ()}
        for number, claim in enumerate(claims):
            self._claim(1 << number, claim)

    def _claim(self, bit: int, claim: Claim) -> None:
        for port in claim.ports:
            self._by_port[port] |= np.uint32(bit)
            self._ports[port] = self._ports.get(port, 0) | bit
        by_head: dict[bytes, list[bytes]] = {}
        for lead in claim.leads:
            by_head.setdefault(lead[:2], []).append(lead)
        for head, leads in by_head.items():
            self._by_lead[int.from_bytes(head)] |= np.uint32(bit)
            self._leads.setdefault(head, []).append((bit, tuple(leads)))

    def bits(self, packets: Packets) -> Bits:
        """For each packet the readers that may want it; none for one without payload."""
        data, at = packets.frames.data, packets.payload
        head = data.take(at).astype(np.uint16) << np.uint16(8)
        head |= data.take(at + 1)
        found: Bits = self._by_lead.take(head)
        found |= self._by_port.take(packets.sport)
        found |= self._by_port.take(packets.dport)
        found[packets.captured <= 0] = 0
        return found

    def bulks(self, bits: Bits) -> Iterator[tuple[Bulk, Index]]:
        """The readers in bulk with the packets that nobody else may want, by ``bits``."""
        for bit, reader in self._bulk:
            rows = np.flatnonzero(bits == bit)
            if len(rows):
                yield reader, rows

    def wanting(self, packet: Datagram) -> tuple[Reader, ...]:
        """The readers that do want a packet, in order, by the whole of their leads."""
        payload, ports = packet.payload, self._ports
        bits = ports.get(packet.sport, 0) | ports.get(packet.dport, 0)
        for bit, leads in self._leads.get(payload[:2], ()):
            if not bits & bit and payload.startswith(leads):
                bits |= bit
        found = self._sets.get(bits)
        if found is None:
            chosen = (r for number, r in enumerate(self._readers) if bits >> number & 1)
            found = self._sets[bits] = tuple(chosen)
        return found
