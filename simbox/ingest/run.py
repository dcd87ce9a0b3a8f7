"""Read all inputs into an event store, file by file, in bounded memory."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from simbox.errors import DataQualityError, InputError, UsageError
from simbox.ingest.cdr import delimited, jsonl, parquet
from simbox.ingest.cdr.batch import Batch
from simbox.ingest.cdr.clock import EARLIEST, LATEST, to_utc, zone_table
from simbox.ingest.cdr.devices import CellBook
from simbox.ingest.cdr.normalise import Normaliser, Period
from simbox.ingest.cdr.profile import Profile, choose, load_all
from simbox.ingest.cdr.propose import Proposal, propose
from simbox.ingest.cdr.recognise import Fit, Head, apply, check_columns, read_head, recognise
from simbox.ingest.cdr.text import Pieces
from simbox.ingest.report import FileReport, IngestOptions, IngestProgress, IngestReport
from simbox.ingest.sources import Inputs, Source, Stream, expand, sha256
from simbox.store import StoreWriter
from simbox.tables import REJECTS

Progress = Callable[[IngestProgress], None]

_BYTES_PER_ROW = 90  # of a typical CSV
_PACKED = 6  # how much a compressed export grows
_EARLY_SHARE = 0.5  # of a file's first batch: above it the profile is wrong for the file
_EARLY_ROWS = 20
_REASONS = 3


def open_profiles(options: IngestOptions) -> tuple[Profile, ...]:
    """The profiles that a run may use: all, or what ``--profile`` names."""
    known = load_all(options.profile_folders)
    if options.profile is None:
        return tuple(known.values())
    return choose(options.profile, known)


def open_file(source: Source, profiles: Sequence[Profile]) -> tuple[Head, Fit]:
    """A file's beginning, and the profile that reads it."""
    head = read_head(source)
    found = apply(profiles[0], head) if len(profiles) == 1 else recognise(head, profiles)
    check_columns(found, head)
    return head, found


def without_strays(inputs: Inputs, profiles: Sequence[Profile]) -> Inputs:
    """The inputs without the notes and control files that stand in folders beside records."""
    doubtful = [source for source in inputs.sources if source.doubtful]
    strays = {source for source in doubtful if not _is_readable(source, profiles)}
    if len(strays) == len(inputs.sources) and not inputs.captures:
        return inputs  # nothing else is there: the first one says what is wrong
    kept = tuple(source for source in inputs.sources if source not in strays)
    left_out = (s.path for s in inputs.sources if s in strays)
    return Inputs(kept, (*inputs.skipped, *left_out), inputs.captures)


def _is_readable(source: Source, profiles: Sequence[Profile]) -> bool:
    try:
        open_file(source, profiles)
    except InputError:
        return False
    return True


@dataclass
class Reading:
    """A file being read: its batches, how far it is, and the encoding as found so far."""

    head: Head
    fit: Fit
    stream: Stream | None = None
    pieces: Pieces | None = None

    @property
    def encoding(self) -> str:
        return self.pieces.encoding if self.pieces else ""

    def sha256(self) -> str:
        """The SHA-256 of the file, all of which has been read."""
        return self.stream.sha256() if self.stream else sha256(self.head.source.file)

    def bytes_read(self) -> int:
        return self.stream.tell() if self.stream else 0

    def batches(self) -> Iterator[Batch]:
        """The records of the file."""
        if self.head.kind == "parquet":
            yield from parquet.batches(self.head.source.file, self.fit.sources)
            return
        layout = self.fit.profile.layout
        with Stream(self.head.source) as self.stream:
            self.pieces = Pieces(self.stream, self.head.encoding, layout.encodings)
            if self.head.kind == "jsonl":
                yield from jsonl.batches(self.pieces, self.fit.sources)
                return
            width = len(self.fit.names)
            delimiter = self.fit.delimiter or ","
            shape = delimited.Shape(width, delimiter, layout.quote, layout.comment, self.fit.found)
            yield from delimited.batches(self.pieces, shape, self.fit.lines_before)


@dataclass
class _Tally:
    """The counts of one file."""

    counts: Counter[str] = field(default_factory=Counter)
    absent: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None

    def times(self, stored: pl.DataFrame) -> None:
        if stored.is_empty():
            return
        low, high = int(stored["start"].min()), int(stored["start"].max())  # type: ignore[arg-type]
        self.first = low if self.first is None else min(low, self.first)
        self.last = high if self.last is None else max(high, self.last)


