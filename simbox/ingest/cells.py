"""A carrier's table of cells: where each cell stands."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from simbox.errors import InputError
from simbox.ingest.cdr.devices import cell_name, cell_text
from simbox.ingest.cdr.profile import normal_name
from simbox.ingest.cdr.text import find_delimiter, find_encoding, sample
from simbox.ingest.sources import HEAD_BYTES, Source, Stream, expand, kind_of
from simbox.tables import CELLS

_MOST_BAD = 0.5  # of the rows: above it the file is no cell table

_NAMES = {
    "cell": "cell cgi ecgi cell_id cellid cell_tower_id celltowerid antenna_id antenna location_id "
    "tower_id site_id id 小区 小区编号 基站编号",
    "mcc": "mcc",
    "mnc": "mnc net",
    "lac": "lac tac area lac_tac",
    "ci": "ci eci cell_identity cell cid",
    "lat": "lat latitude y 纬度",
    "lon": "lon lng long longitude x 经度",
    "district": "district county commune area_name region quartier 区县 county_name",
}


@dataclass(frozen=True)
class CellsReport:
    """A cell table, and how many of its rows could not be used."""

    cells: pl.DataFrame  # tables.CELLS
    rows: int
    bad: int
    moved: int  # rows of a cell that the table holds again with another position: the last counts
    repeated: int = 0  # rows that say again where a cell stands

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the table should be told, a sentence each."""
        bad = f"{self.bad:,} of {self.rows:,} rows without a cell or position are left out"
        moved = f"{self.moved:,} rows give a cell another position; its last row counts"
        return (*((bad,) if self.bad else ()), *((moved,) if self.moved else ()))


def load_cells(path: Path | str) -> CellsReport:
    """The cells of a CSV or Parquet table with the counts of rows that could not be used.

    Raises:
        InputError: the file is no table of cells, or latitude and longitude are exchanged.
    """
    raw = _read(str(path))
    names = _columns(raw.columns)
    if "lat" not in names or "lon" not in names or not ({"cell", "ci"} & names.keys()):
        raise InputError(
            f"{path}: no table of cells: found {', '.join(raw.columns[:8])}; "
            "it needs a cell (or mcc, mnc, lac, ci), latitude and longitude"
        )
    split: dict[str, pl.Expr] = {
        n: pl.col(names[n]) for n in ("mcc", "mnc", "lac", "ci") if n in names
    }
    whole = {"mcc", "mnc", "lac", "ci"} <= split.keys()
    cell = cell_name(split) if whole or "cell" not in names else pl.col(names["cell"])
    district = pl.col(names["district"]) if "district" in names else pl.lit(None, pl.String)
    table = raw.select(
        cell=cell_text(cell),
        lat=_degrees(names["lat"]),
        lon=_degrees(names["lon"]),
        district=district.cast(pl.String).str.strip_chars(),
    )
    return _checked(str(path), table)


def _degrees(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars().str.replace(",", ".").cast(pl.Float64, strict=False)


def _checked(path: str, table: pl.DataFrame) -> CellsReport:
    placed = (
        pl.col("cell").is_not_null()
        & (pl.col("cell") != "")
        & pl.col("lat").is_between(-90, 90)
        & pl.col("lon").is_between(-180, 180)
        & ~((pl.col("lat") == 0) & (pl.col("lon") == 0))
    )
    good = table.filter(placed)
    bad = table.height - good.height
    exchanged = table.filter((pl.col("lat").abs() > 90) & (pl.col("lon").abs() <= 90)).height
    if exchanged > table.height * _MOST_BAD or (good.is_empty() and exchanged):
        raise InputError(
            f"{path}: {exchanged} of {table.height} latitudes lie beyond 90 degrees: latitude and "
            "longitude are exchanged; rename the two columns"
        )
    if good.is_empty() or bad > table.height * _MOST_BAD:
        raise InputError(
            f"{path}: {bad} of {table.height} rows hold no cell with a position; "
            "check that this is the cell table"
        )
    last = good.unique("cell", keep="last").sort("cell")
    again = good.height - last.height
    moved = good.unique(["cell", "lat", "lon"]).height - last.height
    return CellsReport(CELLS.conform(last), table.height, bad, moved, again - moved)


def _columns(found: Sequence[str]) -> dict[str, str]:
    have = {normal_name(name): name for name in reversed(found)}
    names = {}
    for column, spellings in _NAMES.items():
        hit = next((have[s] for s in spellings.split() if s in have), None)
        if hit is not None:
            names[column] = hit
    return names


def _read(path: str) -> pl.DataFrame:
    """The table as texts."""
    if Path(path).is_dir():
        raise InputError(f"{path}: a folder; give one table of cells")
    sources = expand([path]).sources
    if len(sources) != 1:
        raise InputError(f"{path}: {len(sources)} files; give one table of cells")
    source = sources[0]
    with Stream(source) as stream:
        first = stream.read(HEAD_BYTES)
        kind = kind_of(source, first[:HEAD_BYTES])
        rest = b"".join(iter(lambda: stream.read(1 << 20), b"")) if kind == "text" else b""
    if kind == "parquet":
        try:
            return pl.read_parquet(source.file).select(pl.all().cast(pl.String, strict=False))
        except (pl.exceptions.PolarsError, OSError):
            raise InputError(f"{path}: not a whole Parquet file; transfer it again") from None
    return _of_text(source, first + rest)


def _of_text(source: Source, data: bytes) -> pl.DataFrame:
    encoding = find_encoding(data)
    delimiter = find_delimiter(sample(data[:HEAD_BYTES], encoding))
    text = data.decode(encoding, errors="replace").removeprefix("\ufeff").lstrip("# ")
    if not delimiter:
        raise InputError(f"{source.path}: no table of cells: no delimiter found; export it as CSV")
    names = next(csv.reader([text.split("\n", 1)[0].rstrip("\r")], delimiter=delimiter))
    if len({normal_name(n) for n in names}) < len(names):
        names = [f"{n}_{i}" if n in names[:i] else n for i, n in enumerate(names)]
    try:
        return pl.read_csv(
            io.BytesIO(text.encode()),
            separator=delimiter,
            infer_schema=False,
            truncate_ragged_lines=True,
            has_header=False,
            skip_lines=1,
            new_columns=names,
        )
    except (pl.exceptions.PolarsError, ValueError) as error:
        first = str(error).splitlines()[0][:100]
        raise InputError(f"{source.path}: no table of cells: {first}") from None
