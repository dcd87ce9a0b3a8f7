"""What the search for rooms costs against the features of lines, and how it grows with a cell.

``python tests/benchmarks/sites.py --lines 120000 --work DIR`` simulates a country when DIR holds
none, then runs every job in a process of its own, several times, and prints the least of each.
Seconds are CPU seconds, user and system, less start-up; compare ratios, not seconds.
``--largest 50000`` puts so many suspicious lines into one cell of an empty country, and fractions
of them before.  It asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).parent
GIB = 1024**2  # in the kilobytes that the system counts in
JOBS = {
    "load": "floor: decode the columns that sites need",
    "features": "features of all lines",
    "sites": "links, communities, scores of sites",
    "inherit": "what lines inherit, written anew",
}


@dataclass(frozen=True)
class Cost:
    """What one run of a job took."""

    cpu: float  # seconds, less start-up
    peak: int  # KiB
    said: str


def prepare(folder: Path, lines: int, days: int, seed: int) -> None:
    """A simulated country, its store, and the scores of its lines."""
    from simbox.config import load
    from simbox.features import compute
    from simbox.ingest import IngestOptions, estimate_rows, ingest
    from simbox.pipeline import families
    from simbox.scoring import score_file, scorecard
    from simbox.store import Store, buckets_for

    if not (folder / "world").exists():
        _simulate(folder / "world", lines, days, seed)
    if (folder / "scored.parquet").exists():
        return
    paths = sorted((folder / "world").glob("cdr_*"))
    shutil.rmtree(folder / "store", ignore_errors=True)
    store = Store.create(folder / "store", buckets_for(estimate_rows(paths)))
    with store.writer() as writer:
        ingest(paths, writer, IngestOptions(profile=folder / "world" / "profile.toml"))
    measured = compute(store, folder / "parts", None)
    measured.table().sink_parquet(folder / "features.parquet", maintain_order=True)
    card = scorecard(load(), families())
    scored = score_file(folder / "features.parquet", folder / "contributions.parquet", card)
    scored.lines.write_parquet(folder / "scored.parquet")


def _simulate(target: Path, lines: int, days: int, seed: int) -> None:
    from simbox.cli._worlds import one_profile
    from simbox.simulation.plan import Plan
    from simbox.simulation.writing import Target, write

    plan = Plan(people=lines, days=days, first_day=date(2025, 3, 3), zone="Asia/Shanghai",
                seed=seed)  # fmt: skip
    write(plan, Target(target, one_profile("generic-served"), None, "benchmark"))


def load_only(folder: Path) -> str:
    from simbox.features.events import COLUMNS
    from simbox.store import Store

    store = Store.open(folder / "store")
    return f"{sum(frame.height for frame in store.each_bucket(COLUMNS)):,} events"


def features(folder: Path) -> str:
    from simbox.features import compute
    from simbox.store import Store

    shutil.rmtree(folder / "again", ignore_errors=True)
    compute(Store.open(folder / "store"), folder / "again", None)
    return ""


def sites(folder: Path, *, inheriting: bool = False) -> str:
    import polars as pl

    from simbox.config import load
    from simbox.pipeline.sites import find_sites, inherit, site_families
    from simbox.scoring import Scored
    from simbox.scoring.grades import NO_KNOTS
    from simbox.scoring.sites.score import site_scorecard
    from simbox.store import Store

    config = load()
    work = folder / "work"
    work.mkdir(exist_ok=True)
    shutil.copy(folder / "contributions.parquet", work)
    lines = pl.read_parquet(folder / "scored.parquet")
    scored = Scored(lines, pl.scan_parquet(work / "contributions.parquet"), NO_KNOTS, ())
    card = site_scorecard(config, site_families())
    found = find_sites(Store.open(folder / "store"), scored, card, config, None)
    if found is None:
        return "no site"
    if inheriting:
        inherit(scored, found, config, work)
    told = found.sites["status"].cast(pl.String).value_counts().sort("status")
    return ", ".join(f"{count} {name}" for name, count in told.iter_rows())


def crowd(lines: int) -> str:
    """All suspicious lines of a country in one cell."""
    sys.path.insert(0, str(HERE.parent / "features" / "sites"))
    from dense_traffic import dense

    from simbox.features.sites.network import network
    from simbox.scoring.sites.communities import Links, communities

    links = network(dense(lines, calls=10, days=7), dense(2_000, 200, calls=10, days=7, seed=2))
    kept = len(links.pairs)
    communities(Links(links.pairs.low, links.pairs.high, links.nats), lines)
    return f"{kept:,} pairs kept, {kept / lines:.0f} a line"


def run(job: str, given: str) -> Cost:
    """Run a job in its own process, alone."""
    command = [sys.executable, __file__, "--job", job, "--given", given]
    path = os.pathsep.join([str(HERE.parents[1]), str(HERE)])
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    return Cost(told["cpu"], told["peak"], told["said"])


def _in_this_process(job: str, given: str) -> None:
    import simbox.pipeline.sites  # noqa: F401  # start-up is not what is measured

    work: dict[str, Callable[[], str]] = {
        "load": partial(load_only, Path(given)),
        "features": partial(features, Path(given)),
        "sites": partial(sites, Path(given)),
        "inherit": partial(sites, Path(given), inheriting=True),
        "crowd": lambda: crowd(int(given)),
    }
    before = _cpu()
    said = work[job]()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"cpu": _cpu() - before, "peak": peak, "said": said}))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _least(job: str, given: str, repeats: int) -> Cost:
    return min((run(job, given) for _ in range(repeats)), key=lambda cost: cost.cpu)


def compare(folder: Path, repeats: int) -> None:
    """Print what each job costs, and the ratio that the project promises."""
    costs = {job: _least(job, str(folder), repeats) for job in JOBS}
    for job, doc in JOBS.items():
        cost = costs[job]
        print(f"{cost.cpu:8.1f} s {cost.peak / GIB:6.2f} GiB  {doc}  {cost.said}")
    ratio = costs["inherit"].cpu / costs["features"].cpu
    print(f"sites over features: {ratio:.2f} (at most 1.0)")


def growth(largest: int, repeats: int) -> None:
    """Print how the cost grows with the lines of one cell."""
    for lines in (largest // 16, largest // 4, largest):
        cost = _least("crowd", str(lines), repeats)
        print(f"{cost.cpu:8.1f} s {cost.peak / GIB:6.2f} GiB  {lines:,} suspicious lines in one "
              f"cell, {1e3 * cost.cpu / lines:.2f} ms a line; {cost.said}")  # fmt: skip


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=120_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--largest", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--given", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        _in_this_process(given.job, given.given)
        return
    if given.work:
        # A process of its own: a job's peak counts what the one that starts it has used.
        what = (given.work, given.lines, given.days, given.seed)
        made = get_context("spawn").Process(target=prepare, args=what)
        made.start()
        made.join()
        if made.exitcode:
            sys.exit(f"no world to measure: ended with exit code {made.exitcode}")
        compare(given.work, given.repeats)
    if given.largest:
        growth(given.largest, given.repeats)


if __name__ == "__main__":
    main()
