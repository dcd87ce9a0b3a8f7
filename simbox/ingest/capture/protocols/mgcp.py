"""MGCP (RFC 3435), also as NCS: a call agent works the lines of a gateway, command by command.

A command is ``VERB transaction endpoint MGCP 1.0``, a response ``code transaction text``; lines of
parameters follow, after an empty line a session description, after a line of one dot the next
message of the datagram.  No message says who calls whom: a line that goes off hook or dials
(events hd, 0-9) is calling, one that the agent has ring (signal rg) is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from simbox.ingest.capture.protocol import Claim, Datagram, DatagramReader
from simbox.ingest.capture.protocols import sdp
from simbox.ingest.capture.signalling.attempts import Attempt, attempt
from simbox.ingest.capture.signalling.gsmlines import party
from simbox.ingest.capture.signalling.simcards import SECOND, Recent
from simbox.ingest.capture.sink import Sink
from simbox.tables import MEDIA

PORTS = frozenset((2427, 2727))  # of gateways, of agents
AGENT_PORT = 2727
VERBS = ("CRCX", "MDCX", "DLCX", "RQNT", "NTFY", "RSIP", "AUEP", "AUCX", "EPCF")
FROM_GATEWAY = frozenset({"NTFY", "RSIP"})
COMMAND = re.compile(
    rf"({'|'.join(VERBS)})[ \t]+(\d{{1,9}})[ \t]+(\S{{1,255}})[ \t]+MGCP[ \t]+\d", re.IGNORECASE
)
RESPONSE = re.compile(r"([0-9]\d\d)[ \t]+(\d{1,9})(?=[ \t]|$)")
PARAMETER = re.compile(r"[ \t]*([A-Za-z]{1,2})[ \t]*:[ \t]*(.*)")
NEXT = re.compile(r"\r?\n\.\r?\n")
BODY = re.compile(r"\r?\n[ \t]*\r?\n")
#: An event or signal: package, name, and what stands in parentheses.
EVENT = re.compile(
    r"(?:[A-Za-z$*]{1,16}/)?([A-Za-z0-9*#]{1,32})(?:@\S{1,32})?(?:\(([^()]*)(?:\)|$))?"
)
CALLER = re.compile(r"ci\([^,()]{0,32},[ \t]*\"?([^\",()]{0,32})", re.IGNORECASE)
DIGITS = re.compile(r"[0-9*#A-D]{1,32}")
OFF_HOOK, ON_HOOK, RING, RING_BACK = "hd", "hu", "rg", frozenset({"rt", "rbk"})
ON = frozenset({"sendrecv", "confrnce"})  # connection modes of a conversation

LONGEST = 8192  # characters of a datagram that are read
MOST_MESSAGES = 16  # of a datagram
MOST_LINES = 64  # of the parameters of a message
MOST_EVENTS = 64
MOST_LEGS = 8  # calls of one line
LONGEST_NUMBER = 32

MOST_ENDPOINTS = 16_384
MOST_TRANSACTIONS = 8192
IDLE = 6 * 3600 * SECOND
UNANSWERED = 60 * SECOND


class Message(NamedTuple):
    """One message of a datagram; of a response the verb is empty, of a command the code 0."""

    packet: Datagram
    verb: str
    code: int
    transaction: int
    endpoint: str  # in small letters
    parameters: dict[str, str]
    description: str

    @property
    def gateway(self) -> str:
        """Address of the gateway, which a command may come from or go to."""
        back = self.verb in FROM_GATEWAY or (self.verb == "DLCX" and _to_agent(self.packet))
        return self.packet.src if back else self.packet.dst


@dataclass(slots=True)
class Endpoint:
    """A line of a gateway: what has been dialled on it, and its calls by the agent's identifier."""

    dialled: str = ""
    caller: str | None = None  # told with the ringing
    rings: bool = False
    lifted: bool = False  # the handset is off
    legs: dict[str, Attempt] = field(default_factory=dict)

    def put(self, out: Sink) -> None:
        for leg in self.legs.values():
            leg.put(out)
        self.legs.clear()


class Asked(NamedTuple):
    """A command whose response is awaited."""

    verb: str
    line: tuple[str, str]  # the gateway's address and the endpoint
    call: str | None
    registration: Attempt | None


