"""The run as one HTML page: no script, nothing from outside, light and dark, printable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from simbox.outputs.activity import days_of
from simbox.outputs.events import events_of
from simbox.outputs.explain import taken_apart
from simbox.outputs.folder import FEATURES, LINES, RunFolder
from simbox.outputs.parts import Breakdown
from simbox.outputs.ranking import meanings, with_values
from simbox.outputs.record import RunRecord, local_span
from simbox.outputs.report_hosts import host_section, score_parts, scored_texts
from simbox.outputs.report_sites import site_section
from simbox.outputs.svg import heat_strip, histogram
from simbox.outputs.terminal import place
from simbox.outputs.wording import some
from simbox.scoring import STATUSES
from simbox.tables import EVENTS

MOST_FILES = 30
MOST_LINES = 100
MOST_WATCHED = 20  # ranks up to which a line on watch is explained
MOST_OTHERS = 3  # the same for lines that are no findings
MOST_DAYS = 31
HISTOGRAM_STEP = 2  # nats
FINDINGS = ("alert", "watch")


def report(run: RunFolder) -> str:
    """The page of a run."""
    environment = Environment(
        loader=PackageLoader("simbox.outputs"), autoescape=select_autoescape(default=True),
        trim_blocks=True,
    )  # fmt: skip
    css = (environment.loader and environment.get_template("report.css").render()) or ""
    lines = run.table(LINES).collect()
    head = with_values(lines.head(MOST_LINES), run.table(FEATURES))
    ranked = [_shown(row) for row in head.iter_rows(named=True)]
    detailed = [row for row in ranked if _worth_detail(row)]
    page = environment.get_template("report.html.j2")
    return page.render(
        css=Markup(css),  # noqa: S704  # our own style sheet
        record=run.record,
        span=local_span,
        files=run.record.ingest.files[:MOST_FILES],
        more_files=max(len(run.record.ingest.files) - MOST_FILES, 0),
        quality_tiles=list(_quality_tiles(run.record)),
        summary_tiles=list(_summary_tiles(run.record)),
        scoring=run.config.scoring,
        histogram=Markup(histogram(_steps(lines))),  # noqa: S704  # escaped where it is drawn
        ranked=ranked,
        meanings=meanings(head),
        details=_details(run, detailed),
        detailed={row["rank"] for row in detailed},
        skipped=some(run.record.ingest.skipped, MOST_FILES),
        hosts=host_section(run),
        sites=site_section(run),
    )


def _worth_detail(row: Mapping[str, Any]) -> bool:
    """Alerts are explained, others as far as they come first, and a few in a run of no findings."""
    most = MOST_WATCHED if row["status"] in FINDINGS else MOST_OTHERS
    return row["status"] == "alert" or int(row["rank"]) <= most


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **scored_texts(row),
        "place": place(row),
        "events_text": f"{row['events']:,}" if row.get("events") is not None else "",
    }


def _quality_tiles(record: RunRecord) -> Iterator[tuple[str, str]]:
    found = record.ingest
    if found.files or not found.captures:
        yield "files", f"{len(found.files):,}"
        yield "rows", f"{found.rows:,}"
        yield "events", f"{found.events:,}"
        yield "rejected rows", f"{found.rejected:,} ({found.reject_share:.1%})"
        yield "duplicates", f"{record.duplicates:,}"
        yield "partial records joined", f"{record.merged:,}"
    if found.captures:
        yield "captures", f"{len(found.captures):,}"
        yield "packets", f"{sum(c.packets for c in found.captures):,}"


def _summary_tiles(record: RunRecord) -> Iterator[tuple[str, str, str]]:
    yield "lines", f"{record.lines:,}", ""
    for status in STATUSES:
        yield status, f"{record.status[status]:,}", status
    if record.sites:
        yield "sites", f"{record.sites:,}", ""
        yield from ((f"sites {s}", f"{n:,}", s) for s, n in record.site_status.items() if n)
    if record.ingest.captures:
        yield "hosts", f"{record.hosts:,}", ""
        yield from ((f"hosts {s}", f"{n:,}", s) for s, n in record.host_status.items() if n)


def _steps(lines: pl.DataFrame) -> list[tuple[str, int, str]]:
    """Lines by steps of the score, each with the most severe status that it holds."""
    step = (pl.col("score") / HISTOGRAM_STEP).floor().cast(pl.Int64).alias("step")
    counted = lines.group_by(step).agg(pl.len(), pl.col("status").cast(pl.String).unique())
    if counted.is_empty():
        return []
    by_step = {s: (n, set(statuses)) for s, n, statuses in counted.iter_rows()}
    bars = []
    for number in range(min(by_step), max(by_step) + 1):
        count, statuses = by_step.get(number, (0, set()))
        kind = next((s for s in FINDINGS if s in statuses), "clear")
        low = number * HISTOGRAM_STEP
        bars.append((f"{low:+d}" if low else "0", count, kind))
    return bars


def _details(run: RunFolder, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The charts and parts of some lines; the store is read once for all of them."""
    lines = [row["line"] for row in rows]
    store = run.store()
    events = events_of(store, lines) if store else EVENTS.empty()
    broken_down = taken_apart(run, lines)
    return [_detail(row, broken_down[row["line"]], events.filter(line=row["line"])) for row in rows]


def _detail(row: Mapping[str, Any], parts: Breakdown, events: pl.DataFrame) -> dict[str, Any]:
    days = days_of(events)[-MOST_DAYS:]
    return {
        "row": row,
        "strip": Markup(heat_strip(days)) if days else "",  # noqa: S704
    } | score_parts(parts)
