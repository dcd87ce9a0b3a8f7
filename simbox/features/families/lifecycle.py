"""Life cycle: SIMs bought in bulk come late, work at once, and die young."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FAMILY = "lifecycle"
DAY_S = 86_400
MIN_WINDOW_DAYS = 3.0  # a shorter window shows no life, only its own edges
NEW_AFTER_S = 2 * DAY_S  # a line first seen later than this into the data counts as new

_LONG_ENOUGH = pl.col("window_days") >= MIN_WINDOW_DAYS

FEATURES = (
    Feature(
        name="life_share",
        family=FAMILY,
        unit="share",
        doc="Share of the data's period between the line's first and last event.",
        source="LATRO: blocked cards are replaced",
        suspicious="low",
        expr=pl.when(_LONG_ENOUGH).then(
            (pl.col("last_s") - pl.col("first_s")) / DAY_S / pl.col("window_days")
        ),
    ),
    Feature(
        name="silent_start_days",
        family=FAMILY,
        unit="days",
        doc="Days from the start of the data to the line's first outgoing call.",
        source="derived: silent, then a burst",
        suspicious="high",
        expr=pl.when(_LONG_ENOUGH).then(pl.col("out_after_start_s") / DAY_S),
    ),
    Feature(
        name="first_day_share",
        family=FAMILY,
        unit="share",
        doc="Share of a new line's outgoing calls made within 24 hours of its first event.",
        source="Guangxi practice: activation to abuse in minutes",
        suspicious="high",
        expr=pl.when(_LONG_ENOUGH & (pl.col("after_start_s") > NEW_AFTER_S)).then(
            ratio("moc_first_day", "moc")
        ),
    ),
    Feature(
        name="burst_share",
        family=FAMILY,
        unit="share",
        doc="Share of outgoing calls made on the line's busiest day.",
        source="derived",
        suspicious="high",
        expr=pl.when(_LONG_ENOUGH).then(ratio("moc_day_max", "moc")),
    ),
    Feature(
        name="active_days_share",
        family=FAMILY,
        unit="share",
        doc="Share of the days of the data on which the line does anything.",
        source="labelled operator data",
        suspicious="low",
        expr=pl.when(_LONG_ENOUGH).then(
            (pl.col("days") / pl.col("window_days").ceil()).clip(upper_bound=1)
        ),
    ),
    Feature(
        name="tail_silence_days",
        family=FAMILY,
        unit="days",
        doc="Days from the line's last event to the end of the data.",
        source="LATRO: blocked cards are replaced",
        suspicious="high",
        expr=pl.when(_LONG_ENOUGH).then(pl.col("before_end_s") / DAY_S),
    ),
    Feature(
        name="first_out_minutes",
        family=FAMILY,
        unit="min",
        doc="Minutes from a new line's first event to its first outgoing call.",
        source="Guangxi practice: activation to abuse in minutes",
        suspicious="none",
        expr=pl.when(_LONG_ENOUGH & (pl.col("after_start_s") > NEW_AFTER_S)).then(
            pl.col("first_out_s") / 60
        ),
    ),
)
