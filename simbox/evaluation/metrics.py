"""How well a ranking of lines finds gateways, at the prevalence that carriers really have.

Everything rests on one count: how many non-gateway lines score at least as high as each gateway.
Ties are broken against the ranking: of lines with one score the gateways come last, and a
threshold that would let in too many other lines stands above all of its ties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from simbox.errors import InputError
from simbox.evaluation.curve import (
    Curve,
    Floats,
    Integers,
    Ranking,
    average_precision,
    precision_at,
    recall_at,
)
from simbox.evaluation.intervals import (
    Clustered,
    Estimate,
    over_seeds,
    percentile_interval,
    wilson,
)
from simbox.evaluation.labels import GATEWAY, ORDINARY, group_of

FPRS = ("1e-4", "1e-3", "1e-2")
TOPS = (10, 50, 100, 500)
PREVALENCES = ("1e-3", "1e-4")
ALERT, WATCH = "alert", "watch"  # watch stands for watch or alert

#: Every figure of a ranking as a whole.
FIGURES: Mapping[str, Callable[[Curve], Floats]] = {
    "average_precision": average_precision,
    **{f"recall_at_fpr_{rate}": recall_at(float(rate)) for rate in FPRS},
    **{
        f"precision_at_{top}_prevalence_{share}": precision_at(top, float(share))
        for share in PREVALENCES
        for top in TOPS
    },
}


@dataclass(frozen=True)
class KindFigures:
    """How many lines of one kind are found, at each threshold.

    ``found`` holds ``fpr_1e-4``, ``fpr_1e-3`` and ``fpr_1e-2``, and with statuses also ``alert``
    and ``watch`` (watch or alert).  Of a gateway kind it is the recall, of others false alerts.
    """

    kind: str
    lines: int  # labelled so, whether or not the run has them
    absent: int  # of those, not in the run: gateways among them are missed, others not counted
    found: Mapping[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class Metrics:
    """The figures of one ranking, or their means over several worlds.

    ``figures`` holds ``average_precision``, ``recall_at_fpr_1e-4`` and so on, and
    ``precision_at_100_prevalence_1e-4`` and so on.
    """

    figures: Mapping[str, Estimate]
    kinds: tuple[KindFigures, ...]
    gateways: int  # labelled; sums over the worlds, as all counts are
    absent: int  # gateways that the run does not have
    others: int  # non-gateway lines in the run: what false positive rates are shares of
    seeds: int = 1


def measure(scored: pl.DataFrame) -> Metrics:
    """The figures of a ranking.

    Args:
        scored: a row a line: ``line`` (String), ``score`` (Float64, higher is more suspicious;
            null for a labelled line that the ranking does not have), ``probability`` (Float64 or
            null), ``status`` (String or null), ``kind`` (String, group/name), ``site`` (String or
            null).

    Raises:
        InputError: there is no gateway, or no other line in the run.
    """
    table = _numbered(scored)
    gateways = table.filter("gateway").sort("score", "site", descending=[True, False])
    others = table.filter(~pl.col("gateway") & pl.col("score").is_not_null())
    if gateways.is_empty():
        raise InputError("labels: no gateway among them; label some lines as gateways")
    if others.is_empty():
        raise InputError("labels: nothing but gateways in the run; add its other lines")
    ranking = Ranking.of(_columns(gateways), _columns(others))
    return Metrics(
        figures=_figures(ranking),
        kinds=_kinds(table, _thresholds(others["score"].to_numpy())),
        gateways=gateways.height,
        absent=gateways["score"].null_count(),
        others=others.height,
    )


def mean_of(worlds: Sequence[Metrics]) -> Metrics:
    """The means of the figures over worlds, with Student's intervals; counts are sums."""
    if len(worlds) == 1:
        return worlds[0]
    kinds = sorted({kind.kind for world in worlds for kind in world.kinds})
    return Metrics(
        figures={n: over_seeds([world.figures[n] for world in worlds]) for n in FIGURES},
        kinds=tuple(_mean_kind(kind, worlds) for kind in kinds),
        gateways=sum(world.gateways for world in worlds),
        absent=sum(world.absent for world in worlds),
        others=sum(world.others for world in worlds),
        seeds=len(worlds),
    )


def _mean_kind(name: str, worlds: Sequence[Metrics]) -> KindFigures:
    kinds = [kind for world in worlds for kind in world.kinds if kind.kind == name]
    thresholds = dict.fromkeys(threshold for kind in kinds for threshold in kind.found)
    return KindFigures(
        name,
        sum(kind.lines for kind in kinds),
        sum(kind.absent for kind in kinds),
        {t: over_seeds([kind.found[t] for kind in kinds if t in kind.found]) for t in thresholds},
    )


