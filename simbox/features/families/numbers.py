"""Numbers: what is dialled, and in which order."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FAMILY = "numbers"

FEATURES = (
    Feature(
        name="called_sequence",
        family=FAMILY,
        unit="share",
        doc="Share of the steps from one called number to the next that are at most 100 wide.",
        source="CN106657549B",
        suspicious="high",
        expr=ratio("dial_near", "dial_steps"),
    ),
    Feature(
        name="called_block_share",
        family=FAMILY,
        unit="share",
        doc="Share of those steps that stay within a block of 10,000 numbers.",
        source="derived from CN106657549B",
        suspicious="high",
        expr=ratio("dial_same_block", "dial_steps"),
    ),
    Feature(
        name="called_order",
        family=FAMILY,
        unit="share",
        doc="How far the steps up and down are from even: 1 for a list dialled in order.",
        source="derived",
        suspicious="high",
        expr=ratio((2 * pl.col("dial_up") - pl.col("dial_steps")).abs(), "dial_steps"),
    ),
    Feature(
        name="calls_per_block",
        family=FAMILY,
        unit="numbers",
        doc="Distinct called numbers per block of 10,000 numbers.",
        source="derived",
        suspicious="high",
        expr=ratio("called_digits", "called_blocks"),
    ),
    Feature(
        name="dead_number_share",
        family=FAMILY,
        unit="share",
        doc="Share of outgoing calls with a cause that go to numbers which do not exist.",
        source="goantifraud.com: calls to non-existing subscribers; Q.850",
        suspicious="high",
        expr=ratio("moc_dead", "moc_caused"),
        needs=("causes",),
    ),
    Feature(
        name="onnet_share",
        family=FAMILY,
        unit="share",
        doc="Share of the classed outgoing calls that stay in the own network.",
        source="Neural Technologies",
        suspicious="none",
        expr=pl.when(pl.col("moc_onnet") + pl.col("moc_offnet") > 0).then(
            ratio("moc_onnet", "moc_classed")
        ),
    ),
    Feature(
        name="international_share",
        family=FAMILY,
        unit="share",
        doc="Share of the classed outgoing calls that go abroad.",
        source="labelled operator data",
        suspicious="none",
        expr=ratio("moc_international", "moc_classed"),
    ),
    Feature(
        name="fixed_share",
        family=FAMILY,
        unit="share",
        doc="Share of the classed outgoing calls that go to fixed lines.",
        source="derived",
        suspicious="none",
        expr=ratio("moc_fixed", "moc_classed"),
    ),
    Feature(
        name="service_share",
        family=FAMILY,
        unit="share",
        doc="Share of the classed outgoing calls that go to short codes and services.",
        source="derived: people call their bank, their operator, emergency",
        suspicious="low",
        expr=ratio("moc_service", "moc_classed"),
    ),
)
