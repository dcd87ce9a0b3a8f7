"""An isolation forest (Liu, Ting and Zhou 2008) on every raw column: what is rare, whichever way.

It knows neither direction nor labels, and learns from lines of the world that it is tested on.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simbox.evaluation.comparators.declaration import (
    Column,
    Comparator,
    Floats,
    Score,
    Training,
    learning,
)
from simbox.features import features

TREES = 200
COUNTS = ("events", "moc", "mtc", "sms_mo", "sms_mt", "active_days")

COLUMNS = (
    *(Column(name, f"The column {name}.", pl.col(name)) for name in COUNTS),
    *(Column(name, feature.doc, pl.col(name)) for name, feature in features().items()),
)


def _isolation(training: Training) -> Score:
    medians = _medians(training.values)
    forest = learning("ensemble").IsolationForest(n_estimators=TREES, random_state=training.seed)
    forest.fit(_filled(training.values, medians))
    return lambda values: np.asarray(-forest.score_samples(_filled(values, medians)))


def _medians(values: Floats) -> Floats:
    """The median of each column where it is measured, 0 where it never is."""
    found = pl.DataFrame(values).fill_nan(None).median().fill_null(0.0)
    return np.asarray(found.row(0), dtype=np.float64)


def _filled(values: Floats, medians: Floats) -> Floats:
    return np.where(np.isnan(values), medians, values)


COMPARATORS = (
    Comparator(
        name="isolation_forest",
        doc="Undirected anomaly detection on all raw columns.",
        source="Liu et al. 2008",
        columns=COLUMNS,
        fit=_isolation,
        learns="lines",
    ),
)
