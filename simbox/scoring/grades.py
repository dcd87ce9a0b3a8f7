"""Grades from 0 to 1: how far a value stands on the ramp, and how far out in its segment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.config import PER_MILLE

Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.bool_]

WHOLE_RUN = "*"  # the population of every segment together

KNOTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "segment": pl.String,
    "feature": pl.String,
    "lines": pl.UInt32,  # reference lines with a value
    "left_out": pl.UInt32,  # lines that the anchors alone already call gateways
    "knots": pl.List(pl.Float64),  # one value a level, from percentile_low to percentile_high
}


class Anchored(Protocol):
    """Anything with a legitimate and a gateway anchor."""

    @property
    def legit(self) -> float:
        """The value at which suspicion starts."""

    @property
    def gateway(self) -> float:
        """The value at which it is full."""

    @property
    def scale(self) -> str:
        """Linear or log."""


def column(frame: pl.DataFrame, name: str) -> Floats:
    """A column as floats, NaN where it is null, not finite or not there."""
    if name not in frame.columns:
        return np.full(frame.height, np.nan)
    values = frame[name].cast(pl.Float64).to_numpy()
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)


def zeroed(values: Floats) -> Floats:
    """The values with 0 for NaN: what is not measured adds nothing."""
    return np.where(np.isnan(values), 0.0, values)


def ramp(values: Floats, anchors: Anchored) -> Floats:
    """0 at the legitimate anchor and below, 1 at the gateway anchor and beyond; NaN stays."""
    legit, gateway = anchors.legit, anchors.gateway
    between = np.clip(values, min(legit, gateway), max(legit, gateway))
    if anchors.scale == "log":
        along = np.log(between / legit) / np.log(gateway / legit)
    else:
        along = (between - legit) / (gateway - legit)
    return np.asarray(along + 0.0)  # no minus zero


def sign(anchors: Anchored) -> float:
    """1 when high values are suspicious, -1 when low ones are."""
    return 1.0 if anchors.gateway > anchors.legit else -1.0


def quantile_knots(values: Floats, anchors: Anchored, levels: range) -> Floats:
    """The values at given thousandths of a population, ordered from ordinary to suspicious.

    The value at a level is the least suspicious one that at least this share of the population
    does not exceed: an observed value, never a mean of two.
    """
    ordered = np.sort(values * sign(anchors))
    ranks = [-(-level * len(ordered) // PER_MILLE) for level in levels]  # rounded up
    return np.asarray(ordered[np.maximum(ranks, 1) - 1] * sign(anchors))


def tail(values: Floats, anchors: Anchored, knots: Floats | None) -> Floats:
    """Share of the knots that are strictly less suspicious than a value; NaN stays.

    Without a population to compare with it is 1: the ramp decides alone.
    """
    if knots is None:
        return np.where(np.isnan(values), np.nan, 1.0)
    below = np.searchsorted(knots * sign(anchors), values * sign(anchors), side="left")
    return np.where(np.isnan(values), np.nan, below / len(knots))


@dataclass(frozen=True)
class Knots:
    """The suspicious side of every feature's distribution, a segment at a time."""

    frame: pl.DataFrame

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], Floats]:
        rows = self.frame.select("segment", "feature", "knots").iter_rows()
        return {(segment, feature): np.asarray(knots) for segment, feature, knots in rows}

    @cached_property
    def segments(self) -> frozenset[str]:
        """The segments with percentiles of their own."""
        return frozenset(self.frame["segment"].unique()) - {WHOLE_RUN}

    @property
    def empty(self) -> bool:
        """There is no population to compare with."""
        return self.frame.height == 0

    def of(self, segment: str, feature: str) -> Floats | None:
        """The knots that a segment's lines are compared with: its own, or the whole run's."""
        own = self._by_key.get((segment, feature))
        return self._by_key.get((WHOLE_RUN, feature)) if own is None else own

    def basis(self, segment: str) -> str:
        """What a segment's lines are compared with: segment, run or none."""
        if segment in self.segments:
            return "segment"
        return "none" if self.empty else "run"


NO_KNOTS = Knots(pl.DataFrame(schema=KNOTS))


@dataclass(frozen=True)
class SegmentRows:
    """Which rows of a chunk are in which segment."""

    masks: tuple[tuple[str, Masks], ...]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> SegmentRows:
        """The segments of a chunk; one for all of them when it names none."""
        if "segment" not in frame.columns:
            return cls(((WHOLE_RUN, np.ones(frame.height, dtype=bool)),))
        segment = frame["segment"].cast(pl.String).fill_null(WHOLE_RUN)
        names = segment.unique().sort()
        return cls(tuple((name, (segment == name).to_numpy()) for name in names))


@dataclass(frozen=True)
class Grade:
    """How suspicious a value is by its anchors alone, and against its segment as well.

    The grade is the smaller of ramp and tail: neither a clean network's top nor a country's habit
    fires.  What the ramp has and the tail lacks is neither for nor against: a value that half of
    a country shares with gateways tells nothing.
    """

    ramp: Floats
    grade: Floats
    alone: Masks  # there is no population to compare with

    def evidence(self, compared: tuple[float, float], alone: tuple[float, float]) -> Floats:
        """Nats: at grade 1 as far as the grade goes, at grade 0 as far as the ramp falls short."""
        hit, miss = (np.where(self.alone, a, c) for a, c in zip(alone, compared, strict=True))
        return np.asarray(self.grade * hit + (1.0 - self.ramp) * miss)


def grade(name: str, values: Floats, anchors: Anchored, knots: Knots, rows: SegmentRows) -> Grade:
    """The grade of each value of a feature; NaN where it is not measured."""
    ramps = ramp(values, anchors)
    tails = np.full(len(values), np.nan)
    alone = np.zeros(len(values), dtype=bool)
    for segment, mask in rows.masks:
        reference = knots.of(segment, name)
        tails[mask] = tail(values[mask], anchors, reference)
        alone[mask] = reference is None
    return Grade(ramps, np.minimum(ramps, tails), alone)