class Mgcp(DatagramReader):
    """The reader of MGCP."""

    name = "mgcp"
    udp = Claim(leads=tuple(f"{verb} ".encode() for verb in VERBS), ports=PORTS)

    def __init__(self) -> None:
        self._endpoints: Recent[tuple[str, str], Endpoint] = Recent(MOST_ENDPOINTS, IDLE)
        self._asked: Recent[tuple[str, str, int], Asked] = Recent(MOST_TRANSACTIONS, UNANSWERED)

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        claimed = False
        for message in split(packet):
            claimed = True
            out.counts["mgcp|message"] += 1
            if message.verb:
                self._command(message, out)
            else:
                self._response(message, out)
        if claimed:
            self._expire(packet.time, out)
        return claimed

    def finish(self, out: Sink) -> None:
        """Tell the calls that the end of the file cut off."""
        for endpoint in self._endpoints.drain():
            endpoint.put(out)
        for asked in self._asked.drain():
            if asked.registration is not None:
                asked.registration.put(out)

    def _expire(self, time: int, out: Sink) -> None:
        for endpoint in self._endpoints.expired(time):
            endpoint.put(out)
        for asked in self._asked.expired(time):
            if asked.registration is not None:
                asked.registration.put(out)

    def _command(self, message: Message, out: Sink) -> None:
        packet = message.packet
        key = (packet.src, packet.dst, message.transaction)
        before = self._asked.get(key)
        if before is not None and before.verb == message.verb:
            return  # sent again: the other side has it or not
        call = registration = None
        line = (message.gateway, message.endpoint)
        if message.verb == "RSIP":
            registration = _registration(message)
        elif "*" not in message.endpoint and "$" not in message.endpoint:
            endpoint = self._endpoints.touch(line, packet.time, Endpoint)
            call = _work(endpoint, message, out)
        self._asked.put(key, packet.time, Asked(message.verb, line, call, registration))
        if message.description:
            _put_media(message, call, out)

    def _response(self, message: Message, out: Sink) -> None:
        packet = message.packet
        key = (packet.dst, packet.src, message.transaction)
        asked = self._asked.get(key)
        if asked is None or message.code < 200:
            return
        if asked.registration is not None:
            asked.registration.seen(packet)
            asked.registration.status = 200 if message.code < 300 else None
            asked.registration.put(out)
        if message.description:
            _put_media(message, asked.call, out)
        endpoint = self._endpoints.get(asked.line)
        leg = endpoint.legs.get(asked.call) if endpoint is not None and asked.call else None
        if leg is not None and endpoint is not None and asked.call is not None:
            leg.seen(packet)
            if message.code >= 400 and asked.verb == "CRCX":
                leg.finish(packet.time, packet.src)
                endpoint.legs.pop(asked.call).put(out)


def _work(endpoint: Endpoint, message: Message, out: Sink) -> str | None:
    """What a command does to a line; the Call-ID of the call that it is of."""
    signals = message.parameters.get("S", "")
    if message.verb == "NTFY":
        _observed(endpoint, message)
    elif signals:
        _signalled(endpoint, signals, message)
    if message.verb in {"CRCX", "MDCX"}:
        return _connected(endpoint, message, out)
    if message.verb == "DLCX":
        _deleted(endpoint, message, out)
    return None


def _observed(endpoint: Endpoint, message: Message) -> None:
    """Events on a line, in their order: off hook, digits, on hook."""
    packet = message.packet
    for name, _ in _events(message.parameters.get("O", "")):
        if name.lower() == OFF_HOOK:
            endpoint.lifted, endpoint.dialled = True, ""
            for leg in endpoint.legs.values():
                if leg.dst[0] == packet.src:
                    leg.answer(packet.time)
        elif name.lower() == ON_HOOK:
            endpoint.lifted = endpoint.rings = False
            endpoint.caller, endpoint.dialled = None, ""
            for leg in endpoint.legs.values():
                leg.finish(packet.time, packet.src)
        elif DIGITS.fullmatch(name):
            endpoint.dialled = (endpoint.dialled + name)[:LONGEST_NUMBER]
    for leg in endpoint.legs.values():
        leg.seen(packet)
        under_way = leg.ringing is None and leg.answered is None and leg.end is None
        if under_way and endpoint.dialled and leg.src[0] == packet.src:
            leg.called = party(endpoint.dialled)


def _signalled(endpoint: Endpoint, signals: str, message: Message) -> None:
    """Signals that the agent has on a line: it rings, or it hears the other side ring."""
    packet = message.packet
    names = {name.lower() for name, _ in _events(signals)}
    if RING in names:
        caller = CALLER.search(signals)
        endpoint.rings, endpoint.lifted = True, False
        endpoint.caller = party(caller[1]) if caller else None
    for leg in endpoint.legs.values():
        if message.verb == "RQNT":
            leg.seen(packet)
        if RING in names and leg.answered is None and leg.called is None:
            leg.src, leg.dst = (packet.src, packet.sport), (packet.dst, packet.dport)
            leg.calling, leg.called = endpoint.caller, leg.calling
            leg.rings(packet.time)
        elif names & RING_BACK:
            leg.rings(packet.time)


