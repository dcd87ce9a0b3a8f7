"""A new folder that is there when it is whole, and not before."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simbox.errors import UsageError


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill; it takes the target's name at the end, or vanishes on any error.

    Raises:
        UsageError: the target holds anything, is a file, or cannot be made.
    """
    try:
        target = target.resolve()
        _refuse(target)
        work = target.with_name(f".{target.name}.{os.getpid()}")
        work.mkdir(parents=True)
    except OSError as error:
        raise UsageError(
            f"{str(target)[:80]}: cannot write here ({error.strerror}); name another folder"
        ) from None
    try:
        yield work
        if target.exists():
            target.rmdir()  # an empty one: anything put there meanwhile stays
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _refuse(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{target}: is a file; name a new folder")
    held = next(iter(sorted(entry.name for entry in target.iterdir())), None)
    if held is not None:
        raise UsageError(f"{target}: holds {held} already; name a new or an empty folder")


def write_json(path: Path, value: object) -> None:
    """A JSON file that is the same for the same value."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
    path.write_text(text + "\n", encoding="utf-8")
