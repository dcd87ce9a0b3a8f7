"""The hops of captures: hosts measured, scored, and the frames behind their reasons."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from simbox.features.hosts import features as features_of_hosts
from simbox.features.hosts import host_features
from simbox.features.hosts.seen import Seen
from simbox.ingest.capture.access import Network
from simbox.ingest.capture.run import Captured
from simbox.outputs import folder as run_folder
from simbox.outputs.proof import pick, write_proof
from simbox.outputs.record import RunRecord
from simbox.outputs.wording import plural
from simbox.scoring import ListEntries, Scorecard
from simbox.scoring.hosts import HOST_STATUSES, ScoredHosts, score_hosts

FINDINGS = ("alert", "watch")


def scored_hosts(
    captured: Captured, card: Scorecard, lists: ListEntries, work: Path
) -> ScoredHosts:
    """Measure and score the hosts of captures, and write all but their ranking."""
    captured.tables.write(work / run_folder.CAPTURES)
    measured = host_features(captured.tables.shown, captured.tables.sides)
    measured.write_parquet(work / run_folder.HOST_FEATURES)
    scored = score_hosts(measured, card, lists)
    scored.contributions.write_parquet(work / run_folder.HOST_CONTRIBUTIONS)
    scored.knots.frame.write_parquet(work / run_folder.HOST_PERCENTILES)
    return scored


def excerpt(
    target: Path | None, captured: Captured, scored: ScoredHosts
) -> Mapping[str, Any] | None:
    """Write the frames behind the reasons for the hosts that are findings, where it is asked."""
    if target is None:
        return None
    found = scored.hosts.filter(pl.col("status").cast(pl.String).is_in(FINDINGS))
    seen = Seen.of(captured.tables.shown, captured.tables.sides)
    return write_proof(target, pick(seen, found["host"].to_list()))


def with_hosts(
    record: RunRecord, scored: ScoredHosts, evidence: Mapping[str, Any] | None
) -> RunRecord:
    """The record with what was said about hosts."""
    status = Counter(scored.hosts["status"].cast(pl.String))
    return replace(
        record,
        hosts=scored.hosts.height,
        evidence=evidence,
        host_status={name: status.get(name, 0) for name in HOST_STATUSES},
        notes=(*record.notes, *(f"hosts: {note}" for note in scored.notes)),
    )


def recorded_notes(captured: Captured) -> tuple[str, ...]:
    """How many calls both sides of a run tell of."""
    if not captured.recorded:
        return ()
    return (f"{plural(captured.recorded, 'call')} of the captures found in the CDRs, counted once",)


def access_notes(access: tuple[Network, ...], captured: Captured) -> tuple[str, ...]:
    """What to know about networks of the access side that hold no address of the captures."""
    seen = [ipaddress.ip_address(host) for host in captured.tables.sides["host"]]
    empty = [network for network in access if not any(host in network for host in seen)]
    return tuple(f"no address of the captures lies in the access network {n}" for n in empty)


def host_families() -> dict[str, str]:
    """The family of every feature of hosts."""
    return {name: feature.family for name, feature in features_of_hosts().items()}
