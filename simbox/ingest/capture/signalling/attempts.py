"""A call attempt as signalling without Call-ID tells it: who called whom, when, how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from simbox.ingest.capture.protocol import Datagram
from simbox.ingest.capture.signalling.simcards import SECOND
from simbox.ingest.capture.sink import Sink
from simbox.tables import DIALOGS

MOST_FRAMES = 32
MOST_MESSAGES = (1 << 32) - 1
BUSY, CONGESTION, INVALID_NUMBER = 17, 42, 28  # Q.850

End = tuple[str, int]  # address and port


@dataclass(slots=True)
class Attempt:
    """A call attempt, or a registration, from its first message to its last; times in ns."""

    protocol: str
    call_id: str
    src: End  # the calling side
    dst: End
    start: int
    frame: int
    last_seen: int
    method: str = "INVITE"
    calling: str | None = None
    called: str | None = None
    to_user: str | None = None  # where it is not the number called
    user: str | None = None  # of credentials
    contact: str | None = None  # the caller's own word for its address
    challenged: bool | None = None
    status: int | None = None  # as SIP
    expires: int | None = None  # seconds
    cause: int | None = None  # Q.850
    ringing: int | None = None
    answered: int | None = None
    end: int | None = None
    hangup_by: str | None = None
    messages: int = 0
    frames: list[int] = field(default_factory=list)
    told: bool = False  # its row is out

    def seen(self, packet: Datagram) -> None:
        """Count a message of the attempt."""
        self.messages = min(self.messages + 1, MOST_MESSAGES)
        self.last_seen = max(self.last_seen, packet.time)
        if len(self.frames) < MOST_FRAMES and packet.frame not in self.frames[-1:]:
            self.frames.append(packet.frame)

    def rings(self, time: int) -> None:
        """The called side is alerted; what comes after the answer or the end is late."""
        if self.ringing is None and self.answered is None and self.end is None:
            self.ringing = time

    def answer(self, time: int) -> None:
        """The called side has answered."""
        if self.answered is None and self.end is None:
            self.answered = time

    def finish(self, time: int, by: str | None = None, cause: int | None = None) -> None:
        """The attempt is over; the first word of it counts, a cause may follow."""
        if self.end is None:
            self.end, self.hangup_by = time, by
        self.cause = self.cause or cause

    def put(self, out: Sink) -> None:
        """The row of the attempt, once."""
        if self.told:
            return
        self.told = True
        delay = None if self.ringing is None else max(self.ringing - self.start, 0) / SECOND
        out.put(
            DIALOGS, start=self.start, ringing_at=self.ringing, answered_at=self.answered,
            end=self.end, last_seen=self.last_seen, protocol=self.protocol, method=self.method,
            call_id=self.call_id, status_code=self.status, cause=self.cause,
            from_user=self.calling, to_user=self.to_user or self.called,
            request_user=self.called, auth_user=self.user, expires=self.expires,
            contact_host=self.contact, challenged=self.challenged,
            src=self.src[0], src_port=self.src[1], dst=self.dst[0], dst_port=self.dst[1],
            hangup_by=self.hangup_by, pdd_s=delay, messages=self.messages, frame=self.frame,
            frames=self.frames,
        )  # fmt: skip
        kind = "call" if self.method == "INVITE" else self.method.lower()
        out.counts[f"{self.protocol}|{kind}"] += 1


def attempt(protocol: str, call_id: str, packet: Datagram, *, back: bool = False) -> Attempt:
    """A new attempt that begins with a packet of its calling side, with ``back`` of the called."""
    ends = (packet.src, packet.sport), (packet.dst, packet.dport)
    src, dst = ends[::-1] if back else ends
    begun = Attempt(protocol, call_id, src, dst, packet.time, packet.frame, packet.time)
    begun.seen(packet)
    return begun
