"""The five hops, top to bottom: ingest, tables, features, scoring, outputs."""

from __future__ import annotations

import ipaddress
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from simbox.config import Config, load
from simbox.errors import InputError, UsageError
from simbox.features import FeatureRun, compute, features, no_lines
from simbox.features.context import CellTable
from simbox.features.hosts import features as features_of_hosts
from simbox.features.hosts import host_features
from simbox.features.hosts.seen import Seen
from simbox.identifiers import text_id
from simbox.ingest import estimate_rows, ingest
from simbox.ingest.capture.access import Network
from simbox.ingest.capture.dissect import dissect, find_frame
from simbox.ingest.capture.run import Captured, CaptureOptions, ingest_captures
from simbox.ingest.cdr.propose import Proposal, propose
from simbox.ingest.cells import CellsReport, load_cells
from simbox.ingest.report import IngestOptions, IngestProgress, IngestReport
from simbox.ingest.run import open_file, open_profiles, period, without_strays
from simbox.ingest.sources import expand
from simbox.outputs import files
from simbox.outputs import folder as run_folder
from simbox.outputs.explain_host import capture_tables
from simbox.outputs.folder import RunFolder, replacing
from simbox.outputs.progress import Step, silent
from simbox.outputs.proof import check_apart, check_target, pick, write_proof
from simbox.outputs.quality import Quality, measure
from simbox.outputs.ranking import HOST, Ranked, with_values
from simbox.outputs.record import RunRecord, last_local_day
from simbox.outputs.wording import plural
from simbox.scoring import (
    STATUSES,
    ListEntries,
    Scorecard,
    Scored,
    import_features,
    load_lists,
    score_file,
    score_nothing,
    scorecard,
)
from simbox.scoring.hosts import HOST_STATUSES, ScoredHosts, host_scorecard, score_hosts
from simbox.store import Store, StoreWriter, buckets_for
from simbox.version import VERSION

FINDINGS = ("alert", "watch")
_OF_HOSTS = {
    "hosts": run_folder.HOSTS,
    "host_contributions": run_folder.HOST_CONTRIBUTIONS,
    "host_features": run_folder.HOST_FEATURES,
}
PARTS = "features"  # a folder of one Parquet file a bucket, until they are joined
Paths = Sequence[Path | str]


@dataclass(frozen=True)
class Options:
    """What a run is asked to do beyond its configuration."""

    profile: str | None = None
    zone: str | None = None  # of local time, unless the configuration or the profile says it
    since: datetime | None = None  # local
    until: datetime | None = None  # local, not included
    cells: Path | None = None
    lists: tuple[Path, ...] = ()
    access: tuple[Network, ...] = ()  # networks of the access side, in captures
    evidence: Path | None = None  # where the frames behind the reasons for hosts go
    keep: files.Keep = field(default_factory=files.Keep)


@dataclass(frozen=True)
class Run:
    """A run whose folder is written."""

    folder: Path
    record: RunRecord
    lines: pl.DataFrame  # ranked
    hosts: pl.DataFrame | None = None  # ranked; none when there were no captures

    def head(self, count: int) -> Ranked:
        """The first lines and hosts, with a column of reasons in words."""
        table = pl.scan_parquet(self.folder / run_folder.FEATURES)
        lines = with_values(self.lines.head(count), table)
        if self.hosts is None:
            return Ranked(lines)
        measured = pl.scan_parquet(self.folder / run_folder.HOST_FEATURES)
        return Ranked(lines, with_values(self.hosts.head(count), measured, HOST))


@dataclass(frozen=True)
class Tables:
    """The tables of a run as frames."""

    lines: pl.DataFrame
    contributions: pl.DataFrame
    features: pl.DataFrame
    rejects: pl.DataFrame
    record: RunRecord
    hosts: pl.DataFrame | None = None  # this and the next ones: none when no captures were read
    host_contributions: pl.DataFrame | None = None
    host_features: pl.DataFrame | None = None
    dialogs: pl.DataFrame | None = None
    streams: pl.DataFrame | None = None
    evidence: pl.DataFrame | None = None
    sightings: pl.DataFrame | None = None
    tunnels: pl.DataFrame | None = None
    sides: pl.DataFrame | None = None