def _numbered(scored: pl.DataFrame) -> pl.DataFrame:
    """Scores and kinds, with sites as numbers, -1 for none.

    Ordinary lines stand alone: what ties a household together is not what makes lines suspicious.
    """
    kind = pl.col("kind").fill_null("")
    tied = (pl.col("site") != "") & (group_of(kind) != ORDINARY)
    site = pl.when(tied).then("site")
    return scored.select(
        pl.col("score").cast(pl.Float64).fill_nan(None),
        pl.col("status").cast(pl.String),
        kind.alias("kind"),
        (group_of(kind) == GATEWAY).alias("gateway"),
        (site.rank("dense").cast(pl.Int64) - 1).fill_null(-1).alias("site"),
    )


def _columns(table: pl.DataFrame) -> tuple[Floats, Integers]:
    """Scores and sites; a gateway without a site is a site of its own."""
    scores, sites = table["score"].to_numpy(), table["site"].to_numpy().copy()
    if table["gateway"][0]:
        alone = np.flatnonzero(sites < 0)
        sites[alone] = sites.max(initial=-1) + 1 + np.arange(len(alone))
    return scores, sites


def _figures(ranking: Ranking) -> dict[str, Estimate]:
    """Every figure with the interval that resampling by site gives."""
    told = {name: float(figure(ranking.curve)[0]) for name, figure in FIGURES.items()}
    sites = len(np.unique(ranking.clusters))
    if sites < 2:  # nothing to resample
        return {name: Estimate(value) for name, value in told.items()}
    drawn: dict[str, list[Floats]] = {name: [] for name in FIGURES}
    for curve in ranking.resampled():
        some = curve.total[:, 0] > 0  # a world without gateways tells nothing
        for name, figure in FIGURES.items():
            drawn[name].append(figure(curve)[some])
    return {name: _interval(told[name], np.concatenate(drawn[name]), sites) for name in FIGURES}


def _interval(value: float, resampled: Floats, sites: int) -> Estimate:
    """The interval of resampling; at 0 or 1 in every resampled world, that of a share of sites."""
    if value in {0.0, 1.0} and (resampled == value).all():
        return wilson(value, sites)
    return percentile_interval(value, resampled)


def _thresholds(others: Floats) -> dict[str, float]:
    """For each false positive rate the score above which lines are found."""
    scores = {}
    for rate in FPRS:
        allowed = int(np.floor(float(rate) * len(others) * (1 + 1e-12)))
        at = len(others) - 1 - allowed
        scores[f"fpr_{rate}"] = float(np.partition(others, at)[at])
    return scores


def _kinds(table: pl.DataFrame, thresholds: Mapping[str, float]) -> tuple[KindFigures, ...]:
    """The share of each kind that is found at each threshold."""
    found = [(pl.col("score") > score).alias(name) for name, score in thresholds.items()]
    if table["status"].null_count() < table.height:
        found.append((pl.col("status") == ALERT).alias(ALERT))
        found.append(pl.col("status").is_in([ALERT, WATCH]).alias(WATCH))
    names = [expression.meta.output_name() for expression in found]
    counted = table.filter(pl.col("gateway") | pl.col("score").is_not_null())
    hits = [e.fill_null(value=False).sum() for e in found]
    alone = counted.filter(pl.col("site") < 0).group_by("kind").agg(pl.len(), *hits)
    sited = counted.filter(pl.col("site") >= 0).group_by("kind", "site").agg(pl.len(), *hits)
    labelled = table.group_by("kind").agg(pl.len(), absent=pl.col("score").null_count())
    return tuple(
        KindFigures(kind, lines, absent, _shares(alone, sited, kind, names))
        for kind, lines, absent in labelled.sort("kind").iter_rows()
    )


def _shares(
    alone: pl.DataFrame, sited: pl.DataFrame, kind: str, names: Sequence[str]
) -> dict[str, Estimate]:
    """The shares of one kind, over its lines without a site and its sites."""
    single = next(alone.filter(pl.col("kind") == kind).iter_rows(named=True), None)
    sites = sited.filter(pl.col("kind") == kind)
    sizes = sites["len"].cast(pl.Int64).to_numpy()
    lone = single["len"] if single else 0
    shares = {}
    for name in names:
        hits, hit = sites[name].cast(pl.Int64).to_numpy(), single[name] if single else 0
        total, found = lone + int(sizes.sum()), hit + int(hits.sum())
        shares[name] = Clustered(total, found, lone, hit, sizes, hits).estimate()
    return shares
