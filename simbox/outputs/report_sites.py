"""The sites of a run for the report: the ranked table, and who, where and when of the findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from simbox.outputs.explain_site import LINKS, SiteExplanation, explain_site
from simbox.outputs.explain_site_terminal import facts
from simbox.outputs.folder import SITE_FEATURES, SITES, RunFolder
from simbox.outputs.ranking import SITE, meanings, with_values
from simbox.outputs.report_hosts import score_parts, scored_texts, tables_of
from simbox.outputs.sites import place, shift, with_shift
from simbox.outputs.svg_turns import turns_chart
from simbox.outputs.terminal import FOUND, false_sites
from simbox.outputs.turns import turns
from simbox.outputs.wording import plural

MOST_SITES = 100
MOST_DETAILED = 12
MOST_LINES = 64  # of a chart
ROOM = 170  # columns of a chart
DETAILED = ("alert", "watch")
NUMBERS = ("lines", "ports", "calls")


def site_section(run: RunFolder) -> dict[str, Any] | None:
    """What the page says about sites; none where no lines stand together."""
    if not (run.path / SITES).is_file():
        return None
    every = with_shift(run.table(SITES).collect())
    sites = every.filter(pl.col("status").cast(pl.String).is_in(FOUND))
    head = with_values(sites.head(MOST_SITES), run.table(SITE_FEATURES), SITE)
    ranked = [_shown(row) for row in head.iter_rows(named=True)]
    detailed = [row for row in ranked if row["status"] in DETAILED][:MOST_DETAILED]
    return {
        "ranked": ranked,
        "total": sites.height,
        "cleared": plural(every.height - sites.height, "other group")
        if every.height > sites.height
        else "",
        "false": false_sites(run.record) if run.record.site_status.get("alert") else "",
        "meanings": meanings(head, SITE),
        "details": list(_details(run, detailed)),
        "detailed": {row["rank"] for row in detailed},
        "anchors": {row[SITE]: f"site-{row['rank']}" for row in detailed},
    }


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {f"{n}_text": f"{row[n]:,}" for n in NUMBERS}
    return scored_texts(row) | numbers | {"shift": shift(row), "place": place(row)}


def _details(run: RunFolder, rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        told = explain_site(run, row[SITE])
        found = turns(told.events, ROOM)
        drawn = Markup(turns_chart(found, MOST_LINES)) if found else ""  # noqa: S704
        yield {
            "row": row,
            "facts": list(facts(told)),
            "chart": drawn,
            "step": found.step_min if found else 0,
            "tables": list(tables_of(_tables(told), run.record.zone)),
        } | score_parts(told.breakdown)


def _tables(told: SiteExplanation) -> dict[str, pl.DataFrame]:
    """What stands in the tables about a site, times by its own clock as texts."""
    moment = "%m-%d %H:%M"
    members = told.members.with_columns(
        pl.col("first", "last").dt.strftime(moment),
        pl.col("probability").round(3).cast(pl.String),
        pl.col("status").cast(pl.String),
        *(pl.col(name).round(1).cast(pl.String) for name in LINKS),
    )
    days = told.days.select(
        pl.col("day").dt.strftime("%a %d %b"),
        *(pl.col(name).dt.strftime("%H:%M") for name in ("start", "stop")),
        pl.col("lines").alias("lines at work"), "new", "gone", "calls",
        (pl.col("talk_s") / 3600).round(1).cast(pl.String).alias("hours talked"),
        pl.col("at_once").alias("most at once"),
    )  # fmt: skip
    seen = pl.col("first_seen", "last_seen").dt.strftime(moment)
    return {
        "lines and what links them, in nats": members,
        "days": days,
        "places": told.places,
        "handsets": told.devices.with_columns(seen),
    }
