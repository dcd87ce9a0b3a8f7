"""Files in, canonical rows out: the only part of simbox that knows what inputs look like."""

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
