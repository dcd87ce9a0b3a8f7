"""How well sites are found: figures over the true gateway sites of all worlds together.

A room is what is counted, so the shares of rooms have Wilson's interval over rooms, means over
rooms Student's, and shares of their days one by Kish's design effect.  False sites are rare
events: their rate has the score interval of a Poisson count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
import polars as pl

from simbox.evaluation.intervals import UNKNOWN, Clustered, Estimate, Z, over_seeds, wilson
from simbox.evaluation.labels import GATEWAY
from simbox.evaluation.metrics import ALERT, WATCH, Metrics
from simbox.evaluation.sites import SiteWorld
from simbox.evaluation.sites_delay import SiteDelay

ALL = "all"
RANKED = "ranked"  # at the score that lets in as many false sites as are allowed
PER_LINE_DAYS = 100_000
ALLOWED = 1.0  # false sites for so many lines and days
PORTS_OFF = 0.25  # of the true ports
MINUTES_OFF = 15.0
LINE_RATE = "fpr_1e-4"
QUANTILES = {"p10": 0.1, "median": 0.5, "p90": 0.9}


@dataclass(frozen=True)
class SiteKind:
    """The true sites of one gateway kind, and how they were found."""

    kind: str
    sites: int
    matched: int  # for which a found site stands, whatever its status
    split: int  # for which several do
    recall: Mapping[str, Estimate]  # alert, watch (or alert), ranked
    precision: Estimate  # of members of a match, mean over matched sites
    reached: Estimate  # share of a matched site's calling lines that its match has, mean alike
    ports: Estimate  # share of matches with ports within a quarter of the truth
    port_ratio: Mapping[str, float | None]  # found over true, quantiles over matches
    starts: Estimate  # share of days whose shift is found to begin within 15 minutes
    ends: Estimate
    start_minutes: Mapping[str, float | None]  # late by, quantiles over days on which it was found
    end_minutes: Mapping[str, float | None]  # longer by


@dataclass(frozen=True)
class FalseKind:
    """Alerting sites of which less than half are gateways, by what most of their members are."""

    kind: str
    sites: int
    worlds: int  # that have one
    rate: Estimate  # for 100,000 lines and day


@dataclass(frozen=True)
class SiteFigures:
    """Everything that is told about sites."""

    kinds: tuple[SiteKind, ...]  # all of them first
    false: tuple[FalseKind, ...]  # all of them first
    line_days: float
    worlds: int
    alerts: int
    mixed: int  # alerting sites, half gateways or more, that stand for no true site
    small: int  # true sites that were left out: fewer than two of their lines call
    told: bool  # whether the truth tells ports and shifts
    line_recall: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    delays: tuple[SiteDelay, ...] = ()  # where runs were replayed by hour; all of them first


def site_figures(worlds: Sequence[SiteWorld]) -> SiteFigures:
    """The figures of all worlds together."""
    numbered = list(enumerate(worlds))
    rooms, found, days = (
        pl.concat(table.with_columns(world=pl.lit(n, pl.UInt32)) for n, table in tables)
        for tables in (
            [(n, world.rooms) for n, world in numbered],
            [(n, world.found) for n, world in numbered],
            [(n, world.days) for n, world in numbered],
        )
    )
    line_days = sum(world.line_days for world in worlds)
    rooms = rooms.with_columns(_ranked(rooms, found, line_days))
    kinds = [ALL, *rooms["kind"].unique().sort()]
    alerts = found.filter(pl.col("status") == ALERT)
    mixed = (2 * pl.col("gateways") >= pl.col("lines")) & pl.col("room").is_null()
    return SiteFigures(
        kinds=tuple(_kind(kind, _of(rooms, kind), _of(days, kind)) for kind in kinds),
        false=tuple(_false(alerts, line_days)),
        line_days=line_days,
        worlds=len(worlds),
        alerts=alerts.height,
        mixed=alerts.filter(mixed).height,
        small=sum(world.small for world in worlds),
        told=any(world.told for world in worlds),
    )


def _of(table: pl.DataFrame, kind: str) -> pl.DataFrame:
    return table if kind == ALL else table.filter(pl.col("kind") == kind)


def _is_false() -> pl.Expr:
    return 2 * pl.col("gateways") < pl.col("lines")


def _ranked(rooms: pl.DataFrame, found: pl.DataFrame, line_days: float) -> pl.Series:
    """Whether so few false sites score as high as each true one's match that they are allowed."""
    allowed = int(ALLOWED * line_days / PER_LINE_DAYS * (1 + 1e-12))
    false = found.filter(_is_false())["score"].sort().to_numpy()
    score = rooms["score"].fill_null(-np.inf).to_numpy()
    above = len(false) - np.searchsorted(false, score, side="left")
    return pl.Series(RANKED, (above <= allowed) & np.isfinite(score))


