"""An excerpt of captures: the frames that prove something, without what people said or wrote.

Call control is kept with its credentials painted over; of media only the RTP header is kept, of
anything else the first octets of the payload, by which its protocol can be told.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from simbox.ingest.capture.packets.columns import UDP, Frames, Packets
from simbox.ingest.capture.packets.decode import Decoder
from simbox.ingest.capture.records.file import open_capture
from simbox.ingest.sources import Source

RTP_HEADER = 12  # octets (RFC 3550)
SHOWN = 16  # octets of a payload of no known kind
_SIP_TEXT = re.compile(rb"\A(?:MESSAGE |PUBLISH |NOTIFY )")
_SIP = re.compile(rb"\A(?:[A-Z]+ [^\r\n]* )?SIP/2\.0")
_GATEWAY = re.compile(rb"\A(?:req|reg|STATE|RECORD|HANGUP|EXPIRY|REMAIN|CELLINFO|CGATT):")
_SECRETS = re.compile(
    rb"(?i)(;pass(?:word)? *:|\b(?:response|c?nonce)[ \t]*=[ \t]*\"?"
    rb"|authorization[ \t]*:[ \t]*basic[ \t]+)([^;\",\r\n]+)"
)
_URI_PASSWORD = re.compile(rb"(?i)(sips?:[^\s:@<>;,]*:)([^\s@<>;,]+)(?=@)")


@dataclass(frozen=True)
class Excerpt:
    """What was written."""

    path: str
    frames: int
    sha256: str


def write_excerpt(target: Path, wanted: Mapping[str, Iterable[int]]) -> Excerpt:
    """Write frames of captures, by file and frame number, as one pcapng file.

    Each frame tells in a comment where it comes from.  Files that are gone are left out.
    """
    count = 0
    with target.open("wb") as out:
        out.write(_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        links: dict[int, int] = {}
        for path in sorted(wanted):
            for frames in _picked(path, sorted(set(wanted[path]))):
                count += _write_frames(out, frames, links, path)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    return Excerpt(str(target), count, digest)


def _picked(path: str, numbers: list[int]) -> Iterator[Frames]:
    """The frames of a file by their numbers, batch by batch."""
    file, _, member = path.partition("!")
    source = Source(Path(file), member or None)
    if not source.file.is_file() or not numbers:
        return
    chosen = np.array(numbers)
    with open_capture(source) as capture:
        for frames in capture:
            rows = np.flatnonzero(np.isin(frames.number, chosen))
            if len(rows):
                yield _rows(frames, rows)
            if capture.frames >= numbers[-1]:
                return


def _rows(frames: Frames, rows: np.ndarray) -> Frames:
    return Frames(
        data=frames.data,
        start=frames.start[rows],
        captured=frames.captured[rows],
        wire=frames.wire[rows],
        time=frames.time[rows],
        number=frames.number[rows],
        link=frames.link[rows],
    )


def _write_frames(out: BinaryIO, frames: Frames, links: dict[int, int], path: str) -> int:
    bare = _bare(frames)
    for row in range(len(frames)):
        link = int(frames.link[row])
        if link not in links:
            links[link] = len(links)
            nanoseconds = struct.pack("<HHBxxxHH", 9, 1, 9, 0, 0)
            out.write(_block(1, struct.pack("<HHI", link, 0, 0) + nanoseconds))
        name = f"{Path(path).name} frame {int(frames.number[row])}".encode()
        out.write(_packet(links[link], frames, row, bare[row], name))
    return len(frames)


def _packet(interface: int, frames: Frames, row: int, octets: bytes, comment: bytes) -> bytes:
    """An enhanced packet block with a comment."""
    time = int(frames.time[row])
    head = struct.pack(
        "<IIIII", interface, time >> 32, time & 0xFFFFFFFF, len(octets), int(frames.wire[row])
    )
    options = struct.pack("<HH", 1, len(comment)) + _padded(comment) + bytes(4)
    return _block(6, head + _padded(octets) + options)


def _bare(frames: Frames) -> list[bytes]:
    """The octets of each frame, without what people said or wrote."""
    found = [frames.octets(row) for row in range(len(frames))]
    seen = [False] * len(found)
    for packets in Decoder()(frames):
        if packets.frames is not frames:
            continue
        for at in range(len(packets)):
            row = int(packets.row[at])
            begin = int(packets.payload[at]) - int(frames.start[row])
            found[row] = found[row][:begin] + _payload(packets, at)
            seen[row] = True
    # a fragment, or no IP: its payload cannot be told
    return [octets if told else octets[:SHOWN] for octets, told in zip(found, seen, strict=True)]


def _payload(packets: Packets, at: int) -> bytes:
    octets = packets.octets(at)
    if _SIP.match(octets) and not _SIP_TEXT.match(octets):
        return _URI_PASSWORD.sub(_painted, _SECRETS.sub(_painted, octets))
    if _GATEWAY.match(octets):
        return _SECRETS.sub(_painted, octets)
    media = packets.protocol[at] == UDP and octets[:1] and octets[0] >> 6 == 2  # RTP version 2
    return octets[:RTP_HEADER] if media else _SECRETS.sub(_painted, octets)[:SHOWN]


def _painted(found: re.Match[bytes]) -> bytes:
    """A secret of which only the length is left."""
    return found[1] + b"x" * len(found[2])


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size
