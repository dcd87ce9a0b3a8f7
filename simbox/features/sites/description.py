"""What a site is, for people: how many ports and cards, when it works, where it stands."""

from __future__ import annotations

import numpy as np
import polars as pl

from simbox.features.context import CellTable
from simbox.features.segments import Array, Index, count, group
from simbox.features.sites.measures import Rows
from simbox.features.sites.traffic import Floats, Traffic
from simbox.store import DAY_S

QUARTER_S = 900
BUSY_QUANTILE = 0.95  # of the working quarter hours, for the ports in use
MOST_CELLS = 8
FIXED, VEHICLE, BANK, PHONES, BOX = (
    "fixed-line gateway", "vehicle", "SIM bank", "phone ports", "box",
)  # fmt: skip
STRAY_CALLS = 0.03  # of a day's calls that may be strays, at either end
STRAY_S = 3600


def describe(traffic: Traffic, rows: Rows, measured: pl.DataFrame) -> pl.DataFrame:
    """One row a site.

    Columns:
        kind: box, SIM bank, vehicle, phone ports, fixed-line gateway.
        ports: estimate of the calls that it can carry at once.
        sims_a_day: lines that call on a working day, on average.
        erlang_per_port: talking time over working time, a port.
        shifts: for each day with calls, local seconds since the first midnight, first and last.
        first_s, last_s: local seconds since the first midnight.
        cells: ids of its places, most used first, and cell_shares of its events there.
    """
    sites = measured.height
    ports = ports_of(rows, sites, measured["at_once"].to_numpy())
    lines_days = _per_day(rows, sites)
    return pl.DataFrame(
        {
            "kind": _kinds(measured, ports),
            "ports": ports,
            "sims_a_day": lines_days,
            "erlang_per_port": _duty(measured, ports),
            **_period(rows, sites),
            **_cells(traffic, rows, sites),
            "shifts": shifts_of(rows, sites),
        }
    )


def ports_of(rows: Rows, sites: int, at_once: Index) -> Index:
    """Calls that each site can carry at once: lines, or handsets, at work in its busy quarters.

    A port in use shows one line at a time; so the lines that call within a quarter of an hour are
    the ports, or a few more where cards change.  Handsets that are fewer than the lines they
    carry are ports by themselves.  Never fewer than the calls that were seen at once.
    """
    out = np.flatnonzero(rows.out)
    site, quarter = rows.site[out], rows.at[out] // QUARTER_S
    by_line = _busy(site, quarter, rows.line[out], sites)
    handset = np.where(rows.imei > 0, rows.imei, rows.line.astype(rows.imei.dtype))
    by_imei = _busy(site, quarter, handset[out], sites)
    return np.maximum(np.minimum(by_line, np.maximum(by_imei, 1)), at_once)


def _busy(site: Index, quarter: Index, value: Array, sites: int) -> Index:
    """Distinct values a quarter hour, at the busy end of each site's quarters."""
    held = group(site, quarter, value)
    first = held.first
    slots = group(site[first], quarter[first])
    owner, sizes = site[first][slots.first], slots.sizes
    order = np.lexsort((sizes, owner))
    owner, sizes = owner[order], sizes[order]
    number = count(owner, sites)
    ends = np.cumsum(number)
    at = ends - number + np.floor(BUSY_QUANTILE * np.maximum(number - 1, 0)).astype(np.int64)
    result = np.zeros(sites, dtype=np.int64)
    known = number > 0
    result[known] = sizes[at[known]]
    return result


def _per_day(rows: Rows, sites: int) -> Floats:
    """Lines that call on a day with calls, on average."""
    out = np.flatnonzero(rows.out)
    site, day = rows.site[out], rows.at[out] // DAY_S
    uses = site[group(site, day, rows.line[out]).first]
    days = count(site[group(site, day).first], sites)
    return np.asarray(count(uses, sites) / np.maximum(days, 1))


def _duty(measured: pl.DataFrame, ports: Index) -> Floats:
    hours = np.maximum(measured["hours"].to_numpy() * 3600, 1)
    return np.asarray(measured["talk_s"].to_numpy() / hours / np.maximum(ports, 1))


