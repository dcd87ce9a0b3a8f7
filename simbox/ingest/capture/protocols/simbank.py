"""Remote SIMs: the frames between a DBL/Hybertone gateway and the SIM bank that holds its cards.

Grammar (the working emulator GoIP-simbank-emulator, docs/protocol.en.md and src; texts by a dump of
the gateway's client): UDP or TCP, little-endian, no length field, so a frame lasts to the next
magic::

    78 56 21 43 | u32 line = bank x 100 + slot | u16 command | u16 type | payload

Type 2 comes from the gateway, 1 and 0 from the bank.  Command 0 carries u32 sequence, 16 octets of
token and then a command to the card, its answer (led by the instruction) or its answer to reset;
0003 logs in, 00C8 and 00C9 reset the card.  Other commands may carry texts such as MRSIMEI and the
IMEI that the bank wants the gateway to show.  Commands to the card are of TS 51.011 and TS 102 221:
what is read of EF IMSI, EF ICCID and EF MSISDN is kept, authentications are counted and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from simbox.ingest.capture.protocol import Claim, Datagram
from simbox.ingest.capture.signalling import simcards
from simbox.ingest.capture.signalling.simcards import SECOND, Recent, Sim, Watch
from simbox.ingest.capture.sink import Sink
from simbox.tables import SIGHTINGS

MAGIC = bytes.fromhex("78562143")
HEADER = 12  # octets of magic, line, command and type
TOKEN = 20  # octets of sequence and token before what is relayed
LONGEST = 512  # octets of a frame; the longest command to a card has 261
PORTS = frozenset({56011, 56012})

LOGIN, CARD, RESET, RESET_ACK = 0x03, 0x00, 0xC8, 0xC9
TOKEN_FRAMES = frozenset({0x01, LOGIN, 0x14, 0x1E, 0x1F, 0x32, RESET, RESET_ACK})
BARE_FRAMES = frozenset({0x28, 0x5B})  # ready and accepted: a header alone
LAST_COMMAND = 0xFF
FROM_GATEWAY = 2
SLOTS = range(1, 100)

SELECT, READ_BINARY, READ_RECORD, AUTHENTICATE = 0xA4, 0xB0, 0xB2, 0x88
EF_IMSI, EF_ICCID, EF_MSISDN = 0x6F07, 0x2FE2, 0x6F40
SHORT_NAMES = {0x07: EF_IMSI, 0x02: EF_ICCID}  # short file identifiers (TS 31.102, TS 102 221)
WITH_DATA = frozenset({0x10, 0x14, AUTHENTICATE, 0xA2, SELECT, 0xD6, 0xDC, 0xDA})
DONE = frozenset({0x90, 0x91, 0x9F, 0x61})  # first octet of a status word that is no refusal

PUSHED_IMEI = re.compile(rb"MRSIMEI(\d{14,16})(?!\d)")
TOLD_NUMBER = re.compile(rb"SIMNUM(\+?\d{6,15})(?!\d)")

FRAME = ("simbank-frame", "DBL/Hybertone remote SIM", "conclusive")
SERVER = ("simbank-server", "SIM bank for DBL/Hybertone gateways", "conclusive")
AUTHENTICATION = ("simbank-authentication", "DBL/Hybertone remote SIM", "conclusive")
IMEI_PUSH = ("simbank-imei-push", "DBL/Hybertone remote SIM", "conclusive")

MOST_SLOTS = 16_384
IDLE = 6 * 3600 * SECOND
MOST_OPEN = 1024
OPEN_IDLE = 600 * SECOND


@dataclass(frozen=True)
class Frame:
    """One frame, and the packet that it began in."""

    packet: Datagram
    line: int
    command: int
    kind: int
    payload: bytes

    @property
    def gateway(self) -> str:
        return self.packet.src if self.kind == FROM_GATEWAY else self.packet.dst

    @property
    def bank(self) -> str:
        return self.packet.dst if self.kind == FROM_GATEWAY else self.packet.src


@dataclass(slots=True)
class Slot:
    """The card of one line as the frames so far tell it."""

    sim: Sim = field(default_factory=Sim)
    watch: Watch = field(default_factory=Watch)
    selected: int | None = None
    asked: int | None = None  # instruction that the card has not answered
    wanted: int | None = None  # file that it reads, where that is one of ours

    @property
    def line(self) -> str | None:
        return self.sim.number or self.sim.imsi

    def reset(self) -> None:
        """Another card may be there: only the IMEI stays."""
        self.sim = Sim(imei=self.sim.imei)
        self.selected = self.asked = self.wanted = None

    def command(self, octets: bytes) -> bool:
        """A command to the card; true for an authentication."""
        self.asked = self.wanted = None
        if len(octets) < 5:
            return False
        self.asked, p1, size = octets[1], octets[2], octets[4]
        if self.asked == SELECT:
            name = octets[5 : 5 + size]
            by_name = p1 == 0x04  # an application, not a file (ISO/IEC 7816-4)
            whole = len(name) == size >= 2 and not by_name
            self.selected = int.from_bytes(name[-2:], "big") if whole else None
        elif self.asked == READ_BINARY:
            short = SHORT_NAMES.get(p1 & 0x1F) if p1 & 0x80 else self.selected
            self.wanted = short if octets[3] == 0 and (p1 & 0x80 or p1 == 0) else None
        elif self.asked == READ_RECORD:
            self.wanted = self.selected
        return self.asked == AUTHENTICATE

    def answer(self, octets: bytes) -> None:
        """The card's answer, led by the instruction or not."""
        asked, wanted = self.asked, self.wanted
        self.asked = self.wanted = None
        if asked is None or len(octets) < 2:
            return
        if asked == SELECT and octets[-2] not in DONE:
            self.selected = None
        elif wanted is not None and octets[-2] in DONE:
            body = octets[:-2]
            led = body[:1] == bytes([asked])
            self.sim = _learn(self.sim, wanted, body[1:] if led else body)


