"""Which true gateway site each found site stands for, and what the other found ones really are.

A found site stands for a true one when more than half of its members, and two at least, are lines
of that one.  Where several stand for the same true site, that one is split; the part with most of
its lines is its match, by which it is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import polars as pl

from simbox.errors import InputError
from simbox.evaluation.inputs import RunInput
from simbox.evaluation.labels import GATEWAY, group_of
from simbox.evaluation.sites_truth import NO_ROOMS, read_rooms, shifts_by_day
from simbox.outputs import folder as run_folder
from simbox.outputs.folder import RunFolder

LEAST = 2  # lines that make a site
HOUR_S, DAY_H = 3_600, 24

_SHIFT = pl.Struct({"start": pl.Datetime("us"), "stop": pl.Datetime("us")})
#: Columns of a run's sites that are measured.
FOUND: dict[str, pl.DataType | type[pl.DataType]] = {
    "site": pl.String,
    "status": pl.String,
    "score": pl.Float64,
    "ports": pl.Float64,
    "shifts": pl.List(_SHIFT),
}
#: One row a found site: of its members, how many are gateways, what most are, whose lines.
JUDGED: dict[str, pl.DataType | type[pl.DataType]] = {
    **FOUND,
    "lines": pl.Int64,  # members with a label
    "gateways": pl.Int64,
    "kind": pl.String,  # of most members
    "room": pl.String,  # the true site that it stands for; null for none
    "inside": pl.Int64,  # members that are lines of that one
}
#: One row a true gateway site, with what is told by its match; null where it has none.
ROOMS: dict[str, pl.DataType | type[pl.DataType]] = {
    "room": pl.String,
    "kind": pl.String,
    "callers": pl.Int64,  # lines that made an outgoing call in the data
    "true_ports": pl.Float64,
    "parts": pl.Int64,  # found sites that stand for it
    "site": pl.String,  # the match
    "status": pl.String,
    "score": pl.Float64,
    "ports": pl.Float64,
    "lines": pl.Int64,
    "inside": pl.Int64,
}
#: One row a day on which a matched true site works, with minutes that the found shift is off.
DAYS: dict[str, pl.DataType | type[pl.DataType]] = {
    "room": pl.String,
    "kind": pl.String,
    "day": pl.Date,
    "opens": pl.Boolean,  # whether its shift begins on that day, and not before
    "closes": pl.Boolean,
    "late": pl.Float64,  # null where nothing was found on that day
    "longer": pl.Float64,
}


@dataclass(frozen=True)
class SiteWorld:
    """The sites of one world: the true ones, the found ones, and how much was looked at."""

    rooms: pl.DataFrame
    found: pl.DataFrame
    days: pl.DataFrame
    line_days: float
    small: int  # true gateway sites of which fewer than two lines call: left out
    told: bool  # whether the truth tells ports and shifts


def site_world(world: RunInput) -> SiteWorld | None:
    """The sites of a run beside the true ones; none where either was never looked at.

    Raises:
        InputError: what should tell of the true sites is damaged.
    """
    run = world.run
    if run is None or not (run.record.ingest.events or run.record.sites):
        return None
    calls = run.table(run_folder.LINES).select("line", "moc").collect()
    truth = world.scored.select("line", "kind", room="site")
    rooms = true_rooms(truth, calls)
    if rooms.is_empty():
        return None
    found = judged(_found(run), _members(run), truth)
    told = read_rooms(world.rooms) if world.rooms else NO_ROOMS
    large = rooms.filter(pl.col("callers") >= LEAST)
    matched = compared(large.join(_ports(told), on="room", how="left"), found)
    return SiteWorld(
        rooms=matched,
        found=found,
        days=site_days(matched, found, shifts_by_day(told)),
        line_days=calls.height * days_of(run),
        small=rooms.height - large.height,
        told=not told.is_empty(),
    )


def true_rooms(truth: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """The true gateway sites: room, kind (of most lines) and callers.

    Args:
        truth: line, kind (group/name), room (null for none).
        calls: line and moc, its outgoing calls.
    """
    sited = truth.filter((group_of(pl.col("kind")) == GATEWAY) & (pl.col("room") != ""))
    calling = (pl.col("moc") > 0).fill_null(value=False)
    counted = sited.join(calls, on="line", how="left").group_by("room", "kind").agg(
        pl.len(), callers=calling.sum()
    )  # fmt: skip
    most = counted.sort("room", "len", "kind", descending=[False, True, False])
    return most.group_by("room", maintain_order=True).agg(
        pl.col("kind").first(), pl.col("callers").sum().cast(pl.Int64)
    )


def judged(found: pl.DataFrame, members: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """What each found site really is, as :data:`JUDGED`; one without labelled members is left out.

    Args:
        found: as :data:`FOUND`.
        members: site and line.
        truth: line, kind (group/name), room (null for none).
    """
    known = members.select("site", "line").join(truth, on="line")
    gateway = group_of(pl.col("kind")) == GATEWAY
    sizes = known.group_by("site").agg(
        lines=pl.len().cast(pl.Int64), gateways=gateway.sum().cast(pl.Int64)
    )
    inside = _most(known.filter(gateway & (pl.col("room") != "")), "room", "inside")
    inside = inside.join(sizes, on="site").filter(
        (2 * pl.col("inside") > pl.col("lines")) & (pl.col("inside") >= LEAST)
    )
    kinds = _most(known, "kind", "of_kind")
    joined = found.join(sizes, on="site").join(kinds, on="site")
    joined = joined.join(inside.select("site", "room", "inside"), on="site", how="left")
    return joined.select(pl.col(name).cast(kind) for name, kind in JUDGED.items()).sort("site")


def _most(known: pl.DataFrame, name: str, counted: str) -> pl.DataFrame:
    """For each site what stands most often in a column, and how often; ties by name."""
    counts = known.group_by("site", name).agg(pl.len().cast(pl.Int64).alias(counted))
    order = counts.sort("site", counted, name, descending=[False, True, False])
    return order.group_by("site", maintain_order=True).first()


def compared(rooms: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Each true site with its match, as :data:`ROOMS`.

    Args:
        rooms: room, kind, callers, true_ports.
        found: as :data:`JUDGED`.
    """
    parts = found.filter(pl.col("room").is_not_null()).sort(
        "room", "inside", "score", "site", descending=[False, True, True, False]
    )
    names = ["site", "status", "score", "ports", "lines", "inside"]
    match = parts.group_by("room", maintain_order=True).agg(
        pl.len().alias("parts"), pl.col(names).first()
    )
    joined = rooms.join(match, on="room", how="left").with_columns(pl.col("parts").fill_null(0))
    return joined.select(pl.col(name).cast(kind) for name, kind in ROOMS.items()).sort("room")


