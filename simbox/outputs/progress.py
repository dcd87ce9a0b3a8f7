"""How far a long run is: a bar on standard error, and only where someone looks at it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text


class Step(Protocol):
    """Told what is being done and, where that is known, which share of it is done (0 to 1)."""

    def __call__(self, doing: str, share: float | None = None) -> None: ...


def silent(doing: str, share: float | None = None) -> None:
    """The step that tells nobody."""
    del doing, share


class _Share(TextColumn):
    """The share that is done, where it is known."""

    def render(self, task: Task) -> Text:
        return Text() if task.total is None else super().render(task)


@contextmanager
def progress_bar() -> Iterator[Step]:
    """A bar that vanishes at the end; silent when standard error is no terminal."""
    if not sys.stderr.isatty():
        yield silent
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        _Share("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def step(doing: str, share: float | None = None) -> None:
            bar.tasks[0].total = None if share is None else 1.0  # update() cannot forget a total
            bar.update(task, description=doing, completed=share or 0.0)

        yield step
