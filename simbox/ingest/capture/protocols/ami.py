"""The manager interface on TCP 5038 of gateways with Asterisk inside: spans, SIMs, SMS events.

Lines are ``Key: value``; a blank line or an end mark closes a block.  Only the keys that are named
here are looked at: secrets and the text of messages are never held.
"""

from __future__ import annotations

import re

from simbox.ingest.capture.protocol import Claim, Datagram, StreamReader
from simbox.ingest.capture.protocols.simreport import SimReport, put_sighting
from simbox.ingest.capture.signatures.matching import Place, Signatures
from simbox.ingest.capture.signatures.shipped import shipped_signatures
from simbox.ingest.capture.sink import Sink

PORTS = frozenset({5038})
OPENINGS = (b"Asterisk Call Manager", b"Action:", b"action:", b"ACTION:", b"Response:", b"Event:")
MOST_LINE = 2000  # octets
MOST_UNMARKED = 65_536  # octets of an ordinary manager session before it is let go

REPORT = {
    "d-channel": "span",
    "model imei": "imei",
    "card imei": "imei",
    "sim imsi": "imsi",
    "sim iccid": "iccid",
    "network name": "operator",
    "network status": "network",
    "signal quality (0,31)": "signal",
    "signal quality (0-31)": "signal",
    "state": "state",
}
EVENT = {"event": "event", "gsmspan": "span", "gsmport": "span", "sender": "sender"}
ASKED = {"action": "action", "command": "command"}
_KEPT = {**REPORT, **EVENT, **ASKED}
_END = re.compile(r"^(?:--END|---End Span)")
_COMMAND = re.compile(
    r"(gsm (?:show|set|send(?: sync| async)?) \w+)(?:\s+(\d{1,3}))?", re.IGNORECASE
)


class Ami(StreamReader):
    """The reader of the manager interface."""

    name = "ami"
    tcp = Claim(leads=OPENINGS, ports=PORTS)

    def __init__(self, signatures: Signatures | None = None) -> None:
        self._signatures = signatures or shipped_signatures()

    def opens(self, segment: Datagram) -> bool:
        at_port = segment.sport in PORTS or segment.dport in PORTS
        return at_port and segment.payload.lstrip().startswith(OPENINGS)

    def conversation(self) -> AmiConversation:
        return AmiConversation(self._signatures)


class AmiConversation:
    """One session of the manager interface."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self._rest: dict[tuple[str, int], bytes] = {}
        self._blocks: dict[tuple[str, int], dict[str, str]] = {}
        self._span = ""  # the span that was asked for last
        self._marked = False
        self._read = 0

    def feed(self, octets: Datagram, out: Sink) -> bool:
        speaker = octets.src, octets.sport
        self._read += len(octets.payload)
        *lines, rest = (self._rest.get(speaker, b"") + octets.payload).split(b"\n")
        self._rest[speaker] = rest[:MOST_LINE]
        place = Place(octets.src, octets.dst, octets.time, octets.frame)
        block = self._blocks.setdefault(speaker, {})
        for line in lines:
            text = line[:MOST_LINE].decode("latin-1").strip().removeprefix("Output: ")
            if not text or _END.match(text):
                self._close(block, place, out)
                block.clear()
                continue
            key, colon, value = text.partition(":")
            key = key.strip().lower()
            if colon and key in _KEPT and key not in block:
                block[key] = value.strip()[:200]
        return self._marked or self._read < MOST_UNMARKED

    def gap(self, src: str, sport: int) -> None:
        self._rest.pop((src, sport), None)
        self._blocks.pop((src, sport), None)

    def _close(self, block: dict[str, str], place: Place, out: Sink) -> None:
        """Tell what a finished block says."""
        if not block:
            return
        known = {_KEPT[key]: value for key, value in block.items()}
        fields = {"action": known.get("action", ""), "event": known.get("event", "")}
        fields["sender"] = known.get("sender", "")
        asked = _COMMAND.match(known.get("command", ""))
        if asked:
            fields["command"] = " ".join(asked[1].lower().split())
            self._span = asked[2] or ""
        elif "imsi" in known or "imei" in known:
            fields["report"] = ",".join(sorted(k for k in block if k in REPORT))
            known["span"] = self._span or known.get("span", "")
            _put_report(known, place, out)
        span = self._span if asked else known.get("span")
        found = self._signatures.tell("ami", fields, place._replace(line=span or None), out)
        self._marked = self._marked or bool(found)


def _put_report(known: dict[str, str], place: Place, out: Sink) -> None:
    report = SimReport(
        imei=known.get("imei"), imsi=known.get("imsi"), iccid=known.get("iccid"),
        operator=known.get("operator"), signal=known.get("signal"), port=known.get("span"),
        state=known.get("network") or known.get("state"),
    )  # fmt: skip
    put_sighting(report, "ami", place, out)
