"""Bonds: how strongly the lines of a site are linked, beyond chance in the same cell and hour."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature

FEATURES = (
    Feature(
        name="link_nats",
        family="bonds",
        unit="nats",
        doc="Mean log-likelihood ratio of the pairs of lines of one room against chance.",
        source="derived",
        suspicious="high",
        expr=pl.col("link_nats"),
    ),
    Feature(
        name="site_lines",
        family="bonds",
        unit="lines",
        doc="Lines that stand together.",
        source="Murynets et al. 2014; cases: 8 to 200 cards a room",
        suspicious="high",
        expr=pl.col("lines"),
    ),
)
