"""Tempo: a machine on a list pauses less than a person."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FAMILY = "tempo"
MIN_GAPS = 3

FEATURES = (
    Feature(
        name="erlang_active",
        family=FAMILY,
        unit="Erlang",
        doc="Conversation time of outgoing calls over the clock hours that have one.",
        source="VoltDB busyness rule",
        suspicious="high",
        expr=ratio("talked_s", pl.col("out_hours") * 3600),
    ),
    Feature(
        name="gap_median",
        family=FAMILY,
        unit="s",
        doc="Median idle time between outgoing calls less than an hour apart.",
        source="goantifraud.com: no breaks",
        suspicious="low",
        expr=pl.when(pl.col("gaps") >= MIN_GAPS).then(pl.col("gap_median_s")),
    ),
    Feature(
        name="gap_cv",
        family=FAMILY,
        unit="ratio",
        doc="Standard deviation over mean of those idle times.",
        source="derived: a dialler is regular",
        suspicious="low",
        expr=pl.col("gap_cv"),
    ),
    Feature(
        name="back_to_back",
        family=FAMILY,
        unit="share",
        doc="Share of outgoing calls within 30 s of the end of the one before.",
        source="derived",
        suspicious="high",
        expr=ratio("back_to_back_calls", "successions"),
    ),
    Feature(
        name="busiest_hour",
        family=FAMILY,
        unit="calls per hour",
        doc="Most outgoing calls in any rolling hour.",
        source="derived; OpenSIPS fraud detection counters",
        suspicious="high",
        expr=pl.col("moc_hour_max"),
    ),
    Feature(
        name="calls_per_active_hour",
        family=FAMILY,
        unit="calls per hour",
        doc="Outgoing calls per clock hour that has one.",
        source="derived",
        suspicious="high",
        expr=ratio("moc", "out_hours"),
    ),
    Feature(
        name="busy_hour_talk",
        family=FAMILY,
        unit="Erlang",
        doc="Most conversation time of the calls that start in one rolling hour, over an hour.",
        source="derived",
        suspicious="high",
        expr=pl.when(pl.col("talked") > 0).then(pl.col("moc_hour_talk_s") / 3600),
    ),
    Feature(
        name="max_concurrent",
        family=FAMILY,
        unit="calls",
        doc="Most calls of the line at the same time.",
        source="derived: finite ports",
        suspicious="high",
        expr=pl.when(pl.col("talked") > 0).then(pl.col("at_once")),
    ),
)
