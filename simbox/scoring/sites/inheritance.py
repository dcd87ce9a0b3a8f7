"""What a line's site says about the line: one named addend of the line's score.

A line of a gateway's room is a gateway as surely as the room is one and the line belongs to it,
whatever it shows by itself; a line of a call centre inherits what speaks for the centre.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from simbox.config import Scoring, SiteScoring
from simbox.scoring.evidence import micro
from simbox.scoring.lines import Scored
from simbox.scoring.scorecard import MICRO, SITE
from simbox.scoring.verdicts import STATUS, TOTAL, ranked

SEVERAL = 4  # lines from which a site that is cleared speaks for its lines
LEAST = 0.01  # nats that are worth naming


def inherited(
    members: pl.DataFrame, sites: pl.DataFrame, lines: pl.DataFrame, limits: SiteScoring
) -> pl.DataFrame:
    """What each line of a site inherits: line, site, alert (the site is one), micro_nats.

    Let m be how surely a line belongs to the site, s the site's probability and p the line's own:
    the line is a gateway with s m + (1 - s m) p, and the addend brings its score there.  A site
    that is clear by its look-alikes hands those on, times m.

    Args:
        members: line, site, belongs (0 to 1).
        sites: site, status, probability, lines, cleared (nats of look-alikes for it).
        lines: line, score of every line.
        limits: bounds of what is inherited.
    """
    told = members.join(sites, on="site").join(lines.select("line", "score"), on="line")
    sure = told["belongs"].to_numpy() * told["probability"].to_numpy()
    sure = np.minimum(sure, 1 - 1e-9)
    # The difference of both log odds, with 1/p - 1 = exp(-score): exact however sure the line is.
    gain = np.log1p(sure * np.exp(-told["score"].to_numpy())) - np.log1p(-sure)
    status = told["status"].cast(pl.String).to_numpy()
    cleared = (status == "clear") & (told["lines"].to_numpy() >= SEVERAL)
    loss = -told["cleared"].to_numpy() * told["belongs"].to_numpy()
    nats = np.clip(np.where(cleared, loss, gain), -limits.inherited_nats, limits.inherited_nats)
    addend = pl.Series("micro_nats", [micro(v) for v in nats.tolist()], dtype=pl.Float64)
    return told.select(
        "line", "site", alert=pl.col("status").cast(pl.String) == "alert"
    ).with_columns(addend.cast(pl.Int32))


def with_sites(scored: Scored, told: pl.DataFrame, scoring: Scoring, target: Path) -> Scored:
    """The scored lines with what they inherit, ranked again; the contributions are rewritten.

    Args:
        scored: the lines by themselves.
        told: line, site, alert, micro_nats.
        scoring: the limits of the line score.
        target: the Parquet file of the contributions, which is replaced.
    """
    counted = told.filter(pl.col("micro_nats").abs() >= LEAST * MICRO)
    lines = scored.lines.drop("rank").join(told, on="line", how="left", maintain_order="left")
    total = (pl.col("score") * MICRO).round() + pl.col("micro_nats").fill_null(0)
    # divided as the score was: polars divides by a constant through its reciprocal
    score = pl.Series("score", lines.select(total).to_series().to_numpy() / MICRO)
    lines = lines.with_columns(score=pl.when(_named()).then(score).otherwise("score"))
    lines = lines.with_columns(
        probability=pl.when(_named()).then(_sigmoid()).otherwise("probability")
    )
    lines = lines.with_columns(
        status=pl.when(_named()).then(_status(scoring)).otherwise("status"),
        reasons_for=pl.when(_named() & (pl.col("micro_nats") > 0)).then(_reason("reasons_for"))
        .otherwise("reasons_for"),
        reasons_against=pl.when(_named() & (pl.col("micro_nats") < 0))
        .then(_reason("reasons_against")).otherwise("reasons_against"),
    )  # fmt: skip
    _rewrite(target, counted)
    return replace(
        scored,
        lines=ranked(lines.drop("alert", "micro_nats")),
        contributions=pl.scan_parquet(target),
    )


def _named() -> pl.Expr:
    return pl.col("micro_nats").abs().fill_null(0) >= LEAST * MICRO


def _sigmoid() -> pl.Expr:
    return 1.0 / (1.0 + (-pl.col("score")).exp())


def _status(scoring: Scoring) -> pl.Expr:
    """Alert where the site is one, or the line was; lists go on holding."""
    kept = pl.col("status").cast(pl.String)
    grey = pl.col("listed").str.starts_with("grey").fill_null(value=False)
    may = (pl.col("alert") | (kept == "alert")) & ~grey
    told = (
        pl.when(kept == "listed").then(kept)
        .when(may & (pl.col("probability") >= scoring.alert_probability)).then(pl.lit("alert"))
        .when(pl.col("probability") >= scoring.watch_probability).then(pl.lit("watch"))
        .otherwise(pl.lit("clear"))
    )  # fmt: skip
    return told.cast(STATUS)


def _reason(column: str) -> pl.Expr:
    """The site's code in front of the two strongest other reasons."""
    others = pl.col(column).str.split(", ").list.head(2).list.join(", ")
    return pl.when(others == "").then(pl.lit("SITE")).otherwise(pl.format("SITE, {}", others))


def _rewrite(target: Path, counted: pl.DataFrame) -> None:
    if counted.is_empty():
        return
    beside = target.with_name(f".{target.name}")
    addend = counted.select("line", pl.col("micro_nats").alias("_site"))
    whole = pl.scan_parquet(target).join(
        addend.lazy(), on="line", how="left", maintain_order="left"
    )
    whole.with_columns(
        pl.col("_site").alias(SITE), (pl.col(TOTAL) + pl.col("_site").fill_null(0)).alias(TOTAL)
    ).drop("_site").sink_parquet(beside)
    beside.replace(target)
