"""A carrier's table of cells: where each cell stands, and since when."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from simbox.errors import InputError
from simbox.ingest.cdr.profile import normal_name
from simbox.ingest.cdr.text import find_delimiter, find_encoding, sample
from simbox.ingest.cell_names import NAMES, WHOLE, cell_names, enough
from simbox.ingest.sources import HEAD_BYTES, Source, Stream, expand, kind_of
from simbox.tables import CELLS

_MOST_BAD = 0.5  # of the rows: above it the file is no cell table
_INHABITED = 78.5  # degrees: beyond the latitude of Longyearbyen no carrier has cells

_NAMES = NAMES | {
    "lat": "lat latitude y 纬度",
    "lon": "lon lng long longitude x 经度",
    "district": "district county commune area_name region quartier 区县 county_name",
    "valid_from": "valid_from validfrom from_date start_date date_from on_air_date "
    "date_of_first_service",
    "valid_to": "valid_to validto valid_until to_date end_date date_to date_of_last_service",
}
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d")


@dataclass(frozen=True)
class CellsReport:
    """A cell table, and how many of its rows could not be used."""

    cells: pl.DataFrame  # tables.CELLS
    rows: int
    bad: int
    moved: int  # rows of a cell that the table holds again with another position: the last counts
    repeated: int = 0  # rows that say again where a cell stands
    undated: int = 0  # rows whose dates cannot be read
    elsewhen: int = 0  # cells none of whose rows is valid on the day that was asked for
    every: pl.DataFrame | None = None  # all good rows with valid_from and valid_to

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the table should be told, a sentence each."""
        told = {
            f"{self.bad:,} of {self.rows:,} rows without a cell or position are left out": self.bad,
            f"{self.moved:,} rows give a cell another position; its last row counts": self.moved,
            f"{self.undated:,} rows have dates that cannot be read: taken as open": self.undated,
            f"{self.elsewhen:,} cells have no row that is valid at the end of the data; the "
            "nearest in time counts": self.elsewhen,
        }
        return tuple(note for note, number in told.items() if number)

    def on(self, day: date | None) -> CellsReport:
        """The same table as of a day: of each cell the row that is valid then.

        Both dates of a row count as valid, an empty one is open.  A cell that has no valid row
        keeps the one that ended last before the day, or else the one that begins first after it.
        The data of a run is read with the rows of its last local day.
        """
        if self.every is None or day is None:
            return self
        return _as_of(self.every, day, self)


def load_cells(path: Path | str) -> CellsReport:
    """The cells of a CSV or Parquet table with the counts of rows that could not be used.

    Where rows are dated, the report holds the latest of each cell; see :meth:`CellsReport.on`.

    Raises:
        InputError: the file is no table of cells, or latitude and longitude are exchanged.
    """
    raw = _read(str(path))
    names = _columns(raw.columns)
    if "lat" not in names or "lon" not in names or not enough(names):
        raise InputError(
            f"{path}: no table of cells: found {', '.join(raw.columns[:8])}; "
            "it needs a cell (or mcc, mnc, lac, ci), latitude and longitude"
        )
    district = pl.col(names["district"]) if "district" in names else pl.lit(None, pl.String)
    table = cell_names(raw, names).hstack(
        raw.select(
            lat=_degrees(names["lat"]),
            lon=_degrees(names["lon"]),
            district=district.cast(pl.String).str.strip_chars(),
            valid_from=_date(raw, names.get("valid_from")),
            valid_to=_date(raw, names.get("valid_to")),
            undated=_unread(raw, names.get("valid_from")) | _unread(raw, names.get("valid_to")),
        )
    )
    return _checked(str(path), table)


