"""What an evaluation found, as frozen data and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl
from polars import selectors

from simbox.evaluation.delay import Delays
from simbox.evaluation.intervals import Estimate
from simbox.evaluation.metrics import Metrics
from simbox.evaluation.sites_figures import SiteFigures

OURS = "simbox"


@dataclass(frozen=True)
class World:
    """One ranking that was evaluated, in counts."""

    where: str
    lines: int  # of the run, as far as they are evaluated
    gateways: int
    absent: int  # gateways that the run does not have
    unlabelled: int  # lines of the run without a label
    kept: bool  # those count as ordinary; else they are left out


@dataclass(frozen=True)
class Degraded:
    """Figures of lines by themselves without a family of data, and what of them is lost by it."""

    family: str
    metrics: Metrics
    loss: Mapping[str, Estimate]  # by figure; below 0 where it is better without


@dataclass(frozen=True)
class Report:
    """Everything that an evaluation tells."""

    worlds: tuple[World, ...]
    metrics: Metrics
    calibration: pl.DataFrame | None = None  # of calibration.CALIBRATION
    prior: float | None = None  # that the probabilities are made for and calibration weighed to
    base: Metrics | None = None  # of lines by themselves: what degraded is relative to
    degraded: tuple[Degraded, ...] = ()
    comparators: Mapping[str, Metrics] | None = None
    delays: Delays | None = None  # of all worlds together
    sites: SiteFigures | None = None  # of all worlds together
    notes: tuple[str, ...] = ()

    @property
    def rankings(self) -> dict[str, Metrics]:
        """Our metrics, then those of the comparators, by falling average precision."""
        others = self.comparators or {}
        best = sorted(others, key=lambda n: (-_value(others[n]), n))
        return {OURS: self.metrics} | {name: others[name] for name in best}

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return {
            "worlds": [asdict(world) for world in self.worlds],
            "prior": self.prior,
            "metrics": asdict(self.metrics),
            "calibration": _rows(self.calibration),
            "alone": asdict(self.base) if self.base else None,
            "without": [asdict(one) for one in self.degraded],
            "comparators": {n: asdict(m) for n, m in (self.comparators or {}).items()},
            "delays": _rows(self.delays.summary()) if self.delays else None,
            "sites": asdict(self.sites) if self.sites else None,
            "notes": list(self.notes),
        }

    def as_json(self) -> str:
        """The report as JSON text."""
        return json.dumps(self.as_dict(), indent=1, ensure_ascii=False, default=str) + "\n"


def _rows(frame: pl.DataFrame | None) -> list[dict[str, Any]] | None:
    """The rows of a table, null for what JSON cannot say."""
    if frame is None:
        return None
    numbers = selectors.float()
    return frame.with_columns(pl.when(numbers.is_finite()).then(numbers)).to_dicts()


def _value(metrics: Metrics) -> float:
    return metrics.figures["average_precision"].value or 0.0
