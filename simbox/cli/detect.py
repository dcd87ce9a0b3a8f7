"""``simbox detect``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simbox import pipeline
from simbox.cli import _by_hour as hours
from simbox.cli import _capture_options as cap
from simbox.cli import _options as opt
from simbox.cli._printing import Printing, finish
from simbox.config import load
from simbox.outputs.files import Keep
from simbox.outputs.folder import replacing
from simbox.outputs.geojson import check_target, write_geojson
from simbox.outputs.progress import progress_bar
from simbox.outputs.proof import check_apart


def command(
    paths: opt.Paths,
    profile: opt.Profile = None,
    config: opt.Config = None,
    cells: Annotated[
        Path | None,
        typer.Option(
            help="CSV or Parquet of cells: cell, lat, lon, district, valid_from, valid_to."
        ),
    ] = None,
    lists: opt.Lists = None,
    access: cap.Access = None,
    out: Annotated[Path, typer.Option(help="Folder of the run, replaced if it is one.")] = (
        opt.DEFAULT_RUN
    ),
    top: opt.Top = None,
    printed: opt.Printed = None,
    ranking: cap.Ranked = None,
    since: opt.Since = None,
    until: opt.Until = None,
    zone: opt.Zone = None,
    fail_on: opt.Failing = None,
    evidence_pcap: cap.Evidence = None,
    geojson: cap.Map = None,
    by: hours.By = None,
    keep_tables: Annotated[
        bool, typer.Option("--keep-tables", help="Also write the canonical tables as Parquet.")
    ] = False,
    no_store: Annotated[
        bool, typer.Option("--no-store", help="Keep no events; explain then shows no records.")
    ] = False,
) -> None:
    """Rank the lines, sites and hosts in CDRs and captures by how likely they are voice gateways.

    Example: simbox detect exports/2026-03 access-link.pcapng --cells cells.csv --out march-run
    """
    settings = load(config)
    options = pipeline.Options(
        profile=profile,
        zone=zone,
        since=since,
        until=until,
        cells=cells,
        lists=tuple(lists or ()),
        access=pipeline.networks(access or ()),
        evidence=evidence_pcap,
        keep=Keep(store=not no_store, tables=keep_tables),
    )
    check_apart(evidence_pcap, out)
    check_target(geojson, out)
    hours.check(by, store=not no_store)
    with replacing(out) as work, progress_bar() as step:
        run = pipeline.detect(paths, settings, options, work, step)
        run = hours.replayed(by, run, settings, options, step)
        ranked = run.head(top or settings.outputs.top)
    if geojson:
        write_geojson(run.sites, geojson)
    finish(run.record, Printing(printed, ranked, out, ranking), fail_on)
