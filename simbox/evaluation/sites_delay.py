"""Detection delay of sites: how long a room works before it is first reported.

From a run that was replayed by hour: a true site is reported at the first hour at which an alerting
site stands for it, by the rule that matches found sites and true ones.  What it did until then is
counted in hours of its traffic: quarters of an hour in which one of its lines was in an outgoing
call or sent a text, over four.  A site that is never reported is infinitely late in every median.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from simbox.evaluation.delay import hours_of_traffic
from simbox.evaluation.inputs import RunInput, kept_events
from simbox.evaluation.labels import GATEWAY, group_of
from simbox.evaluation.sites import FOUND, JUDGED, LEAST, judged
from simbox.features.events import COLUMNS, Events, arrange
from simbox.features.segments import Index
from simbox.features.sites.traffic import Floats
from simbox.identifiers import Ids, line_id, party
from simbox.outputs import folder as run_folder
from simbox.store import Store, line_hash
from simbox.tables import UTC

ALL = "all"

#: One row a true gateway site of two lines or more that call.
DELAYS: dict[str, pl.DataType | type[pl.DataType]] = {
    "room": pl.String,
    "kind": pl.String,
    "alerted_at": UTC,  # the hour; null for never
    "hours": pl.Float64,  # of traffic up to then, or up to the end of the data
}


@dataclass(frozen=True)
class SiteDelay:
    """How late the true sites of one gateway kind are reported, in hours of their traffic."""

    kind: str
    sites: int
    reported: int
    median: float | None  # null for never
    p90: float | None


def site_delays(world: RunInput) -> pl.DataFrame | None:
    """How late each true gateway site of a run is reported, as :data:`DELAYS`.

    None where the run was not replayed by hour.

    Raises:
        InputError: the run keeps no events.
    """
    run = world.run
    if run is None or not (run.path / run_folder.BY_HOUR).is_file():
        return None
    table = run.table(run_folder.BY_HOUR).filter(pl.col("subject") == "site").collect()
    truth = world.scored.select("line", "kind", room="site")
    return delays_of(table, truth, kept_events(run, "the delay of sites"))


def delays_of(by_hour: pl.DataFrame, truth: pl.DataFrame, store: Store) -> pl.DataFrame:
    """The delay of each true gateway site, as :data:`DELAYS`.

    Args:
        by_hour: hour, id, status, score and lines (members) of the sites at each hour.
        truth: line, kind (group/name), room (null for none).
        store: the events of the run.
    """
    sited = truth.filter((group_of(pl.col("kind")) == GATEWAY) & (pl.col("room") != ""))
    rooms = sited.group_by("room").agg(pl.col("kind").mode().sort().first()).sort("room")
    found = rooms.join(first_reports(by_hour, truth), on="room", how="left").sort("room")
    cuts = (found["alerted_at"].dt.epoch("s")).fill_null(np.iinfo(np.int64).max).to_numpy()
    hours, lines = _traffic(store, _lines(sited, found), cuts)
    told = found.with_columns(hours=hours).filter(pl.Series(lines >= LEAST))
    return told.select(pl.col(name).cast(kind) for name, kind in DELAYS.items())


def first_reports(by_hour: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """The first hour at which an alerting site stands for each true one: room, alerted_at."""
    alerts = by_hour.filter(pl.col("status") == "alert").with_row_index("look")
    looks = alerts.with_columns(site=pl.col("look").cast(pl.String))
    found = looks.with_columns(ports=None, shifts=None).select(
        pl.col(name).cast(kind) for name, kind in FOUND.items()
    )
    members = looks.select("site", line="lines").explode("line")
    matched = judged(found, members, truth).filter(pl.col("room").is_not_null())
    times = matched.select(list(JUDGED)).join(looks.select("site", "hour"), on="site")
    return times.group_by("room").agg(alerted_at=pl.col("hour").min())


def summary(delays: Sequence[pl.DataFrame]) -> tuple[SiteDelay, ...]:
    """The delays of several worlds together: of all kinds, then of each.

    A quantile is an observed delay: the smallest that this share of the sites does not exceed.
    """
    told = pl.concat(delays).with_columns(
        pl.when(pl.col("alerted_at").is_not_null()).then("hours").otherwise(np.inf).alias("hours")
    )
    kinds = [ALL, *told["kind"].unique().sort()]
    return tuple(_of(kind, told.filter((pl.col("kind") == kind) | (kind == ALL))) for kind in kinds)


def _of(kind: str, told: pl.DataFrame) -> SiteDelay:
    hours = told["hours"].sort().to_numpy()
    at = [hours[int(np.ceil(q * len(hours))) - 1] if len(hours) else np.inf for q in (0.5, 0.9)]
    median, p90 = (float(value) if np.isfinite(value) else None for value in at)
    return SiteDelay(kind, len(hours), int(np.isfinite(hours).sum()), median, p90)


def _lines(sited: pl.DataFrame, rooms: pl.DataFrame) -> tuple[Ids, Index]:
    """Hashes of the lines of rooms, ascending, and the number of each one's room."""
    number = rooms.with_row_index("number").select("room", pl.col("number").cast(pl.Int64))
    named = sited.join(number, on="room").select("number", id=line_id(pl.col("line")))
    hashes = line_hash(party(named["id"].to_numpy()))
    order = np.argsort(hashes)
    return hashes[order], named["number"].to_numpy()[order]


def _traffic(store: Store, lines: tuple[Ids, Index], cuts: Index) -> tuple[Floats, Index]:
    """Hours of traffic of each room before its cut (UTC seconds), and its lines that call."""
    hashes, room = lines
    events = _events(store, hashes)
    own = room[np.searchsorted(hashes, line_hash(events.line_ids))]
    callers = np.bincount(own[np.unique(events.line[events.moc])], minlength=len(cuts))
    of_room = own[events.line]
    known = np.flatnonzero(events.end < cuts[of_room])
    known = known[np.argsort(of_room[known], kind="stable")]
    rooms = replace(
        events.take(known),
        line=of_room[known].astype(np.int32),
        line_ids=np.arange(len(cuts), dtype=np.uint64),
    )
    return hours_of_traffic(rooms), callers


def _events(store: Store, hashes: Ids) -> Events:
    """The events of some lines."""
    found = []
    for rows in store.each_bucket(COLUMNS):
        of = line_hash(rows["line"].to_numpy())
        at = np.minimum(np.searchsorted(hashes, of), max(len(hashes) - 1, 0))
        found.append(rows.filter(pl.Series(hashes[at] == of)))
    return arrange(pl.concat(found))
