import gzip
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest

from plain_captures import luhn_sum

CAPTURES = Path(__file__).parents[2] / "captures"
README = (CAPTURES / "README.md").read_text(encoding="utf-8")
MANIFEST = tomllib.loads((CAPTURES / "manifest.toml").read_text(encoding="utf-8"))["county"]
FILES = {entry["path"]: entry["sha256"] for entry in MANIFEST["files"]}
RECORDS = [path for path in FILES if path.endswith(".csv.gz")]
LARGEST = 4_000_000  # bytes; it travels with the project
FOUR_BOXES = 25  # ports that three boxes of eight have no room for


def content(path: Path) -> object:
    # builds of zlib wrap the same rows in different bytes, and versions are those in use
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".json":
        world = json.loads(path.read_text(encoding="utf-8"))
        return {name: told for name, told in world.items() if name != "versions"}
    return path.read_bytes()


def table(name: str) -> pl.DataFrame:
    return pl.read_csv(CAPTURES / MANIFEST[name], infer_schema=False)


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return pl.concat([pl.read_csv(CAPTURES / path, infer_schema=False) for path in RECORDS])


@pytest.fixture(scope="module")
def made_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures")
    command = [sys.executable, str(CAPTURES / "make_county.py"), "--out", str(folder)]
    subprocess.run(command, check=True)
    return folder


@pytest.mark.parametrize("path", FILES)
def test_file_has_the_digest_of_the_manifest(path: str) -> None:
    assert hashlib.sha256((CAPTURES / path).read_bytes()).hexdigest() == FILES[path]


@pytest.mark.parametrize("path", FILES)
def test_script_makes_the_same_rows_again(path: str, made_again: Path) -> None:
    assert content(made_again / path) == content(CAPTURES / path)


def test_script_writes_its_section_of_the_manifest_only(made_again: Path) -> None:
    written = tomllib.loads((made_again / "manifest.toml").read_text(encoding="utf-8"))
    assert set(written) == {"county"}
    assert {k: v for k, v in written["county"].items() if k != "files"} == {
        k: v for k, v in MANIFEST.items() if k != "files"
    }


def test_folder_holds_the_files_of_the_manifest_and_no_others() -> None:
    found = {p.relative_to(CAPTURES).as_posix() for p in (CAPTURES / "county").iterdir()}
    assert found == set(FILES)


def test_sample_is_small_enough_to_travel_with_the_project() -> None:
    assert sum((CAPTURES / path).stat().st_size for path in FILES) <= LARGEST


def test_readme_gives_the_command_of_the_manifest() -> None:
    assert f"\n    {MANIFEST['command']}\n" in README
    assert f"--seed {MANIFEST['seed']} " in MANIFEST["command"]


def test_rows_are_as_many_as_the_manifest_says_and_in_the_order_of_time(rows: pl.DataFrame) -> None:
    assert rows.height == MANIFEST["rows"]
    assert rows["start"].is_sorted()
    assert rows["start"].str.head(10).n_unique() == len(RECORDS) == 7


@pytest.mark.parametrize(
    ("column", "labels"), [("line", "labels"), ("cell", "cells")], ids=["label", "place"]
)
def test_every_line_has_a_label_and_every_cell_a_place(
    column: str, labels: str, rows: pl.DataFrame
) -> None:
    seen = rows.select(pl.col(column).drop_nulls().unique())
    assert seen.join(table(labels), on=column, how="anti").is_empty()


@pytest.mark.parametrize(
    ("column", "pattern"),
    [
        ("line", r"^999(13|21)\d{9}$"),
        ("other", r"^(999\d{11}|99[78]\d{9}|\d{3,8})$"),
        ("imsi", r"^00101\d{10}$"),
        ("imei", r"^00100[0-6]\d{9}$"),
        ("cell", r"^001-01-\d{4}-\d{5}$"),
    ],
)
def test_identities_are_invented(column: str, pattern: str, rows: pl.DataFrame) -> None:
    there = rows[column].drop_nulls()
    assert there.len() > 0
    assert there.filter(~there.str.contains(pattern)).to_list() == []


