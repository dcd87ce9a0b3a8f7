"""Ordinary hosts with voice that look like gateways, and the evidence that speaks for them."""

from __future__ import annotations

from simbox.scoring.lookalikes import Lookalike

HOST_LOOKALIKES = (
    Lookalike(
        "office_pbx",
        "Calls go both ways: the office is called at its own numbers and calls out itself.",
        "Calls in for a gateway's own numbers carry nothing that is sold, and take its ports.",
        needs=("own_called_share", "calls_out_share"),
        checks=("sold_block_share", "tunnel_calls_at_once"),
    ),
    Lookalike(
        "home_box",
        "One or two calls at a time, one or two accounts.",
        "A box of one port earns a fourth of the smallest one that is sold.",
        needs=("calls_at_once",),
        checks=("accounts_registered", "sold_distinct_share"),
    ),
    Lookalike(
        "call_centre",
        "The host sends its calls itself, to an operator who dials them.",
        "What a gateway dials has to be sent to it first.",
        needs=("calls_out_share",),
        checks=("dialled_in_share",),
    ),
    Lookalike(
        "operator_sbc",
        "Many far ends, and calls both ways.",
        "A gateway is fed by the few who pay for it.",
        needs=("call_peers", "calls_out_share"),
    ),
    Lookalike(
        "provider",
        "Its callers authenticate to it, and nothing tells that it is on the access side.",
        "A gateway can ask its buyers for a password; then the access networks have to be told.",
        needs=("admitted_share", "side_doubt"),
        checks=("tunnel_calls_at_once",),
    ),
    Lookalike(
        "conference_bridge",
        "Many calls in, to one number or room.",
        "No traffic can be sold to one number.",
        needs=("sold_top_share",),
    ),
    Lookalike(
        "applications",
        "Calls of applications: Opus and its like.",
        "A gateway's processor speaks what the telephone network does.",
        needs=("modern_codec_share",),
    ),
    Lookalike(
        "scanner",
        "Requests to many users or hosts, none of which is granted.",
        "A gateway's requests are registrations that its server grants.",
        needs=("request_refused_share", "request_targets", "request_granted_share"),
        checks=("dialled_in_share", "tunnel_calls_at_once"),
    ),
)
