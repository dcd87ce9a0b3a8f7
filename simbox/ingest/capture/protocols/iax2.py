"""IAX2, the protocol between Asterisk servers (RFC 5456): call control and media on one UDP port.

Full frame, big-endian: source call (top bit set), destination call (top bit: sent again), u32
timestamp, two sequence numbers, type, subclass; of type 6 information elements follow (identifier,
octets, value).  A mini frame of media is the source call and a timestamp of 16 bits.  Challenges
and what answers them are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from simbox.ingest.capture.protocol import Claim, Datagram, DatagramReader
from simbox.ingest.capture.signalling.attempts import BUSY, CONGESTION, Attempt, attempt
from simbox.ingest.capture.signalling.gsmlines import party
from simbox.ingest.capture.signalling.simcards import SECOND, Recent, plain
from simbox.ingest.capture.sink import Sink

PORT = 4569
FULL = 12  # octets of a full frame's head
MINI = 4
TOP = 0x8000
TYPES = range(1, 13)
VOICE, CONTROL, IAX = 2, 4, 6
LAST_SUBCLASS = 0x28

NEW, HANGUP, REJECT, AUTHREQ, INVAL = 1, 5, 6, 8, 10
REGREQ, REGAUTH, REGACK, REGREJ, REGREL = 13, 14, 15, 16, 17
CALLTOKEN = 0x28
C_HANGUP, C_RINGING, C_ANSWER, C_BUSY, C_CONGESTION = 1, 3, 4, 5, 8

CALLED, CALLING, ANI, USERNAME, VERSION, REFRESH, CAUSE = 1, 2, 3, 6, 11, 19, 42
READ = {CALLED, CALLING, ANI, USERNAME, VERSION, REFRESH, CAUSE}
MOST_ELEMENTS = 64
LONGEST_USER = 64

MOST_CALLS = 32_768
IDLE = 3600 * SECOND  # a call sends PING every 20 seconds

Side = tuple[str, int, int, str, int]  # sender, its port, its number of the call, the other end


class Frame(NamedTuple):
    """A full frame."""

    packet: Datagram
    source: int  # the sender's number of the call
    target: int  # the receiver's; 0 while it is not known
    again: bool  # sent before
    type: int
    subclass: int
    elements: Mapping[int, bytes]  # of those that are read the first

    @property
    def side(self) -> Side:
        """The call as its sender numbers it."""
        p = self.packet
        return p.src, p.sport, self.source, p.dst, p.dport

    @property
    def other_side(self) -> Side:
        """The call as its receiver numbers it."""
        p = self.packet
        return p.dst, p.dport, self.target, p.src, p.sport

    def text(self, element: int) -> str:
        return self.elements.get(element, b"").decode("utf-8", "replace")


@dataclass(slots=True)
class Call:
    """A call or registration, known by the number that each side gave it."""

    attempt: Attempt | None  # None for a call whose start is not known
    sides: int = 0  # that are held

    def put(self, out: Sink) -> None:
        if self.attempt is not None:
            self.attempt.put(out)


class Iax2(DatagramReader):
    """The reader of IAX2."""

    name = "iax2"
    udp = Claim(ports=frozenset({PORT}))

    def __init__(self) -> None:
        self._calls: Recent[Side, Call] = Recent(MOST_CALLS, IDLE)
        self._peers: Recent[tuple[str, int, str, int], bool] = Recent(MOST_CALLS, IDLE)

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        octets = packet.payload
        if len(octets) < MINI:
            return False
        if octets[0] < TOP >> 8:
            return self._media(packet, out)
        frame = parse(packet)
        if frame is None:
            return self._unreadable(packet, out)
        out.counts["iax2|full frame"] += 1
        self._peers.put((packet.src, packet.sport, packet.dst, packet.dport), packet.time, True)  # noqa: FBT003
        self._frame(frame, out)
        self._expire(packet.time, out)
        return True

    def finish(self, out: Sink) -> None:
        """Tell the calls that the end of the file cut off."""
        for call in self._calls.drain():
            call.put(out)

    def _media(self, packet: Datagram, out: Sink) -> bool:
        """A mini frame of a known call; number 0 is of a trunk or of video between known peers."""
        number = int.from_bytes(packet.payload[:2], "big")
        if number:
            side = packet.src, packet.sport, number, packet.dst, packet.dport
            call = self._calls.get(side)
            if call is None:
                return False
            self._calls.put(side, packet.time, call)
            if call.attempt is not None:
                call.attempt.last_seen = max(call.attempt.last_seen, packet.time)
        elif not self._peers.get((packet.src, packet.sport, packet.dst, packet.dport)):
            return False
        out.counts["iax2|media"] += 1
        return True

    def _unreadable(self, packet: Datagram, out: Sink) -> bool:
        """Whether it is a frame of a known call all the same: encrypted behind its numbers."""
        number = int.from_bytes(packet.payload[:2], "big") & ~TOP
        known = self._calls.get((packet.src, packet.sport, number, packet.dst, packet.dport))
        if known is not None:
            out.counts["iax2|unreadable frame"] += 1
        return known is not None

    def _frame(self, frame: Frame, out: Sink) -> None:
        if frame.type == IAX and frame.subclass in {NEW, REGREQ, REGREL}:
            self._begin(frame, out)
            return
        call = self._calls.get(frame.side)
        if call is None and frame.target:
            call = self._calls.get(frame.other_side)
        if call is None:
            call = self._lost_start(frame, out)
        if call is None:
            return
        if not (frame.type == IAX and frame.subclass == CALLTOKEN):  # its number is a mere filler
            self._hold(frame.side, call, frame.packet.time, out)
        if call.attempt is not None and not call.attempt.told:
            call.attempt.seen(frame.packet)
            if frame.type == IAX:
                _signal(call.attempt, frame, out)
            elif frame.type == CONTROL:
                _control(call.attempt, frame, out)

    def _begin(self, frame: Frame, out: Sink) -> None:
        """NEW or REGREQ, of which one with credentials or a token follows the first."""
        packet = frame.packet
        held = self._calls.get(frame.side)
        begun = held.attempt if held is not None else None
        called = party(frame.text(CALLED))
        registers = frame.subclass != NEW
        method = "REGISTER" if registers else "INVITE"
        if begun is not None and begun.told and frame.again:
            return
        if (
            begun is None or begun.told or begun.answered or begun.method != method
            or (begun.called != called and not registers)
        ):  # fmt: skip
            if begun is not None:
                begun.put(out)  # its number is used again
            begun = attempt("iax2", f"{frame.source}-{packet.frame}@{packet.src}", packet)
            begun.method, begun.called = method, called
            self._hold(frame.side, Call(begun), packet.time, out)
        else:
            begun.seen(packet)
        user = plain(frame.text(USERNAME), LONGEST_USER)
        begun.user = user or begun.user
        if registers:
            begun.calling = begun.to_user = user or begun.calling
            begun.expires = 0 if frame.subclass == REGREL else _number(frame, REFRESH)
        else:
            begun.calling = party(frame.text(CALLING)) or party(frame.text(ANI)) or user

    def _lost_start(self, frame: Frame, out: Sink) -> Call | None:
        """A call whose NEW was not captured: ringing and answer tell who was called."""
        packet = frame.packet
        if frame.type == CONTROL and frame.subclass in {C_RINGING, C_ANSWER}:
            call_id = f"{frame.target}-{packet.frame}@{packet.dst}"
            begun = attempt("iax2", call_id, packet, back=True)
            begun.messages, begun.frames = 0, []
            call = Call(begun)
            if frame.target:
                self._hold(frame.other_side, call, packet.time, out)
            return call
        if frame.type == VOICE:
            out.counts["iax2|call without its start"] += 1
            return Call(None)
        return None

    def _hold(self, side: Side, call: Call, time: int, out: Sink) -> None:
        before = self._calls.get(side)
        if before is not call:
            call.sides += 1
            if before is not None:
                _let_go(before, out)
        self._calls.put(side, time, call)

    def _expire(self, time: int, out: Sink) -> None:
        for call in self._calls.expired(time):
            _let_go(call, out)
        for _ in self._peers.expired(time):
            pass


def _let_go(call: Call, out: Sink) -> None:
    """One side of a call is held no longer; with the last, nothing more will come of it."""
    call.sides -= 1
    if call.sides <= 0:
        call.put(out)


def _signal(call: Attempt, frame: Frame, out: Sink) -> None:
    """What an IAX frame says of a call or registration."""
    packet, kind = frame.packet, frame.subclass
    if kind in {AUTHREQ, REGAUTH}:
        call.challenged = True
    elif kind in {HANGUP, REJECT, INVAL}:
        cause = _number(frame, CAUSE)
        call.finish(packet.time, packet.src, cause if cause and cause < 128 else None)
        call.put(out)
    elif kind in {REGACK, REGREJ}:
        call.status = 200 if kind == REGACK else 403
        if kind == REGACK:
            granted = _number(frame, REFRESH)
            call.expires = call.expires if granted is None else granted
        call.put(out)


def _control(call: Attempt, frame: Frame, out: Sink) -> None:
    """What a control frame says of a call."""
    packet, kind = frame.packet, frame.subclass
    if kind == C_RINGING:
        call.rings(packet.time)
    elif kind == C_ANSWER:
        call.answer(packet.time)
    elif kind in {C_BUSY, C_CONGESTION}:
        call.cause = call.cause or (BUSY if kind == C_BUSY else CONGESTION)
    elif kind == C_HANGUP:
        call.finish(packet.time, packet.src)
        call.put(out)


def parse(packet: Datagram) -> Frame | None:
    """A full frame; None where the octets are none."""
    octets = packet.payload
    if len(octets) < FULL:
        return None
    source, target = int.from_bytes(octets[:2], "big"), int.from_bytes(octets[2:4], "big")
    kind, subclass = octets[10], octets[11]
    if source <= TOP or kind not in TYPES:
        return None
    elements: Mapping[int, bytes] = {}
    if kind == IAX:
        found = _elements(octets[FULL:], cut=packet.length > len(octets))
        first = subclass in {NEW, REGREQ, REGREL} and target & ~TOP == 0
        if found is None or not 0 < subclass <= LAST_SUBCLASS:
            return None
        if subclass == NEW and not (first and VERSION in found):
            return None
        elements = found
    again = bool(target & TOP)
    return Frame(packet, source & ~TOP, target & ~TOP, again, kind, subclass, elements)


def _elements(octets: bytes, *, cut: bool) -> dict[int, bytes] | None:
    """The elements that are read; None where lengths do not add up to the frame."""
    found: dict[int, bytes] = {}
    at = 0
    for _ in range(MOST_ELEMENTS):
        if at + 2 > len(octets):
            break
        identifier, size = octets[at], octets[at + 1]
        if identifier in READ:
            found.setdefault(identifier, octets[at + 2 : at + 2 + size])
        at += 2 + size
    return found if cut or at == len(octets) else None


def _number(frame: Frame, element: int) -> int | None:
    """The unsigned number in an element of one or two octets."""
    value = frame.elements.get(element, b"")
    return int.from_bytes(value, "big") if 1 <= len(value) <= 2 else None
