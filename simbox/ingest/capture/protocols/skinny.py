"""Skinny (SCCP), the call control of Cisco desk phones: the server tells the phone everything.

Grammar (the protocol's free servers chan_skinny and chan-sccp; Wireshark's dissector), TCP port
2000, little-endian but for addresses::

    u32 octets from the identifier on | u32 protocol version | u32 message | body

From version 17 on an address is a u32, 0 for IPv4 and 1 for IPv6, and 16 octets; before, 4 octets.
Each phone has a reference of its own for its side of a call.  Keys pressed are not read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from simbox.ingest.capture.protocol import Claim, Datagram, StreamReader
from simbox.ingest.capture.signalling.attempts import (
    BUSY,
    CONGESTION,
    INVALID_NUMBER,
    Attempt,
    attempt,
)
from simbox.ingest.capture.signalling.framing import Directions
from simbox.ingest.capture.signalling.gsmlines import party
from simbox.ingest.capture.signalling.simcards import SECOND, Recent, plain
from simbox.ingest.capture.sink import Sink
from simbox.tables import MEDIA

PORT = 2000
HEADER = 12  # octets
LONGEST = 4096  # octets of a message
NEWEST = 0x40  # protocol versions; 22 is in use
LAST_MESSAGE = 0x8200
V6_SINCE = 17  # version whose addresses have a family
ALTERNATE_SINCE = 16  # version whose call information has a second calling party

REGISTER, REGISTER_ACK, REGISTER_REJECT = 0x01, 0x81, 0x9D
CHANNEL_OPEN, CHANNEL_ACK, MEDIA_START = 0x105, 0x22, 0x8A
LINE, LINE_V2 = 0x92, 0x147
CALL_INFO, CALL_INFO_V2, CALL_STATE, DIALLED = 0x8F, 0x14A, 0x111, 0x11D
FROM_STATION = frozenset({REGISTER, CHANNEL_ACK})

OFF_HOOK, ON_HOOK, RING_OUT, RING_IN, CONNECTED = 1, 2, 3, 4, 5
PROCEED = 12
FAILURES = {6: BUSY, 7: CONGESTION, 14: INVALID_NUMBER}
BEGINNING = frozenset({RING_OUT, RING_IN, CONNECTED, PROCEED, *FAILURES})
INBOUND = 1

#: Codec and RTP payload type of a compression type.
CODECS = {
    2: ("PCMA", "8"), 3: ("PCMA", "8"), 4: ("PCMU", "0"), 5: ("PCMU", "0"), 6: ("G722", "9"),
    7: ("G722", "9"), 8: ("G722", "9"), 9: ("G723", "4"), 10: ("G728", "15"), 11: ("G729", "18"),
    12: ("G729", "18"), 15: ("G729", "18"), 16: ("G729", "18"), 18: ("GSM", "3"),
}  # fmt: skip

MOST_CALLS = 16_384
IDLE = 6 * 3600 * SECOND
REGISTERING = 60 * SECOND

End = tuple[str, int]


class Message(NamedTuple):
    """One message with the packet in which it began."""

    packet: Datagram
    version: int
    kind: int
    body: bytes

    def word(self, at: int) -> int | None:
        """The u32 at an octet of the body; None where the body has ended."""
        return struct.unpack_from("<I", self.body, at)[0] if at + 4 <= len(self.body) else None

    def text(self, at: int, longest: int) -> str:
        """The text in a field of the body, up to its first zero."""
        return self.body[at : at + longest].partition(b"\0")[0].decode("latin-1")

    @property
    def station(self) -> End:
        """The phone's end: the one without the server's port."""
        ends = (self.packet.src, self.packet.sport), (self.packet.dst, self.packet.dport)
        from_server = self.packet.sport == PORT
        if self.packet.sport == self.packet.dport:
            from_server = self.kind not in FROM_STATION
        return ends[from_server]


class Channel(NamedTuple):
    """A receive channel that the server has asked a phone to open."""

    reference: int
    compression: int | None
    ptime: int | None


@dataclass(slots=True)
class Leg:
    """A phone's side of a call."""

    attempt: Attempt
    outbound: bool


Key = tuple[str, int, int]  # the phone's end and its reference of the call


class SkinnyConversation:
    """The connection of a phone to its server."""

    def __init__(self, reader: Skinny) -> None:
        self._reader = reader
        self._directions = Directions(_size)

    def feed(self, octets: Datagram, out: Sink) -> bool:
        for packet, message in self._directions.feed(octets):
            version, kind = struct.unpack_from("<II", message, 4)
            self._reader.take(Message(packet, version, kind, message[HEADER:]), out)
        return not self._directions.lost

    def gap(self, src: str, sport: int) -> None:
        self._directions.gap(src, sport)


