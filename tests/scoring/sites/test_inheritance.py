"""What lines inherit from their sites, by hand, and the run's tables made anew."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from simbox.config import load
from simbox.scoring.grades import NO_KNOTS
from simbox.scoring.lines import Scored
from simbox.scoring.scorecard import MICRO, SITE
from simbox.scoring.sites.inheritance import inherited, with_sites
from simbox.scoring.verdicts import STATUS

CONFIG = load()
CAP = CONFIG.sites.inherited_nats
MEMBER = {"line": pl.String, "site": pl.String, "belongs": pl.Float64}


def told(
    score: float, belongs: float = 0.9, probability: float = 0.8, status: str = "alert",
    lines: int = 8, cleared: float = 0.0,
) -> pl.DataFrame:  # fmt: skip
    """What one line inherits from one site."""
    members = pl.DataFrame({"line": ["a"], "site": ["S-1"], "belongs": [belongs]}, schema=MEMBER)
    sites = pl.DataFrame(
        {"site": ["S-1"], "status": [status], "probability": [probability], "lines": [lines],
         "cleared": [cleared]}
    )  # fmt: skip
    own = pl.DataFrame({"line": ["a", "b"], "score": [score, 1.0]})
    return inherited(members, sites.with_columns(pl.col("status").cast(STATUS)), own, CONFIG.sites)


def nats(*args: float, **given: object) -> float:
    return float(told(*args, **given)["micro_nats"].item()) / MICRO  # type: ignore[arg-type]


@pytest.mark.parametrize("score", [-8.0, -3.0, 0.0, 2.5])
@pytest.mark.parametrize(("belongs", "probability"), [(0.9, 0.8), (0.5, 0.5), (1.0, 0.1)])
def test_a_line_is_a_gateway_if_its_site_is_one_and_it_belongs_or_by_itself(
    score: float, belongs: float, probability: float
) -> None:
    sure, own = belongs * probability, 1 / (1 + math.exp(-score))
    joined = sure + (1 - sure) * own
    expected = min(math.log(joined / (1 - joined)) - score, CAP)
    assert nats(score, belongs, probability) == pytest.approx(expected, abs=1e-6)


def test_what_is_inherited_is_bounded() -> None:
    assert nats(-25.0, 1.0, 0.999) == CAP
    assert nats(-2.0, 1.0, 1.0) == CAP
    assert nats(-2.0, 1.0, 0.0, "clear", 8, 50.0) == -CAP


@pytest.mark.parametrize("score", [-40.0, -25.0, 15.0, 20.0, 25.0, 40.0])
@pytest.mark.parametrize("probability", [0.0, 1e-9, 0.9, 1.0])
def test_a_site_never_speaks_against_a_line_unless_it_is_cleared(
    score: float, probability: float
) -> None:
    assert nats(score, 1.0, probability) >= 0.0
    assert nats(score, 1.0, 0.0) == 0.0


def test_a_site_that_its_lookalikes_clear_hands_on_what_speaks_for_it() -> None:
    assert nats(1.0, 0.75, 0.01, "clear", 4, 6.0) == pytest.approx(-4.5)


def test_two_or_three_lines_that_are_cleared_speak_for_none_of_them() -> None:
    assert nats(1.0, 0.75, 0.01, "clear", 3, 6.0) > 0


def test_a_site_to_watch_is_not_cleared_by_what_speaks_for_it() -> None:
    assert nats(1.0, 0.75, 0.3, "watch", 9, 6.0) > 0


def test_one_row_a_member_names_its_site_and_whether_that_alerts() -> None:
    found = told(0.0)
    assert found.columns == ["line", "site", "alert", "micro_nats"]
    assert found.select("line", "site", "alert").row(0) == ("a", "S-1", True)
    assert told(0.0, status="watch")["alert"].item() is False


# --- the lines with what they inherit

ALERT, WATCH = CONFIG.scoring.alert_probability, CONFIG.scoring.watch_probability
LINES = {  # score, status, list
    "strong": (2.0, "alert", None),
    "faint": (-4.0, "clear", None),
    "grey": (-1.0, "watch", "grey: under review (desk)"),
    "white": (-1.0, "listed", "white: our own (desk)"),
    "hot": (1.0, "alert", "hot: reported (desk)"),
    "middling": (-0.5, "watch", None),
    "agent": (0.4, "watch", None),
    "alone": (-0.7, "watch", None),
    "quiet": (-9.0, "clear", None),
}


def scored(folder: Path) -> Scored:
    table = pl.DataFrame(
        [
            {"line": name, "status": status, "score": score,
             "probability": 1 / (1 + math.exp(-score)), "families": 2,
             "reasons_for": "OUT-SHARE, ZERO-IN, TOP1-SHARE" if score > 0 else "",
             "reasons_against": "ANSWERS", "listed": listed, "compared_with": "run", "moc": 7}
            for name, (score, status, listed) in LINES.items()
        ]
    ).with_columns(pl.col("status").cast(STATUS))  # fmt: skip
    table = table.sort("score", descending=True).with_row_index("rank", 1)
    parts = pl.DataFrame(
        {"line": list(LINES), "prior": [-9_210_240] * len(LINES)}
    ).with_columns(
        pl.Series("out_share", [round(MICRO * s) + 9_210_240 for s, _, _ in LINES.values()]),
        pl.lit(None, dtype=pl.Int32).alias(SITE),
    ).with_columns(total=pl.col("prior") + pl.col("out_share"))  # fmt: skip
    parts = parts.with_columns(pl.exclude("line").cast(pl.Int32))
    target = folder / "contributions.parquet"
    parts.write_parquet(target)
    return Scored(table, pl.scan_parquet(target), NO_KNOTS, ())


def told_to(alert: bool = True, **micro: float) -> pl.DataFrame:
    rows = {"line": list(micro), "site": ["S-1"] * len(micro), "alert": [alert] * len(micro),
            "micro_nats": [round(MICRO * nats) for nats in micro.values()]}  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"micro_nats": pl.Int32})


GAINS = {"strong": 3.0, "faint": 6.5, "grey": 6.0, "white": 6.0, "hot": 2.0, "middling": 0.004}


def after(folder: Path, told: pl.DataFrame) -> tuple[Scored, dict[str, dict[str, object]]]:
    made = with_sites(scored(folder), told, CONFIG.scoring, folder / "contributions.parquet")
    return made, {row["line"]: row for row in made.lines.iter_rows(named=True)}


def test_lines_gain_what_they_inherit_and_lists_go_on_holding(tmp_path: Path) -> None:
    _, lines = after(tmp_path, told_to(**GAINS))
    assert {name: round(float(lines[name]["score"]), 6) for name in GAINS} == {
        "strong": 5.0, "faint": 2.5, "grey": 5.0, "white": 5.0, "hot": 3.0, "middling": -0.5,
    }  # fmt: skip
    assert {name: str(lines[name]["status"]) for name in GAINS} == {
        "strong": "alert", "faint": "alert", "grey": "watch", "white": "listed", "hot": "alert",
        "middling": "watch",
    }  # fmt: skip
    assert lines["faint"]["probability"] == pytest.approx(1 / (1 + math.exp(-2.5)))


def test_a_line_does_not_alert_through_a_site_that_does_not(tmp_path: Path) -> None:
    _, lines = after(tmp_path, told_to(alert=False, faint=6.5, strong=1.0, quiet=1.0))
    found = {name: str(lines[name]["status"]) for name in ("faint", "strong", "quiet")}
    assert found == {"faint": "watch", "strong": "alert", "quiet": "clear"}


def test_a_cleared_site_takes_its_lines_alerts_back(tmp_path: Path) -> None:
    _, lines = after(tmp_path, told_to(alert=False, strong=-6.0, agent=-0.5, hot=-1.5))
    found = {name: str(lines[name]["status"]) for name in ("strong", "agent", "hot")}
    assert found == {"strong": "clear", "agent": "watch", "hot": "watch"}


def test_the_site_is_the_first_reason_on_its_side(tmp_path: Path) -> None:
    _, lines = after(tmp_path, told_to(strong=3.0, faint=6.5, hot=-1.5, middling=0.004))
    assert lines["strong"]["reasons_for"] == "SITE, OUT-SHARE, ZERO-IN"
    assert lines["faint"]["reasons_for"] == "SITE"
    assert lines["hot"]["reasons_against"] == "SITE, ANSWERS"
    assert lines["hot"]["reasons_for"] == "OUT-SHARE, ZERO-IN, TOP1-SHARE"
    assert lines["middling"]["reasons_for"] == ""


def test_ranks_are_made_anew(tmp_path: Path) -> None:
    made, _ = after(tmp_path, told_to(**GAINS))
    assert made.lines["rank"].to_list() == list(range(1, len(LINES) + 1))
    assert made.lines["line"].to_list() == [
        "grey", "strong", "white", "hot", "faint", "agent", "middling", "alone", "quiet",
    ]  # fmt: skip


def test_contributions_are_written_anew_and_add_up(tmp_path: Path) -> None:
    before = scored(tmp_path)
    whole = before.contributions.collect()
    made, lines = after(tmp_path, told_to(**GAINS))
    parts = pl.read_parquet(tmp_path / "contributions.parquet")
    assert_frame_equal(parts, made.contributions.collect(), check_exact=True)
    assert parts.schema == whole.schema
    assert parts["line"].to_list() == whole["line"].to_list()
    addends = [name for name in parts.columns if name not in {"line", "total"}]
    assert (parts.select(pl.sum_horizontal(addends)).to_series() == parts["total"]).all()
    for name, total in parts.select("line", "total").iter_rows():
        assert total / MICRO == lines[name]["score"]
    assert [path.name for path in tmp_path.iterdir()] == ["contributions.parquet"]


def test_lines_without_a_site_are_untouched(tmp_path: Path) -> None:
    before = scored(tmp_path).lines
    made, _ = after(tmp_path, told_to(**GAINS))
    for name in ("alone", "quiet", "agent"):
        one, other = (
            frame.filter(pl.col("line") == name).drop("rank") for frame in (before, made.lines)
        )
        assert_frame_equal(one, other.drop("site"), check_exact=True)
        assert other["site"].item() is None


def test_too_little_to_name_changes_nothing_but_names_the_site(tmp_path: Path) -> None:
    before = scored(tmp_path)
    whole = before.contributions.collect()
    made, lines = after(tmp_path, told_to(middling=0.009, faint=-0.009))
    assert_frame_equal(made.lines.drop("site"), before.lines, check_exact=True)
    assert_frame_equal(made.contributions.collect(), whole, check_exact=True)
    assert lines["middling"]["site"] == "S-1"