def detect(paths: Paths, config: Config, options: Options, work: Path, step: Step = silent) -> Run:
    """Rank the lines in CDRs and captures, and hosts, and write the run into an empty folder."""
    _check_files(paths)
    card, host_card = scorecard(config, families()), host_scorecard(config, host_families())
    cells = load_cells(options.cells) if options.cells else None
    if options.evidence:
        check_target(options.evidence, expand(paths))
    store = Store.create(work / run_folder.STORE, buckets_for(estimate_rows(paths)))

    step("reading")
    with store.writer() as writer:
        reading = _reading(config, options, work)
        access = options.access or networks(config.ingest.access_networks, "ingest.access_networks")
        found, captured = _read(paths, writer, reading, access, _reading_step(step))
    _check_events(found, store, options)
    measured = _measured(store, work, _cell_table(cells), step)
    table = work / run_folder.FEATURES

    step("scoring")
    lists = load_lists(_lists(config, options), config.lists, _last_day(found, config, options))
    parts = work / run_folder.CONTRIBUTIONS
    scored = (
        score_file(table, parts, card, lists)
        if measured
        else score_nothing(no_lines(), parts, card)
    )
    hosts = _hosts(captured, host_card, lists, work) if captured else None

    step("writing")
    record = _record(config, options, found, scored)
    if captured and hosts:
        record = _with_hosts(record, hosts, _excerpt(options.evidence, captured, hosts))
        notes = (*_access_notes(access, captured), *_recorded_notes(captured))
        record = replace(record, notes=(*record.notes, *notes))
    if measured:
        record = replace(record, duplicates=measured.duplicates, merged=measured.merged)
    record = replace(record, notes=(*record.notes, *_cell_notes(options.cells, cells, table)))
    files.write(work, record, scored, options.keep, hosts)
    return Run(work, record, scored.lines, hosts.hosts if hosts else None)


def score(table: Path, config: Config, options: Options, work: Path) -> Run:
    """Rank the lines of a table of features and write the run into an empty folder."""
    card = scorecard(config, families())
    target = work / run_folder.FEATURES
    imported = import_features(table, target, list(features()), config.ingest.max_reject_share)
    imported.rejects.write_parquet(work / run_folder.REJECTS)
    lists = load_lists(_lists(config, options), config.lists, None)
    scored = score_file(target, work / run_folder.CONTRIBUTIONS, card, lists)
    record = _record(config, options, IngestReport(()), scored)
    rejected = dict(imported.rejects["reason"].value_counts(sort=True).iter_rows())
    told = tuple(f"{table}: {count:,} times {reason}" for reason, count in rejected.items())
    record = replace(record, notes=(*record.notes, *imported.unknown, *told))
    files.write(work, record, scored, options.keep)
    return Run(work, record, scored.lines)


def _check_files(paths: Paths) -> None:
    """Refuse pipes and devices: nothing can be read from them twice."""
    for path in map(Path, paths):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(f"{path}: a pipe or device, not a file; write it to a file first")


