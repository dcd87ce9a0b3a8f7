"""SMTP (RFC 5321): the marks of gateways that send SMS on by mail, and nothing of the mail."""

from __future__ import annotations

import base64
import binascii
import re

from simbox.ingest.capture.protocol import Claim, Datagram, StreamReader
from simbox.ingest.capture.signatures.matching import Place, Signatures
from simbox.ingest.capture.signatures.shipped import shipped_signatures
from simbox.ingest.capture.sink import Sink

PORTS = frozenset({25, 587, 2525})
GREETINGS = (b"HELO ", b"EHLO ", b"helo ", b"ehlo ")
MOST_READ = 8192  # octets of a client's direction until it must have shown itself
MOST_LINE = 1000  # octets (RFC 5321 4.5.3.1.6)
HEAD = 96  # base64 characters of a body: the serial number and the line stand before the text

_ORIGIN = re.compile(r"SN:([0-9A-Za-z]{6,32})\s+Channel:(\d{1,3})\b")


class Smtp(StreamReader):
    """The reader of SMTP."""

    name = "smtp"
    tcp = Claim(leads=GREETINGS)

    def __init__(self, signatures: Signatures | None = None) -> None:
        self._signatures = signatures or shipped_signatures()

    def opens(self, segment: Datagram) -> bool:
        """Begins with the client's greeting."""
        return segment.dport in PORTS and segment.payload.startswith(GREETINGS)

    def conversation(self) -> SmtpConversation:
        return SmtpConversation(self._signatures)


class SmtpConversation:
    """One SMTP session, of which only the client's direction is read, line by line."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self._client: tuple[str, int] | None = None
        self._rest = b""
        self._read = 0
        self._state = self._command
        self._marked = False  # the greeting or the mailer was told
        self._helo = ""
        self._head = ""

    def feed(self, octets: Datagram, out: Sink) -> bool:
        speaker = octets.src, octets.sport
        self._client = self._client or speaker
        if speaker != self._client:
            return True
        self._read += len(octets.payload)
        *lines, rest = (self._rest + octets.payload).split(b"\n")
        self._rest = rest[:MOST_LINE]
        place = Place(octets.src, octets.dst, octets.time, octets.frame)
        for line in lines:
            if not self._state(line.rstrip(b"\r")[:MOST_LINE].decode("latin-1"), place, out):
                return False
        return self._marked or self._read < MOST_READ

    def gap(self, src: str, sport: int) -> None:
        if self._client == (src, sport):
            self._rest = b""

    def _command(self, line: str, place: Place, out: Sink) -> bool:
        verb = line[:5].upper().rstrip()
        if verb in ("HELO", "EHLO"):
            self._helo = line[5:].strip()
            found = self._signatures.tell("smtp", {"helo": self._helo}, place, out)
            self._marked = self._marked or bool(found)
        elif verb == "DATA":
            self._state = self._header
        return verb not in ("START", "QUIT")  # what follows STARTTLS is encrypted

    def _header(self, line: str, place: Place, out: Sink) -> bool:
        if not line:
            self._state, self._head = self._body, ""
            return self._marked
        name, _, value = line.partition(":")
        if name.lower() == "x-mailer":
            fields = {"mailer": value.strip()}
            found = self._signatures.tell("smtp", fields, place, out)
            self._marked = self._marked or bool(found)
        return True

    def _body(self, line: str, place: Place, out: Sink) -> bool:
        if line == ".":
            self._state = self._command
        elif len(self._head) < HEAD:
            self._head += line[: HEAD - len(self._head)]
            origin = _ORIGIN.search(_decoded(self._head)) or _ORIGIN.search(self._head)
            if origin is not None:
                self._head = " " * HEAD  # told once a mail
                place = place._replace(line=origin[2])
                self._signatures.tell("smtp", {"serial": origin[1]}, place, out)
        return True


def _decoded(head: str) -> str:
    """The beginning of a base64 text; nothing where it is none."""
    try:
        octets = base64.b64decode(head[: len(head) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return ""
    return octets.decode("latin-1")
