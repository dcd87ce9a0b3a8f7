from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import simbox
from simbox.errors import ConfigError, InputError
from small_world import DAYS, GATEWAY, ORDINARY


def test_detect_returns_the_tables_of_the_run_folder(exports: Path, finished: Path) -> None:
    run = simbox.detect(exports)
    for name in ("lines", "contributions", "features", "rejects"):
        assert_frame_equal(getattr(run, name), pl.read_parquet(finished / f"{name}.parquet"))
    assert run.record == simbox.read(finished).record


def test_nothing_is_left_behind_where_no_folder_is_named(
    exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    simbox.detect(str(exports))
    assert list(tmp_path.iterdir()) == []


def test_features_are_named_as_in_the_catalogue(finished: Path) -> None:
    columns = simbox.read(finished).features.columns
    assert [name for name in simbox.FEATURES if name not in columns] == []


def test_parts_of_every_line_sum_to_its_score(finished: Path) -> None:
    run = simbox.read(finished)
    parts = run.contributions.select("line", total=pl.sum_horizontal(pl.exclude("line", "total")))
    both = run.lines.join(parts, on="line")
    assert both.height == 1 + len(ORDINARY)
    assert (both["score"] * 1_000_000).round().cast(pl.Int64).to_list() == both["total"].to_list()


def test_options_and_configuration_are_those_of_the_command(exports: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "own.toml"
    overlay.write_text("[scoring]\nprior = 0.01\n")
    run = simbox.detect([exports], overlay, simbox.Options(zone="Asia/Shanghai"))
    assert run.record.config["scoring"]["prior"] == 0.01
    assert run.record.zones == "Asia/Shanghai"
    first = run.lines.row(0, named=True)
    assert (first["line"], first["active_days"]) == (GATEWAY, DAYS)


@pytest.mark.parametrize(
    ("paths", "config", "error"),
    [("absent", None, InputError), ("absent", "absent.toml", ConfigError)],
)
def test_trouble_is_an_error_of_simbox(
    paths: str, config: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        simbox.detect(paths, config)


def test_tables_of_captures_are_there_where_captures_were_read(
    finished: Path, captured: Path
) -> None:
    run, without = simbox.read(captured), simbox.read(finished)
    names = ("hosts", "host_features", "host_contributions", "dialogs", "streams", "evidence",
             "sightings", "tunnels", "sides")  # fmt: skip
    assert [name for name in names if getattr(run, name) is None] == []
    assert [name for name in names if getattr(without, name) is not None] == []
    assert run.hosts is not None
    assert run.hosts["status"][0] == "alert"
    assert list(simbox.HOST_FEATURES) == [
        c for c in run.host_features.columns if c in simbox.HOST_FEATURES
    ]


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'detekt'"):
        _ = simbox.detekt  # type: ignore[attr-defined]
