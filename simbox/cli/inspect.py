"""``simbox inspect``."""

from __future__ import annotations

import sys

from simbox import pipeline
from simbox.cli import _capture_options as cap
from simbox.cli import _options as opt
from simbox.cli._console import console
from simbox.config import load
from simbox.outputs.progress import progress_bar
from simbox.outputs.quality import proposed, show


def command(
    paths: opt.Paths,
    profile: opt.Profile = None,
    config: opt.Config = None,
    zone: opt.Zone = None,
    frame: cap.Frame = None,
) -> None:
    """Show what CDR files and captures are and how good they are; propose profiles for CDRs.

    Example: simbox inspect captures/fengxian
    """
    if frame is not None:
        print(pipeline.frame(paths, frame))
        return
    settings = load(config)
    options = pipeline.Options(profile=profile, zone=zone)
    unknown = pipeline.proposals(paths, settings, options)
    if unknown:
        print(unknown[0].toml, end="")
        print(proposed(unknown[0].path, len(unknown)), file=sys.stderr)
        return
    with progress_bar() as step:
        quality = pipeline.inspect(paths, settings, options, step)
    show(console(), quality)
