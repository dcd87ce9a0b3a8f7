"""Capture files and frames made by hand, and a naive reader of both formats."""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simbox.ingest.capture.packets.columns import PAD, Frames
from simbox.ingest.capture.records.file import BATCH_OCTETS, CaptureFile, open_capture
from simbox.ingest.sources import Source

T0 = 1_700_000_000_000_000_000  # nanoseconds


class Record(NamedTuple):
    number: int
    time: int
    wire: int
    link: int
    octets: bytes


def pcap(
    frames: list[bytes], *, order: str = "<", magic: int = 0xA1B2C3D4, link: int = 1, cut: int = 0
) -> bytes:
    """A pcap file, one frame a second; ``cut`` octets of each are on the wire only."""
    unit = 1 if magic == 0xA1B23C4D else 1000
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)]
    for at, frame in enumerate(frames):
        seconds, rest = divmod(T0 + at * 1_000_123_000, 10**9)
        out.append(struct.pack(order + "IIII", seconds, rest // unit, len(frame), len(frame) + cut))
        if magic == 0xA1B2CD34:
            out.append(bytes(8))
        out.append(frame)
    return b"".join(out)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(
    order: str = "<",
    *,
    link: int = 1,
    snaplen: int = 0,
    options: list[tuple[int, bytes]] | None = None,
) -> bytes:
    body = struct.pack(order + "HHI", link, 0, snaplen)
    for code, value in options or []:
        body += struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
    return block(1, body, order)


def enhanced(ticks: int, frame: bytes, order: str = "<", *, at: int = 0, wire: int = 0) -> bytes:
    head = struct.pack(
        order + "IIIII", at, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), max(wire, len(frame))
    )
    return block(6, head + frame, order)


def naive(content: bytes) -> list[Record]:
    """The records of a plain little-endian microsecond pcap file, one after the other."""
    found, at = [], 24
    while at + 16 <= len(content):
        seconds, micro, size, wire = struct.unpack_from("<IIII", content, at)
        if size > 262144 or at + 16 + size > len(content):
            break
        octets = content[at + 16 : at + 16 + size]
        time = seconds * 10**9 + micro * 1000
        found.append(Record(len(found) + 1, time, max(wire, size), 1, octets))
        at += 16 + size
    return found


def rows(frames: Frames) -> list[Record]:
    return [
        Record(
            int(frames.number[at]), int(frames.time[at]), int(frames.wire[at]),
            int(frames.link[at]), frames.octets(at),
        )
        for at in range(len(frames))
    ]  # fmt: skip


def read_all(file: Path, batch: int = BATCH_OCTETS) -> tuple[list[Record], CaptureFile]:
    with open_capture(Source(file), batch) as capture:
        found = [record for frames in capture for record in rows(frames)]
    return found, capture


def frames_of(octets: list[bytes], *, link: int = 1, missing: int = 0, time: int = T0) -> Frames:
    """Frames in memory, a millisecond apart."""
    sizes = np.array([len(o) for o in octets], np.int64)
    return Frames(
        data=np.frombuffer(b"".join(octets) + bytes(PAD), np.uint8),
        start=np.cumsum(sizes) - sizes,
        captured=sizes,
        wire=sizes + missing,
        time=time + np.arange(len(octets)) * 1_000_000,
        number=np.arange(len(octets)) + 1,
        link=np.full(len(octets), link, np.uint16),
    )


def udp(payload: bytes, sport: int = 5060, dport: int = 5062) -> bytes:
    return struct.pack(">HHHH", sport, dport, len(payload) + 8, 0) + payload


def ipv4(
    inner: bytes, protocol: int = 17, *, src: str = "192.0.2.1", dst: str = "198.51.100.2",
    options: bytes = b"", ident: int = 1, fragment: int = 0, total: int | None = None,
) -> bytes:  # fmt: skip
    length = 20 + len(options)
    size = length + len(inner) if total is None else total
    fixed = struct.pack(">BBHHHBBH", 0x40 | length // 4, 0, size, ident, fragment, 61, protocol, 0)
    ends = ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed
    return fixed + ends + options + inner


def ipv6(
    inner: bytes, protocol: int = 17, *, src: str = "2001:db8::1", dst: str = "2001:db8::2"
) -> bytes:
    fixed = struct.pack(">IHBB", 0x60000000, len(inner), protocol, 55)
    return fixed + ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed + inner


def ethernet(inner: bytes, kind: int = 0x0800) -> bytes:
    return bytes.fromhex("020000000001020000000002") + kind.to_bytes(2) + inner
