"""What the readers hand on: a batch of records in canonical source columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import polars as pl

ROW = "row"
BATCH_ROWS = 500_000

#: Rows of a file that cannot become events, before the file's name is added.
REJECTED = {
    "row": pl.UInt32,
    "column": pl.String,
    "value_class": pl.String,
    "reason": pl.String,
}


@cache
def no_rejects() -> pl.DataFrame:
    """No rejects."""
    return pl.DataFrame(schema=REJECTED)


def rejected(rows: pl.Series, column: str, values: pl.Series, reason: str) -> pl.DataFrame:
    """Rejects of one reason; of the values only their shape is kept."""
    text = values.cast(pl.String, strict=False).alias("value").to_frame()
    size = pl.col("value").str.len_chars().cast(pl.String)
    shape = (
        pl.when(pl.col("value").is_null() | (pl.col("value") == ""))
        .then(pl.lit("empty"))
        .when(pl.col("value").str.contains(r"^\+?[0-9]+$"))
        .then("digits(" + size + ")")
        .when(pl.col("value").str.contains(r"^-?[0-9.,:/ TZ-]+$"))
        .then("figures(" + size + ")")
        .otherwise("text(" + size + ")")
    )
    return text.select(
        rows.cast(pl.UInt32).alias("row"),
        pl.lit(column).alias("column"),
        shape.alias("value_class"),
        pl.lit(reason).alias("reason"),
    )


@dataclass(frozen=True)
class Batch:
    """Records: one column a canonical source column, and ``row``, the row in the file."""

    frame: pl.DataFrame
    rejects: pl.DataFrame = field(default_factory=no_rejects)

    @property
    def rows(self) -> int:
        return self.frame.height + self.rejects["row"].n_unique()


@dataclass(frozen=True)
class Table:
    """A file opened with a profile: what each column is called in it, and its batches."""

    names: dict[str, str]  # canonical column -> the source's own name
    encoding: str
    batches: Callable[[], Iterator[Batch]]
    bytes_read: Callable[[], int]
