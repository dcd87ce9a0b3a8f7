"""Telnet (RFC 854): the banner of the server, and nothing of what is typed."""

from __future__ import annotations

import re

from simbox.ingest.capture.protocol import Claim, Datagram, StreamReader
from simbox.ingest.capture.signatures.matching import Place, Signatures
from simbox.ingest.capture.signatures.shipped import shipped_signatures
from simbox.ingest.capture.sink import Sink

PORTS = frozenset({23, 13000})  # 13000 is where GoIP firmware listens
MOST_BANNER = 1024  # octets

_NEGOTIATION = re.compile(rb"\xff(?:[\xfb-\xfe].|\xfa[^\xff]*\xff\xf0|[\xf0-\xf9])", re.DOTALL)


class Telnet(StreamReader):
    """The reader of Telnet."""

    name = "telnet"
    tcp = Claim(ports=PORTS)

    def __init__(self, signatures: Signatures | None = None) -> None:
        self._signatures = signatures or shipped_signatures()

    def opens(self, segment: Datagram) -> bool:
        """Begins with what the server says first: negotiation or text."""
        first = segment.payload[:1]
        text = first == b"\xff" or first in b"\r\n" or first.isalpha()
        return segment.sport in PORTS and bool(first) and text

    def conversation(self) -> TelnetConversation:
        return TelnetConversation(self._signatures)


class TelnetConversation:
    """One Telnet session until its banner is told or too long."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self._server: tuple[str, int] | None = None
        self._banner = b""

    def feed(self, octets: Datagram, out: Sink) -> bool:
        speaker = octets.src, octets.sport
        self._server = self._server or speaker
        if speaker != self._server:
            return True
        self._banner += octets.payload[:MOST_BANNER]
        banner = _NEGOTIATION.sub(b"", self._banner).decode("latin-1")
        place = Place(octets.src, octets.dst, octets.time, octets.frame)
        if self._signatures.tell("telnet", {"banner": banner}, place, out):
            return False
        return len(self._banner) < MOST_BANNER

    def gap(self, src: str, sport: int) -> None:
        if self._server == (src, sport):
            self._banner = self._banner[:0]
