"""Parquet to batches, with the types that the file has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from simbox.errors import InputError
from simbox.ingest.cdr.batch import BATCH_ROWS, ROW, Batch


def schema_of(file: Path) -> dict[str, pl.DataType]:
    """The columns, and their types, of a Parquet file.

    Raises:
        InputError: the file is damaged.
    """
    try:
        return dict(pl.read_parquet_schema(file))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(file, error) from None


def rows_of(file: Path) -> int:
    """The number of rows, from the file's footer."""
    try:
        return int(pl.scan_parquet(file).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(file, error) from None


def _damaged(file: Path, error: Exception) -> InputError:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(f"{file}: not a whole Parquet file ({first[:120]}); transfer it again")


def batches(file: Path, wanted: Mapping[str, str]) -> Iterator[Batch]:
    """The records of a Parquet file; ``wanted`` maps canonical columns to the file's own."""
    columns = [pl.col(name).alias(column) for column, name in wanted.items()]
    # a query a slice: collect_batches reads ahead without bound, 1.2 GB for 10 M rows
    scan = pl.scan_parquet(file, glob=False).select(columns)
    first = 1
    try:
        while True:
            frame = scan.slice(first - 1, BATCH_ROWS).collect()
            if frame.is_empty():
                return
            rows = pl.int_range(first, first + frame.height, dtype=pl.UInt32, eager=True)
            first += frame.height
            yield Batch(frame.with_columns(rows.alias(ROW)))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(file, error) from None
