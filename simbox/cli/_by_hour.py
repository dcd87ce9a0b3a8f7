"""The option that replays a run in time."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from simbox import pipeline
from simbox.config import Config
from simbox.errors import UsageError
from simbox.outputs.progress import Step
from simbox.pipeline.first_alerts import by_hour


class Every(StrEnum):
    """How often a run is looked at again."""

    hour = "hour"


By = Annotated[
    Every | None,
    typer.Option(
        "--by", help="Also replay the data: when would each site and line first have alerted?"
    ),
]


def check(by: Every | None, *, store: bool) -> None:
    """Make sure that what a replay goes through will be kept.

    Raises:
        UsageError: it will not.
    """
    if by and not store:
        raise UsageError(f"--by {by.value}: goes through the events again; leave out --no-store")


def replayed(
    by: Every | None,
    run: pipeline.Run,
    settings: Config,
    options: pipeline.Options,
    step: Step,
) -> pipeline.Run:
    """The run, replayed if that is asked."""
    return by_hour(run, settings, options, step) if by else run
