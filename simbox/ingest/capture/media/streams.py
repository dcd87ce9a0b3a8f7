"""RTP streams over all capture files of a run: segments joined, and their calls by announcement."""

from __future__ import annotations

import polars as pl

from simbox.ingest.capture.media.codecs import DYNAMIC, STATIC
from simbox.ingest.capture.media.follow import DROPOUT, MISORDER
from simbox.ingest.capture.media.rows import clock_rate
from simbox.tables import STREAMS

STREAM = ("src", "src_port", "dst", "dst_port", "ssrc")
GAP = pl.duration(seconds=60)  # a stream that was silent for so long has ended
AHEAD = pl.duration(seconds=1)  # media that comes before its announcement is seen
PAUSED = 0.9  # a stream that sends less than this share of its time leaves silence out
#: Addresses that a NAT stands before (RFC 1918, RFC 6598, RFC 4193).
PRIVATE = (
    r"^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd])"
)
NOT_MEDIA = ("image", "application", "message")  # kinds of media without RTP (RFC 8866)

#: Timestamp rates of codecs with dynamic payload types, Hz, where the name alone tells.
RATES = {
    "AMR": 8000, "AMR-WB": 16000, "EVRC": 8000, "G722": 8000, "G726-16": 8000, "G726-24": 8000,
    "G726-32": 8000, "G726-40": 8000, "G729": 8000, "GSM": 8000, "GSM-EFR": 8000,
    "GSM-HR-08": 8000, "ILBC": 8000, "OPUS": 48000, "PCMA": 8000, "PCMU": 8000,
    "AV1": 90000, "H263-1998": 90000, "H264": 90000, "H265": 90000, "VP8": 90000, "VP9": 90000,
}  # fmt: skip


def join_segments(segments: pl.DataFrame) -> pl.DataFrame:
    """Whole streams of rows of tables.SEGMENTS: the same columns, and ``clock`` and ``lost``.

    Parts of a stream are joined where less than 60 s are between them.  What is typical (payload
    type, step, size) is that of the part with most packets, jitter that of the last part; ``lost``
    are the packets missing by sequence number, also between the parts (RFC 3550 A.3).
    """
    rows = segments.sort(*STREAM, "start", "end", "first_frame", "source").with_columns(
        clock_rate().cast(pl.Int32)
    )
    highest = pl.col("first_seq").cast(pl.Int64) + pl.col("extended_seq")
    same = pl.all_horizontal(pl.col(c) == pl.col(c).shift() for c in STREAM)
    latest = pl.col("end").cum_max().shift().over(STREAM)
    joins = (same & (pl.col("start") - latest < GAP)).fill_null(value=False)
    step = (pl.col("first_seq") - highest.shift() + 32768) % 65536 - 32768
    # as within a part, steps beyond the usual are a new numbering (RFC 3550 A.1)
    usual = step.is_between(-MISORDER, DROPOUT - 1)
    rows = rows.with_columns(
        stream=(~joins).cum_sum(),
        between=pl.when(joins).then(pl.when(usual).then(step).otherwise(1)).otherwise(0),
    )
    joined = rows.group_by("stream", maintain_order=True).agg(_joined())
    lost = (pl.col("extended_seq") + 1 - pl.col("packets").cast(pl.Int64)).clip(0)
    return joined.select(*segments.columns, "clock", lost=lost.cast(pl.UInt32)).sort(
        "start", *STREAM, maintain_order=True
    )


def with_calls(streams: pl.DataFrame, media: pl.DataFrame) -> pl.DataFrame:
    """Rows of tables.STREAMS: joined streams with codec and call by rows of tables.MEDIA.

    ``announced`` is strict: signalling named the stream's destination.  A stream belongs to a call
    also where its source was named (symmetric RTP), or where behind a NAT the port was kept that
    was named with a private address.
    """
    streams = streams.with_row_index("stream")
    offers = _offers(media)
    found = [
        _latest(streams, offers, ("dst", "dst_port"), "address"),
        _latest(streams, offers, ("src", "src_port"), "address"),
        _latest(streams, offers, ("dst", "dst_port"), "announcer"),
    ]
    best = (
        pl.concat(f.with_columns(rank=pl.lit(rank)) for rank, f in enumerate(found))
        .sort("stream", "rank")
        .unique("stream", keep="first", maintain_order=True)
    )
    rows = streams.drop("announced").join(best, on="stream", how="left", maintain_order="left")
    rows = _with_codec(rows, offers).with_columns(
        announced=(pl.col("rank") == 0).fill_null(value=False)
    )
    return STREAMS.conform(_measured(rows).select(c for c in STREAMS.schema))


