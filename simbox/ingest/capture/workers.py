"""Capture files read side by side, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from simbox.ingest.capture.garbage import seldom_collected
from simbox.ingest.capture.reading import CaptureTask, read_capture
from simbox.ingest.capture.report import CaptureReport

WAIT_S = 0.2  # between two looks at how far the workers are
THREADS = ("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS")  # polars' own, and those of numpy

Told = Callable[[int, int], None]  # number of the file, octets of it read so far


class _Shared:
    """What a worker tells its parent by."""

    octets: Any = None  # read so far, a number a file


def side_by_side(
    tasks: Sequence[CaptureTask], workers: int, told: Told
) -> tuple[CaptureReport, ...]:
    """Read captures in so many processes; on any error or interrupt all of them end at once.

    Raises:
        InputError: a file is no capture, or cannot be read.
    """
    # spawned, not forked: a fork would inherit polars' locked threads
    context = multiprocessing.get_context("spawn")
    octets = context.Array("q", len(tasks), lock=False)
    with _single_threaded(), context.Pool(workers, _begin, (octets,)) as pool:
        running = [pool.apply_async(_read, (n, task)) for n, task in enumerate(tasks)]
        for number, done in enumerate(running):
            while not done.ready():
                done.wait(WAIT_S)
                told(number, octets[number])
        return tuple(done.get() for done in running)


def _begin(octets: Any) -> None:  # noqa: ANN401  # an array of ctypes
    """Prepare a worker: an interrupt from the keyboard is its parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Shared.octets = octets


def _read(number: int, task: CaptureTask) -> CaptureReport:
    def told(octets: int) -> None:
        _Shared.octets[number] = octets

    with seldom_collected():
        return read_capture(task, told)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let processes that start meanwhile have one thread each: there is one for every core."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
