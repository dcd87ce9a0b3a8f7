"""Outcome: strangers on a list do not answer, or hang up after the opener."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FAMILY = "outcome"

_TOLD = pl.col("moc_answered") + pl.col("moc_unanswered")

FEATURES = (
    Feature(
        name="answer_ratio",
        family=FAMILY,
        unit="share",
        doc="Share of outgoing calls that are answered (ASR).",
        source="ITU-T E.411; goantifraud.com quality checks",
        suspicious="low",
        expr=ratio("moc_answered", _TOLD),
        needs=("attempts",),
    ),
    Feature(
        name="mean_duration",
        family=FAMILY,
        unit="s",
        doc="Mean duration of answered outgoing calls (ACD).",
        source="Elmi et al. 2012",
        suspicious="none",
        expr=ratio("talked_s", "talked"),
    ),
    Feature(
        name="median_duration",
        family=FAMILY,
        unit="s",
        doc="Median duration of answered outgoing calls.",
        source="derived",
        suspicious="none",
        expr=pl.col("talk_median_s"),
    ),
    Feature(
        name="short_share",
        family=FAMILY,
        unit="share",
        doc="Share of answered outgoing calls shorter than 15 s.",
        source="Shanghai Telecom rule input",
        suspicious="high",
        expr=ratio("talked_short", "talked"),
    ),
    Feature(
        name="long_share",
        family=FAMILY,
        unit="share",
        doc="Share of answered outgoing calls longer than 3 min.",
        source="scam conversations",
        suspicious="none",
        expr=ratio("talked_long", "talked"),
    ),
    Feature(
        name="duration_cv",
        family=FAMILY,
        unit="ratio",
        doc="Standard deviation over mean of the durations: many openers and a few long talks.",
        source="derived",
        suspicious="high",
        expr=pl.when(pl.col("talked") > 1).then(
            pl.col("talk_sd_s") * pl.col("talked") / pl.col("talked_s")
        ),
    ),
    Feature(
        name="redial_share",
        family=FAMILY,
        unit="share",
        doc="Share of unanswered calls tried again on the same number within an hour.",
        source="derived: people redial, a list moves on",
        suspicious="none",
        expr=ratio("redials", "moc_unanswered"),
        needs=("attempts",),
    ),
)
