"""The push connection of Dinstar gateways: the gateway calls its SMS server and keeps it told.

Grammar (DINSTAR-DWG-PYTHON-D/dwgc.py; port states by DwgSmsServerNet), TCP, big-endian::

    u32 octets of the body | 6 octets MAC of the gateway | 2 of padding | u32 time | u32 serial
    | u16 type | u16 flag | body

Answers have the type + 1 and repeat the MAC.  Ports count from 0.  Logins, texts and USSD are not
kept, and of a text not even read: only the octets before it are held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from simbox.ingest.capture.protocol import Claim, Datagram, StreamReader
from simbox.ingest.capture.signalling import simcards
from simbox.ingest.capture.signalling.simcards import SECOND, Recent, Watch
from simbox.ingest.capture.sink import Sink
from simbox.tables import DIALOGS, SIGHTINGS

OUI = bytes.fromhex("f8a03d")
HEADER = 24
LONGEST_BODY = 66_000  # octets: a text of 65,535 and what stands before it
NUMBER = 24  # octets of a telephone number, filled with zeros

KEEPALIVE, SEND, RESULT, RECEIVED, STATUS, SIGNAL = 0, 1, 3, 5, 7, 13
FROM_GATEWAY = frozenset({2, RESULT, RECEIVED, STATUS, 10, 11, SIGNAL, 15, 515})
FROM_SERVER = frozenset({SEND, 4, 6, 8, 9, 12, 14, 16, 516})
TYPES = FROM_GATEWAY | FROM_SERVER | {KEEPALIVE}
#: Octets of a body that are read, by type: none of a text, a login or a code.
READ = {SEND: 28, RESULT: 29, RECEIVED: 26, STATUS: 257, SIGNAL: 257}
STATES = {0: "registered", 1: "no SIM", 2: "not registered", 3: "no port"}
WITH_SIM = frozenset({0, 2})

#: The keepalive, the answers, the login and the state of up to 64 ports open a connection.
OPENINGS = tuple(n.to_bytes(4, "big") + OUI for n in range(66))

PUSH = ("dinstar-push", "Dinstar DWG/UC2000", "conclusive")

MOST_PORTS = 16_384
MOST_TEXTS = 4096
IDLE = 6 * 3600 * SECOND
TEXT_IDLE = 600 * SECOND


class Message(NamedTuple):
    """One message, of its body only what is read."""

    packet: Datagram  # in which it began
    mac: bytes
    type: int
    body: bytes


@dataclass(slots=True)
class Port:
    """A port of a gateway as told so far."""

    state: int | None = None
    signal: int | None = None
    watch: Watch = field(default_factory=Watch)


class Text(NamedTuple):
    """A text that the server has asked for; its result is awaited."""

    packet: Datagram
    host: str
    peer: str
    line: str | None
    number: str | None
    port: int | None


class Stream:
    """One direction of a connection, cut into messages."""

    def __init__(self) -> None:
        self._held = b""
        self._first: Datagram | None = None
        self._skip = 0  # octets of a body that nobody reads
        self.lost = False  # no message where one should begin

    def feed(self, packet: Datagram) -> Iterator[Message]:
        """The messages whose octets to be read are there."""
        octets = packet.payload[self._skip :]
        self._skip -= len(packet.payload) - len(octets)
        octets = self._held + octets
        first = self._first if self._held and self._first is not None else packet
        while len(octets) >= HEADER and not self.lost:
            size = int.from_bytes(octets[:4], "big")
            kind = int.from_bytes(octets[20:22], "big")
            self.lost = size > LONGEST_BODY or kind not in TYPES or octets[10:12] != b"\0\0"
            wanted = HEADER + min(size, READ.get(kind, 0))
            if self.lost or len(octets) < wanted:
                break
            yield Message(first, octets[4:10], kind, octets[HEADER:wanted])
            self._skip = max(0, HEADER + size - len(octets))
            octets, first = octets[HEADER + size :], packet
        self._held, self._first = (b"", None) if self.lost else (octets, first)


class DinstarConversation:
    """A push connection."""

    def __init__(self, reader: Dinstar) -> None:
        self._reader = reader
        self._streams: dict[tuple[str, int], Stream] = {}
        self._mac: bytes | None = None  # of the gateway; a server leads with any

    def feed(self, octets: Datagram, out: Sink) -> bool:
        stream = self._streams.setdefault((octets.src, octets.sport), Stream())
        for message in stream.feed(octets):
            if message.mac.startswith(OUI):
                self._mac = message.mac
            if self._mac is not None:
                self._reader.take(message._replace(mac=self._mac), out)
        return any(not s.lost for s in self._streams.values())

    def gap(self, src: str, sport: int) -> None:
        """Without a length there is no way back to the start of a message."""
        self._streams.setdefault((src, sport), Stream()).lost = True


class Dinstar(StreamReader):
    """The reader of Dinstar push connections."""

    name = "dinstar"
    tcp = Claim(leads=OPENINGS)

    def __init__(self) -> None:
        self._ports: Recent[tuple[bytes, int], Port] = Recent(MOST_PORTS, IDLE)
        self._texts: Recent[tuple[bytes, str | None], Text] = Recent(MOST_TEXTS, TEXT_IDLE)

    def opens(self, segment: Datagram) -> bool:
        octets = segment.payload
        if octets[4:7] != OUI or octets[10:12] not in {b"\0\0", b"\0", b""}:
            return False
        whole = len(octets) >= HEADER
        return not whole or int.from_bytes(octets[20:22], "big") in TYPES

    def conversation(self) -> DinstarConversation:
        return DinstarConversation(self)

    def finish(self, out: Sink) -> None:
        """Tell the texts whose result never came."""
        for text in self._texts.drain():
            _put_sent(text, None, None, out)

    def take(self, message: Message, out: Sink) -> None:
        """Read one message of a gateway whose MAC is known."""
        packet, kind = message.packet, message.type
        out.counts["dinstar|message"] += 1
        if kind == KEEPALIVE:
            return  # either side sends it
        ends = (packet.src, packet.dst)
        host, peer = ends if kind in FROM_GATEWAY else ends[::-1]
        fields = {"mac": message.mac.hex(":")}
        out.evidence(PUSH, host, packet.time, packet.frame, peer=peer, fields=fields)
        if kind in {STATUS, SIGNAL}:
            self._status(message, out)
        elif len(message.body) == READ.get(kind):
            self._text(message, host, peer, out)

    def _status(self, message: Message, out: Sink) -> None:
        """The state or the received level of every port."""
        packet = message.packet
        told = message.body[1 : 1 + message.body[0]] if message.body else b""
        for number, value in enumerate(told):
            port = self._ports.touch((message.mac, number), packet.time, Port)
            if message.type == SIGNAL:
                port.signal = simcards.dbm(value)
            else:
                before, port.state = port.state, value
                if value in WITH_SIM or before in WITH_SIM:
                    _sight(message, number, port, out)
        for _ in self._ports.expired(packet.time):
            out.counts["dinstar|port forgotten"] += 1

    def _text(self, message: Message, host: str, peer: str, out: Sink) -> None:
        """A text to or from the gateway's SIMs, by its numbers."""
        packet, body, mac = message.packet, message.body, message.mac
        if message.type == RECEIVED:
            line = _account(mac, body[25])
            text = Text(packet, host, peer, line, _number(body[:NUMBER]), body[25])
            _put_received(text, out)
        elif message.type == SEND:
            number, port = _number(body[4:28]), body[0]
            text = Text(packet, host, peer, _account(mac, port), number, port)
            self._texts.touch((mac, number), packet.time, lambda: text)
        else:
            number, port = _number(body[1:25]), body[25]
            told = Text(packet, host, peer, _account(mac, port), number, port)
            asked = self._texts.pop((mac, number)) or told
            text = told._replace(packet=asked.packet)
            _put_sent(text, 200 if body[26] == 0 else None, packet, out)
        for old in self._texts.expired(packet.time):
            _put_sent(old, None, None, out)


