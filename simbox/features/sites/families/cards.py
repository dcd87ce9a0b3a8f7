"""Cards: many SIMs pass through few handsets."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature

FEATURES = (
    Feature(
        name="handset_nats",
        family="cards",
        unit="nats",
        doc="Mean over the lines of the strongest link through handsets and serials.",
        source="Murynets et al. 2014; HAUD",
        suspicious="high",
        expr=pl.col("handset_nats"),
    ),
)
