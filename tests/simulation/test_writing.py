"""The folder of a world: its files, its labels, and what happens when something goes wrong."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hand_made_world import FIXED, MOBILE, PLAN, hand_made

from ingest.reading import read
from simbox.errors import UsageError
from simbox.ingest.cdr.profile import Profile, load_all, parse
from simbox.ingest.cells import load_cells
from simbox.simulation.writing import Target, records, write_world
from simbox.simulation.writing.spelling import NEAREST, cause_spellings

NAMES = sorted(load_all())


def written(folder: Path, name: str = "generic-served", form: str | None = None) -> Path:
    out = folder / "out"
    write_world(PLAN, Target(out, load_all()[name], form, "9.9"), hand_made)
    return out


def test_labels_name_every_line_its_kind_and_its_site(tmp_path: Path) -> None:
    truth = pl.read_csv(written(tmp_path) / "truth.csv", infer_schema=False)
    assert truth.columns == ["line", "kind", "site"]
    assert truth.height == MOBILE + FIXED
    assert truth["line"].is_sorted()
    inside = truth.filter(pl.col("site") == "room-1")
    assert inside["kind"].to_list() == ["gateway/room"] * 5
    lines = hand_made().lines.filter(pl.col("site").is_not_null())
    assert set(inside["line"]) == set(lines["number"].cast(pl.String))
    assert truth.filter(pl.col("site").is_null())["kind"].unique().to_list() == ["ordinary/person"]


def test_sites_are_told_with_ports_cells_and_shifts(tmp_path: Path) -> None:
    sites = pl.read_csv(written(tmp_path) / "sites.csv", infer_schema=False)
    cells = hand_made().country.names
    assert sites.to_dicts() == [
        {
            "site": "room-1",
            "kind": "gateway/room",
            "lines": "5",
            "ports": "4",
            "cells": f"{cells[0]} {cells[1]} {cells[5]}",
            "shifts": "2025-03-03T09:00/2025-03-03T17:30 2025-03-04T09:00/2025-03-04T17:00",
        },
        {"site": "room-2", "kind": "gateway/room", "lines": "0", "ports": "1"}
        | {"cells": None, "shifts": None},
    ]


@pytest.mark.parametrize("name", NAMES)
def test_labels_and_cells_use_the_names_of_the_records(name: str, tmp_path: Path) -> None:
    out = written(tmp_path, name)
    found = read(sorted(out.glob("cdr*")), tmp_path, profile=out / "profile.toml").events
    truth = pl.read_csv(out / "truth.csv", infer_schema=False)
    assert set(found["line"]) <= set(truth["line"])
    table = load_cells(out / "cells.csv")
    assert (table.bad, table.moved, table.repeated) == (0, 0, 0)
    assert set(found["cell"].drop_nulls()) <= set(table.cells["cell"])
    sites = pl.read_csv(out / "sites.csv", infer_schema=False)
    assert set(sites["cells"][0].split()) <= set(table.cells["cell"])


def test_record_of_the_world_says_how_it_was_made(tmp_path: Path) -> None:
    out = written(tmp_path)
    record = json.loads((out / "world.json").read_text())
    assert record["plan"]["seed"] == PLAN.seed
    assert record["plan"]["first_day"] == "2025-03-03"
    assert (record["profile"], record["format"]) == ("generic-served", "parquet")
    assert record["versions"]["simbox"] == "9.9"
    assert record["lines"] == {"gateway/room": 5, "ordinary/person": MOBILE + FIXED - 5}
    counts = record["counts"]
    rows = sum(pl.read_parquet(file).height for file in out.glob("*.parquet"))
    assert (counts["rows"], counts["files"], counts["sites"]) == (rows, 2, 2)
    assert counts["calls"] + counts["texts"] == 600


@pytest.mark.parametrize("name", ["generic-served", "generic-call"])
def test_long_days_are_cut_into_numbered_files_that_follow_in_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whole").mkdir()
    whole = pl.read_parquet(written(tmp_path / "whole", name) / "*.parquet")
    monkeypatch.setattr(records, "SLICE_ROWS", 200)
    files = sorted(written(tmp_path, name).glob("*.parquet"))
    parts = 3 if name == "generic-served" else 2
    days = ("20250303", "20250304")
    assert [f.stem for f in files] == [
        f"cdr_{day}_{part:02d}" for day in days for part in range(1, parts + 1)
    ]
    assert all(0 < pl.read_parquet(file).height <= 200 for file in files)
    cut = pl.concat([pl.read_parquet(file) for file in files])
    assert cut["start"].is_sorted()
    assert cut.sort(pl.all()).equals(whole.sort(pl.all()))


def test_legs_of_one_second_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    rows = pl.read_parquet(written(tmp_path) / "*.parquet")
    assert rows["start"].is_duplicated().any()
    assert rows.select("start", "line").equals(rows.select("start", "line").sort("start", "line"))


def test_compressed_text_holds_what_plain_text_holds(tmp_path: Path) -> None:
    plain = written(tmp_path, "cisco-cucm", "csv")
    (tmp_path / "packed").mkdir()
    packed = written(tmp_path / "packed", "cisco-cucm", "csv.gz")
    for file in plain.glob("cdr*"):
        other = packed / f"{file.name}.gz"
        assert gzip.decompress(other.read_bytes()) == file.read_bytes()
        names, types, *rows = file.read_text().splitlines()
        assert names.count(",") == types.count(",") == rows[0].count(",")
        assert set(types.split(",")) == {"INTEGER", "VARCHAR(50)"}


def test_nothing_is_left_of_a_world_that_could_not_be_written(tmp_path: Path) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_world(PLAN, Target(tmp_path / "out", load_all()["generic-call"]), broken)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert (written(tmp_path) / "truth.csv").is_file()


def test_one_file_a_line_is_refused_for_too_many_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_FILES", 10)
    with pytest.raises(UsageError, match="one file a line, and the world has 66 lines; ask for"):
        written(tmp_path, "bandicoot")
    assert list(tmp_path.iterdir()) == []


def test_profile_that_no_form_fits_is_refused(tmp_path: Path) -> None:
    profile = load_all()["generic-call"].model_copy(update={"format": ("jsonl",)})
    with pytest.raises(UsageError, match="reads jsonl, which is not written"):
        write_world(PLAN, Target(tmp_path / "out", profile), hand_made)


@pytest.mark.parametrize("system", ["sip", "names", "q850"])
def test_every_cause_has_a_spelling_that_says_whether_the_call_was_taken(system: str) -> None:
    profile = Profile(name="causes", causes=system)  # type: ignore[arg-type]
    spelled = cause_spellings(profile, with_answers=False)
    assert set(spelled) == set(NEAREST)
    assert spelled[16] not in [text for cause, text in spelled.items() if cause != 16]


def test_times_in_a_zone_with_summer_are_read_back(tmp_path: Path) -> None:
    plan = replace(PLAN, zone="Europe/Paris")
    text = 'name = "p"\n[columns]\nline = "l"\nother = "o"\nstart = "s"\nevent_type = "k"\n'
    zoned = parse(text + '[time]\nformats = ["%Y-%m-%dT%H:%M:%S%:z"]\n', "p.toml")
    epoch = parse(text + '[time]\nformats = ["epoch_ms"]\n', "p.toml")
    found = []
    for name, profile in (("zoned", zoned), ("epoch", epoch)):
        out = tmp_path / name
        write_world(plan, Target(out, profile), hand_made)
        got = read(sorted(out.glob("cdr*")), tmp_path / f"{name}-run", profile=out / "profile.toml")
        found.append(got.events.drop("row").sort(pl.all()))
    assert found[0].equals(found[1])
    assert set(found[0]["offset"]) == {4}  # quarters of an hour, in March
