"""Silence: nobody calls the site, who does reaches nobody, and it answers no call of others."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature

FEATURES = (
    Feature(
        name="site_incoming_share",
        family="silence",
        unit="share",
        doc="Calls in from outside the site over all its calls with outside.",
        source="NT and Sevis in/out ratio, for a room",
        suspicious="low",
        expr=pl.col("incoming_share"),
        needs=("incoming",),
    ),
    Feature(
        name="site_answered_in_share",
        family="silence",
        unit="share",
        doc="Share of the calls in from outside that the site answers.",
        source="test-call practice: gateway ports do not answer",
        suspicious="low",
        expr=pl.col("answered_in_share"),
        needs=("incoming",),
    ),
    Feature(
        name="site_called_back_share",
        family="silence",
        unit="share",
        doc="Share of the numbers called that later call any line of the site, and are answered.",
        source="derived: a centre's customers ring back",
        suspicious="low",
        expr=pl.col("called_back_share"),
        needs=("incoming",),
    ),
    Feature(
        name="site_known_share",
        family="silence",
        unit="share",
        doc="Share of the calls to numbers that had called the site before.",
        source="derived: dispatchers and offices call who called them",
        suspicious="low",
        expr=pl.col("known_share"),
        needs=("incoming",),
    ),
)
