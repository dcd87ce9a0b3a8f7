"""All capture files of a run: read side by side, then joined into the canonical tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from simbox.ingest.capture.access import Network
from simbox.ingest.capture.calls import events
from simbox.ingest.capture.garbage import give_back, seldom_collected
from simbox.ingest.capture.joined import CaptureTables, join
from simbox.ingest.capture.reading import NS, CaptureTask, read_capture
from simbox.ingest.capture.report import CaptureReport
from simbox.ingest.capture.signatures.loading import load_signatures
from simbox.ingest.capture.signatures.matching import Signatures
from simbox.ingest.capture.storing import store_events
from simbox.ingest.capture.workers import side_by_side
from simbox.ingest.report import IngestProgress
from simbox.ingest.sources import Source
from simbox.store import StoreWriter

APART_OCTETS = 64 << 20  # of captures together: below, starting processes costs more than it saves

Progress = Callable[[IngestProgress], None]


@dataclass(frozen=True)
class CaptureOptions:
    """How to read captures."""

    since: int  # seconds since 1970-01-01 UTC
    until: int
    zone: str = "UTC"  # of the local clock
    access: tuple[Network, ...] = ()  # networks of the access side; none: found from the traffic
    signature_folders: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Captured:
    """What the captures of a run have given."""

    reports: tuple[CaptureReport, ...]
    tables: CaptureTables
    events: int  # calls and texts of the access side
    recorded: int  # of which records of the same run tell too


def ingest_captures(
    sources: Sequence[Source],
    store: StoreWriter,
    options: CaptureOptions,
    progress: Progress | None = None,
) -> Captured:
    """Read captures into tables, and the calls in them into an event store.

    Raises:
        InputError: a file is no capture, or cannot be read.
    """
    signatures = load_signatures(options.signature_folders)
    with TemporaryDirectory(prefix="simbox-") as folder, seldom_collected():
        reports = read_captures(_tasks(sources, Path(folder), options, signatures), progress)
        give_back()  # what reading held, before joining takes as much
        tables = join(Path(folder), signatures, options.access)
    calls = events(tables)
    known = store_events(calls, store, options.zone)
    return Captured(reports, tables, calls.height, known)


def read_captures(
    tasks: Sequence[CaptureTask], progress: Progress | None = None
) -> tuple[CaptureReport, ...]:
    """Read every capture into its folder; big ones several at a time, each in its own process.

    Raises:
        InputError: a file is no capture, or cannot be read.
    """
    told = _Told(tasks, progress)
    workers = min(len(tasks), os.cpu_count() or 1)
    if workers < 2 or sum(told.sizes) < APART_OCTETS:
        return tuple(
            read_capture(task, lambda read, n=n: told.read(n, read))  # type: ignore[misc]
            for n, task in enumerate(tasks)
        )
    return side_by_side(tasks, workers, told.read)


def _tasks(
    sources: Sequence[Source], folder: Path, options: CaptureOptions, signatures: Signatures
) -> list[CaptureTask]:
    return [
        CaptureTask(
            source=source,
            folder=folder / f"{number:05d}",
            signatures=signatures,
            since=options.since * NS,
            until=options.until * NS,
        )
        for number, source in enumerate(sources)
    ]


class _Told:
    """How far the files are, told to whoever asked."""

    def __init__(self, tasks: Sequence[CaptureTask], progress: Progress | None) -> None:
        self.sizes = [task.source.size for task in tasks]
        self.paths = [task.source.path for task in tasks]
        self.done = [0] * len(tasks)
        self.progress = progress

    def read(self, number: int, octets: int) -> None:
        self.done[number] = min(octets, self.sizes[number])
        if self.progress is not None:
            self.progress(
                IngestProgress(
                    path=self.paths[number],
                    file=number + 1,
                    files=len(self.paths),
                    bytes_read=sum(self.done),
                    bytes_total=sum(self.sizes),
                    rows=0,
                )
            )
