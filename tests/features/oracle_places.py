"""Oracle of the view on cells."""

from __future__ import annotations

import polars as pl

EARTH_KM = 6371.0088


def places(events: pl.DataFrame, cells: pl.DataFrame | None) -> pl.DataFrame:
    placed = events.filter(pl.col("place").is_not_null())
    changes = placed.with_columns(before=pl.col("place").shift().over("line", order_by="row"))
    moves = changes.filter(pl.col("before").is_null() | (pl.col("place") != pl.col("before")))
    last_but_one = pl.col("place").shift(2).over("line", order_by="row")
    parts = [
        _cells(placed),
        changes.group_by("line").agg(
            cell_changes=(pl.col("place") != pl.col("before")).sum(),
            cell_days=pl.struct("place", "day").n_unique(),
            placed_days=pl.col("day").n_unique(),
        ),
        moves.with_columns(back=pl.col("place") == last_but_one)
        .group_by("line")
        .agg(cell_returns=pl.col("back").sum()),
        _distances(placed, cells),
    ]
    lines = events.select("line").unique()
    for part in parts:
        lines = lines.join(part, on="line", how="left")
    return lines


def _cells(placed: pl.DataFrame) -> pl.DataFrame:
    each = placed.group_by("line", "place").agg(events=pl.len())
    return each.group_by("line").agg(
        placed=pl.col("events").sum(),
        cells=pl.len(),
        cell_top_events=pl.col("events").max(),
        cell_top=pl.col("place").filter(pl.col("events") == pl.col("events").max()).min(),
        cell_entropy_bit=pl.col("events").entropy(base=2),
    )


def _distances(placed: pl.DataFrame, cells: pl.DataFrame | None) -> pl.DataFrame:
    if cells is None:
        nothing = pl.lit(None, dtype=pl.Float64)
        return (
            placed.select("line")
            .unique()
            .with_columns(gyration_km=nothing, cell_hops=nothing, cell_hops_impossible=nothing)
        )
    located = placed.join(cells, on="place", maintain_order="left").with_columns(
        pl.col("lat").radians(), pl.col("lon").radians()
    )
    north = pl.col("lat") * EARTH_KM
    east = pl.col("lon") * pl.col("lat").min().cos() * EARTH_KM
    gyration = located.group_by("line").agg(
        gyration_km=(north.var(ddof=0) + east.var(ddof=0)).sqrt()
    )
    before = pl.col("lat", "lon", "start").shift().over("line", order_by="row")
    moved = located.with_columns(before.name.suffix("_before")).with_columns(km=_km())
    hours = (pl.col("start") - pl.col("start_before")).clip(1) / 3600
    impossible = (pl.col("km") >= 20) & (pl.col("km") / hours > 300)
    return gyration.join(
        moved.group_by("line").agg(
            cell_hops=(pl.col("km") > 0).sum().cast(pl.Float64),
            cell_hops_impossible=impossible.sum().cast(pl.Float64),
        ),
        on="line",
    )


def _km() -> pl.Expr:
    """Great circle from the event before, by the haversine."""
    lat, lon, lat0, lon0 = (pl.col(n) for n in ("lat", "lon", "lat_before", "lon_before"))
    half = ((lat - lat0) / 2).sin() ** 2
    half += lat.cos() * lat0.cos() * ((lon - lon0) / 2).sin() ** 2
    return 2 * EARTH_KM * half.sqrt().arcsin()
