"""Dispersion: a gateway deals out numbers, a person returns to a few."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FAMILY = "dispersion"

FEATURES = (
    Feature(
        name="distinct_ratio",
        family=FAMILY,
        unit="numbers per call",
        doc="Distinct numbers called over outgoing calls.",
        source="Elmi et al. 2012",
        suspicious="high",
        expr=ratio("called", "called_calls"),
    ),
    Feature(
        name="calls_per_contact",
        family=FAMILY,
        unit="calls",
        doc="Outgoing calls per distinct number called.",
        source="Ivorian operator study 2026",
        suspicious="low",
        expr=ratio("called_calls", "called"),
    ),
    Feature(
        name="top1_share",
        family=FAMILY,
        unit="share",
        doc="Share of outgoing calls that go to the number called most.",
        source="Copenhagen Networks Study, legitimate reference",
        suspicious="low",
        expr=ratio("called_top1", "called_calls"),
    ),
    Feature(
        name="top5_share",
        family=FAMILY,
        unit="share",
        doc="Share of outgoing calls that go to the five numbers called most.",
        source="goantifraud.com operator checks",
        suspicious="low",
        expr=ratio("called_top5", "called_calls"),
    ),
    Feature(
        name="called_entropy",
        family=FAMILY,
        unit="share of the maximum",
        doc="Shannon entropy of the called numbers over the largest that so many calls can have.",
        source="Shannon entropy, as used for nuisance callers",
        suspicious="high",
        expr=pl.when(pl.col("called_calls") > 1).then(
            pl.col("called_entropy_bit") / pl.col("called_calls").log(2)
        ),
    ),
    Feature(
        name="once_share",
        family=FAMILY,
        unit="share",
        doc="Share of the called numbers that are called exactly once.",
        source="derived",
        suspicious="high",
        expr=ratio("called_once", "called"),
    ),
    Feature(
        name="distinct_per_day",
        family=FAMILY,
        unit="numbers per day",
        doc="Mean count of distinct numbers called on a day with outgoing calls.",
        source="goantifraud.com: a person rarely passes 30",
        suspicious="high",
        expr=ratio("moc_day_contacts", "moc_days"),
    ),
    Feature(
        name="new_contact_share",
        family=FAMILY,
        unit="share",
        doc="Share of the calls of the line's second half that go to numbers new in that half.",
        source="derived: a gateway's contacts never saturate",
        suspicious="high",
        expr=ratio("late_calls_new", "late_calls"),
    ),
)
