"""One site taken apart: its score, its lines and what links them, its days, places, handsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from simbox.features.hosts.concurrency import peaks
from simbox.features.sites.engine import features
from simbox.features.sites.network import FAMILIES
from simbox.identifiers import TAC_DIGITS
from simbox.outputs.activity import OUTGOING, SAME_EVENT, local_time
from simbox.outputs.events import events_of
from simbox.outputs.explain import records
from simbox.outputs.folder import (
    LINES,
    SITE_CONTRIBUTIONS,
    SITE_FEATURES,
    SITE_LINES,
    SITES,
    RunFolder,
)
from simbox.outputs.masking import masked
from simbox.outputs.parts import Breakdown, breakdown
from simbox.outputs.ranking import SITE
from simbox.outputs.sites import with_shift
from simbox.scoring import explain as reasons
from simbox.scoring.grades import NO_KNOTS
from simbox.scoring.sites.score import site_scorecard
from simbox.tables import EVENTS, HOST_PREFIX

LINKS = {family.name: family.doc for family in FAMILIES}
CALLER, RECEIVER, DECOY, SPARE = "caller", "receiver", "decoy", "spare"
ROLES = {
    CALLER: "calls out",
    RECEIVER: "is called more than it calls",
    DECOY: "calls or is called by the other lines most",
    SPARE: "hardly calls",
}
SPARE_SHARE = 0.05  # of what the middle line calls out
SEVERAL = 2  # lines that call a number


@dataclass(frozen=True)
class SiteExplanation:
    """Everything that a run knows about one site."""

    row: Mapping[str, Any]  # of sites.parquet, with shift_start and shift_stop
    breakdown: Breakdown
    members: (
        pl.DataFrame
    )  # line, role, status, probability, belongs, nats of each link, calls, ends
    places: pl.DataFrame  # place, share
    days: pl.DataFrame  # day, start, stop, lines, new, gone, calls, talk_s, at_once
    devices: pl.DataFrame  # imei, tac, lines, used, events, first_seen, last_seen
    called: pl.DataFrame  # numbers that several of its lines call: other, lines, calls
    rows: pl.DataFrame  # line, row, local, event, seconds, other, place, source
    events: pl.DataFrame  # tables.EVENTS of its lines
    has_store: bool
    captures: frozenset[str] = frozenset()  # sources whose rows are frames

    @property
    def new_a_day(self) -> float | None:
        """Lines that begin on a day after the first, on average; none where there is none."""
        mean = self.days["new"].drop_nulls().mean()
        return float(str(mean)) if mean is not None else None


def explain_site(run: RunFolder, site: str, *, reveal: bool = False) -> SiteExplanation:
    """Take a site of a finished run apart."""
    digits = 0 if reveal else run.config.outputs.mask_digits
    row = with_shift(run.table(SITES).filter(pl.col(SITE) == site).collect()).row(0, named=True)
    linked = run.table(SITE_LINES).filter(pl.col(SITE) == site).drop(SITE).collect()
    lines = linked["line"].to_list()
    store = run.store()
    events = events_of(store, lines) if store else EVENTS.empty()
    once = events.unique(["line", *SAME_EVENT], maintain_order=True)
    return SiteExplanation(
        row=row,
        breakdown=sites_apart(run, [site])[site],
        members=members(linked, run.rows(LINES, lines), once),
        places=places(row),
        days=days(once),
        devices=devices(once),
        called=called(once, digits),
        rows=records(events, digits, ["line"]),
        events=events,
        has_store=store is not None,
        captures=frozenset(capture.path for capture in run.record.ingest.captures),
    )


def sites_apart(run: RunFolder, sites: Sequence[str]) -> dict[str, Breakdown]:
    """The scores of sites of a finished run in their parts."""
    card = site_scorecard(run.config, {name: f.family for name, f in features().items()})
    measured, parts = (
        run.table(name).filter(pl.col(SITE).is_in(sites)).collect()
        for name in (SITE_FEATURES, SITE_CONTRIBUTIONS)
    )
    return {
        site: breakdown(
            reasons(measured.filter(site=site), parts.filter(site=site), card, NO_KNOTS),
            features(),
        )
        for site in sites
    }


def members(linked: pl.DataFrame, lines: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The lines of a site: role, own standing, how surely they belong, and through which links.

    Args:
        linked: line, belongs, and the mean nats of each family of links.
        lines: the lines' rows of lines.parquet.
        events: what they did, each once; empty where it was not kept.
    """
    out, inside = (
        pl.col("event_type").is_in(OUTGOING),
        pl.col("other").is_in(linked["line"].implode()),
    )
    did = events.group_by("line").agg(
        out=out.sum(), into=(~out).sum(), inside=inside.sum(),
        first=local_time().min(), last=local_time().max(),
    )  # fmt: skip
    known = linked.join(
        lines.select("line", "rank", "status", "probability"), on="line", how="left"
    )
    told = known.join(did, on="line", how="left").with_columns(role=_role())
    return told.select(
        "line", "role", "rank", "status", "probability", "belongs",
        *(pl.col(f"{name}_nats").alias(name) for name in LINKS),
        "out", "into", "first", "last",
    ).sort("first", "line", nulls_last=True)  # fmt: skip


