"""Finds telecom voice gateways (SIM boxes) in call records and packet captures, and says why.

>>> import simbox
>>> run = simbox.detect(["captures/fengxian"])  # doctest: +SKIP
>>> run.lines.filter(status="alert")  # doctest: +SKIP

``FEATURES`` is the catalogue of signals of lines by name, ``HOST_FEATURES`` that of hosts,
``SITE_FEATURES`` that of sites.  Where lines stand together, ``run.sites`` and ``run.site_lines``
are there; where captures were read, ``run.hosts``, ``run.dialogs``, ``run.streams`` and the like.
Whatever goes wrong is a :class:`simbox.errors.SimboxError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simbox.version import VERSION

if TYPE_CHECKING:
    from simbox.config import Config
    from simbox.features import Feature
    from simbox.pipeline import Options, Tables

    FEATURES: Mapping[str, Feature]
    HOST_FEATURES: Mapping[str, Feature]
    SITE_FEATURES: Mapping[str, Feature]

__version__ = VERSION
__all__ = [
    "FEATURES",
    "HOST_FEATURES",
    "SITE_FEATURES",
    "Options",
    "__version__",
    "detect",
    "read",
]


def detect(
    paths: Sequence[Path | str] | Path | str,
    config: Config | Path | str | None = None,
    options: Options | None = None,
    out: Path | str | None = None,
) -> Tables:
    """Rank the lines, sites and hosts in CDRs and captures: a run folder as polars frames.

    Args:
        paths: files, folders or globs.
        config: a loaded configuration, a TOML file laid over the defaults, or neither.
        options: profile, zone, period, cells, lists and access networks of this run.
        out: also keep the run folder here.

    Raises:
        SimboxError: any input or setting that does not fit.
    """
    from simbox import pipeline  # noqa: PLC0415  # keeps 'import simbox.errors' light

    return pipeline.tables(paths, config, options or pipeline.Options(), out)


def read(run: Path | str) -> Tables:
    """The tables of a finished run's folder."""
    from simbox import pipeline  # noqa: PLC0415

    return pipeline.read(Path(run))


def __getattr__(name: str) -> object:
    if name == "FEATURES":
        from simbox.features import features  # noqa: PLC0415

        return features()
    if name == "HOST_FEATURES":
        from simbox.features.hosts import features as of_hosts  # noqa: PLC0415

        return of_hosts()
    if name == "SITE_FEATURES":
        from simbox.features.sites.engine import features as of_sites  # noqa: PLC0415

        return of_sites()
    if name == "Options":
        from simbox.pipeline import Options  # noqa: PLC0415

        return Options
    raise AttributeError(f"module 'simbox' has no attribute '{name}'")