def _read(
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


def _hosts(captured: Captured, card: Scorecard, lists: ListEntries, work: Path) -> ScoredHosts:
    """Measure and score the hosts of captures, and write all but their ranking."""
    captured.tables.write(work / run_folder.CAPTURES)
    measured = host_features(captured.tables.shown, captured.tables.sides)
    measured.write_parquet(work / run_folder.HOST_FEATURES)
    scored = score_hosts(measured, card, lists)
    scored.contributions.write_parquet(work / run_folder.HOST_CONTRIBUTIONS)
    scored.knots.frame.write_parquet(work / run_folder.HOST_PERCENTILES)
    return scored


def _excerpt(
    target: Path | None, captured: Captured, scored: ScoredHosts
) -> Mapping[str, Any] | None:
    """Write the frames behind the reasons for the hosts that are findings, where it is asked."""
    if target is None:
        return None
    found = scored.hosts.filter(pl.col("status").cast(pl.String).is_in(FINDINGS))
    seen = Seen.of(captured.tables.shown, captured.tables.sides)
    return write_proof(target, pick(seen, found["host"].to_list()))


def _recorded_notes(captured: Captured) -> tuple[str, ...]:
    """How many calls both sides of a run tell of."""
    if not captured.recorded:
        return ()
    return (f"{plural(captured.recorded, 'call')} of the captures found in the CDRs, counted once",)


def _with_hosts(
    record: RunRecord, scored: ScoredHosts, evidence: Mapping[str, Any] | None
) -> RunRecord:
    """The record with what was said about hosts."""
    status = Counter(scored.hosts["status"].cast(pl.String))
    return replace(
        record,
        hosts=scored.hosts.height,
        evidence=evidence,
        host_status={name: status.get(name, 0) for name in HOST_STATUSES},
        notes=(*record.notes, *(f"hosts: {note}" for note in scored.notes)),
    )


def _measured(store: Store, work: Path, cells: CellTable | None, step: Step) -> FeatureRun | None:
    """Measure the lines into the run's table of features; none where captures show no call."""
    target = work / run_folder.FEATURES
    if not store.manifest.rows:
        no_lines().write_parquet(target)
        return None
    measured = compute(store, work / PARTS, cells, _measuring_step(step))
    measured.table().sink_parquet(target, maintain_order=True)
    shutil.rmtree(measured.folder)
    return measured


def inspect(paths: Paths, config: Config, options: Options, step: Step = silent) -> Quality:
    """Read CDRs and captures and say how good they are, whatever the share of rejected rows."""
    _check_files(paths)
    with TemporaryDirectory(prefix="simbox-") as folder:
        store = Store.create(Path(folder) / "store", buckets_for(estimate_rows(paths)))
        reading = replace(_reading(config, options), max_reject_share=1.0)
        with store.writer() as writer:
            found, _ = _read(paths, writer, reading, (), _reading_step(step))
        zone = _local_zone(config, options) or "UTC"
        notes = _zone_notes(found, config, options)
        return replace(measure(store, found), notes=notes, zone=zone)


def proposals(paths: Paths, config: Config, options: Options) -> list[Proposal]:
    """Profiles for the files that no known profile reads; none when all are known.

    Raises:
        InputError: a file is no CDR file at all.
    """
    _check_files(paths)
    profiles = open_profiles(_reading(config, options))
    found = []
    for source in without_strays(expand(paths), profiles).sources:
        try:
            open_file(source, profiles)
        except InputError:
            found.append(propose(source))
    return found


def tables(
    paths: Paths | Path | str, config: Config | Path | str | None, options: Options,
    out: Path | str | None,
) -> Tables:  # fmt: skip
    """A run as frames, its folder kept only where one is named."""
    some = [paths] if isinstance(paths, str | Path) else paths
    settings = load(Path(config)) if isinstance(config, str | Path) else config or load()
    with TemporaryDirectory(prefix="simbox-") as folder:
        target = Path(out) if out else Path(folder) / "run"
        check_apart(options.evidence, target)
        with replacing(target) as work:
            detect(some, settings, options, work)
        return read(target)


def read(folder: Path) -> Tables:
    """The tables of a finished run's folder."""
    run = RunFolder.open(folder)
    shown = capture_tables(run)
    of_hosts = {
        name: run.table(file).collect()
        for name, file in _OF_HOSTS.items()
        if (folder / file).is_file()
    }
    return Tables(
        lines=run.table(run_folder.LINES).collect(),
        contributions=run.table(run_folder.CONTRIBUTIONS).collect(),
        features=run.table(run_folder.FEATURES).collect(),
        rejects=run.table(run_folder.REJECTS).collect(),
        record=run.record,
        **of_hosts,
        **({} if shown is None else {f.name: getattr(shown, f.name) for f in fields(shown)}),
    )


def frame(paths: Paths, number: int) -> str:
    """A frame of the only capture among the inputs, taken apart layer by layer.

    Raises:
        UsageError: there are other inputs, or no such frame.
    """
    _check_files(paths)
    inputs = expand(paths)
    if len(inputs.captures) != 1 or inputs.sources:
        counted = {"capture": len(inputs.captures), "other file": len(inputs.sources)}
        given = " and ".join(plural(count, name) for name, count in counted.items() if count)
        raise UsageError(f"--frame {number}: wants one capture, given {given}; name one")
    found = find_frame(inputs.captures[0], number)
    return f"{found.title}\n{dissect(found)}"


def networks(given: Sequence[str], told_by: str = "--access") -> tuple[Network, ...]:
    """Networks as people write them: 192.0.2.0/24, 2001:db8::/32, or an address.

    Raises:
        UsageError: one is none.
    """
    try:
        return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in given)
    except ValueError as error:
        raise UsageError(f"{told_by}: {error}; write it like 192.0.2.0/24") from None


