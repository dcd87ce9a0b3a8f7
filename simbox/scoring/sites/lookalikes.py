"""Ordinary groups of lines that stand together, and the evidence that speaks for them."""

from __future__ import annotations

from simbox.scoring.lookalikes import Lookalike

SITE_LOOKALIKES = (
    Lookalike(
        "agents",
        "A call centre: what nobody took is tried again, by whichever agent, and customers recur.",
        "A sold call may be tried again as well, but who is called twice gets through to nobody "
        "when ringing back.",
        needs=("site_redial_share", "site_again_share", "site_answered_in_share"),
        checks=("site_incoming_share",),
    ),
    Lookalike(
        "customers",
        "A firm whose customers ring back, at whichever of its lines, and are answered.",
        "Victims cannot be made to ring back, and each answered call takes a port.",
        needs=("site_called_back_share", "site_answered_in_share"),
    ),
    Lookalike(
        "reception",
        "An office or dispatcher: called from outside, answering, calling who called before.",
        "Distinct callers cannot be bought.",
        needs=("site_incoming_share", "site_answered_in_share", "site_known_share"),
    ),
    Lookalike(
        "household",
        "Two or three lines of one owner or family, whose contacts recur.",
        "A box of three ports earns a tenth of the smallest one that is sold.",
        needs=("site_lines", "site_again_share"),
    ),
    Lookalike(
        "crowd",
        "Lines that chance brought to one place, none of which is like a gateway by itself.",
        "A card that looks like nobody's sells nothing.",
        needs=("member_share", "member_evidence"),
        checks=("handset_nats", "turn_nats", "list_nats"),
    ),
)
