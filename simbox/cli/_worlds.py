"""What is asked of an invented country on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from simbox.errors import UsageError
from simbox.ingest.cdr.profile import Profile, choose, load_all
from simbox.simulation.plan import KINDS
from simbox.simulation.writing import Tally

MOST_LINES = 20_000_000  # that the home carrier has numbers for


def list_kinds(wanted: bool) -> None:
    """Print the kinds of lines and end."""
    if not wanted:
        return
    table = Table("kind", "counted in", "what it is", box=None, pad_edge=False, header_style="dim")
    for kind in KINDS:
        table.add_row(kind.name, kind.unit, kind.doc)
    Console(highlight=False).print(table)
    raise typer.Exit


def counts(given: list[str] | None) -> dict[str, int]:
    """How many units of which kind.

    Raises:
        UsageError: something else than a name and a number was given.
    """
    found = {}
    for text in given or ():
        name, _, number = text.rpartition("=")
        if not (name and number.isascii() and number.isdigit()):
            raise UsageError(f"--count {text}: found no KIND=N; try gateway/classic=5")
        found[name] = int(number)
    return found


def one_profile(wanted: str) -> Profile:
    """The profile of a name or file.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = choose(wanted, load_all())
    if len(found) > 1:
        names = ", ".join(profile.name for profile in found)
        raise UsageError(f"--profile {wanted}: found {names}; name one of them")
    return found[0]


def told(out: Path, tally: Tally) -> Iterator[str]:
    """What was written, what was not, and how to go on."""
    yield f"{out}: records {tally.counts['rows']:,}, files {len(tally.files):,}"
    for reason, count in sorted(tally.left_out.items()):
        yield f"left out, as the profile has no word for them: {reason} {count:,}"
    yield f"simbox detect '{out}/cdr*' --profile '{out}/profile.toml' --cells '{out}/cells.csv'"
