"""A scene: everything that passes on one link in virtual time, and the truth about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from lab.voice import Block, Stream, spoken
from lab.wire import ACK, FIN, PSH, SYN, TCP, UDP, End, Link, Packet, Segment, tcp, udp

SECOND = 1_000_000_000
CHUNK_S = 20
START = 1_741_657_200  # Tuesday 11 March 2025, 09:40 in Asia/Shanghai
SYN_OPTIONS = bytes.fromhex("020405b40402080a000000010000000001030302")
TCP_DELAY_S = 0.03  # one way
TWICE, SWAPPED = 37, 53  # every so many segments one is sent again, or two change places

Frame = tuple[int, bytes, int]  # nanoseconds, captured octets, octets on the wire
Said = tuple[float, End, End, bytes]  # when, from, to, what


@dataclass(frozen=True)
class TruthLine:
    """What a host, or one line of it, really is."""

    host: str
    kind: str
    ports: int = 0
    port: int | None = None
    account: str | None = None
    number: str | None = None
    imsi: str | None = None
    imei: str | None = None
    iccid: str | None = None
    calls: int = 0
    answered: int = 0


@dataclass
class Scene:
    """What is on the wire; seconds count from its start."""

    link: Link = field(default_factory=Link)
    start: int = START  # seconds since 1970-01-01 UTC
    until: float = 1e6  # seconds after which the capture stops, whatever is under way
    media_octets: int = 1500  # octets of audio that the capture keeps
    snap: int = 65_535  # octets of a frame that the capture keeps
    packets: list[Packet] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    over_tcp: dict[tuple[End, End], list[Said]] = field(default_factory=dict)
    truth: list[TruthLine] = field(default_factory=list)

    def at(self, seconds: float) -> int:
        """A moment as nanoseconds since 1970-01-01 UTC."""
        return self.start * SECOND + round(seconds * 1e6) * 1000

    def say(self, at: float, src: End, dst: End, payload: bytes, ident: int = 0) -> None:
        """One UDP datagram."""
        segment = udp(src, dst, payload)
        self.packets.append(Packet(self.at(at), src[0], dst[0], UDP, segment, ident=ident))

    def write(self, said: Said, client: End, server: End) -> None:
        """A message on the TCP connection between client and server."""
        self.over_tcp.setdefault((client, server), []).append(said)

    def speak(self, at: float, seconds: float, **stream: object) -> None:
        """An RTP stream; the rest of its fields by name."""
        step = int(str(stream.get("ptime_ms", 20)))
        packets = max(0, int(seconds * 1000) // step)
        self.streams.append(Stream(self.at(at), packets, **stream))  # type: ignore[arg-type]

    def close(self) -> None:
        """Lay out the TCP connections as packets."""
        for (client, server), said in self.over_tcp.items():
            self.packets += connection(self, client, server, sorted(said, key=lambda s: s[0]))
        self.over_tcp = {}

    def chunks(self) -> Iterator[tuple[list[Frame], list[Block]]]:
        """Single frames and blocks of frames, a stretch of time after the other."""
        self.close()
        singles = sorted(self.packets, key=lambda packet: packet.time)
        moments = [p.time for p in singles[-1:]] + [s.end for s in self.streams]
        moments += [int(b.time.max()) for b in self.blocks]
        begin, done = self.start * SECOND, 0
        last = min(max(moments), self.at(self.until))
        while begin <= last:
            end, frames = min(begin + CHUNK_S * SECOND, last + 1), []
            while done < len(singles) and singles[done].time < end:
                packet = singles[done]
                frames += self._frames(packet)
                done += 1
            bulk = spoken(self.streams, self.link, (begin, end), self.media_octets)
            bulk += [_between(block, begin, end) for block in self.blocks]
            yield frames, bulk
            begin = end

    def _frames(self, packet: Packet) -> list[Frame]:
        """A packet's frames; some fragments overtake each other."""
        frames = self.link.frames(packet)
        if packet.ident % 4 == 0:
            frames.reverse()
        return [(packet.time, frame[: self.snap], len(frame)) for frame in frames]


def _between(block: Block, begin: int, end: int) -> Block:
    inside = (block.time >= begin) & (block.time < end)
    return Block(block.time[inside], block.wire, block.rows[inside])


def connection(scene: Scene, client: End, server: End, said: list[Said]) -> list[Packet]:
    """The packets of a TCP connection: some segments come twice, some change places."""
    opened = said[0][0] - 4 * TCP_DELAY_S
    seed = client[1] * 65_537 + server[1]
    position = {client: seed * 31_337 % 2**32, server: seed * 27_449 % 2**32}
    found: list[tuple[float, End, End, Segment, bytes]] = []
    syn = Segment(position[client], 0, SYN, SYN_OPTIONS)
    found.append((opened, client, server, syn, b""))
    position[client] += 1
    both = Segment(position[server], position[client], SYN | ACK, SYN_OPTIONS)
    found.append((opened + TCP_DELAY_S, server, client, both, b""))
    position[server] += 1
    done = Segment(position[client], position[server], ACK)
    found.append((opened + 2 * TCP_DELAY_S, client, server, done, b""))
    for count, (at, src, dst, part) in enumerate(_segments(said), 1):
        segment = Segment(position[src], position[dst], PSH | ACK)
        position[src] += len(part)
        found.append((at, src, dst, segment, part))
        if count % TWICE == 0:
            found.append((at + 0.2, src, dst, segment, part))
        if count % SWAPPED == 0 and found[-2][1] == src and found[-2][4]:
            (before, *rest), (after, *other) = found[-2:]
            found[-2:] = [(after, *rest), (before, *other)]
        heard = Segment(position[dst], position[src], ACK)
        found.append((at + TCP_DELAY_S, dst, src, heard, b""))
    for src, dst in ((client, server), (server, client)):
        closing = Segment(position[src], position[dst], FIN | ACK)
        found.append((said[-1][0] + 1 + TCP_DELAY_S * (src == server), src, dst, closing, b""))
        position[src] += 1
    return [
        Packet(scene.at(at), src[0], dst[0], TCP, tcp(src, dst, segment, part))
        for at, src, dst, segment, part in found
    ]


def _segments(said: list[Said]) -> Iterator[Said]:
    """Messages as segments: what follows at once shares one, what is long is cut."""
    waiting: list[Said] = []
    for message in said:
        if waiting and (message[1] != waiting[0][1] or message[0] - waiting[0][0] > 0.003):
            yield from _cut(waiting)
            waiting = []
        waiting.append(message)
    yield from _cut(waiting)


def _cut(messages: list[Said]) -> Iterator[Said]:
    at, src, dst, _ = messages[0]
    stream = b"".join(message[3] for message in messages)
    for i, begin in enumerate(range(0, len(stream), 1340)):
        yield at + i * 0.0004, src, dst, stream[begin : begin + 1340]


def rng_of(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for each part of a scene."""
    return np.random.default_rng([seed, *(sum(name.encode()) for name in names)])
