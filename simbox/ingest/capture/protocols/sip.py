"""SIP (RFC 3261) on any port over UDP and TCP: one row a message, one a medium that SDP names.

Bodies other than session descriptions are never kept: a MESSAGE gives its parties, not its text.
"""

from __future__ import annotations

import re
from typing import Any

from simbox.ingest.capture.protocol import Claim, Datagram
from simbox.ingest.capture.protocols import sdp
from simbox.ingest.capture.signalling import sip_text as sip
from simbox.ingest.capture.signalling.sip_parties import MAX_VALUE
from simbox.ingest.capture.sink import Sink
from simbox.tables import MEDIA, MESSAGES

PORTS = frozenset((5060, 5061, 5080))
MAX_HEAD = 65_536  # octets of a head over TCP
MAX_BODY = 65_536  # octets of a body over TCP; a header that tells more is not believed
MAX_GARBAGE = 262_144  # octets of a TCP conversation that are no SIP before it is given up

_BLANK = b"\r\n\t \0"
_SDP = "application/sdp"
_MEDIUM_URI = re.compile(rb"\S+[ \t]+(?:sips?|tel):", re.IGNORECASE)


class Sip:
    """The reader of SIP."""

    name = "sip"
    udp = Claim(sip.LEADS, PORTS)
    tcp = Claim(sip.LEADS, PORTS)

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        """Read the message of a UDP payload; False when it holds none."""
        payload = packet.payload
        at = sip.find_start(payload)
        if at < 0:
            if payload.strip(_BLANK):
                return False
            out.counts["sip|keep-alive"] += 1
            return True
        if at:
            payload = payload[at:]
            if packet.payload[:at].strip(_BLANK):
                out.counts["sip|junk before"] += 1
        return _read(packet, payload, out)

    def opens(self, segment: Datagram) -> bool:
        """Whether a TCP segment begins with a start line, or with the part of one that fits."""
        octets = segment.payload[: sip.MAX_LINE].lstrip(_BLANK)
        if sip.find_start(octets) == 0:
            return True
        return (
            b"\n" not in octets
            and octets.startswith(sip.LEADS)
            and _MEDIUM_URI.match(octets) is not None
        )

    def conversation(self) -> Conversation:
        return Conversation()


def _read(packet: Datagram, octets: bytes, out: Sink) -> bool:
    """Put the rows of one message that begins with its start line."""
    cut = packet.length > len(packet.payload) and packet.transport == "udp"
    message = sip.message(octets, cut=cut)
    if message is None:
        return False
    counts = out.counts
    counts["sip|message"] += 1
    if cut:
        counts["sip|cut"] += 1
    start, values, vias, unusual, body = message
    call_id = values[sip.CALL_ID]
    if not call_id:
        counts["sip|no call-id"] += 1
    described = None
    if body:
        kind, told = values[sip.CONTENT_TYPE], values[sip.CONTENT_LENGTH]
        described = _description(body[:told], kind)
        if described is not None:
            _announce(packet, call_id, described, out)
    named = ",".join(unusual)[:MAX_VALUE] or None if unusual else None
    out.put_row(MESSAGES, _row(packet, start, values, (vias, named), described), key=call_id)
    return True


Row = tuple[str | int | bool | None, ...]


def _row(
    packet: Datagram,
    start: sip.Start,
    values: tuple[Any, ...],
    noted: tuple[int, str | None],
    described: sdp.Description | None,
) -> Row:
    """A row of MESSAGES, in the order of its columns; ``noted`` are Vias and unusual headers."""
    (
        (branch, sent_by, _), (from_user, from_host, from_tag, from_header), (to_user, to_tag),
        call_id, (number, method), (contact_user, place, lifetime), forwards, agent, server, allow,
        credentials, challenge, expires, cause, access, asserted, remote, *_,
    ) = values  # fmt: skip
    time, frame, src, sport, dst, dport, _, transport, *_ = packet
    asked, status, phrase, user, host = start
    request = status is None
    vouched = asserted or remote
    account, realm = credentials or (None, challenge)
    origin = session = secure = None
    if described is not None:
        origin, session, media = described
        secure = any(m.keyless for m in media)
    return (
        time, None, frame, transport, src, sport, dst, dport,
        request, asked or method, status, phrase, number, call_id, user, host,
        from_user, from_host, from_tag, from_header if request and to_tag is None else None,
        to_user, to_tag, vouched[0] if vouched else None, contact_user, place,
        branch, sent_by, min(noted[0], 255), forwards,
        (agent or server) if request else (server or agent),
        allow, account, realm, expires if lifetime is None else lifetime,
        cause, access, noted[1], origin, session, secure,
    )  # fmt: skip


def _description(body: str, kind: str) -> sdp.Description | None:
    """The session description of a body, also inside a multipart one; None when it has none."""
    if kind.startswith("multipart/"):
        body = _part(body)
    elif kind and not kind.startswith(_SDP):
        return None
    return sdp.parse(body[:MAX_BODY]) if "v=" in body[:16] else None


