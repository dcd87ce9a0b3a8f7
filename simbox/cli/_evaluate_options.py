"""Options of the evaluation."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How the figures are printed."""

    table = "table"
    json = "json"
    markdown = "markdown"


class Treatment(StrEnum):
    """What the lines of a run are that no label names."""

    ordinary = "ordinary"
    drop = "drop"


Inputs = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUNS",
        help="Run folders, or CSV or Parquet tables with line and score; several are worlds of "
        "their own, and figures are means over them.",
    ),
]
Labels = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="CSV or Parquet with line, kind and perhaps site, once for each run in their order; "
        "without it, truth.csv beside what the run read.",
    ),
]
Unlabelled = Annotated[
    Treatment, typer.Option("--unlabelled", help="Lines without a label: ordinary, or left out.")
]
Alone = Annotated[
    bool, typer.Option("--alone", help="Measure lines by themselves, without what sites add.")
]
Delay = Annotated[
    bool, typer.Option("--delay", help="Replay the events: how late would lines have alerted?")
]
Without = Annotated[
    str,
    typer.Option(
        metavar="FAMILIES",
        help="Also score as if data were missing, each alone: of cell,imei,sms,incoming.",
    ),
]
Train = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN", help="Also compare with other detectors, trained on this run's world."
    ),
]
TrainLabels = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Labels of the run that they are trained on.")
]
Json = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the figures as JSON; - prints them."),
]
Markdown = Annotated[
    Path | None,
    typer.Option("--markdown", metavar="FILE", help="Write the tables as Markdown; - prints them."),
]
Printed = Annotated[
    Format | None,
    typer.Option("--format", help="Default: a table on a terminal, JSON into a pipe or file."),
]
