"""Rooms from files of records to scored sites and the lines that inherit from them."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import small_room
import small_world
from simbox import Options, detect
from simbox.config import Config, load
from simbox.features import compute
from simbox.features.sites.traffic import Traffic, gather
from simbox.identifiers import digits_id
from simbox.ingest import IngestOptions, ingest
from simbox.outputs import folder as run_folder
from simbox.pipeline import families
from simbox.pipeline.sites import (
    FoundSites,
    _controlled,
    _site_ids,
    find_sites,
    inherit,
    site_families,
)
from simbox.scoring import Scored, score_file, scorecard
from simbox.scoring.scorecard import MICRO
from simbox.scoring.sites.score import site_scorecard
from simbox.scoring.verdicts import STATUS
from simbox.store import Store, line_hash

CONFIG = load()
ROWS = small_room.rows()
COLUMNS = small_world.HEADER.split(",")


@dataclass(frozen=True)
class Looked:
    """The sites of some rows, and the lines by themselves and with what they inherit."""

    found: FoundSites | None
    scored: Scored
    after: Scored
    parts: pl.DataFrame

    @property
    def sites(self) -> FoundSites:
        assert self.found is not None
        return self.found


def with_sites(**changed: Any) -> Config:
    return CONFIG.model_copy(update={"sites": CONFIG.sites.model_copy(update=changed)})


@contextmanager
def stored(
    files: Sequence[Sequence[str]], buckets: int = 1, without: Sequence[str] = ()
) -> Iterator[Store]:
    """The rows of some files in a store; columns can be left out."""
    kept = [n for n, name in enumerate(COLUMNS) if name not in without]
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / f"cdr_{number}.csv" for number in range(len(files))]
        for path, rows in zip(paths, files, strict=True):
            split = [small_world.HEADER.split(","), *(row.split(",") for row in rows)]
            text = "".join(",".join(fields[n] for n in kept) + "\n" for fields in split)
            path.write_text(text, encoding="utf-8")
        store = Store.create(Path(name) / "store", buckets)
        with store.writer() as writer:
            ingest(paths, writer, IngestOptions())
        yield store


def looked(
    files: Sequence[Sequence[str]],
    buckets: int = 1,
    config: Config = CONFIG,
    without: Sequence[str] = (),
) -> Looked:
    """Everything from rows to what lines inherit."""
    with stored(files, buckets, without) as store, tempfile.TemporaryDirectory() as name:
        work = Path(name)
        table = work / run_folder.FEATURES
        compute(store, work / "parts", None).table().sink_parquet(table, maintain_order=True)
        card = scorecard(config, families())
        scored = score_file(table, work / run_folder.CONTRIBUTIONS, card)
        found = find_sites(store, scored, site_scorecard(config, site_families()), config, None)
        after = inherit(scored, found, config, work) if found else scored
        return Looked(found, scored, after, after.contributions.collect())


ROOM = looked([ROWS])


def test_the_room_is_found_with_its_cards_and_no_one_else() -> None:
    [site] = ROOM.sites.sites.iter_rows(named=True)
    assert site["status"] == "alert"
    assert ROOM.sites.members["line"].to_list() == small_room.EVERY_LINE
    assert set(ROOM.sites.members["site"]) == {site["site"]}
    assert (site["lines"], site["ports"], site["kind"]) == (12, small_room.PORTS, "box")
    assert site["cells"] == [small_room.CELL]
    assert len(site["shifts"]) == small_room.DAYS
    assert {(s["start"].hour, s["start"].minute) for s in site["shifts"]} == {(9, 0)}
    assert {s["stop"].hour for s in site["shifts"]} <= {17, 18}
    assert ROOM.sites.expected_false == pytest.approx(1 - site["probability"])


def adds_up(told: Looked) -> None:
    """Each line's parts sum to its total, which is its score in millionths."""
    addends = [name for name in told.parts.columns if name not in {"line", "total"}]
    assert (told.parts.select(pl.sum_horizontal(addends)).to_series() == told.parts["total"]).all()
    score = (pl.col("score") * MICRO).round().cast(pl.Int32)
    assert dict(told.parts.select("line", "total").iter_rows()) == dict(
        told.after.lines.select("line", score).iter_rows()
    )


def test_the_cards_of_the_room_inherit_and_nobody_else_does() -> None:
    before = {row["line"]: row for row in ROOM.scored.lines.iter_rows(named=True)}
    for row in ROOM.after.lines.iter_rows(named=True):
        if row["line"] in small_room.EVERY_LINE:
            assert row["score"] > before[row["line"]]["score"]
            assert (row["status"], row["site"]) == ("alert", ROOM.sites.sites["site"].item())
        else:
            assert (row["score"], row["site"]) == (before[row["line"]]["score"], None)
    adds_up(ROOM)


# --- false discoveries


