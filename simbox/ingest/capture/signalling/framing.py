"""One direction of a TCP conversation, cut into the messages whose length stands in their head."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simbox.ingest.capture.protocol import Datagram

MOST_BAD = 16  # runs of octets that are no message, before a direction is given up

#: The octets of a message by its first octets: 0 where they do not tell yet, None for no message.
Size = Callable[[bytes], int | None]


class Framed:
    """The messages of one sender, found again at a segment's start after octets were missing."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._held = b""
        self._first: Datagram | None = None
        self._bad = 0

    @property
    def lost(self) -> bool:
        """There is too much that is no message."""
        return self._bad >= MOST_BAD

    def gap(self) -> None:
        """Octets are missing before the next ones."""
        self._held, self._first = b"", None

    def feed(self, packet: Datagram) -> Iterator[tuple[Datagram, bytes]]:
        """The messages that are whole now, each with the packet in which it began."""
        octets = self._held + packet.payload
        first = self._first if self._held and self._first is not None else packet
        at = 0
        while at < len(octets) and not self.lost:
            size = self._size(octets[at : at + 64])
            if size is None:
                self._bad += 1
                at = len(octets)
            elif not size or at + size > len(octets):
                break
            else:
                yield first, octets[at : at + size]
                at += size
                first = packet
        self._held = b"" if self.lost else octets[at:]
        self._first = first._replace(payload=b"") if self._held else None


class Directions:
    """Both directions of a conversation."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._of: dict[tuple[str, int], Framed] = {}

    def feed(self, packet: Datagram) -> Iterator[tuple[Datagram, bytes]]:
        """The messages of the sender that are whole now."""
        return self._direction(packet.src, packet.sport).feed(packet)

    def gap(self, src: str, sport: int) -> None:
        """Octets of that sender are missing before the next ones."""
        self._direction(src, sport).gap()

    @property
    def lost(self) -> bool:
        """Nothing more is to be expected of any side that has sent something."""
        return bool(self._of) and all(direction.lost for direction in self._of.values())

    def _direction(self, src: str, sport: int) -> Framed:
        return self._of.setdefault((src, sport), Framed(self._size))
