"""``simbox profiles``."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from simbox.cli import _options as opt
from simbox.config import load
from simbox.ingest.cdr.profile import load_all


def command(config: opt.Config = None) -> None:
    """List the CDR profiles: the formats that are recognised, shipped or your own.

    Example: simbox profiles --config carrier.toml
    """
    folders = (Path(folder) for folder in load(config).ingest.profile_folders)
    table = Table("profile", "what it reads", box=None, pad_edge=False, header_style="dim")
    for name, profile in sorted(load_all(folders).items()):
        table.add_row(name, profile.title)
    Console(highlight=False).print(table)
