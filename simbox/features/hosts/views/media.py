"""What the media of a host is like, and what its addresses tell of the network behind it."""

from __future__ import annotations

import polars as pl

from simbox.features.hosts.declaration import HostView
from simbox.features.hosts.seen import Seen

TRUNK = ("PCMA", "PCMU", "G729", "G723", "GSM", "G726-32")  # what gateways' processors speak
MODERN = ("OPUS", "SILK", "SPEEX", "ISAC")
LEAST_PACKETS = 50  # a second of voice
FIRST_S, RING_S = 1.0, 90.0  # by which the media of who dials precedes the other's: it rings


def compute(seen: Seen) -> pl.DataFrame:
    """Volume by direction, codec habits, private addresses in signalling."""
    streams = seen.streams.filter(pl.col("packets") >= LEAST_PACKETS)
    codec = pl.col("codec").str.to_uppercase().str.replace(r"/.*$", "")
    codec = codec.str.replace(r"^G\.?(\d+).*$", "G$1")
    sent = streams.group_by(host="src").agg(
        pl.len().alias("streams"),
        pl.col("octets").sum().alias("octets_up"),
        codec.count().alias("streams_known"),
        codec.is_in(TRUNK).sum().alias("streams_trunk"),
        codec.is_in(MODERN).sum().alias("streams_modern"),
        pl.col("silence").count().alias("streams_judged"),
        (pl.col("silence") == False).sum().alias("streams_constant"),  # noqa: E712
    )
    got = streams.group_by(host="dst").agg(pl.col("octets").sum().alias("octets_down"))
    found = seen.hosts.join(sent, on="host", how="left").join(got, on="host", how="left")
    for frame in (_first(streams), _contacts(seen)):
        found = found.join(frame, on="host", how="left")
    return found


def _first(streams: pl.DataFrame) -> pl.DataFrame:
    """Calls without signalling, and those in which the host's media precedes the other's."""
    ends = ["host", "port", "peer", "peer_port"]
    hidden = streams.filter(pl.col("call_id").is_null())
    sent = hidden.select(
        host="src", port="src_port", peer="dst", peer_port="dst_port",
        begun="start", start="start", until="end",
    )  # fmt: skip
    got = hidden.select(
        host="dst", port="dst_port", peer="src", peer_port="src_port", start="start", over="end"
    )
    got, sent = got.sort("start", *ends, "over"), sent.sort("start", *ends, "until")
    paired = got.join_asof(sent, on="start", by=ends, strategy="nearest", check_sortedness=False)
    there = paired.filter(pl.col("until") >= pl.col("start"), pl.col("over") >= pl.col("begun"))
    calls = there.sort("start", *ends, "over").unique(
        [*ends, "begun"], keep="first", maintain_order=True
    )
    lead = (pl.col("start") - pl.col("begun")).dt.total_milliseconds() / 1000
    return calls.group_by("host").agg(
        pl.len().alias("paired"), lead.is_between(FIRST_S, RING_S).sum().alias("host_first")
    )


def _contacts(seen: Seen) -> pl.DataFrame:
    """Contacts that name a private address where the request comes from another."""
    bare = pl.col("contact_host").str.extract(r"^\[?([0-9A-Fa-f:.]+?)\]?(?::\d+)?$", 1)
    inside = r"^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)"
    contacts = seen.dialogs.select(host="src", contact=bare).drop_nulls()
    leaked = pl.col("contact").str.contains(inside) & (pl.col("contact") != pl.col("host"))
    return contacts.group_by("host").agg(
        pl.len().alias("contacts"), leaked.sum().alias("contacts_private")
    )


VIEW = HostView(
    name="media",
    doc="RTP of a host and the addresses that it gives.",
    columns={
        "streams": "streams of a second or more that it sends",
        "octets_up": "octets of media that it sends",
        "octets_down": "octets of media that it gets",
        "streams_known": "sent streams whose codec is known",
        "streams_trunk": "those in PCMA, PCMU, G.729, G.723, G.726 or GSM",
        "streams_modern": "those in Opus, SILK, Speex or iSAC",
        "streams_judged": "sent streams of which it is known whether silence is sent",
        "streams_constant": "those that send silence as well",
        "paired": "calls without signalling whose media both ways is seen",
        "host_first": "those in which the host's media precedes the other's by 1 to 90 s",
        "contacts": "requests that give a Contact by address",
        "contacts_private": "those whose Contact is a private address that is not the sender's",
    },
    compute=compute,
)
