"""Whether a printed probability means what it says: predicted beside observed, band by band."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from simbox.evaluation.curve import Floats
from simbox.evaluation.inputs import RunInput
from simbox.evaluation.intervals import Z
from simbox.evaluation.labels import GATEWAY, group_of

BANDS = 10
FACTOR = 2.0  # a band is calibrated when observed over predicted is within it either way

#: One row is a tenth of the scale of probability.
CALIBRATION: dict[str, pl.DataType | type[pl.DataType]] = {
    "low": pl.Float64,  # the band's ends; the last holds its upper one too
    "high": pl.Float64,
    "gateways": pl.Int64,  # lines as counted, over all worlds
    "others": pl.Int64,
    "predicted": pl.Float64,  # mean probability, lines weighed to the prior; null without lines
    "observed": pl.Float64,  # share of gateways, weighed alike
    "observed_low": pl.Float64,
    "observed_high": pl.Float64,
    "ratio": pl.Float64,  # observed over predicted
}


def calibration(worlds: Sequence[RunInput]) -> pl.DataFrame | None:
    """Predicted and observed shares of gateways in each tenth of the probability.

    A world has far more gateways than the prior that the probabilities are made for, so each
    other line is weighed by ``(1 - prior) / prior * gateways / others``: the weighted world has
    just the prior's share.  Gateways keep the mix of kinds that the world has.  Worlds are
    pooled.  The interval of the observed share is that of its log odds, whose variance is the sum
    of the reciprocal counts of independent gateways and others (half of one added to each).

    Returns:
        A frame of :data:`CALIBRATION`, or none where no world tells probabilities.
    """
    told = [world for world in worlds if world.scored["probability"].count()]
    if not told:
        return None
    sums = pl.concat([_sums(world) for world in told]).group_by("band").agg(pl.all().sum())
    every = pl.DataFrame({"band": range(BANDS)}, schema={"band": pl.Int64})
    return _compared(every.join(sums, on="band", how="left", maintain_order="left").fill_null(0))


def _sums(world: RunInput) -> pl.DataFrame:
    """Of each band: counts and weights of lines, and what was predicted for them, summed."""
    table = world.scored.filter(pl.col("probability").is_not_null())
    table = table.select(
        "probability",
        "site",
        gateway=group_of(pl.col("kind")) == GATEWAY,
        band=(pl.col("probability") * BANDS).floor().cast(pl.Int64).clip(0, BANDS - 1),
    )
    gateways = int(table["gateway"].sum())
    rare = (1 - world.prior) / world.prior
    weight = rare * gateways / max(table.height - gateways, 1)
    is_gateway, other = pl.col("gateway"), ~pl.col("gateway")
    return table.group_by("band").agg(
        gateways=is_gateway.sum().cast(pl.Int64),
        others=other.sum().cast(pl.Int64),
        sites=_independent(is_gateway),
        other_sites=_independent(other),
        weighed=other.sum() * weight,
        hoped=pl.col("probability").filter(is_gateway).sum(),
        feared=pl.col("probability").filter(other).sum() * weight,
    )


def _independent(chosen: pl.Expr) -> pl.Expr:
    """Sites of the chosen lines, and their lines without one."""
    site = pl.col("site").filter(chosen)
    return (site.drop_nulls().n_unique() + site.null_count()).cast(pl.Int64)


def _compared(sums: pl.DataFrame) -> pl.DataFrame:
    gateways, weighed, hoped, feared = (
        sums[name].cast(pl.Float64).to_numpy()
        for name in ("gateways", "weighed", "hoped", "feared")
    )
    predicted, observed = (_ratio(part, gateways + weighed) for part in (hoped + feared, gateways))
    low, high = _interval(sums, observed)
    band = sums["band"].to_numpy()
    columns = {
        "low": band / BANDS,
        "high": (band + 1) / BANDS,
        "gateways": sums["gateways"],
        "others": sums["others"],
        "predicted": predicted,
        "observed": observed,
        "observed_low": low,
        "observed_high": high,
        "ratio": _ratio(observed, predicted),
    }
    return pl.DataFrame(columns, schema=CALIBRATION, nan_to_null=True)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.asarray(np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0))


def _interval(sums: pl.DataFrame, observed: Floats) -> tuple[Floats, Floats]:
    """The interval of the observed shares; NaN where a band has no line."""
    hits, misses = (sums[n].cast(pl.Float64).to_numpy() + 0.5 for n in ("sites", "other_sites"))
    others = sums["others"].to_numpy()
    each = _ratio(sums["weighed"].to_numpy(), others)  # what one other line stands for
    each = np.where(others > 0, each, np.nanmax(each, initial=1.0))
    gateways = sums["gateways"].to_numpy()
    odds = (gateways + 0.5) / ((others + 0.5) * each)
    half = np.exp(Z * np.sqrt(1 / hits + 1 / misses))
    low, high = odds / half, odds * half
    low, high = low / (1 + low), high / (1 + high)
    return np.minimum(low, observed), np.maximum(high, observed)
