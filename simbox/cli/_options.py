"""Options that several commands share, declared once."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_RUN = Path("simbox-run")  # where a run goes and is looked for when nobody says
MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


class Format(StrEnum):
    """How ranked lines are printed."""

    table = "table"
    csv = "csv"
    json = "json"


class FailOn(StrEnum):
    """The status of a line or host that ends the command with exit code 3."""

    alert = "alert"
    watch = "watch"


Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATHS",
        help="CDR files and packet captures, folders or globs; plain, gz, zst or zip.",
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(help="Name or TOML file of the CDR profile; without it, chosen by content."),
]
Config = Annotated[
    Path | None, typer.Option(help="TOML file whose keys replace those of the defaults.")
]
Zone = Annotated[
    str | None, typer.Option(help="Time zone of local time, such as Asia/Shanghai or Etc/GMT-8.")
]
Since = Annotated[
    datetime | None,
    typer.Option(
        formats=MOMENTS, metavar="DATE", help="Only events from this local date or time on."
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(
        formats=MOMENTS, metavar="DATE", help="Only events before this local date or time."
    ),
]
Lists = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE", help="CSV of a hot, white or grey list; may be given several times."
    ),
]
Top = Annotated[int | None, typer.Option(min=1, help="How many lines and hosts to print.")]
Printed = Annotated[
    Format | None,
    typer.Option("--format", help="Default: a table on a terminal, CSV into a pipe or file."),
]
Failing = Annotated[
    FailOn | None,
    typer.Option(help="End with exit code 3 if a line or host is alert (or at least watch)."),
]