@dataclass
class RejectWriter:
    """Rejected rows of a run, kept as categories, 20 bytes a row, and written at the end."""

    path: Path | None
    parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, file: str, rejects: pl.DataFrame) -> None:
        if self.path is None or rejects.is_empty():
            return
        full = rejects.select(pl.lit(file).alias("file"), "row", "column", "value_class", "reason")
        self.parts.append(full.with_columns(pl.col(pl.String).cast(pl.Categorical)))

    def write(self) -> None:
        if self.path is None:
            return
        rows = pl.concat(self.parts) if self.parts else REJECTS.empty()
        rows = REJECTS.conform(rows).sort("file", "row", "reason", maintain_order=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows.write_parquet(self.path)


class _Run:
    """An ingest under way."""

    def __init__(self, inputs: Inputs, store: StoreWriter, options: IngestOptions) -> None:
        self.profiles = open_profiles(options)
        self.inputs = inputs = without_strays(inputs, self.profiles)
        self.store = store
        self.options = options
        period(options)  # an empty one is said before anything is read
        self.rejects = RejectWriter(options.rejects_path)
        self.sizes = [source.size for source in inputs.sources]
        self.cells: dict[str, CellBook] = {}  # by profile
        self.rows = 0

    def file(self, number: int, progress: Progress | None) -> FileReport:
        source = self.inputs.sources[number]
        head, fit = open_file(source, self.profiles)
        reading = Reading(head, fit)
        zone = fit.profile.time.zone or self.options.local_zone or "UTC"
        feed = fit.profile.name
        index = self.store.add_source(source.path, feed)
        normaliser = Normaliser(
            profile=fit.profile,
            names=fit.sources,
            source=index,
            feed=self.store.feed_code(feed),
            zone=zone_table(zone),
            local=zone_table(self.options.local_zone or zone),
            period=period(self.options, self.options.local_zone or zone),
            file_line=source.stem,
            cells=self.cells.setdefault(feed, CellBook()),
        )
        tally = _Tally()
        for batch in reading.batches():
            self._batch(source, normaliser, batch, tally)
            if progress is not None:
                progress(self._progress(number, reading))
        return _report(reading, zone, tally)

    def _batch(self, source: Source, normaliser: Normaliser, batch: Batch, tally: _Tally) -> None:
        early = not tally.counts
        done = normaliser(batch)
        tally.counts += done.counts
        tally.counts["events"] += done.stored.height
        tally.absent += done.absent
        tally.times(done.stored)
        reasons = done.rejects["reason"].value_counts().sort("reason")  # else in any order
        tally.rejects.update(dict(reasons.rows()))
        self.rows += done.counts["rows"]
        self.rejects.add(source.path, done.rejects)
        rejected = sum(tally.rejects.values())
        if early and tally.counts["rows"] >= _EARLY_ROWS:
            limit = max(_EARLY_SHARE, self.options.max_reject_share)
            if rejected > limit * tally.counts["rows"]:
                self.rejects.write()
                raise DataQualityError(_too_many(source.path, tally.rejects, tally.counts["rows"]))
        self.store.append(done.stored, done.texts)

    def _progress(self, number: int, reading: Reading) -> IngestProgress:
        return IngestProgress(
            path=reading.head.source.path,
            file=number + 1,
            files=len(self.sizes),
            bytes_read=sum(self.sizes[:number]) + min(reading.bytes_read(), self.sizes[number]),
            bytes_total=sum(self.sizes),
            rows=self.rows,
        )


def ingest(
    paths: Sequence[Path | str],
    store: StoreWriter,
    options: IngestOptions | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Read files, folders and patterns into an event store.

    Raises:
        InputError: a path leads nowhere, or a file is not what it should be.
        DataQualityError: more rows were rejected than ``options.max_reject_share`` allows.
    """
    options = options or IngestOptions()
    run = _Run(expand(paths), store, options)
    if not run.sizes:
        where = run.inputs.captures[0].path
        raise InputError(f"{where}: a packet capture, and no CDRs beside it; give CDR files")
    files = tuple(run.file(number, progress) for number in range(len(run.sizes)))
    run.rejects.write()
    report = IngestReport(files, run.inputs.skipped)
    if report.reject_share > options.max_reject_share:
        where = files[0].path if len(files) == 1 else f"{len(files)} files"
        raise DataQualityError(_too_many(where, Counter(report.rejects), report.rows))
    if report.rows == 0:
        raise InputError(f"{files[0].path}: no rows of data below the header; nothing to read")
    return report


def _too_many(where: str, rejects: Counter[str], rows: int) -> str:
    total = sum(rejects.values())
    top = ", ".join(f"{reason} {count:,}" for reason, count in rejects.most_common(_REASONS))
    return (
        f"{where}: {total:,} of {rows:,} rows rejected ({total / rows:.0%}): {top}; "
        "simbox inspect shows more, --profile names another profile"
    )


def proposals(paths: Sequence[Path | str], options: IngestOptions) -> tuple[Proposal, ...]:
    """A profile for each file that none of the known profiles fits.

    Raises:
        InputError: a path leads nowhere, or a file holds no CDRs.
    """
    profiles = open_profiles(options)
    unknown = []
    for source in without_strays(expand(paths), profiles).sources:
        head = read_head(source)
        try:
            recognise(head, profiles)
        except InputError:
            unknown.append(propose(source))
    return tuple(unknown)


def period(options: IngestOptions, zone: str = "UTC") -> Period:
    """The period of a run; bounds without a zone are read on the clock of a zone.

    Raises:
        UsageError: the period is empty.
    """
    since = _seconds(options.since, zone, EARLIEST)
    until = _seconds(options.until, zone, LATEST)
    if since >= until:
        raise UsageError(f"since {options.since} until {options.until}: an empty period")
    return Period(since, until)


def _seconds(moment: datetime | None, zone: str, default: int) -> int:
    if moment is None:
        return default
    if moment.tzinfo is not None:
        return int(moment.timestamp())
    wall = np.array([int(moment.replace(tzinfo=UTC).timestamp())])
    return int(to_utc(wall, zone_table(zone)).utc[0])


def _report(reading: Reading, zone: str, tally: _Tally) -> FileReport:
    source = reading.head.source
    events = tally.counts["events"]
    share = {name: tally.absent[name] / events if events else 1.0 for name in _ABSENT}
    return FileReport(
        path=source.path,
        sha256=reading.sha256(),
        size=source.size,
        format=reading.head.kind,
        profile=reading.fit.profile.name,
        why=reading.fit.why,
        encoding=reading.encoding,
        zone=zone,
        rows=tally.counts["rows"],
        events=events,
        ignored=tally.counts["ignored"],
        outside=tally.counts["outside"],
        rejects=dict(tally.rejects.most_common()),
        adjusted=_adjusted(tally.counts),
        first=datetime.fromtimestamp(tally.first, UTC) if tally.first is not None else None,
        last=datetime.fromtimestamp(tally.last, UTC) if tally.last is not None else None,
        null_share=share,
    )


def _adjusted(counts: Counter[str]) -> dict[str, int]:
    """Values that were read with a doubt or left out: by column and reason, or by the clock."""
    clock = {k: counts[k] for k in ("dst_gap", "dst_fold") if counts[k]}
    return clock | {k: n for k, n in counts.most_common() if "|" in k and n}


_ABSENT = ("other", "imsi", "imei", "place", "duration", "answered", "cause")


def estimate_rows(paths: Sequence[Path | str]) -> int:
    """About how many rows there are: from Parquet footers, else from sizes."""
    total = 0
    for source in expand(paths).sources:
        with source.file.open("rb") as handle:
            magic = handle.read(4)
        if magic == b"PAR1":
            total += parquet.rows_of(source.file)
        elif magic.startswith((b"\x1f\x8b", b"\x28\xb5", b"BZh", b"\xfd7z")):
            total += source.size * _PACKED // _BYTES_PER_ROW
        elif source.member is None:
            total += source.size // _BYTES_PER_ROW
        else:
            total += _member_size(source) // _BYTES_PER_ROW
    return total


def _member_size(source: Source) -> int:
    with zipfile.ZipFile(source.file) as archive:
        return archive.getinfo(source.member or "").file_size
