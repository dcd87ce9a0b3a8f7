"""Strangers: the site as one subscriber calls ever new numbers, and hardly one of them twice."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature

FEATURES = (
    Feature(
        name="site_distinct_share",
        family="strangers",
        unit="share",
        doc="Distinct numbers called by any line of the site over its calls.",
        source="Elmi et al. 2012, for a room",
        suspicious="high",
        expr=pl.col("distinct_share"),
    ),
    Feature(
        name="site_again_share",
        family="strangers",
        unit="share",
        doc="Share of the calls to numbers that the site had called on an earlier day.",
        source="derived: a firm's customers recur",
        suspicious="low",
        expr=pl.col("again_share"),
    ),
    Feature(
        name="site_redial_share",
        family="strangers",
        unit="share",
        doc="Share of the calls that nobody took that any line tries again within the hour.",
        source="derived: agents redial, a list moves on",
        suspicious="low",
        expr=pl.col("redial_share"),
    ),
)
