"""The tables of all capture files of a run, joined: dialogs, streams, evidence and the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl

from simbox.ingest.capture.access import Network, access_side
from simbox.ingest.capture.media.streams import join_segments, with_calls
from simbox.ingest.capture.signalling.dialogs import assemble, buckets
from simbox.ingest.capture.signalling.rejoined import rejoined
from simbox.ingest.capture.signatures.matching import Signatures
from simbox.ingest.capture.signatures.sipforms import evidence_of, matches
from simbox.ingest.capture.signatures.stations import STATIONS
from simbox.ingest.capture.sink import shares
from simbox.ingest.capture.tunnels.voice import voice_tunnels
from simbox.tables import (
    DIALOGS,
    EVIDENCE,
    MEDIA,
    MESSAGES,
    SEGMENTS,
    SIGHTINGS,
    STREAMS,
    TUNNELS,
    WINDOWS,
    Table,
)

GATEWAY = "gateway"
_ONCE = [c for c in SIGHTINGS.schema if c not in {"source", "frame"}]  # of what two files hold
_MAC = "^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$"
_NO_HOST = r"^(?:0\.0\.0\.0|::|169\.254\..*|fe80:.*)$"  # unspecified, or of the link only


@dataclass(frozen=True)
class CaptureTables:
    """What the captures of a run have shown; every table in a fixed order."""

    dialogs: pl.DataFrame
    streams: pl.DataFrame
    evidence: pl.DataFrame
    sightings: pl.DataFrame
    tunnels: pl.DataFrame
    sides: pl.DataFrame  # of every address: access, far or unknown

    @property
    def shown(self) -> dict[str, pl.DataFrame]:
        """What hosts are measured by: the tables by name, of evidence only that of gateways."""
        tables = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "sides"}
        return tables | {"evidence": self.evidence.filter(pl.col("kind") == GATEWAY)}

    def write(self, folder: Path) -> None:
        """One Parquet file a table."""
        folder.mkdir(parents=True, exist_ok=True)
        for field in fields(self):
            getattr(self, field.name).write_parquet(folder / f"{field.name}.parquet")

    @classmethod
    def read(cls, folder: Path) -> CaptureTables:
        """The tables that ``write`` has written."""
        return cls(**{f.name: pl.read_parquet(folder / f"{f.name}.parquet") for f in fields(cls)})


def join(folder: Path, signatures: Signatures, networks: Sequence[Network]) -> CaptureTables:
    """Join what ``read_captures`` left in the folders of the files."""
    signalling, of_sip = _sip(folder, signatures)
    dialogs = DIALOGS.conform(pl.concat([*signalling, rejoined(_all(folder, DIALOGS))])).sort(
        "start", "source", "frame", "call_id", "src", "dst"
    )
    del signalling
    streams = _streams(folder)
    found = _addressed(pl.concat([_all(folder, EVIDENCE), of_sip]), _all(folder, STATIONS))
    evidence = _same(found, signatures.kinds())
    sightings = _all(folder, SIGHTINGS).sort("seen", "source", "frame", "host", "account")
    sightings = sightings.unique(_ONCE, keep="first", maintain_order=True)
    windows = _all(folder, WINDOWS)
    devices = evidence.filter(pl.col("kind") == GATEWAY)
    known = {"dialogs": dialogs, "streams": streams, "sightings": sightings, "evidence": devices}
    sides = access_side({**known, "windows": windows}, networks or None)
    tunnels = TUNNELS.conform(voice_tunnels(windows, sides))
    return CaptureTables(dialogs, streams, evidence, sightings, tunnels, sides)


def _sip(folder: Path, signatures: Signatures) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Dialogs and evidence of the SIP messages, of which only a bucket is held at a time."""
    dialogs, found = [], []
    for messages in buckets(shares(folder, MESSAGES)):
        dialogs.append(assemble(messages))
        found.append(matches(messages, signatures))
        del messages  # before the next are read
    return dialogs, EVIDENCE.conform(evidence_of(found))


def _streams(folder: Path) -> pl.DataFrame:
    """The streams of all files with their calls."""
    whole = join_segments(_all(folder, SEGMENTS))
    return STREAMS.conform(with_calls(whole, _all(folder, MEDIA))).sort(
        "start", "source", "first_frame", "ssrc"
    )


def _all(folder: Path, table: Table) -> pl.DataFrame:
    """The rows of all files, in memory that is given back: a mapped file would stay open."""
    parts = sorted(folder.glob(f"*/{table.name}-*.arrow"))
    if not parts:
        return table.empty()
    return pl.concat([pl.read_ipc(part.read_bytes()) for part in parts])


def _addressed(evidence: pl.DataFrame, stations: pl.DataFrame) -> pl.DataFrame:
    """Evidence with IP addresses as hosts, where an Ethernet address sends from just one.

    A device that has no address yet, as one that asks for it by DHCP, is known by its Ethernet
    address only.  That of a router sends from many.
    """
    named = evidence.select(mac=pl.col("host").unique()).filter(pl.col("mac").str.contains(_MAC))
    if named.is_empty():
        return evidence
    four = ~pl.col("host").str.contains(":", literal=True)
    hosts = (
        stations.filter(~pl.col("host").str.contains(_NO_HOST))
        .join(named, on="mac", how="semi")
        .unique()
        .filter(four | ~four.any().over("mac"))  # an IPv4 address, where there is one
        .filter(pl.len().over("mac") == 1)
    )
    return evidence.with_columns(
        pl.col("host").replace(dict(hosts.select("mac", "host").iter_rows()))
    )


def _same(evidence: pl.DataFrame, kinds: Mapping[str, str]) -> pl.DataFrame:
    """Evidence with the matches of one signature at one host, peer and line in one row.

    What a reader knows without any signature file is a gateway's.
    """
    key = ["host", "peer", "line", "signature"]
    first = pl.all().exclude(*key, "count", "last_seen").first()
    joined = (
        evidence.sort("time", "source", "frame")
        .group_by(key, maintain_order=True)
        .agg(first, pl.col("count").sum(), pl.col("last_seen").max())
    )
    kind = pl.col("signature").replace_strict(kinds, default=GATEWAY, return_dtype=pl.String)
    return EVIDENCE.conform(joined.with_columns(kind=kind)).sort(
        "host", "time", "signature", "peer", "line"
    )