def _degrees(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars().str.replace(",", ".").cast(pl.Float64, strict=False)


def _date(raw: pl.DataFrame, name: str | None) -> pl.Expr:
    """A column of dates in whichever way of writing most of it can be read."""
    if name is None:
        return pl.lit(None, pl.Date)
    text = pl.col(name).str.strip_chars().str.extract(r"^([0-9]+(?:[-./][0-9]+[-./][0-9]+)?)")
    forms = [text.str.to_date(form, strict=False) for form in _DATES]
    counts = raw.select(form.count().alias(str(n)) for n, form in enumerate(forms)).row(0)
    return forms[counts.index(max(counts))]


def _unread(raw: pl.DataFrame, name: str | None) -> pl.Expr:
    if name is None:
        return pl.lit(value=False)
    return (pl.col(name).str.strip_chars() != "") & _date(raw, name).is_null()


def _checked(path: str, table: pl.DataFrame) -> CellsReport:
    placed = (
        pl.col(WHOLE).is_not_null()
        & (pl.col(WHOLE) != "")
        & pl.col("lat").is_between(-90, 90)
        & pl.col("lon").is_between(-180, 180)
        & ~((pl.col("lat") == 0) & (pl.col("lon") == 0))
    )
    good = table.filter(placed)
    bad = table.height - good.height
    _check_order(path, table)
    if good.is_empty() or bad > table.height * _MOST_BAD:
        raise InputError(
            f"{path}: {bad} of {table.height} rows hold no cell with a position; "
            "check that this is the cell table"
        )
    undated = good.filter("undated").height
    whole = CellsReport(CELLS.empty(), table.height, bad, 0, undated=undated, every=good)
    newest = [d for d in good.select(pl.max("valid_from", "valid_to")).row(0) if d is not None]
    return _as_of(good, newest[0] if newest else date.max, whole)


def _check_order(path: str, table: pl.DataFrame) -> None:
    """Make sure that latitude and longitude stand where their names say.

    Raises:
        InputError: they are exchanged: latitudes that there are not, or where nobody lives.
    """
    lat, lon = pl.col("lat").abs(), pl.col("lon").abs()
    for most, where in ((90.0, "beyond 90 degrees"), (_INHABITED, "where nobody lives")):
        exchanged = table.filter((lat > most) & (lon <= most)).height
        if exchanged > table.height * _MOST_BAD:
            raise InputError(
                f"{path}: {exchanged} of {table.height} latitudes lie {where}: latitude and "
                "longitude are exchanged; rename the two columns"
            )


def _as_of(good: pl.DataFrame, day: date, whole: CellsReport) -> CellsReport:
    """The report with one row a cell, the one of a day, and what was passed over."""
    begins, ends = pl.col("valid_from"), pl.col("valid_to")
    late, over = ((e.fill_null(value=False)) for e in (begins > day, ends < day))
    apart = pl.when("late").then(begins - day).when("over").then(day - ends).otherwise(day - begins)
    dated = good.with_row_index("row").with_columns(late=late, over=over).with_columns(apart=apart)
    ordered = dated.sort(
        WHOLE, "late", "over", "apart", "row", nulls_last=True,
        descending=[False, False, False, False, True],
    )  # fmt: skip
    best = ordered.unique(WHOLE, keep="first", maintain_order=True)
    now = dated.filter(~pl.col("late"), ~pl.col("over"))
    valid = now[WHOLE].n_unique()
    places = now.n_unique([WHOLE, "lat", "lon"])
    return replace(
        whole,
        cells=_spelled(best),
        moved=places - valid,
        repeated=now.height - places,
        elsewhen=best.height - valid,
    )


def _spelled(best: pl.DataFrame) -> pl.DataFrame:
    """Each cell under every spelling of it that is no other cell's own."""
    others = [name for name in best.columns if name.startswith("other_")]
    kept = ("lat", "lon", "district")
    named = pl.concat(
        best.select(pl.col(name).alias("cell"), *kept) for name in (WHOLE, *others)
    ).filter(pl.col("cell") != "")
    first = named.unique("cell", keep="first", maintain_order=True)
    return CELLS.conform(first.sort("cell"))


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
