"""A table of features, one row a line, read a column or a slice of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from simbox.errors import InputError
from simbox.scoring.grades import Floats

CHUNK_ROWS = 100_000  # about 100 MB of floats while they are scored
OUTGOING = ("moc", "sms_mo")  # what a line does by itself: calls and texts that it sends


@dataclass(frozen=True)
class FeatureTable:
    """Lines with their features, in memory or in a Parquet file."""

    source: pl.LazyFrame
    where: str = "features"

    @classmethod
    def of(cls, source: Path | pl.DataFrame) -> FeatureTable:
        """The table in a Parquet file or a frame.

        Raises:
            InputError: the file cannot be read, or has no column of lines.
        """
        if isinstance(source, pl.DataFrame):
            table = cls(source.lazy())
        else:
            table = cls(pl.scan_parquet(source), str(source))
        try:
            columns = table.columns
        except (OSError, pl.exceptions.PolarsError):
            raise InputError(f"{table.where}: cannot be read as Parquet") from None
        if "line" not in columns:
            raise InputError(f"{table.where}: has no column 'line'; it holds one row a line")
        return table

    @cached_property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self.source.collect_schema().names()

    @property
    def counts(self) -> bool:
        """The table says how many events a line sent."""
        return any(name in self.columns for name in OUTGOING)

    def take(self, *names: str) -> pl.DataFrame:
        """Some columns of every row, those that there are."""
        return self.source.select(n for n in names if n in self.columns).collect()

    def chunks(self, names: Sequence[str], rows: int = CHUNK_ROWS) -> Iterator[pl.DataFrame]:
        """Some columns of the rows in order, so many rows at a time."""
        wanted = self.source.select(n for n in dict.fromkeys(names) if n in self.columns)
        yield from wanted.collect_batches(chunk_size=rows, maintain_order=True)


def outgoing(frame: pl.DataFrame, counted: Sequence[str] = OUTGOING) -> Floats | None:
    """Events that each line sent; nothing when the table has no counts.

    Only these measure exposure: incoming calls and texts cost a gateway nothing, so they must
    neither strengthen nor dilute what is said about the calls that it makes.
    """
    named = [name for name in counted if name in frame.columns]
    if not named:
        return None
    sent = pl.sum_horizontal(pl.col(name).fill_null(0).cast(pl.Float64) for name in named)
    return frame.select(sent).to_series().to_numpy()
