"""``simbox inspect``."""

from __future__ import annotations

import sys

from rich.console import Console

from simbox import pipeline
from simbox.cli import _options as opt
from simbox.config import load
from simbox.outputs.progress import progress_bar
from simbox.outputs.quality import proposed, show


def command(
    paths: opt.Paths,
    profile: opt.Profile = None,
    config: opt.Config = None,
    zone: opt.Zone = None,
) -> None:
    """Show what CDR files are and how good their data is; propose a profile for unknown ones.

    Example: simbox inspect captures/fengxian
    """
    settings = load(config)
    options = pipeline.Options(profile=profile, zone=zone)
    unknown = pipeline.proposals(paths, settings, options)
    if unknown:
        print(unknown[0].toml, end="")
        print(proposed(unknown[0].path, len(unknown)), file=sys.stderr)
        return
    with progress_bar() as step:
        quality = pipeline.inspect(paths, settings, options, step)
    show(Console(highlight=False), quality)
