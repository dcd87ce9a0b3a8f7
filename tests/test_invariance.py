"""What must not change a line's features or score, from the files to the ranked table."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from simbox.config import load
from simbox.features import compute
from simbox.ingest import IngestOptions, ingest
from simbox.pipeline import families
from simbox.scoring import Scored, score_frame, scorecard
from simbox.scoring.grades import Knots
from simbox.store import Store
from small_world import HEADER, rows

HOME = "Africa/Abidjan"
ELSEWHERE = "Asia/Kathmandu"  # three quarters of an hour off: no whole hours to hide behind
FEW = settings(max_examples=8, deadline=None)
CARD = scorecard(load(), families())
ROWS = rows()


def measured(files: Sequence[Sequence[str]], buckets: int = 1, zone: str = HOME) -> pl.DataFrame:
    """The features of all lines of some files of rows, whose clocks show ``zone``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / f"cdr_{number}.csv" for number in range(len(files))]
        for path, lines in zip(paths, files, strict=True):
            path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
        profile = folder / "feed.toml"
        profile.write_text(PROFILE.format(zone=zone), encoding="utf-8")
        store = Store.create(folder / "store", buckets)
        with store.writer() as writer:
            ingest(paths, writer, IngestOptions(profile=profile, local_zone=HOME))
        run = compute(store, folder / "features")
        return run.table().collect().sort("line")


PROFILE = """
name = "feed"
title = "The rows of the small world"
format = ["delimited"]
form = "served"

[columns]
line = "msisdn"
event_type = "event_type"
start = "start"
duration = "duration"
other = "other"
answered = "answered"
imsi = "imsi"
imei = "imei"
cell = "cell"
cause = "cause"

[time]
zone = "{zone}"
"""

BASE = measured([ROWS])
SCORED = score_frame(BASE, CARD)


def same_scores(left: Scored, right: Scored, lines: pl.Series | None = None) -> None:
    """Every part of every score, and what it led to."""
    for name in ("contributions", "lines"):
        one, other = (
            getattr(scored, name).lazy().drop("rank", strict=False).sort("line").collect()
            for scored in (left, right)
        )
        if lines is not None:
            one, other = (f.filter(pl.col("line").is_in(lines.implode())) for f in (one, other))
        assert_frame_equal(one, other, check_exact=True)


def unchanged(features: pl.DataFrame) -> None:
    assert_frame_equal(features, BASE, check_exact=True)
    same_scores(score_frame(features, CARD), SCORED)


@FEW
@given(st.integers(0, 2**32).map(random.Random), st.integers(1, 5), st.sampled_from([1, 2, 8]))
def test_order_of_rows_number_of_files_and_buckets_change_no_score(
    chance: random.Random, files: int, buckets: int
) -> None:
    shuffled = list(ROWS)
    chance.shuffle(shuffled)
    unchanged(measured([shuffled[n::files] for n in range(files)], buckets))


@FEW
@given(st.integers(0, 2**32).map(random.Random), st.integers(1, 400))
def test_rows_sent_again_change_no_score(chance: random.Random, repeats: int) -> None:
    unchanged(measured([ROWS, chance.sample(ROWS, repeats)]))


def test_the_same_instants_on_the_clocks_of_another_zone_change_no_score() -> None:
    here, there = ZoneInfo(HOME), ZoneInfo(ELSEWHERE)
    moved = []
    for row in ROWS:
        fields = row.split(",")
        instant = datetime.fromisoformat(fields[2]).replace(tzinfo=here)
        fields[2] = f"{instant.astimezone(there):%Y-%m-%d %H:%M:%S}"
        moved.append(",".join(fields))
    assert moved != ROWS
    unchanged(measured([moved], zone=ELSEWHERE))


@FEW
@given(st.integers(1, 12), st.integers(1, 30), st.integers(0, 2**32).map(random.Random))
def test_unrelated_lines_change_nothing_but_the_percentiles(
    lines: int, events: int, chance: random.Random
) -> None:
    strangers = [_stranger(n, chance) for n in range(lines) for _ in range(events)]
    features = measured([[*ROWS, *strangers]])
    ours = features.filter(pl.col("line").is_in(BASE["line"].implode()))
    assert_frame_equal(ours, BASE, check_exact=True)
    # Against one and the same population - here none - the scores are the same as well.
    assert SCORED.knots.frame.is_empty()
    again = score_frame(features, CARD, knots=Knots(SCORED.knots.frame))
    same_scores(again, SCORED, BASE["line"])


def _stranger(number: int, chance: random.Random) -> str:
    """An event inside the period of the others, of nobody's friend on nobody's handset."""
    start = datetime.fromisoformat(chance.choice(ROWS).split(",")[2])
    line = f"99977000{number:04d}"
    other = f"99978000{chance.randrange(10_000):04d}"
    return (
        f"{line},MOC,{start:%Y-%m-%d %H:%M:%S},{chance.randint(1, 90)},{other},1,"
        f"00101777000{number:04d},0010090{number * 100:07d},001-01-99-1,16"
    )
