from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simbox.errors import InputError
from simbox.scoring import Scorecard, explain, score_file, score_frame
from simbox.scoring.reasons import EXPLANATION
from simbox.scoring.verdicts import LINE_COLUMNS

Population = Callable[..., pl.DataFrame]


@pytest.fixture
def mixed(population: Population) -> pl.DataFrame:
    return population(400, 20).with_columns(top_cell=pl.lit("001-01-1-2"), region=pl.lit("north"))


def test_parts_of_every_line_sum_to_its_score_exactly(mixed: pl.DataFrame, card: Scorecard) -> None:
    scored = score_frame(mixed, card)
    parts = scored.contributions.collect()
    sums = parts.select("line", total=pl.sum_horizontal(pl.exclude("line", "total")))
    assert sums["total"].to_list() == parts["total"].to_list()
    joined = scored.lines.join(sums, on="line")
    assert joined.height == mixed.height
    assert (joined["score"] * 1e6).round().cast(pl.Int64).to_list() == joined["total"].to_list()


def test_contributions_have_a_column_a_part_and_null_where_nothing_is_measured(
    mixed: pl.DataFrame, card: Scorecard
) -> None:
    parts = score_frame(mixed.drop("out_share"), card).contributions.collect()
    assert parts.columns == ["line", *(part.name for part in card.parts), "total"]
    assert set(parts.dtypes[1:]) == {pl.Int32}
    assert parts["out_share"].null_count() == parts.height
    assert parts["hot_list"].null_count() == parts.height


def test_lines_are_ranked_by_score_and_then_by_line(mixed: pl.DataFrame, card: Scorecard) -> None:
    twins = pl.concat([mixed, mixed.tail(1).with_columns(line=pl.lit("0"))])
    lines = score_frame(twins, card).lines
    assert lines["rank"].to_list() == list(range(1, twins.height + 1))
    keys = list(zip((-lines["score"]).to_list(), lines["line"].to_list(), strict=True))
    assert keys == sorted(keys)


def test_lines_keep_what_tells_who_they_are(mixed: pl.DataFrame, card: Scorecard) -> None:
    lines = score_frame(mixed, card).lines
    assert lines.columns == [*LINE_COLUMNS, "segment", "moc", "sms_mo", "top_cell", "region"]
    assert set(lines["region"]) == {"north"}


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 1000))
def test_order_of_the_rows_changes_nothing(mixed: pl.DataFrame, card: Scorecard, seed: int) -> None:
    shuffled = score_frame(mixed.sample(fraction=1.0, shuffle=True, seed=seed), card)
    assert shuffled.lines.equals(score_frame(mixed, card).lines)


def test_unrelated_lines_change_a_score_only_through_the_percentiles(
    mixed: pl.DataFrame, population: Population, card: Scorecard
) -> None:
    scored = score_frame(mixed, card)
    others = population(300, seed=99).with_columns(
        line=pl.concat_str(pl.lit("7"), "line"), top_cell=pl.lit(""), region=pl.lit("")
    )
    among = score_frame(pl.concat([mixed, others]), card, knots=scored.knots).lines
    kept = among.filter(pl.col("line").is_in(mixed["line"].to_list())).drop("rank")
    assert kept.equals(scored.lines.drop("rank"))


