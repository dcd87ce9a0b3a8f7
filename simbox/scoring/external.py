"""A carrier's own table of features, CSV or Parquet, brought to the form that scoring reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from simbox.errors import DataQualityError, InputError, did_you_mean
from simbox.features import features
from simbox.scoring.verdicts import LINE_COLUMNS
from simbox.tables import REJECTS

NOT_MEASURED = ("", "null", "na", "n/a", "nan", "none")  # spellings of an absent value
SHARES = ("share", "0 or 1")  # how the units of features begin that lie within 0 and 1
ROUNDING = 1e-6  # that a share may lie above 1
MOST_COUNTED = 2**32 - 1
COUNTS = ("events", "moc", "mtc", "sms_mo", "sms_mt", "active_days")
LINE_NAMES = ("line", "msisdn", "number", "subscriber")  # of columns that may be the lines
CONTEXT = ("line", "segment", *COUNTS, "first_seen", "last_seen", "top_cell", "top_imei", "feeds")


@dataclass(frozen=True)
class Imported:
    """What became of a table of features."""

    rows: int  # lines that can be scored
    features: tuple[str, ...]  # recognised
    unknown: tuple[str, ...]  # other columns, handed on as they are, each with a hint
    rejects: pl.DataFrame  # rows and values that could not be used (tables.REJECTS)


def import_features(
    source: Path, target: Path, known: Collection[str], max_reject_share: float
) -> Imported:
    """Write the usable lines of a table of features as Parquet, and report the rest.

    A value that is no number counts as not measured and is reported; a row without a line, or
    with one that stood in an earlier row, is rejected.

    Raises:
        InputError: the file is no table of features.
        DataQualityError: too large a share of the rows has something to report.
    """
    table = _open(source)
    columns = table.collect_schema()
    names = _named(source, columns, known)
    try:
        return _import(source, table, target, _Columns(columns, names, known), max_reject_share)
    except pl.exceptions.PolarsError as error:
        raise _unreadable(source, error) from None


@dataclass(frozen=True)
class _Columns:
    """The columns of a table, sorted out."""

    schema: pl.Schema
    names: list[str]
    known: Collection[str]

    @property
    def measured(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name in self.known)

    @property
    def numbers(self) -> list[str]:
        return [*self.measured, *(name for name in self.names if name in COUNTS)]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Columns that are neither features nor context, each with the nearest feature."""
        strange = [n for n in self.names if n not in self.known and n not in CONTEXT]
        return tuple(f"column '{n}' is no feature.{did_you_mean(n, self.known)}" for n in strange)


def _import(
    source: Path, table: pl.LazyFrame, target: Path, columns: _Columns, max_reject_share: float
) -> Imported:
    table = table.with_row_index("row", 1).with_columns(_line(columns.schema["line"]))
    bad = _unusable_lines(table)
    wrong = _wrong_values(table, columns.schema, columns.numbers)
    rejects = _rejects(source, bad, wrong)
    height = int(table.select(pl.len()).collect().item())
    _check_share(source, rejects, height, max_reject_share)
    usable = table.join(bad.lazy().select("row"), on="row", how="anti", maintain_order="left")
    typed = [_number(columns.schema[n], n).cast(_dtype(n)).alias(n) for n in columns.numbers]
    usable.with_columns(typed).drop("row").sink_parquet(target)
    return Imported(height - bad.height, columns.measured, columns.unknown, rejects)


def _unreadable(source: Path, error: Exception) -> InputError:
    reason = str(error).splitlines()[0][:120]
    return InputError(f"{source}: cannot be read as CSV or Parquet: {reason}")


def _open(source: Path) -> pl.LazyFrame:
    if not source.is_file():
        raise InputError(f"{source}: no such file; give a table of features, CSV or Parquet")
    try:
        with source.open("rb") as file:
            parquet = file.read(4) == b"PAR1"
        table = (
            pl.scan_parquet(source)
            if parquet
            else pl.scan_csv(source, infer_schema=False, separator=_separator(source))
        )
        table.collect_schema()
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise _unreadable(source, error) from None
    return table


def _separator(source: Path) -> str:
    """The delimiter that the header uses most."""
    with source.open(encoding="utf-8-sig") as file:
        header = file.readline()
    return max(",;\t|", key=header.count)