def _number(octets: bytes) -> str | None:
    """The digits of a number, else a sender's name."""
    text = octets.partition(b"\0")[0].decode("ascii", "replace")
    return simcards.number(text) or simcards.plain(text, NUMBER)


def _account(mac: bytes, port: int) -> str:
    """What stands for the line of a port: its number is never told."""
    return f"{mac.hex(':')}/{port}"


def _sight(message: Message, number: int, port: Port, out: Sink) -> None:
    packet = message.packet
    if not port.watch.due((port.state, packet.src), packet.time):
        return
    account = _account(message.mac, number)
    out.put(
        SIGHTINGS, seen=packet.time, line=account, account=account, port=number,
        signal=port.signal, state=STATES.get(port.state or 0), host=packet.src, peer=packet.dst,
        protocol="dinstar", frame=packet.frame,
    )  # fmt: skip


def _put_received(text: Text, out: Sink) -> None:
    packet = text.packet
    out.put(
        DIALOGS, start=packet.time, end=packet.time, last_seen=packet.time, protocol="dinstar",
        method="MESSAGE", call_id=f"{text.line}-{packet.frame}", from_user=text.number,
        request_user=text.line, src=text.peer, src_port=packet.dport, dst=text.host,
        dst_port=packet.sport, messages=1, port=text.port, frame=packet.frame,
        frames=[packet.frame],
    )  # fmt: skip


def _put_sent(text: Text, status: int | None, result: Datagram | None, out: Sink) -> None:
    """A text sent by a SIM, told by its result or, where there was none, by the request."""
    first = text.packet
    last = result or first
    frames = sorted({first.frame, last.frame})
    out.put(
        DIALOGS, start=first.time, end=result and result.time,
        last_seen=last.time, protocol="dinstar", method="MESSAGE", status_code=status,
        call_id=f"{text.line}-{first.frame}", from_user=text.line, request_user=text.number,
        src=text.host, dst=text.peer, messages=len(frames), port=text.port, frame=first.frame,
        frames=frames,
    )  # fmt: skip
