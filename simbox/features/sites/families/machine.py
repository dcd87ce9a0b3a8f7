"""Machine: lines that start, stop, take turns and are dealt lists as no owners do."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature

FEATURES = (
    Feature(
        name="rhythm_nats",
        family="machine",
        unit="nats",
        doc="Mean of what days that begin and end together, and lives that do, say for one room.",
        source="CN113660721A: synchronous power-on and power-off",
        suspicious="high",
        expr=pl.col("rhythm_nats"),
    ),
    Feature(
        name="turn_nats",
        family="machine",
        unit="nats",
        doc="Mean over the lines of the strongest sign that another one takes turns with it.",
        source="derived: a port carries one call",
        suspicious="high",
        expr=pl.col("turn_nats"),
    ),
    Feature(
        name="list_nats",
        family="machine",
        unit="nats",
        doc="Mean over the lines of the strongest sign of one list dealt out, or of faked calls.",
        source="derived; VoltDB rule: incoming only from known bad numbers",
        suspicious="high",
        expr=pl.col("list_nats"),
    ),
    Feature(
        name="move_nats",
        family="machine",
        unit="nats",
        doc="Mean over the lines of the strongest sign of moving together.",
        source="VoltDB cohort rule: three or more cells in a row",
        suspicious="high",
        expr=pl.col("move_nats"),
    ),
)
