"""What a protocol file offers: which packets it may claim, and how it reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from simbox.ingest.capture.sink import Sink


class Datagram(NamedTuple):
    """One UDP payload, or the next octets in order of one direction of a TCP conversation."""

    time: int  # nanoseconds since 1970-01-01 UTC
    frame: int
    src: str
    sport: int
    dst: str
    dport: int
    payload: bytes
    transport: Literal["udp", "tcp"] = "udp"
    mac: str = ""  # Ethernet source address of the frame, 38:3f:10:00:00:01; empty without Ethernet
    ttl: int = 0
    length: int = 0  # octets of the payload on the wire: more than are there if the frame was cut


@dataclass(frozen=True)
class Claim:
    """Which payloads a reader wants to see, tested on columns before any Python sees a packet."""

    leads: tuple[bytes, ...] = ()  # what the payload may begin with, at least two octets each
    ports: frozenset[int] = frozenset()  # at either end, whatever the payload begins with


class Conversation(Protocol):
    """The state of one TCP conversation of a protocol."""

    def feed(self, octets: Datagram, out: Sink) -> bool:
        """Read the next octets of one direction; False when no more of them are wanted."""
        ...

    def gap(self, src: str, sport: int) -> None:
        """Octets of that sender's direction are missing before the next ones."""
        ...


@runtime_checkable
class Finishing(Protocol):
    """A reader that holds something until the end of the file."""

    def finish(self, out: Sink) -> None:
        """Put the rows of what is still open."""
        ...


class Reader(Protocol):
    """The reader of one protocol, of which one instance serves a file.

    ``datagram`` gets UDP payloads that ``udp`` claims, in the order of the registry until a reader
    says that the payload was of its protocol.  ``opens`` gets TCP segments that ``tcp`` claims and
    says whether the conversation is to be reassembled, from this segment on.
    """

    name: str
    udp: Claim
    tcp: Claim

    def datagram(self, packet: Datagram, out: Sink) -> bool: ...

    def opens(self, segment: Datagram) -> bool: ...

    def conversation(self) -> Conversation: ...


class DatagramReader:
    """What a reader without any TCP side need not say again."""

    tcp = Claim()

    def opens(self, segment: Datagram) -> bool:
        """False: TCP is not read."""
        del segment
        return False

    def conversation(self) -> Conversation:
        """Never asked for.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"{type(self).__name__} is read from datagrams")


class StreamReader:
    """What a reader without any UDP side need not say again."""

    udp = Claim()

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        """False: UDP is not read."""
        del packet, out
        return False
