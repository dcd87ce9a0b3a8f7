"""Remote administration of DBL/Hybertone gateways: the device calls its vendor's server.

Grammar (radmcli/radmc.c and utils/rc4.c of the vendor's goip-remote-control): the device opens two
TCP connections, port 1920 by default, one for its web pages and one for telnet.  Each starts with
``RADMIN: id LF`` or ``TELNET: id LF`` (``RLOGIN:`` in old builds), where the id is the serial
number, under RC4 with the key ``dbl#admin`` unless the owner set another.  There is no nonce, so
the first octets are constant.  Nothing behind the id is decoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from simbox.ingest.capture.protocol import Claim, Datagram, StreamReader
from simbox.ingest.capture.signalling.simcards import SECOND, Recent
from simbox.ingest.capture.sink import Sink

DEFAULT_KEY = b"dbl#admin"
CHANNELS = (b"RADMIN: ", b"TELNET: ", b"RLOGIN: ")
LONGEST_GREETING = 72  # octets of channel, id and LF
SERIAL = re.compile(rb"[A-Za-z0-9_.-]{3,63}")

#: The greeting under the firmware's cipher with more swaps of its table, by a study of the firmware
#: that nobody has confirmed.
VARIANTS = {
    bytes.fromhex("bf208e7b9bf2a081"): "RADMIN",
    bytes.fromhex("b924867897e8a081"): "TELNET",
    bytes.fromhex("bf2d85719bf2a081"): "RLOGIN",
}

DEFAULT = ("radmin-default-key", "DBL/Hybertone GoIP", "conclusive")
VARIANT = ("radmin-variant", "DBL/Hybertone GoIP", "weak")

MOST_OPEN = 1024
IDLE = 600 * SECOND


def rc4(key: bytes, octets: bytes) -> bytes:
    """The octets under RC4 from the start of the key stream (RFC 6229 has test vectors)."""
    table = list(range(256))
    j = 0
    for i in range(256):
        j = (j + table[i] + key[i % len(key)]) & 255
        table[i], table[j] = table[j], table[i]
    i = j = 0
    out = bytearray()
    for octet in octets:
        i = (i + 1) & 255
        j = (j + table[i]) & 255
        table[i], table[j] = table[j], table[i]
        out.append(octet ^ table[(table[i] + table[j]) & 255])
    return bytes(out)


PREFIXES = {rc4(DEFAULT_KEY, channel): channel[:6].decode() for channel in CHANNELS}


@dataclass(slots=True)
class Greeting:
    """What a device has sent so far, from its first octet on."""

    first: Datagram
    octets: bytes = b""
    told: bool = False

    def serial(self) -> str | None:
        """The serial number, once its line is whole; an empty one when it is no serial number."""
        known = rc4(DEFAULT_KEY, self.octets)[len(CHANNELS[0]) :]
        text, end, _ = known.partition(b"\n")
        if not end and len(self.octets) < LONGEST_GREETING:
            return None
        return text.decode() if end and SERIAL.fullmatch(text) else ""

    def report(self, out: Sink) -> None:
        """Put the evidence that these octets are, once."""
        if self.told:
            return
        self.told = True
        opening = self.octets[: len(CHANNELS[0])]
        known = opening in PREFIXES
        fields = {"channel": PREFIXES.get(opening) or VARIANTS.get(opening, "")}
        serial = self.serial() if known else None
        if serial:
            fields["serial"] = serial
        first = self.first
        signature = DEFAULT if known else VARIANT
        out.evidence(signature, first.src, first.time, first.frame, peer=first.dst, fields=fields)
        out.counts["radmin|greeting"] += 1


class RadminConversation:
    """The greeting of one connection; what follows it is nobody's business."""

    def __init__(self, under_way: Recent[int, Greeting]) -> None:
        self._under_way = under_way
        self._greeting: Greeting | None = None
        self._broken = False

    def feed(self, octets: Datagram, out: Sink) -> bool:
        if self._greeting is None:
            self._greeting = Greeting(octets)
        greeting = self._greeting
        if (octets.src, octets.sport) != (greeting.first.src, greeting.first.sport):
            return True
        if not self._broken:
            greeting.octets += octets.payload[: LONGEST_GREETING - len(greeting.octets)]
        opening = greeting.octets[: len(CHANNELS[0])]
        if opening not in PREFIXES and opening not in VARIANTS:
            return False
        if opening in PREFIXES and greeting.serial() is None and not self._broken:
            self._under_way.touch(id(greeting), octets.time, lambda: greeting)
            for old in self._under_way.expired(octets.time):
                old.report(out)
            return True
        self._under_way.pop(id(greeting))
        greeting.report(out)
        return False

    def gap(self, src: str, sport: int) -> None:
        """A greeting with a hole is told as far as it goes."""
        if self._greeting is not None:
            first = self._greeting.first
            self._broken |= (src, sport) == (first.src, first.sport)


class Radmin(StreamReader):
    """The reader of RADMIN greetings in TCP."""

    name = "radmin"
    tcp = Claim(leads=(*PREFIXES, *VARIANTS))

    def __init__(self) -> None:
        self._under_way: Recent[int, Greeting] = Recent(MOST_OPEN, IDLE)

    def opens(self, segment: Datagram) -> bool:
        return segment.payload.startswith(self.tcp.leads)

    def conversation(self) -> RadminConversation:
        return RadminConversation(self._under_way)

    def finish(self, out: Sink) -> None:
        """Tell the greetings whose line never ended."""
        for greeting in self._under_way.drain():
            greeting.report(out)
