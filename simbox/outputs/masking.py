"""Texts of the data as they may be shown: numbers of others masked, nothing unprintable."""

from __future__ import annotations

import polars as pl

PUBLIC_DIGITS = 6  # short codes and service numbers up to this length are nobody's own


def masked(text: pl.Expr, digits: int) -> pl.Expr:
    """A party with its last so many characters hidden; short codes stay as they are."""
    length = text.str.len_chars().cast(pl.Int64)
    hidden = text.str.head((length - digits).clip(lower_bound=0)) + pl.lit("*" * digits)
    return pl.when(length <= PUBLIC_DIGITS).then(text).otherwise(hidden)


def printable(text: pl.Expr) -> pl.Expr:
    """A text from the network without what a terminal would obey."""
    return text.str.replace_all(r"\p{C}", "?")
