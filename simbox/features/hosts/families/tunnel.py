"""Tunnel: voice of several calls inside encryption."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature

FEATURES = (
    Feature(
        name="tunnel_calls_at_once",
        family="tunnel",
        unit="calls",
        doc="Most calls at a time inside its tunnels, by size and rate of packets.",
        source="packet sizes and rates; Yildirim and Radcliffe 2010",
        suspicious="high",
        expr=pl.col("tunnel_most"),
    ),
    Feature(
        name="tunnel_voice_share",
        family="tunnel",
        unit="share",
        doc="Share of its tunnels' windows that carry voice and nothing else.",
        source="derived: an office's tunnel carries data",
        suspicious="high",
        expr=pl.col("tunnel_share"),
    ),
)