def judged(*rows: tuple[str, float]) -> tuple[list[str], float]:
    """Statuses after the control of sites by falling probability, and false ones expected."""
    frame = pl.DataFrame(list(rows), schema={"status": STATUS, "probability": pl.Float64},
                         orient="row")  # fmt: skip
    sites, false = _controlled(frame, with_sites(most_false=0.10))
    return sites["status"].cast(pl.String).to_list(), false


def test_alerts_beyond_the_share_that_may_be_false_are_watched() -> None:
    # One less the probability: 0.01, then (0.01 + 0.15) / 2 = 0.08, then 0.56 / 3 = 0.19.
    told = judged(("alert", 0.99), ("alert", 0.85), ("alert", 0.60), ("watch", 0.30))
    assert told == (["alert", "alert", "watch", "watch"], pytest.approx(0.16))


def test_sites_that_do_not_alert_take_no_part_in_the_control() -> None:
    told = judged(("alert", 0.99), ("watch", 0.98), ("clear", 0.97), ("alert", 0.85))
    assert told == (["alert", "watch", "clear", "alert"], pytest.approx(0.16))


def test_no_alert_expects_no_false_one() -> None:
    assert judged(("watch", 0.4), ("clear", 0.01)) == (["watch", "clear"], 0.0)
    assert judged() == ([], 0.0)


def test_where_none_may_be_false_no_site_alerts_and_its_lines_hear_of_no_alert() -> None:
    held = looked([ROWS], config=with_sites(most_false=0.0))
    assert held.sites.sites["status"].to_list() == ["watch"]
    assert held.sites.expected_false == 0.0
    assert held.sites.sites.drop("status").equals(ROOM.sites.sites.drop("status"))


# --- nothing to find


@pytest.mark.parametrize(
    "changed", [{"suspect_nats": 50.0}, {"suspect_calls": 100_000}], ids=["quiet", "few calls"]
)
def test_there_is_no_site_where_no_line_may_stand_in_one(changed: dict[str, float]) -> None:
    assert looked([ROWS], config=with_sites(**changed)).found is None


def test_ordinary_people_are_no_site() -> None:
    found = looked([small_world.rows()]).found
    assert found is None or "alert" not in found.sites["status"].cast(pl.String).to_list()


# --- feeds that show less

LESS = {
    "no cells": (("cell",), ROWS),
    "no handsets": (("imei", "imsi"), ROWS),
    "no incoming calls": ((), [row for row in ROWS if ",MTC," not in row]),
    "no texts": ((), [row for row in ROWS if ",SMS" not in row]),
    "nothing but calls out": (
        ("cell", "imei", "imsi", "cause"), [row for row in ROWS if ",MOC," in row]
    ),
    "fixed lines": (("cell", "imei", "imsi"), ROWS),
    "no causes, no answers told": (("cause", "answered"), ROWS),
}  # fmt: skip


@pytest.mark.parametrize("name", list(LESS))
def test_a_feed_that_shows_less_still_ends_with_sums_that_hold(name: str) -> None:
    without, rows = LESS[name]
    told = looked([rows], without=without)
    if told.found is not None:
        site = told.found.sites.row(0, named=True)
        assert set(told.found.members["line"]) <= set(told.scored.lines["line"])
        if "cell" in without:
            assert (site["cells"], site["lat"]) == (None, None) or site["cells"] == []
            assert set(told.found.sites["kind"]) == {"fixed-line gateway"}
    adds_up(told)


def test_without_handsets_or_incoming_calls_the_room_is_found_all_the_same() -> None:
    for name in ("no handsets", "no incoming calls", "no texts"):
        without, rows = LESS[name]
        assert looked([rows], without=without).sites.members["line"].to_list() == (
            small_room.EVERY_LINE
        ), name


def test_a_feed_of_texts_alone_has_no_site() -> None:
    texts = [row.replace("MOC", "SMS_MO") for row in ROWS if ",MOC," in row]
    assert looked([texts], without=("duration", "answered", "cause")).found is None


def test_calls_that_nobody_takes_show_no_conversation_and_break_nothing() -> None:
    unheard = []
    for row in ROWS:
        fields = row.split(",")
        if "SMS" not in fields[1]:
            fields[3], fields[5], fields[9] = "0", "0", "19"
        unheard.append(",".join(fields))
    for without in ((), ("cell",), ("cell", "imei", "imsi")):
        looked([unheard], without=without)


def test_a_switch_that_shows_neither_cells_nor_handsets_is_looked_at(tmp_path: Path) -> None:
    from simbox.cli._worlds import one_profile
    from simbox.simulation.plan import Plan
    from simbox.simulation.writing import Target, write

    plan = Plan(people=150, days=1, first_day=date(2025, 3, 3), zone="Asia/Shanghai", seed=1)
    write(plan, Target(tmp_path / "world", one_profile("freeswitch"), None, "0"))
    profile = tmp_path / "world" / "profile.toml"
    run = detect(
        sorted((tmp_path / "world").glob("cdr_*")),
        options=Options(profile=profile),
        out=tmp_path / "run",
    )
    assert run.lines.height > 0


