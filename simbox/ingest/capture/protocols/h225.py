"""H.225.0 call signalling of H.323: messages of Q.931 in packets of RFC 1006, over TCP.

A packet is 03 00, its octets in 16 bits, and a Q.931 message (ITU-T Q.931 clause 4; H.225.0
clause 7): 08, a call reference of two octets whose top bit tells the side that did not choose it,
the message type and information elements.  The user-user element has a length of 16 bits; what it
holds (ASN.1 in PER) is not read: numbers that stand nowhere else are not known, nor is the address
of H.245, which negotiates media.
"""

from __future__ import annotations

from typing import NamedTuple

from simbox.ingest.capture.protocol import Claim, Datagram, StreamReader
from simbox.ingest.capture.signalling.attempts import Attempt, End, attempt
from simbox.ingest.capture.signalling.framing import Directions
from simbox.ingest.capture.signalling.gsmlines import party
from simbox.ingest.capture.signalling.simcards import SECOND, Recent, plain
from simbox.ingest.capture.sink import Sink

PORT = 1720
TPKT = b"\x03\x00"
HEADER = 4  # octets of a packet's head
LONGEST = 16_384  # octets of a packet
FEWEST = 9  # octets of a packet: its head, a call reference and a message type
DISCRIMINATOR, REFERENCE = 8, 2
TO_ORIGINATOR = 0x8000

ALERTING, PROCEEDING, PROGRESS, SETUP, CONNECT = 0x01, 0x02, 0x03, 0x05, 0x07
DISCONNECT, RELEASE, RELEASE_COMPLETE = 0x45, 0x4D, 0x5A
ENDING = frozenset({DISCONNECT, RELEASE, RELEASE_COMPLETE})
FROM_CALLED = frozenset({ALERTING, PROCEEDING, PROGRESS, CONNECT})

CAUSE, DISPLAY, CALLING, CALLED, USER = 0x08, 0x28, 0x6C, 0x70, 0x7E
MORE = 0x80  # not set: the octet goes on in the next
MOST_ELEMENTS = 64
LONGEST_NAME = 82  # octets of a display (Q.931 clause 4.5.16)

MOST_CALLS = 16_384
IDLE = 6 * 3600 * SECOND

Key = tuple[End, End, int]


class Message(NamedTuple):
    """One Q.931 message with the packet in which it began."""

    packet: Datagram
    reference: int
    back: bool  # sent to the side that began the call
    kind: int
    elements: dict[int, bytes]  # the first of each identifier

    @property
    def key(self) -> Key:
        """The call: its calling end, its called end and its reference."""
        ends = (self.packet.src, self.packet.sport), (self.packet.dst, self.packet.dport)
        src, dst = ends[::-1] if self.back else ends
        return src, dst, self.reference

    @property
    def cause(self) -> int | None:
        """The cause (Q.850): after location and, where there is one, recommendation."""
        value = self.elements.get(CAUSE, b"")
        at = 1 if value[:1] >= b"\x80" else 2
        return (value[at] & 0x7F) or None if at < len(value) else None

    def number(self, element: int) -> str | None:
        """The digits of a party number, after its type and for a calling one its screening."""
        value = self.elements.get(element, b"")
        at = 1 if value[:1] >= b"\x80" else 2
        return party(value[at:].decode("latin-1").rstrip("\0"))


class H225Conversation:
    """A call signalling connection."""

    def __init__(self, reader: H225) -> None:
        self._reader = reader
        self._directions = Directions(_size)

    def feed(self, octets: Datagram, out: Sink) -> bool:
        for packet, message in self._directions.feed(octets):
            read = parse(packet, message[HEADER:])
            if read is not None:
                self._reader.take(read, out)
        return not self._directions.lost

    def gap(self, src: str, sport: int) -> None:
        self._directions.gap(src, sport)


