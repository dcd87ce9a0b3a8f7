"""What is true of a world beside its records: the kinds of its lines, its sites, its cells."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from simbox.simulation.world import World
from simbox.simulation.writing.identities import as_read
from simbox.simulation.writing.rows import Writing

TRUTH, SITES, CELLS = "truth.csv", "sites.csv", "cells.csv"
_MINUTES = "%Y-%m-%dT%H:%M"


def write_labels(world: World, writing: Writing, folder: Path) -> None:
    """Write the labels and the cell table, in the names that the records use.

    * truth.csv: line, kind, site (empty for none), one row an own line, by number;
    * sites.csv: site, kind, lines, ports, cells (with blanks between), shifts (from/to, local,
      with blanks between);
    * cells.csv: cell, lat, lon (degrees), azimuth (degrees), district.
    """
    names = as_read(writing.identities, world.lines).alias("line")
    truth = world.lines.select(names, "kind", "site").sort("line")
    truth.write_csv(folder / TRUTH)
    _sites(world, writing).write_csv(folder / SITES)
    writing.places.table.write_csv(folder / CELLS)


def _sites(world: World, writing: Writing) -> pl.DataFrame:
    cells, shifts = _cells(world, writing), _shifts(world.rooms)
    return (
        world.rooms.select("site", "kind", "lines", "ports")
        .join(cells, on="site", how="left", maintain_order="left")
        .join(shifts, on="site", how="left", maintain_order="left")
    )


def _cells(world: World, writing: Writing) -> pl.DataFrame:
    """The cells of each site as the records name them, each once."""
    names = pl.DataFrame({"cells": world.country.names, "name": writing.places.read})
    rooms = world.rooms.select("site", "cells").explode("cells", empty_as_null=True)
    named = rooms.join(names, on="cells", how="left", maintain_order="left")
    once = pl.col("name").unique(maintain_order=True).drop_nulls()
    joined = named.group_by("site", maintain_order=True).agg(once)
    return joined.select("site", cells=_joined("name"))


def _shifts(rooms: pl.DataFrame) -> pl.DataFrame:
    """When each site works."""
    each = rooms.select("site", shift="shifts").explode("shift", empty_as_null=True)
    ends = (pl.col("shift").struct.field(end).dt.strftime(_MINUTES) for end in ("from", "to"))
    spelled = each.select("site", pl.concat_str(*ends, separator="/").alias("shift"))
    joined = spelled.group_by("site", maintain_order=True).agg(pl.col("shift").drop_nulls())
    return joined.select("site", shifts=_joined("shift"))


def _joined(names: str) -> pl.Expr:
    """All of a list with blanks between; null where there is nothing in it."""
    return pl.when(pl.col(names).list.len() > 0).then(pl.col(names).list.join(" "))
