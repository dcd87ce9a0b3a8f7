"""Capture files as plain lists, read without simbox."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import zstandard

Frame = tuple[float, bytes, int]  # seconds, captured octets, octets on the wire

INVITE = re.compile(rb"INVITE sip:(\d+)@([\d.]+)")


def content(path: Path) -> bytes:
    """The octets of a capture file, unpacked."""
    raw = path.read_bytes()
    if path.suffix != ".zst":
        return raw
    return zstandard.ZstdDecompressor().decompressobj().decompress(raw)


def luhn_sum(digits: str) -> int:
    """The Luhn sum of an IMEI or ICCID; a multiple of ten when the check digit is right."""
    doubled = (str(2 * int(d)) for d in digits[-2::-2])
    return sum(int(d) for d in digits[::-2]) + sum(int(d) for two in doubled for d in two)


def frames(path: Path) -> Iterator[Frame]:
    """The frames of a little-endian pcap or of a pcapng whose packets are all in EPBs."""
    data = content(path)
    return _blocks(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else _records(data)


def _records(data: bytes) -> Iterator[Frame]:
    at = 24
    while at + 16 <= len(data):
        seconds, micros, size, wire = struct.unpack_from("<IIII", data, at)
        if at + 16 + size > len(data):
            return
        yield seconds + micros / 1e6, data[at + 16 : at + 16 + size], wire
        at += 16 + size


def _blocks(data: bytes) -> Iterator[Frame]:
    at = 0
    while at < len(data):
        kind, total = struct.unpack_from("<II", data, at)
        if kind == 6:
            high, low, size, wire = struct.unpack_from("<IIII", data, at + 12)
            yield ((high << 32) + low) / 1e9, data[at + 28 : at + 28 + size], wire
        at += total
