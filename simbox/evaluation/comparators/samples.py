"""The lines that a comparator learns from, and those that it scores, a slice at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from simbox.errors import InputError
from simbox.evaluation.comparators.declaration import Comparator, Floats, LabelledRun, Training
from simbox.evaluation.labels import GATEWAY, group_of
from simbox.scoring import FeatureTable

MOST_TRAINED = 40_000  # lines that a model learns from, at most
SLICE_ROWS = 20_000  # lines scored at once: a kernel map of them takes 50 MB


def training_of(
    comparator: Comparator, test: LabelledRun, train: LabelledRun, seed: int
) -> Training:
    """What a comparator learns from: labelled lines of the one run, or any lines of the other.

    Raises:
        InputError: the training run has no gateway, or nothing else.
    """
    if comparator.learns == "nothing":
        return Training(np.zeros((0, len(comparator.columns))), np.zeros(0, dtype=bool), seed)
    rng = np.random.default_rng(seed)
    if comparator.learns == "lines":
        drawn = _draw(_lines(test.features), MOST_TRAINED, rng)
        return Training(_of(comparator, test.features, drawn), np.zeros(len(drawn), bool), seed)
    drawn, gateways = _labelled(comparator, train, rng)
    gateway = drawn.is_in(gateways.implode()).to_numpy()
    return Training(_of(comparator, train.features, drawn), gateway, seed)


def values(comparator: Comparator, features: Path) -> Iterator[tuple[pl.Series, Floats]]:
    """The lines of a table and what a comparator sees of them, slice after slice in its order."""
    table, sums = FeatureTable.of(features), _sums(comparator, features)
    for chunk in table.chunks(_needed(comparator)):
        for part in chunk.iter_slices(SLICE_ROWS):
            yield part["line"].cast(pl.String), _matrix(comparator, part, sums)


def _labelled(
    comparator: Comparator, train: LabelledRun, rng: np.random.Generator
) -> tuple[pl.Series, pl.Series]:
    """Lines drawn for training, ascending, and the gateways among them."""
    kinds = train.labels.select("line", is_gateway=group_of(pl.col("kind")) == GATEWAY)
    kinds = kinds.filter(pl.col("line").is_in(_lines(train.features).implode())).unique("line")
    gateways = kinds.filter("is_gateway")["line"].sort()
    others = kinds.filter(~pl.col("is_gateway"))["line"].sort()
    for group, found in (("gateway", gateways), ("other line", others)):
        if found.is_empty():
            raise InputError(
                f"{train.features.parent}: no {group} with a label to train on; give another run"
            )
    share = comparator.others_per_gateway
    gateways = _draw(gateways, MOST_TRAINED // (1 + share), rng)
    others = _draw(others, len(gateways) * share, rng)
    return pl.concat([gateways, others]).sort(), gateways


def _lines(features: Path) -> pl.Series:
    return FeatureTable.of(features).take("line")["line"].cast(pl.String).sort()


def _draw(lines: pl.Series, most: int, rng: np.random.Generator) -> pl.Series:
    """So many of some ordered lines at most, still in order."""
    if len(lines) <= most:
        return lines
    return lines[np.sort(rng.choice(len(lines), most, replace=False))]


def _needed(comparator: Comparator) -> list[str]:
    """The columns of our table that a comparator reads."""
    names = [name for column in comparator.columns for name in column.expr.meta.root_names()]
    if comparator.shared:
        names.append(comparator.shared.key)
        names += [n for e in comparator.shared.sums.values() for n in e.meta.root_names()]
    made = comparator.shared.sums if comparator.shared else {}
    return list(dict.fromkeys(["line", *(name for name in names if name not in made)]))


def _of(comparator: Comparator, features: Path, lines: pl.Series) -> Floats:
    """What a comparator sees of some lines, in the order of their names."""
    table = FeatureTable.of(features)
    wanted = table.source.select(n for n in _needed(comparator) if n in table.columns)
    rows = wanted.filter(pl.col("line").cast(pl.String).is_in(lines.implode())).collect()
    return _matrix(comparator, rows.sort("line"), _sums(comparator, features))


def _sums(comparator: Comparator, features: Path) -> pl.DataFrame | None:
    """The sums over lines of one key, of keys that several lines have."""
    shared, table = comparator.shared, FeatureTable.of(features)
    if shared is None or shared.key not in table.columns:
        return None
    keyed = table.source.filter(pl.col(shared.key).is_not_null()).group_by(shared.key)
    found = keyed.agg(pl.len().alias("_lines"), **shared.sums).filter(pl.col("_lines") > 1)
    return found.drop("_lines").collect()


def _matrix(comparator: Comparator, rows: pl.DataFrame, sums: pl.DataFrame | None) -> Floats:
    """The columns of a comparator as floats, NaN where our table has nothing."""
    if comparator.shared and sums is not None:
        rows = rows.join(sums, on=comparator.shared.key, how="left", maintain_order="left")
    made = list(comparator.shared.sums) if comparator.shared else []
    absent = [name for name in [*_needed(comparator), *made] if name not in rows.columns]
    rows = rows.with_columns(pl.lit(None, pl.Float64).alias(name) for name in absent)
    found = rows.select(c.expr.cast(pl.Float64).alias(c.name) for c in comparator.columns)
    matrix = found.fill_null(np.nan).to_numpy()
    return np.where(np.isfinite(matrix), matrix, np.nan)