def families() -> dict[str, str]:
    """The family of every feature of lines."""
    return {name: feature.family for name, feature in features().items()}


def host_families() -> dict[str, str]:
    """The family of every feature of hosts."""
    return {name: feature.family for name, feature in features_of_hosts().items()}


def _reading(config: Config, options: Options, work: Path | None = None) -> IngestOptions:
    return IngestOptions(
        profile=options.profile,
        profile_folders=tuple(Path(f) for f in config.ingest.profile_folders),
        signature_folders=tuple(Path(f) for f in config.ingest.signature_folders),
        local_zone=_local_zone(config, options),
        since=options.since,
        until=options.until,
        max_reject_share=config.ingest.max_reject_share,
        rejects_path=work / run_folder.REJECTS if work else None,
    )


def _reading_step(step: Step) -> Callable[[IngestProgress], None]:
    def told(at: IngestProgress) -> None:
        share = at.bytes_read / at.bytes_total if at.bytes_total else None
        rows = f", {at.rows:,} rows" if at.rows else ""
        step(f"reading file {at.file} of {at.files}{rows}", share)

    return told


def _measuring_step(step: Step) -> Callable[[int, int], None]:
    def told(done: int, of: int) -> None:
        step("measuring lines", done / of)

    return told


def _check_events(found: IngestReport, store: Store, options: Options) -> None:
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


def _access_notes(access: tuple[Network, ...], captured: Captured) -> tuple[str, ...]:
    """What to know about networks of the access side that hold no address of the captures."""
    seen = [ipaddress.ip_address(host) for host in captured.tables.sides["host"]]
    empty = [network for network in access if not any(host in network for host in seen)]
    return tuple(f"no address of the captures lies in the access network {n}" for n in empty)


def _cell_notes(path: Path | None, cells: CellsReport | None, table: Path) -> tuple[str, ...]:
    """What to know about the table of cells, above all when it places no line."""
    if cells is None:
        return ()
    notes = tuple(f"{path}: {note}" for note in cells.notes)
    placed = pl.scan_parquet(table).select(pl.col("gyration_km").count()).collect().item()
    if placed:
        return notes
    none = f"{path}: none of its cells is among those of the data; compare their spellings"
    return (*notes, none)


def _cell_table(found: CellsReport | None) -> CellTable | None:
    if found is None:
        return None
    cells = found.cells.with_columns(place=text_id(pl.col("cell"))).sort("place")
    return CellTable(cells["place"].to_numpy(), cells["lat"].to_numpy(), cells["lon"].to_numpy())


def _lists(config: Config, options: Options) -> list[Path]:
    return [*(Path(f) for f in config.lists.files), *options.lists]


def _local_zone(config: Config, options: Options) -> str | None:
    return options.zone or config.time.local_zone or None


def _last_day(found: IngestReport, config: Config, options: Options) -> date | None:
    """The last local day of the data, on which list entries must still be in force."""
    return last_local_day(found, _local_zone(config, options))


def _zone_notes(found: IngestReport, config: Config, options: Options) -> tuple[str, ...]:
    """A note when nobody has said in which zone the clocks of the data are."""
    if _local_zone(config, options):
        return ()
    silent = {p.name for p in open_profiles(_reading(config, options)) if not p.time.zone}
    assumed = sum(file.profile in silent for file in found.files)
    if not assumed:
        return ()
    which = "" if assumed == len(found.files) else f" for {plural(assumed, 'file')}"
    return (
        f"no zone given{which}: times are read as UTC; --zone or the profile's zone changes it",
    )


def _record(config: Config, options: Options, found: IngestReport, scored: Scored) -> RunRecord:
    status = Counter(scored.lines["status"].cast(pl.String))
    asked = {"profile": options.profile, "zone": options.zone, "cells": options.cells,
             "since": options.since, "until": options.until}  # fmt: skip
    return RunRecord(
        versions={"simbox": VERSION, "polars": pl.__version__, "numpy": np.__version__},
        options={name: None if value is None else str(value) for name, value in asked.items()}
        | {"lists": ", ".join(map(str, options.lists)) or None}
        | {"access": ", ".join(map(str, options.access)) or None},
        config=config.model_dump(mode="json"),
        config_digest=config.digest(),
        ingest=found,
        lines=scored.lines.height,
        status={name: status.get(name, 0) for name in STATUSES},
        notes=(*_zone_notes(found, config, options), *scored.notes),
    )
