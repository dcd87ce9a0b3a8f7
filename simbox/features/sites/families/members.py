"""Members: how much like gateways the lines of a site look, taken one by one."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature

FEATURES = (
    Feature(
        name="member_evidence",
        family="members",
        unit="nats",
        doc="Evidence of the lines themselves, the strongest in full, the k-th divided by k.",
        source="derived: lines of one room repeat each other's evidence",
        suspicious="high",
        expr=pl.col("member_nats"),
    ),
    Feature(
        name="member_share",
        family="members",
        unit="share",
        doc="Share of the lines whose own evidence speaks for a gateway.",
        source="derived",
        suspicious="high",
        expr=pl.col("member_share"),
    ),
)
