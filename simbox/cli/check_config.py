"""``simbox check-config``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simbox import FEATURES, HOST_FEATURES
from simbox.config import check_names, load
from simbox.ingest.cdr.clock import check_zone
from simbox.ingest.cdr.profile import load_all
from simbox.scoring import load_lists
from simbox.scoring.hosts import host_scorecard


def command(
    path: Annotated[
        Path | None, typer.Argument(help="TOML file; without one, the shipped defaults.")
    ] = None,
) -> None:
    """Validate a configuration, and the zone, profiles and lists it names, without a run.

    Example: simbox check-config carrier.toml
    """
    config = load(path)
    check_names(config, {name: feature.family for name, feature in FEATURES.items()})
    host_scorecard(config, {name: feature.family for name, feature in HOST_FEATURES.items()})
    if config.time.local_zone:
        check_zone(config.time.local_zone)
    load_all(Path(folder) for folder in config.ingest.profile_folders)
    load_lists([Path(file) for file in config.lists.files], config.lists, None)
    print(f"{path or 'shipped defaults'}: valid, configuration {config.digest()}")
