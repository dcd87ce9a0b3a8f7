from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import polars as pl
import pytest
from rich.console import Console
from scored_lines import ranking

from simbox.evaluation.calibration import CALIBRATION
from simbox.evaluation.delay import LINES, Delays
from simbox.evaluation.intervals import Estimate
from simbox.evaluation.metrics import mean_of, measure
from simbox.evaluation.report import Degraded, Report, World
from simbox.evaluation.sheets import markdown, percent, sheets, terminal, told

GATEWAY, COURIER, ORDINARY = "gateway/classic", "lookalike/courier", "ordinary/person"


def band(low: float, predicted: float, observed: tuple[float, float, float]) -> dict[str, object]:
    share, least, most = observed
    return {
        "low": low, "high": low + 0.1, "gateways": 3, "others": 4, "predicted": predicted,
        "observed": share, "observed_low": least, "observed_high": most,
        "ratio": share / predicted,
    }  # fmt: skip


def report() -> Report:
    found = measure(
        ranking(
            {GATEWAY: [9, 8, None], COURIER: [7], ORDINARY: [1] * 100},
            statuses={GATEWAY: ["alert", "watch", None], COURIER: ["watch"]},
        )
    )
    bands = [band(0.8, 0.85, (0.1, 0.05, 0.2)), band(0.9, 0.95, (0.9, 0.1, 1.0))]
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    alerted = pl.DataFrame(
        [("1", GATEWAY, False, noon, 12, 0.5), ("2", GATEWAY, False, None, None, None)],
        schema=LINES,
        orient="row",
    )
    return Report(
        worlds=(World("run|1", 103, 3, 1, 7, kept=True),),
        metrics=found,
        calibration=pl.DataFrame(bands, schema=CALIBRATION),
        prior=1e-4,
        degraded=(Degraded("cell", found, {"average_precision": Estimate(-0.25)}),),
        comparators={"forest": measure(ranking({GATEWAY: [1], ORDINARY: [2, 0]}))},
        delays=Delays(alerted, 0, 5, 2.0),
        notes=("a note",),
    )


def cell(title: str, row: str, column: str) -> str:
    sheet = next(sheet for sheet in sheets(report()) if sheet.title.startswith(title))
    found = next(cells for cells in sheet.rows if cells[0] == row)
    return found[list(sheet.columns).index(column)]


@pytest.mark.parametrize(
    ("title", "row", "column", "shown"),
    [
        ("Ranking", "simbox", "recall at FPR 1e-4", "0.667"),
        ("Ranking", "forest", "average precision", "0.500"),
        ("Recall", GATEWAY, "lines", "3"),
        ("Recall", GATEWAY, "not in the run", "1"),
        ("Recall", GATEWAY, "alert or watch", "0.667"),
        ("False alerts", COURIER, "alert or watch, %", "100"),
        ("Calibration", "0.8 to 0.9", "observed / predicted", "0.12 !"),
        ("Calibration", "0.9 to 1.0", "observed / predicted", "0.95 ?"),
        ("With a family", "cell", "lost, %", "-25"),
        ("Delay", GATEWAY, "calls, median", "12"),
        ("Delay", GATEWAY, "hours, 90 %", "never"),
    ],
)
def test_every_table_says_what_was_measured(title: str, row: str, column: str, shown: str) -> None:
    assert cell(title, row, column).startswith(shown)


def printed(width: int) -> str:
    screen = Console(width=width, record=True, file=io.StringIO())
    screen.print(terminal(report(), screen.width))
    return screen.export_text()


def test_a_table_too_wide_for_the_terminal_goes_without_its_intervals_and_says_so() -> None:
    told_at = "Intervals: in a wider terminal"
    assert told_at not in printed(140)
    text = printed(80)
    recall = text[text.index("Recall by kind") : text.index("False alerts by")]
    assert told_at in recall
    assert "–" not in recall


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_table_is_cut_off_and_no_figure_broken_in_two(width: int) -> None:
    text = printed(width)
    assert max(map(len, text.splitlines())) <= width
    for sheet in sheets(report()):
        table = text.partition(sheet.title)[2].partition("\n\n")[0]
        for word in {word for row in sheet.rows for cell in row for word in cell.split()}:
            assert word in table or "–" in word
    assert not [line for line in text.splitlines() if line.strip() == ")"]


def test_the_terminal_shows_every_table_and_what_was_left_uncounted() -> None:
    text = printed(140)
    for sheet in sheets(report()):
        assert sheet.title in text
    assert "1 labelled gateway not in the run: counted as missed" in text
    assert "7 lines without a label, taken as ordinary" in text
    assert "a note" in text


def test_markdown_tables_have_a_cell_for_every_heading() -> None:
    tables = [line for line in markdown(report()).splitlines() if line.startswith("|")]
    assert len(tables) > 20
    for sheet in sheets(report()):
        heading = "| " + " | ".join(sheet.columns) + " |"
        assert heading in tables
        rule = tables[tables.index(heading) + 1]
        assert rule.count("|") == heading.count("|")


def test_json_holds_every_figure_and_nothing_that_json_cannot_say() -> None:
    data = json.loads(report().as_json(), parse_constant=pytest.fail)
    assert data["metrics"]["figures"]["recall_at_fpr_1e-4"]["value"] == pytest.approx(2 / 3)
    assert data["delays"][0]["calls_p90"] is None
    assert data["calibration"][0]["gateways"] == 3
    assert data["without"][0]["loss"]["average_precision"]["value"] == -0.25
    assert set(data["comparators"]) == {"forest"}


def test_several_worlds_say_how_many_they_are() -> None:
    worlds = [measure(ranking({GATEWAY: [9], ORDINARY: [1, score]})) for score in (0, 10)]
    text = markdown(Report(worlds=(), metrics=mean_of(worlds)))
    assert "in 2 worlds" in text
    assert "Student's t" in text


def test_comparators_stand_below_ours_by_falling_average_precision() -> None:
    better, worse = (measure(ranking({GATEWAY: [2], ORDINARY: s})) for s in ([1, 0], [3, 0]))
    found = Report((), worse, comparators={"a": worse, "b": better})
    assert list(found.rankings) == ["simbox", "b", "a"]


@pytest.mark.parametrize(
    ("estimate", "figure", "share"),
    [
        (Estimate(None), "–", "–"),
        (Estimate(0.5), "0.500", "50"),
        (Estimate(0.0012, 0.0, 0.0034), "0.001 (0.00–0.00)", "0.12 (0–0.34)"),
    ],
)
def test_figures_keep_the_digits_that_count(estimate: Estimate, figure: str, share: str) -> None:
    assert (told(estimate), percent(estimate)) == (figure, share)