def site_days(rooms: pl.DataFrame, found: pl.DataFrame, shifts: pl.DataFrame) -> pl.DataFrame:
    """How far the found shifts of matched sites are off, day by day, as :data:`DAYS`.

    Args:
        rooms: as :data:`ROOMS`.
        found: as :data:`JUDGED`.
        shifts: room, day, opens and closes, as ``shifts_by_day`` makes them.
    """
    matched = rooms.filter(pl.col("site").is_not_null()).select("room", "kind", "site")
    seen = matched.join(found.select("site", "shifts"), on="site").explode("shifts")
    seen = seen.select("room", pl.col("shifts").struct.unnest()).drop_nulls("start")
    seen = seen.with_columns(day=pl.col("start").dt.date())
    seen = seen.group_by("room", "day").agg(pl.col("start").min(), pl.col("stop").max())
    true = shifts.join(matched.select("room", "kind"), on="room")
    both = true.join(seen, on=["room", "day"], how="left")
    off = both.with_columns(
        late=(pl.col("start") - pl.col("opens")).dt.total_seconds() / 60,
        longer=(pl.col("stop") - pl.col("closes")).dt.total_seconds() / 60,
        opens=pl.col("opens").is_not_null(),
        closes=pl.col("closes").is_not_null(),
    )
    return off.select(pl.col(name).cast(kind) for name, kind in DAYS.items()).sort("room", "day")


def days_of(run: RunFolder) -> float:
    """Days from the first event of a run to its last, in full hours, one day at least."""
    ingest = run.record.ingest
    ends = [(file.first, file.last) for file in ingest.files]
    ends += [(capture.first, capture.last) for capture in ingest.captures]
    known = [(first, last) for first, last in ends if first and last]
    if not known:
        raise InputError(f"{run.path}: has no times of its events; run detect again")
    span = max(last for _, last in known) - min(first for first, _ in known)
    return max(ceil(span.total_seconds() / HOUR_S) / DAY_H, 1.0)


def _ports(told: pl.DataFrame) -> pl.DataFrame:
    return told.select("room", true_ports="ports")


def _found(run: RunFolder) -> pl.DataFrame:
    """The sites of a run; none where it looked for them in vain."""
    if not run.record.sites:
        return pl.DataFrame(schema=FOUND)
    return run.table(run_folder.SITES).select(
        pl.col(name).cast(kind) for name, kind in FOUND.items()
    ).collect()  # fmt: skip


def _members(run: RunFolder) -> pl.DataFrame:
    if not run.record.sites:
        return pl.DataFrame(schema={"site": pl.String, "line": pl.String})
    return run.table(run_folder.SITE_LINES).select("site", "line").collect()
