"""Payloads that are told by their first octets alone: signatures of ``udp`` and ``tcp``."""

from __future__ import annotations

from typing import Literal

from simbox.ingest.capture.protocol import Claim, Datagram
from simbox.ingest.capture.signatures.matching import LEAD, Place, Signatures
from simbox.ingest.capture.signatures.shipped import shipped_signatures
from simbox.ingest.capture.sink import Sink

SEEN = 64  # octets that a pattern sees

Transport = Literal["udp", "tcp"]


class Patterns:
    """The reader of payload patterns; its claims are the octets that the patterns begin with."""

    name = "patterns"

    def __init__(self, signatures: Signatures | None = None) -> None:
        self._signatures = signatures or shipped_signatures()
        self.udp = _claim(self._signatures, "udp")
        self.tcp = _claim(self._signatures, "tcp")

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        place = Place(packet.src, packet.dst, packet.time, packet.frame)
        return bool(self._signatures.tell("udp", _fields(packet), place, out))

    def opens(self, segment: Datagram) -> bool:
        return bool(self._signatures.match("tcp", _fields(segment)))

    def conversation(self) -> PatternConversation:
        return PatternConversation(self._signatures)


class PatternConversation:
    """One TCP conversation whose first octets fit a pattern."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures

    def feed(self, octets: Datagram, out: Sink) -> bool:
        place = Place(octets.src, octets.dst, octets.time, octets.frame)
        self._signatures.tell("tcp", _fields(octets), place, out)
        return False

    def gap(self, src: str, sport: int) -> None:
        """Nothing is kept between octets."""


def _claim(signatures: Signatures, transport: Transport) -> Claim:
    patterns = (s.all["payload"] for s in signatures.of(transport))
    leads = (LEAD.match(pattern) for pattern in patterns)
    return Claim(leads=tuple(sorted({bytes.fromhex(lead[1]) for lead in leads if lead})))


def _fields(packet: Datagram) -> dict[str, str]:
    return {
        "payload": packet.payload[:SEEN].hex(),
        "port": str(packet.dport),
        "length": str(packet.length or len(packet.payload)),
    }
