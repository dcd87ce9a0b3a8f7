"""RTP streams as columns: all packets of a stretch of time at once."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.wire import UDP, End, Link, Packet, pseudo_sum, word_sum

Octets = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

AUDIO_FRAMES = 8  # different frames of audio: content tells nothing, so files compress well
MILLISECOND = 1_000_000
TICK_NS = 50_000  # the capturing port stamps in steps, which compresses well too


@dataclass(frozen=True)
class Block:
    """Frames of one captured length."""

    time: Ints  # nanoseconds since 1970-01-01 UTC
    wire: int  # octets that each frame had
    rows: Octets  # (frames, captured octets)


@dataclass(frozen=True)
class Stream:
    """An RTP stream in one direction (RFC 3550)."""

    start: int  # nanoseconds since 1970-01-01 UTC
    packets: int
    src: End
    dst: End
    ssrc: int
    payload_type: int = 8
    octets: int = 160
    ptime_ms: int = 20
    ticks: int = 160
    loss: float = 0.003
    jitter_ns: int = MILLISECOND
    ttl: int = 64

    @property
    def step(self) -> int:
        """Nanoseconds from packet to packet."""
        return self.ptime_ms * MILLISECOND

    @property
    def end(self) -> int:
        return self.start + self.packets * self.step

    def frame(self, link: Link) -> bytes:
        """Its frame with number, time stamp and audio zero, and the UDP checksum still a sum."""
        rtp = struct.pack("!BBHII", 0x80, self.payload_type, 0, 0, self.ssrc)
        ports = struct.pack("!HHHH", self.src[1], self.dst[1], 20 + self.octets, 0)
        total = pseudo_sum(self.src[0], self.dst[0], UDP, 20 + self.octets)
        total += word_sum(ports) + word_sum(rtp)
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        segment = ports[:6] + total.to_bytes(2, "big") + rtp + bytes(self.octets)
        packet = Packet(0, self.src[0], self.dst[0], UDP, segment, self.ttl)
        return link.frames(packet)[0]


def scramble(values: Ints) -> npt.NDArray[np.uint64]:
    """Numbers that look random and depend on nothing but the values (SplitMix64)."""
    with np.errstate(over="ignore"):
        z = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def put(rows: Octets, at: int, width: int, values: Ints) -> None:
    """Write big-endian numbers into the columns from `at`."""
    for i in range(width):
        rows[:, at + i] = (values >> 8 * (width - 1 - i)) & 255


def audio(octets: int) -> Octets:
    """A few frames of quiet A-law hiss."""
    rng = np.random.default_rng(8000)
    return (0xD5 ^ rng.integers(0, 4, (AUDIO_FRAMES, octets))).astype(np.uint8)


def spoken(streams: Sequence[Stream], link: Link, span: tuple[int, int], kept: int) -> list[Block]:
    """The packets that the streams send in the span, with `kept` octets of audio each."""
    begin, end = span
    heard = [s for s in streams if s.start < end and s.end > begin]
    shapes = sorted({(s.octets, len(s.frame(link))) for s in heard})
    return [
        _same_size([s for s in heard if (s.octets, len(s.frame(link))) == shape], link, span, kept)
        for shape in shapes
    ]


def _same_size(streams: list[Stream], link: Link, span: tuple[int, int], kept: int) -> Block:
    numbers = [(s.start, s.step, s.packets, s.ssrc, s.ticks, s.jitter_ns) for s in streams]
    start, step, packets, ssrc, ticks, jitter = np.array(numbers, dtype=np.int64).T
    first = np.clip(-((start - span[0]) // step), 0, packets)
    counts = np.clip(-((start - span[1]) // step), 0, packets) - first
    which = np.repeat(np.arange(len(streams)), counts)
    k = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    chance = scramble(ssrc[which] << 24 ^ k)
    loss = np.array([s.loss for s in streams])[which]
    there = (chance & np.uint64(0xFFFFFF)).astype(np.float64) / 2**24 >= loss
    which, k, chance = which[there], k[there], chance[there]
    share = ((chance >> np.uint64(24)) & np.uint64(0xFFFF)).astype(np.float64) + 0.5
    late = (-np.log(share / 65536) * jitter[which]).astype(np.int64)
    time = start[which] + k * step[which] + np.minimum(late, step[which] - TICK_NS)
    time = np.minimum(time // TICK_NS * TICK_NS, span[1] - 1)
    frames = np.array([np.frombuffer(s.frame(link), np.uint8) for s in streams])
    rows = _patched(frames[which], streams[0].octets, (ssrc[which], k, ticks[which]))
    captured = rows.shape[1] - max(streams[0].octets - kept, 0)
    return Block(time, rows.shape[1], rows[:, :captured])


def _patched(rows: Octets, octets: int, counted: tuple[Ints, Ints, Ints]) -> Octets:
    """The rows with marker, number, time stamp, audio and checksum of each packet."""
    ssrc, k, ticks = counted
    rtp = rows.shape[1] - octets - 12
    number = (ssrc + k) & 0xFFFF
    stamp = (ssrc * 7919 + k * ticks) & 0xFFFFFFFF
    marker = np.where(k == 0, 0x80, 0)
    rows[:, rtp + 1] |= marker.astype(np.uint8)
    put(rows, rtp + 2, 2, number)
    put(rows, rtp + 4, 4, stamp)
    sounds = audio(octets)
    sums = np.array([word_sum(frame.tobytes()) for frame in sounds])
    chosen = (ssrc + k) % AUDIO_FRAMES
    rows[:, rtp + 12 :] = sounds[chosen]
    total = rows[:, rtp - 2].astype(np.int64) * 256 + rows[:, rtp - 1]
    total += marker + number + (stamp >> 16) + (stamp & 0xFFFF) + sums[chosen]
    for _ in range(2):
        total = (total & 0xFFFF) + (total >> 16)
    check = ~total & 0xFFFF
    put(rows, rtp - 2, 2, np.where(check == 0, 0xFFFF, check))
    return rows
