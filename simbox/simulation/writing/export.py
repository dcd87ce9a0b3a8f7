"""A world written out: records day by day, and beside them what is true of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from simbox.errors import UsageError
from simbox.ingest.cdr.clock import FIRST_YEAR, LAST_YEAR
from simbox.ingest.cdr.profile import Profile
from simbox.simulation.plan import Plan
from simbox.simulation.world import World
from simbox.simulation.writing.adapted import adapted, as_toml
from simbox.simulation.writing.columns import columns_of
from simbox.simulation.writing.files import Form, Sheet, choose_form
from simbox.simulation.writing.folder import new_folder, write_json
from simbox.simulation.writing.identities import identities
from simbox.simulation.writing.labels import write_labels
from simbox.simulation.writing.places import places
from simbox.simulation.writing.records import Records, Tally
from simbox.simulation.writing.rows import Writing
from simbox.simulation.writing.times import Clock

PROFILE, WORLD = "profile.toml", "world.json"


@dataclass(frozen=True)
class Target:
    """Where a world goes, and how."""

    folder: Path  # new, or empty
    profile: Profile
    form: str | None = None  # None: Parquet where the profile reads it
    version: str = ""  # of the program, for the record


def write(plan: Plan, target: Target) -> Tally:
    """Build the world of a plan and write it into a new folder; see :func:`write_world`."""
    return write_world(plan, target, lambda: World.build(plan))


def write_world(plan: Plan, target: Target, build: Callable[[], World]) -> Tally:
    """Write a world into a new folder; it is built once everything else is found in order.

    The folder holds the records (``cdr_YYYYMMDD[_NN]``, or ``cdr/`` of a profile with one file a
    line), ``cells.csv``, the labels ``truth.csv`` and ``sites.csv``, ``profile.toml`` that reads
    the records, and ``world.json`` that says how the world was made.

    Raises:
        UsageError: the folder is not empty, the days lie outside the years that records can have,
            or the profile cannot be written as asked.
        ConfigError: the profile lacks columns that records need.
    """
    _check_years(plan)
    form = choose_form(target.profile, target.form)
    fitted = adapted(target.profile, plan.zone)
    with new_folder(target.folder) as folder:
        world = build()
        writing = _writing(world, fitted, form)
        tally = Records(world, writing, Sheet(fitted, form)).write(folder)
        write_labels(world, writing, folder)
        (folder / PROFILE).write_text(as_toml(fitted), encoding="utf-8")
        write_json(folder / WORLD, _record(world, target, form, tally))
    return tally


def _check_years(plan: Plan) -> None:
    last = plan.first_day.toordinal() + plan.days
    if plan.first_day.year < FIRST_YEAR or last > date(LAST_YEAR, 1, 1).toordinal():
        raise UsageError(
            f"{plan.first_day} and {plan.days - 1:,} days more: records lie in the years "
            f"{FIRST_YEAR} to {LAST_YEAR - 1}; try another start or fewer days"
        )


def _writing(world: World, profile: Profile, form: Form) -> Writing:
    plan = world.plan
    columns = columns_of(profile)
    return Writing(
        profile=profile,
        columns=columns,
        identities=identities(world.lines, profile, columns, plan.seed),
        places=places(world.country.table(), columns),
        clock=Clock(profile.time, plan.zone, plan.first_day, form is Form.parquet),
    )


def _record(world: World, target: Target, form: Form, tally: Tally) -> dict[str, object]:
    """How the world was made and what there is of it."""
    kinds = world.lines.group_by("kind").len("lines").sort("kind")
    return {
        "plan": asdict(world.plan),
        "units": world.plan.units(),
        "profile": target.profile.name,
        "format": form.value,
        "versions": {
            "simbox": target.version,
            "numpy": np.__version__,
            "polars": pl.__version__,
        },
        "counts": {
            "lines": world.lines.height,
            "sites": world.rooms.height,
            "cells": world.country.cells,
            **{name: tally.counts[name] for name in ("calls", "texts", "rows")},
            "files": len(tally.files),
        },
        "left_out": dict(sorted(tally.left_out.items())),
        "lines": dict(kinds.iter_rows()),
    }
