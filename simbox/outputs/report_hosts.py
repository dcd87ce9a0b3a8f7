"""The hosts of a run for the report: captures, the ranked table, and why for the findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from markupsafe import Markup

from simbox.features.hosts.seen import Seen
from simbox.ingest.capture.report import CaptureReport
from simbox.outputs import captured, proof
from simbox.outputs.explain_host import (
    capture_tables,
    changes,
    devices,
    hosts_apart,
    lines,
    peers,
    proof_of,
    tunnels,
)
from simbox.outputs.explain_host_terminal import revealed
from simbox.outputs.folder import HOST_FEATURES, HOSTS, RunFolder
from simbox.outputs.parts import MICRO, Breakdown
from simbox.outputs.ranking import HOST, meanings, with_values
from simbox.outputs.svg import strips, waterfall
from simbox.outputs.timeline import Timeline, timeline
from simbox.outputs.wording import nats, percent, probability

MOST_HOSTS = 100
MOST_DETAILED = 30
MOST_ROWS = 64  # of a table about one host
MOST_CAPTURES = 30
DETAILED = ("alert", "watch")
NUMBERS = ("ports", "lines", "calls", "peers")


def scored_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    """A ranked row with its score and probability as texts."""
    return {
        **row,
        "score_text": nats(row["score"]),
        "probability_text": probability(row["probability"]),
    }


def score_parts(parts: Breakdown) -> dict[str, Any]:
    """A score as a chart and as a table."""
    bars = [(group.name, group.micro_nats / MICRO) for group in parts.groups]
    return {
        "waterfall": Markup(waterfall(bars, parts.total / MICRO)),  # noqa: S704  # escaped there
        "groups": [(group, nats(group.micro_nats / MICRO)) for group in parts.groups],
        "nats": lambda micro: nats(micro / MICRO),
    }


def host_section(run: RunFolder) -> dict[str, Any] | None:
    """What the page says about captures and hosts; none where there were none."""
    reports = run.record.ingest.captures
    if not reports:
        return None
    hosts = run.table(HOSTS).collect()
    head = with_values(hosts.head(MOST_HOSTS), run.table(HOST_FEATURES), HOST)
    ranked = [_shown(row) for row in head.iter_rows(named=True)]
    detailed = [row for row in ranked if row["status"] in DETAILED][:MOST_DETAILED]
    period = captured.span(reports, run.record.zone)
    return {
        "captures": [_capture(c, run.record.zone) for c in reports[:MOST_CAPTURES]],
        "period": f"{period} {run.record.zone}" if period else "",
        "more_captures": max(len(reports) - MOST_CAPTURES, 0),
        "ranked": ranked,
        "total": hosts.height,
        "meanings": meanings(head, HOST),
        "details": _details(run, detailed),
        "detailed": {row["rank"] for row in detailed},
    }


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {n: "–" if row[n] is None else f"{row[n]:,}" for n in NUMBERS}
    return scored_texts(row) | {f"{n}_text": text for n, text in numbers.items()}


def _capture(report: CaptureReport, zone: str) -> dict[str, str]:
    given_up = captured.given_up(report.counts)
    return {
        "path": report.path,
        "format": report.format,
        "packets": f"{report.packets:,}",
        "period": captured.span([report], zone) or "–",
        "damage": report.damage,
        "found": ", ".join(f"{n} {c:,}" for n, c in captured.found(report.counts).items()),
        "given_up": ", ".join(f"{n} {c:,}" for n, c in given_up.items()),
    }


def _details(run: RunFolder, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The charts and tables of some hosts; the captures' tables are read once for all."""
    kept = capture_tables(run) if rows else None
    if kept is None:
        return []
    seen = Seen.of(kept.shown, kept.sides)
    apart = hosts_apart(run, [row[HOST] for row in rows])
    zone = run.record.zone
    found = []
    for row in rows:
        host, parts = row[HOST], apart[row[HOST]]
        told = devices(kept, host).with_columns(
            pl.col("fields").map_elements(revealed, return_dtype=pl.String)
        )
        tables = {
            "devices": told.drop("lines"),
            "lines": lines(seen, host),
            "changes of SIM and device": changes(seen, host),
            "peers": peers(seen, host),
            "tunnels": tunnels(seen, host),
            "frames behind the reasons": proof_of(parts, row, proof.frames_of(seen, host)),
        }
        found.append(
            {"row": row, "strip": _strip(timeline(seen, host), zone), **score_parts(parts)}
            | {"tables": list(tables_of(tables, zone))}
        )
    return found


def _strip(found: Timeline | None, zone: str) -> Markup:
    if found is None:
        return Markup()
    ends = [f"{t.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" for t in (found.start, found.end)]
    return Markup(strips(found.rows, (ends[0], ends[1])))  # noqa: S704  # escaped where drawn


def tables_of(tables: Mapping[str, pl.DataFrame], zone: str) -> Iterator[dict[str, Any]]:
    """Tables that have rows, as texts, without columns that have no value."""
    for name, frame in tables.items():
        if frame.is_empty():
            continue
        kept = frame.select(s.name for s in frame if s.null_count() < len(s))
        files: list[str] = kept["file"].unique().to_list() if "file" in kept.columns else []
        if len(files) == 1:
            kept = kept.drop("file")
        yield {
            "name": name,
            "file": files[0] if len(files) == 1 else "",
            "columns": [(c.replace("_", " "), _kind(t)) for c, t in kept.schema.items()],
            "rows": [[_text(v, zone) for v in row] for row in kept.head(MOST_ROWS).iter_rows()],
            "more": max(frame.height - MOST_ROWS, 0),
        }


def _kind(dtype: pl.DataType) -> str:
    """How a column is set: numbers to the right, times on one line."""
    return "num" if dtype.is_numeric() else "nowrap" if dtype.is_temporal() else ""


def _text(value: Any, zone: str) -> str:  # noqa: ANN401  # a cell of any table
    if value is None:
        return ""
    if isinstance(value, float):
        return percent(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(ZoneInfo(zone)):%m-%d %H:%M:%S}"
    return f"{value:,}" if isinstance(value, int) else str(value)
