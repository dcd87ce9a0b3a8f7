"""The tables of a run as files; the same run gives the same bytes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from simbox.outputs import folder
from simbox.outputs.events import write_events
from simbox.outputs.record import RunRecord
from simbox.outputs.report import report
from simbox.outputs.terminal import as_csv
from simbox.scoring import Scored
from simbox.scoring.hosts import ScoredHosts
from simbox.store import Store
from simbox.tables import REJECTS


@dataclass(frozen=True)
class Keep:
    """What a run keeps beside its results."""

    store: bool = True
    tables: bool = False


def write(
    work: Path, record: RunRecord, scored: Scored, keep: Keep, hosts: ScoredHosts | None = None
) -> None:
    """Complete a folder that holds features, contributions and sites: lines, hosts, report."""
    if hosts is not None:
        hosts.hosts.write_parquet(work / folder.HOSTS)
        (work / folder.HOSTS_CSV).write_text(as_csv(hosts.hosts), encoding="utf-8")
    scored.lines.write_parquet(work / folder.LINES)
    scored.knots.frame.write_parquet(work / folder.PERCENTILES)
    (work / folder.LINES_CSV).write_text(as_csv(scored.lines), encoding="utf-8")
    if not (work / folder.REJECTS).is_file():
        REJECTS.empty().write_parquet(work / folder.REJECTS)
    folder.write_json(work / folder.RUN_FILE, record.as_dict())
    (work / folder.REPORT).write_text(report(folder.RunFolder.open(work)), encoding="utf-8")
    store = work / folder.STORE
    if store.is_dir() and keep.tables:
        write_events(Store.open(store), work / folder.EVENTS)
    if store.is_dir() and not keep.store:
        Store.open(store).remove()
    if not (keep.store or keep.tables):
        shutil.rmtree(work / folder.CAPTURES, ignore_errors=True)
