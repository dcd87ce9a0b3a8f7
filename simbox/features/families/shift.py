"""Shift: a room is switched on, worked for a block of hours, and switched off."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FAMILY = "shift"

FEATURES = (
    Feature(
        name="block_hours",
        family=FAMILY,
        unit="h",
        doc="Mean over the days of the longest run of clock hours with an outgoing call.",
        source="Fengxian case: eight hours a session",
        suspicious="high",
        expr=ratio("block_hours_sum", "block_days"),
    ),
    Feature(
        name="block_share",
        family=FAMILY,
        unit="share",
        doc="Share of outgoing calls inside the day's longest run of busy hours.",
        source="derived",
        suspicious="high",
        expr=ratio("block_calls", "moc"),
    ),
    Feature(
        name="edge_sharpness",
        family=FAMILY,
        unit="ratio",
        doc="Rate of calls in the first and last half hour of the blocks over their mean rate.",
        source="derived: machines start and stop at once",
        suspicious="high",
        expr=ratio(pl.col("edge_calls") * 1000, "edge_expected_milli"),
    ),
    Feature(
        name="shift_start_sd",
        family=FAMILY,
        unit="min",
        doc="Standard deviation over the days of the clock time at which the block starts.",
        source="derived",
        suspicious="low",
        expr=pl.col("shift_start_sd_min"),
    ),
    Feature(
        name="shift_end_sd",
        family=FAMILY,
        unit="min",
        doc="Standard deviation over the days of the clock time at which the block ends.",
        source="derived",
        suspicious="low",
        expr=pl.col("shift_end_sd_min"),
    ),
    Feature(
        name="active_hours",
        family=FAMILY,
        unit="h",
        doc="Distinct hours of the day with an outgoing call.",
        source="labelled operator data",
        suspicious="none",
        expr=pl.when(pl.col("moc") > 0).then(pl.col("hours_of_day")),
    ),
    Feature(
        name="night_share",
        family=FAMILY,
        unit="share",
        doc="Share of outgoing calls from 00:30 to 05:30 local time.",
        source="Elmi et al. 2012",
        suspicious="none",
        expr=ratio("moc_night", "moc"),
    ),
    Feature(
        name="hour_entropy",
        family=FAMILY,
        unit="bit",
        doc="Shannon entropy of the hours of the day of outgoing calls.",
        source="labelled operator data",
        suspicious="none",
        expr=pl.col("hour_entropy_bit"),
    ),
)
