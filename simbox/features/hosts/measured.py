"""When a number about a host has been measured at all."""

from __future__ import annotations

import polars as pl

FEW = 5  # calls below which a share of them is chance
MANY = 10  # calls below which a spread of them is chance
SEVERAL = 3  # what a household does not have at a time


def enough(count: str, value: pl.Expr) -> pl.Expr:
    """A value over a few cases and more; null over fewer."""
    return pl.when(pl.col(count) >= FEW).then(value)


def some(count: str | pl.Expr) -> pl.Expr:
    """A count of what was found; null where nothing was: what can be hidden clears nobody."""
    found = pl.col(count) if isinstance(count, str) else count
    return pl.when(found > 0).then(found)
