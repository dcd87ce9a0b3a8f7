"""The jobs that the benchmark measures: simbox, the other engines, and the floors.

``python engines.py JOB DIR`` runs one in a process of its own; DIR holds ``parquet/``, ``csv/``
and, once ingested, ``store/``.  Before it starts the job prints the CPU seconds that start-up took.
"""

from __future__ import annotations

import importlib
import json
import resource
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl

HERE = Path(__file__).parent
EXPORT = {
    "msisdn": pl.UInt64,
    "event_type": pl.String,
    "start": pl.String,
    "duration": pl.Int32,
    "other": pl.UInt64,
    "answered": pl.Int8,
    "imsi": pl.UInt64,
    "imei": pl.UInt64,
    "cell": pl.String,
}
CLOCK = "%Y-%m-%d %H:%M:%S"


def stored_columns(folder: Path) -> pl.LazyFrame:
    """The columns of the store that the features need."""
    from simbox.features.events import COLUMNS
    from simbox.store import Store

    return Store.open(folder / "store").scan().select(COLUMNS)


def decode(folder: Path) -> None:
    stored_columns(folder).select(pl.all().max()).collect(engine="streaming")


def group(folder: Path) -> None:
    by_line = stored_columns(folder).group_by("line")
    by_line.agg(pl.len(), pl.exclude("line").max()).collect(engine="streaming")


def _touch(frame: pl.LazyFrame) -> None:
    """Decode every column of every row."""
    frame.select(
        pl.col(pl.String).str.len_bytes().sum(), pl.exclude(pl.String).max()
    ).collect(engine="streaming")  # fmt: skip


def read_parquet(folder: Path) -> None:
    _touch(pl.scan_parquet(folder / "parquet" / "*.parquet"))


def read_csv(folder: Path) -> None:
    frame = pl.scan_csv(folder / "csv" / "*.csv", schema=EXPORT)
    _touch(frame.with_columns(pl.col("start").str.to_datetime(CLOCK)))


def _ingest(folder: Path, kind: str, target: Path) -> None:
    from simbox.ingest import IngestOptions, estimate_rows, ingest
    from simbox.store import Store, buckets_for

    paths = sorted((folder / kind).glob(f"*.{kind}"))
    shutil.rmtree(target, ignore_errors=True)
    with Store.create(target, buckets_for(estimate_rows(paths))).writer() as writer:
        ingest(paths, writer, IngestOptions())


def ingest_parquet(folder: Path) -> None:
    _ingest(folder, "parquet", folder / "store")


def ingest_csv(folder: Path) -> None:
    _ingest(folder, "csv", folder / "store-csv")


def copy(folder: Path) -> None:
    """The store's columns for DuckDB, which cannot read its files.

    Uncompressed Parquet costs DuckDB as much to read as tables of its own, half of zstd.
    """
    stored_columns(folder).sink_parquet(folder / "store.parquet", compression="uncompressed")


def measure(folder: Path) -> None:
    from simbox.features import compute
    from simbox.store import Store

    target = folder / "features"
    shutil.rmtree(target, ignore_errors=True)
    compute(Store.open(folder / "store"), target)


def _duckdb(folder: Path, script: str, variables: dict[str, str | int]) -> None:
    import duckdb

    session = duckdb.connect()
    values = {"features": str(folder / f"{script}.parquet"), **variables}
    for name, value in values.items():
        session.execute(f"SET VARIABLE {name} = {value!r}")
    for name in (script, "duckdb_features"):
        session.execute((HERE / f"{name}.sql").read_text(encoding="utf-8"))


def duckdb_idiomatic(folder: Path) -> None:
    _duckdb(folder, "duckdb_idiomatic", {"events": str(folder / "parquet" / "*.parquet")})


def duckdb_tuned(folder: Path) -> None:
    from simbox.store import DAY_S, Store

    store = folder / "store"
    first = Store.open(store).manifest.first or 0
    variables = {
        "events": str(folder / "store.parquet"),
        "texts": str(store / "texts" / "*.parquet"),
        "base": first // DAY_S * DAY_S,
    }
    _duckdb(folder, "duckdb_tuned", variables)


def polars_idiomatic(folder: Path) -> None:
    import polars_idiomatic as idiomatic

    export = str(folder / "parquet" / "*.parquet")
    idiomatic.measure(export, folder / "polars_idiomatic.parquet")


def detect(folder: Path) -> None:
    from simbox import cli

    out = folder / "run"
    shutil.rmtree(out, ignore_errors=True)
    sys.argv = ["simbox", "detect", str(folder / "parquet"), "--out", str(out), "--top", "1"]
    cli.main()


def same(folder: Path) -> None:
    """Print, for each engine that left its features, how many lines differ by column."""
    from compare import differences, read

    expected = read(folder / "features")
    for engine in ("duckdb_idiomatic", "duckdb_tuned", "polars_idiomatic"):
        found = folder / f"{engine}.parquet"
        if found.exists():
            wrong = differences(expected, read(found))
            print(f"{engine}: {expected.height:,} lines, {wrong or 'all equal'}")


JOBS: dict[str, Callable[[Path], None]] = {
    "decode": decode,
    "group": group,
    "read-parquet": read_parquet,
    "read-csv": read_csv,
    "ingest-parquet": ingest_parquet,
    "ingest-csv": ingest_csv,
    "features": measure,
    "duckdb-tuned": duckdb_tuned,
    "duckdb-idiomatic": duckdb_idiomatic,
    "polars-idiomatic": polars_idiomatic,
    "detect": detect,
    "copy": copy,
    "same": same,
}


#: What a job imports, which is its start-up.
NEEDS = {
    "decode": "simbox.features",
    "group": "simbox.features",
    "ingest-parquet": "simbox.ingest.run",
    "ingest-csv": "simbox.ingest.run",
    "features": "simbox.features",
    "duckdb-tuned": "duckdb",
    "duckdb-idiomatic": "duckdb",
    "polars-idiomatic": "polars_idiomatic",
    "detect": "simbox.cli",
}


def main() -> None:
    """Run the job that the command line names."""
    job, folder = JOBS[sys.argv[1]], Path(sys.argv[2])
    importlib.import_module(NEEDS.get(sys.argv[1], "polars"))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"start_up": used.ru_utime + used.ru_stime}), flush=True)
    job(folder)


if __name__ == "__main__":
    main()
