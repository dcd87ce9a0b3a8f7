"""The frames of captures behind the reasons for a host."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from simbox.errors import UsageError
from simbox.features.hosts.seen import Seen
from simbox.ingest.capture.excerpt import write_excerpt
from simbox.ingest.sources import Inputs

MOST_FRAMES = 20_000  # of an excerpt
PCAPNG = b"\x0a\x0d\x0d\x0a"  # how a file of this format begins
CALLS, DEVICES, REGISTRATIONS = "calls", "device signs", "registrations"
REQUESTS, MEDIA, SIMS, TUNNELS = "requests", "media", "SIM reports", "tunnels"

#: What each family of signals is measured from; others from calls.
BEHIND: Mapping[str, tuple[str, ...]] = {
    "capacity": (CALLS, TUNNELS, MEDIA),
    "device": (DEVICES,),
    "identity": (DEVICES, SIMS),
    "media": (MEDIA,),
    "nat": (REGISTRATIONS, CALLS),
    "registration": (REGISTRATIONS,),
    "scanning": (REQUESTS,),
    "tunnel": (TUNNELS,),
}

FRAMES: dict[str, pl.DataType | type[pl.DataType]] = {
    "of": pl.String,
    "source": pl.String,
    "frame": pl.UInt64,
}


@dataclass(frozen=True)
class Picked:
    """Frames that prove something, by capture file."""

    frames: Mapping[str, tuple[int, ...]]
    left_out: int  # frames beyond the most


def frames_of(seen: Seen, host: str) -> pl.DataFrame:
    """The frames about a host: columns of FRAMES, each once, in order."""
    parts = [
        part.select(of=pl.lit(name), source="source", frame=pl.col("frame").cast(pl.UInt64))
        for name, table in _TABLES.items()
        for part in table(seen, host)
    ]
    found = pl.concat(parts).drop_nulls().unique()
    order = pl.col("of").cast(pl.Enum(list(_TABLES)))
    return found.sort(order, "source", "frame").select(*FRAMES)


def behind(families: Iterable[str], frames: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """The frames behind each family of signals; families without any are left out."""
    found = []
    for family in families:
        wanted = BEHIND.get(family, (CALLS,))
        part = frames.filter(pl.col("of").is_in(wanted))
        if part.height:
            found.append((family, part))
    return found


def pick(seen: Seen, hosts: Iterable[str], most: int = MOST_FRAMES) -> Picked:
    """The frames about some hosts, those of the first hosts first, at most so many."""
    parts = [frames_of(seen, host).select("source", "frame") for host in hosts]
    if not parts:
        return Picked({}, 0)
    every = pl.concat(parts).unique(maintain_order=True)
    kept = every.head(most).group_by("source").agg(pl.col("frame").sort()).sort("source")
    frames = {source: tuple(numbers) for source, numbers in kept.iter_rows()}
    return Picked(frames, max(every.height - most, 0))


def check_target(target: Path, inputs: Inputs) -> None:
    """Make sure, before anything is read, that an excerpt can be written.

    Raises:
        UsageError: there is nothing to take it from, or no place for it.
    """
    where = f"--evidence-pcap {target}"
    if not inputs.captures:
        raise UsageError(f"{where}: no capture among the inputs; leave it out, or name one")
    if target.is_dir() or not target.parent.is_dir():
        raise UsageError(f"{where}: not a file in a folder that exists; name one")
    if not _writable(target.parent):
        raise UsageError(f"{where}: no permission to write there; name another file")
    given = {source.file.resolve() for source in (*inputs.sources, *inputs.captures)}
    if target.resolve() in given:
        raise UsageError(f"{where}: is one of the inputs; name another file")
    if target.exists() and not _replaceable(target):
        raise UsageError(f"{where}: exists and is no pcapng file; name another file")


def check_apart(target: Path | None, out: Path) -> None:
    """Make sure that an excerpt does not go the way of the folder that a run replaces.

    Raises:
        UsageError: it is to lie in that folder, or to be it.
    """
    if target is not None and target.resolve().is_relative_to(out.resolve()):
        raise UsageError(
            f"--evidence-pcap {target}: lies in the folder of the run, which is replaced as a "
            "whole; name a file outside of it"
        )


def _writable(folder: Path) -> bool:
    """Whether files can be made in a folder."""
    return os.access(folder, os.W_OK)


def _replaceable(target: Path) -> bool:
    """Whether a file is an excerpt of before, or empty."""
    if not target.is_file() or not os.access(target, os.R_OK):
        return False
    with target.open("rb") as handle:
        return handle.read(len(PCAPNG)) in (PCAPNG, b"")


def write_proof(target: Path, picked: Picked) -> dict[str, Any]:
    """Write an excerpt of the captures; what is to be recorded of it.

    Raises:
        UsageError: the file cannot be written.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        written = write_excerpt(part, picked.frames)
        part.replace(target)
    except OSError as error:
        raise UsageError(
            f"--evidence-pcap {target}: cannot be written ({error.strerror}); name another file"
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return {
        "path": str(target),
        "frames": written.frames,
        "left_out": picked.left_out,
        "sha256": written.sha256,
    }


def ranges(numbers: Iterable[int], most: int = 12) -> str:
    """Frame numbers as people write them: 3-7, 12; the first so many of them."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    told = [f"{a}" if a == b else f"{a}-{b}" for a, b in runs[:most]]
    left = sum(b - a + 1 for a, b in runs[most:])
    return ", ".join(told) + (f" and {left:,} more" if left else "")


def _devices(seen: Seen, host: str) -> list[pl.DataFrame]:
    return [seen.evidence.filter(host=host)]


def _sims(seen: Seen, host: str) -> list[pl.DataFrame]:
    return [seen.sightings.filter(host=host)]


def _tunnels(seen: Seen, host: str) -> list[pl.DataFrame]:
    return [seen.tunnels.filter(host=host).rename({"first_frame": "frame"})]


def _calls(seen: Seen, host: str) -> list[pl.DataFrame]:
    return [_exploded(seen.calls.filter(host=host))]


def _registrations(seen: Seen, host: str) -> list[pl.DataFrame]:
    return [_exploded(seen.dialogs.filter(src=host, method="REGISTER"))]


def _requests(seen: Seen, host: str) -> list[pl.DataFrame]:
    other = seen.dialogs.filter(pl.col("src") == host, pl.col("method") != "REGISTER")
    return [_exploded(other)]


def _media(seen: Seen, host: str) -> list[pl.DataFrame]:
    of_host = seen.streams.filter((pl.col("src") == host) | (pl.col("dst") == host))
    return [of_host.select("source", frame=name) for name in ("first_frame", "last_frame")]


def _exploded(dialogs: pl.DataFrame) -> pl.DataFrame:
    first = dialogs.select("source", frames=pl.col("frame").cast(pl.UInt64))
    return pl.concat([first, dialogs.select("source", "frames").explode("frames")]).rename(
        {"frames": "frame"}
    )


_Table = Callable[[Seen, str], list[pl.DataFrame]]
_TABLES: dict[str, _Table] = {
    DEVICES: _devices,
    SIMS: _sims,
    TUNNELS: _tunnels,
    REGISTRATIONS: _registrations,
    CALLS: _calls,
    REQUESTS: _requests,
    MEDIA: _media,
}


def summary(family: str, frames: pl.DataFrame) -> list[dict[str, Any]]:
    """The frames behind a family as rows: reason, what they show, file, numbers."""
    return [
        {"reason": family, "frames of": of, "file": source, "frames": ranges(numbers)}
        for of, source, numbers in frames.group_by("of", "source", maintain_order=True)
        .agg("frame")
        .iter_rows()
    ]
