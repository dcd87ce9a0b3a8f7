"""One line taken apart: its score, its activity, and the records behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from simbox.features import features
from simbox.identifiers import TAC_DIGITS
from simbox.outputs.activity import OUTGOING, SAME_EVENT, Day, days_of, local_time
from simbox.outputs.events import events_of
from simbox.outputs.folder import CONTRIBUTIONS, FEATURES, LINES, RunFolder
from simbox.outputs.masking import masked
from simbox.outputs.parts import Breakdown, breakdown
from simbox.outputs.ranking import OF_SITE
from simbox.scoring import explain as reasons
from simbox.scoring import scorecard
from simbox.tables import EVENTS

MOST_CALLED = 10
MOST_PLACES = 8
MOST_DEVICES = 8


@dataclass(frozen=True)
class Explanation:
    """Everything that a run knows about one line."""

    row: Mapping[str, Any]
    breakdown: Breakdown
    days: tuple[Day, ...]
    places: pl.DataFrame  # place, events, share
    devices: pl.DataFrame  # imei, tac, SIMs, events, first_seen, last_seen
    called: pl.DataFrame  # other, other_class, calls, texts, seconds
    rows: pl.DataFrame  # row, local, event, seconds, other, place, source
    has_store: bool
    captures: frozenset[str] = frozenset()  # sources whose rows are frames


def explain(folder: RunFolder, line: str, *, reveal: bool = False) -> Explanation:
    """Take a line of a finished run apart."""
    digits = 0 if reveal else folder.config.outputs.mask_digits
    store = folder.store()
    events = events_of(store, [line]) if store else EVENTS.empty()
    once = events.unique(SAME_EVENT, maintain_order=True)
    return Explanation(
        row=folder.rows(LINES, [line]).row(0, named=True),
        breakdown=taken_apart(folder, [line])[line],
        days=tuple(days_of(events)),
        places=places(once),
        devices=devices(once),
        called=called(once, digits),
        rows=records(events, digits),
        has_store=store is not None,
        captures=frozenset(capture.path for capture in folder.record.ingest.captures),
    )


def taken_apart(folder: RunFolder, lines: Sequence[str]) -> dict[str, Breakdown]:
    """The scores of lines of a finished run in their parts."""
    card = scorecard(folder.config, {name: f.family for name, f in features().items()})
    knots = folder.knots()
    measured, parts = (folder.rows(name, lines) for name in (FEATURES, CONTRIBUTIONS))
    sites = folder.sites_of(lines)
    return {
        line: in_site(
            breakdown(
                reasons(measured.filter(line=line), parts.filter(line=line), card, knots),
                features(),
            ),
            sites.get(line),
        )
        for line in lines
    }


def in_site(parts: Breakdown, site: str | None) -> Breakdown:
    """A line's score with its site named in the part that comes from there."""
    words = f"what the lines of {site} show together; 'simbox explain site:{site}' takes it apart"
    return parts.reworded(OF_SITE, words) if site else parts


def place() -> pl.Expr:
    """The cell of an event, or the host."""
    return pl.coalesce("cell", "host")


def places(events: pl.DataFrame) -> pl.DataFrame:
    """Where the line was, most frequent place first."""
    counted = events.group_by(place().alias("place")).agg(events=pl.len()).drop_nulls("place")
    share = (pl.col("events") / pl.col("events").sum()).alias("share")
    return counted.with_columns(share).sort("events", "place", descending=[True, False])


def devices(events: pl.DataFrame) -> pl.DataFrame:
    """The handsets that the line was in, the most used first."""
    counted = (
        events.drop_nulls("imei")
        .group_by("imei")
        .agg(
            pl.col("imsi").drop_nulls().n_unique().alias("SIMs"),
            events=pl.len(),
            first_seen=local_time().min(),
            last_seen=local_time().max(),
        )
    )
    tac = pl.col("imei").str.head(TAC_DIGITS).alias("TAC")
    ordered = counted.sort("events", "imei", descending=[True, False])
    return ordered.select("imei", tac, "SIMs", "events", "first_seen", "last_seen")


def called(events: pl.DataFrame, digits: int) -> pl.DataFrame:
    """The parties that the line called or texted, the most frequent first."""
    outgoing = events.filter(pl.col("event_type").is_in(OUTGOING)).drop_nulls("other")
    counted = outgoing.group_by("other", "other_class").agg(
        calls=(pl.col("event_type") == "MOC").sum(),
        texts=(pl.col("event_type") == "SMS_MO").sum(),
        seconds=pl.col("duration_s").sum(),
    )
    ordered = counted.sort(pl.col("calls") + pl.col("texts"), "other", descending=[True, False])
    return ordered.with_columns(masked(pl.col("other"), digits)) if digits else ordered


def records(events: pl.DataFrame, digits: int, who: Sequence[str] = ()) -> pl.DataFrame:
    """The rows behind lines in the order of time, with the file and row of each.

    Args:
        events: tables.EVENTS of the lines.
        digits: how many of the other party's are masked.
        who: columns that tell whose row it is.
    """
    other = masked(pl.col("other"), digits) if digits else pl.col("other")
    unanswered = pl.col("answered").not_() & (pl.col("duration_s").fill_null(0) == 0)
    seconds = pl.when(unanswered).then(pl.lit("no answer")).otherwise(pl.col("duration_s"))
    return events.sort("start", "source", "row", "line").select(
        *who,
        "row",
        local=local_time().dt.strftime("%m-%d %H:%M:%S"),
        event="event_type",
        seconds=seconds,
        other=other,
        place=place(),
        source="source",
    )
