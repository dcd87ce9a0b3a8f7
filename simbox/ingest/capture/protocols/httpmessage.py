"""One HTTP message as far as it is read: its head and the beginning of its body."""

from __future__ import annotations

import re

from simbox.ingest.capture.signatures.matching import Place

MOST_HEAD = 8192  # octets
MOST_BODY = 16_384  # octets; 32 ports of a status report take 6,000
HEADERS = frozenset({"content-length", "transfer-encoding", "user-agent", "server"})

_LINE = re.compile(rb"(?:GET|POST|PUT) +([^ \r\n]{1,2000})")
_REQUEST = re.compile(r"(GET|POST|PUT) +(\S{1,2000})(?: +HTTP/1\.\d)?$")
_RESPONSE = re.compile(r"HTTP/1\.\d (\d{3})")
_ORIGIN = re.compile(r"^[A-Za-z]+://[^/?#]*")
_NAME = re.compile(r"(?:^|[&;])([A-Za-z_][A-Za-z0-9_-]{0,30})=")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,6})[^\r\n]{0,80}\r?\n")


class Message:
    """A request or response while its octets come in."""

    def __init__(self) -> None:
        self.place: Place | None = None
        self.direction = ""  # request, response; empty while the head is not whole
        self.method = self.path = self.query = ""
        self.complete = False
        self.told = False
        self.last = False  # the other side has spoken since
        self._head = b""
        self._headers: dict[str, str] = {}
        self._body = b""
        self._left: int | None = None  # octets of the body to come; None: not known
        self._chunked = False

    @property
    def empty(self) -> bool:
        return self.place is None

    @property
    def cut(self) -> bool:
        """More of the body came than is read."""
        return len(self._body) >= MOST_BODY

    @property
    def settled(self) -> bool:
        """No more of it is needed: over, read as far as it is read, or closed like JSON."""
        if self.complete or self.last or self.cut:
            return True
        body = self._body.rstrip()
        if self._left is not None or self._chunked or not body:
            return False
        return body[-1:] in b'}">' and body.count(b"{") == body.count(b"}")

    def header(self, name: str) -> str:
        return self._headers.get(name, "")

    def body(self) -> str:
        """The text of the body as far as it is there."""
        octets = _unchunked(self._body) if self._chunked else self._body
        return octets.decode("utf-8", "replace")

    def add(self, octets: bytes, place: Place) -> bytes:
        """Take the next octets; what belongs to the message after this one is given back."""
        self.place = self.place or place
        if not self.direction:
            self._head += octets
            head, blank, octets = self._head.partition(_blank(self._head))
            if not blank:
                self.complete = len(self._head) > MOST_HEAD
                return b""
            self._head = b""
            if not self._read_head(head.decode("latin-1")):
                self.complete = True
                return b""
        return self._add_body(octets)

    def _add_body(self, octets: bytes) -> bytes:
        if self._left is None:
            self._body += octets[: MOST_BODY - len(self._body)]
            self.complete = self._chunked and b"\n0\r\n" in self._body[-16:]
            return b""
        own, rest = octets[: self._left], octets[self._left :]
        self._left -= len(own)
        self._body += own[: MOST_BODY - len(self._body)]
        self.complete = self._left == 0
        return rest

    def _read_head(self, head: str) -> bool:
        first, *lines = head.lstrip("\r\n").splitlines() or [""]
        request, response = _REQUEST.match(first), _RESPONSE.match(first)
        for line in lines[:100]:
            name, _, value = line.partition(":")
            if name.strip().lower() in HEADERS:
                self._headers.setdefault(name.strip().lower(), value.strip()[:200])
        if request:
            self.direction, self.method = "request", request[1]
            self.path, self.query = split_target(request[2])
        elif response:
            self.direction = "response"
        self._measure(response)
        return bool(self.direction)

    def _measure(self, response: re.Match[str] | None) -> None:
        """How long the body is (RFC 9112 6.3)."""
        length = self.header("content-length")
        self._chunked = "chunked" in self.header("transfer-encoding").lower()
        without = response is None or response[1][0] == "1" or response[1] in ("204", "304")
        if self._chunked:
            self._left = None
        elif re.fullmatch(r"\d{1,12}", length, re.ASCII):
            self._left = int(length)
        else:
            self._left = 0 if without else None


def path_of(payload: bytes) -> str | None:
    """The path of a request whose first octets these are; None where it is none."""
    line = _LINE.match(payload)
    return split_target(line[1].decode("latin-1"))[0] if line else None


def split_target(target: str) -> tuple[str, str]:
    """Path and names of the query's parameters, sorted; no value and no credentials."""
    path, _, query = _ORIGIN.sub("", target).partition("?")
    return path[:200], ",".join(sorted(set(_NAME.findall(query))))


def _blank(head: bytes) -> bytes:
    """The line end that closes a head, as the sender spells it."""
    usual, bare = head.find(b"\r\n\r\n"), head.find(b"\n\n")
    return b"\n\n" if bare >= 0 and (usual < 0 or bare < usual) else b"\r\n\r\n"


def _unchunked(octets: bytes) -> bytes:
    """The chunks of a body joined, as far as they go (RFC 9112 7.1)."""
    parts = []
    at = 0
    while size := _SIZE.match(octets, at):
        length = int(size[1], 16)
        if length == 0:
            break
        parts.append(octets[size.end() : size.end() + length])
        at = size.end() + length + 2
    return b"".join(parts)