class Skinny(StreamReader):
    """The reader of Skinny connections."""

    name = "skinny"
    tcp = Claim(ports=frozenset({PORT}))

    def __init__(self) -> None:
        self._legs: Recent[Key, Leg] = Recent(MOST_CALLS, IDLE)
        self._channels: Recent[Key, Channel] = Recent(MOST_CALLS, IDLE)
        self._registering: Recent[End, Attempt] = Recent(MOST_CALLS, REGISTERING)
        self._devices: Recent[End, str] = Recent(MOST_CALLS, IDLE)
        self._readers = {
            REGISTER: self._register, REGISTER_ACK: self._registered,
            REGISTER_REJECT: self._registered, LINE: self._line, LINE_V2: self._line,
            CHANNEL_OPEN: self._channel, CHANNEL_ACK: self._receives, MEDIA_START: self._sends,
            CALL_INFO: self._info, CALL_INFO_V2: self._info, CALL_STATE: self._state,
            DIALLED: self._dialled,
        }  # fmt: skip

    def opens(self, segment: Datagram) -> bool:
        return bool(_size(segment.payload[:HEADER]))

    def conversation(self) -> SkinnyConversation:
        return SkinnyConversation(self)

    def finish(self, out: Sink) -> None:
        """Tell the calls that the end of the file cut off."""
        for leg in self._legs.drain():
            leg.attempt.put(out)
        for registration in self._registering.drain():
            registration.put(out)

    def take(self, message: Message, out: Sink) -> None:
        """Read one message."""
        out.counts["skinny|message"] += 1
        read = self._readers.get(message.kind)
        if read is not None:
            read(message, out)
        time = message.packet.time
        for leg in self._legs.expired(time):
            leg.attempt.put(out)
        for registration in self._registering.expired(time):
            registration.put(out)
        for _ in self._channels.expired(time):
            pass
        for _ in self._devices.expired(time):
            pass

    def _register(self, message: Message, out: Sink) -> None:
        """A device names itself: name of 16 octets, 8 more, the address that it believes in."""
        packet, name = message.packet, plain(message.text(0, 16), 16)
        station = message.station
        if name is None:
            return
        before = self._registering.pop(station)
        if before is not None:
            before.put(out)
        asked = attempt("skinny", f"{name}-{packet.frame}@{station[0]}", packet)
        asked.method, asked.calling, asked.to_user = "REGISTER", name, name
        if len(message.body) >= 28 and any(message.body[24:28]):
            asked.contact = str(IPv4Address(message.body[24:28]))
        self._registering.put(station, packet.time, asked)
        self._devices.put(station, packet.time, name)

    def _registered(self, message: Message, out: Sink) -> None:
        asked = self._registering.pop(message.station)
        if asked is not None:
            asked.seen(message.packet)
            asked.status = 200 if message.kind == REGISTER_ACK else 403
            asked.put(out)

    def _line(self, message: Message, out: Sink) -> None:
        """The server tells a device the number of one of its lines."""
        packet, station = message.packet, message.station
        version2 = message.kind == LINE_V2
        number = party(message.text(8, 32) if version2 else message.text(4, 24))
        if number is None:
            return
        told = attempt("skinny", f"{number}-{packet.frame}@{station[0]}", packet, back=True)
        told.method, told.to_user, told.status = "REGISTER", number, 200
        told.calling = self._devices.get(station)
        told.put(out)

    def _channel(self, message: Message, out: Sink) -> None:  # noqa: ARG002  # nothing to tell yet
        reference, party_id = message.word(0), message.word(4)
        if reference is not None and party_id is not None:
            channel = Channel(reference, message.word(12), message.word(8))
            self._channels.put((*message.station, party_id), message.packet.time, channel)

    def _receives(self, message: Message, out: Sink) -> None:
        """A phone tells where it expects the media of a channel."""
        found = _address(message, 4)
        if found is None or message.word(0) != 0:
            return
        address, port, after = found
        party_id, reference = message.word(after), message.word(after + 4)
        channel = self._channels.get((*message.station, party_id or 0))
        if channel is None:
            channel = Channel(reference or 0, None, None)
        self._put_media(message, (address, port), channel, out)

    def _sends(self, message: Message, out: Sink) -> None:
        """The server tells a phone where to send media."""
        found, reference = _address(message, 8), message.word(0)
        if found is None or reference is None:
            return
        address, port, after = found
        channel = Channel(reference, message.word(after + 4), message.word(after))
        self._put_media(message, (address, port), channel, out)

    def _put_media(self, message: Message, target: End, channel: Channel, out: Sink) -> None:
        packet = message.packet
        codec, payload_type = CODECS.get(channel.compression or 0, (None, None))
        call = _call_id(message.station, channel.reference) if channel.reference else None
        ptime = channel.ptime if channel.ptime and channel.ptime <= 1000 else None
        out.put(
            MEDIA, time=packet.time, frame=packet.frame, protocol="skinny", call_id=call,
            announcer=packet.src, address=target[0], port=target[1], kind="audio", codecs=codec,
            payload_types=payload_type, ptime_ms=ptime,
        )  # fmt: skip
        out.announce(*target)

    def _info(self, message: Message, out: Sink) -> None:  # noqa: ARG002  # a call under way
        """Who calls whom."""
        if message.kind == CALL_INFO:
            calling, called, at = message.text(40, 24), message.text(104, 24), 132
        else:
            texts = message.body[32:512].split(b"\0")
            number = 2 if message.version >= ALTERNATE_SINCE else 1
            if len(texts) <= number:
                return
            calling, called = (texts[n].decode("latin-1") for n in (0, number))
            at = 4
        reference, kind = message.word(at), message.word(at + 4)
        if not reference or kind is None:
            return
        leg = self._leg(message, reference, outbound=kind != INBOUND)
        leg.outbound = kind != INBOUND
        self._turn(leg, message)
        leg.attempt.calling = party(calling) or leg.attempt.calling
        leg.attempt.called = party(called) or leg.attempt.called

    def _dialled(self, message: Message, out: Sink) -> None:  # noqa: ARG002  # a call under way
        """The number that a phone has dialled, in 24 octets or 25, then line and reference."""
        at = 25 if message.version > V6_SINCE else 24
        number, reference = party(message.text(0, at)), message.word(at + 4)
        if reference and number:
            leg = self._leg(message, reference, outbound=True)
            leg.attempt.called = leg.attempt.called or number

    def _state(self, message: Message, out: Sink) -> None:
        state, reference = message.word(0), message.word(8)
        if state is None or not reference:
            return
        key, time = (*message.station, reference), message.packet.time
        leg = self._legs.get(key)
        if leg is None and state not in BEGINNING:
            return  # a handset was lifted, or the end of a call that nothing else is known of
        leg = self._leg(message, reference, outbound=state != RING_IN)
        if state in {RING_OUT, RING_IN}:
            leg.outbound = state == RING_OUT
            self._turn(leg, message)
            leg.attempt.rings(time)
        elif state == CONNECTED:
            leg.attempt.answer(time)
        elif state in FAILURES:
            leg.attempt.cause = leg.attempt.cause or FAILURES[state]
        elif state == ON_HOOK:
            leg.attempt.finish(time)
            leg.attempt.put(out)
            self._legs.pop(key)

    def _leg(self, message: Message, reference: int, *, outbound: bool) -> Leg:
        """The phone's side of a call that a message is of."""
        station, packet = message.station, message.packet
        begun = self._legs.get((*station, reference))
        if begun is None:
            new = attempt("skinny", _call_id(station, reference), packet)
            begun = Leg(new, outbound)
            self._turn(begun, message)
        else:
            begun.attempt.seen(packet)
        self._legs.put((*station, reference), packet.time, begun)
        return begun

    @staticmethod
    def _turn(leg: Leg, message: Message) -> None:
        """Have the call go out of the phone, or into it."""
        packet, station = message.packet, message.station
        ends = ((packet.src, packet.sport), (packet.dst, packet.dport))
        server = ends[0] if ends[1] == station else ends[1]
        pair = (station, server) if leg.outbound else (server, station)
        leg.attempt.src, leg.attempt.dst = pair


def _size(head: bytes) -> int | None:
    """Octets of the message whose first octets these are."""
    if len(head) < HEADER:
        return 0
    length, version, kind = struct.unpack_from("<III", head)
    plausible = 4 <= length <= LONGEST and version <= NEWEST and kind <= LAST_MESSAGE
    return length + 8 if plausible else None


def _call_id(station: End, reference: int) -> str:
    """What stands for a Call-ID: the reference means something to its phone only."""
    return f"{reference}@{station[0]}"


def _address(message: Message, at: int) -> tuple[str, int, int] | None:
    """Address and port at an octet of the body, and where the next field begins."""
    family, after = 0, at + 4
    if message.version >= V6_SINCE:
        family, at, after = message.word(at) or 0, at + 4, at + 20
    octets, port = message.body[at:after], message.word(after)
    if port is None or not 0 < port < 65536 or family > 1 or not any(octets):
        return None
    address = IPv6Address(octets) if family else IPv4Address(octets[:4])
    return str(address), port, after + 4