def _kind(kind: str, rooms: pl.DataFrame, days: pl.DataFrame) -> SiteKind:
    matched = rooms.filter(pl.col("site").is_not_null())
    status = rooms["status"]
    hits = {
        ALERT: status == ALERT,
        WATCH: status.is_in([ALERT, WATCH]),
        RANKED: rooms[RANKED],
    }
    ratio = matched.filter(pl.col("true_ports") > 0).select(pl.col("ports") / pl.col("true_ports"))
    ratios = ratio.to_series()
    near = (ratios - 1).abs() <= PORTS_OFF
    return SiteKind(
        kind=kind,
        sites=rooms.height,
        matched=matched.height,
        split=rooms.filter(pl.col("parts") > 1).height,
        recall={name: _share(hit) for name, hit in hits.items()},
        precision=_mean(matched["inside"] / matched["lines"]),
        reached=_mean(matched.select(_reached()).to_series()),
        ports=_share(near),
        port_ratio=_quantiles(ratios),
        starts=_on_time(days.filter("opens"), "late"),
        ends=_on_time(days.filter("closes"), "longer"),
        start_minutes=_quantiles(days.filter("opens")["late"]),
        end_minutes=_quantiles(days.filter("closes")["longer"]),
    )


def _quantiles(values: pl.Series) -> dict[str, float | None]:
    return {name: values.quantile(level, "linear") for name, level in QUANTILES.items()}


def _reached() -> pl.Expr:
    """The share of a room's calling lines among the members of its match."""
    return (pl.col("inside") / pl.col("callers")).clip(0, 1)


def _share(hit: pl.Series) -> Estimate:
    """A share of rooms."""
    return wilson(int(hit.sum()) / len(hit), len(hit)) if len(hit) else UNKNOWN


def _mean(values: pl.Series) -> Estimate:
    """A mean over rooms; where all are alike, as sure as a share of as many is."""
    if values.n_unique() == 1:
        return wilson(float(values[0]), len(values))
    return over_seeds([Estimate(value) for value in values.to_list()])


def _on_time(days: pl.DataFrame, name: str) -> Estimate:
    """The share of days that are near enough, one on which nothing was found not being so."""
    near = (pl.col(name).abs() <= MINUTES_OFF).fill_null(value=False)
    each = days.group_by("world", "room", maintain_order=True).agg(pl.len(), hits=near.sum())
    sizes, hits = (each[c].cast(pl.Int64).to_numpy() for c in ("len", "hits"))
    return Clustered(int(sizes.sum()), int(hits.sum()), 0, 0, sizes, hits).estimate()


def _false(alerts: pl.DataFrame, line_days: float) -> Iterator[FalseKind]:
    false = alerts.filter(_is_false())
    for kind in (ALL, *false["kind"].unique().sort()):
        held = _of(false, kind)
        rate = poisson(held.height, line_days / PER_LINE_DAYS)
        yield FalseKind(kind, held.height, held["world"].n_unique(), rate)


def poisson(count: int, exposure: float) -> Estimate:
    """The rate of rare events with its score interval, which says something of none at all."""
    if exposure <= 0:
        return UNKNOWN
    middle, half = count + Z**2 / 2, Z * sqrt(count + Z**2 / 4)
    low = max(middle - half, 0.0) if count else 0.0
    return Estimate(count / exposure, low / exposure, (middle + half) / exposure)


def line_recall(joined: Metrics, alone: Metrics) -> dict[str, dict[str, Estimate]]:
    """Recall of gateway lines at a false positive rate of 1e-4, with and without their sites."""
    told = {ALL: {n: m.figures[f"recall_at_{LINE_RATE}"] for n, m in _both(joined, alone)}}
    for name, metrics in _both(joined, alone):
        for kind in metrics.kinds:
            if kind.kind.split("/")[0] == GATEWAY:
                told.setdefault(kind.kind, {})[name] = kind.found[LINE_RATE]
    return told


def _both(joined: Metrics, alone: Metrics) -> tuple[tuple[str, Metrics], tuple[str, Metrics]]:
    return ("with", joined), ("alone", alone)
