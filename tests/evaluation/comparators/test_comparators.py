from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tables_of_features import COUNTS, area, rows, run, shuffled, world

from simbox.errors import InputError, UsageError
from simbox.evaluation import comparators
from simbox.evaluation.comparators import COMPARATORS, LabelledRun, compare, samples
from simbox.features import features

pytest.importorskip("sklearn")

NAMES = {c.name: c for c in COMPARATORS}
TRAINED = [c.name for c in COMPARATORS if c.learns == "labels"]


def seen(name: str, table: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """What a comparator sees of a table."""
    found = run(folder, table, pl.DataFrame({"line": [], "kind": []}))
    [(_, matrix)] = samples.values(NAMES[name], found.features)
    return pl.DataFrame(matrix, schema=[c.name for c in NAMES[name].columns])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[LabelledRun, LabelledRun]:
    folder = tmp_path_factory.mktemp("worlds")
    return run(folder / "test", *world(1)), run(folder / "train", *world(2, 40, 900))


@pytest.fixture(scope="module")
def compared(runs: tuple[LabelledRun, LabelledRun]) -> dict[str, pl.DataFrame]:
    return compare(*runs)


def test_every_comparator_scores_every_line_once(
    compared: dict[str, pl.DataFrame], runs: tuple[LabelledRun, LabelledRun]
) -> None:
    lines = pl.read_parquet(runs[0].features)["line"].to_list()
    assert set(compared) == {
        "elmi_svm", "elmi_mlp", "murynets_forest", "fixed_thresholds", "isolation_forest",
    }  # fmt: skip
    for ranking in compared.values():
        assert ranking["line"].to_list() == lines
        assert ranking["score"].is_finite().all()


@pytest.mark.parametrize("name", NAMES)
def test_gateways_that_stand_apart_are_ranked_first(
    compared: dict[str, pl.DataFrame], runs: tuple[LabelledRun, LabelledRun], name: str
) -> None:
    assert area(compared[name], runs[0].labels) > 0.98


def test_labels_without_meaning_teach_nothing(tmp_path: Path) -> None:
    table, labels = world(3, 300, 900)
    test = run(tmp_path / "test", table, shuffled(labels, 1))
    other, labels = world(4, 300, 900)
    found = compare(test, run(tmp_path / "train", other, shuffled(labels, 2)))
    for name in NAMES:
        assert area(found[name], test.labels) == pytest.approx(0.5, abs=0.08), name


@pytest.mark.parametrize("name", TRAINED)
def test_what_is_trained_learns_from_the_labels_and_not_from_the_columns(
    tmp_path: Path, runs: tuple[LabelledRun, LabelledRun], name: str
) -> None:
    table, labels = world(5)
    swap = {"gateway/classic": "ordinary/person", "ordinary/person": "gateway/classic"}
    swapped = labels.with_columns(pl.col("kind").replace(swap))
    found = comparators._ranking(NAMES[name], runs[0], run(tmp_path, table, swapped), 0)
    assert area(found, runs[0].labels) < 0.02


def test_same_seed_gives_the_same_scores_whatever_the_order_of_the_rows(
    tmp_path: Path,
    runs: tuple[LabelledRun, LabelledRun],
    compared: dict[str, pl.DataFrame],
) -> None:
    table = pl.read_parquet(runs[1].features)
    train = run(tmp_path, table.reverse(), runs[1].labels.sample(fraction=1, shuffle=True, seed=3))
    again = compare(runs[0], train)
    for name in NAMES:
        assert_frame_equal(again[name], compared[name], check_exact=True)


def test_training_and_testing_on_one_run_is_refused(runs: tuple[LabelledRun, LabelledRun]) -> None:
    test, _ = runs
    same = LabelledRun(test.features.parent / "." / "features.parquet", test.labels)
    with pytest.raises(UsageError, match="trained and tested on the same run"):
        compare(test, same)


@pytest.mark.parametrize(
    ("kind", "lacking"), [("gateway/classic", "other line"), ("lookalike/taxi", "gateway")]
)
def test_a_training_run_with_one_side_only_is_refused(
    tmp_path: Path, runs: tuple[LabelledRun, LabelledRun], kind: str, lacking: str
) -> None:
    table, labels = world(6, 10, 50)
    train = run(tmp_path, table, labels.with_columns(kind=pl.lit(kind)))
    with pytest.raises(InputError, match=f"no {lacking} with a label"):
        compare(runs[0], train)


def test_without_the_library_the_message_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, runs: tuple[LabelledRun, LabelledRun]
) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(UsageError, match=r"pip install 'simbox\[train\]'$"):
        compare(*runs)


@pytest.mark.parametrize("name", TRAINED)
def test_training_takes_so_many_other_lines_for_each_gateway(
    runs: tuple[LabelledRun, LabelledRun], name: str
) -> None:
    found = samples.training_of(NAMES[name], *runs, 0)
    share = NAMES[name].others_per_gateway
    assert int(found.gateway.sum()) == 40
    assert len(found.gateway) == 40 + min(40 * share, 900)


def test_training_is_bounded(
    monkeypatch: pytest.MonkeyPatch, runs: tuple[LabelledRun, LabelledRun]
) -> None:
    monkeypatch.setattr(samples, "MOST_TRAINED", 33)
    found = samples.training_of(NAMES["elmi_svm"], *runs, 0)
    assert (int(found.gateway.sum()), len(found.gateway)) == (11, 33)
    assert len(samples.training_of(NAMES["isolation_forest"], *runs, 0).gateway) == 33


