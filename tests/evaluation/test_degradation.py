from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import small_world
from simbox.errors import InputError, UsageError
from simbox.evaluation.degradation import WITHOUT, alone, lacking, without
from simbox.evaluation.inputs import open_input
from simbox.outputs.files import Keep
from simbox.outputs.folder import RunFolder
from simbox.pipeline import Options, tables

SETTINGS = "[scoring]\nmin_segment = 10\nreference_outgoing = 5\n"  # so few lines have percentiles
NAMES = small_world.HEADER.split(",")
OUTGOING = {"MOC", "SMS_MO"}
CELLS = "cell,lat,lon\n" + "".join(f"001-01-17-{n},{10 + n / 10},{20 + n / 7}\n" for n in range(12))


def rows() -> list[list[str]]:
    """The small world with lines that show no SIM, some of them no handset, others no cell.

    So each column that goes leaves some lines without any mark of a mobile.
    """
    found = [row.split(",") for row in small_world.rows()]
    for row in found:
        for blank in {0: ("imsi", "imei"), 1: ("imsi", "cell")}.get(int(row[0]) % 5, ()):
            row[NAMES.index(blank)] = ""
    return found


def blanked(name: str) -> Callable[[list[str]], list[str] | None]:
    return lambda row: [cell for cell, column in zip(row, NAMES, strict=True) if column != name]


def kept(types: set[str]) -> Callable[[list[str]], list[str] | None]:
    return lambda row: row if row[1] in types else None


#: What a feed looks like that lacks a family: each row as it would be exported, or none.
LACKING: dict[str, Callable[[list[str]], list[str] | None]] = {
    "cell": blanked("cell"),
    "imei": blanked("imei"),
    "sms": kept({"MOC", "MTC"}),
    "incoming": kept(OUTGOING),
}


def export(path: Path, change: Callable[[list[str]], list[str] | None]) -> Path:
    """The world's rows as one CSV, each changed or left out."""
    header = NAMES if (short := change(["", "MOC", *NAMES[2:]])) is None else short
    header = [*NAMES[:2], *header[2:]]
    lines = [header, *(changed for row in rows() if (changed := change(row)))]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(",".join(line) for line in lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("worlds")
    (made / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    (made / "cells.csv").write_text(CELLS, encoding="utf-8")
    hot = f"hot,{small_world.ORDINARY[3]},line,seen,desk,2030-01-01\n"
    header = "list,value,kind,reason,owner,expires\n"
    (made / "lists.csv").write_text(header + hot, encoding="utf-8")
    return made


def run(folder: Path, name: str, change: Callable[[list[str]], list[str] | None]) -> RunFolder:
    source = export(folder / name / "cdr.csv", change)
    options = Options(cells=folder / "cells.csv", lists=(folder / "lists.csv",))
    tables(source, folder / "settings.toml", options, folder / f"{name}-run")
    return RunFolder.open(folder / f"{name}-run")


@pytest.fixture(scope="module")
def full(folder: Path) -> RunFolder:
    return run(folder, "full", lambda row: row)


@pytest.mark.parametrize("family", WITHOUT)
def test_leaving_a_family_out_equals_a_run_on_data_without_it(
    folder: Path, full: RunFolder, family: str
) -> None:
    real = alone(run(folder, family, LACKING[family]))
    found = without(full, family)
    assert_frame_equal(found, real, check_exact=True)
    whole = full.table("lines.parquet").collect()
    assert not found["score"].equals(whole["score"])  # the family had a say


def test_lines_by_themselves_have_the_score_that_they_had_before_their_site_spoke(
    full: RunFolder, tmp_path: Path
) -> None:
    lines = alone(full)
    shutil.copytree(full.path, tmp_path / "run")
    raised = lines.with_columns(score=pl.col("score") + 3, site=pl.lit("s1"))
    raised.write_parquet(tmp_path / "run" / "lines.parquet")
    assert_frame_equal(alone(RunFolder.open(tmp_path / "run")), lines, check_exact=True)


@pytest.mark.parametrize("family", ["cell", "imei"])
def test_lines_that_nothing_else_marks_as_mobile_count_as_fixed(
    full: RunFolder, family: str
) -> None:
    whole = full.table("lines.parquet").collect()
    assert "fixed" not in whole["segment"].to_list()
    assert "fixed" in without(full, family)["segment"].to_list()


def test_without_incoming_events_fewer_texts_and_no_line_that_is_only_called(
    full: RunFolder,
) -> None:
    found = without(full, "incoming")
    assert found["mtc"].sum() == found["sms_mt"].sum() == 0
    whole = full.table("lines.parquet").collect()
    assert found["sms_mo"].sum() == whole["sms_mo"].sum() > 0


def test_a_run_without_events_says_that_they_are_wanted(exports: Path, tmp_path: Path) -> None:
    tables(exports, None, Options(keep=Keep(store=False)), tmp_path / "run")
    bare = RunFolder.open(tmp_path / "run")
    with pytest.raises(InputError, match=r"keeps no events.*without --no-store"):
        without(bare, "sms")
    assert without(bare, "cell").height == bare.record.lines


def test_a_feed_of_nothing_else_cannot_do_without(folder: Path) -> None:
    only_texts = run(folder, "texts", kept({"SMS_MO", "SMS_MT"}))
    with pytest.raises(InputError, match="no events but those"):
        without(only_texts, "sms")


@pytest.mark.parametrize(
    ("text", "families"),
    [("cell,imei,sms,incoming", WITHOUT), (" sms , cell,sms", ("sms", "cell")), ("", ())],
)
def test_families_are_named_with_commas(text: str, families: tuple[str, ...]) -> None:
    assert lacking(text) == families


def test_a_family_that_is_not_known_is_named() -> None:
    with pytest.raises(UsageError, match=r"--without cells.*Did you mean 'cell'"):
        lacking("cells")


def test_gateways_that_vanish_with_a_family_are_missed(full: RunFolder, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    lines = full.table("lines.parquet").collect()["line"]
    told = [f"{line},{'gateway' if line == small_world.GATEWAY else 'ordinary'}" for line in lines]
    truth.write_text("line,kind\n" + "\n".join(told) + "\n", encoding="utf-8")
    world = open_input(full.path, truth)
    found = without(full, "incoming")
    gone = found.filter(found["line"] != small_world.GATEWAY)
    assert world.labelled(gone)["score"].null_count() == 1 + len(lines) - found.height
