"""Mobility: a box stands in one place."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FAMILY = "mobility"

FEATURES = (
    Feature(
        name="distinct_cells",
        family=FAMILY,
        unit="cells",
        doc="Distinct cells of the line.",
        source="Murynets et al. 2014",
        suspicious="low",
        expr=pl.when(pl.col("placed") > 0).then(pl.col("cells")),
    ),
    Feature(
        name="top_cell_share",
        family=FAMILY,
        unit="share",
        doc="Share of the line's events that happen in its most used cell.",
        source="Ivorian operator study 2026",
        suspicious="high",
        expr=ratio("cell_top_events", "placed"),
    ),
    Feature(
        name="cell_entropy",
        family=FAMILY,
        unit="bit",
        doc="Shannon entropy of the line's cells.",
        source="Ivorian operator study 2026",
        suspicious="low",
        expr=pl.col("cell_entropy_bit"),
    ),
    Feature(
        name="cell_change_share",
        family=FAMILY,
        unit="share",
        doc="Share of the line's events in another cell than the event before.",
        source="Sevis location changes",
        suspicious="low",
        expr=ratio("cell_changes", pl.col("placed") - 1),
    ),
    Feature(
        name="cells_per_day",
        family=FAMILY,
        unit="cells per day",
        doc="Mean count of distinct cells on a day with a cell.",
        source="Murynets et al. 2014",
        suspicious="low",
        expr=ratio("cell_days", "placed_days"),
    ),
    Feature(
        name="cell_return_share",
        family=FAMILY,
        unit="share",
        doc="Share of the cell changes that go back to the cell before the last.",
        source="derived: sectors of one mast take turns",
        suspicious="none",
        expr=ratio("cell_returns", "cell_changes"),
    ),
    Feature(
        name="gyration_km",
        family=FAMILY,
        unit="km",
        doc="Root mean square distance of the line's events from their mean place.",
        source="radius of gyration, Gonzalez et al. 2008",
        suspicious="low",
        expr=pl.col("gyration_km"),
    ),
    Feature(
        name="impossible_hops",
        family=FAMILY,
        unit="share",
        doc="Share of the moves between located cells that no traveller makes.",
        source="SIM-bank manuals: migration between distant ports",
        suspicious="high",
        expr=ratio("cell_hops_impossible", "cell_hops"),
    ),
)
