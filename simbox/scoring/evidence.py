"""The addends of the score of many lines at once, in whole millionths of a nat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.scoring.feature_table import OUTGOING, outgoing
from simbox.scoring.grades import Floats, Knots, SegmentRows, column, grade, zeroed
from simbox.scoring.lookalikes import lookalike_grade
from simbox.scoring.scorecard import HOT_LIST, MICRO, PRIOR, FamilyCard, Scorecard

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Evidence:
    """What speaks for and against each line of a chunk."""

    parts: dict[str, Floats]  # micro-nats of each addend; NaN where it is not measured
    family_grades: dict[str, Floats]  # as far as the family is measured; NaN where it is absent

    @property
    def total(self) -> Integers:
        """The score in micro-nats: the integer sum of the parts that there are."""
        total = np.zeros(len(self.parts[PRIOR]), dtype=np.int64)
        for part in self.parts.values():
            total += zeroed(part).astype(np.int64)
        return total

    def with_hot(self, hot: npt.NDArray[np.bool_], nats: float) -> Evidence:
        """The same with the addend of the lines on a hot list."""
        parts = {**self.parts, HOT_LIST: np.where(hot, micro(nats), np.nan)}
        return Evidence(parts, self.family_grades)


def micro(nats: float) -> float:
    """Nats in whole micro-nats."""
    return float(np.rint(MICRO * nats))


def exposure(frame: pl.DataFrame, n0: float, counted: Sequence[str] = OUTGOING) -> Floats:
    """How much of the behavioural evidence counts: n/(n + n0), 1 when n is not known."""
    sent = outgoing(frame, counted)
    if sent is None:
        return np.ones(frame.height)
    return np.divide(sent, sent + n0, out=np.zeros(frame.height), where=sent > 0)


def evidence(frame: pl.DataFrame, card: Scorecard, knots: Knots) -> Evidence:
    """Every addend of the lines of a frame, lists aside."""
    rows = SegmentRows.of(frame)
    exposed = exposure(frame, card.scoring.exposure_n0, card.counted)
    parts: dict[str, Floats] = {PRIOR: np.full(frame.height, float(card.prior))}
    family_grades = {}
    for family in card.families:
        graded = {
            name: grade(name, column(frame, name), feature, knots, rows)
            for name, feature in family.features.items()
        }
        weight, mean = weighted_mean({name: g.grade for name, g in graded.items()}, family)
        full = np.maximum(weight, card.scoring.full_coverage * family.weight)
        full = np.where(full > 0, full, np.nan)
        counted = exposed if family.exposed else 1.0
        for name, g in graded.items():
            nats = g.evidence(family.compared, family.alone)
            parts[name] = np.rint(MICRO * (family.features[name].weight / full * (counted * nats)))
        family_grades[family.name] = mean * weight / full
    for lookalike, weighed in card.lookalikes:
        held = lookalike_grade(frame, lookalike, weighed)
        parts[lookalike.name] = np.rint(-MICRO * weighed.weight * held)
    for part in card.parts[len(parts) :]:  # lists and the site, which are told later
        parts[part.name] = np.full(frame.height, np.nan)
    return Evidence(parts, family_grades)


def weighted_mean(grades: dict[str, Floats], family: FamilyCard) -> tuple[Floats, Floats]:
    """The weight that is measured, and the mean grade by it: NaN where nothing is."""
    height = len(next(iter(grades.values())))
    weight, total = np.zeros(height), np.zeros(height)
    for name, g in grades.items():
        known = ~np.isnan(g)
        weight += np.where(known, family.features[name].weight, 0.0)
        total += np.where(known, family.features[name].weight * zeroed(g), 0.0)
    return weight, np.divide(total, weight, out=np.full(height, np.nan), where=weight > 0)
