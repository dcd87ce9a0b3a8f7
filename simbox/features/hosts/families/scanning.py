"""Scanning: requests in vain, which no gateway sends."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FEATURES = (
    Feature(
        name="request_refused_share",
        family="scanning",
        unit="share",
        doc="Share of the host's own requests that were refused or not answered.",
        source="derived",
        suspicious="none",
        expr=ratio("requests_refused", "requests"),
    ),
    Feature(
        name="request_granted_share",
        family="scanning",
        unit="share",
        doc="Share of the host's own requests that were granted, rang or were answered.",
        source="derived",
        suspicious="none",
        expr=ratio("requests_succeeded", "requests"),
    ),
    Feature(
        name="request_targets",
        family="scanning",
        unit="users",
        doc="Distinct users or hosts that it sent requests for, whichever are more.",
        source="derived",
        suspicious="none",
        expr=pl.col("targets"),
    ),
)
