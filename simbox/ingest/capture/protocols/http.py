"""HTTP (RFC 9112) of gateways: their interfaces, status reports and configuration files.

Only conversations whose first message fits a signature are read, and of each message no more than
its head and the beginning of its body.  Queries are reduced to the names of their parameters, as
their values hold passwords; bodies are matched and never kept.
"""

from __future__ import annotations

import re

from simbox.ingest.capture.protocol import Claim, Datagram, StreamReader
from simbox.ingest.capture.protocols.httpmessage import Message, path_of
from simbox.ingest.capture.protocols.simreport import put_sighting, read_ports
from simbox.ingest.capture.protocols.tr069 import is_inform, tell_neighbours
from simbox.ingest.capture.signatures.matching import Place, Signatures
from simbox.ingest.capture.signatures.shipped import shipped_signatures
from simbox.ingest.capture.sink import Sink

REQUESTS = (b"GET ", b"POST ", b"PUT ")
RESPONSE = b"HTTP/1."
PUSHED = b'"max-ports"'  # in a status report that is pushed to any path
MOST_MISSES = 4  # messages in a row that fit nothing before a conversation is let go

_SERVER = re.compile(rb"\r?\n[Ss]erver:[ \t]*([^\r\n]{1,100})")
_KEY = re.compile(r'^([A-Z][A-Z0-9_]{2,40})="([^"\r\n]{0,200})"', re.MULTILINE)
_ADDRESS_KEY = re.compile(r"(?:SERVER|SVR|PROXY|REGISTRAR|DOMAIN)\d*$")
_ADDRESS = re.compile(r"[A-Za-z0-9.:\[\]-]{3,80}")
_SERIAL = re.compile(r"/([0-9A-Z]{8,32})\.(?:cfg|txt)$")


class Http(StreamReader):
    """The reader of HTTP."""

    name = "http"
    tcp = Claim(leads=(*REQUESTS, RESPONSE))

    def __init__(self, signatures: Signatures | None = None) -> None:
        self._signatures = signatures or shipped_signatures()

    def opens(self, segment: Datagram) -> bool:
        """The path or server name fits a signature; the body of others is not worth reading."""
        payload = segment.payload
        if payload.startswith(RESPONSE):
            server = _SERVER.search(payload, 0, 1024)
            name = server[1].decode("latin-1").strip() if server else ""
            return self._signatures.touches("http", "server", name)
        path = path_of(payload)
        if path is None:
            return False
        if self._signatures.touches("http", "path", path):
            return True
        return payload.startswith(b"P") and (PUSHED in payload or is_inform(payload))

    def conversation(self) -> HttpConversation:
        return HttpConversation(self._signatures)


class HttpConversation:
    """One HTTP connection: messages in turn, as nothing here speaks pipelined."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self._speaker: tuple[str, int] | None = None
        self._message: Message | None = None  # None: the speaker's octets are passed over
        self._path = ""  # of the last request
        self._misses = 0

    def feed(self, octets: Datagram, out: Sink) -> bool:
        speaker = octets.src, octets.sport
        if speaker != self._speaker:
            self._finish(out)
            self._speaker, self._message = speaker, Message()
        place = Place(octets.src, octets.dst, octets.time, octets.frame)
        payload = octets.payload
        while payload and self._message is not None:
            payload = self._message.add(payload, place)
            if self._message.complete:
                self._finish(out)
                self._message = Message()
        if self._message is not None:
            self._look(self._message, out)
        return self._misses < MOST_MISSES

    def gap(self, src: str, sport: int) -> None:
        if self._speaker == (src, sport):
            self._message = None

    def _finish(self, out: Sink) -> None:
        message = self._message
        if message is None or message.empty:
            return
        message.last = True
        self._look(message, out)
        if message.cut:
            out.counts["http|body cut"] += 1
        if message.direction == "request":
            self._path = message.path
        self._misses = 0 if message.told else self._misses + 1
        self._message = None

    def _look(self, message: Message, out: Sink) -> None:
        """Tell what a message shows, once: also before its end, which it may not state."""
        if message.told or not message.direction or message.place is None:
            return
        if not message.settled:
            return
        found = self._signatures.tell("http", self._fields(message), message.place, out)
        if any(s.kind == "gateway" for s in found):
            for report in read_ports(message.body()):
                put_sighting(report, "http", message.place, out)
        neighbours = tell_neighbours(message.body(), message.place, self._signatures, out)
        message.told = bool(found) or neighbours

    def _fields(self, message: Message) -> dict[str, str]:
        path = message.path if message.direction == "request" else self._path
        body = message.body()
        serial = _SERIAL.search(path)
        pairs = _KEY.findall(body) if '="' in body else []
        servers = (
            f"{key}={value}"
            for key, value in pairs
            if _ADDRESS_KEY.search(key) and _ADDRESS.fullmatch(value)
        )
        return {
            "direction": message.direction,
            "method": message.method,
            "path": path,
            "query": message.query,
            "agent": message.header("user-agent"),
            "server": message.header("server"),
            "keys": ",".join(sorted({key for key, _ in pairs})),
            "servers": " ".join(servers),
            "serial": serial[1] if serial else "",
            "body": body[:1000],
        }
