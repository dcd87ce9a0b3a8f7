"""A site taken apart."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

import simbox
import small_room
from simbox.errors import UsageError
from simbox.outputs.explain import explain
from simbox.outputs.explain_site import (
    CALLER,
    DECOY,
    LINKS,
    RECEIVER,
    SPARE,
    SiteExplanation,
    called,
    devices,
    explain_site,
    members,
)
from simbox.outputs.explain_site_terminal import show
from simbox.outputs.explain_terminal import Asked
from simbox.outputs.folder import RunFolder
from simbox.outputs.parts import MICRO
from simbox.tables import EVENTS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def run(room: Path) -> RunFolder:
    return RunFolder.open(room)


@pytest.fixture(scope="module")
def found(run: RunFolder) -> SiteExplanation:
    return explain_site(run, run.sites()[0])


def test_parts_of_a_site_add_up_to_its_score_exactly(run: RunFolder) -> None:
    for site in run.sites():
        told = explain_site(run, site)
        assert told.breakdown.total == round(told.row["score"] * MICRO)


def test_every_line_of_the_room_is_a_member_with_its_links(found: SiteExplanation) -> None:
    assert sorted(found.members["line"]) == small_room.EVERY_LINE
    assert found.members["belongs"].min() > 0.9  # type: ignore[operator]
    assert found.members.select(*LINKS).null_count().sum_horizontal().item() == 0
    assert found.members["role"].unique().to_list() == [CALLER]


def test_days_tell_shift_pool_and_calls_at_once(found: SiteExplanation) -> None:
    assert found.days.height == small_room.DAYS
    assert found.days["start"].dt.hour().unique().to_list() == [small_room.OPENS]
    assert found.days["lines"].unique().to_list() == [small_room.PORTS * small_room.CARDS]
    assert found.days["at_once"].max() == small_room.PORTS
    assert found.days["new"].to_list() == [None, 0, 0, 0, 0]
    assert found.days["calls"].sum() == found.row["calls"]


def test_ports_are_handsets_that_hold_their_cards_in_turn(found: SiteExplanation) -> None:
    assert found.devices["lines"].to_list() == [small_room.CARDS] * small_room.PORTS
    assert found.devices["used"].unique().to_list() == ["in turn"]


def test_places_and_district_are_those_of_the_cell_table(found: SiteExplanation) -> None:
    assert found.places.rows() == [(small_room.CELL, 1.0)]
    assert (found.row["lat"], found.row["lon"]) == (12.5, -41.25)
    assert found.row["district"] == "Harbour"


def printed(found: SiteExplanation, width: int, rows: int = 0, **options: object) -> str:
    out = io.StringIO()
    show(Console(file=out, width=width, highlight=False, **options), found, Asked(rows))  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize(("width", "placed"), [(80, False), (94, True)])
def test_records_tell_their_place_where_there_is_room(
    found: SiteExplanation,
    width: int,
    placed: bool,
) -> None:
    records = printed(found, width, rows=3).partition("records, 3 of")[2]
    assert (small_room.CELL in records) is placed
    assert max(map(len, records.splitlines())) <= width


def rows_of(text: str) -> dict[str, str]:
    chart = text.partition("lines by time")[2].partition("\ndays\n")[0]
    lines = (line.partition(" ") for line in chart.splitlines())
    return {name: row.strip() for name, _, row in lines if name in small_room.EVERY_LINE}


def test_chart_shows_that_cards_of_one_port_take_turns(found: SiteExplanation) -> None:
    rows = rows_of(printed(found, 160))
    assert list(rows) == [line for cards in small_room.LINES for line in cards]
    for cards in small_room.LINES:
        for signs in zip(*(rows[line] for line in cards), strict=True):
            assert sum(sign in "░▒▓█" for sign in signs) <= 1
    [at_work] = re.findall(r"lines at work .* most (\d+)", printed(found, 160))
    assert int(at_work) == small_room.PORTS


def test_chart_names_the_rows_that_it_leaves_out(
    found: SiteExplanation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simbox.outputs.explain_site_terminal.MOST_LINES", 5)
    text = printed(found, 120)
    assert len(rows_of(text)) == 5
    assert text.count("... and 7 more") == 2


@pytest.mark.parametrize("width", [80, 100, 120, 150])
def test_explanation_of_a_site_keeps_within_the_terminal(
    found: SiteExplanation, width: int
) -> None:
    assert max(len(line.rstrip()) for line in printed(found, width).splitlines()) <= width


def test_chart_is_coloured_where_a_terminal_allows(found: SiteExplanation) -> None:
    assert "\x1b[31m" in printed(found, 120, force_terminal=True, color_system="standard")
    assert "\x1b" not in printed(found, 120)


def call(
    line: str, minute: float, other: str = "99914000001", **columns: object
) -> dict[str, object]:
    return {"line": line, "event_type": "MOC", "start": NOON + timedelta(minutes=minute),
            "duration_s": 60, "other": other, "utc_offset_min": 0, "source": "x.csv",
            "row": int(minute * 60)} | columns  # fmt: skip


def events(*rows: dict[str, object]) -> pl.DataFrame:
    return EVENTS.conform(pl.DataFrame(list(rows), infer_schema_length=None))


def test_roles_follow_what_a_line_does() -> None:
    names = ["A", "B", "C", "D", "E"]
    linked = pl.DataFrame(
        {"line": names, "belongs": 0.9} | {f"{name}_nats": [0.0] * 5 for name in LINKS}
    )
    lines = pl.DataFrame({"line": names, "rank": range(5), "status": "watch", "probability": 0.5})
    rows = [call(line, n, f"9991400{n:04d}") for line in "ACD" for n in range(40)]
    rows += [call("C", 100 + n, event_type="MTC") for n in range(60)]
    rows += [call("D", 200 + n, "A") for n in range(60)]
    rows += [call("B", 1)]
    told = members(linked, lines, events(*rows))
    roles = dict(told.select("line", "role").iter_rows())
    assert roles == {"A": CALLER, "B": SPARE, "C": RECEIVER, "D": DECOY, "E": None}


def test_handset_of_two_calls_at_a_time_is_no_port() -> None:
    one, two = "00100100000001", "00100100000002"
    told = devices(
        events(
            call("A", 0, imei=one), call("B", 0.5, imei=one),
            call("A", 10, imei=two), call("B", 20, imei=two), call("C", 30, imei="0010010000000"),
        )
    )  # fmt: skip
    assert dict(told.select("imei", "used").iter_rows()) == {
        one: "at once", two: "in turn", "0010010000000": "by one",
    }  # fmt: skip


def test_numbers_that_several_lines_call_are_masked() -> None:
    rows = events(call("A", 0), call("B", 5), call("A", 9, "99914000002"), call("A", 9.5, "10086"))
    assert called(rows, 4)["other"].to_list() == ["9991400****"]
    assert called(rows, 0)["other"].to_list() == ["99914000001"]


def test_part_of_a_line_that_comes_from_its_site_names_it(run: RunFolder) -> None:
    told = explain(run, small_room.EVERY_LINE[0])
    [part] = [p for g in told.breakdown.groups for p in g.parts if p.code == "SITE"]
    assert f"simbox explain site:{run.sites()[0]}" in part.words
    assert told.breakdown.total == round(told.row["score"] * MICRO)


@pytest.mark.parametrize("spelled", ["{}", "site:{}", "SITE: {}", "site:{bare}", " {} "])
def test_site_is_found_however_it_is_written(run: RunFolder, spelled: str) -> None:
    site = run.sites()[0]
    assert run.find_site(spelled.format(site, bare=site[2:])) == site
    assert run.find_site(site.upper()) == site


def test_lines_and_hosts_are_no_sites(run: RunFolder) -> None:
    assert [run.find_site(text) for text in ("999130000200", "192.0.2.1", "S-1")] == [None] * 3


def test_unknown_site_is_answered_with_the_nearest(run: RunFolder, finished: Path) -> None:
    site = run.sites()[0]
    near = site[:-1] + ("0" if site[-1] != "0" else "1")
    with pytest.raises(
        UsageError, match=rf"Did you mean '{site}'\? All of them are in .*sites.csv"
    ):
        run.find_site(near)
    with pytest.raises(UsageError, match="no lines of it stand together"):
        RunFolder.open(finished).find_site(site)


def test_tables_of_sites_are_there_where_lines_stand_together(room: Path, finished: Path) -> None:
    names = ("sites", "site_lines", "site_contributions", "site_features")
    told, without = simbox.read(room), simbox.read(finished)
    assert [name for name in names if getattr(told, name) is None] == []
    assert [name for name in names if getattr(without, name) is not None] == []
    assert told.site_features is not None
    assert [name for name in simbox.SITE_FEATURES if name not in told.site_features.columns] == []


def test_report_shows_sites_before_lines_with_a_chart_and_no_called_number(room: Path) -> None:
    page = (room / "report.html").read_text(encoding="utf-8")
    site = RunFolder.open(room).sites()[0]
    assert page.index("<h2>Sites</h2>") < page.index("<h2>Ranked lines</h2>")
    assert 'aria-label="lines by time"' in page
    assert f'<a href="#site-1">{site}</a>' in page.split("<h2>Ranked lines</h2>")[1]
    called_numbers = {
        row.split(",")[4] for row in small_room.rows() if row.split(",")[0] in small_room.EVERY_LINE
    }
    assert [number for number in called_numbers if number in page] == []


def test_report_of_a_run_without_sites_says_nothing_of_them(finished: Path) -> None:
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert "<h2>Sites</h2>" not in page
