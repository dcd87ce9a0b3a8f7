"""The benchmark: what simbox costs against the floors and against other engines, in one run.

``python tests/benchmarks/run.py --rows 10000000`` generates the data when absent, then runs every
job in a process of its own, in turn, several times, and prints medians and ratios.  Seconds are
CPU seconds, user and system, less start-up; compare ratios, not seconds.  It asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
GIB = 1024**2  # in the kilobytes that the system counts in
LARGE = 10_000_000
WHAT = {
    "decode": "floor A: decode the stored columns (polars)",
    "group": "floor B: decode and one group_by per line (polars)",
    "read-parquet": "floor: decode the raw Parquet (polars)",
    "read-csv": "floor: read the CSV with types (polars)",
    "ingest-parquet": "simbox: raw Parquet to store",
    "ingest-csv": "simbox: CSV to store",
    "features": "simbox: store to features",
    "duckdb-tuned": "DuckDB SQL tuned by hand, from the store",
    "duckdb-idiomatic": "DuckDB SQL, idiomatic, from raw Parquet",
    "polars-idiomatic": "polars, idiomatic, from raw Parquet",
    "detect": "simbox detect, raw Parquet to ranked lines",
}


@dataclass(frozen=True)
class Cost:
    """What one run of a job took."""

    cpu: float  # seconds, less start-up
    start_up: float  # CPU seconds
    wall: float  # seconds, with start-up
    peak: int  # KiB


@dataclass(frozen=True)
class Ratio:
    """A ratio that the project promises, and the value to reach."""

    name: str
    value: float
    target: float
    at_most: bool

    @property
    def reached(self) -> bool:
        return self.value <= self.target if self.at_most else self.value >= self.target


def run(job: str, folder: Path) -> Cost:
    """Run a job in its own process, alone."""
    command = [sys.executable, str(HERE / "engines.py"), job, str(folder)]
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, env=_environment())
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begun
        if process.returncode:
            sys.exit(f"{job}: ended with exit code {process.returncode}")
        said.seek(0)
        start_up = json.loads(said.readline())["start_up"]
    return Cost(used.ru_utime + used.ru_stime - start_up, start_up, wall, used.ru_maxrss)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)])}


def prepare(rows: int, work: Path, jobs: list[str]) -> tuple[Path, dict[str, list[Cost]]]:
    """The folder of the data, generated when absent, with a store; and what the store cost."""
    folder = work / f"rows-{rows}"
    csv = any("csv" in job for job in jobs)
    for kind in ("parquet", "csv") if csv else ("parquet",):
        if not (folder / kind).is_dir():
            generate = [str(HERE / "generate.py"), "--rows", str(rows), "--format", kind]
            subprocess.run(
                [sys.executable, *generate, "--out", str(folder)], check=True, env=_environment()
            )
    costs = {"ingest-parquet": [run("ingest-parquet", folder)]}
    if "duckdb-tuned" in jobs:
        run("copy", folder)
    return folder, costs


def measure(
    folder: Path, jobs: list[str], repeat: int, known: dict[str, list[Cost]]
) -> dict[str, Cost]:
    """The median cost of each job over several rounds of all jobs; known costs are not repeated."""
    rounds = {job: known.get(job, []) for job in jobs}
    for number in range(1, repeat + 1):
        for job in jobs:
            if len(rounds[job]) < number:
                rounds[job].append(run(job, folder))
            print(f"round {number}: {job} {rounds[job][-1].cpu:.2f} s", file=sys.stderr)
    return {
        job: Cost(
            median(c.cpu for c in costs),
            median(c.start_up for c in costs),
            median(c.wall for c in costs),
            max(c.peak for c in costs),
        )
        for job, costs in rounds.items()
    }


def ratios(costs: dict[str, Cost], rows: int) -> list[Ratio]:
    """The promised ratios that the measured jobs can give."""
    times = [
        ("DuckDB idiomatic / features", "duckdb-idiomatic", "features", 2.5, False),
        ("DuckDB tuned / features", "duckdb-tuned", "features", 1.3, False),
        ("polars idiomatic / features", "polars-idiomatic", "features", 4.0, False),
        ("features / floor B", "features", "group", 6.0, True),
        ("ingest Parquet / features", "ingest-parquet", "features", 1.2, True),
        ("ingest CSV / typed CSV read", "ingest-csv", "read-csv", 2.5, True),
    ]
    found = [
        Ratio(name, costs[top].cpu / costs[bottom].cpu, target, at_most)
        for name, top, bottom, target, at_most in times
        if top in costs and bottom in costs
    ]
    room = 0.7 if rows <= LARGE else 1.2
    peaks = {job: costs[job].peak / GIB for job in costs if WHAT[job].startswith("simbox")}
    return found + [Ratio(f"peak GiB, {job}", at, room, at_most=True) for job, at in peaks.items()]


def growth(found: dict[int, dict[str, Cost]]) -> list[Ratio]:
    """Cost an event of each larger size against the largest of at most ten million."""
    base = max((rows for rows in found if rows <= LARGE), default=None)
    return [
        Ratio(f"{job}: cost an event, {rows:,} / {base:,} rows",
              found[rows][job].cpu / rows / (found[base][job].cpu / base), 1.3, at_most=True)
        for rows in found
        if base is not None and rows > base
        for job in ("features", "ingest-parquet", "detect")
        if job in found[rows] and job in found[base]
    ]  # fmt: skip


def show(rows: int, costs: dict[str, Cost]) -> None:
    """Print the table of one size."""
    print(f"\n{rows:,} rows asked for; medians; CPU s less start-up\n")
    print(
        f"{'job':52} {'CPU s':>8} {'start-up':>8} {'wall s':>8} {'rows/CPU s':>11} {'peak MB':>8}"
    )
    for job, cost in costs.items():
        speed = rows / cost.cpu
        print(
            f"{WHAT[job]:52} {cost.cpu:8.2f} {cost.start_up:8.2f} {cost.wall:8.2f} "
            f"{speed:11,.0f} {cost.peak / 1024:8,.0f}"
        )


def show_ratios(found: list[Ratio]) -> None:
    """Print ratios against their targets."""
    print(f"\n{'ratio':58} {'value':>6}  target    reached")
    for ratio in found:
        sign = "<=" if ratio.at_most else ">="
        reached = "yes" if ratio.reached else "NO"
        print(f"{ratio.name:58} {ratio.value:6.2f}  {sign} {ratio.target:<5}  {reached}")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[LARGE])
    parser.add_argument("--only", nargs="+", choices=list(WHAT), default=list(WHAT))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "simbox-bench")
    given = parser.parse_args()
    found: dict[int, dict[str, Cost]] = {}
    for rows in given.rows:
        folder, known = prepare(rows, given.work, given.only)
        found[rows] = measure(folder, given.only, given.repeat, known)
        show(rows, found[rows])
        show_ratios(ratios(found[rows], rows))
        if "features" in given.only:
            command = [sys.executable, str(HERE / "engines.py"), "same", str(folder)]
            said = subprocess.run(command, check=True, capture_output=True, env=_environment())
            print("\nlines that differ from simbox's, by column:")
            print("\n".join(said.stdout.decode().splitlines()[1:]) or "no other engine ran")
    if len(found) > 1:
        show_ratios(growth(found))


if __name__ == "__main__":
    main()
