from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import small_world
from simbox import detect
from simbox.errors import InputError, UsageError
from simbox.evaluation.delay import Delays
from simbox.evaluation.evaluate import Asked, evaluate
from simbox.evaluation.replay import Replay
from simbox.outputs.folder import RunFolder
from simbox.store import Store


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Runs of two seeds of the small world, in which two people also count as gateways."""
    folder = tmp_path_factory.mktemp("worlds")
    people = small_world.ORDINARY
    kinds = {small_world.GATEWAY: "gateway/classic"} | dict.fromkeys(people[:2], "gateway/people")
    told = [f"{line},{kinds.get(line, 'ordinary/person')}" for line in (*people[:28], *kinds)]
    for seed in (7, 8):
        exports = small_world.write(folder / f"{seed}" / "cdr", seed=seed)
        text = "\n".join(["line,kind", *dict.fromkeys(told)]) + "\n"
        (folder / f"{seed}" / "truth.csv").write_text(text, encoding="utf-8")
        detect(exports, out=folder / f"{seed}" / "run")
    return folder / "7" / "run", folder / "8" / "run"


def test_figures_of_two_worlds_are_the_means_of_each(worlds: tuple[Path, Path]) -> None:
    one, other = (evaluate(Asked([run])).metrics.figures for run in worlds)
    both = evaluate(Asked(worlds)).metrics
    for name, figure in both.figures.items():
        assert figure.value == pytest.approx((one[name].value + other[name].value) / 2)
    assert both.seeds == 2


def test_lines_without_a_label_are_counted_and_ordinary_or_left_out(
    worlds: tuple[Path, Path],
) -> None:
    kept = evaluate(Asked(worlds[:1]))
    dropped = evaluate(Asked(worlds[:1], keep_unlabelled=False))
    assert [world.unlabelled for world in (*kept.worlds, *dropped.worlds)] == [2, 2]
    assert kept.metrics.others == dropped.metrics.others + 2
    assert (kept.worlds[0].lines, dropped.worlds[0].lines) == (31, 29)


def test_what_a_family_is_worth_is_lost_without_it(worlds: tuple[Path, Path]) -> None:
    report = evaluate(Asked(worlds[:1], without=("incoming", "cell")))
    assert [one.family for one in report.degraded] == ["incoming", "cell"]
    assert report.base is not None
    for one in report.degraded:
        full, less = (
            metrics.figures["average_precision"].value for metrics in (report.base, one.metrics)
        )
        assert full is not None
        assert less is not None
        assert one.loss["average_precision"].value == pytest.approx((full - less) / full)


def test_lines_are_measured_by_themselves_where_that_is_asked(
    worlds: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def upside_down(run: RunFolder) -> pl.DataFrame:
        return run.table("lines.parquet").collect().with_columns(-pl.col("score"))

    monkeypatch.setattr("simbox.evaluation.evaluate.alone", upside_down)
    told, own = (evaluate(Asked(worlds[:1], alone=alone)).metrics for alone in (False, True))
    assert told.figures["average_precision"] != own.figures["average_precision"]


def test_delays_of_worlds_are_put_together(
    worlds: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_line(store: Store, labels: pl.DataFrame, how: Replay) -> Delays:
        rows = labels.head(1).select("line", "kind", early=False, alerted_at=None, calls=None)
        return Delays(rows.with_columns(hours=0.5), store.manifest.rows, 1, how.refresh_s)

    monkeypatch.setattr("simbox.evaluation.evaluate.delays", one_line)
    found = evaluate(Asked(worlds, delay=True)).delays
    events = [RunFolder.open(run).record.ingest.events for run in worlds]
    assert found is not None
    assert found.lines.height == found.left_out == 2
    assert found.unseen == sum(events)


def test_comparators_are_measured_on_the_same_lines(worlds: tuple[Path, Path]) -> None:
    pytest.importorskip("sklearn")
    report = evaluate(Asked(worlds[:1], train=worlds[1]))
    assert len(report.rankings) > 3
    for metrics in report.rankings.values():
        assert (metrics.gateways, metrics.others) == (3, 28)


def test_a_comparator_learns_from_another_world(worlds: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="same run"):
        evaluate(Asked(worlds[:1], train=worlds[0]))


def test_labels_are_given_for_each_run_or_none(worlds: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="1 given for 2 inputs"):
        evaluate(Asked(worlds, labels=[tmp_path / "truth.csv"]))


def test_a_world_without_any_other_line_is_named(worlds: tuple[Path, Path], tmp_path: Path) -> None:
    only = tmp_path / "labels.csv"
    only.write_text(f"line,kind\n{small_world.GATEWAY},gateway\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"^{worlds[0]}: labels: nothing but gateways"):
        evaluate(Asked(worlds[:1], labels=[only], keep_unlabelled=False))


def test_the_same_worlds_give_the_same_report(worlds: tuple[Path, Path]) -> None:
    asked = Asked(worlds, without=("sms",))
    assert evaluate(asked).as_json() == evaluate(asked).as_json()
