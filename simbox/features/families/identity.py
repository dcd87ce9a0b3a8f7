"""Identity: handsets and SIMs that change hands as no person's do."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio

FAMILY = "identity"

FEATURES = (
    Feature(
        name="imeis_per_line",
        family=FAMILY,
        unit="handsets",
        doc="Distinct IMEIs that the line was used with.",
        source="Neural Technologies: IMEI swapping",
        suspicious="high",
        expr=pl.when(pl.col("handset_events") > 0).then(pl.col("handsets")),
    ),
    Feature(
        name="imsis_per_line",
        family=FAMILY,
        unit="SIMs",
        doc="Distinct IMSIs behind the line's number.",
        source="derived",
        suspicious="high",
        expr=pl.when(pl.col("sims") > 0).then(pl.col("sims")),
    ),
    Feature(
        name="sims_per_imei",
        family=FAMILY,
        unit="SIMs",
        doc="Most SIMs seen in one of the handsets that the line was used with.",
        source="Murynets et al. 2014; HAUD",
        suspicious="high",
        expr=pl.when(pl.col("handset_events") > 0).then(pl.col("handset_sims")),
    ),
    Feature(
        name="imei_overlap_share",
        family=FAMILY,
        unit="share",
        doc="Share of the line's calls during a call of another SIM on the same handset.",
        source="derived: one radio carries one call",
        suspicious="high",
        expr=ratio("handset_overlaps", "handset_calls"),
    ),
    Feature(
        name="imei_turns_per_day",
        family=FAMILY,
        unit="turns per day",
        doc="Times an active day that a handset passes to the line from another SIM.",
        source="derived: SIM rotation on a port",
        suspicious="high",
        expr=pl.when(pl.col("handset_events") > 0).then(
            pl.col("handset_turns") / pl.col("days").clip(1)
        ),
    ),
    Feature(
        name="imei_invalid_share",
        family=FAMILY,
        unit="share",
        doc="Share of the line's IMEIs that no handset can carry.",
        source="TS 23.003 annex B",
        suspicious="high",
        expr=ratio("handsets_invalid", "handsets_digits"),
    ),
    Feature(
        name="imei_switches_per_day",
        family=FAMILY,
        unit="changes per day",
        doc="Changes of IMEI from one event to the next, an active day.",
        source="derived",
        suspicious="high",
        expr=pl.when(pl.col("handset_events") > 0).then(
            pl.col("handset_changes") / pl.col("days").clip(1)
        ),
    ),
    Feature(
        name="imei_neighbours",
        family=FAMILY,
        unit="handsets",
        doc="Other handsets with a serial within 8 of the line's, beyond the density around it.",
        source="derived: modules of one carton",
        suspicious="high",
        expr=pl.when(pl.col("handsets_digits") > 0).then(pl.col("handset_neighbours")),
    ),
)
