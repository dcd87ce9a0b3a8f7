"""``simbox check-config``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simbox import FEATURES
from simbox.config import check_names, load


def command(
    path: Annotated[
        Path | None, typer.Argument(help="TOML file; without one, the shipped defaults.")
    ] = None,
) -> None:
    """Validate a configuration without running anything.

    Example: simbox check-config carrier.toml
    """
    config = load(path)
    check_names(config, {name: feature.family for name, feature in FEATURES.items()})
    print(f"{path or 'shipped defaults'}: valid, configuration {config.digest()}")