def _period(rows: Rows, sites: int) -> dict[str, Index]:
    first = np.full(sites, np.iinfo(np.int64).max)
    last = np.zeros(sites, dtype=np.int64)
    np.minimum.at(first, rows.site, rows.at)
    np.maximum.at(last, rows.site, rows.end)
    return {"first_s": first, "last_s": last}


def shifts_of(rows: Rows, sites: int) -> pl.Series:
    """When each site begins and ends to call on each day, as lists of pairs.

    A stray call does not stretch the day: what lies more than an hour before all but a few in a
    hundred of the day's calls, or after them, is not counted.
    """
    out = np.flatnonzero(rows.out)
    frame = pl.DataFrame({"site": rows.site[out], "at": rows.at[out], "end": rows.end[out]})
    early = pl.col("at").quantile(STRAY_CALLS, "lower") - STRAY_S
    late = pl.col("at").quantile(1 - STRAY_CALLS, "higher") + STRAY_S
    usual = pl.col("at").is_between(early, late)
    days = frame.group_by("site", day=pl.col("at") // DAY_S).agg(
        start=pl.col("at").filter(usual).min(), stop=pl.col("end").filter(usual).max()
    ).sort("site", "start").drop("day")  # fmt: skip
    listed = days.group_by("site", maintain_order=True).agg(shifts=pl.struct("start", "stop"))
    every = pl.DataFrame({"site": np.arange(sites, dtype=np.int64)})
    return every.join(listed, on="site", how="left", maintain_order="left")["shifts"]


def _cells(traffic: Traffic, rows: Rows, sites: int) -> dict[str, pl.Series]:
    """The places of each site, most used first, and their shares."""
    placed = np.flatnonzero(rows.place >= 0)
    held = group(rows.site[placed], rows.place[placed])
    frame = pl.DataFrame(
        {
            "site": rows.site[placed][held.first],
            "place": traffic.places[rows.place[placed][held.first]]
            if len(placed)
            else np.zeros(0, dtype=np.uint64),
            "events": held.sizes,
        }
    )
    share = pl.col("events") / pl.col("events").sum().over("site")
    top = (
        frame.with_columns(share=share)
        .sort("site", "events", "place", descending=[False, True, False])
        .group_by("site", maintain_order=True)
        .agg(cells=pl.col("place").head(MOST_CELLS), cell_shares=pl.col("share").head(MOST_CELLS))
    )
    every = pl.DataFrame({"site": np.arange(sites, dtype=np.int64)})
    joined = every.join(top, on="site", how="left", maintain_order="left")
    return {"cells": joined["cells"], "cell_shares": joined["cell_shares"]}


def _kinds(measured: pl.DataFrame, ports: Index) -> pl.Series:
    """The kind of each site, by what it cannot hide."""
    moving = (pl.col("move_nats") >= 3.0) & (pl.col("places") >= 4)
    spread = pl.col("places_used") >= 6
    few = (pl.col("lines") <= 6) & (pl.col("devices") >= pl.col("lines")) & (pl.col("ports") <= 6)
    told = (
        pl.when(pl.col("places") == 0).then(pl.lit(FIXED))
        .when(moving).then(pl.lit(VEHICLE))
        .when(spread).then(pl.lit(BANK))
        .when(few).then(pl.lit(PHONES))
        .otherwise(pl.lit(BOX))
    )  # fmt: skip
    return measured.with_columns(ports=pl.Series(ports)).select(told).to_series()


def centroids(cells: pl.Series, shares: pl.Series, table: CellTable) -> tuple[Floats, Floats]:
    """Latitude and longitude of each site, degrees; NaN where no cell is in the table."""
    sites = len(cells)
    flat = pl.DataFrame({"site": np.arange(sites), "cell": cells, "share": shares})
    flat = flat.explode("cell", "share").drop_nulls()
    at = table.find(flat["cell"].to_numpy())
    known = at >= 0
    weight = np.bincount(flat["site"].to_numpy()[known], flat["share"].to_numpy()[known], sites)
    found = []
    for degrees in (table.lat, table.lon):
        total = np.bincount(
            flat["site"].to_numpy()[known],
            (degrees[at[known]] * flat["share"].to_numpy()[known]),
            sites,
        )
        found.append(np.divide(total, weight, out=np.full(sites, np.nan), where=weight > 0))
    return found[0], found[1]
