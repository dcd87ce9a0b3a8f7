import subprocess
import sys
from pathlib import Path

import pytest
from run import Cost, growth, ratios


def cost(cpu: float, peak_gib: float = 0.1) -> Cost:
    return Cost(cpu=cpu, start_up=0.3, wall=cpu, peak=int(peak_gib * 1024**2))


@pytest.mark.parametrize(("tuned", "reached"), [(13.0, True), (12.9, False)])
def test_a_rival_must_cost_the_ratio_more(tuned: float, reached: bool) -> None:
    (ratio, _) = ratios({"features": cost(10), "duckdb-tuned": cost(tuned)}, 10_000_000)
    assert ratio.reached == reached


@pytest.mark.parametrize(("rows", "reached"), [(10_000_000, False), (50_000_000, True)])
def test_peak_memory_may_be_larger_for_more_rows(rows: int, reached: bool) -> None:
    (ratio,) = ratios({"features": cost(10, peak_gib=1.0)}, rows)
    assert ratio.reached == reached


def test_growth_compares_the_cost_of_an_event() -> None:
    (ratio,) = growth({10_000_000: {"features": cost(10)}, 50_000_000: {"features": cost(60)}})
    assert ratio.value == pytest.approx(1.2)


def test_jobs_that_were_not_measured_give_no_ratio() -> None:
    assert ratios({"decode": cost(1)}, 10_000_000) == []


@pytest.mark.slow
def test_a_small_run_prints_costs_ratios_and_that_results_are_the_same(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    command = [sys.executable, Path(__file__).with_name("run.py"), "--rows", "30000"]
    done = subprocess.run(
        [*command, "--repeat", "1", "--work", tmp_path], capture_output=True, text=True, check=True
    )
    assert "DuckDB tuned / features" in done.stdout
    assert "duckdb_tuned: " in done.stdout
    assert "all equal" in done.stdout
