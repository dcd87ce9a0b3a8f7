"""Columns of delimited text that may be read as integers because that loses nothing.

An integer does not tell whether its text had leading zeros, a sign or blanks around it.  But such
a text is longer than the shortest one of its value: where all fields of a piece, the integers
with as many bytes as they have digits, make up exactly the bytes of the piece, there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.identifiers import MAX_DIGITS, Ids

Lengths = npt.NDArray[np.uint8]

#: Columns that are read as integers where they can be.
PARTIES = ("line", "other", "a", "b", "imsi", "b_imsi", "imei", "b_imei")
INTEGERS = (*PARTIES, "duration", "cause")
_PLAIN = rf"^(?:0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}})$"


def digits_of(value: int) -> int:
    """How many digits a number has; zero has one."""
    return len(str(value))


def digit_counts(values: Ids) -> Lengths:
    """How many digits each number has; zero has one."""
    if not len(values):
        return np.zeros(0, dtype=np.uint8)
    low, high = digits_of(int(values.min())), digits_of(int(values.max()))
    counts = np.full(len(values), low, dtype=np.uint8)
    for digits in range(low, high):
        counts += values >= np.uint64(10**digits)
    return counts


def filled(column: pl.Series) -> npt.NDArray[Any]:
    """The numbers of a column, 0 where there is none."""
    present = column.fill_null(0) if column.null_count() else column
    return present.to_numpy()


def _digits_altogether(column: pl.Series) -> int | None:
    """The digits of all numbers of a column; None when one has too many."""
    if column.null_count() == len(column):
        return 0
    low, high = (digits_of(int(end)) for end in (column.min(), column.max()))  # type: ignore[arg-type]
    if high > MAX_DIGITS:
        return None
    total = low * (len(column) - column.null_count())
    if low < high:
        values = filled(column)
        thresholds = (np.uint64(10**digits) for digits in range(low, high))
        total += sum(int(np.count_nonzero(values >= least)) for least in thresholds)
    return total


def plain(texts: pl.DataFrame, columns: Iterable[str]) -> frozenset[str]:
    """Those columns in which all texts are what their integers would be written as."""
    checks = [
        pl.col(name).str.contains(_PLAIN).fill_null(value=True).all().alias(name)
        for name in columns
    ]
    found: Mapping[str, bool] = texts.select(checks).row(0, named=True) if checks else {}
    return frozenset(name for name, good in found.items() if good)


def spelled_bytes(frame: pl.DataFrame) -> int | None:
    """The bytes of all entries, integers written the shortest way; None when some are too long."""
    texts = frame.lazy().select(pl.col(pl.String).str.len_bytes().sum())
    total = sum(texts.collect(engine="in-memory").row(0)) if pl.String in frame.dtypes else 0
    for column in frame:
        if column.dtype != pl.String:
            digits = _digits_altogether(column)
            if digits is None:
                return None
            total += digits
    return total
