"""The first hop of a run: records and captures into the store, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from simbox.config import Config
from simbox.errors import InputError, UsageError
from simbox.ingest import ingest
from simbox.ingest.capture.access import Network
from simbox.ingest.capture.dissect import dissect, find_frame
from simbox.ingest.capture.run import Captured, CaptureOptions, ingest_captures
from simbox.ingest.cdr.propose import Proposal, propose
from simbox.ingest.report import IngestOptions, IngestProgress, IngestReport
from simbox.ingest.run import open_file, open_profiles, period, without_strays
from simbox.ingest.sources import expand
from simbox.outputs.progress import Step
from simbox.outputs.wording import plural
from simbox.pipeline.options import Options, Paths, reading_options
from simbox.store import Store, StoreWriter


def check_files(paths: Paths) -> None:
    """Refuse pipes and devices: nothing can be read from them twice."""
    for path in map(Path, paths):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(f"{path}: a pipe or device, not a file; write it to a file first")


def read_inputs(
    paths: Paths,
    writer: StoreWriter,
    reading: IngestOptions,
    access: tuple[Network, ...],
    progress: Callable[[IngestProgress], None],
) -> tuple[IngestReport, Captured | None]:
    """Read records and captures into one store of events, and captures into tables beside it."""
    inputs = without_strays(expand(paths), open_profiles(reading))
    report = IngestReport((), inputs.skipped)
    if inputs.sources:
        report = ingest(paths, writer, reading, progress)
    if not inputs.captures:
        return report, None
    of_files = {file.zone for file in report.files}  # captures tell no zone of their own
    zone = reading.local_zone or (of_files.pop() if len(of_files) == 1 else "UTC")
    asked = period(reading, zone)
    since = asked.since if reading.since else 0  # the clocks of some boxes were never set
    how = CaptureOptions(since, asked.until, zone, access, reading.signature_folders)
    captures = sorted(inputs.captures, key=lambda source: source.path)  # given in any order
    captured = ingest_captures(captures, writer, how, progress)
    return replace(report, captures=captured.reports), captured


def reading_step(step: Step) -> Callable[[IngestProgress], None]:
    """What ingest calls to tell how far it is."""

    def told(at: IngestProgress) -> None:
        share = at.bytes_read / at.bytes_total if at.bytes_total else None
        rows = f", {at.rows:,} rows" if at.rows else ""
        step(f"reading file {at.file} of {at.files}{rows}", share)

    return told


def check_events(found: IngestReport, store: Store, options: Options) -> None:
    """Say why there is nothing to rank, if there is nothing."""
    if store.manifest.rows or any(capture.packets for capture in found.captures):
        return
    outside = found.outside + sum(capture.outside for capture in found.captures)
    if outside:
        ends = [f"{name} {at}" for name in ("since", "until") if (at := getattr(options, name))]
        what = plural(outside, "event" if found.outside else "packet")
        if not ends:
            where = [*(c.path for c in found.captures), *(file.path for file in found.files)][0]
            raise InputError(f"{where}: no time that can be in {what}; set the clock right")
        raise UsageError(
            f"{' '.join(ends)}: all {what} of the input lie outside; "
            "'simbox inspect' shows its period"
        )
    if not found.files:
        capture = found.captures[0]
        raise InputError(
            f"{capture.path}: no IP packet in {plural(capture.frames, 'frame')}"
            f"{', ' if capture.damage else ''}{capture.damage}; 'simbox inspect' shows more"
        )
    where = ", ".join(file.path for file in found.files[:1])
    raise InputError(
        f"{where}: {found.rows:,} rows and no call or text among them ({found.ignored:,} of other "
        "kinds); 'simbox inspect' shows more"
    )


def proposals(paths: Paths, config: Config, options: Options) -> list[Proposal]:
    """Profiles for the files that no known profile reads; none when all are known.

    Raises:
        InputError: a file is no CDR file at all.
    """
    check_files(paths)
    profiles = open_profiles(reading_options(config, options))
    found = []
    for source in without_strays(expand(paths), profiles).sources:
        try:
            open_file(source, profiles)
        except InputError:
            found.append(propose(source))
    return found


def frame(paths: Paths, number: int) -> str:
    """A frame of the only capture among the inputs, taken apart layer by layer.

    Raises:
        UsageError: there are other inputs, or no such frame.
    """
    check_files(paths)
    inputs = expand(paths)
    if len(inputs.captures) != 1 or inputs.sources:
        counted = {"capture": len(inputs.captures), "other file": len(inputs.sources)}
        given = " and ".join(plural(count, name) for name, count in counted.items() if count)
        raise UsageError(f"--frame {number}: wants one capture, given {given}; name one")
    found = find_frame(inputs.captures[0], number)
    return f"{found.title}\n{dissect(found)}"