def _role() -> pl.Expr:
    out, into = pl.col("out"), pl.col("into")
    return (
        pl.when(out.is_null()).then(None)
        .when(2 * pl.col("inside") > out + into).then(pl.lit(DECOY))
        .when(out <= SPARE_SHARE * out.median()).then(pl.lit(SPARE))
        .when(into > out).then(pl.lit(RECEIVER))
        .otherwise(pl.lit(CALLER))
    )  # fmt: skip


def places(row: Mapping[str, Any]) -> pl.DataFrame:
    """The cells or hosts of a site with the shares of what it does there."""
    schema = {"place": pl.String, "share": pl.Float64}
    held = pl.DataFrame({"place": row["cells"] or [], "share": row["cell_shares"] or []}, schema)
    return held.with_columns(pl.col("place").str.strip_prefix(HOST_PREFIX))


def days(events: pl.DataFrame) -> pl.DataFrame:
    """Each local day with calls out: its shift, the lines at work, who is new and who is gone."""
    own = events.with_columns(
        local=local_time(),
        end=local_time() + pl.duration(seconds=pl.col("duration_s").fill_null(0)),
    ).with_columns(day=pl.col("local").dt.date())
    calls = own.filter(pl.col("event_type") == "MOC")
    ends = calls.group_by("line").agg(born=pl.col("day").min(), died=pl.col("day").max())
    worked = calls.join(ends, on="line").group_by("day").agg(
        start=pl.col("local").min(), stop=pl.col("end").max(),
        lines=pl.col("line").n_unique(),
        new=pl.col("line").filter(pl.col("born") == pl.col("day")).n_unique(),
        gone=pl.col("line").filter(pl.col("died") == pl.col("day")).n_unique(),
        calls=pl.len(), talk_s=pl.col("duration_s").fill_null(0).cast(pl.Int64).sum(),
    )  # fmt: skip
    spoken = own.filter(pl.col("event_type").is_in(["MOC", "MTC"]))
    most = peaks(spoken.select(host="day", start="local", until="end"))
    first, last = pl.col("day") == pl.col("day").min(), pl.col("day") == pl.col("day").max()
    return (
        worked.join(most.select(day="host", at_once="most"), on="day", how="left")
        .with_columns(new=pl.when(~first).then("new"), gone=pl.when(~last).then("gone"))
        .sort("day")
    )


def devices(events: pl.DataFrame) -> pl.DataFrame:
    """The handsets of a site, those of most lines first, and whether lines take turns in them."""
    seen = events.drop_nulls("imei").with_columns(local=local_time())
    ends = pl.col("local") + pl.duration(seconds=pl.col("duration_s").fill_null(0))
    most = peaks(seen.select(host="imei", start="local", until=ends)).select(
        imei="host", most="most"
    )
    counted = seen.group_by("imei").agg(
        lines=pl.col("line").n_unique(), events=pl.len(),
        first_seen=pl.col("local").min(), last_seen=pl.col("local").max(),
    )  # fmt: skip
    several = pl.col("lines") > 1
    used = (
        pl.when(several & (pl.col("most") > 1)).then(pl.lit("at once"))
        .when(several).then(pl.lit("in turn"))
        .otherwise(pl.lit("by one"))
    )  # fmt: skip
    told = counted.join(most, on="imei", how="left").with_columns(used=used)
    tac = pl.col("imei").str.head(TAC_DIGITS).alias("TAC")
    ordered = told.sort("lines", "events", "imei", descending=[True, True, False])
    return ordered.select("imei", tac, "lines", "used", "events", "first_seen", "last_seen")


def called(events: pl.DataFrame, digits: int) -> pl.DataFrame:
    """Numbers that several lines of a site call or text: one list, one customer, or a test call."""
    outgoing = events.filter(pl.col("event_type").is_in(OUTGOING)).drop_nulls("other")
    counted = outgoing.group_by("other", "other_class").agg(
        lines=pl.col("line").n_unique(), calls=pl.len(), seconds=pl.col("duration_s").sum()
    )
    shared = counted.filter(pl.col("lines") >= SEVERAL)
    ordered = shared.sort("lines", "calls", "other", descending=[True, True, False])
    return ordered.with_columns(masked(pl.col("other"), digits)) if digits else ordered
