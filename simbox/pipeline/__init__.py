"""The five hops, top to bottom: ingest, tables, features, scoring, outputs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from simbox.config import Config, load
from simbox.features import FeatureRun, compute, features, no_lines
from simbox.features.context import CellTable
from simbox.ingest import estimate_rows
from simbox.ingest.cells import CellsReport, load_cells
from simbox.ingest.report import IngestReport
from simbox.ingest.sources import expand
from simbox.outputs import files
from simbox.outputs import folder as run_folder
from simbox.outputs.folder import replacing
from simbox.outputs.progress import Step, silent
from simbox.outputs.proof import check_apart, check_target
from simbox.outputs.quality import Quality, measure
from simbox.outputs.sites import with_district
from simbox.pipeline.hosts import (
    access_notes,
    excerpt,
    host_families,
    recorded_notes,
    scored_hosts,
    with_hosts,
)
from simbox.pipeline.notes import cell_notes, cell_table, last_day, record_of, zone_notes
from simbox.pipeline.options import (
    Options,
    Paths,
    list_files,
    local_zone,
    networks,
    reading_options,
)
from simbox.pipeline.reading import (
    check_events,
    check_files,
    frame,
    proposals,
    read_inputs,
    reading_step,
)
from simbox.pipeline.results import Run, Tables, read
from simbox.pipeline.sites import (
    FoundSites,
    find_sites,
    inherit,
    site_families,
    with_found,
    write_sites,
)
from simbox.scoring import (
    Scorecard,
    Scored,
    import_features,
    load_lists,
    score_file,
    score_nothing,
    scorecard,
)
from simbox.scoring.hosts import host_scorecard
from simbox.scoring.sites.score import site_scorecard
from simbox.store import Store, buckets_for

__all__ = [
    "Options",
    "Run",
    "Tables",
    "detect",
    "families",
    "frame",
    "host_families",
    "inspect",
    "networks",
    "proposals",
    "read",
    "score",
    "tables",
]
PARTS = "features"  # a folder of one Parquet file a bucket, until they are joined


def detect(paths: Paths, config: Config, options: Options, work: Path, step: Step = silent) -> Run:
    """Rank the lines in CDRs and captures, and hosts, and write the run into an empty folder."""
    check_files(paths)
    card, host_card = scorecard(config, families()), host_scorecard(config, host_families())
    site_card = site_scorecard(config, site_families())
    cells = load_cells(options.cells) if options.cells else None
    if options.evidence:
        check_target(options.evidence, expand(paths))
    store = Store.create(work / run_folder.STORE, buckets_for(estimate_rows(paths)))

    step("reading")
    with store.writer() as writer:
        reading = reading_options(config, options, work)
        access = options.access or networks(config.ingest.access_networks, "ingest.access_networks")
        found, captured = read_inputs(paths, writer, reading, access, reading_step(step))
    check_events(found, store, options)
    cells = cells.on(last_day(found, config, options)) if cells else None
    measured = _measured(store, work, cell_table(cells), step)
    table = work / run_folder.FEATURES

    step("scoring")
    lists = load_lists(list_files(config, options), config.lists, last_day(found, config, options))
    parts = work / run_folder.CONTRIBUTIONS
    scored = (
        score_file(table, parts, card, lists)
        if measured
        else score_nothing(no_lines(), parts, card)
    )
    hosts = scored_hosts(captured, host_card, lists, work) if captured else None

    step("looking for sites")
    sites = _sites(store, scored, (site_card, config), cells) if measured else None
    if sites:
        write_sites(sites, work)
        scored = inherit(scored, sites, config, work)

    step("writing")
    record = record_of(config, options, found, scored)
    record = with_found(record, sites)
    if captured and hosts:
        record = with_hosts(record, hosts, excerpt(options.evidence, captured, hosts))
        notes = (*access_notes(access, captured), *recorded_notes(captured))
        record = replace(record, notes=(*record.notes, *notes))
    if measured:
        record = replace(record, duplicates=measured.duplicates, merged=measured.merged)
    record = replace(record, notes=(*record.notes, *cell_notes(options.cells, cells, table)))
    files.write(work, record, scored, options.keep, hosts)
    return Run(
        work, record, scored.lines, hosts.hosts if hosts else None, sites.sites if sites else None
    )


def _sites(
    store: Store, scored: Scored, how: tuple[Scorecard, Config], cells: CellsReport | None
) -> FoundSites | None:
    """The sites of a run, with the districts that a cell table names."""
    card, config = how
    found = find_sites(store, scored, card, config, cell_table(cells))
    if found is None or cells is None:
        return found
    return replace(found, sites=with_district(found.sites, cells.cells))


def score(table: Path, config: Config, options: Options, work: Path) -> Run:
    """Rank the lines of a table of features and write the run into an empty folder."""
    card = scorecard(config, families())
    target = work / run_folder.FEATURES
    imported = import_features(table, target, list(features()), config.ingest.max_reject_share)
    imported.rejects.write_parquet(work / run_folder.REJECTS)
    lists = load_lists(list_files(config, options), config.lists, None)
    scored = score_file(target, work / run_folder.CONTRIBUTIONS, card, lists)
    record = record_of(config, options, IngestReport(()), scored)
    rejected = dict(imported.rejects["reason"].value_counts(sort=True).iter_rows())
    told = tuple(f"{table}: {count:,} times {reason}" for reason, count in rejected.items())
    record = replace(record, notes=(*record.notes, *imported.unknown, *told))
    files.write(work, record, scored, options.keep)
    return Run(work, record, scored.lines)


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
    check_files(paths)
    with TemporaryDirectory(prefix="simbox-") as folder:
        store = Store.create(Path(folder) / "store", buckets_for(estimate_rows(paths)))
        reading = replace(reading_options(config, options), max_reject_share=1.0)
        with store.writer() as writer:
            found, _ = read_inputs(paths, writer, reading, (), reading_step(step))
        zone = local_zone(config, options) or "UTC"
        notes = zone_notes(found, config, options)
        return replace(measure(store, found), notes=notes, zone=zone)


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


def families() -> dict[str, str]:
    """The family of every feature of lines."""
    return {name: feature.family for name, feature in features().items()}


def _measuring_step(step: Step) -> Callable[[int, int], None]:
    def told(done: int, of: int) -> None:
        step("measuring lines", done / of)

    return told
