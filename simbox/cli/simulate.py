"""``simbox simulate``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from simbox import __version__
from simbox.cli._worlds import MOST_LINES, counts, list_kinds, one_profile, told
from simbox.simulation.plan import LEAST_PEOPLE, Plan
from simbox.simulation.writing import Form, Target, write


def command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or an empty one.")],
    lines: Annotated[
        int,
        typer.Option(min=LEAST_PEOPLE, max=MOST_LINES, help="Mobile lines of ordinary people."),
    ] = 20_000,
    days: Annotated[int, typer.Option(min=1, help="Days of traffic.")] = 7,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
    profile: Annotated[str, typer.Option(help="CDR profile to write: name or TOML file.")] = (
        "generic-served"
    ),
    form: Annotated[
        Form | None,
        typer.Option("--format", help="Default: Parquet where the profile reads it, else csv.gz."),
    ] = None,
    start: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The first day.")
    ] = datetime(2025, 3, 3),  # noqa: DTZ001  # a local date
    zone: Annotated[str, typer.Option(help="Time zone of the country.")] = "Asia/Shanghai",
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Nobody but people and this kind; or gateway/*."),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Nobody of this kind; or gateway/*.")
    ] = None,
    count: Annotated[
        list[str] | None, typer.Option(metavar="KIND=N", help="So many units of this kind.")
    ] = None,
    kinds: Annotated[
        bool, typer.Option("--kinds", callback=list_kinds, is_eager=True, help="List the kinds.")
    ] = False,
) -> None:
    """Write the call records of an invented country whose gateways are known.

    Example: simbox simulate world --lines 200000 --seed 1 --without 'gateway/*'
    """
    del kinds  # the eager callback has answered it
    plan = Plan(
        people=lines,
        days=days,
        first_day=start.date(),
        zone=zone,
        seed=seed,
        counts=counts(count),
        only=tuple(only or ()),
        without=tuple(without or ()),
    )
    tally = write(plan, Target(out, one_profile(profile), form, __version__))
    print(*told(out, tally), sep="\n")
