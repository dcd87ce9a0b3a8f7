"""Make captures/fengxian/: a week of CDRs of an invented county with one rented cottage.

Run ``python captures/make_fengxian.py``; the same seed gives the same rows.
"""

from __future__ import annotations

import argparse
import gzip
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from lab import manifest
from village.calls import legs, one_call_at_a_time
from village.cottage import CARDS, cottage
from village.firms import call_centre, couriers, dispatcher, machines, school, traders
from village.identities import SENDERS, TOWN_SITES, VILLAGE_SITES, Rng, cell_names, cells_of, sims
from village.lines import DAYS, Lines, together
from village.people import people, service_texts, their_calls
from village.uplinks import access_link

SEED = 20250310
MONDAY = date(2025, 3, 10)
ZONE = "Asia/Shanghai"
ORDINARY, AGENTS, RIDERS, MODEMS, TRADERS, PARENTS = 1480, 12, 10, 2, 8, 150
COLUMNS = (
    "msisdn",
    "event_type",
    "start",
    "duration",
    "other",
    "answered",
    "imsi",
    "imei",
    "cell",
    "cause",
)
#: Real feeds have holes, blocks sent twice and emergency calls without a card.
CELL_MISSING, IMEI_MISSING, WITHHELD, SENT_TWICE, WITHOUT_CARD = 0.003, 0.004, 0.004, 12, 3


def county(rng: Rng) -> tuple[Lines, pl.DataFrame]:
    """All lines and everything they did."""
    pool = sims(rng, 2000)
    villagers = people(rng, pool.slice(0, ORDINARY))
    numbers, town = villagers.lines.number, cells_of(TOWN_SITES)
    groups = [(villagers.lines, their_calls(rng, villagers))]
    groups.append(call_centre(rng, pool.slice(1500, AGENTS), town[6:9]))
    groups.append(couriers(rng, pool.slice(1520, RIDERS), numbers))
    groups.append(dispatcher(rng, pool.slice(1540, 1), int(town[1])))
    farms, farmers = rng.choice(cells_of(VILLAGE_SITES), MODEMS), rng.choice(numbers, MODEMS)
    groups.append(machines(rng, pool.slice(1550, MODEMS), farms, farmers))
    parents = rng.choice(numbers, PARENTS, replace=False)
    groups.append(school(rng, pool.slice(1560, 1), int(cells_of(VILLAGE_SITES)[4]), parents))
    groups.append(traders(rng, pool.slice(1570, TRADERS)))
    notices = [service_texts(rng, lines, 1.6) for lines, _ in groups[1:]]
    home = int(cells_of(VILLAGE_SITES)[16])
    victims = rng.choice(numbers, 6, replace=False)
    groups.append(cottage(rng, pool.slice(1600, CARDS), home, victims))
    everybody, events = zip(*groups, strict=True)
    return together(*everybody), one_call_at_a_time(rng, pl.concat([*events, *notices]))


def export(rng: Rng, rows: pl.DataFrame, cells: list[str]) -> pl.DataFrame:
    """The legs as the carrier's mediation writes them, in the order of time."""
    text = rows["event_type"].str.starts_with("SMS")
    other = pl.col("other").cast(pl.String).replace({str(k): v for k, v in SENDERS.items()})
    withheld = (rows["event_type"] == "MTC") & _some(rng, rows, WITHHELD)
    midnight = datetime(MONDAY.year, MONDAY.month, MONDAY.day)  # noqa: DTZ001  # local time
    return rows.select(
        msisdn=pl.col("own").cast(pl.String),
        event_type="event_type",
        start=pl.lit(midnight) + pl.duration(seconds=pl.col("start").cast(pl.Int64)),
        duration=pl.when(~text).then("talk"),
        other=pl.when(~withheld).then(other),
        answered=pl.when(~text).then(pl.col("answered").cast(pl.Int8)),
        imsi=pl.col("imsi").cast(pl.String).str.zfill(15),
        imei=pl.when(~_some(rng, rows, IMEI_MISSING)).then(
            pl.col("imei").cast(pl.String).str.zfill(15)
        ),
        cell=pl.when(~_some(rng, rows, CELL_MISSING)).then(
            pl.Series(np.array(cells)[rows["cell"]])
        ),
        cause=pl.when(~text).then("cause"),
    ).sort("start", *(c for c in COLUMNS if c != "start"))


