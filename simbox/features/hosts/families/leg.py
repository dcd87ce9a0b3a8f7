"""Leg: behind the answer stands a mobile network, slower than one of VoIP, and strangers."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio
from simbox.features.hosts.measured import enough

FEATURES = (
    Feature(
        name="ring_delay",
        family="leg",
        unit="s",
        doc="Median time from the request to ringing.",
        source="traffic sign: GSM set-up of 3 to 8 s",
        suspicious="high",
        expr=enough("rung", pl.col("ring_s")),
    ),
    Feature(
        name="ring_as_gsm_share",
        family="leg",
        unit="share",
        doc="Share of the calls that rang which rang after 2.5 to 12 s.",
        source="traffic sign: GSM set-up",
        suspicious="high",
        expr=enough("rung", ratio("rung_as_gsm", "rung")),
    ),
    Feature(
        name="ring_spread",
        family="leg",
        unit="s",
        doc="Time between the quartiles of the delay to ringing.",
        source="derived: paging and cells vary",
        suspicious="high",
        expr=enough("rung", pl.col("ring_spread_s")),
    ),
    Feature(
        name="early_media_share",
        family="leg",
        unit="share",
        doc="Share of answered calls whose media the host sent half a second or more before the answer.",
        source="traffic sign: ring-back of the mobile network",
        suspicious="high",
        expr=enough("with_media", ratio("early_media", "with_media")),
    ),
    Feature(
        name="busy_failure_share",
        family="leg",
        unit="share",
        doc="Share of failures that are 480, 486, 600 or 603.",
        source="traffic sign: what a GSM failure becomes",
        suspicious="high",
        expr=enough("failed", ratio("failed_busy", "failed")),
    ),
    Feature(
        name="dialled_answer_ratio",
        family="leg",
        unit="share",
        doc="Answered among the calls that it is to dial.",
        source="traffic sign: low ASR",
        suspicious="low",
        expr=enough("sold", ratio("sold_answered", "sold")),
    ),
    Feature(
        name="dialled_talk_mean",
        family="leg",
        unit="s",
        doc="Mean conversation of the calls that it dialled.",
        source="traffic sign: ACD of 20 to 90 s for scams, any for bypass",
        suspicious="none",
        expr=pl.col("talk_mean_s"),
    ),
)
