from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from scored_lines import ranking

import small_world
from simbox import detect
from simbox.evaluation.evaluate import Asked, evaluate
from simbox.evaluation.metrics import measure
from simbox.evaluation.sheets import markdown
from simbox.evaluation.sites import DAYS, FOUND, JUDGED, ROOMS, SiteWorld
from simbox.evaluation.sites_figures import (
    SiteFigures,
    SiteKind,
    line_recall,
    poisson,
    site_figures,
)
from simbox.evaluation.sites_sheets import site_sheets
from simbox.outputs.folder import RUN_FILE, RunFolder, write_json

CLASSIC, SHIFT = "gateway/classic", "gateway/shift"
CENTRE = "lookalike/call_centre"
DAY = date(2026, 3, 2)


def table(schema: Mapping[str, object], rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    whole = [tuple({**dict.fromkeys(schema), **row}.values()) for row in rows]
    return pl.DataFrame(whole, schema=dict(schema), orient="row")


def room(name: str, kind: str = CLASSIC, **more: object) -> dict[str, object]:
    matched = {"parts": 1, "site": name.upper(), "status": "alert", "score": 5.0, "ports": 4.0,
               "lines": 4, "inside": 4}  # fmt: skip
    return {"room": name, "kind": kind, "callers": 4, "true_ports": 4.0, **matched, **more}


def unmatched(name: str, kind: str = CLASSIC) -> dict[str, object]:
    return {"room": name, "kind": kind, "callers": 4, "true_ports": 4.0, "parts": 0}


def candidate(score: float, gateways: int, kind: str = CENTRE) -> dict[str, object]:
    status = "alert" if score > 0 else "clear"
    told = {"site": f"F{score}", "status": status, "score": score, "lines": 4, "kind": kind}
    return told | {"gateways": gateways}


def world(
    rooms: Sequence[Mapping[str, object]],
    candidates: Sequence[Mapping[str, object]] = (),
    days: Sequence[Mapping[str, object]] = (),
    line_days: float = 100_000.0,
) -> SiteWorld:
    return SiteWorld(
        table(ROOMS, rooms), table(JUDGED, candidates), table(DAYS, days), line_days, 1, told=True
    )


def kinds(figures: SiteFigures) -> dict[str, SiteKind]:
    return {kind.kind: kind for kind in figures.kinds}


def test_recall_counts_sites_whose_match_alerts() -> None:
    rooms = [room("a"), room("b", status="watch"), room("c", SHIFT, status="clear"), unmatched("d")]
    told = kinds(site_figures([world(rooms)]))
    assert list(told) == ["all", CLASSIC, SHIFT]
    values = {n: [told[k].recall[n].value for k in told] for n in ("alert", "watch")}
    assert values["alert"] == [0.25, pytest.approx(1 / 3), 0]
    assert values["watch"] == [0.5, pytest.approx(2 / 3), 0]
    assert (told["all"].sites, told["all"].matched) == (4, 3)


@pytest.mark.parametrize(
    ("line_days", "score", "share"),
    [
        (100_000.0, 5.0, 1.0),  # one false site stands above, one is allowed
        (99_999.0, 5.0, 0.0),
        (100_000.0, 3.0, 0.0),  # a tie counts against it
        (200_000.0, 3.0, 1.0),
    ],
)
def test_ranked_recall_lets_in_one_false_site_for_lines_and_days(
    line_days: float, score: float, share: float
) -> None:
    false = [candidate(7, gateways=1), candidate(3, gateways=0), candidate(9, gateways=2)]
    told = site_figures([world([room("a", score=score)], false, line_days=line_days)])
    assert told.kinds[0].recall["ranked"].value == share


def test_what_was_not_found_is_not_ranked_however_much_is_allowed() -> None:
    told = site_figures([world([unmatched("a")], line_days=1e9)])
    assert told.kinds[0].recall["ranked"].value == 0


def test_worlds_are_put_together() -> None:
    worlds = [world([room("a")], [candidate(7, 0)]), world([unmatched("a")], line_days=300_000)]
    told = site_figures(worlds)
    assert told.kinds[0].recall["alert"].value == 0.5
    assert told.false[0].rate.value == pytest.approx(1 / 4)
    assert (told.false[0].worlds, told.worlds, told.small) == (1, 2, 2)


def test_false_sites_are_told_by_what_most_of_their_members_are() -> None:
    candidates = [
        candidate(7, gateways=1),
        candidate(6, gateways=0),
        candidate(5, gateways=2, kind=CLASSIC),  # half gateways of several rooms
        candidate(4, gateways=1, kind="ordinary/person"),
        candidate(-1, gateways=0),  # no alert
    ]
    told = site_figures([world([room("a")], candidates, line_days=50_000)])
    assert [(f.kind, f.sites, f.rate.value) for f in told.false] == [
        ("all", 3, 6.0),
        (CENTRE, 2, 4.0),
        ("ordinary/person", 1, 2.0),
    ]
    assert (told.alerts, told.mixed) == (4, 1)


def test_members_are_means_over_matched_sites() -> None:
    rooms = [
        room("a", lines=10, inside=9, callers=12),
        room("b", lines=4, inside=4, callers=4),
        unmatched("c"),
    ]
    told = site_figures([world(rooms)]).kinds[0]
    assert told.precision.value == pytest.approx((0.9 + 1) / 2)
    assert told.reached.value == pytest.approx((0.75 + 1) / 2)


@pytest.mark.parametrize(
    ("ports", "share"), [(3.0, 1.0), (5.0, 1.0), (2.9, 0.0), (5.1, 0.0), (4.0, 1.0)]
)
def test_ports_are_right_within_a_quarter_of_the_truth(ports: float, share: float) -> None:
    told = site_figures([world([room("a", ports=ports), unmatched("b")])]).kinds[0]
    assert told.ports.value == share
    assert told.port_ratio["median"] == ports / 4


def test_ports_that_nobody_tells_are_not_measured() -> None:
    told = site_figures([world([room("a", true_ports=None)])]).kinds[0]
    assert told.ports.value is None
    assert told.port_ratio["median"] is None


def day(off: float | None, *, opens: bool = True, closes: bool = True) -> dict[str, object]:
    minutes = {"late": off, "longer": -2 * off if off is not None else None}
    return {"room": "a", "kind": CLASSIC, "day": DAY, "opens": opens, "closes": closes, **minutes}


def test_shifts_are_right_within_a_quarter_of_an_hour_a_day() -> None:
    days = [day(15), day(5), day(16), day(None), day(0, opens=False), day(0, closes=False)]
    told = site_figures([world([room("a")], days=days)]).kinds[0]
    assert told.starts.value == pytest.approx(3 / 5)
    assert told.ends.value == pytest.approx(2 / 5)
    assert told.start_minutes["median"] == 10  # of 0, 5, 15 and 16


def test_a_rate_of_nothing_has_an_upper_end() -> None:
    none, some = poisson(0, 2.0), poisson(9, 3.0)
    assert (none.value, none.low) == (0, 0)
    assert none.high == pytest.approx(3.84 / 2, abs=0.01)
    assert some.low is not None
    assert some.high is not None
    assert some.low < 3 < some.high


def test_equal_figures_of_few_sites_are_not_sure() -> None:
    told = site_figures([world([room("a"), room("b")])]).kinds[0]
    assert told.precision.value == 1
    assert told.precision.low is not None
    assert told.precision.low < 0.6


def test_line_recall_stands_beside_that_of_lines_alone() -> None:
    joined = measure(ranking({CLASSIC: [9, 8], "ordinary/person": [1, 2]}))
    alone = measure(ranking({CLASSIC: [9, 1], "ordinary/person": [1, 2]}))
    told = line_recall(joined, alone)
    assert list(told) == ["all", CLASSIC]
    for both in told.values():
        assert {name: both[name].value for name in both} == {"with": 1, "alone": 0.5}


def test_tables_have_a_cell_for_every_heading() -> None:
    told = site_figures([world([room("a"), unmatched("b", SHIFT)], [candidate(7, 0)])])
    both = line_recall(*[measure(ranking({CLASSIC: [9], "ordinary/person": [1]}))] * 2)
    shown = list(site_sheets(replace(told, line_recall=both)))
    assert len(shown) == 4
    for sheet in shown:
        assert {len(row) for row in sheet.rows} == {len(sheet.columns)}
    assert [row[0] for row in shown[2].rows] == ["all", CLASSIC]  # those that were matched
    assert "1 site with fewer than two lines" in shown[0].note
    json.dumps(asdict(told), allow_nan=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the small world with a site written into it, and truth about it."""
    folder = tmp_path_factory.mktemp("world")
    exports = small_world.write(folder / "cdr", seed=7)
    detect(exports, out=folder / "run")
    run = RunFolder.open(folder / "run")
    pair = [small_world.GATEWAY, small_world.ORDINARY[0]]
    times = [
        {
            "start": datetime.fromisoformat("2026-03-02T09:05"),
            "stop": datetime.fromisoformat("2026-03-02T18:00"),
        }
    ]
    table(FOUND, [{"site": "S", "status": "alert", "score": 3.0, "ports": 2.0, "shifts": times}]
    ).write_parquet(run.path / "sites.parquet")  # fmt: skip
    pl.DataFrame({"site": "S", "line": pair}).write_parquet(run.path / "site_lines.parquet")
    write_json(run.path / RUN_FILE, replace(run.record, sites=1).as_dict())
    people = "".join(f"{line},ordinary/person,\n" for line in small_world.ORDINARY[1:])
    text = "line,kind,site\n" + "".join(f"{line},gateway/classic,a\n" for line in pair) + people
    (folder / "truth.csv").write_text(text, encoding="utf-8")
    (folder / "sites.csv").write_text(
        "site,kind,lines,ports,cells,shifts\n"
        "a,gateway/classic,2,4,,2026-03-02T09:00/2026-03-02T18:20\n",
        encoding="utf-8",
    )
    return run.path


def test_a_run_with_sites_is_measured_against_the_true_ones(finished: Path) -> None:
    report = evaluate(Asked([finished]))
    assert report.sites is not None
    told = report.sites.kinds[0]
    assert (told.sites, told.recall["alert"].value, told.precision.value) == (1, 1, 1)
    assert (told.port_ratio["median"], told.starts.value, told.ends.value) == (0.5, 1, 0)
    assert list(report.sites.line_recall) == ["all", CLASSIC]
    assert report.sites.line_days == 31 * 183 / 24  # from the first event to the last
    assert "### Sites: recall by kind of gateway" in markdown(report)
    assert json.loads(report.as_json())["sites"]["kinds"][1]["kind"] == CLASSIC


def test_a_run_that_finds_no_site_misses_all(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run", ignore=shutil.ignore_patterns("site*"))
    record = replace(RunFolder.open(finished).record, sites=0)
    write_json(tmp_path / "run" / RUN_FILE, record.as_dict())
    report = evaluate(Asked([tmp_path / "run"], labels=[finished.parent / "truth.csv"]))
    assert report.sites is not None
    assert [report.sites.kinds[0].sites, report.sites.kinds[0].matched] == [1, 0]


def test_a_table_of_scores_says_nothing_of_sites(finished: Path) -> None:
    labels = finished.parent / "truth.csv"
    assert evaluate(Asked([finished / "lines.csv"], labels=[labels])).sites is None
