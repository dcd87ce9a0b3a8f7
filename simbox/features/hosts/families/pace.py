"""Pace: a room is worked in shifts; many ports together dial at chance, whatever one does."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature
from simbox.features.hosts.measured import MANY

FEATURES = (
    Feature(
        name="dial_gap_cv",
        family="pace",
        unit="ratio",
        doc="Variation of the time between the starts of the calls that it is to dial.",
        source="traffic sign: dialling rhythm; chance arrivals give 1",
        suspicious="none",
        expr=pl.when(pl.col("sold") >= MANY).then(pl.col("gap_cv")),
    ),
    Feature(
        name="shift_hours",
        family="pace",
        unit="h",
        doc="Longest run of clock hours with calls, of a capture of six hours or more.",
        source="Fengxian case: eight hours a session",
        suspicious="high",
        expr=pl.col("block_hours"),
    ),
)