class H225(StreamReader):
    """The reader of H.225.0 call signalling."""

    name = "h225"
    tcp = Claim(leads=(TPKT,), ports=frozenset({PORT}))

    def __init__(self) -> None:
        self._calls: Recent[Key, Attempt] = Recent(MOST_CALLS, IDLE)

    def opens(self, segment: Datagram) -> bool:
        """A message; on the port of H.323 also the head alone, which some stacks send first."""
        octets = segment.payload
        if not octets.startswith(TPKT):
            return False
        if len(octets) > HEADER + 1:
            return bool(_size(octets[:8])) and octets[4:6] == bytes((DISCRIMINATOR, REFERENCE))
        return PORT in {segment.sport, segment.dport} and len(octets) == HEADER

    def conversation(self) -> H225Conversation:
        return H225Conversation(self)

    def finish(self, out: Sink) -> None:
        """Tell the calls that the end of the file cut off."""
        for call in self._calls.drain():
            call.put(out)

    def take(self, message: Message, out: Sink) -> None:
        """Read one message of a call."""
        packet = message.packet
        out.counts["h225|message"] += 1
        call = self._call(message, out)
        if call is not None:
            if message.kind in {ALERTING, PROGRESS}:
                call.rings(packet.time)
            elif message.kind == CONNECT:
                call.answer(packet.time)
            elif message.kind in ENDING:
                call.finish(packet.time, packet.src, message.cause)
            if message.kind == RELEASE_COMPLETE:
                call.put(out)
                self._calls.pop(message.key)
        for old in self._calls.expired(packet.time):
            old.put(out)

    def _call(self, message: Message, out: Sink) -> Attempt | None:
        """The call of a message, begun by SETUP or, where that was lost, by an answer to it."""
        packet, key = message.packet, message.key
        call = self._calls.get(key)
        if call is not None and message.kind == SETUP and call.messages > 1:
            call.put(out)  # its end was not captured, its reference is used again
            call = None
        if call is None:
            if message.kind != SETUP and not (message.kind in FROM_CALLED and message.back):
                out.counts["h225|message of an unknown call"] += 1
                return None
            call_id = f"{message.reference}-{packet.frame}@{key[0][0]}"
            call = attempt("h225", call_id, packet, back=message.back)
        else:
            call.seen(packet)
        if message.kind == SETUP:
            name = plain(message.elements.get(DISPLAY, b"").decode("latin-1"), LONGEST_NAME)
            call.calling = message.number(CALLING) or name
            call.called = message.number(CALLED)
        self._calls.put(key, packet.time, call)
        return call


def parse(packet: Datagram, octets: bytes) -> Message | None:
    """A Q.931 message from its octets; None where they are none."""
    if octets[:2] != bytes((DISCRIMINATOR, REFERENCE)) or len(octets) < FEWEST - HEADER:
        return None
    reference, kind = int.from_bytes(octets[2:4], "big"), octets[4]
    back = bool(reference & TO_ORIGINATOR)
    return Message(packet, reference & ~TO_ORIGINATOR, back, kind, _elements(octets[5:]))


def _elements(octets: bytes) -> dict[int, bytes]:
    """Information elements by identifier (Q.931 clause 4.5), up to where they make no sense."""
    found: dict[int, bytes] = {}
    at = 0
    for _ in range(MOST_ELEMENTS):
        if at + 1 >= len(octets):
            break
        identifier = octets[at]
        if identifier & MORE:  # of one octet
            at += 1
            continue
        head = 3 if identifier == USER else 2
        size = int.from_bytes(octets[at + 1 : at + head], "big")
        if at + head + size > len(octets):
            break
        found.setdefault(identifier, octets[at + head : at + head + size])
        at += head + size
    return found


def _size(head: bytes) -> int | None:
    """Octets of the packet whose first octets these are (RFC 1006 section 6)."""
    if not TPKT.startswith(head[:2]):
        return None
    if len(head) < HEADER:
        return 0
    size = int.from_bytes(head[2:4], "big")
    return size if HEADER <= size <= LONGEST else None
