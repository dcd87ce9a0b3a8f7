"""Signatures at work: the fields of a message against the patterns of every signature."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from simbox.ingest.capture.sink import Sink

Kind = Literal["gateway", "scanner", "pbx", "phone"]
Grade = Literal["conclusive", "strong", "weak"]

MOST_TEXT = 512  # characters of a field that patterns see: what a stranger sends is bounded
MOST_CACHED = 50_000  # distinct values a protocol whose verdicts are kept
#: The first octets that a payload pattern must state, none of them optional.
LEAD = re.compile(r"\^((?:[0-9a-f]{2}){2,})(?![0-9a-f]?[?*{])")
#: The fields of each protocol that a signature can look at; an absent one is the empty text.
FIELDS: dict[str, dict[str, str]] = {
    "sip": {
        "direction": "request or response",
        "method": "method of the request, of CSeq for a response",
        "status": "status of a response",
        "reason_phrase": "its reason phrase",
        "user_agent": "User-Agent, of a response Server",
        "allow": "Allow, with a comma and a blank between methods",
        "max_forwards": "Max-Forwards",
        "from_form": "From with its variable parts replaced: <sip:u@h:p>;user=phone;tag",
        "tag_form": "From tag: decimal, asterisk (as and 8 hex digits), hex or text",
        "call_id_form": "Call-ID: decimal, hex, uuid or text, then @lan, @ip or @name",
        "branch_form": "branch behind z9hG4bK: decimal, hex or text",
        "sdp_origin": "user and id of o=, a decimal id as its digits before the last, or 0",
        "sdp_session": "s= of the SDP",
        "sdp_secure": "true where a RTP/SAVP medium has no a=crypto",
        "realm": "digest realm",
        "unusual": "names of headers that start with X-",
    },
    "dhcp": {
        "message": "message type (option 53) as a number",
        "vendor_class": "option 60",
        "parameters": "option 55, numbers joined by a comma",
        "order": "options 12, 53, 55, 60 and 61 in the order sent, joined by a comma",
        "hostname": "option 12",
        "mac": "hardware address, 38:3f:10:00:00:01",
    },
    "dns": {
        "name": "name asked for, lower case, no final dot",
        "id": "transaction id, four hex digits",
        "type": "record type as a number",
    },
    "ntp": {
        "mode": "mode: 3 client, 4 server",
        "version": "version",
        "length": "octets of the payload",
        "first": "first octet, two hex digits",
    },
    "ddns": {
        "message": "request or reply",
        "serial": "serial number of the device",
        "public_ip": "IPv4 address that the server saw",
        "hostname": "name that the server gave",
    },
    "http": {
        "direction": "request or response",
        "method": "method of the request",
        "path": "path of the request, without query; a response has that of its request",
        "query": "names of the query's parameters, joined by a comma",
        "agent": "User-Agent of a request",
        "server": "Server of a response",
        "keys": 'names in KEY="VALUE" lines of the body, joined by a comma',
        "body": "first characters of the body; never shown",
        "serial": "serial number in the path",
        "servers": 'addresses in KEY="VALUE" lines, as KEY=VALUE',
    },
    "ami": {
        "action": "Action",
        "command": "beginning of Command: gsm show span, gsm send sync sms ...",
        "event": "Event",
        "report": "names in a span's report, joined by a comma",
        "sender": "Sender of an SMS event",
    },
    "telnet": {"banner": "first text of the server, without negotiation"},
    "smtp": {
        "helo": "name in HELO or EHLO",
        "mailer": "X-Mailer",
        "serial": "serial number in the body",
    },
    "ethernet": {"mac": "source address, 38:3f:10:00:00:01"},
    "udp": {
        "payload": "first 64 octets, hex digits",
        "port": "port of the receiver",
        "length": "octets of the payload",
    },
    "tcp": {
        "payload": "first 64 octets of a segment, hex digits",
        "port": "port of the receiver",
        "length": "octets of the segment's payload",
    },
}  # fmt: skip
NOT_SHOWN = frozenset({"body", "payload", "banner"})  # may hold what must not be kept

Fields = Mapping[str, str]
Conditions = dict[str, str]


class Place(NamedTuple):
    """Where a sign was seen: the ends of the message and its frame."""

    sender: str
    receiver: str
    time: int  # nanoseconds since 1970-01-01 UTC
    frame: int
    line: str | None = None  # line of the device, where the message names one


@dataclass(frozen=True)
class Signature:
    """What gives a product away in one protocol."""

    name: str
    product: str
    kind: Kind
    grade: Grade
    protocol: str
    device: Literal["sender", "receiver"]
    source: str
    all: Conditions
    some: Conditions
    at_least: int
    none: Conditions
    reveals: tuple[str, ...]
    match: tuple[Fields, ...]
    no_match: tuple[Fields, ...]

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def evidence(self) -> tuple[str, str, str]:
        """What ``Sink.evidence`` wants: name, product, grade."""
        return self.name, self.product, self.grade

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The fields that prove a match, without those that may hold secrets."""
        asked = dict.fromkeys((*self.all, *self.some, *self.reveals))
        return tuple(f for f in asked if f not in NOT_SHOWN)

    def proof(self, fields: Fields) -> dict[str, str]:
        """What is shown of the fields that matched."""
        return {f: fields[f][:120] for f in self.shown if fields.get(f)}