def test_file_is_scored_in_slices_as_the_frame_is_in_one(
    mixed: pl.DataFrame, card: Scorecard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simbox.scoring.feature_table.FeatureTable.chunks.__defaults__", (37,))
    mixed.write_parquet(tmp_path / "features.parquet")
    scored = score_file(tmp_path / "features.parquet", tmp_path / "contributions.parquet", card)
    whole = score_frame(mixed, card)
    assert scored.lines.equals(whole.lines)
    assert scored.contributions.collect().equals(whole.contributions.collect())
    assert {path.name for path in tmp_path.iterdir()} == {
        "features.parquet", "contributions.parquet",
    }  # fmt: skip


def test_alert_needs_two_families_one_of_them_neither_direction_nor_tempo(
    card_with: Callable[..., Scorecard],
) -> None:
    card = card_with(prior=0.4, alert_probability=0.45, watch_probability=0.3)
    full = {f.name: {n: x.gateway for n, x in f.features.items()} for f in card.families}

    def verdict(*families: str) -> tuple[str, int]:
        row = {"line": "1", "moc": 500.0}
        for name in families:
            row |= full[name]
        line = score_frame(pl.DataFrame([row]), card).lines.row(0, named=True)
        return line["status"], line["families"]

    assert verdict("direction") == ("watch", 1)
    assert verdict("dispersion") == ("watch", 1)
    assert verdict("direction", "tempo") == ("watch", 2)
    assert verdict("direction", "dispersion") == ("alert", 2)


def test_few_calls_keep_a_line_from_alerting(population: Population, card: Scorecard) -> None:
    frame = population(0, 3).with_columns(moc=pl.Series([9, 9, 500], dtype=pl.UInt32))
    lines = score_frame(frame, card).lines.sort("moc")
    assert lines["status"].to_list()[-1] == "alert"
    assert "alert" not in lines["status"].to_list()[:2]


def test_table_without_counts_is_scored_in_full_and_says_so(
    population: Population, card: Scorecard
) -> None:
    scored = score_frame(population(0, 3).drop("moc", "sms_mo"), card)
    assert set(scored.lines["status"]) == {"alert"}
    assert any("exposure" in note for note in scored.notes)


def test_reasons_name_one_signal_a_family_strongest_first(card: Scorecard) -> None:
    row = {"line": "1", "moc": 500.0, "zero_in": 1.0, "out_share": 1.0, "distinct_ratio": 1.0}
    row |= {"erlang_active": 0.01, "top5_share": 1.0, "distinct_per_day": 1.0}
    line = score_frame(pl.DataFrame([row]), card).lines.row(0, named=True)
    assert line["reasons_for"].split(", ")[0] == "OUT-SHARE"
    assert line["reasons_against"].split(", ")[0] == "TINY-CALLED-SET"
    assert "ZERO-IN" not in line["reasons_for"]


def test_explanation_holds_every_part_with_its_ground(mixed: pl.DataFrame, card: Scorecard) -> None:
    scored = score_frame(mixed, card)
    line = scored.lines["line"][0]
    parts = scored.contributions.collect().filter(pl.col("line") == line)
    told = explain(mixed.filter(pl.col("line") == line), parts, card, scored.knots)
    assert told.schema == pl.Schema(EXPLANATION)
    assert told["micro_nats"].sum() == parts["total"][0]
    assert told["part"][0] == "prior"
    sizes = told["micro_nats"].abs().to_list()[1:]
    assert sizes == sorted(sizes, reverse=True)
    out_share = told.row(by_predicate=pl.col("part") == "out_share", named=True)
    assert out_share["code"] == "OUT-SHARE"
    assert out_share["side"] == "for"
    assert out_share["value"] == mixed.filter(pl.col("line") == line)["out_share"][0]
    assert (out_share["legit"], out_share["gateway"]) == (0.8, 0.98)
    assert out_share["percentile"] >= 0.95
    assert "% of segment mobile" in out_share["because"]
    assert 0 < out_share["grade"] <= 1


def test_explanation_of_a_look_alike_gives_its_conditions(card: Scorecard) -> None:
    row = {"line": "1", "moc": 30.0, "top5_share": 1.0, "distinct_per_day": 1.0}
    frame = pl.DataFrame([row])
    scored = score_frame(frame, card)
    told = explain(frame, scored.contributions.collect(), card, scored.knots)
    alike = told.row(by_predicate=pl.col("part") == "tiny_called_set", named=True)
    assert (alike["side"], alike["grade"], alike["contribution"]) == ("against", 1.0, -8.0)
    assert alike["because"].endswith("top5_share 1; distinct_per_day 1")
    top5 = told.row(by_predicate=pl.col("part") == "top5_share", named=True)
    assert top5["percentile"] is None
    assert top5["because"] == "too few lines to compare with"


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pl.DataFrame({"msisdn": ["1"]}), "features: has no column 'line'"),
        (pl.DataFrame({"line": []}, schema={"line": pl.String}), "features: holds no lines"),
        (pl.DataFrame({"line": ["1", "1"]}), "a line is missing or stands twice"),
        (pl.DataFrame({"line": ["1", None]}), "a line is missing or stands twice"),
        (pl.DataFrame({"line": ["1"], "score": [1.0]}), "column 'score' is made by scoring"),
    ],
)
def test_table_that_cannot_be_scored_says_why(
    frame: pl.DataFrame, message: str, card: Scorecard
) -> None:
    with pytest.raises(InputError, match=message):
        score_frame(frame, card)


def test_file_that_is_no_parquet_is_one_line_of_error(card: Scorecard, tmp_path: Path) -> None:
    (tmp_path / "features.parquet").write_text("line,out_share\n1,1\n")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        score_file(tmp_path / "features.parquet", tmp_path / "c.parquet", card)