def _named(source: Path, columns: pl.Schema, known: Collection[str]) -> list[str]:
    """The table's columns, if it has lines and at least one feature."""
    names = columns.names()
    if "line" not in names:
        near = next((n for n in names if n.strip().lower() in LINE_NAMES), None)
        hint = f" Rename '{near}' to 'line'." if near else ""
        raise InputError(
            f"{source}: no column 'line'; found {', '.join(names[:8]) or 'none'}."
            f"{hint} A table of features has one row a line"
        )
    if columns["line"].is_nested():
        raise InputError(f"{source}: column 'line' is {columns['line']}; text is needed")
    if not any(name in known for name in names):
        hints = [did_you_mean(name, known) for name in names if name not in CONTEXT]
        raise InputError(
            f"{source}: no column is a feature; found {', '.join(names[:8])}."
            f"{next(filter(None, hints), '')} 'simbox catalogue' lists them"
        )
    for name in names:
        if name in LINE_COLUMNS and name != "line":
            raise InputError(f"{source}: column '{name}' is made by scoring; rename it")
        dtype = columns[name]
        number = dtype.is_numeric() or dtype in {pl.String, pl.Boolean, pl.Null}
        if not number and (name in known or name in COUNTS):
            raise InputError(f"{source}: column '{name}' is {dtype}; a number is needed")
    return names


def _dtype(name: str) -> pl.DataType | type[pl.DataType]:
    return pl.UInt32 if name in COUNTS else pl.Float64


def _text(name: str) -> pl.Expr:
    """The text of a value, null in any spelling of not measured."""
    text = pl.col(name).str.strip_chars()
    absent = text.str.to_lowercase().is_in(NOT_MEASURED)
    return pl.when(absent.not_()).then(text)


def _line(dtype: pl.DataType) -> pl.Expr:
    """The lines as text; numbers that went through a frame of floats without their '.0'."""
    line = pl.col("line").cast(pl.Int64, strict=False) if dtype.is_float() else pl.col("line")
    return line.cast(pl.String)


def _finite(dtype: pl.DataType, name: str) -> pl.Expr:
    """The finite number in a column, null where there is none."""
    value = _text(name).cast(pl.Float64, strict=False) if dtype == pl.String else pl.col(name)
    value = value.cast(pl.Float64)
    return pl.when(value.is_finite()).then(value)


def _number(dtype: pl.DataType, name: str) -> pl.Expr:
    """The number in a column where it can be one of its kind: none is below zero, no share over 1.

    A carrier that keeps its shares as percentages would else see every line at the far end.
    """
    value = _finite(dtype, name)
    known = features().get(name)
    share = known is not None and known.unit.startswith(SHARES)
    most = 1 + ROUNDING if share else MOST_COUNTED if name in COUNTS else float("inf")
    return pl.when(value.is_between(0, most)).then(value)


def _unusable_lines(table: pl.LazyFrame) -> pl.DataFrame:
    """Rows without a line, or whose line stood in an earlier row."""
    lines = table.select("row", "line").collect()
    empty = pl.col("line").is_null() | (pl.col("line").str.strip_chars() == "")
    return (
        lines.select(
            "row",
            column=pl.lit("line"),
            value_class=pl.when(empty).then(pl.lit("empty")).otherwise(_shape(pl.col("line"))),
            reason=pl.when(empty).then(pl.lit("line|empty")).otherwise(pl.lit("line|duplicate")),
            bad=empty | pl.col("line").is_first_distinct().not_(),
        )
        .filter("bad")
        .drop("bad")
    )


def _wrong_values(table: pl.LazyFrame, columns: pl.Schema, names: list[str]) -> pl.DataFrame:
    """Values that are there but are no usable number, a row each."""
    found = []
    for name in names:
        text = columns[name] == pl.String
        given = (_text(name) if text else pl.col(name)).is_not_null()
        if columns[name].is_float():
            given &= pl.col(name).is_not_nan()  # the spelling of null in a frame of floats
        number = _finite(columns[name], name).is_not_null()
        wrong = table.filter(given & _number(columns[name], name).is_null()).select(
            "row",
            column=pl.lit(name),
            value_class=_shape(pl.col(name).cast(pl.String)),
            reason=pl.when(number)
            .then(pl.lit(f"{name}|out of range"))
            .otherwise(pl.lit(f"{name}|not a number")),
        )
        found.append(wrong)
    return pl.concat(pl.collect_all(found))


def _shape(text: pl.Expr) -> pl.Expr:
    """The class of a value, without the value: digits(11), text(4)."""
    kind = pl.when(text.str.contains(r"^[0-9]+$")).then(pl.lit("digits")).otherwise(pl.lit("text"))
    return pl.format("{}({})", kind, text.str.len_chars())


def _rejects(source: Path, bad: pl.DataFrame, wrong: pl.DataFrame) -> pl.DataFrame:
    rejects = pl.concat([bad, wrong]).sort("row", "column").with_columns(file=pl.lit(str(source)))
    return REJECTS.conform(rejects)


def _check_share(source: Path, rejects: pl.DataFrame, height: int, largest: float) -> None:
    if not height:
        raise InputError(f"{source}: holds no rows; nothing to score")
    rows = rejects["row"].n_unique()
    if rows > largest * height:
        first = rejects.row(0, named=True)
        raise DataQualityError(
            f"{source}: {rows} of {height} rows have values that cannot be used, the first in row "
            f"{first['row']}: {first['reason']} ({first['value_class']}); correct them or raise "
            "ingest.max_reject_share"
        )
