"""How ranked lines, hosts and sites leave a command, and with which exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import typer

from simbox.cli._capture_options import Ranking
from simbox.cli._console import console
from simbox.cli._options import DEFAULT_RUN, FailOn, Format
from simbox.errors import EXIT_FINDINGS, UsageError
from simbox.outputs.captured import damages
from simbox.outputs.ranking import HOST, LINE, Ranked
from simbox.outputs.record import RunRecord
from simbox.outputs.sites import flat, plain, titled
from simbox.outputs.terminal import as_csv, as_json, closing, leading, table
from simbox.outputs.wording import shown as visible

FAILING = {None: (), FailOn.alert: ("alert",), FailOn.watch: ("alert", "watch")}


@dataclass(frozen=True)
class Printing:
    """What of a run is printed, and how."""

    form: Format | None
    ranked: Ranked
    out: Path | None  # where the run was kept
    ranking: Ranking | None = None  # what other programs get


def finish(record: RunRecord, printing: Printing, fail_on: FailOn | None) -> None:
    """Print the first of a run and end with exit code 3 if they were not to be there."""
    form = printing.form or (Format.table if sys.stdout.isatty() else Format.csv)
    ranked = printing.ranked
    if form is Format.table:
        screen = console()
        screen.print(table(record, ranked, screen.width))
        if printing.out is not None:
            default = printing.out == DEFAULT_RUN
            screen.print(closing(printing.out, record, _first(record, ranked), default=default))
    else:
        for damage in damages(record.ingest.captures):
            print("simbox:", visible(damage), file=sys.stderr)
        bare = _chosen(record, printing, form)
        sys.stdout.write(as_csv(bare) if form is Format.csv else as_json(bare) + "\n")
        sys.stdout.flush()
    counts = (record.status, record.host_status, record.site_status)
    if any(count.get(status) for count in counts for status in FAILING[fail_on]):
        raise typer.Exit(EXIT_FINDINGS)


def _chosen(record: RunRecord, printing: Printing, form: Format) -> pl.DataFrame:
    """What other programs get: what the run is about, unless they asked for the other."""
    hosts, sites = printing.ranked.hosts, printing.ranked.sites
    wanted = printing.ranking or (Ranking.hosts if leading(record) == HOST else Ranking.lines)
    if wanted is Ranking.sites:
        return flat(sites) if form is Format.csv else plain(sites)
    if wanted is Ranking.hosts and hosts is None:
        raise UsageError("--ranking hosts: no captures were read, which hosts come from")
    chosen = printing.ranked.lines if wanted is Ranking.lines or hosts is None else hosts
    return chosen.drop("reasons")  # programs join the values to the codes


def _first(record: RunRecord, ranked: Ranked) -> list[str]:
    """The first site, line and host, what the run is about before the others."""
    shown = [(LINE, ranked.lines), (HOST, ranked.hosts)]
    if leading(record) == HOST:
        shown.reverse()
    first = [f[name][0] for name, f in shown if f is not None and f.height]
    sites = ranked.sites
    if sites is not None and sites.height and sites["status"][0] != "clear":
        first.insert(0, titled(sites.row(0, named=True)))
    return list(dict.fromkeys(first))
