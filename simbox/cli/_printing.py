"""How ranked lines leave a command, and with which exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import typer
from rich.console import Console

from simbox.cli._options import DEFAULT_RUN, FailOn, Format
from simbox.errors import EXIT_FINDINGS
from simbox.outputs.terminal import as_csv, as_json, closing, table
from simbox.pipeline import Run

FAILING = {None: (), FailOn.alert: ("alert",), FailOn.watch: ("alert", "watch")}


@dataclass(frozen=True)
class Printing:
    """What of a run is printed, and how."""

    form: Format | None
    lines: pl.DataFrame
    out: Path | None  # where the run was kept


def finish(run: Run, printing: Printing, fail_on: FailOn | None) -> None:
    """Print the first lines of a run and end with exit code 3 if they were not to be there."""
    form = printing.form or (Format.table if sys.stdout.isatty() else Format.csv)
    lines = printing.lines
    if form is Format.table:
        console = Console(highlight=False)
        console.print(table(run.record, lines, console.width))
        if printing.out is not None:
            first = lines["line"][0] if lines.height else None
            console.print(closing(printing.out, first, default=printing.out == DEFAULT_RUN))
    else:
        plain = lines.drop("reasons")  # other programs take the codes and join the values
        sys.stdout.write(as_csv(plain) if form is Format.csv else as_json(plain) + "\n")
        sys.stdout.flush()
    if any(run.record.status[status] for status in FAILING[fail_on]):
        raise typer.Exit(EXIT_FINDINGS)
