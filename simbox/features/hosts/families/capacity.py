"""Capacity: a gateway is bought for the calls that it carries at a time."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio
from simbox.features.hosts.measured import SEVERAL

FEATURES = (
    Feature(
        name="calls_at_once",
        family="capacity",
        unit="calls",
        doc="Most calls at a time: by signalling, by media both ways, or inside tunnels.",
        source="traffic sign: plateaus at the number of ports",
        suspicious="high",
        expr=pl.col("most"),
    ),
    Feature(
        name="full_share",
        family="capacity",
        unit="share",
        doc="Share of the time with calls that the host spends at its most calls, of three or more.",
        source="derived: ports are finite and paid for, offices are rarely full",
        suspicious="high",
        expr=pl.when(pl.col("most") >= SEVERAL).then(ratio("full_us", "busy_us")),
    ),
    Feature(
        name="duty",
        family="capacity",
        unit="share",
        doc="Mean calls at a time over the most, while there are any, of three or more.",
        source="derived",
        suspicious="high",
        expr=pl.when(pl.col("most") >= SEVERAL).then(
            ratio("area_us", pl.col("busy_us") * pl.col("most"))
        ),
    ),
    Feature(
        name="plateau_calls",
        family="capacity",
        unit="calls",
        doc="Most calls at a time by signalling alone.",
        source="derived",
        suspicious="none",
        expr=pl.col("signalled_most"),
    ),
)
