"""What a run hands on: its ranking to the command line, its tables to programs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl

from simbox.outputs import folder as run_folder
from simbox.outputs.explain_host import capture_tables
from simbox.outputs.folder import RunFolder
from simbox.outputs.ranking import HOST, SITE, Ranked, with_values
from simbox.outputs.record import RunRecord

_SOMETIMES = {
    "hosts": run_folder.HOSTS,
    "host_contributions": run_folder.HOST_CONTRIBUTIONS,
    "host_features": run_folder.HOST_FEATURES,
    "sites": run_folder.SITES,
    "site_lines": run_folder.SITE_LINES,
    "site_contributions": run_folder.SITE_CONTRIBUTIONS,
    "site_features": run_folder.SITE_FEATURES,
}


@dataclass(frozen=True)
class Run:
    """A run whose folder is written."""

    folder: Path
    record: RunRecord
    lines: pl.DataFrame  # ranked
    hosts: pl.DataFrame | None = None  # ranked; none when there were no captures
    sites: pl.DataFrame | None = None  # ranked; none where no lines stand together

    def head(self, count: int) -> Ranked:
        """The first lines, hosts and sites, with a column of reasons in words."""
        table = pl.scan_parquet(self.folder / run_folder.FEATURES)
        others = (
            (self.hosts, run_folder.HOST_FEATURES, HOST),
            (self.sites, run_folder.SITE_FEATURES, SITE),
        )
        hosts, sites = (
            None if frame is None
            else with_values(frame.head(count), pl.scan_parquet(self.folder / name), subject)
            for frame, name, subject in others
        )  # fmt: skip
        return Ranked(with_values(self.lines.head(count), table), hosts, sites)


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
    sites: pl.DataFrame | None = None  # this and the next ones: none where no lines stand together
    site_lines: pl.DataFrame | None = None  # who belongs to which site, and how surely
    site_contributions: pl.DataFrame | None = None
    site_features: pl.DataFrame | None = None


def read(folder: Path) -> Tables:
    """The tables of a finished run's folder."""
    run = RunFolder.open(folder)
    shown = capture_tables(run)
    sometimes = {
        name: run.table(file).collect()
        for name, file in _SOMETIMES.items()
        if (folder / file).is_file()
    }
    return Tables(
        lines=run.table(run_folder.LINES).collect(),
        contributions=run.table(run_folder.CONTRIBUTIONS).collect(),
        features=run.table(run_folder.FEATURES).collect(),
        rejects=run.table(run_folder.REJECTS).collect(),
        record=run.record,
        **sometimes,
        **({} if shown is None else {f.name: getattr(shown, f.name) for f in fields(shown)}),
    )
