"""Messaging: the phone in a person's pocket gets and sends texts."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FAMILY = "messaging"

FEATURES = (
    Feature(
        name="sms_in_share",
        family=FAMILY,
        unit="share",
        doc="Texts received over those plus outgoing calls.",
        source="Szupiluk and Rafalo, ISD 2024",
        suspicious="low",
        expr=ratio("sms_mt", pl.col("sms_mt") + pl.col("moc")),
        needs=("sms",),
    ),
    Feature(
        name="sms_out_share",
        family=FAMILY,
        unit="share",
        doc="Texts sent over those plus outgoing calls.",
        source="HAUD call to SMS ratio",
        suspicious="none",
        expr=ratio("sms_mo", pl.col("sms_mo") + pl.col("moc")),
        needs=("sms_out",),
    ),
    Feature(
        name="sms_person_share",
        family=FAMILY,
        unit="share",
        doc="Share of the texts received that come from numbers which people have.",
        source="derived: gateway SIMs receive operator and one-time-code texts only",
        suspicious="low",
        expr=ratio("sms_mt_people", "sms_mt"),
        needs=("sms",),
    ),
    Feature(
        name="sms_days_share",
        family=FAMILY,
        unit="share",
        doc="Share of the line's active days that have a text.",
        source="labelled operator data",
        suspicious="low",
        expr=ratio("sms_days", "days"),
        needs=("sms",),
    ),
    Feature(
        name="sms_two_way",
        family=FAMILY,
        unit="share",
        doc="Share of the texted numbers that text the line.",
        source="derived",
        suspicious="low",
        expr=ratio("texted_who_text", "texted"),
        needs=("sms", "sms_out"),
    ),
    Feature(
        name="sms_hour_max",
        family=FAMILY,
        unit="texts per hour",
        doc="Most texts sent in any rolling hour.",
        source="derived: text blasting",
        suspicious="high",
        expr=pl.col("sms_mo_hour_max"),
        needs=("sms_out",),
    ),
    Feature(
        name="sms_called_overlap",
        family=FAMILY,
        unit="share",
        doc="Share of the texted numbers that the line also calls.",
        source="derived",
        suspicious="low",
        expr=ratio("texted_and_called", "texted"),
        needs=("sms_out",),
    ),
)
