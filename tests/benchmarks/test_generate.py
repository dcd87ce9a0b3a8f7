from pathlib import Path

import polars as pl
import pytest
from generate import GATEWAY_CALLS_A_DAY, generate
from polars.testing import assert_frame_equal

ROWS = 30_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("generated")
    generate(ROWS, out, ("parquet", "csv"))
    return out


@pytest.fixture(scope="module")
def rows(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "parquet" / "*.parquet")


def test_rows_are_about_as_many_as_asked_for(rows: pl.DataFrame) -> None:
    assert rows.height == pytest.approx(ROWS, rel=0.25)  # few lines: each heavy one counts


def test_same_seed_gives_the_same_rows(rows: pl.DataFrame, tmp_path: Path) -> None:
    generate(ROWS, tmp_path, ("parquet",))
    assert_frame_equal(pl.read_parquet(tmp_path / "parquet" / "*.parquet"), rows)


def test_csv_holds_the_rows_of_the_parquet(folder: Path, rows: pl.DataFrame) -> None:
    text = pl.read_csv(folder / "csv" / "*.csv", infer_schema=False)
    start = pl.col("start").str.to_datetime("%Y-%m-%d %H:%M:%S")
    kinds = [start if n == "start" else pl.col(n).cast(t) for n, t in rows.schema.items()]
    assert_frame_equal(text.select(kinds), rows)


def test_contacts_ring_back_and_gateways_call_strangers(rows: pl.DataFrame) -> None:
    pairs = rows.select("msisdn", "other", out=pl.col("event_type").is_in(["MOC", "SMS_MO"]))
    ties = pairs.group_by("msisdn", "other").agg(
        both=pl.col("out").any() & ~pl.col("out").all(), out=pl.col("out").sum()
    )
    lines = ties.group_by("msisdn").agg(pl.col("both").mean(), pl.col("out").sum())
    busy = pl.col("out") > 4 * GATEWAY_CALLS_A_DAY
    assert lines.filter(busy)["both"].max() < 0.05
    assert lines.filter(~busy)["both"].mean() > 0.3
