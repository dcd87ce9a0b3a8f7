"""Which calls a host takes part in: into it or out of it, for whom, and what becomes of them."""

from __future__ import annotations

import polars as pl

from simbox.features.hosts.declaration import HostView
from simbox.features.hosts.seen import Seen, block

RING_LEAST_S, RING_MOST_S = 2.5, 12.0  # a GSM set-up: paging, assignment, alerting
EARLY_S = 0.5  # media before the answer that is no race of packets
HOUSE_BLOCK = 0.1  # of the called numbers that a block holds which is the host's own
BUSY = (480, 486, 600, 603)  # what gateways make of a GSM network's failures


def compute(seen: Seen) -> pl.DataFrame:
    """Counts of a host's calls."""
    calls = seen.calls
    sold = calls.filter(~pl.col("own"), pl.col("into") | pl.col("told"))
    return (
        _all(calls)
        .join(_sold(sold), on="host", how="left")
        .join(_most(sold, pl.col("called"), "called_top"), on="host", how="left")
        .join(_blocks(sold), on="host", how="left")
        .join(_most(calls.filter("into"), pl.col("peer"), "peer_top"), on="host", how="left")
        .join(_early(seen), on="host", how="left")
        .join(_admitted(seen), on="host", how="left")
    )


def _all(calls: pl.DataFrame) -> pl.DataFrame:
    into = pl.col("into") & ~pl.col("told")
    out = ~pl.col("into") & ~pl.col("told")
    return calls.group_by("host").agg(
        pl.len().alias("calls"),
        (into | out).sum().alias("calls_signalled"),
        into.sum().alias("calls_in"),
        out.sum().alias("calls_out"),
        (into & pl.col("own")).sum().alias("calls_own"),
        (into & ~pl.col("own")).sum().alias("calls_dialled"),
        pl.col("peer").n_unique().alias("peers"),
        pl.col("start").min().alias("first_call"),
        pl.col("start").max().alias("last_call"),
    )


def _sold(sold: pl.DataFrame) -> pl.DataFrame:
    """Calls in to dialled numbers: what a gateway is there for."""
    delay = (pl.col("ringing_at") - pl.col("start")).dt.total_milliseconds() / 1000
    delay = pl.coalesce("pdd_s", delay)
    answered, status = pl.col("answered_at").is_not_null(), pl.col("status_code")
    failed = ~answered & status.is_not_null() & ~status.is_in([487])  # 487: the caller gave up
    gaps = pl.col("start").sort().diff().dt.total_milliseconds().drop_nulls() / 1000
    return sold.group_by("host").agg(
        pl.len().alias("sold"),
        pl.col("called").n_unique().alias("sold_distinct"),
        answered.sum().alias("sold_answered"),
        delay.count().alias("rung"),
        delay.median().alias("ring_s"),
        (delay.quantile(0.75, "nearest") - delay.quantile(0.25, "nearest")).alias("ring_spread_s"),
        delay.is_between(RING_LEAST_S, RING_MOST_S).sum().alias("rung_as_gsm"),
        failed.sum().alias("failed"),
        (failed & status.is_in(BUSY)).sum().alias("failed_busy"),
        (gaps.std() / gaps.mean()).alias("gap_cv"),
        (pl.col("until") - pl.col("answered_at")).dt.total_seconds().mean().alias("talk_mean_s"),
    )


def _most(calls: pl.DataFrame, what: pl.Expr, name: str) -> pl.DataFrame:
    """The calls of the value that has most."""
    counts = calls.group_by("host", what.alias("value")).len()
    return counts.group_by("host").agg(pl.col("len").max().alias(name))


def _blocks(sold: pl.DataFrame) -> pl.DataFrame:
    """How the distinct called numbers fall into blocks.

    Pairs in one block do not become more likely with more calls, as blocks that are hit do.
    """
    numbers = sold.select("host", "called").drop_nulls().unique()
    blocks = numbers.group_by("host", block=block(pl.col("called"))).agg(
        pl.len().cast(pl.Int64).alias("n")
    )
    n = pl.col("n")
    of_house = (n >= 2) & (n >= HOUSE_BLOCK * n.sum())
    return blocks.group_by("host").agg(
        n.filter(of_house).sum().alias("block_house"),
        (n * (n - 1)).sum().alias("block_pairs"),
        (n.sum() * (n.sum() - 1)).alias("all_pairs"),
    )


def _early(seen: Seen) -> pl.DataFrame:
    """Answered calls whose media the host sent before it answered."""
    first = seen.streams.drop_nulls("call_id").group_by("call_id", host="src").agg(
        pl.col("start").min().alias("media_start")
    )  # fmt: skip
    answered = seen.calls.filter("into", pl.col("answered_at").is_not_null())
    both = answered.join(first, on=["host", "call_id"])
    lead = (pl.col("answered_at") - pl.col("media_start")).dt.total_milliseconds() / 1000
    return both.group_by("host").agg(
        pl.len().alias("with_media"), (lead >= EARLY_S).sum().alias("early_media")
    )


def _admitted(seen: Seen) -> pl.DataFrame:
    """Calls in from hosts that give the host a password: customers of a provider."""
    customers = (
        seen.dialogs.filter(
            (pl.col("method") == "REGISTER") & pl.col("status_code").is_between(200, 299)
            | pl.col("challenged").fill_null(value=False)
        )
        .select(host="dst", peer="src").unique().with_columns(customer=pl.lit(value=True))
    )  # fmt: skip
    into = seen.calls.filter(pl.col("into") & ~pl.col("told"))
    return (
        into.join(customers, on=["host", "peer"], how="left")
        .group_by("host").agg(pl.col("customer").fill_null(value=False).sum().alias("admitted"))
    )  # fmt: skip


VIEW = HostView(
    name="calls",
    doc="Call attempts at a host.",
    columns={
        "calls": "call attempts in which the host is an end",
        "calls_signalled": "those that call signalling shows, not only the device's own report",
        "calls_in": "requests that came to it",
        "calls_out": "requests that it sent",
        "calls_own": "requests that came for one of its accounts or numbers",
        "calls_dialled": "requests that came for another number: to be dialled by it",
        "peers": "distinct ends of its calls",
        "first_call": "start of the first",
        "last_call": "start of the last",
        "sold": "calls to be dialled by it, told by signalling or by itself",
        "sold_distinct": "distinct numbers of them",
        "sold_answered": "those that were answered",
        "rung": "those that rang",
        "ring_s": "median seconds until they rang",
        "ring_spread_s": "seconds between the quartiles of that",
        "rung_as_gsm": "those that rang after 2.5 to 12 s",
        "failed": "those that failed, not given up by the caller",
        "failed_busy": "those that failed with 480, 486, 600 or 603",
        "gap_cv": "variation of the time between their starts",
        "talk_mean_s": "mean conversation, seconds",
        "called_top": "calls to the number called most",
        "block_house": "distinct numbers in blocks of 10,000 that each hold a tenth of them or more",
        "block_pairs": "pairs of distinct numbers in one block of 10,000, each counted twice",
        "all_pairs": "pairs of distinct numbers, each counted twice",
        "peer_top": "calls in from the peer that sent most",
        "admitted": "calls in from hosts that register at it or answer its challenge",
        "with_media": "answered calls in whose media the host sent",
        "early_media": "those whose media began half a second before the answer",
    },
    compute=compute,
)