def _learn(sim: Sim, file: int, body: bytes) -> Sim:
    """The SIM with what an elementary file of it says."""
    if file == EF_IMSI:
        return sim._replace(imsi=imsi_of(body) or sim.imsi)
    if file == EF_ICCID:
        return sim._replace(iccid=iccid_of(body) or sim.iccid)
    if file == EF_MSISDN:
        return sim._replace(number=msisdn_of(body) or sim.number)
    return sim


def swapped(octets: bytes) -> str:
    """The digits of octets that hold the first digit in their low half; "f" is filler."""
    text = octets.hex()
    return "".join(text[i + 1] + text[i] for i in range(0, len(text), 2))


def imsi_of(body: bytes) -> str | None:
    """The IMSI in EF IMSI (TS 51.011 clause 10.3.2): length, then parity and digits."""
    if len(body) != 9 or not 1 <= body[0] <= 8:
        return None
    text = swapped(body[1 : 1 + body[0]])
    return simcards.imsi(text[1:].rstrip("f")) if text[0] in "19" else None


def iccid_of(body: bytes) -> str | None:
    """The ICCID in EF ICCID (TS 102 221 clause 13.2): ten octets of digits."""
    text = simcards.iccid(swapped(body)) if len(body) == 10 else None
    return text if text is not None and text.startswith("89") else None


def msisdn_of(record: bytes) -> str | None:
    """The number in a record of EF MSISDN (TS 51.011 clause 10.5.5): its last 14 octets."""
    tail = record[-14:]
    if len(tail) < 14 or not 2 <= tail[0] <= 11:
        return None
    return simcards.line_number(swapped(tail[2 : 1 + tail[0]]).rstrip("f"))


def frame_at(packet: Datagram, octets: bytes) -> Frame | None:
    """The frame that these octets are, from a magic to before the next; None if they are none."""
    if len(octets) < HEADER or not octets.startswith(MAGIC):
        return None
    line = int.from_bytes(octets[4:8], "little")
    command = int.from_bytes(octets[8:10], "little")
    kind = int.from_bytes(octets[10:12], "little")
    if command > LAST_COMMAND or kind > FROM_GATEWAY or line % 100 not in SLOTS:
        return None
    return Frame(packet, line, command, kind, octets[HEADER:LONGEST])


def size_of(octets: bytes) -> int | None:
    """The octets of a frame, where they can be told without the next one's magic."""
    if len(octets) < HEADER:
        return None
    command = int.from_bytes(octets[8:10], "little")
    if command in BARE_FRAMES:
        return HEADER
    if command in TOKEN_FRAMES:
        return HEADER + TOKEN
    relayed = octets[HEADER + TOKEN :]
    if command != CARD or octets[10] != FROM_GATEWAY or len(relayed) < 5:
        return LONGEST if len(octets) >= LONGEST else None
    return HEADER + TOKEN + 5 + (relayed[4] if relayed[1] in WITH_DATA else 0)


class Stream:
    """One direction of a TCP conversation, cut at magics wherever the segments end."""

    def __init__(self) -> None:
        self._held = b""
        self._first: Datagram | None = None  # packet in which the frame that is held began
        self.unlike = 0  # octets in a row without a magic

    def feed(self, packet: Datagram) -> Iterator[Frame | None]:
        """The frames that are whole now."""
        octets, first = self._held + packet.payload, self._first or packet
        self._first = None
        _, *pieces = octets.split(MAGIC)
        if not pieces:
            self.unlike += len(packet.payload)
            self._held = octets[1 - len(MAGIC) :]
            return
        self.unlike = 0
        for piece in pieces[:-1]:
            yield frame_at(first, MAGIC + piece)
            first = packet
        last = MAGIC + pieces[-1]
        size = size_of(last)
        if size is None or len(last) < size:
            self._held, self._first = last, first
            return
        yield frame_at(first, last[:size])
        self._held = last[size:][1 - len(MAGIC) :]

    def flush(self) -> Frame | None:
        """What is held, as a frame: the other side has answered it, or the file ends."""
        held, first = self._held, self._first
        if first is None:
            return None
        self._held, self._first = b"", None
        return frame_at(first, held)


