from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from simbox import pipeline
from simbox.config import load
from simbox.errors import InputError
from simbox.identifiers import Ids, digits_id
from simbox.ingest.cdr.profile import load_all
from simbox.outputs import folder as run_folder
from simbox.outputs.folder import RunFolder, replacing
from simbox.pipeline.by_hour import BY_HOUR, HOUR_S, Replay, look, replay
from simbox.pipeline.first_alerts import by_hour, line_alerts, notes, site_alerts
from simbox.pipeline.known import StoreUntil, record
from simbox.simulation.plan import Plan
from simbox.simulation.writing import Target, write
from simbox.store import DAY_S, Store

OPTIONS = pipeline.Options(zone="Asia/Shanghai")
SIX_HOURS = 6 * HOUR_S
NOON = datetime.fromisoformat("2026-03-02T12:00")


def hours(*rows: tuple[int, str, str, str, list[str] | None]) -> pl.DataFrame:
    """Rows of hour after noon, subject, id, status, members; two hours east of UTC."""
    told = []
    for hour, *row, inside in rows:
        local = NOON + timedelta(hours=hour)
        utc = (local - timedelta(hours=2)).replace(tzinfo=UTC)
        told.append((utc, local, *row, 1.0, inside))
    return pl.DataFrame(told, schema=BY_HOUR, orient="row")


def digits(lines: pl.DataFrame) -> Ids:
    return lines.select(digits_id(pl.col("line"))).to_series().to_numpy()


def members(**sites: list[str]) -> pl.DataFrame:
    rows = [(site, line) for site, lines in sites.items() for line in lines]
    return pl.DataFrame(rows, schema=["site", "line"], orient="row")


def test_a_site_first_alerted_when_most_of_an_alerting_one_were_its_lines() -> None:
    told = hours(
        (0, "site", "X", "alert", ["a", "p", "q"]),  # one line of S alone
        (1, "site", "X", "watch", ["a", "b"]),
        (2, "site", "X", "alert", ["a", "b", "p", "q"]),  # half is not most
        (3, "site", "Y", "alert", ["a", "b", "p"]),
        (4, "site", "S", "alert", ["a", "b", "c"]),
    )
    sites = members(S=["a", "b", "c"], T=["p", "q"])
    first = site_alerts(told, pl.DataFrame({"site": ["T", "S"]}), sites)
    assert first.rows() == [("T", NOON), ("S", NOON + timedelta(hours=3))]


def test_a_site_that_never_alerted_has_no_hour() -> None:
    told = hours((0, "site", "S", "watch", ["a", "b"]), (1, "line", "a", "alert", None))
    first = site_alerts(told, pl.DataFrame({"site": ["S"]}), members(S=["a", "b"]))
    assert first["first_alert"].to_list() == [None]


def test_a_line_first_alerted_at_its_earliest_hour() -> None:
    told = hours(
        (3, "line", "a", "alert", None), (1, "line", "a", "watch", None),
        (2, "line", "b", "alert", None), (0, "site", "S", "alert", ["a", "b"]),
    )  # fmt: skip
    first = line_alerts(told)
    assert first["line"].to_list() == ["a", "b"]
    assert first["first_alert"].dt.hour().to_list() == [13, 12]


def test_the_note_names_the_first_sites() -> None:
    lines = pl.DataFrame({"line": ["a", "b"], "first_alert": [NOON, None]})
    sites = pl.DataFrame({"rank": [1, 2], "site": ["S", "T"], "first_alert": [None, NOON]})
    said = notes(lines, sites)[0]
    assert said == "by hour: 1 line would have alerted, and 1 site: T at 2026-03-02 12:00"
    assert notes(lines, None)[0] == "by hour: 1 line would have alerted"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Run:
    """A run over two days of a small country with two rooms."""
    folder = tmp_path_factory.mktemp("country")
    rooms = ("gateway/rotation", "gateway/imei_per_sim")
    plan = Plan(people=400, days=2, only=rooms, seed=3)
    write(plan, Target(folder / "cdr", load_all()["generic-served"], None, "1"))
    with replacing(folder / "run") as work:
        found = pipeline.detect(sorted((folder / "cdr").glob("cdr*")), load(), OPTIONS, work)
    return replace(found, folder=folder / "run")


def store_of(run: pipeline.Run) -> Store:
    store = RunFolder.open(run.folder).store()
    assert store is not None
    return store


def test_the_last_hour_is_the_run_itself(run: pipeline.Run) -> None:
    told = replay(store_of(run), Replay(load(), step_s=SIX_HOURS, sample_lines=10_000))
    last = told.filter((pl.col("subject") == "site") & (pl.col("hour") == told["hour"].max()))
    assert run.sites is not None
    now = run.sites.filter(pl.col("status").cast(pl.String).is_in(["alert", "watch"]))
    assert last.height > 0
    assert last.select("id", "status").sort("id").rows() == (
        now.select("site", pl.col("status").cast(pl.String)).sort("site").rows()
    )
    assert last.sort("id")["score"].to_list() == pytest.approx(now.sort("site")["score"].to_list())
    alerts = run.lines.filter(pl.col("status").cast(pl.String) == "alert")
    assert set(alerts["line"]) <= set(line_alerts(told)["line"])


def test_an_hour_knows_nothing_of_what_comes_later(run: pipeline.Run) -> None:
    store = store_of(run)
    noon = (store.manifest.first or 0) // DAY_S * DAY_S + 36 * HOUR_S
    how = Replay(load(), step_s=SIX_HOURS, sample_lines=10_000)
    recordings = [
        record(some, digits(run.lines.head(60)), lines=400, sample=10_000)
        for some in (store, StoreUntil(store, noon))
    ]
    looks = [look(recording, noon, how) for recording in recordings]
    whole, early = (one.scored.lines.drop("reasons_for", "reasons_against") for one in looks)
    assert early.height > 20
    assert_frame_equal(whole, early)


def test_a_run_is_told_when_its_sites_and_lines_alerted(
    run: pipeline.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seldom = partial(Replay, step_s=SIX_HOURS)
    monkeypatch.setattr("simbox.pipeline.first_alerts.Replay", seldom)
    shutil.copytree(run.folder, tmp_path / "run")
    told = by_hour(replace(run, folder=tmp_path / "run"), load(), OPTIONS)
    written = RunFolder.open(tmp_path / "run")
    assert told.sites is not None
    for name, frame in ((run_folder.LINES, told.lines), (run_folder.SITES, told.sites)):
        assert_frame_equal(written.table(name).collect(), frame)
    late = told.sites.filter(pl.col("first_alert").is_not_null())
    assert late.height > 0
    assert (late["first_alert"] > late["first_seen"]).all()
    lines = told.lines.filter(pl.col("first_alert").is_not_null())
    assert (lines["first_alert"] > lines["first_seen"]).all()
    assert written.record.notes[-2].startswith("by hour: ")
    assert "first_alert" in (tmp_path / "run" / run_folder.LINES_CSV).read_text()
    with replacing(tmp_path / "run"):  # a run with hours is still ours to replace
        pass


def test_a_run_without_events_is_not_replayed(run: pipeline.Run, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "run", ignore=shutil.ignore_patterns("store"))
    with pytest.raises(InputError, match="without --no-store"):
        by_hour(replace(run, folder=tmp_path / "run"), load(), OPTIONS)


def test_what_a_replay_needs_is_asked_for_before_the_work(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    ended = simbox("detect", tmp_path, "--by", "hour", "--no-store")
    assert ended.code == 2
    assert "leave out --no-store" in ended.err
