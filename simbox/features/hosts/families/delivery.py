"""Delivery: calls come into the site to be dialled there, from a few far peers."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio
from simbox.features.hosts.measured import enough

LEAST_FIRST = 0.2  # of the calls; fewer are chance

FEATURES = (
    Feature(
        name="dialled_in_share",
        family="delivery",
        unit="share",
        doc="Share of the host's calls that come in for a number that is none of its own.",
        source="derived: a gateway terminates traffic",
        suspicious="high",
        expr=ratio("calls_dialled", "calls_signalled"),
    ),
    Feature(
        name="calls_out_share",
        family="delivery",
        unit="share",
        doc="Share of the host's calls that it sends itself.",
        source="traffic sign: few or no calls out of SIP",
        suspicious="low",
        expr=ratio("calls_out", "calls_signalled"),
    ),
    Feature(
        name="one_peer_share",
        family="delivery",
        unit="share",
        doc="Share of the calls in that come from the peer with most.",
        source="traffic sign: one or two foreign peers",
        suspicious="high",
        expr=enough("calls_in", ratio("peer_top", "calls_in")),
    ),
    Feature(
        name="media_first_share",
        family="delivery",
        unit="share",
        doc="Share of the calls without signalling in which the host sends media first, of a fifth or more.",
        source="derived: who dials passes on the ring-back; it can be left out, so its lack says nothing",
        suspicious="high",
        expr=pl.when(ratio("host_first", "paired") >= LEAST_FIRST).then(
            enough("paired", ratio("host_first", "paired"))
        ),
    ),
    Feature(
        name="own_called_share",
        family="delivery",
        unit="share",
        doc="Share of the calls in for the host's own accounts, or for its blocks of 10,000 numbers.",
        source="derived: an office is called at its own numbers",
        suspicious="none",
        expr=ratio(
            pl.col("calls_own")
            + ratio(pl.col("calls_dialled") * pl.col("block_house"), "sold_distinct").fill_null(
                0.0
            ),
            "calls_in",
        ),
    ),
    Feature(
        name="call_peers",
        family="delivery",
        unit="hosts",
        doc="Distinct far ends of the host's call signalling.",
        source="derived",
        suspicious="none",
        expr=pl.when(pl.col("calls_signalled") > 0).then(pl.col("peers")),
    ),
    Feature(
        name="admitted_share",
        family="delivery",
        unit="share",
        doc="Share of the calls in from hosts that register at this one or answer its challenge.",
        source="derived: customers of a provider authenticate",
        suspicious="none",
        expr=ratio("admitted", "calls_in"),
    ),
    Feature(
        name="side_doubt",
        family="delivery",
        unit="0 or 1",
        doc="1 where neither the operator nor the traffic tells that the host is on the access side.",
        source="derived",
        suspicious="none",
        expr=pl.when(pl.col("calls_in") > 0).then(pl.col("doubtful")),
    ),
)