@pytest.mark.parametrize("name", ["elmi_svm", "isolation_forest"])
def test_what_is_drawn_does_not_depend_on_the_order_of_the_rows(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runs: tuple[LabelledRun, LabelledRun],
    name: str,
) -> None:
    monkeypatch.setattr(samples, "MOST_TRAINED", 33)
    table = pl.read_parquet(runs[0].features)
    one = run(tmp_path, table.sample(fraction=1, shuffle=True, seed=2), runs[0].labels)
    drawn = samples.training_of(NAMES[name], one, one, 4)
    expected = samples.training_of(NAMES[name], runs[0], runs[0], 4)
    np.testing.assert_array_equal(drawn.values, expected.values)
    other = samples.training_of(NAMES[name], one, one, 5)
    assert not np.array_equal(drawn.values, other.values, equal_nan=True)


def test_slices_change_no_score(
    monkeypatch: pytest.MonkeyPatch,
    runs: tuple[LabelledRun, LabelledRun],
    compared: dict[str, pl.DataFrame],
) -> None:
    monkeypatch.setattr(samples, "SLICE_ROWS", 101)
    again = compare(*runs)
    for name in NAMES:
        assert_frame_equal(again[name], compared[name], rel_tol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_every_column_reads_what_the_table_of_features_has(name: str) -> None:
    shared = NAMES[name].shared
    made = set(shared.sums) if shared else set()
    known = {*features(), *COUNTS, "active_days", *made}
    for column in NAMES[name].columns:
        assert set(column.expr.meta.root_names()) <= known, column.name


def test_the_nine_features_of_a_line_worked_by_hand(tmp_path: Path) -> None:
    # 40 calls on 2 days to 30 numbers (10 and 20 of them a day), in 8 clock hours with 1,800 s of
    # talk each; 10 calls by night; 6 calls came in
    table = rows(
        line=["999130000001"], moc=[40], mtc=[6], active_days=[2], distinct_ratio=[0.75],
        distinct_per_day=[15.0], calls_per_active_hour=[5.0], erlang_active=[0.5],
        night_share=[0.25],
    )  # fmt: skip
    expected = {
        "calls": 20.0, "numbers": 15.0, "minutes": 120.0, "night_calls": 5.0,
        "night_numbers": 3.75, "night_minutes": 30.0, "incoming": 3.0, "numbers_per_call": 0.75,
        "mean_minutes": 6.0,
    }  # fmt: skip
    assert seen("elmi_svm", table, tmp_path).row(0, named=True) == pytest.approx(expected)


def test_a_line_that_never_calls_has_no_calls_and_no_mean(tmp_path: Path) -> None:
    row = seen("elmi_mlp", rows(line=["999130000001"], mtc=[4], active_days=[1]), tmp_path)
    found = row.row(0, named=True)
    assert (found["calls"], found["minutes"], found["incoming"]) == (0.0, 0.0, 4.0)
    assert np.isnan(found["mean_minutes"])


def test_calls_of_a_handset_are_those_of_all_its_lines(tmp_path: Path) -> None:
    table = rows(
        line=["1", "2", "3", "4"], moc=[10, 20, 5, 7], mtc=[0, 1, 2, 3],
        top_imei=["A", "A", "B", None],
    )  # fmt: skip
    found = seen("murynets_forest", table, tmp_path)
    assert found["imei_moc"].to_list() == [30.0, 30.0, 5.0, 7.0]
    assert found["imei_mtc"].to_list() == [1.0, 1.0, 2.0, 3.0]
    assert found["imei_out_in"].to_list() == pytest.approx([15.5, 15.5, 2.0, 2.0])


def test_rules_that_are_met_are_counted(tmp_path: Path) -> None:
    table = rows(
        line=["box", "person", "unknown"],
        moc=[300, 10, 0],
        mtc=[0, 12, 0],
        sms_mt=[0, 4, 0],
        active_days=[7, 7, 0],
        out_share=[1.0, 0.45, None],
        zero_in=[1.0, 0.0, None],
        distinct_ratio=[0.95, 0.3, None],
        distinct_per_day=[29.0, 2.0, None],
        erlang_active=[0.31, 0.02, None],
        distinct_cells=[1.0, 1.0, None],
        sms_in_share=[0.0, 0.2, None],
        sims_per_imei=[2.0, 1.0, None],
    )
    found = compare_alone("fixed_thresholds", table, tmp_path)
    # outgoing, never called, ever new, 42 calls a day, busy, one cell, no texts; one cell; nothing
    assert found == [7.0, 1.0, 0.0]


def test_the_rare_is_isolated_whichever_way_it_is_rare(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    shares = np.append(rng.uniform(0.4, 0.6, 400), [0.0, 1.0])
    table = rows(line=[f"{n:03d}" for n in range(402)], out_share=shares)
    found = compare_alone("isolation_forest", table, tmp_path)
    assert set(np.argsort(found)[-2:].tolist()) == {400, 401}


def compare_alone(name: str, table: pl.DataFrame, folder: Path) -> list[float]:
    """The scores of a comparator that needs no labels."""
    found = run(folder, table, pl.DataFrame({"line": [], "kind": []}))
    score = NAMES[name].fit(samples.training_of(NAMES[name], found, found, 0))
    [(_, matrix)] = samples.values(NAMES[name], found.features)
    return list(score(matrix))
