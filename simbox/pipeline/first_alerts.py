"""When the sites and lines of a run would first have alerted, written into the run."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from simbox.config import Config
from simbox.errors import InputError
from simbox.ingest.cells import load_cells
from simbox.outputs import folder as run_folder
from simbox.outputs.folder import RunFolder
from simbox.outputs.progress import Step, silent
from simbox.outputs.report import report
from simbox.outputs.terminal import as_csv
from simbox.outputs.wording import plural, some
from simbox.pipeline.by_hour import LINE, SITE, Replay, replay
from simbox.pipeline.notes import cell_table, last_day
from simbox.pipeline.options import Options, list_files
from simbox.pipeline.results import Run
from simbox.scoring import load_lists

LEAST = 2  # lines by which a site of an hour is known to be one of the run's
NAMED = 3  # sites that the note names
FIRST = "first_alert"
HOW_READ = (
    "by hour: of lines that come near to suspicion at the end of a day; percentiles are those of a "
    "sample of lines at each hour"
)


def by_hour(run: Run, config: Config, options: Options, step: Step = silent) -> Run:
    """The run with the hour of each first alert: a column ``first_alert`` of its lines and sites.

    Writes by_hour.parquet, and the tables and the record of the run anew.  Times are UTC for lines
    and local for sites, as their other times are; null for what never alerted.

    Raises:
        InputError: the run keeps no events.
    """
    folder = RunFolder.open(run.folder)
    store = folder.store()
    if store is None:
        raise InputError(f"{run.folder}: keeps no events to replay; run detect without --no-store")
    day = last_day(run.record.ingest, config, options)
    how = Replay(
        config,
        load_lists(list_files(config, options), config.lists, day),
        cell_table(load_cells(options.cells) if options.cells else None),
    )
    hours = replay(store, how, step)
    hours.write_parquet(run.folder / run_folder.BY_HOUR)
    lines = run.lines.join(line_alerts(hours), on="line", how="left", maintain_order="left")
    sites = run.sites
    if sites is not None:
        members = folder.table(run_folder.SITE_LINES).select("site", "line").collect()
        told = site_alerts(hours, sites, members)
        sites = sites.join(told, on="site", how="left", maintain_order="left")
    record = replace(run.record, notes=(*run.record.notes, *notes(lines, sites)))
    told_run = replace(run, record=record, lines=lines, sites=sites)
    _write(told_run)
    return told_run


def site_alerts(hours: pl.DataFrame, sites: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """When each site of a run first alerted: site and first_alert, local; null for never.

    A site of an earlier hour is one of the run's when more than half of its members are, and two
    at least.

    Args:
        hours: as ``by_hour.BY_HOUR``.
        sites: column site.
        members: site and line.
    """
    told = hours.filter((pl.col("subject") == SITE) & (pl.col("status") == "alert"))
    told = told.with_row_index("look").select("look", "local", "lines")
    size = told.select("look", "local", size=pl.col("lines").list.len())
    inside = (
        told.select("look", line="lines").explode("line")
        .join(members.select("site", "line"), on="line")
        .group_by("look", "site").agg(pl.len())
        .join(size, on="look")
        .filter((2 * pl.col("len") > pl.col("size")) & (pl.col("len") >= LEAST))
    )  # fmt: skip
    first = inside.group_by("site").agg(pl.col("local").min().alias(FIRST))
    return sites.select("site").join(first, on="site", how="left", maintain_order="left")


def line_alerts(hours: pl.DataFrame) -> pl.DataFrame:
    """When each line that did first alerted: line and first_alert, UTC."""
    told = hours.filter((pl.col("subject") == LINE) & (pl.col("status") == "alert"))
    return told.group_by(line="id").agg(pl.col("hour").min().alias(FIRST)).sort("line")


def notes(lines: pl.DataFrame, sites: pl.DataFrame | None) -> tuple[str, ...]:
    """What the replay found, and how it is to be read."""
    alerted = lines[FIRST].count()
    said = [f"by hour: {plural(alerted, 'line')} would have alerted"]
    if sites is not None:
        first = sites.filter(pl.col(FIRST).is_not_null()).sort(FIRST, "rank")
        named = [
            f"{site} at {at:%Y-%m-%d %H:%M}" for site, at in first.select("site", FIRST).rows()
        ]
        said.append(
            f"{plural(first.height, 'site')}" + (": " if named else "") + some(named, NAMED)
        )
    return ", and ".join(said), HOW_READ


def _write(run: Run) -> None:
    """The tables of a run that have a new column, and its record."""
    run.lines.write_parquet(run.folder / run_folder.LINES)
    (run.folder / run_folder.LINES_CSV).write_text(as_csv(run.lines), encoding="utf-8")
    if run.sites is not None:
        run.sites.write_parquet(run.folder / run_folder.SITES)
    run_folder.write_json(run.folder / run_folder.RUN_FILE, run.record.as_dict())
    page = report(RunFolder.open(run.folder))
    (run.folder / run_folder.REPORT).write_text(page, encoding="utf-8")
