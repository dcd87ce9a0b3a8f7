"""What an ingest was asked to do, how far it is, and what it found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from simbox.ingest.capture.report import CaptureReport


@dataclass(frozen=True)
class IngestOptions:
    """How to ingest."""

    profile: str | Path | None = None  # None: chosen by content, file by file
    profile_folders: tuple[Path, ...] = ()
    signature_folders: tuple[Path, ...] = ()
    local_zone: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    max_reject_share: float = 0.05
    rejects_path: Path | None = None


@dataclass(frozen=True)
class IngestProgress:
    """How far an ingest is."""

    path: str
    file: int  # number of the file, from 1
    files: int
    bytes_read: int  # of all files so far
    bytes_total: int
    rows: int  # of all files so far


@dataclass(frozen=True)
class FileReport:
    """What became of one file: ``rows`` is the sum of ``rows_used``, ``ignored`` and rejects."""

    path: str
    sha256: str
    size: int
    format: str
    profile: str
    why: str  # why this profile
    encoding: str
    zone: str
    rows: int
    events: int  # legs; a row a call may give two
    ignored: int  # rows of kinds that are no call and no text, on purpose
    outside: int  # events before --since or after --until
    rejects: dict[str, int] = field(default_factory=dict)  # by reason
    adjusted: dict[str, int] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None
    null_share: dict[str, float] = field(default_factory=dict)  # by canonical column

    @property
    def rejected(self) -> int:
        return sum(self.rejects.values())

    @property
    def rows_used(self) -> int:
        """Rows that gave events, within the period asked for or not."""
        return self.rows - self.ignored - self.rejected


@dataclass(frozen=True)
class IngestReport:
    """What became of all files."""

    files: tuple[FileReport, ...]  # of CDRs
    skipped: tuple[str, ...] = ()  # files of folders that hold no CDRs and no packets: documents
    captures: tuple[CaptureReport, ...] = ()

    @property
    def rows(self) -> int:
        return sum(f.rows for f in self.files)

    @property
    def events(self) -> int:
        return sum(f.events for f in self.files)

    @property
    def ignored(self) -> int:
        return sum(f.ignored for f in self.files)

    @property
    def outside(self) -> int:
        return sum(f.outside for f in self.files)

    @property
    def rejected(self) -> int:
        return sum(f.rejected for f in self.files)

    @property
    def reject_share(self) -> float:
        return self.rejected / self.rows if self.rows else 0.0

    @property
    def rejects(self) -> dict[str, int]:
        return _summed(f.rejects for f in self.files)

    @property
    def adjusted(self) -> dict[str, int]:
        return _summed(f.adjusted for f in self.files)

    @property
    def first(self) -> datetime | None:
        times = [f.first for f in self.files] + [c.first for c in self.captures]
        return min((t for t in times if t), default=None)

    @property
    def last(self) -> datetime | None:
        times = [f.last for f in self.files] + [c.last for c in self.captures]
        return max((t for t in times if t), default=None)


def _summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total.most_common())
