"""The console that a command prints to."""

from __future__ import annotations

import os
import sys

from rich.console import Console

PAPER = 130  # columns of a pipe or file, which have no width of their own


def console() -> Console:
    """A console as wide as the terminal, or as COLUMNS says, or as a page for pipes and files."""
    free = not sys.stdout.isatty() and not os.environ.get("COLUMNS")
    return Console(highlight=False, width=PAPER if free else None)