def _joined() -> list[pl.Expr]:
    """How the parts of a stream make the whole, column by column."""
    main = pl.col("packets").arg_max()
    weight = pl.col("packets").cast(pl.Float64)

    def mean(name: str) -> pl.Expr:
        known = pl.when(pl.col(name).is_not_null()).then(weight)
        return ((pl.col(name) * weight).sum() / known.sum()).fill_nan(None).alias(name)

    return [
        pl.col("source", *STREAM, "first_frame", "first_seq").first(),
        pl.col("start").min(),
        pl.col("end").max(),
        pl.col("last_frame", "jitter").sort_by("end", maintain_order=True).last(),
        pl.col("payload_type", "ticks", "size", "clock", "tunnelled").get(main),
        pl.col("event_type").max(),
        pl.col("packets", "octets", "disordered", "markers", "comfort").sum(),
        (pl.col("extended_seq") + pl.col("between")).sum(),
        mean("size_share"),
        mean("mean_deviation"),
        pl.col("announced").any(),
    ]


def _offers(media: pl.DataFrame) -> pl.DataFrame:
    """The announcements of RTP, in time order."""
    rtp = pl.col("kind").is_null() | ~pl.col("kind").is_in(NOT_MEDIA)
    return (
        media.filter(rtp & (pl.col("port") > 0))
        .sort("time", "source", "frame", maintain_order=True)
        .with_row_index("offer")
        .select(
            "offer", "time", "protocol", "call_id", "announcer", "address", "port", "codecs",
            "payload_types", "ptime_ms",
        )
    )  # fmt: skip


def _latest(
    streams: pl.DataFrame, offers: pl.DataFrame, end: tuple[str, str], named: str
) -> pl.DataFrame:
    """The offer of the address and port at one end of each stream: columns stream, offer, ...

    That is the latest when the stream begins, or else the first that comes while it lasts.
    """
    by_stream, by_offer = list(end), [named, "port"]
    if named == "announcer":
        offers = offers.filter(pl.col("address").str.contains(PRIVATE))
    keyed = streams.select("stream", *end, "end", at=pl.col("start") + AHEAD)
    keyed = keyed.with_columns(pl.col(end[1]).cast(pl.UInt16)).sort("at")
    right = offers.select(*by_offer, "time", "offer", "protocol", "call_id").with_columns(
        since="time"
    )
    found = []
    for strategy in ("backward", "forward"):
        matched = keyed.join_asof(
            right, left_on="at", right_on="time", by_left=by_stream, by_right=by_offer,
            strategy=strategy, check_sortedness=False,
        )  # fmt: skip
        found.append(matched.filter(pl.col("offer").is_not_null()))
    late = found[1].filter(pl.col("since") <= pl.col("end"))
    both = pl.concat([found[0], late.join(found[0], on="stream", how="anti")])
    return both.select("stream", "offer", "protocol", "call_id")


def _with_codec(rows: pl.DataFrame, offers: pl.DataFrame) -> pl.DataFrame:
    """The rows with ``codec``: by the offer's payload types, else by RFC 3551."""
    types = offers.select(
        "offer", name=pl.col("codecs").str.split(","), kind=pl.col("payload_types").str.split(",")
    )
    paired = types.filter(pl.col("name").list.len() == pl.col("kind").list.len())
    named = paired.explode("name", "kind").select(
        "offer",
        payload_type=pl.col("kind").str.strip_chars().cast(pl.UInt8, strict=False),
        named=pl.col("name").str.strip_chars(),
    )
    named = named.drop_nulls().filter(pl.col("named") != "")
    named = named.unique(["offer", "payload_type"], keep="first", maintain_order=True)
    rows = rows.join(named, on=["offer", "payload_type"], how="left", maintain_order="left")
    fixed = pl.col("payload_type").replace_strict(
        {kind: codec.name for kind, codec in STATIC.items()},
        default=None,
        return_dtype=pl.String,
    )
    return rows.with_columns(codec=pl.coalesce("named", fixed))


def _measured(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with packet time, jitter and silence by the clock of the codec.

    Jitter was measured by the clock that the stream itself shows; where signalling tells another,
    it is not known.
    """
    named = pl.col("codec").str.to_uppercase()
    told = pl.when(pl.col("payload_type") >= DYNAMIC[0]).then(
        named.replace_strict(RATES, default=None, return_dtype=pl.Int32)
    )
    rows = rows.with_columns(rate=pl.coalesce(told, "clock")).with_columns(
        ptime_ms=pl.col("ticks") / pl.col("rate") * 1000
    )
    lasted = (pl.col("end") - pl.col("start")).dt.total_microseconds() / 1000
    filled = pl.col("extended_seq") * pl.col("ptime_ms") < PAUSED * lasted
    spurts = (pl.col("markers") > 1) & filled & (pl.col("rate") != 90000)
    return rows.with_columns(
        jitter_ms=pl.when(pl.col("rate") == pl.col("clock")).then(
            pl.col("jitter") / pl.col("rate") * 1000
        ),
        silence=(pl.col("comfort") > 0) | spurts.fill_null(value=False),
    )
