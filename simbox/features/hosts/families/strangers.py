"""Strangers: what it dials is ever new, and spread over the numbering plan."""

from __future__ import annotations

from simbox.features.declaration import Feature, ratio
from simbox.features.hosts.measured import enough

FEATURES = (
    Feature(
        name="sold_distinct_share",
        family="strangers",
        unit="share",
        doc="Distinct numbers among the calls that it is to dial.",
        source="traffic sign: called all different",
        suspicious="high",
        expr=enough("sold", ratio("sold_distinct", "sold")),
    ),
    Feature(
        name="sold_block_share",
        family="strangers",
        unit="share",
        doc="Share of the pairs of distinct called numbers that are in one block of 10,000.",
        source="derived: an office has a block or a few, a mobile network hundreds",
        suspicious="low",
        expr=enough("sold_distinct", ratio("block_pairs", "all_pairs")),
    ),
    Feature(
        name="sold_top_share",
        family="strangers",
        unit="share",
        doc="Share of the calls that it is to dial to the number with most.",
        source="derived: a conference bridge has one",
        suspicious="low",
        expr=enough("sold", ratio("called_top", "sold")),
    ),
)
