"""What a host shows of the device: signatures by grade, SIMs and modules that it reports."""

from __future__ import annotations

import polars as pl

from simbox.features.hosts.declaration import HostView
from simbox.features.hosts.seen import Seen
from simbox.tables import GRADES

SIM_BANK = "simbank"  # it reports slots of SIMs, which are more than the ports that call


def compute(seen: Seen) -> pl.DataFrame:
    """Distinct signatures, reported lines and SIMs; the tunnels of the host."""
    grade = pl.col("grade").cast(pl.String)
    signatures = seen.evidence.group_by("host").agg(
        *(
            pl.col("signature").filter(grade == name).n_unique().alias(f"signatures_{name}")
            for name in GRADES
        )
    )
    found = seen.hosts.join(signatures, on="host", how="left")
    found = found.join(_sims(seen.sightings), on="host", how="left")
    found = found.join(_ports(seen), on="host", how="left")
    tunnels = seen.tunnels.group_by("host").agg(
        ((pl.col("share") * pl.col("windows")).sum() / pl.col("windows").sum()).alias(
            "tunnel_share"
        )
    )
    return found.join(tunnels, on="host", how="left")


def _sims(sightings: pl.DataFrame) -> pl.DataFrame:
    """SIMs and modules that the host reported, and how many a line had."""
    line = pl.coalesce(pl.col("port").cast(pl.String), "account", "line")
    named = sightings.with_columns(which=line)
    each = named.drop_nulls("which").group_by("host", "which").agg(
        pl.coalesce(
            pl.when(pl.col(n).n_unique() > 0).then(pl.col(n).drop_nulls().n_unique())
            for n in ("imsi", "iccid")
        ).alias("sims"),
        pl.col("imei").drop_nulls().n_unique().alias("modules"),
        pl.col("seen").sort().diff().dt.total_milliseconds().median().alias("gap_ms"),
    )  # fmt: skip
    lines = each.group_by("host").agg(
        pl.col("sims").max().alias("sims_a_port"),
        pl.col("modules").max().alias("imeis_a_port"),
        (pl.col("gap_ms").median() / 1000).alias("report_gap_s"),
    )
    totals = sightings.group_by("host").agg(
        pl.len().alias("reports"),
        *(
            pl.col(n).drop_nulls().n_unique().alias(name)
            for n, name in (("imsi", "imsis"), ("iccid", "iccids"), ("imei", "imeis"))
        ),
    )
    return totals.join(lines, on="host", how="left")


def _ports(seen: Seen) -> pl.DataFrame:
    """Distinct lines by whatever names them: reports, and the port of a call."""
    own = seen.sightings.filter(pl.col("protocol") != SIM_BANK)
    return pl.concat(
        [
            own.group_by("host").agg(
                pl.max_horizontal(
                    pl.col("port").drop_nulls().n_unique(), pl.col("account").drop_nulls().n_unique()
                ).alias("reported_ports")
            ),
            seen.calls.drop_nulls("port").group_by("host").agg(
                pl.col("port").n_unique().alias("reported_ports")
            ),
        ]
    ).group_by("host").agg(pl.col("reported_ports").max())  # fmt: skip


VIEW = HostView(
    name="devices",
    doc="Signatures of gateways at a host and what it reports about its SIMs.",
    columns={
        "signatures_conclusive": "distinct conclusive signatures",
        "signatures_strong": "distinct strong signatures",
        "signatures_weak": "distinct weak signatures",
        "reports": "reports of a line's SIM",
        "imsis": "distinct IMSIs in them",
        "iccids": "distinct ICCIDs in them",
        "imeis": "distinct IMEIs in them",
        "sims_a_port": "most SIMs on one line",
        "imeis_a_port": "most IMEIs on one line",
        "report_gap_s": "median seconds between the reports of a line",
        "reported_ports": "distinct lines that it reports",
        "tunnel_share": "share of its tunnels' windows that carry voice",
    },
    compute=compute,
)
