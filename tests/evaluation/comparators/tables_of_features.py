"""Tables of features and labels for comparators: gateways that stand apart, and ordinary lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from simbox.evaluation.comparators import LabelledRun
from simbox.features import features

COUNTS = ("events", "moc", "mtc", "sms_mo", "sms_mt")


def rows(**columns: object) -> pl.DataFrame:
    """A table of features with what is given; everything else is not measured."""
    given = pl.DataFrame(columns)
    absent = {
        **dict.fromkeys((*COUNTS, "active_days"), pl.lit(0, pl.UInt32)),
        **dict.fromkeys(features(), pl.lit(None, pl.Float64)),
        "line": pl.lit("0"),
        "top_imei": pl.lit(None, pl.String),
    }
    return given.with_columns(e.alias(n) for n, e in absent.items() if n not in given.columns)


def world(seed: int, gateways: int = 60, others: int = 1_200) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Features and labels: gateways only call out, to ever new numbers, from one cell."""
    rng = np.random.default_rng([seed, 7])
    count = gateways + others
    bad = np.arange(count) < gateways
    calls = np.where(bad, rng.poisson(400, count), rng.poisson(20, count) + 1)
    table = rows(
        line=[f"99913{seed:02d}{n:06d}" for n in range(count)],
        moc=calls,
        mtc=np.where(bad, 0, rng.poisson(18, count)),
        sms_mt=np.where(bad, 0, rng.poisson(10, count)),
        active_days=np.full(count, 7),
        out_share=np.where(bad, 1.0, rng.uniform(0.2, 0.8, count)),
        distinct_ratio=np.where(bad, rng.uniform(0.9, 1.0, count), rng.uniform(0.1, 0.6, count)),
        distinct_per_day=np.where(bad, 50.0, rng.uniform(1.0, 6.0, count)),
        calls_per_active_hour=np.where(bad, 8.0, 1.5),
        erlang_active=np.where(bad, 0.5, rng.uniform(0.0, 0.1, count)),
        night_share=rng.uniform(0.0, 0.1, count),
        mean_duration=rng.uniform(30.0, 200.0, count),
        distinct_cells=np.where(bad, 1.0, rng.integers(2, 12, count)),
        sims_per_imei=np.where(bad, 4.0, 1.0),
        top_imei=[f"0010010000{n // 4 if n < gateways else n:04d}" for n in range(count)],
    )
    kind = np.where(bad, "gateway/classic", "ordinary/person")
    return table, pl.DataFrame({"line": table["line"], "kind": kind})


def run(folder: Path, table: pl.DataFrame, labels: pl.DataFrame) -> LabelledRun:
    folder.mkdir(parents=True, exist_ok=True)
    table.write_parquet(folder / "features.parquet")
    return LabelledRun(folder / "features.parquet", labels)


def shuffled(labels: pl.DataFrame, seed: int) -> pl.DataFrame:
    kinds = np.random.default_rng(seed).permutation(labels["kind"].to_numpy())
    return labels.with_columns(kind=pl.Series(kinds))


def area(ranking: pl.DataFrame, labels: pl.DataFrame) -> float:
    """The share of pairs of a gateway and another line that the score puts right, ties by half."""
    both = ranking.join(labels, on="line", validate="1:1")
    both = both.with_columns(pl.col("score").rank("average"))
    bad = both["kind"].str.starts_with("gateway")
    gateways, others = int(bad.sum()), int((~bad).sum())
    ranks = float(both.filter(bad)["score"].sum())
    return (ranks - gateways * (gateways + 1) / 2) / (gateways * others)
