from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import small_world


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    lines = [f"{line},ordinary/person,\n" for line in small_world.ORDINARY]
    path = tmp_path / "labels.csv"
    text = "".join(["line,kind,site\n", f"{small_world.GATEWAY},gateway/classic,s1\n", *lines])
    path.write_text(text, encoding="utf-8")
    return path


def test_a_pipe_gets_json(simbox: Callable[..., Any], finished: Path, truth: Path) -> None:
    ended = simbox("evaluate", finished, "--labels", truth)
    assert ended.code == 0
    assert ended.err == ""
    data = json.loads(ended.out)
    assert data["metrics"]["figures"]["average_precision"]["value"] == 1
    assert data["worlds"][0]["lines"] == 31


def test_a_table_is_printed_where_it_is_asked_for(
    simbox: Callable[..., Any], finished: Path, truth: Path
) -> None:
    out = simbox("evaluate", finished, "--labels", truth, "--format", "table").out
    assert "Recall by kind of gateway" in out
    assert "gateway/classic" in out


def test_files_are_written_beside_what_is_printed(
    simbox: Callable[..., Any], finished: Path, truth: Path, tmp_path: Path
) -> None:
    written, page = tmp_path / "figures.json", tmp_path / "figures.md"
    ended = simbox("evaluate", finished, "--labels", truth, "--json", written, "--markdown", page)
    assert json.loads(written.read_text()) == json.loads(ended.out)
    assert "### Ranking" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("option", "begins"), [("--json", "{"), ("--markdown", "- 1 gateway")])
def test_a_hyphen_prints_a_form_instead(
    simbox: Callable[..., Any], finished: Path, truth: Path, option: str, begins: str
) -> None:
    out = simbox("evaluate", finished, "--labels", truth, option, "-").out
    assert out.startswith(begins)


def test_labels_of_no_training_run_are_refused(
    simbox: Callable[..., Any], finished: Path, truth: Path
) -> None:
    ended = simbox("evaluate", finished, "--labels", truth, "--train-labels", truth)
    assert ended.code == 2
    assert "--train" in ended.err


def test_families_left_out_are_told(
    simbox: Callable[..., Any], finished: Path, truth: Path
) -> None:
    ended = simbox("evaluate", finished, "--labels", truth, "--without", "sms,imei")
    assert [one["family"] for one in json.loads(ended.out)["without"]] == ["sms", "imei"]


def test_delays_are_told(simbox: Callable[..., Any], finished: Path, truth: Path) -> None:
    told = json.loads(simbox("evaluate", finished, "--labels", truth, "--delay").out)["delays"]
    assert {row["kind"] for row in told} == {"all", "gateway/classic"}


def test_several_runs_are_worlds_of_one_evaluation(
    simbox: Callable[..., Any], finished: Path, truth: Path
) -> None:
    both = simbox("evaluate", finished, finished, "--labels", truth, "--labels", truth)
    metrics = json.loads(both.out)["metrics"]
    assert (metrics["seeds"], metrics["gateways"], metrics["others"]) == (2, 2, 60)


def test_a_table_of_scores_does_where_no_run_is_needed(
    simbox: Callable[..., Any], finished: Path, truth: Path
) -> None:
    lines = finished / "lines.csv"
    run, table = (
        json.loads(simbox("evaluate", path, "--labels", truth).out) for path in (finished, lines)
    )
    assert run["metrics"] == table["metrics"]
    refused = simbox("evaluate", lines, "--labels", truth, "--without", "cell")
    assert (refused.code, refused.out) == (2, "")
    assert "--without wants a run folder" in refused.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--without", "cells"], "Did you mean 'cell'?"),
        (["--labels", "nowhere.csv"], "--labels: 2 given for 1 inputs"),
        (["--unlabelled", "maybe"], "--unlabelled"),
        (["--json", "no/such/folder/x.json"], "cannot write here"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(
    simbox: Callable[..., Any], finished: Path, truth: Path, options: list[str], said: str
) -> None:
    ended = simbox("evaluate", finished, "--labels", truth, *options)
    assert ended.code == 2
    assert ended.err.startswith("simbox: ")
    assert ended.err.count("\n") == 1
    assert said in ended.err


def test_labels_without_a_gateway_are_refused(
    simbox: Callable[..., Any], finished: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(f"line,kind\n{small_world.GATEWAY},normal\n", encoding="utf-8")
    ended = simbox("evaluate", finished, "--labels", labels)
    assert ended.code == 2
    assert "no gateway among its 1 line;" in ended.err


def test_a_folder_that_is_no_run_is_refused(
    simbox: Callable[..., Any], truth: Path, tmp_path: Path
) -> None:
    ended = simbox("evaluate", tmp_path, "--labels", truth)
    assert ended.code == 2
    assert "no simbox run here" in ended.err
