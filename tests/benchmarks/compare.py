"""Whether two engines measured the same: every shared column of two tables, line by line."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from simbox.features.declaration import features

RELATIVE = 1e-9
#: simbox sums n log n in fixed point of 2^-20 bit, so that the order of rows cannot matter.
FIXED_POINT = 1e-6
ENTROPIES = ("called_entropy", "cell_entropy", "hour_entropy")
#: Not in a plain export: classes of numbers, release causes and coordinates of cells.
LEFT_OUT = (
    "gyration_km", "impossible_hops", "dead_number_share", "onnet_share", "international_share",
    "fixed_share", "service_share", "sms_person_share",
)  # fmt: skip
COUNTS = ("events", "moc", "mtc", "sms_mo", "sms_mt", "active_days")
TEXTS = ("segment", "top_imei", "top_cell")
#: simbox settles a tie of top cells by the id of the place, a hash; an export has only its text.
TIES = ("top_cell",)


def compared() -> list[str]:
    """The features that every engine of the benchmark measures."""
    return [name for name in features() if name not in LEFT_OUT]


def differences(expected: pl.DataFrame, found: pl.DataFrame) -> dict[str, int]:
    """How many lines differ, by column; lines that one table lacks count under ``line``."""
    both = expected.join(found, on="line", how="full", coalesce=True, suffix="_found")
    missing = both.filter(pl.col("events").is_null() | pl.col("events_found").is_null()).height
    counts = both.select(
        *(_differs(name).sum() for name in compared()),
        *(pl.col(name).ne_missing(pl.col(f"{name}_found")).sum() for name in (*COUNTS, *TEXTS)),
    )
    wrong = {name: count for name, count in counts.row(0, named=True).items() if count}
    return {"line": missing, **wrong} if missing else wrong


def _differs(name: str) -> pl.Expr:
    one, other = pl.col(name), pl.col(f"{name}_found").cast(pl.Float64)
    allowed = pl.lit(FIXED_POINT) if name in ENTROPIES else RELATIVE * one.abs()
    unequal = (one - other).abs() > allowed
    return ((one.is_null() != other.is_null()) | unequal.fill_null(value=False)).alias(name)


def read(path: Path) -> pl.DataFrame:
    """A table of features: a file, or a folder of parts."""
    if path.is_dir():
        return pl.read_ipc(path / "*.arrow")
    return pl.read_parquet(path)
