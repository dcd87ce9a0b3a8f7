"""Files in, canonical rows out: the only part of simbox that knows what inputs look like."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simbox.ingest.report import FileReport, IngestOptions, IngestProgress, IngestReport
    from simbox.ingest.run import estimate_rows, ingest, proposals

__all__ = [
    "FileReport",
    "IngestOptions",
    "IngestProgress",
    "IngestReport",
    "estimate_rows",
    "ingest",
    "proposals",
]

_OF_RUN = ("estimate_rows", "ingest", "proposals")


def __getattr__(name: str) -> object:
    # a process that only reads a capture needs neither record profiles nor their models
    if name in __all__:
        module = "run" if name in _OF_RUN else "report"
        return getattr(import_module(f"simbox.ingest.{module}"), name)
    raise AttributeError(f"module 'simbox.ingest' has no attribute '{name}'")
