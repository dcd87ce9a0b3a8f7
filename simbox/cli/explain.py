"""``simbox explain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simbox.cli._console import console
from simbox.cli._options import DEFAULT_RUN
from simbox.outputs import explain_host_terminal, explain_site_terminal
from simbox.outputs.explain import explain
from simbox.outputs.explain_host import explain_host
from simbox.outputs.explain_site import explain_site
from simbox.outputs.explain_terminal import Asked, show
from simbox.outputs.folder import RunFolder


def command(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="LINE|HOST|site:ID",
            help="A line (+, 00, blanks, hyphens do not matter), the address of a host, or a site.",
        ),
    ],
    run: Annotated[Path, typer.Option(help="Folder of the run that ranked it.")] = DEFAULT_RUN,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the other parties' numbers in full.")
    ] = False,
    rows: Annotated[
        int, typer.Option(min=0, help="How many records or calls behind it to print.")
    ] = 10,
    full: Annotated[
        bool, typer.Option("--full", help="Show every part of the score, small ones too.")
    ] = False,
) -> None:
    """Take the score of a line, host or site apart and show the records or frames behind it.

    Example: simbox explain 861390000012 --run simbox-run
    """
    folder = RunFolder.open(run)
    screen, asked = console(), Asked(rows, full)
    if site := folder.find_site(subject):
        explain_site_terminal.show(screen, explain_site(folder, site, reveal=reveal), asked)
        return
    if host := folder.find_host(subject):
        found = explain_host(folder, host, reveal=reveal)
        explain_host_terminal.show(screen, found, folder.record.zone, asked)
        return
    show(screen, explain(folder, folder.find(subject), reveal=reveal), asked)
