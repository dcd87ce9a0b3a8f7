"""Device: signatures and reports; nothing is said where there are none, for they can be removed."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature
from simbox.features.hosts.measured import some

FEATURES = (
    Feature(
        name="strong_signatures",
        family="device",
        unit="signatures",
        doc="Distinct strong signatures of gateways.",
        source="configs/signatures",
        suspicious="high",
        expr=some("signatures_strong"),
    ),
    Feature(
        name="weak_signatures",
        family="device",
        unit="signatures",
        doc="Distinct weak signatures of gateways.",
        source="configs/signatures",
        suspicious="high",
        expr=some("signatures_weak"),
    ),
    Feature(
        name="conclusive_signatures",
        family="identity",
        unit="signatures",
        doc="Distinct conclusive signatures of gateways.",
        source="configs/signatures",
        suspicious="high",
        expr=some("signatures_conclusive"),
    ),
    Feature(
        name="sims_reported",
        family="identity",
        unit="SIMs",
        doc="Distinct SIMs that the host reported, by IMSI or ICCID.",
        source="GoIP protocol: keepalives",
        suspicious="high",
        expr=some(pl.max_horizontal("imsis", "iccids")),
    ),
    Feature(
        name="sims_per_port",
        family="identity",
        unit="SIMs",
        doc="Most SIMs that one line had.",
        source="GoIP protocol: rotation",
        suspicious="high",
        expr=some("sims_a_port"),
    ),
    Feature(
        name="imeis_per_port",
        family="identity",
        unit="IMEIs",
        doc="Most IMEIs that one line had.",
        source="GoIP protocol: set_imei",
        suspicious="high",
        expr=some("imeis_a_port"),
    ),
    Feature(
        name="report_gap",
        family="identity",
        unit="s",
        doc="Median time between the reports of a line.",
        source="GoIP protocol: every 30 s",
        suspicious="none",
        expr=pl.col("report_gap_s"),
    ),
)
