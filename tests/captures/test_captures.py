import gzip
import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest

from plain_captures import content as unpacked
from plain_captures import luhn_sum

CAPTURES = Path(__file__).parents[2] / "captures"
MANIFEST = tomllib.loads((CAPTURES / "manifest.toml").read_text(encoding="utf-8"))["fengxian"]
FILES = {entry["path"]: entry["sha256"] for entry in MANIFEST["files"]}
FEED = sorted(path for path in FILES if path.startswith(MANIFEST["ingest"] + "/"))
RECORDS = [path for path in FEED if path.endswith(".csv.gz")]
LARGEST_FEED = 3_500_000  # bytes; it travels with the project


def content(path: Path) -> bytes:
    # builds of zlib and zstd wrap the same content in different bytes, so what is inside counts
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else unpacked(path)


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    parts = [pl.read_csv(content(CAPTURES / path), infer_schema=False) for path in RECORDS]
    return pl.concat(parts)


@pytest.fixture(scope="module")
def truth() -> pl.DataFrame:
    return pl.read_csv(CAPTURES / MANIFEST["labels"], infer_schema=False)


@pytest.fixture(scope="module")
def made_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures")
    command = [sys.executable, str(CAPTURES / "make_fengxian.py"), "--out", str(folder)]
    subprocess.run(command, check=True)
    return folder


@pytest.mark.parametrize("path", FILES)
def test_file_has_the_digest_of_the_manifest(path: str) -> None:
    assert hashlib.sha256((CAPTURES / path).read_bytes()).hexdigest() == FILES[path]


@pytest.mark.parametrize("path", FILES)
def test_script_makes_the_same_rows_again(path: str, made_again: Path) -> None:
    assert content(made_again / path) == content(CAPTURES / path)


def test_folder_that_is_read_holds_the_files_of_the_manifest_and_no_labels() -> None:
    found = sorted(p.relative_to(CAPTURES).as_posix() for p in (CAPTURES / "fengxian").iterdir())
    assert found == FEED


def test_feed_is_small_enough_to_travel_with_the_project() -> None:
    assert sum((CAPTURES / path).stat().st_size for path in FEED) <= LARGEST_FEED


def test_rows_are_as_many_as_the_manifest_says_and_in_the_order_of_time(rows: pl.DataFrame) -> None:
    assert rows.height == MANIFEST["rows"]
    assert rows["start"].is_sorted()


def test_every_served_line_has_a_label(rows: pl.DataFrame, truth: pl.DataFrame) -> None:
    served = rows.select(line=pl.col("msisdn").drop_nulls()).unique()
    assert served.join(truth, on="line", how="anti").is_empty()


@pytest.mark.parametrize(
    ("column", "pattern"),
    [
        ("msisdn", r"^99913\d{9}$"),
        ("other", r"^(999\d{10,11}|888\d{9}|\d{3,5}|[A-Za-z]+)$"),
        ("imsi", r"^00101\d{10}$"),
        ("imei", r"^001001\d{9}$"),
        ("cell", r"^001-01-\d{4}-\d{5}$"),
    ],
)
def test_identities_are_invented(column: str, pattern: str, rows: pl.DataFrame) -> None:
    there = rows[column].drop_nulls()
    assert there.filter(~there.str.contains(pattern)).to_list() == []


def test_handsets_have_the_check_digit_that_belongs_to_them(rows: pl.DataFrame) -> None:
    wrong = [imei for imei in rows["imei"].drop_nulls().unique() if luhn_sum(imei) % 10]
    assert wrong == []


def test_cottage_has_32_cards_and_a_session_on_four_days(
    rows: pl.DataFrame, truth: pl.DataFrame
) -> None:
    cards = truth.filter(pl.col("kind") == "gateway").select(msisdn="line")
    assert cards.height == 32
    calls = rows.join(cards, on="msisdn").filter(pl.col("event_type") == "MOC")
    days = calls.group_by(pl.col("start").str.head(10)).len().filter(pl.col("len") > 1000)
    assert days.height == 4


@pytest.mark.parametrize("column", ["msisdn", "imsi"])
def test_number_blocks_do_not_tell_who_is_a_gateway(
    column: str, rows: pl.DataFrame, truth: pl.DataFrame
) -> None:
    leading = 10 if column == "msisdn" else 7  # digits: a block of 10,000; a tenth of all
    lines = rows.select("msisdn", block=pl.col(column).str.head(leading)).unique().drop_nulls()
    labelled = lines.join(truth, left_on="msisdn", right_on="line")
    shares = labelled.group_by("block").agg(
        cards=(pl.col("kind") == "gateway").sum(), lines=pl.len()
    )
    assert shares.filter(pl.col("cards") > 0.5 * pl.col("lines")).is_empty()


def test_scripts_import_nothing_of_simbox() -> None:
    sources = [*CAPTURES.rglob("*.py")]
    assert len(sources) > 20
    assert [
        p.name for p in sources if "import simbox" in (t := p.read_text()) or "from simbox" in t
    ] == []


def test_readme_counts_the_lines_of_each_kind(truth: pl.DataFrame) -> None:
    readme = (CAPTURES / "README.md").read_text(encoding="utf-8")
    for kind, lines in truth["kind"].value_counts().iter_rows():
        assert f"| `{kind}` | {lines:,} |" in readme