def _some(rng: Rng, rows: pl.DataFrame, share: float) -> pl.Series:
    return pl.Series(rng.random(len(rows)) < share)


def with_blemishes(rng: Rng, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with a block sent twice and emergency calls of phones without a card."""
    twice = rows.slice(int(rng.integers(0, len(rows) - SENT_TWICE)), SENT_TWICE)
    spoken = rows.filter((pl.col("event_type") == "MOC") & pl.col("imei").is_not_null())
    urgent = spoken[rng.choice(len(spoken), WITHOUT_CARD, replace=False).tolist()]
    nobody = urgent.with_columns(
        msisdn=pl.lit(None, pl.String), imsi=pl.lit(None, pl.String), other=pl.lit("112")
    )
    blemished: pl.DataFrame = pl.concat([rows, twice, nobody])
    return blemished.sort("start", maintain_order=True)


def write(rows: pl.DataFrame, truth: pl.DataFrame, folder: Path) -> list[Path]:
    """One gzip file a day and, outside of their folder, what each line really is."""
    feed = folder / "fengxian"
    feed.mkdir(parents=True, exist_ok=True)
    paths = []
    for day in range(DAYS):
        date_ = MONDAY + timedelta(days=day)
        text = rows.filter(pl.col("start").dt.date() == date_).write_csv(
            datetime_format="%Y-%m-%d %H:%M:%S"
        )
        paths.append(feed / f"cdr_{date_:%Y%m%d}.csv.gz")
        paths[-1].write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    paths.append(folder / "fengxian-truth.csv")
    truth.write_csv(paths[-1])
    return paths


def section(paths: list[Path], folder: Path, rows: int) -> str:
    """The manifest's section: what was made, how, and the digest of each file."""
    head: dict[str, manifest.Value] = {
        "what": "seven days of served-party CDRs of an invented county, one rented cottage among "
        "them, and ten minutes of the cottage's uplinks",
        "made_by": "captures/make_fengxian.py",
        "seed": SEED,
        "zone": ZONE,
        "rows": rows,
        "ingest": "fengxian",
        "labels": "fengxian-truth.csv",
        "hosts": "fengxian-hosts-truth.csv",
    }
    files = [
        manifest.table(
            "fengxian.files",
            {"path": path.relative_to(folder).as_posix(), "sha256": manifest.digest(path)},
            many=True,
        )
        for path in paths
    ]
    return "\n".join([manifest.table("fengxian", head), *files])


def make(folder: Path) -> None:
    """Write the whole capture into the folder."""
    rng = np.random.default_rng(SEED)
    cells = cell_names(rng)
    everybody, events = county(rng)
    rows = export(rng, legs(rng, events, everybody), cells)
    whole, rows = rows, with_blemishes(rng, rows)
    truth = pl.DataFrame({"line": everybody.number, "kind": everybody.kind}).sort("line")
    paths = write(rows, truth, folder)
    midnight = datetime(MONDAY.year, MONDAY.month, MONDAY.day)  # noqa: DTZ001  # local time
    cottage_lines = everybody.at(everybody.kind == "gateway")
    paths += access_link(folder, midnight, cottage_lines, whole)
    manifest.write(folder / "manifest.toml", "fengxian", section(paths, folder, len(rows)))


def main() -> None:
    """Make the capture where the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="target folder")
    make(parser.parse_args().out)


if __name__ == "__main__":
    main()
