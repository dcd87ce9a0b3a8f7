from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from small_world import GATEWAY, HEADER, ORDINARY, rows

RUN_FILES = {
    "contributions.parquet", "features.parquet", "lines.csv", "lines.parquet",
    "percentiles.parquet", "rejects.parquet", "report.html", "run.json",
}  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_gateway_comes_first_and_alone_is_an_alert(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    ended = simbox("detect", exports, "--out", tmp_path / "run")
    ranked = list(csv.DictReader(io.StringIO(ended.out)))
    assert (ranked[0]["line"], ranked[0]["status"]) == (GATEWAY, "alert")
    assert {row["status"] for row in ranked[1:]} <= {"clear", "watch"}
    assert (ended.code, ended.err) == (0, "")


def test_top_limits_what_is_printed_but_not_what_is_kept(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    ended = simbox("detect", exports, "--out", tmp_path / "run", "--top", 3)
    assert len(ended.out.splitlines()) == 1 + 3
    kept = pl.read_parquet(tmp_path / "run" / "lines.parquet")
    assert kept.height == 1 + len(ORDINARY)


def test_json_is_a_list_of_lines(simbox: Callable[..., Any], exports: Path, tmp_path: Path) -> None:
    ended = simbox("detect", exports, "--out", tmp_path / "run", "--format", "json")
    assert json.loads(ended.out)[0]["line"] == GATEWAY


@pytest.mark.parametrize("columns", [80, 100, 118, 160])
def test_table_keeps_within_the_terminal(
    simbox: Callable[..., Any],
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    ended = simbox("detect", exports, "--out", tmp_path / "run", "--format", "table")
    assert GATEWAY in ended.out
    assert "\x1b" not in ended.out
    said = [line for line in ended.out.splitlines() if str(tmp_path.parent) not in line]
    assert max(len(line) for line in said) <= columns


def test_run_folder_holds_every_table_and_the_report(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    simbox("detect", exports, "--out", tmp_path / "run")
    assert {name for name in files(tmp_path / "run") if "/" not in name} == RUN_FILES
    assert (tmp_path / "run" / "store" / "manifest.json").is_file()
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_same_input_gives_the_same_bytes(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        simbox("detect", exports, "--out", tmp_path / name, "--keep-tables")
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_second_run_replaces_the_first(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    simbox("detect", exports, "--out", run, "--keep-tables")
    simbox("detect", exports, "--out", run, "--no-store")
    assert set(files(run)) == RUN_FILES


def test_folder_of_other_things_is_not_replaced(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    ended = simbox("detect", exports, "--out", tmp_path)
    assert ended.code == 2
    assert "not ours to replace" in ended.err
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("options", "code"), [([], 0), (["--fail-on", "alert"], 3), (["--fail-on", "watch"], 3)]
)
def test_findings_end_with_exit_code_3_only_when_asked(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path, options: list[str], code: int
) -> None:
    ended = simbox("detect", exports, "--out", tmp_path / "run", *options)
    assert ended.code == code
    assert (tmp_path / "run" / "run.json").is_file()


def test_no_alert_no_exit_code_3(simbox: Callable[..., Any], tmp_path: Path) -> None:
    calls = [row for row in rows() if not row.startswith(GATEWAY)]
    (tmp_path / "quiet.csv").write_text("\n".join([HEADER, *calls]) + "\n")
    ended = simbox(
        "detect", tmp_path / "quiet.csv", "--out", tmp_path / "run", "--fail-on", "alert"
    )
    assert ended.code == 0


def test_period_takes_since_in_and_until_out(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    simbox(
        "detect", exports, "--out", tmp_path / "run", "--keep-tables",
        "--since", "2026-03-03", "--until", "2026-03-05T12:00",
    )  # fmt: skip
    start = pl.read_parquet(tmp_path / "run" / "events.parquet")["start"].dt.strftime("%F %T")
    inside = [t for t in (row.split(",")[2] for row in rows()) if t >= "2026-03-03"]
    assert sorted(start) == [t for t in inside if t < "2026-03-05 12:00:00"]


def test_kept_events_are_every_row_of_the_files(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    simbox("detect", exports, "--out", tmp_path / "run", "--keep-tables")
    events = pl.read_parquet(tmp_path / "run" / "events.parquet")
    told = events.select("line", "event_type", pl.col("start").dt.strftime("%F %T"))
    given = [tuple(row.split(",")[:3]) for row in rows()]
    assert sorted(told.rows()) == sorted(given)


def test_too_many_rejected_rows_end_with_exit_code_4_and_leave_nothing(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    good = rows()[:80]
    bad = [row.replace("2026-", "someday ") for row in rows()[80:100]]
    (tmp_path / "bad.csv").write_text("\n".join([HEADER, *good, *bad]) + "\n")
    ended = simbox("detect", tmp_path / "bad.csv", "--out", tmp_path / "run")
    assert ended.code == 4
    assert len(ended.err.splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]


def _truncated(path: Path) -> None:
    whole = gzip.compress("\n".join([HEADER, *rows()]).encode())
    path.with_suffix(".csv.gz").write_bytes(whole[: len(whole) // 2])


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "an empty file": lambda path: path.write_text(""),
    "a header only": lambda path: path.write_text(HEADER + "\n"),
    "noise": lambda path: path.write_bytes(bytes(range(256)) * 50),
    "a truncated gz": _truncated,
    "a picture": lambda path: path.with_suffix(".png").write_bytes(b"\x89PNG\r\n\x1a\n"),
    "prose": lambda path: path.write_text("Dear colleagues,\nplease find attached nothing.\n"),
    "nothing at all": lambda _: None,
}


@pytest.mark.parametrize("make", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_cdr_export_ends_in_one_line(
    simbox: Callable[..., Any], tmp_path: Path, make: Callable[[Path], object]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    make(folder / "calls.csv")
    ended = simbox("detect", folder, "--out", tmp_path / "run")
    assert ended.code in {2, 4}
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1
    assert ended.err.startswith(f"simbox: {folder}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--profile", "generic-servd"], "generic-served"),
        (["--config", "absent.toml"], "absent.toml"),
        (["--lists", "absent.csv"], "absent.csv"),
        (["--cells", "absent.csv"], "absent.csv"),
        (["--zone", "Mars/Olympus"], "Mars/Olympus"),
        (["--since", "2026-03-05", "--until", "2026-03-04"], "empty period"),
    ],
)
def test_wrong_option_names_what_is_wrong(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    ended = simbox("detect", exports, "--out", tmp_path / "run", *options)
    assert ended.code == 2
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_line_on_a_white_list_is_no_finding(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    white = tmp_path / "white.csv"
    white.write_text(f"value,kind,reason,owner,expires\n{GATEWAY},line,our probe,lab,2027-01-01\n")
    ended = simbox(
        "detect", exports, "--lists", white, "--out", tmp_path / "run", "--fail-on", "watch"
    )
    first = next(csv.DictReader(io.StringIO(ended.out)))
    assert (ended.code, first["line"], first["status"]) == (0, GATEWAY, "listed")


def test_period_without_events_is_told(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    ended = simbox("detect", exports, "--out", tmp_path / "run", "--since", "2031-01-01")
    assert ended.code == 2
    assert f"since 2031-01-01 00:00:00: all {len(rows()):,} events" in ended.err


@pytest.mark.parametrize(("cell", "said"), [("001-01-9-9", True), ("", False)])
def test_table_of_cells_that_places_nobody_is_told(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path, cell: str, said: bool
) -> None:
    known = next(c for c in rows()[0].split(",") if c.startswith("001-01-"))
    (tmp_path / "cells.csv").write_text(f"cell,lat,lon\n{cell or known},30.1,120.2\n")
    simbox("detect", exports, "--out", tmp_path / "run", "--cells", tmp_path / "cells.csv")
    notes = json.loads((tmp_path / "run" / "run.json").read_text())["notes"]
    assert any("compare their spellings" in note for note in notes) == said
