from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from simbox.outputs.explain import explain
from simbox.outputs.folder import RunFolder
from simbox.outputs.parts import MICRO
from small_world import GATEWAY, ORDINARY, rows


@pytest.fixture(scope="module")
def run(finished: Path) -> RunFolder:
    return RunFolder.open(finished)


@pytest.mark.parametrize("line", [GATEWAY, *ORDINARY[:5]])
def test_parts_add_up_to_the_score_exactly(run: RunFolder, line: str) -> None:
    explanation = explain(run, line)
    whole = round(explanation.row["score"] * MICRO)
    groups = explanation.breakdown.groups
    assert explanation.breakdown.total == whole
    assert sum(part.micro_nats for group in groups for part in group.parts) == whole
    assert sum(part.micro_nats for group in groups for part in group.short()) == whole


def test_gateway_has_more_for_it_than_against_and_an_ordinary_line_the_reverse(
    run: RunFolder,
) -> None:
    scores = [explain(run, line).breakdown.total for line in (GATEWAY, ORDINARY[0])]
    assert scores[0] > 0 > scores[1]


def test_places_devices_and_parties_are_counted_from_the_records(run: RunFolder) -> None:
    explanation = explain(run, GATEWAY, reveal=True)
    own = [row.split(",") for row in rows() if row.startswith(GATEWAY)]
    assert explanation.places.row(0, named=True) == {
        "place": "001-01-17-9", "events": len(own), "share": 1.0,
    }  # fmt: skip
    device = explanation.devices.row(0, named=True)
    assert (device["imei"], device["TAC"], device["SIMs"]) == (own[0][7][:14], own[0][7][:8], 1)
    assert explanation.called["calls"].sum() == len(own)
    assert explanation.rows.height == len(own)


def test_parties_are_masked_in_every_table(run: RunFolder) -> None:
    explanation = explain(run, GATEWAY)
    shown = pl.concat([explanation.called["other"], explanation.rows["other"]])
    assert shown.str.contains(r"^\d{8}\*{4}$").all()


def test_report_is_one_page_that_needs_nothing_else(finished: Path) -> None:
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|@import|https?://|url\(|src=", page)
    for heading in ("Data quality", "Summary", "Ranked lines", "Why"):
        assert f"<h2>{heading}</h2>" in page
    assert page.index("Data quality") < page.index("Ranked lines")
    assert GATEWAY in page
    assert page.count("<svg") >= 3


def test_report_shows_no_number_of_another_party(finished: Path) -> None:
    page = (finished / "report.html").read_text(encoding="utf-8")
    called = {row.split(",")[4] for row in rows() if row.startswith(GATEWAY)}
    assert [number for number in called if number in page] == []
