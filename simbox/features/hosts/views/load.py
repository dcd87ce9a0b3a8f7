"""How many calls a host carries at a time: by signalling, by media and inside tunnels."""

from __future__ import annotations

import polars as pl

from simbox.features.hosts.concurrency import peaks
from simbox.features.hosts.declaration import HostView
from simbox.features.hosts.seen import Seen

LEAST_STREAM_S = 2  # shorter ones overlap at a re-INVITE or are strays
LEAST_HOURS = 6  # of a host's traffic before blocks of hours say anything
WINDOW_S = 10
SOURCES = ("signalled", "media", "tunnel")


def compute(seen: Seen) -> pl.DataFrame:
    """Peaks of concurrency by each source, and the pace of the one that shows most."""
    found = seen.hosts
    for frame in (_signalled(seen), _media(seen), _tunnelled(seen), _hours(seen)):
        found = found.join(frame, on="host", how="left")
    most = [pl.col(f"{s}_most") for s in SOURCES]
    best = pl.max_horizontal(most)
    told = found.filter(best.is_not_null())
    chosen = {}
    for name in ("busy_us", "full_us", "area_us"):
        choice = pl.coalesce(
            pl.when(m == best).then(f"{s}_{name}") for s, m in zip(SOURCES, most, strict=True)
        )
        chosen[name] = choice
    return told.with_columns(most=best, **chosen)


def _signalled(seen: Seen) -> pl.DataFrame:
    """Calls that rang or were answered, from the request on: a port is taken while it dials."""
    progressed = seen.calls.filter(
        pl.col("answered_at").is_not_null() | pl.col("ringing_at").is_not_null()
    )
    return _named(peaks(progressed.select("host", "start", "until")), "signalled")


def _media(seen: Seen) -> pl.DataFrame:
    """Streams that the host sends and gets; where both are seen, the fewer."""
    lasting = seen.streams.filter(
        pl.col("end") - pl.col("start") >= pl.duration(seconds=LEAST_STREAM_S)
    )
    ends = [
        _named(peaks(lasting.select(host=end, start="start", until="end")), end)
        for end in ("src", "dst")
    ]
    both = ends[0].join(ends[1], on="host", how="full", coalesce=True)
    fewer = pl.col("dst_most").is_null() | (pl.col("src_most") <= pl.col("dst_most"))
    names = ("most", "busy_us", "full_us", "area_us")
    return both.select(
        "host",
        *(
            pl.when(fewer & pl.col("src_most").is_not_null())
            .then(f"src_{n}").otherwise(f"dst_{n}").alias(f"media_{n}")
            for n in names
        ),
    )  # fmt: skip


def _tunnelled(seen: Seen) -> pl.DataFrame:
    """Calls inside tunnels by windows of ten seconds, of all tunnels of the host together."""
    start = pl.col("start").dt.epoch("s") // WINDOW_S
    windows = (
        seen.tunnels.filter(pl.col("calls").list.len() > 0)
        .select("host", start.alias("first"), "calls")
        .with_columns(step=pl.int_ranges(0, pl.col("calls").list.len()))
        .explode("calls", "step")
        .with_columns(window=pl.col("first") + pl.col("step"))
        .group_by("host", "window").agg(pl.col("calls").cast(pl.Int64).sum().alias("level"))
        .sort("host", "window")
    )  # fmt: skip
    level, held = pl.col("level"), WINDOW_S * 1_000_000
    before = pl.col("level").shift(1, fill_value=0)
    return windows.group_by("host", maintain_order=True).agg(
        level.max().alias("tunnel_most"),
        ((level > 0).sum().cast(pl.Int64) * held).alias("tunnel_busy_us"),
        ((level == level.max()).sum().cast(pl.Int64) * held).alias("tunnel_full_us"),
        (level.sum() * held).alias("tunnel_area_us"),
        (level - before).clip(0).sum().alias("tunnel_calls"),
    )


def _hours(seen: Seen) -> pl.DataFrame:
    """The longest run of clock hours with calls, where the traffic spans enough of them."""
    starts = pl.concat(
        [
            seen.calls.select("host", hour=pl.col("start").dt.epoch("s") // 3600),
            seen.tunnels.select("host", hour=pl.col("start").dt.epoch("s") // 3600),
        ]
    ).unique().sort("host", "hour")  # fmt: skip
    run = (pl.col("hour") - pl.col("hour").shift(1) != 1).fill_null(value=True).cum_sum()
    runs = (
        starts.with_columns(run=run.over("host"))
        .group_by("host", "run")
        .agg(
            pl.len().alias("length"),
            pl.col("hour").min().alias("from"),
            pl.col("hour").max().alias("to"),
        )
    )
    longest = runs.group_by("host").agg(
        pl.col("length").max().alias("block_hours"),
        (pl.col("to").max() - pl.col("from").min() + 1).alias("span_hours"),
    )
    return longest.filter(pl.col("span_hours") >= LEAST_HOURS).drop("span_hours")


def _named(frame: pl.DataFrame, source: str) -> pl.DataFrame:
    return frame.rename({n: f"{source}_{n}" for n in frame.columns if n != "host"})


VIEW = HostView(
    name="load",
    doc="Simultaneous calls of a host.",
    columns={
        "signalled_most": "most calls at a time by signalling",
        "media_most": "most media streams at a time each way",
        "tunnel_most": "most calls at a time inside tunnels",
        "tunnel_calls": "calls inside tunnels, counted by their starts",
        "most": "most calls at a time by whatever shows most",
        "busy_us": "time with a call, microseconds",
        "full_us": "time with most calls, microseconds",
        "area_us": "time of all calls together, microseconds",
        "block_hours": "longest run of clock hours with calls",
    },
    compute=compute,
)
