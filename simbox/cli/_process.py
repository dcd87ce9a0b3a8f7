"""What a command needs of its process: streams that take every text, and soft ends on signals."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

EXIT_INTERRUPTED = 128 + signal.SIGINT
AGAIN_S = 0.05  # after which an interrupt that fell into a finaliser is raised once more

_report_unraisable = sys.unraisablehook


def prepare() -> None:
    """Print to closed streams nowhere, what an encoding lacks as '?', and end softly on signals."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's threads spin, and have no work
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, _terminated)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # of a shell's background job
        signal.signal(signal.SIGINT, _interrupted)
    sys.unraisablehook = _unraisable


def _nowhere() -> io.TextIOWrapper:
    return Path(os.devnull).open("w", encoding="utf-8")


def _terminated(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)  # an exception, so that half-written folders go


def _interrupted(*_: object) -> None:
    """Interrupt once: a second Ctrl-C must not stop the removal of half-written folders."""
    signal.signal(signal.SIGINT, _interrupted_already)
    raise KeyboardInterrupt


def _interrupted_already(*_: object) -> None:
    """The end is near: nothing to do."""


def _unraisable(found: sys.UnraisableHookArgs) -> None:
    """An interrupt that fell into a finaliser, where Python drops it, comes again; no traceback."""
    if not issubclass(found.exc_type, KeyboardInterrupt):
        _report_unraisable(found)
        return
    signal.signal(signal.SIGALRM, _interrupted)
    signal.setitimer(signal.ITIMER_REAL, AGAIN_S)


def ended_early() -> int | None:
    """The exit code of an interrupt, whatever libraries made of it on its way; else null."""
    interrupted = isinstance(sys.exception(), KeyboardInterrupt)
    interrupted |= signal.getsignal(signal.SIGINT) is _interrupted_already
    return EXIT_INTERRUPTED if interrupted else None


def leave(code: object) -> NoReturn:
    """End the process; what a finished command returns is no exit code."""
    signal.setitimer(signal.ITIMER_REAL, 0)  # nothing is left to interrupt
    sys.exit(code if isinstance(code, int) else 0)
