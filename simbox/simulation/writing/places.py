"""Cells as a source names them: by CGI, by its parts, by coordinates or by names of places."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from simbox.ingest.cdr.devices import cell_name, cell_text
from simbox.simulation.writing.columns import Column

PARTS = ("mcc", "mnc", "lac", "ci")
COLUMNS = ("cell", *PARTS, "b_cell")
DISTRICTS_A_CITY = 8

_CGI_PART = {part: pl.col("cell").str.split("-").list.get(i) for i, part in enumerate(PARTS)}
_DISTRICT = pl.col("district")
_CITY = "C" + (_DISTRICT.str.slice(1).cast(pl.Int64) // DISTRICTS_A_CITY).cast(pl.String)
#: Names of columns that hold something else than their part of a CGI.
_NAMED = {
    "latitude": pl.col("lat").round(5).cast(pl.String),
    "longitude": pl.col("lon").round(5).cast(pl.String),
    "city_name": _CITY,
    "county_name": _DISTRICT,
}


@dataclass(frozen=True)
class Places:
    """What each cell, by its index in the country, is called."""

    written: pl.DataFrame  # a column for each canonical column, by index
    read: pl.Series  # the one name of each cell once a file is read
    table: pl.DataFrame  # the carrier's cell table under those names

    def column(self, canonical: str, cell: pl.Series) -> pl.Series:
        """The texts of one column for cells by index; null where there is none (-1)."""
        index = pl.when(pl.col("cell") >= 0).then(pl.col("cell")).cast(pl.UInt32)
        chosen = cell.alias("cell").to_frame().select(index).to_series()
        return self.written["cell" if canonical == "b_cell" else canonical].gather(chosen)


def places(table: pl.DataFrame, columns: tuple[Column, ...]) -> Places:
    """The names of a country's cells in the columns of a file.

    Args:
        table: cell (CGI), lat, lon, azimuth, district; in the order of the index.
        columns: of the file.
    """
    said = {canonical: column.key for column in columns for canonical in column.says}
    wanted = {c: said[c] for c in ("cell", *PARTS) if c in said} or {"cell": "cell"}
    cgi = _CGI_PART | {"cell": pl.col("cell")}
    written = table.select(**{c: _NAMED.get(key, cgi[c]) for c, key in wanted.items()})
    if "cell" in wanted:
        name = cell_text(pl.col("cell"))
    else:
        name = cell_text(cell_name({part: pl.col(part) for part in wanted}))
    read = written.select(name).to_series().alias("cell")
    return Places(written, read, _table(table, read))


def _table(table: pl.DataFrame, read: pl.Series) -> pl.DataFrame:
    """One row a name: several cells that a source cannot tell apart stand in their middle."""
    return (
        table.with_columns(read)
        .group_by("cell", maintain_order=True)
        .agg(
            pl.col("lat", "lon").mean().round(5),
            azimuth=pl.when(pl.len() == 1).then(pl.col("azimuth").first()),
            district=pl.col("district").first(),
        )
    )
