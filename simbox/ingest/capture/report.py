"""What became of a capture file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class CaptureReport:
    """One capture file: what it is, what was in it, and what had to be given up."""

    path: str
    sha256: str
    size: int
    format: str  # pcap or pcapng, with the compression
    frames: int
    packets: int  # IP packets, of tunnels the innermost
    outside: int  # packets before --since or after --until
    first: datetime | None = None
    last: datetime | None = None
    damage: str = ""  # where the file is damaged and how; empty when it is whole
    counts: Mapping[str, int] = field(default_factory=dict)  # by protocol and by reason