# --- what must not change anything


def same(left: Looked, right: Looked) -> None:
    """Every table of both, bit for bit."""
    for name in ("sites", "members", "features", "contributions"):
        one, other = (getattr(told.sites, name) for told in (left, right))
        assert_frame_equal(one, other, check_exact=True)
    assert left.sites.expected_false == right.sites.expected_false
    assert_frame_equal(left.after.lines, right.after.lines, check_exact=True)
    by_line = [told.parts.sort("line") for told in (left, right)]
    assert_frame_equal(*by_line, check_exact=True)


@pytest.mark.parametrize(("files", "buckets", "seed"), [(1, 8, 1), (4, 1, 2), (3, 4, 3)])
def test_order_of_rows_number_of_files_and_buckets_change_no_site(
    files: int, buckets: int, seed: int
) -> None:
    rows = list(ROWS)
    random.Random(seed).shuffle(rows)
    same(ROOM, looked([rows[n::files] for n in range(files)], buckets))


def test_a_site_is_named_by_its_lines_alone() -> None:
    other = looked([small_room.rows(seed=17)])
    assert other.sites.members["line"].to_list() == small_room.EVERY_LINE
    assert other.sites.sites["site"].to_list() == ROOM.sites.sites["site"].to_list()
    assert other.sites.sites["calls"].to_list() != ROOM.sites.sites["calls"].to_list()


def test_no_two_sites_have_one_name() -> None:
    text = pl.Series("line", [f"99913{n:07d}" for n in range(300_000)])
    ids = pl.DataFrame(text).select(digits_id(pl.col("line"))).to_series().to_numpy()
    heads = line_hash(ids) >> np.uint64(32)
    order = np.argsort(heads, kind="stable")
    met = np.flatnonzero(np.diff(heads[order]) == 0)
    assert len(met)  # lines that a name of eight digits cannot tell apart
    two = np.array([ids[order[met[0]]], ids[order[met[0] + 1]]])
    names = _site_ids(_lines(two), np.array([0, 1]))
    assert len(set(names)) == 2
    assert sorted(_site_ids(_lines(two[::-1]), np.array([0, 1]))) == sorted(names)


def _lines(ids: np.ndarray) -> Traffic:
    events = type("Events", (), {"line_ids": ids})()
    return Traffic(events, ids[:0], 0, 1)


#: What the crowd beside the suspects decides: how rare a place, an hour, a first day is.
BACKGROUND = ("place", "rhythm", "total", "link")


def test_unrelated_lines_change_only_what_is_measured_against_the_crowd() -> None:
    rng = random.Random(4)
    beside = []
    for number in range(25):
        for _ in range(6):  # two calls out of six: no suspect
            start = rng.choice(ROWS).split(",")[2]
            beside.append(
                f"99977000{number:04d},{rng.choice(('MOC', 'MTC', 'MTC'))},{start},"
                f"{rng.randint(1, 90)},99978000{number:04d},1,00101777000{number:04d},"
                f"0010090{number * 100:07d}0,001-01-99-{number % 7},16"
            )
    told = looked([[*ROWS, *beside]])
    kept = [n for n in ROOM.sites.members.columns if n.removesuffix("_nats") not in
            (*BACKGROUND, "belongs")]  # fmt: skip
    assert_frame_equal(
        told.sites.members.select(kept), ROOM.sites.members.select(kept), check_exact=True
    )
    names = [n for n in ROOM.sites.features.columns if n.removesuffix("_nats") not in BACKGROUND]
    assert_frame_equal(
        told.sites.features.select(names), ROOM.sites.features.select(names), check_exact=True
    )
    assert told.sites.sites["status"].to_list() == ["alert"]


def test_suspects_and_crowd_are_told_by_one_calendar() -> None:
    """A room that opens on the third day is new; days must mean the same days for all."""
    late = [row for row in ROWS if row.split(",")[0] not in small_room.EVERY_LINE
            or row.split(",")[2] >= f"{small_world.MONDAY.date().replace(day=4)}"]  # fmt: skip
    ids = pl.DataFrame({"line": small_room.EVERY_LINE}).select(digits_id(pl.col("line")))
    with stored([late]) as store:
        mine, others = gather(store, ids.to_series().to_numpy(), 42)
    assert mine.lines == len(small_room.EVERY_LINE)
    assert (mine.midnight, mine.days) == (others.midnight, others.days)
    assert int(mine.day.min()) == 2
    told = looked([late])
    assert told.sites.members["line"].to_list() == small_room.EVERY_LINE
    assert told.sites.sites["shifts"].item()[0]["start"].day == small_world.MONDAY.day + 2
