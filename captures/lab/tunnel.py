"""A scene inside an encrypted tunnel: sizes, rates and message types as WireGuard has them."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np

from lab.scene import SECOND, Scene
from lab.voice import Block
from lab.wire import UDP, End, Link, Packet

HANDSHAKE, RESPONSE, DATA = 1, 2, 4
HANDSHAKE_S = 120.0
OVERHEAD = 32  # octets of type, receiver, counter and tag
IPV4, UDP_HEADER = 20, 8


def tunnelled(inner: Scene, home: End, far: End, *, kept: int = 64) -> Scene:
    """The outer scene; `kept` octets of each message are in the capture.

    Home is the end whose inner addresses are those of the inner scene's truth.
    """
    ours = {line.host for line in inner.truth}
    clear = replace(inner, link=Link("raw"), media_octets=1500)
    outer = Scene(inner.link, inner.start, inner.until)
    sizes: dict[tuple[bool, int], list[int]] = {}
    for singles, blocks in clear.chunks():
        for at, packet, _ in singles:
            sizes.setdefault((_source(packet[:20]) in ours, len(packet)), []).append(at)
        for block in blocks:
            sources = block.rows[:, 12:16]
            up = np.array([".".join(map(str, row)) in ours for row in sources.tolist()], bool)
            for way in (True, False):
                times = block.time[up == way].tolist()
                sizes.setdefault((way, block.wire), []).extend(times)
    outer.truth = [replace(line, host=home[0], kind="gateway in a tunnel") for line in inner.truth]
    for way, ends in ((True, (home, far)), (False, (far, home))):
        mine = {size: times for (up, size), times in sizes.items() if up == way}
        outer.blocks += _messages(outer.link, ends, mine, kept)
    _handshakes(outer, home, far)
    return outer


def _source(packet: bytes) -> str:
    return ".".join(str(octet) for octet in packet[12:16])


def _messages(
    link: Link, ends: tuple[End, End], times: dict[int, list[int]], kept: int
) -> list[Block]:
    """Data messages of one direction: the counter goes up from message to message."""
    every = np.sort(np.concatenate([np.array(t, np.int64) for t in times.values()]))
    rng = np.random.default_rng(len(every))
    receiver = rng.bytes(4)
    blocks = []
    for size, moments in sorted(times.items()):
        time = np.sort(np.array(moments, np.int64))
        inside = -(-size // 16) * 16 + OVERHEAD
        ports = struct.pack("!HHHH", ends[0][1], ends[1][1], UDP_HEADER + inside, 0)
        message = bytes([DATA, 0, 0, 0]) + receiver + bytes(inside - 8)
        frame = link.frames(Packet(0, ends[0][0], ends[1][0], UDP, ports + message))[0]
        head = len(frame) - inside
        rows = np.tile(np.frombuffer(frame[: head + min(kept, inside)], np.uint8), (len(time), 1))
        counter = np.searchsorted(every, time).astype("<u8")
        rows[:, head + 8 : head + 16] = counter.view(np.uint8).reshape(-1, 8)
        sealed = rows.shape[1] - head - 16
        rows[:, head + 16 :] = rng.integers(0, 256, (len(time), sealed), dtype=np.uint8)
        blocks.append(Block(time, len(frame), rows))
    return blocks


def _handshakes(scene: Scene, home: End, far: End) -> None:
    """A handshake every two minutes."""
    last = max(int(block.time.max()) for block in scene.blocks)
    rng = np.random.default_rng(last)
    for at in np.arange(0.02, (last - scene.start * SECOND) / SECOND, HANDSHAKE_S).tolist():
        scene.say(at, home, far, bytes([HANDSHAKE, 0, 0, 0]) + rng.bytes(144))
        scene.say(at + 0.04, far, home, bytes([RESPONSE, 0, 0, 0]) + rng.bytes(88))
