"""The nine features of Elmi, Sallehuddin, Ibrahim and Zain (2012-2015), with their two models.

Their support vector machine has a radial kernel, whose cost grows with the square of the lines;
here the kernel is mapped to a few hundred landmarks (Nystroem; Williams and Seeger 2001) under a
linear machine, so that it scales.  Counts are taken an active day, as their records are, and as
logarithms.  About a third of their subscribers were fraudulent; so are those learnt from here.
"""

from __future__ import annotations

import warnings
from typing import Any

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

SOURCE = "Elmi et al. 2012; Sallehuddin et al. 2015"
OTHERS_PER_GATEWAY = 2
LANDMARKS = 300
HIDDEN = (16, 8)
MOST_EPOCHS = 300


def _a_day(count: pl.Expr) -> pl.Expr:
    return count / pl.col("active_days").cast(pl.Float64).clip(lower_bound=1)


_CALLS = pl.col("moc").cast(pl.Float64)
_OUT_HOURS = _CALLS / pl.col("calls_per_active_hour")  # clock hours with an outgoing call
_MINUTES = (pl.col("erlang_active") * _OUT_HOURS * 60).fill_null(0.0)
_NIGHT = pl.col("night_share").fill_null(0.0)
_NUMBERS = pl.col("distinct_ratio").fill_null(0.0)

COLUMNS = (
    Column("calls", "Outgoing calls a day.", _a_day(_CALLS)),
    Column("numbers", "Distinct numbers called a day.", pl.col("distinct_per_day")),
    Column("minutes", "Minutes of outgoing calls a day.", _a_day(_MINUTES)),
    Column("night_calls", "Outgoing calls at night (00:30-05:30) a day.", _a_day(_CALLS * _NIGHT)),
    Column(
        "night_numbers",
        "Distinct numbers called at night a day: night calls by numbers per call at any hour.",
        _a_day(_CALLS * _NIGHT * _NUMBERS),
        nearest=True,
    ),
    Column(
        "night_minutes",
        "Minutes of night calls a day: all minutes by the share of calls made at night.",
        _a_day(_MINUTES * _NIGHT),
        nearest=True,
    ),
    Column("incoming", "Incoming calls a day.", _a_day(pl.col("mtc").cast(pl.Float64))),
    Column("numbers_per_call", "Distinct numbers called over calls.", pl.col("distinct_ratio")),
    Column(
        "mean_minutes",
        "Minutes a call, unanswered ones included.",
        pl.when(_CALLS > 0).then(_MINUTES / _CALLS),
    ),
)


def _prepared(values: Floats) -> Floats:
    """Logarithms of one more than each value; what is not measured is nothing."""
    return np.asarray(np.log1p(np.nan_to_num(values)))


def _fitted(model: Any, training: Training) -> Any:  # noqa: ANN401  # the library has no types
    """A model after a standard scaler, fitted; a limit on rounds that it meets is no news."""
    scaled = learning("pipeline").make_pipeline(learning("preprocessing").StandardScaler(), *model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", learning("exceptions").ConvergenceWarning)
        return scaled.fit(_prepared(training.values), training.gateway)


def _support_vectors(training: Training) -> Score:
    kernel = learning("kernel_approximation").Nystroem(
        kernel="rbf",
        gamma=1 / len(COLUMNS),
        n_components=min(LANDMARKS, len(training.values)),
        random_state=training.seed,
    )
    machine = learning("svm").LinearSVC(dual=False, random_state=training.seed)
    fitted = _fitted((kernel, machine), training)
    return lambda values: np.asarray(fitted.decision_function(_prepared(values)))


def _perceptron(training: Training) -> Score:
    network = learning("neural_network").MLPClassifier(
        HIDDEN, alpha=1e-3, max_iter=MOST_EPOCHS, random_state=training.seed
    )
    fitted = _fitted((network,), training)
    return lambda values: np.asarray(fitted.predict_log_proba(_prepared(values))[:, 1])


COMPARATORS = (
    Comparator(
        name="elmi_svm",
        doc="Nine features of volume, numbers and night, with a support vector machine.",
        source=SOURCE,
        columns=COLUMNS,
        fit=_support_vectors,
        learns="labels",
        others_per_gateway=OTHERS_PER_GATEWAY,
    ),
    Comparator(
        name="elmi_mlp",
        doc="The same nine features with a multilayer perceptron.",
        source=SOURCE,
        columns=COLUMNS,
        fit=_perceptron,
        learns="labels",
        others_per_gateway=OTHERS_PER_GATEWAY,
    ),
)
