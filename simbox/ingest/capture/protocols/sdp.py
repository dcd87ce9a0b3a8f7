"""Session descriptions (SDP, RFC 8866): which media a party offers or takes, and where.

Lenient: lines may end with LF alone, unknown and broken ones are passed over, counts are bounded.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from simbox.ingest.capture.media.codecs import codec_name, static_name

MAX_MEDIA = 16  # media of one description that are read
MAX_FORMATS = 32  # formats of one medium that are read
MAX_TEXT = 256  # characters kept of an origin or session name
NOWHERE = ("0.0.0.0", "::")  # noqa: S104  # an old way to put a call on hold
MAX_REMEMBERED = 1024  # characters of a medium that are worth remembering
KEYS = ("crypto", "fingerprint", "key-mgmt")  # lines from which keys are made
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_DOTTED = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


class Medium(NamedTuple):
    """One medium of a description; what it leaves out comes from the session level."""

    kind: str  # audio, video, image, application ...
    port: int  # 0 refuses the medium
    transport: str  # RTP/AVP, RTP/SAVP, udptl ... in capitals
    formats: str  # payload types in order of preference, joined by a comma
    codecs: str  # names beside them, joined likewise; empty where nothing tells
    address: str  # empty when there is no connection line
    ptime_ms: int | None
    direction: str  # sendrecv, sendonly, recvonly, inactive
    keyed: bool  # a line tells how its keys are made: crypto, fingerprint or key-mgmt

    @property
    def rtp(self) -> bool:
        """RTP of some profile, so not fax over UDPTL, nor text over TCP."""
        return "RTP/" in self.transport

    @property
    def expected(self) -> bool:
        """RTP may arrive at its address: it is neither refused, nor on hold, nor a mere name."""
        return self.rtp and self.port > 0 and self.address not in NOWHERE and numeric(self.address)

    @property
    def keyless(self) -> bool:
        """Secure RTP without a line that makes keys: encryption that is not the standard's."""
        return "RTP/SAVP" in self.transport and not self.keyed


class Description(NamedTuple):
    """A session description."""

    origin: str | None  # o= without its address
    session: str | None  # s=
    media: tuple[Medium, ...]


class _Level(NamedTuple):
    """What the lines of one level say: those before the first medium, or those of a medium."""

    address: str | None
    ptime_ms: int | None
    direction: str | None
    keyed: bool
    maps: tuple[str, ...]  # rtpmap attributes


def parse(text: str) -> Description:
    """A session description from its text; never fails, an empty one has no media."""
    top, *sections = f"\n{text}".split("\nm=")
    origin, named = _after("\no=", top), _after("\ns=", top)
    above = _level(top)
    media = [_medium(section, above) for section in sections[:MAX_MEDIA]]
    return Description(
        origin.strip().rpartition(" ")[0][:MAX_TEXT] or None if origin else None,
        named.strip()[:MAX_TEXT] if named is not None else None,
        tuple([m for m in media if m is not None]),
    )


def _after(start: str, text: str) -> str | None:
    """The rest of the first line that starts so."""
    _, found, rest = text.partition(start)
    return rest.partition("\n")[0] if found else None


@lru_cache(maxsize=4096)
def numeric(text: str) -> bool:
    """Whether a text is an IP address, and not the name of a host."""
    if _DOTTED.fullmatch(text):
        return True
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def literal(text: str) -> str:
    """An IP address in its canonical spelling; a name of a host as it is, in small letters."""
    if _DOTTED.fullmatch(text):
        return text
    try:
        return str(ip_address(text))
    except ValueError:
        return text.lower()[:MAX_TEXT]


def _level(text: str) -> _Level:
    """The attributes and the connection among the lines of a level, a line feed before each."""
    _, connected, last = text.rpartition("\nc=")
    address = _connection(last.partition("\n")[0][:MAX_TEXT]) if connected else None
    ptime = direction = None
    keyed = False
    maps: list[str] = []
    for behind in text.split("\na=")[1:]:
        name, _, value = behind.partition("\n")[0].rstrip().partition(":")
        if name == "rtpmap":
            maps.append(value)
        elif name == "ptime":
            ptime = _milliseconds(value)
        elif name in DIRECTIONS:
            direction = name
        elif name in KEYS:
            keyed = True
    return _Level(address, ptime, direction, keyed, tuple(maps[:MAX_FORMATS]))


def _milliseconds(value: str) -> int | None:
    whole = value.strip().partition(".")[0]
    return int(whole) if whole.isascii() and whole.isdecimal() and len(whole) < 5 else None


@lru_cache(maxsize=4096)
def _connection(value: str) -> str:
    parts = value.split()
    return literal(parts[-1].partition("/")[0]) if parts else ""


def _medium(section: str, above: _Level) -> Medium | None:
    line, _, below = section.partition("\n")
    parts = line.split(None, 2)
    if len(parts) < 3:
        return None
    port = parts[1].partition("/")[0]
    if not (port.isascii() and port.isdecimal() and len(port) < 6 and int(port) < 65536):
        return None
    # but for its port, a device describes its media alike over and over
    read = _remembered if len(section) <= MAX_REMEMBERED else _read
    transport, formats, codecs, level = read(parts[2], below)
    return Medium(
        parts[0].lower()[:32], int(port), transport, formats, codecs,
        above.address or "" if level.address is None else level.address,
        above.ptime_ms if level.ptime_ms is None else level.ptime_ms,
        level.direction or above.direction or DIRECTIONS[0],
        level.keyed or above.keyed,
    )  # fmt: skip


def _read(described: str, below: str) -> tuple[str, str, str, _Level]:
    """Transport, formats, codecs and attributes of a medium: all but its kind and port."""
    level = _level(f"\n{below}")
    transport, _, listed = described.partition(" ")
    transport = transport.upper()[:32]
    return transport, *_codecs(listed, transport, level.maps), level


_remembered = lru_cache(maxsize=1024)(_read)


def _codecs(listed: str, transport: str, maps: tuple[str, ...]) -> tuple[str, str]:
    """Formats of a medium and the codecs that they mean, by its rtpmap attributes."""
    formats = [f[:32].replace(",", "") for f in listed.split()[:MAX_FORMATS]]
    names = {}
    for value in maps:
        number, _, encoding = value.strip().partition(" ")
        names[number] = codec_name(encoding.partition("/")[0].replace(",", ""))
    rtp = "RTP/" in transport
    codecs = [names.get(f) or (static_name(f) if rtp else codec_name(f)) for f in formats]
    return ",".join(formats), ",".join(codecs)