def _connected(endpoint: Endpoint, message: Message, out: Sink) -> str | None:
    """A connection of a line is made or changed."""
    packet, call = message.packet, _call_id(message)
    if call is None:
        return None
    leg = endpoint.legs.get(call)
    if leg is None:
        leg = _begun(endpoint, message, call)
        while len(endpoint.legs) >= MOST_LEGS:
            endpoint.legs.pop(next(iter(endpoint.legs))).put(out)
        endpoint.legs[call] = leg
    else:
        leg.seen(packet)
        mode = message.parameters.get("M", "").strip().lower()
        if mode in ON and leg.src[0] == packet.dst:
            leg.answer(packet.time)
    return call


def _begun(endpoint: Endpoint, message: Message, call: str) -> Attempt:
    """A call of a line: into it if it rings, else out of it."""
    packet = message.packet
    inbound = endpoint.rings and not endpoint.lifted
    leg = attempt("mgcp", call, packet, back=not inbound)
    if inbound:
        leg.calling, leg.called = endpoint.caller, message.endpoint
        leg.rings(packet.time)
    else:
        leg.calling, leg.called = message.endpoint, party(endpoint.dialled)
    return leg


def _deleted(endpoint: Endpoint, message: Message, out: Sink) -> None:
    """A connection of a line ends, or all of them."""
    packet, call = message.packet, _call_id(message)
    for held in list(endpoint.legs) if call is None else [call]:
        leg = endpoint.legs.pop(held, None)
        if leg is not None:
            leg.seen(packet)
            leg.finish(packet.time, packet.src)
            leg.put(out)
    if not endpoint.legs:
        endpoint.rings, endpoint.caller = False, None


def _registration(message: Message) -> Attempt:
    """A gateway tells that lines of it are in service, or no longer."""
    packet = message.packet
    told = attempt("mgcp", f"{message.transaction}-{packet.frame}@{packet.src}", packet)
    told.method, told.calling, told.to_user = "REGISTER", message.endpoint, message.endpoint
    if message.parameters.get("RM", "").strip().lower() in {"graceful", "forced"}:
        told.expires = 0
    return told


def _put_media(message: Message, call: str | None, out: Sink) -> None:
    packet = message.packet
    for medium in sdp.parse(message.description).media:
        out.put(
            MEDIA, time=packet.time, frame=packet.frame, protocol="mgcp", call_id=call,
            announcer=packet.src, address=medium.address or packet.src, port=medium.port,
            kind=medium.kind, codecs=medium.codecs, payload_types=medium.formats,
            ptime_ms=medium.ptime_ms,
        )  # fmt: skip
        if medium.expected:
            out.announce(medium.address, medium.port)


def _call_id(message: Message) -> str | None:
    """The agent's identifier of a call, and the line, for each line is a leg of its own."""
    call = message.parameters.get("C", "").strip()[:64]
    return f"{call}/{message.endpoint}" if call else None


def _events(text: str) -> Iterator[tuple[str, str]]:
    """Names and parameters of events or signals, without their packages."""
    for number, found in enumerate(EVENT.finditer(text)):
        if number >= MOST_EVENTS:
            return
        yield found[1], found[2] or ""


def split(packet: Datagram) -> Iterator[Message]:
    """The messages of a datagram, up to one that is none."""
    text = packet.payload[:LONGEST].decode("latin-1")
    for part in NEXT.split(text, MOST_MESSAGES)[:MOST_MESSAGES]:
        head, *body = BODY.split(part.lstrip("\r\n"), 1)
        first, *lines = head.split("\n", MOST_LINES)
        command, response = COMMAND.match(first), RESPONSE.match(first.rstrip())
        found: dict[str, str] = {}
        for line in lines[:MOST_LINES]:
            parameter = PARAMETER.match(line.rstrip())
            if parameter is not None:
                found.setdefault(parameter[1].upper(), parameter[2])
        description = body[0] if body else ""
        if command is not None:
            verb, number, endpoint = command[1].upper(), int(command[2]), command[3].lower()
            yield Message(packet, verb, 0, number, endpoint, found, description)
        elif response is not None and PORTS & {packet.sport, packet.dport}:
            code, number = int(response[1]), int(response[2])
            yield Message(packet, "", code, number, "", found, description)
        else:
            return


def _to_agent(packet: Datagram) -> bool:
    return packet.dport == AGENT_PORT and packet.sport != AGENT_PORT
