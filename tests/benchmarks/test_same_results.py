"""Each engine of the benchmark measures what simbox does: the idiomatic forms are its oracle."""

from pathlib import Path

import engines
import pytest
from compare import TIES, differences, read
from generate import generate

pytestmark = pytest.mark.slow
ROWS = 100_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("measured")
    generate(ROWS, out, ("parquet", "csv"))
    engines.ingest_parquet(out)
    engines.copy(out)
    engines.measure(out)
    return out


@pytest.mark.parametrize(
    ("engine", "allowed"),
    [("duckdb_tuned", ()), ("duckdb_idiomatic", TIES), ("polars_idiomatic", TIES)],
)
def test_engine_measures_the_same_features(
    folder: Path, engine: str, allowed: tuple[str, ...]
) -> None:
    if engine.startswith("duckdb"):
        pytest.importorskip("duckdb")
    getattr(engines, engine)(folder)
    wrong = differences(read(folder / "features"), read(folder / f"{engine}.parquet"))
    assert set(wrong) <= set(allowed)


def test_csv_and_parquet_make_the_same_features(folder: Path) -> None:
    parquet = read(folder / "features")
    engines.ingest_csv(folder)
    (folder / "store").rename(folder / "store-parquet")
    (folder / "store-csv").rename(folder / "store")
    engines.measure(folder)
    (folder / "store").rename(folder / "store-csv")
    (folder / "store-parquet").rename(folder / "store")
    assert differences(parquet, read(folder / "features")) == {}


def test_a_changed_feature_is_noticed(folder: Path) -> None:
    features = read(folder / "features")
    other = features.with_columns(out_share=features["out_share"] * (1 + 1e-6))
    assert set(differences(features, other)) == {"out_share"}
