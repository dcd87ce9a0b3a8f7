"""What a run read, counted and decided: the content of run.json, and the head of every output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from simbox.ingest.capture.report import CaptureReport
from simbox.ingest.report import FileReport, IngestReport


@dataclass(frozen=True)
class RunRecord:
    """A run: inputs, settings and counts.  No clock of the run itself: same input, same record."""

    versions: Mapping[str, str]
    options: Mapping[str, str | None]
    config: Mapping[str, Any]
    config_digest: str
    ingest: IngestReport  # without files when only features were scored
    lines: int
    status: Mapping[str, int]
    hosts: int = 0
    host_status: Mapping[str, int] = field(default_factory=dict)
    sites: int = 0
    site_status: Mapping[str, int] = field(default_factory=dict)
    false_sites: float = 0.0  # expected among those that alert, by their own probabilities
    duplicates: int = 0
    merged: int = 0
    evidence: Mapping[str, Any] | None = None  # the excerpt of captures: path, frames, sha256
    notes: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        return self.versions["simbox"]

    @property
    def period(self) -> str:
        """First and last event by the clocks of their files."""
        times = [span for file in self.ingest.files if (span := local_span(file))]
        if not times:
            return ""
        return f"{min(t for t, _ in times)} to {max(t for _, t in times)}"

    @property
    def zone(self) -> str:
        """The zone in which the times of captures are told."""
        asked = self.options.get("zone") or self.config["time"]["local_zone"]
        of_files = {file.zone for file in self.ingest.files}
        return asked or (of_files.pop() if len(of_files) == 1 else "UTC")

    @property
    def zones(self) -> str:
        """The zones of the files' clocks."""
        return ", ".join(sorted({f.zone for f in self.ingest.files}))

    def as_dict(self) -> dict[str, Any]:
        """The record as run.json holds it."""
        data = asdict(self)
        for report, file in zip(self.ingest.files, data["ingest"]["files"], strict=True):
            file["rows_used"] = report.rows_used  # rows = rows_used + ignored + rejects
        for file in (*data["ingest"]["files"], *data["ingest"]["captures"]):
            for name in ("first", "last"):
                file[name] = file[name].isoformat() if file[name] else None
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunRecord:
        """The record back from run.json."""
        names = {field.name for field in fields(FileReport)}
        files = tuple(
            FileReport(**{n: value for n, value in file.items() if n in names} | _times(file))
            for file in data["ingest"]["files"]
        )
        captures = tuple(CaptureReport(**c | _times(c)) for c in data["ingest"]["captures"])
        ingest = IngestReport(files, tuple(data["ingest"]["skipped"]), captures)
        return cls(**{**data, "ingest": ingest, "notes": tuple(data["notes"])})


def last_local_day(ingest: IngestReport, zone: str | None) -> date | None:
    """The day of the last event by the local clock: of the zone named, else of its file."""
    ends = [(f.last, f.zone) for f in ingest.files] + [(c.last, "UTC") for c in ingest.captures]
    days = [last.astimezone(ZoneInfo(zone or own)).date() for last, own in ends if last]
    return max(days, default=None)


def local_span(file: FileReport) -> tuple[str, str] | None:
    """First and last event of a file by its own clock, to the minute."""
    if file.first is None or file.last is None:
        return None
    zone = ZoneInfo(file.zone)
    first, last = (f"{t.astimezone(zone):%Y-%m-%d %H:%M}" for t in (file.first, file.last))
    return first, last


def _times(file: Mapping[str, Any]) -> dict[str, datetime | None]:
    times = {name: file[name] for name in ("first", "last")}
    return {n: datetime.fromisoformat(t) if t else None for n, t in times.items()}
