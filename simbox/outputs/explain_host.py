"""One host taken apart: its score, calls over time, devices, lines, peers, tunnels and frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from simbox.errors import InputError
from simbox.features.hosts import features
from simbox.features.hosts.seen import Seen
from simbox.ingest.capture.joined import CaptureTables
from simbox.outputs import proof
from simbox.outputs.folder import (
    CAPTURES,
    HOST_CONTRIBUTIONS,
    HOST_FEATURES,
    HOST_PERCENTILES,
    HOSTS,
    RunFolder,
)
from simbox.outputs.masking import masked, printable
from simbox.outputs.parts import Breakdown, breakdown
from simbox.outputs.ranking import HOST
from simbox.outputs.timeline import Timeline, timeline
from simbox.scoring import Knots
from simbox.scoring import explain as reasons
from simbox.scoring.hosts import host_scorecard

SCANNING = "scanning"  # the family that says what a scanner does
IDENTITIES = ("number", "imsi", "imei", "iccid")


@dataclass(frozen=True)
class HostExplanation:
    """Everything that a run knows about one host."""

    row: Mapping[str, Any]
    side: str  # why it is taken to be on the access side
    breakdown: Breakdown
    timeline: Timeline | None
    devices: pl.DataFrame  # signature, product, grade, count, file, frame, fields
    lines: pl.DataFrame  # port, account, number, imsi, imei, iccid, seen, last, file, frame
    changes: pl.DataFrame  # port, account, what, before, after, seen, file, frame
    peers: pl.DataFrame  # peer, calls in and out, answered, streams, packets, registrations
    tunnels: pl.DataFrame
    calls: pl.DataFrame  # frame, start, way, peer, other, status, seconds, file
    proof: pl.DataFrame  # reason, frames of, file, frames
    has_tables: bool


def seen_in(run: RunFolder) -> Seen | None:
    """What the captures of a run have shown; none when it was made with --no-store."""
    tables = capture_tables(run)
    return None if tables is None else Seen.of(tables.shown, tables.sides)


def capture_tables(run: RunFolder) -> CaptureTables | None:
    """The tables of the captures of a run, where they were kept.

    Raises:
        InputError: one of them is missing or damaged.
    """
    folder = run.path / CAPTURES
    if not folder.is_dir():
        return None
    try:
        return CaptureTables.read(folder)
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(f"{folder}: a table is missing or damaged; run detect again") from None


def explain_host(run: RunFolder, host: str, *, reveal: bool = False) -> HostExplanation:
    """Take a host of a finished run apart."""
    digits = 0 if reveal else run.config.outputs.mask_digits
    tables = capture_tables(run)
    seen = Seen.of(tables.shown if tables else {}, tables.sides if tables else _NO_SIDES)
    row = run.table(HOSTS).filter(pl.col(HOST) == host).collect().row(0, named=True)
    parts = hosts_apart(run, [host])[host]
    return HostExplanation(
        row=row,
        side=_side(tables, host, row),
        breakdown=parts,
        timeline=timeline(seen, host),
        devices=devices(tables, host),
        lines=lines(seen, host),
        changes=changes(seen, host),
        peers=peers(seen, host),
        tunnels=tunnels(seen, host),
        calls=calls(seen, host, digits),
        proof=proof_of(parts, row, proof.frames_of(seen, host)),
        has_tables=tables is not None,
    )


def hosts_apart(run: RunFolder, hosts: Sequence[str]) -> dict[str, Breakdown]:
    """The scores of hosts of a finished run in their parts."""
    card = host_scorecard(run.config, {name: f.family for name, f in features().items()})
    knots = Knots(run.table(HOST_PERCENTILES).collect())
    measured, parts = (
        run.table(name).filter(pl.col(HOST).is_in(hosts)).collect()
        for name in (HOST_FEATURES, HOST_CONTRIBUTIONS)
    )
    return {
        host: breakdown(
            reasons(measured.filter(host=host), parts.filter(host=host), card, knots), features()
        )
        for host in hosts
    }


def devices(tables: CaptureTables | None, host: str) -> pl.DataFrame:
    """The device signatures that matched at a host, of any kind, the best grade first."""
    every = {} if tables is None else {"evidence": tables.evidence}
    found = Seen.of(every, _NO_SIDES).evidence.filter(host=host)
    counted = found.group_by("signature", "product", "grade").agg(
        pl.col("count").sum(),
        lines=pl.col("line").drop_nulls().n_unique(),
        first_seen=pl.col("time").min(),
        file=pl.col("source").sort_by("time", "frame").first(),
        frame=pl.col("frame").sort_by("time", "frame").first(),
        fields=printable(pl.col("fields")).drop_nulls().first(),
    )
    return counted.sort("grade", "count", "signature", descending=[False, True, False])


def lines(seen: Seen, host: str) -> pl.DataFrame:
    """The lines of a host: as its device reports them, and the accounts that it registers."""
    who = ["port", "account", *IDENTITIES]
    told = seen.sightings.filter(host=host).select(
        "seen", pl.col("port").cast(pl.Int64), *(printable(pl.col(n)) for n in who[1:]),
        "source", "frame",
    )  # fmt: skip
    status = pl.col("status_code")
    granted = seen.dialogs.filter(
        pl.col("src") == host, pl.col("method") == "REGISTER",
        status.is_null() | status.is_between(200, 299),
    )  # fmt: skip
    registered = granted.select(
        seen="start", account=printable(pl.coalesce("to_user", "from_user", "auth_user")),
        source="source", frame="frame",
    )  # fmt: skip
    known = told.select("account").drop_nulls().unique()
    others = registered.drop_nulls("account").join(known, on="account", how="anti")
    every = pl.concat([told, others], how="diagonal_relaxed").sort("seen", "source", "frame")
    return every.group_by(who, maintain_order=True).agg(
        reports=pl.len(), first_seen=pl.col("seen").min(), last_seen=pl.col("seen").max(),
        file=pl.col("source").first(), frame=pl.col("frame").first(),
    ).sort("port", "account", "first_seen", nulls_last=True)  # fmt: skip


def changes(seen: Seen, host: str) -> pl.DataFrame:
    """Changes of the SIM or the IMEI of a line from one report to the next: rotation."""
    told = seen.sightings.filter(host=host).sort("seen", "source", "frame")
    parts = []
    for name in ("imsi", "iccid", "imei"):
        known = told.drop_nulls(name).with_columns(
            before=pl.col(name).shift().over("port", "account")
        )
        parts.append(
            known.filter(pl.col("before") != pl.col(name)).select(
                "seen", "port", "account", what=pl.lit(name), before="before", after=name,
                file="source", frame="frame",
            )
        )  # fmt: skip
    return pl.concat(parts).sort("seen", "file", "frame", "what")


def peers(seen: Seen, host: str) -> pl.DataFrame:
    """The far ends of a host: calls each way, media, registrations."""
    called = seen.calls.filter(host=host).group_by("peer").agg(
        calls_in=pl.col("into").sum(), calls_out=pl.col("into").not_().sum(),
        answered=pl.col("answered_at").is_not_null().sum(),
    )  # fmt: skip
    streams = pl.concat(
        seen.streams.filter(pl.col(own) == host).select("packets", peer=other)
        for own, other in (("src", "dst"), ("dst", "src"))
    )
    media = streams.group_by("peer").agg(streams=pl.len(), packets=pl.col("packets").sum())
    registered = seen.dialogs.filter(src=host, method="REGISTER").group_by(peer="dst")
    reports = seen.sightings.filter(host=host).drop_nulls("peer").group_by("peer")
    found = called
    for other in (media, registered.agg(registrations=pl.len()), reports.agg(reports=pl.len())):
        found = found.join(other, on="peer", how="full", coalesce=True)
    total = pl.sum_horizontal("calls_in", "calls_out").fill_null(0)
    return found.sort(total, "packets", "peer", descending=[True, True, False], nulls_last=True)


def tunnels(seen: Seen, host: str) -> pl.DataFrame:
    """Flows of a host that carry voice inside a tunnel."""
    return seen.tunnels.filter(host=host).select(
        peer=pl.format("{} {}", "peer", "peer_port"), kind="kind", codec="codec", start="start",
        end="end", most="calls_max", mean=pl.col("calls_mean").round(1).cast(pl.String),
        voice="share", file="source", frame="first_frame",
    ).sort("start", "peer")  # fmt: skip


def calls(seen: Seen, host: str, digits: int) -> pl.DataFrame:
    """The calls of a host in the order of time, the other party's number masked."""
    own = pl.col("into") & pl.col("own")
    caller = pl.coalesce("asserted_user", "from_user")
    called = pl.coalesce("request_user", "to_user")
    other = printable(pl.when(own).then(caller).otherwise(called))
    seconds = (pl.col("until") - pl.col("answered_at")).dt.total_seconds()
    return seen.calls.filter(host=host).sort("start", "source", "frame").select(
        "frame", "start",
        way=pl.when("into").then(pl.lit("in")).otherwise(pl.lit("out")),
        peer="peer",
        other=masked(other, digits) if digits else other,
        status="status_code",
        seconds=pl.when(pl.col("answered_at").is_not_null()).then(seconds),
        file="source",
    )  # fmt: skip


def proof_of(parts: Breakdown, row: Mapping[str, Any], frames: pl.DataFrame) -> pl.DataFrame:
    """The frames behind each family that speaks for a gateway, the strongest first.

    Of a scanner the requests that it sent in vain come first.
    """
    families = [SCANNING] if row["scanner"] else []
    families += [group.name for group in parts.groups if group.micro_nats > 0]
    rows = [
        row
        for family, part in proof.behind(families, frames)
        for row in proof.summary(family, part)
    ]
    schema = dict.fromkeys(("reason", "frames of", "file", "frames"), pl.String)
    return pl.DataFrame(rows, schema=schema)


def _side(tables: CaptureTables | None, host: str, row: Mapping[str, Any]) -> str:
    if tables is None:
        return str(row["side"])
    found = tables.sides.filter(host=host)["reason"]
    return f"{row['side']}: {found[0]}" if len(found) else str(row["side"])


_NO_SIDES = pl.DataFrame(schema={"host": pl.String, "side": pl.String, "reason": pl.String})
