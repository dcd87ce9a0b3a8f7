"""What a command needs of its process: streams that take every text, and an end in one line."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
from pathlib import Path
from typing import NoReturn

DEBUG = "SIMBOX_DEBUG"  # set to 1: a traceback instead of the one line
FULL = re.compile(r"(?i)no space left|file too large|quota exceeded")  # polars drops the errno


def prepare() -> None:
    """Print to closed streams nowhere, what an encoding lacks as '?', and end softly on SIGTERM."""
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, _terminated)


def _nowhere() -> io.TextIOWrapper:
    return Path(os.devnull).open("w", encoding="utf-8")


def _terminated(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)  # an exception, so that half-written folders go


def unforeseen(error: BaseException) -> str:
    """The message for an error that nobody raised on purpose."""
    if isinstance(error, OSError) and FULL.search(str(error)):
        where = f"{error.filename}: " if error.filename else ""
        return (
            f"{where}the disk is full or a file grew past its limit; free space, or write "
            "elsewhere with --out (and TMPDIR)"
        )
    return f"unexpected {type(error).__name__}: {error} (--debug shows where)"


def end(message: str, code: int) -> NoReturn:
    """Say on one line, without control characters, why the process ends."""
    if os.environ.get(DEBUG) == "1":
        raise  # noqa: PLE0704  # called from an except clause only
    line = " ".join(message.split())
    print("simbox:", "".join(c if c.isprintable() else "?" for c in line), file=sys.stderr)
    sys.exit(code)
