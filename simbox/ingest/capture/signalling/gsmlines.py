"""A line of a GSM gateway as its events tell it: the SIM in it, and its calls from state to state.

Call out: DIALING:n, ALERTING:n, CONNECTED:n, IDLE.  Call in: INCOMING:n, ACTIVE, IDLE.  HANGUP with
its cause comes before or after IDLE, RECORD with direction and number somewhere between.  Any of
them may be missing from a capture.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simbox.ingest.capture.protocol import Datagram
from simbox.ingest.capture.signalling import simcards
from simbox.ingest.capture.signalling.attempts import MOST_FRAMES
from simbox.ingest.capture.signalling.simcards import SECOND, Sim, Watch
from simbox.ingest.capture.sink import Sink
from simbox.tables import DIALOGS, SIGHTINGS

SETTLED = 5 * SECOND  # after the end of a call its cause may still come
LONGEST_PARTY = 32  # characters of a number dialled, codes and names among them

#: Q.850 causes of what a module says of a call's end (TS 24.008 annex H; V.250 result codes).
CAUSES = (
    ("NO CARRIER", 16), ("NORMAL", 16), ("USER BUSY", 17), ("BUSY", 17), ("NO USER", 18),
    ("NO ANSWER", 19), ("USER ALERTING", 19), ("NO DIALTONE", 27), ("NO DIAL TONE", 27),
    ("UNASSIGNED", 1), ("UNALLOCATED", 1), ("NO ROUTE", 3), ("CALL REJECTED", 21),
    ("NUMBER CHANGED", 22), ("DESTINATION OUT OF ORDER", 27), ("INVALID NUMBER", 28),
    ("NO CIRCUIT", 34), ("NETWORK OUT OF ORDER", 38), ("TEMPORARY", 41), ("SWITCHING", 42),
)  # fmt: skip


def cause_of(text: str) -> int | None:
    """The Q.850 cause of a hangup text, which may be the cause itself; None when not known."""
    said = text.strip(" \"'").upper()
    if said.isascii() and said.isdigit() and len(said) <= 3:
        return int(said) if 0 < int(said) < 128 else None
    return next((cause for start, cause in CAUSES if said.startswith(start)), None)


def party(text: str | None) -> str | None:
    """The other side of a call or text: its number, else the code or name that stands there."""
    return simcards.number(text) or simcards.plain(text, LONGEST_PARTY)


@dataclass(slots=True)
class Call:
    """A call of one line, from its first state to its last."""

    first: Datagram
    outgoing: bool
    number: str | None
    line: str
    last_seen: int
    ringing: int | None = None
    answered: int | None = None
    end: int | None = None
    cause: int | None = None
    frames: list[int] = field(default_factory=list)
    messages: int = 0

    def seen(self, packet: Datagram) -> None:
        self.messages += 1
        self.last_seen = max(self.last_seen, packet.time)
        if len(self.frames) < MOST_FRAMES:
            self.frames.append(packet.frame)

    def is_of(self, number: str | None) -> bool:
        """Whether an event with this number may be of this call, still under way."""
        same = self.number is None or number is None or self.number == number
        return self.end is None and same


@dataclass(slots=True)
class Line:
    """A line of a gateway: its account at the server, its SIM and its call."""

    host: str
    account: str
    port: int | None = None
    sim: Sim = field(default_factory=Sim)
    cell: str | None = None
    operator: str | None = None
    signal: int | None = None
    state: str | None = None
    watch: Watch = field(default_factory=Watch)
    call: Call | None = None
    heard: dict[str, str] = field(default_factory=dict)  # number of the last event of each kind
    said: tuple[str | None, ...] = ()  # the fields that were learnt last

    @property
    def name(self) -> str:
        """What the line is called: its number, else its IMSI, else its account."""
        return self.sim.number or self.sim.imsi or self.account

    def sight(self, packet: Datagram, out: Sink) -> None:
        """A row of the SIM in the line, if it is due."""
        state = (self.sim, self.cell, self.operator, self.state, self.port, packet.dst)
        if self.watch.due(state, packet.time):
            row = (
                packet.time, self.name, *self.sim, self.cell, self.operator, self.signal,
                self.state, self.host, packet.dst, self.account, self.port, "goip", None,
                packet.frame,
            )  # fmt: skip
            out.put_row(SIGHTINGS, row)

    def change(self, value: str, packet: Datagram, out: Sink) -> None:
        """A state, with the number after a colon where there is one."""
        word, _, told = value.partition(":")
        word, number = word.strip().upper(), party(told)
        if word in {"DIALING", "INCOMING"}:
            if self.call is not None and (self.call.answered or self.call.ringing):
                self.close(out)  # its end was not captured
            self.begin(number, packet, out, outgoing=word == "DIALING")
        elif word in {"ALERTING", "CONNECTED"}:
            under_way = self.call is not None and self.call.is_of(number)
            outgoing = self.call.outgoing if self.call is not None and under_way else True
            call = self.begin(number, packet, out, outgoing=outgoing)
            self._progress(call, word, packet.time)
        elif word == "ACTIVE" and self.call is not None and self.call.end is None:
            self.call.seen(packet)
            self._progress(self.call, word, packet.time)
        elif word == "IDLE":
            self.end(packet, out)

    def begin(self, number: str | None, packet: Datagram, out: Sink, *, outgoing: bool) -> Call:
        """The call that an event is of; a new one when it cannot be the one under way."""
        call = self.call
        if call is None or call.outgoing != outgoing or not call.is_of(number):
            self.close(out)
            call = self.call = Call(packet, outgoing, number, self.name, packet.time)
        call.number = call.number or number
        call.seen(packet)
        return call

    def record(self, number: str | None, packet: Datagram, out: Sink, *, outgoing: bool) -> None:
        """The device's record of a call, which it may write when the call is over."""
        call = self.call
        over = call is not None and call.end is not None and call.outgoing == outgoing
        if call is not None and over and number in {None, call.number}:
            call.seen(packet)
        else:
            self.begin(number, packet, out, outgoing=outgoing)

    def end(self, packet: Datagram, out: Sink, cause: str | None = None) -> None:
        """IDLE, or HANGUP with its cause: of the two the first ends the call."""
        call = self.call
        if call is None:
            return
        call.seen(packet)
        if cause is not None:
            call.cause = cause_of(cause)
        if call.end is None:
            call.end = packet.time
        else:
            self.close(out)

    def settle(self, time: int, out: Sink) -> None:
        """Close a call that ended a while ago."""
        if self.call is not None and self.call.end is not None and time - self.call.end > SETTLED:
            self.close(out)

    def close(self, out: Sink) -> None:
        """Put the row of the call that there is, ended or not."""
        call, self.call = self.call, None
        if call is None:
            return
        first = call.first
        device, server = (first.src, first.sport), (first.dst, first.dport)
        src, dst = (device, server) if call.outgoing else (server, device)
        line = self.name if call.line == self.account else call.line
        users = (line, call.number) if call.outgoing else (call.number, line)
        ringing = None if call.ringing is None else (call.ringing - first.time) / SECOND
        out.put(
            DIALOGS, start=first.time, ringing_at=call.ringing, answered_at=call.answered,
            end=call.end, last_seen=call.last_seen, protocol="goip", method="INVITE",
            call_id=f"{self.account}-{first.frame}@{self.host}", cause=call.cause,
            from_user=users[0], to_user=users[1], request_user=users[1], src=src[0],
            src_port=src[1], dst=dst[0], dst_port=dst[1], pdd_s=ringing,
            messages=call.messages, port=self.port, frame=first.frame, frames=call.frames,
        )  # fmt: skip
        out.counts["goip|call"] += 1

    @staticmethod
    def _progress(call: Call, word: str, time: int) -> None:
        if word == "ALERTING":
            call.ringing = call.ringing or time
        else:
            call.answered = call.answered or time