def test_handsets_have_the_check_digit_but_for_a_few_that_were_made_up(rows: pl.DataFrame) -> None:
    handsets = rows["imei"].drop_nulls().unique().to_list()
    wrong = [imei for imei in handsets if luhn_sum(imei) % 10]
    assert len(wrong) < 0.02 * len(handsets)


@pytest.mark.parametrize("kind", ["shift", "rotation", "human_like", "vehicle", "fxo"])
def test_room_of_each_sort_works_on_two_days_and_calls(kind: str, rows: pl.DataFrame) -> None:
    (room,) = table("sites").filter(pl.col("kind") == f"gateway/{kind}").to_dicts()
    lines = table("labels").filter(pl.col("site") == room["site"])
    assert lines.height == int(room["lines"])
    calls = rows.filter(pl.col("event_type") == "MOC").join(lines, on="line", how="semi")
    assert calls["line"].n_unique() >= int(room["ports"]) >= 4
    assert len({shift[:10] for shift in room["shifts"].split()}) >= 2


def test_cottage_needs_four_boxes_and_works_eight_hours_a_day() -> None:
    (cottage,) = table("sites").filter(pl.col("kind") == "gateway/shift").to_dicts()
    assert int(cottage["ports"]) >= FOUR_BOXES
    shifts = pl.Series(cottage["shifts"].split()).str.split_exact("/", 1).struct.unnest()
    begin, end = (shifts[name].str.to_datetime("%Y-%m-%dT%H:%M") for name in shifts.columns)
    assert len(begin) >= 3
    assert (end - begin).dt.total_minutes().is_between(450, 510).all()


def test_boxes_on_fixed_lines_show_no_cell_handset_or_text(rows: pl.DataFrame) -> None:
    fixed = table("labels").filter(pl.col("kind") == "gateway/fxo")
    seen = rows.join(fixed, on="line", how="semi")
    assert seen.height > 100
    assert seen.select(pl.col("imsi", "imei", "cell").is_null().all()).row(0) == (True,) * 3
    assert set(seen["event_type"]) == {"MOC", "MTC"}


def test_readme_counts_the_lines_of_each_kind() -> None:
    kinds = dict(table("labels")["kind"].value_counts().iter_rows())
    lookalikes = {kind: count for kind, count in kinds.items() if kind.startswith("lookalike/")}
    ordinary = sum(count for kind, count in kinds.items() if kind.startswith("ordinary/"))
    told = re.findall(r"\| `(lookalike/\w+|ordinary/\*)` \| ([\d,]+) \|", README)
    assert {kind: int(count.replace(",", "")) for kind, count in told} == {
        **lookalikes,
        "ordinary/*": ordinary,
    }


def test_readme_counts_the_lines_and_ports_of_each_room() -> None:
    rooms = table("sites").filter(pl.col("kind").str.starts_with("gateway/"))
    told = re.findall(r"\| `(\w+-\d)` \| (\d+) \| (\d+) \|", README)
    assert sorted(told) == sorted(rooms.select("site", "lines", "ports").rows())


@pytest.mark.slow
def test_commands_of_the_readme_rank_the_sample_and_find_its_labels(
    rows: pl.DataFrame, tmp_path: Path
) -> None:
    run, figures = tmp_path / "run", tmp_path / "figures.json"
    extras = ["--profile", MANIFEST["profile"], "--cells", MANIFEST["cells"], "--out", str(run)]
    for command in (
        ["detect", *RECORDS, *extras],
        ["evaluate", str(run), "--json", str(figures)],
    ):
        subprocess.run(
            [sys.executable, "-m", "simbox", *command], check=True, cwd=CAPTURES, timeout=300
        )
    (world,) = json.loads(figures.read_text(encoding="utf-8"))["worlds"]
    gateways = table("labels").filter(pl.col("kind").str.starts_with("gateway/"))
    assert (world["lines"], world["gateways"]) == (rows["line"].n_unique(), gateways.height)
