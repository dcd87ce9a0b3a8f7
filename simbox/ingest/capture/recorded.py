"""Calls that captures and records of one run both tell of: they are one call, counted once.

A call is the same when line, direction and the last digits of the other party are, and the starts
lie close together: a record may count from the seizure of the channel or from the answer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.identifiers import digits_of, party
from simbox.store import Store
from simbox.tables import Kind

APART_S = 60  # between the starts
TAIL = 10**8  # the last eight digits: two spellings of a number differ before them

_COLUMNS = ("line", "other", "kind", "start")


def recorded(stored: pl.DataFrame, store: Store) -> npt.NDArray[np.bool_]:
    """Which rows of tables.STORED, of captures, are in a store as records already."""
    wanted = _keys(stored).with_row_index("at")
    lines = wanted["line"].unique()
    found = []
    for rows in store.each_bucket(_COLUMNS):
        known = _keys(rows).filter(pl.col("line").is_in(lines.implode()))
        if known.height:
            found.append(known.with_columns(there=pl.lit(value=True)))
    result = np.zeros(stored.height, np.bool_)
    if found:
        matched = wanted.sort("start").join_asof(
            pl.concat(found).sort("start"), on="start", by=["line", "tail", "type"],
            strategy="nearest", tolerance=APART_S, check_sortedness=False,
        )  # fmt: skip
        result[matched.filter(pl.col("there"))["at"].to_numpy()] = True
    return result


def _keys(stored: pl.DataFrame) -> pl.DataFrame:
    """What a row is known by; parties without digits by the whole of their id."""
    other = stored["other"].to_numpy()
    digits = digits_of(other)
    return pl.DataFrame(
        {
            "line": party(stored["line"].to_numpy()),
            "tail": np.where(digits >= 0, digits % TAIL, party(other).astype(np.int64)),
            "type": stored["kind"].to_numpy() & np.uint16(Kind.TYPE_MASK),
            "start": stored["start"].to_numpy().astype(np.int64),
        }
    )