class SimbankConversation:
    """A TCP conversation of frames."""

    def __init__(self, reader: Simbank) -> None:
        self._reader = reader
        self._streams: dict[tuple[str, int], Stream] = {}

    def feed(self, octets: Datagram, out: Sink) -> bool:
        self._reader.alive(self, octets.time, out)
        sender = (octets.src, octets.sport)
        stream = self._streams.setdefault(sender, Stream())
        for other, quiet in self._streams.items():
            if other != sender:
                self._reader.take(quiet.flush(), out)
        for frame in stream.feed(octets):
            self._reader.take(frame, out)
        return any(s.unlike < 4 * LONGEST for s in self._streams.values())

    def gap(self, src: str, sport: int) -> None:
        self._streams.pop((src, sport), None)

    def finish(self, out: Sink) -> None:
        """Take the frames that no magic ended."""
        for stream in self._streams.values():
            self._reader.take(stream.flush(), out)


class Simbank:
    """The reader of remote-SIM frames."""

    name = "simbank"
    udp = Claim(leads=(MAGIC,))
    tcp = Claim(leads=(MAGIC,), ports=PORTS)

    def __init__(self) -> None:
        self._slots: Recent[tuple[str, str, int], Slot] = Recent(MOST_SLOTS, IDLE)
        self._open: Recent[int, SimbankConversation] = Recent(MOST_OPEN, OPEN_IDLE)

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        pieces = packet.payload.split(MAGIC)
        if pieces[0]:
            return False
        frames = [frame_at(packet, MAGIC + piece) for piece in pieces[1:]]
        for frame in frames:
            self.take(frame, out)
        return any(frame is not None for frame in frames)

    def opens(self, segment: Datagram) -> bool:
        octets = segment.payload
        return MAGIC in octets or (bool(octets) and MAGIC.startswith(octets))

    def conversation(self) -> SimbankConversation:
        return SimbankConversation(self)

    def finish(self, out: Sink) -> None:
        """Take what the end of the file left unfinished."""
        for conversation in self._open.drain():
            conversation.finish(out)

    def alive(self, conversation: SimbankConversation, time: int, out: Sink) -> None:
        """Remember a conversation that may hold an unfinished frame."""
        self._open.put(id(conversation), time, conversation)
        for old in self._open.expired(time):
            old.finish(out)

    def take(self, frame: Frame | None, out: Sink) -> None:
        """Read one frame."""
        if frame is None:
            return
        packet = frame.packet
        out.counts["simbank|frame"] += 1
        key = (frame.gateway, frame.bank, frame.line)
        slot = self._slots.touch(key, packet.time, Slot)
        for _ in self._slots.expired(packet.time):
            out.counts["simbank|slot forgotten"] += 1
        self._read(frame, slot, out)
        out.evidence(FRAME, frame.gateway, packet.time, packet.frame, peer=frame.bank)
        out.evidence(SERVER, frame.bank, packet.time, packet.frame, peer=frame.gateway)
        _sight(frame, slot, out)

    def _read(self, frame: Frame, slot: Slot, out: Sink) -> None:
        relayed = frame.payload[TOKEN:]
        if frame.command in {RESET, RESET_ACK}:
            slot.reset()
        elif frame.command != CARD:
            _texts(frame, slot, out)
        elif frame.kind != FROM_GATEWAY:
            slot.answer(relayed)
        elif slot.command(relayed):
            out.counts["simbank|authentication"] += 1
            _tell(AUTHENTICATION, frame, slot, out)


def _texts(frame: Frame, slot: Slot, out: Sink) -> None:
    """What the client's text messages say of the SIM; nothing else of them is kept."""
    pushed = PUSHED_IMEI.search(frame.payload)
    known = simcards.imei(pushed[1].decode()) if pushed else None
    if known is not None:
        slot.sim = slot.sim._replace(imei=known)
        _tell(IMEI_PUSH, frame, slot, out)
    told = TOLD_NUMBER.search(frame.payload)
    number = simcards.line_number(told[1].decode()) if told else None
    if number is not None:
        slot.sim = slot.sim._replace(number=number)


def _tell(signature: tuple[str, str, str], frame: Frame, slot: Slot, out: Sink) -> None:
    packet = frame.packet
    line = slot.line or str(frame.line)
    out.evidence(signature, frame.gateway, packet.time, packet.frame, peer=frame.bank, line=line)


def _sight(frame: Frame, slot: Slot, out: Sink) -> None:
    """A row of the line if it is due; a card that was only reset is no news."""
    packet, sim = frame.packet, slot.sim
    blank = slot.line is None and sim.iccid is None
    if (blank and slot.watch.state is not None and sim.imei == slot.watch.state[2]) or (
        not slot.watch.due(sim, packet.time)
    ):
        return
    out.put(
        SIGHTINGS, seen=packet.time, line=slot.line or str(frame.line), **sim._asdict(),
        host=frame.gateway, peer=frame.bank, account=str(frame.line), port=frame.line % 100,
        protocol="simbank", frame=packet.frame,
    )  # fmt: skip
