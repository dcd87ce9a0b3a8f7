"""Detectors of the literature on the same features, to stand beside the line score.

Each module declares ``COMPARATORS``.  They are given a fair chance: the published features where
our table has them, preprocessing that suits the model, and a training world of their own.
"""

from __future__ import annotations

import polars as pl

from simbox.errors import UsageError
from simbox.evaluation.comparators.declaration import Comparator, LabelledRun
from simbox.evaluation.comparators.elmi import COMPARATORS as ELMI
from simbox.evaluation.comparators.isolation import COMPARATORS as ISOLATION
from simbox.evaluation.comparators.murynets import COMPARATORS as MURYNETS
from simbox.evaluation.comparators.samples import training_of, values
from simbox.evaluation.comparators.thresholds import COMPARATORS as THRESHOLDS

COMPARATORS: tuple[Comparator, ...] = (*ELMI, *MURYNETS, *THRESHOLDS, *ISOLATION)

__all__ = ["COMPARATORS", "Comparator", "LabelledRun", "compare"]


def compare(test: LabelledRun, train: LabelledRun, seed: int = 0) -> dict[str, pl.DataFrame]:
    """The ranking of every comparator: columns line and score, one row a line of the test.

    Those that learn from labels are trained on ``train``, which is to be another world: of another
    seed and another mix of kinds.  The same runs and seed give the same scores.

    Raises:
        UsageError: both runs are one, or scikit-learn is not installed.
        InputError: a table cannot be read, or the training run lacks gateways or other lines.
    """
    if test.features.resolve() == train.features.resolve():
        raise UsageError(
            f"{train.features.parent}: trained and tested on the same run; give a run of another "
            "world to train on"
        )
    return {one.name: _ranking(one, test, train, seed) for one in COMPARATORS}


def _ranking(
    comparator: Comparator, test: LabelledRun, train: LabelledRun, seed: int
) -> pl.DataFrame:
    score = comparator.fit(training_of(comparator, test, train, seed))
    parts = [
        pl.DataFrame({"line": lines, "score": score(found)})
        for lines, found in values(comparator, test.features)
    ]
    return pl.concat(parts)
