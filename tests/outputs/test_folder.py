from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from simbox.errors import InputError, UsageError
from simbox.outputs.folder import LINES, RUN_FILE, RunFolder, replacing


def run(folder: Path, content: str) -> None:
    with replacing(folder) as work:
        (work / RUN_FILE).write_text(content)


def test_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    with replacing(tmp_path / "deep" / "run") as work:
        assert not (tmp_path / "deep" / "run").exists()
        (work / RUN_FILE).write_text("{}")
    assert (tmp_path / "deep" / "run" / RUN_FILE).is_file()
    assert len(list((tmp_path / "deep").iterdir())) == 1


def test_failed_run_leaves_the_earlier_one_as_it_was(tmp_path: Path) -> None:
    run(tmp_path / "run", "first")
    with pytest.raises(OSError, match="full"), replacing(tmp_path / "run"):
        raise OSError("the disk is full")
    assert (tmp_path / "run" / RUN_FILE).read_text() == "first"
    assert len(list(tmp_path.iterdir())) == 1


def test_later_run_takes_the_place_of_the_earlier(tmp_path: Path) -> None:
    run(tmp_path / "run", "first")
    run(tmp_path / "run", "second")
    assert (tmp_path / "run" / RUN_FILE).read_text() == "second"


def test_empty_folder_may_be_filled(tmp_path: Path) -> None:
    run(tmp_path, "first")
    assert (tmp_path / RUN_FILE).is_file()


def test_what_somebody_put_beside_a_run_is_not_replaced(tmp_path: Path) -> None:
    run(tmp_path / "run", "first")
    (tmp_path / "run" / "notes.txt").write_text("what the desk found out")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        run(tmp_path / "run", "second")
    assert (tmp_path / "run" / RUN_FILE).read_text() == "first"
    assert len(list(tmp_path.iterdir())) == 1


def test_link_to_a_run_goes_on_leading_there(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to("march")
    for content in ("first", "second"):
        run(tmp_path / "latest", content)
        assert (tmp_path / "march" / RUN_FILE).read_text() == content
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest", "march"]


def test_name_that_no_file_system_takes_is_refused_in_short(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write here") as refused:
        run(tmp_path / ("x" * 300), "first")
    assert len(str(refused.value)) < 160


def test_damaged_table_is_named(tmp_path: Path, finished: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    (folder / LINES).write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"lines\.parquet: damaged; run detect again"):
        RunFolder.open(folder).table(LINES)


def test_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(UsageError, match="is a file"):
        run(tmp_path / "run", "x")


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"ingest": 3}'])
def test_folder_without_a_readable_run_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / RUN_FILE).write_text(content)
    with pytest.raises(InputError, match="no simbox run here"):
        RunFolder.open(tmp_path)


def test_run_is_read_back_as_it_was_recorded(finished: Path) -> None:
    first = RunFolder.open(finished).record
    assert first.from_dict(first.as_dict()) == first
    assert first.ingest.rows == sum(file.rows for file in first.ingest.files) > 0


def test_run_with_settings_of_another_version_is_told(tmp_path: Path, finished: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    record = json.loads((folder / RUN_FILE).read_text())
    record["config"]["scoring"]["of_tomorrow"] = 1
    (folder / RUN_FILE).write_text(json.dumps(record))
    with pytest.raises(InputError, match="made by another version of simbox"):
        _ = RunFolder.open(folder).config
