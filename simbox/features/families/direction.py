"""Direction: a gateway port calls out and is never called."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FAMILY = "direction"
ZERO_IN_MIN_MOC = 10  # below it, no incoming call is nothing unusual

FEATURES = (
    Feature(
        name="out_share",
        family=FAMILY,
        unit="share",
        doc="Share of a line's calls that it originates.",
        source="Elmi et al. 2012",
        suspicious="high",
        expr=ratio("moc", pl.col("moc") + pl.col("mtc")),
        needs=("incoming",),
    ),
    Feature(
        name="zero_in",
        family=FAMILY,
        unit="0 or 1",
        doc=f"Whether a line with {ZERO_IN_MIN_MOC} or more outgoing calls has no incoming call.",
        source="Murynets et al. 2014",
        suspicious="high",
        expr=pl.when(pl.col("moc") >= ZERO_IN_MIN_MOC).then(pl.col("mtc") == 0),
        needs=("incoming",),
    ),
    Feature(
        name="out_talk_share",
        family=FAMILY,
        unit="share",
        doc="Share of the line's conversation time that is in calls it originates.",
        source="goantifraud.com operator checks",
        suspicious="high",
        expr=ratio("talk_out_s", pl.col("talk_out_s") + pl.col("talk_in_s")),
        needs=("incoming",),
    ),
    Feature(
        name="answered_in_share",
        family=FAMILY,
        unit="share",
        doc="Share of the calls offered to the line that it answers.",
        source="test-call practice: gateway ports do not answer",
        suspicious="low",
        expr=ratio("mtc_answered", pl.col("mtc_answered") + pl.col("mtc_unanswered")),
        needs=("incoming", "offered"),
    ),
    Feature(
        name="outbound_only_days",
        family=FAMILY,
        unit="share",
        doc="Share of the days with outgoing calls that bring no call or text to the line.",
        source="derived",
        suspicious="high",
        expr=ratio(pl.col("moc_days") - pl.col("moc_days_with_incoming"), "moc_days"),
        needs=("incoming",),
    ),
)
