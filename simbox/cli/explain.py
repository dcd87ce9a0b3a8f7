"""``simbox explain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simbox.cli._options import DEFAULT_RUN
from simbox.outputs.explain import explain
from simbox.outputs.explain_terminal import Asked, show
from simbox.outputs.folder import RunFolder


def command(
    line: Annotated[str, typer.Argument(help="The line; +, 00, blanks and hyphens do not matter.")],
    run: Annotated[Path, typer.Option(help="Folder of the run that ranked it.")] = DEFAULT_RUN,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the other parties' numbers in full.")
    ] = False,
    rows: Annotated[int, typer.Option(min=0, help="How many records behind it to print.")] = 10,
    full: Annotated[
        bool, typer.Option("--full", help="Show every part of the score, small ones too.")
    ] = False,
) -> None:
    """Take one line's score apart and show the records behind it.

    Example: simbox explain 861390000012 --run simbox-run
    """
    folder = RunFolder.open(run)
    explanation = explain(folder, folder.find(line), reveal=reveal)
    show(Console(highlight=False), explanation, Asked(rows, full))
