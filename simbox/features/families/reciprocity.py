"""Reciprocity: strangers called by a gateway do not call it back."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FAMILY = "reciprocity"

FEATURES = (
    Feature(
        name="reciprocity",
        family=FAMILY,
        unit="share",
        doc="Share of the called numbers that also call or text the line.",
        source="Copenhagen Networks Study, legitimate reference",
        suspicious="low",
        expr=ratio("called_who_return", "called"),
        needs=("incoming",),
    ),
    Feature(
        name="callback_share",
        family=FAMILY,
        unit="share",
        doc="Share of the called numbers that call the line within 24 hours of a call.",
        source="derived",
        suspicious="low",
        expr=ratio("called_who_call_back", "called"),
        needs=("incoming",),
    ),
    Feature(
        name="missed_callback_share",
        family=FAMILY,
        unit="share",
        doc="Share of the numbers with an unanswered call that call back within 24 hours.",
        source="derived: people return a missed call",
        suspicious="low",
        expr=ratio("missed_who_call_back", "called_missed"),
        needs=("incoming", "attempts"),
    ),
    Feature(
        name="callers_share",
        family=FAMILY,
        unit="share",
        doc="Numbers that call in over those plus the numbers called.",
        source="derived",
        suspicious="low",
        expr=ratio("callers", pl.col("callers") + pl.col("called")),
        needs=("incoming",),
    ),
    Feature(
        name="prior_incoming_share",
        family=FAMILY,
        unit="share",
        doc="Share of outgoing calls to numbers that had called or texted the line before.",
        source="derived: dispatchers and helpdesks call who called them",
        suspicious="none",
        expr=ratio("called_after_incoming", "called_calls"),
        needs=("incoming",),
    ),
)
