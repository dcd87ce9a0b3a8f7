"""What a run is asked to do, and what it reads because of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from simbox.config import Config
from simbox.errors import UsageError
from simbox.ingest.capture.access import Network
from simbox.ingest.report import IngestOptions
from simbox.outputs import files
from simbox.outputs import folder as run_folder

Paths = Sequence[Path | str]


@dataclass(frozen=True)
class Options:
    """What a run is asked to do beyond its configuration."""

    profile: str | None = None
    zone: str | None = None  # of local time, unless the configuration or the profile says it
    since: datetime | None = None  # local
    until: datetime | None = None  # local, not included
    cells: Path | None = None
    lists: tuple[Path, ...] = ()
    access: tuple[Network, ...] = ()  # networks of the access side, in captures
    evidence: Path | None = None  # where the frames behind the reasons for hosts go
    keep: files.Keep = field(default_factory=files.Keep)


def networks(given: Sequence[str], told_by: str = "--access") -> tuple[Network, ...]:
    """Networks as people write them: 192.0.2.0/24, 2001:db8::/32, or an address.

    Raises:
        UsageError: one is none.
    """
    try:
        return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in given)
    except ValueError as error:
        raise UsageError(f"{told_by}: {error}; write it like 192.0.2.0/24") from None


def reading_options(config: Config, options: Options, work: Path | None = None) -> IngestOptions:
    """How the inputs of a run are read; with a folder, where its rejects go."""
    return IngestOptions(
        profile=options.profile,
        profile_folders=tuple(Path(f) for f in config.ingest.profile_folders),
        signature_folders=tuple(Path(f) for f in config.ingest.signature_folders),
        local_zone=local_zone(config, options),
        since=options.since,
        until=options.until,
        max_reject_share=config.ingest.max_reject_share,
        rejects_path=work / run_folder.REJECTS if work else None,
    )


def list_files(config: Config, options: Options) -> list[Path]:
    """The lists of the configuration, then those of the run."""
    return [*(Path(f) for f in config.lists.files), *options.lists]


def local_zone(config: Config, options: Options) -> str | None:
    """The zone that was named for local time; none where profiles tell it."""
    return options.zone or config.time.local_zone or None