class Protocol:
    """The signatures of one protocol, each condition a bit; verdicts are kept value by value."""

    def __init__(self, signatures: Sequence[Signature]) -> None:
        self.signatures = tuple(signatures)
        self._patterns: dict[str, list[tuple[re.Pattern[str], int]]] = {}
        self._bits: dict[tuple[str, str], int] = {}
        self._wanted = [
            (s, self._mask(s.all), self._mask(s.some), self._mask(s.none)) for s in signatures
        ]
        self.fields = tuple(self._patterns)
        self._verdicts: dict[str, dict[str, int]] = {f: {} for f in self.fields}
        self._found: dict[int, tuple[Signature, ...]] = {}

    def _mask(self, conditions: Conditions) -> int:
        mask = 0
        for condition in conditions.items():
            if condition not in self._bits:
                self._bits[condition] = 1 << len(self._bits)
                field, pattern = condition
                compiled = re.compile(pattern), self._bits[condition]
                self._patterns.setdefault(field, []).append(compiled)
            mask |= self._bits[condition]
        return mask

    def verdict(self, field: str, value: str) -> int:
        """The conditions on a field that a value fits, as bits."""
        known = self._verdicts.get(field)
        if known is None:
            return 0
        found = known.get(value)
        if found is None:
            if len(known) >= MOST_CACHED:
                known.clear()
            text = value[:MOST_TEXT]
            found = sum(bit for pattern, bit in self._patterns[field] if pattern.search(text))
            known[value] = found
        return found

    def match(self, fields: Fields) -> tuple[Signature, ...]:
        bits = 0
        for field in self.fields:
            bits |= self.verdict(field, fields.get(field) or "")
        found = self._found.get(bits)
        if found is None:
            found = self._found[bits] = tuple(
                s for s, every, some, none in self._wanted
                if bits & every == every and (bits & some).bit_count() >= s.at_least
                and not bits & none
            )  # fmt: skip
        return found


class Signatures:
    """All signatures of a run, by protocol."""

    def __init__(self, signatures: Iterable[Signature]) -> None:
        self.by_name = {s.name: s for s in signatures}
        self._protocols = {p: Protocol(self.of(p)) for p in FIELDS}

    def of(self, protocol: str) -> tuple[Signature, ...]:
        """The signatures of a protocol."""
        return tuple(s for s in self.by_name.values() if s.protocol == protocol)

    def fields(self, protocol: str) -> tuple[str, ...]:
        """The fields that some signature of a protocol looks at."""
        return self._protocols[protocol].fields

    def match(self, protocol: str, fields: Fields) -> tuple[Signature, ...]:
        """The signatures that the fields of one message fit."""
        return self._protocols[protocol].match(fields)

    def touches(self, protocol: str, field: str, value: str) -> bool:
        """Some signature has a condition on the field that the value fits."""
        return self._protocols[protocol].verdict(field, value) != 0

    def kinds(self) -> dict[str, Kind]:
        """What the signature of each name gives away: gateway, scanner, pbx or phone."""
        return {s.name: s.kind for s in self.by_name.values()}

    def tell(self, protocol: str, fields: Fields, place: Place, out: Sink) -> tuple[Signature, ...]:
        """Put the evidence of one message into the sink; the signatures that matched."""
        found = self.match(protocol, fields)
        for signature in found:
            host, peer = place.sender, place.receiver
            if signature.device == "receiver":
                host, peer = peer, host
            out.evidence(
                signature.evidence, host, place.time, place.frame,
                peer=peer, line=place.line, fields=signature.proof(fields),
            )  # fmt: skip
        return found
