"""How a signal is declared: once, as a sentence, a unit, a source and one expression.

A *view* measures every line of a bucket in one pass over its sorted events and returns integer or
float columns, one element a line.  A *feature* is a polars expression on those columns.  Both are
found by walking the modules beside this one; nothing else needs to know them.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.errors import SimboxError, did_you_mean
from simbox.features.context import Context
from simbox.features.events import Events

Measures = dict[str, npt.NDArray[Any]]
Direction = Literal["high", "low", "none"]

#: What a feed must be able to show before a feature on it is anything but null.
ABILITIES: Mapping[str, str] = {
    "incoming": "the feed has incoming calls",
    "attempts": "the feed has unanswered outgoing calls",
    "offered": "the feed has unanswered incoming calls",
    "sms": "the feed has texts received",
    "sms_out": "the feed has texts sent",
    "causes": "the feed has release causes",
}


@dataclass(frozen=True)
class View:
    """A named pass over the events of a bucket and the columns that it yields."""

    name: str
    doc: str
    columns: Mapping[str, str]
    compute: Callable[[Events, Context], Measures]


@dataclass(frozen=True)
class Feature:
    """One measured number about a line.

    ``expr`` reads columns of the views; a null result means *not measured*.  ``suspicious`` is the
    direction that a gateway moves it in; ``none`` is shown but not scored.  ``needs`` names
    abilities of the feed (:data:`ABILITIES`) without which the number would say nothing.
    """

    name: str
    family: str
    unit: str
    doc: str
    source: str
    suspicious: Direction
    expr: pl.Expr
    needs: tuple[str, ...] = ()

    def expression(self) -> pl.Expr:
        """The expression as computed: null without the abilities, else a float."""
        value = self.expr.cast(pl.Float64)
        if self.needs:
            able = pl.all_horizontal(pl.col(f"can_{need}") for need in self.needs)
            value = pl.when(able).then(value)
        return value.fill_nan(None).alias(self.name)


def ratio(numerator: pl.Expr | str, denominator: pl.Expr | str) -> pl.Expr:
    """Numerator over denominator; null where the denominator is zero."""
    top = pl.col(numerator) if isinstance(numerator, str) else numerator
    bottom = pl.col(denominator) if isinstance(denominator, str) else denominator
    return pl.when(bottom > 0).then(top / bottom)


@cache
def views() -> tuple[View, ...]:
    """All views, from the modules of ``features/views``, in the order of their names."""
    found = declared("simbox.features.views", "VIEW")
    return tuple(sorted(found, key=lambda view: view.name))


@cache
def features() -> Mapping[str, Feature]:
    """All features by name, family by family, each checked against the columns of the views.

    Raises:
        SimboxError: a name is given twice, or an expression reads a column that no view has.
    """
    known = set(COMMON)
    for view in views():
        known |= set(view.columns)
    return collect("simbox.features.families", known)


def collect(package: str, known: Iterable[str]) -> Mapping[str, Feature]:
    """The features that the modules of a package declare, each over known columns.

    Raises:
        SimboxError: a name is given twice, or an expression reads a column that no view has.
    """
    found: dict[str, Feature] = {}
    for module in _modules(package):
        for feature in module.FEATURES:
            _check(feature, found, known)
            found[feature.name] = feature
    return found


#: Columns that the engine adds to those of the views.
COMMON = {
    **{f"can_{name}": doc for name, doc in ABILITIES.items()},
    "window_days": "days from the first to the last event of the data",
}


def _check(feature: Feature, found: Mapping[str, Feature], known: Iterable[str]) -> None:
    if feature.name in found:
        raise SimboxError(f"feature {feature.name} is declared twice")
    for need in feature.needs:
        if need not in ABILITIES:
            raise SimboxError(
                f"feature {feature.name} needs '{need}', which no feed declares."
                f"{did_you_mean(need, ABILITIES)}"
            )
    for column in feature.expr.meta.root_names():
        if column not in known:
            raise SimboxError(
                f"feature {feature.name} reads '{column}', which no view has."
                f"{did_you_mean(column, known)}"
            )


def declared(package_name: str, name: str) -> list[Any]:
    """What the modules of a package declare under a name, those that do."""
    return [getattr(m, name) for m in _modules(package_name) if hasattr(m, name)]


def _modules(package_name: str) -> list[Any]:
    package = importlib.import_module(package_name)
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package_name}.{name}") for name in names]


def nan_where(mask: npt.NDArray[np.bool_], values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Values as floats, NaN (which a feature reads as null) where the mask holds."""
    return np.where(mask, np.nan, values.astype(np.float64))
