"""A site in flat columns and in words: when it works, where it stands, how others read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from simbox.tables import HOST_PREFIX

DAY_S = 86_400
#: What other programs get of a site; all that was measured is in sites.parquet.
COLUMNS = (
    "rank", "site", "status", "score", "probability", "kind", "lines", "ports", "calls", "days",
    "sims_a_day", "erlang_per_port", "at_once", "devices", "shift_start", "shift_stop",
    "first_seen", "last_seen", "cells", "places_used", "district", "lat", "lon", "families",
    "reasons_for", "reasons_against", "listed",
)  # fmt: skip


def with_shift(sites: pl.DataFrame) -> pl.DataFrame:
    """Sites with shift_start and shift_stop: local HH:MM, medians over the days that they worked.

    A shift that ends after midnight ends at that hour of the next day.
    """
    day = pl.element().struct.field("start").dt.truncate("1d")
    return sites.with_columns(
        _clock(
            pl.col("shifts")
            .list.eval((pl.element().struct.field(end) - day).dt.total_seconds())
            .list.median()
        ).alias(f"shift_{end}")
        for end in ("start", "stop")
    )


def _clock(seconds: pl.Expr) -> pl.Expr:
    nanoseconds = (seconds.round().cast(pl.Int64) % DAY_S) * 1_000_000_000
    return nanoseconds.cast(pl.Time).dt.strftime("%H:%M")


def flat(sites: pl.DataFrame | None) -> pl.DataFrame:
    """Sites as a table without lists, for CSV: their cells joined by blanks, most used first."""
    if sites is None:
        return pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    wide = with_shift(sites).with_columns(pl.col("cells").list.join(" "))
    missing = [name for name in COLUMNS if name not in wide.columns]
    return wide.with_columns(pl.lit(None, pl.String).alias(n) for n in missing).select(COLUMNS)


def plain(sites: pl.DataFrame | None) -> pl.DataFrame:
    """Sites as records for JSON: with the shares of their cells and the shift of every day."""
    if sites is None:
        return pl.DataFrame()
    wide = with_shift(sites)
    return wide.select(n for n in (*COLUMNS, "cell_shares", "shifts") if n in wide.columns)


def with_district(sites: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Sites with the district in which most of what they do happens; null where none is known.

    Args:
        sites: with lists cells and cell_shares.
        cells: tables.CELLS.
    """
    placed = sites.filter(pl.col("cells").list.len() > 0)
    used = placed.select("site", "cells", "cell_shares").explode("cells", "cell_shares")
    known = used.join(
        cells.select(cells="cell", district="district"), on="cells", how="inner"
    ).filter(pl.col("district") != "")
    counted = known.group_by("site", "district").agg(pl.col("cell_shares").sum())
    most = counted.sort("cell_shares", "district", descending=[True, False]).unique(
        "site", keep="first", maintain_order=True
    )
    return sites.drop("district", strict=False).join(
        most.select("site", "district"), on="site", how="left", maintain_order="left"
    )


def shift(row: Mapping[str, Any]) -> str:
    """When a site works on a usual day; a dash where it never calls out."""
    start, stop = row.get("shift_start"), row.get("shift_stop")
    return f"{start}–{stop}" if start and stop else "–"


def place(row: Mapping[str, Any]) -> str:
    """Where a site mostly is: its first cell or host, how many more, and the district."""
    cells = row.get("cells") or []
    if not cells:
        return row.get("district") or "–"
    more = max((row.get("places_used") or 1) - 1, 0)
    text = cells[0].removeprefix(HOST_PREFIX) + (f" +{more}" if more else "")
    return f"{text}, {row['district']}" if row.get("district") else text


def titled(row: Mapping[str, Any]) -> str:
    """How a site is asked for."""
    return f"site:{row['site']}"
