"""Slices of rows as files: Parquet, or delimited text, plain or compressed."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import polars as pl

from simbox.errors import UsageError
from simbox.ingest.cdr.profile import Profile

SLICE_ROWS = 1_000_000
FASTEST = 1  # level of compression, both of zstd and of gzip
DELIMITER = ","  # where the profile finds it by content


class Form(StrEnum):
    """How the files are packed."""

    parquet = "parquet"
    csv = "csv"
    csv_gz = "csv.gz"


def choose_form(profile: Profile, wanted: str | None) -> Form:
    """The form of the files: the one asked for, else Parquet where the profile reads it.

    Raises:
        UsageError: no such form, or the profile does not read it.
    """
    can = [Form.parquet] * ("parquet" in profile.format)
    can += [Form.csv_gz, Form.csv] * ("delimited" in profile.format)
    if not can:
        reads = ", ".join(profile.format)
        raise UsageError(
            f"profile {profile.name}: reads {reads}, which is not written; take another"
        )
    if wanted is None:
        return can[0]
    if wanted not in can:
        raise UsageError(
            f"format '{wanted}': profile {profile.name} is written as {' or '.join(can)}"
        )
    return Form(wanted)


@dataclass(frozen=True)
class Sheet:
    """How the rows of one profile become one file."""

    profile: Profile
    form: Form

    def write(self, rows: pl.DataFrame, folder: Path, stem: str) -> str:
        """Write a file, named by what it holds; the name."""
        name = f"{stem}.{self.form}"
        path = folder / name
        if self.form is Form.parquet:
            # a writer's statistics of 64-bit texts help nobody who reads all of them
            rows.write_parquet(
                path, compression="zstd", compression_level=FASTEST, statistics=False
            )
            return name
        packed = self.form is Form.csv_gz
        head = self._head(rows).encode()
        with path.open("wb") as handle:
            # gzip files may follow one another (RFC 1952, 2.2): head and rows are one each
            handle.write(gzip.compress(head, FASTEST, mtime=0) if packed and head else head)
            rows.write_csv(
                handle,
                include_header=False,
                separator=self.delimiter,
                quote_char=self.profile.layout.quote or '"',
                compression="gzip" if packed else "uncompressed",
                compression_level=FASTEST if packed else None,
            )
        return name

    @property
    def delimiter(self) -> str:
        """What stands between fields."""
        return self.profile.layout.delimiter or DELIMITER

    def _head(self, rows: pl.DataFrame) -> str:
        """The lines before the rows: those to be skipped, names, types."""
        layout = self.profile.layout
        lines = [layout.comment or "#"] * layout.skip
        if layout.header:
            lines.append(self.delimiter.join(rows.columns))
        if layout.type_line:
            lines.append(self.delimiter.join(_sql_type(dtype) for dtype in rows.dtypes))
        return "".join(f"{line}\n" for line in lines)


def _sql_type(dtype: pl.DataType) -> str:
    return "INTEGER" if dtype.is_integer() else "VARCHAR(50)"
