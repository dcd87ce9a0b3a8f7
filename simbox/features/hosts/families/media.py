"""Media: voice at a constant rate, as much up as down."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio
from simbox.features.hosts.measured import enough

FEATURES = (
    Feature(
        name="trunk_codec_share",
        family="media",
        unit="share",
        doc="Share of its streams in PCMA, PCMU, G.729, G.723, G.726 or GSM.",
        source="traffic sign: what the devices speak",
        suspicious="high",
        expr=ratio("streams_trunk", "streams_known"),
    ),
    Feature(
        name="modern_codec_share",
        family="media",
        unit="share",
        doc="Share of its streams in Opus, SILK, Speex or iSAC.",
        source="traffic sign: calls of applications",
        suspicious="none",
        expr=ratio("streams_modern", "streams_known"),
    ),
    Feature(
        name="voice_symmetry",
        family="media",
        unit="ratio",
        doc="Octets of media of the lesser direction over the greater.",
        source="traffic sign: up = down for hours",
        suspicious="high",
        expr=ratio(
            pl.min_horizontal("octets_up", "octets_down"),
            pl.max_horizontal("octets_up", "octets_down"),
        ),
    ),
    Feature(
        name="constant_share",
        family="media",
        unit="share",
        doc="Share of its streams that send silence as well.",
        source="traffic sign: no voice activity detection",
        suspicious="high",
        expr=ratio("streams_constant", "streams_judged"),
    ),
    Feature(
        name="private_contact_share",
        family="nat",
        unit="share",
        doc="Share of its requests whose Contact is a private address that is not the sender's.",
        source="traffic sign: NAT leakage; usual behind home routers",
        suspicious="high",
        expr=enough("contacts", ratio("contacts_private", "contacts")),
    ),
)
