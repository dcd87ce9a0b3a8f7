"""One frame of a capture taken apart layer by layer, for people to read.

This is for the odd packet, not for the bulk: scapy does it, and where scapy does not know what a
frame carries, tshark by way of pyshark.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from simbox.errors import InputError, UsageError
from simbox.ingest.capture.packets.columns import Frames
from simbox.ingest.capture.records.file import open_capture
from simbox.ingest.sources import Source

NS = 1_000_000_000
_NANOSECONDS = 0xA1B23C4D  # magic of a pcap file in nanoseconds
_UNKNOWN = {"Raw", "Padding", "NoPayload"}


@dataclass(frozen=True)
class Frame:
    """A frame as recorded."""

    number: int
    time: int  # nanoseconds since 1970-01-01 UTC
    link: int  # LINKTYPE_
    wire: int  # octets on the wire
    octets: bytes

    @property
    def title(self) -> str:
        """What it is, in a line."""
        moment = datetime.fromtimestamp(self.time // NS, UTC)
        cut = "" if self.wire == len(self.octets) else f", {len(self.octets)} of them captured"
        return f"frame {self.number}: {moment:%Y-%m-%d %H:%M:%S} UTC, {self.wire} octets{cut}"


def find_frame(source: Source, number: int) -> Frame:
    """A frame of a capture by its number, from 1.

    Raises:
        InputError: the source is no capture.
        UsageError: it has no such frame.
    """
    with open_capture(source) as capture:
        for frames in capture:
            first = int(frames.number[0])
            if number < first + len(frames):
                return _taken(frames, number - first)
        last = capture.frames
    raise UsageError(f"{source.path}: has no frame {number:,}; its frames are 1 to {last:,}")


def dissect(frame: Frame) -> str:
    """The layers of a frame with their fields, as text.

    Raises:
        InputError: scapy does not know what it carries, and tshark is not installed.
    """
    return _by_scapy(frame) or _by_tshark(frame)


def _taken(frames: Frames, row: int) -> Frame:
    return Frame(
        number=int(frames.number[row]),
        time=int(frames.time[row]),
        link=int(frames.link[row]),
        wire=int(frames.wire[row]),
        octets=frames.octets(row),
    )


def _by_scapy(frame: Frame) -> str | None:
    """The layers as scapy sees them; nothing where it leaves a payload unread."""
    try:
        import scapy.all  # noqa: F401, PLC0415  # seconds to load, and only here
        from scapy.config import conf  # noqa: PLC0415
    except ImportError:
        return None
    layer = conf.l2types.num2layer.get(frame.link)
    if layer is None:
        return None
    packet = layer(frame.octets)
    last = packet.lastlayer()
    if type(last).__name__ in _UNKNOWN and len(last) > 0:
        return None
    return str(packet.show(dump=True))


def _by_tshark(frame: Frame) -> str:
    try:
        import pyshark  # noqa: PLC0415  # only here
        from pyshark.capture.capture import TSharkCrashException  # noqa: PLC0415
        from pyshark.tshark.tshark import TSharkNotFoundException  # noqa: PLC0415
    except ImportError:
        raise InputError(
            f"frame {frame.number}: pyshark is not installed; install simbox again, or pyshark"
        ) from None
    with TemporaryDirectory(prefix="simbox-") as folder:
        path = Path(folder) / "frame.pcap"
        path.write_bytes(_pcap(frame))
        try:
            with pyshark.FileCapture(str(path), keep_packets=False) as capture:
                return str(next(iter(capture)))
        except TSharkNotFoundException:
            raise InputError(
                f"frame {frame.number}: scapy does not know what it carries, and tshark, which "
                "may, is not installed; install your system's package tshark"
            ) from None
        except (TSharkCrashException, StopIteration):
            raise InputError(f"frame {frame.number}: tshark cannot read it either") from None


def _pcap(frame: Frame) -> bytes:
    """A capture of this one frame."""
    head = struct.pack("<IHHiIII", _NANOSECONDS, 2, 4, 0, 0, 1 << 18, frame.link)
    seconds, rest = divmod(frame.time, NS)
    return head + struct.pack("<IIII", seconds, rest, len(frame.octets), frame.wire) + frame.octets
