"""DNS (RFC 1035): the names that a host asks for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets.columns import Index, Packets
from simbox.ingest.capture.packets.octets import gather, number
from simbox.ingest.capture.protocol import Claim, Datagram, DatagramReader
from simbox.ingest.capture.signatures.matching import Place, Signatures
from simbox.ingest.capture.signatures.shipped import shipped_signatures
from simbox.ingest.capture.sink import Sink

HEADER = 12
RESPONSE, OPCODE = 0x80, 0x78  # in the third octet
MOST_LABEL, MOST_NAME = 63, 255  # octets (RFC 1035 2.3.4)
MOST_REMEMBERED = 50_000  # questions

Flags = npt.NDArray[np.bool_]


class Dns(DatagramReader):
    """The reader of DNS queries; answers are left alone."""

    name = "dns"
    udp = Claim(ports=frozenset({53}))

    def __init__(self, signatures: Signatures | None = None) -> None:
        self._signatures = signatures or shipped_signatures()
        self._ordinary: dict[bytes, bool] = {}  # questions, and that no signature looks for them

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        data = packet.payload
        if len(data) <= HEADER or data[4:6] != b"\0\1":
            return False
        if data[2] & RESPONSE:
            return packet.sport == 53
        question = None if data[2] & OPCODE else read_question(data)
        if question is None:
            return False
        out.counts["dns|query"] += 1
        name, kind = question
        if self._signatures.touches("dns", "name", name):
            fields = {"name": name, "id": data[:2].hex(), "type": str(kind)}
            place = Place(packet.src, packet.dst, packet.time, packet.frame)
            self._signatures.tell("dns", fields, place, out)
        return True

    def bulk(self, packets: Packets, rows: Index, out: Sink) -> tuple[Flags, Flags]:
        """Settle answers, and count the queries for names that no signature looks for."""
        data, at = packets.frames.data, packets.payload[rows]
        end = at + packets.captured[rows]
        heads = gather(data, at, HEADER)
        usual = (end - at > HEADER) & (number(heads, 4) == 1)
        answer = heads[:, 2] & RESPONSE > 0
        claimed: Flags = usual & answer & (packets.sport[rows] == 53)
        query = usual & ~answer & (heads[:, 2] & OPCODE == 0)
        settled: Flags = ~query
        view = data.data
        asked = np.flatnonzero(query)
        for n, first, last in zip(
            asked.tolist(), (at[asked] + HEADER).tolist(), end[asked].tolist(), strict=True
        ):
            if self._is_ordinary(view[first:last].tobytes()):
                settled[n] = claimed[n] = True
                out.counts["dns|query"] += 1
        return settled, claimed

    def _is_ordinary(self, octets: bytes) -> bool:
        """Whether a query, without its header, asks for a name that no signature looks for."""
        question = octets[: octets.find(0) + 3]  # its type stands behind the name's last octet
        known = self._ordinary.get(question)
        if known is None:
            # a label may hold a zero octet: then this is no whole question, and not ordinary
            asked = read_question(bytes(HEADER) + question)
            known = asked is not None and not self._signatures.touches("dns", "name", asked[0])
            if len(self._ordinary) >= MOST_REMEMBERED:
                self._ordinary.clear()
            self._ordinary[question] = known
        return known


def read_question(data: bytes) -> tuple[str, int] | None:
    """Name and type of the first question; None where they break the rules.

    A pointer in the first name could only point into the header or itself: it is refused.
    """
    labels = []
    at = HEADER
    while True:
        length = data[at] if at < len(data) else MOST_LABEL + 1
        if length == 0:
            break
        label = data[at + 1 : at + 1 + length]
        at += 1 + length
        if length > MOST_LABEL or len(label) < length or at > HEADER + MOST_NAME:
            return None
        labels.append(label)
    kind = data[at + 1 : at + 3]
    if len(kind) < 2:
        return None
    return b".".join(labels).decode("latin-1").lower(), int.from_bytes(kind)
