"""``simbox catalogue``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from simbox import FEATURES
from simbox.outputs.catalogue import as_json, as_markdown, as_table


class Format(StrEnum):
    """How the list is printed."""

    table = "table"
    markdown = "markdown"
    json = "json"


def command(
    form: Annotated[
        Format, typer.Option("--format", help="A table, or Markdown or JSON for documents.")
    ] = Format.table,
) -> None:
    """List every signal that is measured: unit, direction, meaning and source.

    Example: simbox catalogue --format markdown
    """
    features = FEATURES.values()
    if form is Format.table:
        Console().print(as_table(features))
    else:
        print(as_json(features) if form is Format.json else as_markdown(features))