def _part(body: str) -> str:
    """The session description among the parts of a multipart body (RFC 2046, section 5.1)."""
    header = body.lower().find(_SDP)
    begin = body.find("\n\n", header) if header >= 0 else -1
    return body[begin + 2 :].partition("\n--")[0] if begin >= 0 else ""


def _announce(packet: Datagram, call_id: str, described: sdp.Description, out: Sink) -> None:
    """Put the rows of the media, and tell where RTP is to be expected."""
    for medium in described.media:
        out.put_row(
            MEDIA,
            (
                packet.time, None, packet.frame, "sip", call_id, packet.src,
                medium.address, medium.port, medium.kind, medium.codecs,
                medium.formats, medium.ptime_ms,
            ),
        )  # fmt: skip
        if medium.expected:
            out.announce(medium.address, medium.port)


class _Direction:
    """What one side of a conversation has sent and what has not been read of it."""

    __slots__ = ("broken", "buffer", "need", "open", "scanned")

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.broken = False  # octets are missing behind the buffer
        self.forget()

    def forget(self) -> None:
        """Wait for a start line."""
        self.open = False  # the buffer begins with a start line
        self.need = 0  # octets of the message, once its head is whole
        self.scanned = 0  # octets in which what is sought is not


class Conversation:
    """SIP over one TCP conversation, framed by Content-Length (RFC 3261, section 18.3).

    The same octets give the same messages however they were cut into segments.
    """

    def __init__(self) -> None:
        self._directions: dict[tuple[str, int], _Direction] = {}
        self._garbage = 0

    def feed(self, octets: Datagram, out: Sink) -> bool:
        """Read the next octets of one direction; False when no more of them are wanted."""
        side = self._directions.setdefault((octets.src, octets.sport), _Direction())
        if side.broken:
            self._mend(side, octets, out)
        side.buffer += octets.payload
        while self._step(side, octets, out):
            pass
        if self._garbage <= MAX_GARBAGE:
            return True
        out.counts["sip|conversation given up"] += 1
        self._directions.clear()
        return False

    def gap(self, src: str, sport: int) -> None:
        """Octets of that sender's direction are missing before the next ones."""
        side = self._directions.get((src, sport))
        if side is not None:
            side.broken = True

    def _mend(self, side: _Direction, octets: Datagram, out: Sink) -> None:
        """Give what a gap has left: a message whose head was whole, else nothing."""
        side.broken = False
        if side.need:
            out.counts["sip|cut"] += 1
            _read(octets, bytes(side.buffer), out)
        elif side.open or side.buffer.strip(_BLANK):
            out.counts["sip|lost in a gap"] += 1
        side.buffer.clear()
        side.forget()

    def _step(self, side: _Direction, octets: Datagram, out: Sink) -> bool:
        """One step on in the buffer; False when it takes more octets."""
        if not side.open:
            return self._seek(side, out)
        buffer = side.buffer
        if not side.need:
            head_end, body_start = sip.find_blank(buffer, max(side.scanned - 2, 0))
            if head_end < 0:
                side.scanned = len(buffer)
                if side.scanned <= MAX_HEAD:
                    return False
                out.counts["sip|head too long"] += 1
                self._drop(side, buffer.find(b"\n") + 1, out)
                return True
            side.need = body_start + _content_length(bytes(buffer[:head_end]), out)
        if len(buffer) < side.need:
            return False
        message = bytes(buffer[: side.need])
        del buffer[: side.need]
        side.forget()
        if not _read(octets, message, out):
            self._garbage += len(message)
        return True

    def _seek(self, side: _Direction, out: Sink) -> bool:
        """Look for a start line, line by line."""
        buffer = side.buffer
        end = buffer.find(b"\n", side.scanned) + 1
        if not end:
            side.scanned = len(buffer)
            if side.scanned > 2 * sip.MAX_LINE:
                # what may be the beginning of a start line stays
                self._drop(side, side.scanned - sip.MAX_LINE, out)
            return False
        at = _start_in(bytes(buffer[:end]))
        if at < 0:
            self._drop(side, end, out)
            return True
        self._drop(side, at, out)
        side.open = True
        return True

    def _drop(self, side: _Direction, octets: int, out: Sink) -> None:
        """Leave out octets that are no SIP; the empty lines of keep-alives are not counted."""
        lost = len(side.buffer[:octets].strip(_BLANK))
        if lost:
            out.counts["sip|octets passed over"] += lost
            self._garbage += lost
        del side.buffer[:octets]
        side.forget()


def _start_in(line: bytes) -> int:
    """Where a start line begins in a line, however much stands before it; -1 when nowhere."""
    if b"sip/2.0" not in line.lower():
        return -1
    for offset in range(0, len(line), sip.MAX_JUNK):
        found = sip.find_start(line[offset:])
        if found >= 0:
            return offset + found
    return -1


_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d+)", re.IGNORECASE | re.MULTILINE)


def _content_length(head: bytes, out: Sink) -> int:
    """Octets of the body that a head tells; 0 when it does not, or tells nonsense."""
    found = _LENGTH.search(head)
    if found is None:
        return 0
    told = int(found[1][:10])
    if told > MAX_BODY:
        out.counts["sip|content-length not believed"] += 1
        return 0
    return told
