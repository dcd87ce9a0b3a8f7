"""``simbox catalogue``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from simbox import FEATURES, HOST_FEATURES, SITE_FEATURES
from simbox.outputs.catalogue import as_json, as_page, as_table


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
    """List every signal that is measured of lines, hosts and sites: unit, meaning, source.

    Example: simbox catalogue --format markdown
    """
    known = {
        "line": FEATURES.values(),
        "host": HOST_FEATURES.values(),
        "site": SITE_FEATURES.values(),
    }
    if form is Format.table:
        for subject, features in known.items():
            Console().print(f"[bold]signals of {subject}s[/bold]", as_table(features), sep="\n")
    else:
        print(as_json(known) if form is Format.json else as_page(known))
