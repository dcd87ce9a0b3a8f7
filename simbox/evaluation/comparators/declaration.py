"""How a comparator is declared: the columns that it sees, what it learns from, and its model."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.errors import UsageError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LabelledRun:
    """A run's table of features and what its lines are: columns line and kind (group/name)."""

    features: Path
    labels: pl.DataFrame


@dataclass(frozen=True)
class Column:
    """A published feature as an expression on our table of features; null is not measured."""

    name: str
    doc: str
    expr: pl.Expr
    nearest: bool = False  # our table lacks it; the doc says what stands in its place


@dataclass(frozen=True)
class Shared:
    """Sums over all lines of one key, for keys that more than one line has."""

    key: str
    sums: Mapping[str, pl.Expr]


@dataclass(frozen=True)
class Training:
    """What a model learns from: a row a line, in the order of the lines' names."""

    values: Floats  # [lines, columns]; NaN where not measured
    gateway: npt.NDArray[np.bool_]  # [lines]; all false where it learns without labels
    seed: int


#: Scores of lines, the higher the more a gateway: [lines, columns] to [lines].
Score = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Comparator:
    """A detector that others have published or use."""

    name: str
    doc: str
    source: str
    columns: tuple[Column, ...]
    fit: Callable[[Training], Score]
    learns: Literal["labels", "lines", "nothing"]
    others_per_gateway: int = 1  # in training; the rest of the other lines is not drawn
    shared: Shared | None = field(default=None)


def learning(module: str) -> Any:  # noqa: ANN401  # the library has no types
    """A module of scikit-learn, which nothing else needs.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return importlib.import_module(f"sklearn.{module}")
    except ModuleNotFoundError:
        raise UsageError(
            "comparators: scikit-learn is not installed; pip install 'simbox[train]'"
        ) from None
