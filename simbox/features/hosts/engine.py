"""The feature stage of captures: one row a host from the tables of a run."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from simbox.features.hosts.declaration import features, views
from simbox.features.hosts.seen import Seen
from simbox.tables import UTC

SEGMENT = "host"  # hosts are compared with each other, whatever they are

#: What a row says about a host beside its features.
CONTEXT: dict[str, pl.DataType | type[pl.DataType]] = {
    "host": pl.String,
    "segment": pl.String,
    "side": pl.String,  # access or unknown; far only for scanners
    "product": pl.String,  # the device by its best evidence
    "ports": pl.UInt32,  # calls that it can carry at a time, as far as was seen
    "lines": pl.UInt32,  # accounts, reported lines
    "calls": pl.UInt32,  # by signalling, else by media, else inside tunnels
    "peers": pl.UInt32,  # far ends of its calls
    "scanner": pl.Boolean,  # a sender of many requests in vain
    "first_seen": UTC,
    "last_seen": UTC,
}


def host_features(tables: Mapping[str, pl.DataFrame], sides: pl.DataFrame) -> pl.DataFrame:
    """Every host that is not far, with what it is and every feature, null where not measured.

    Args:
        tables: dialogs, streams, sightings, evidence and tunnels by name; absent ones are empty.
        sides: columns host and side (access, far, unknown), of every address.

    Returns:
        Columns of CONTEXT, then the features, by host.  Hosts of which nothing was measured are
        left out.
    """
    seen = Seen.of(tables, sides)
    wide = seen.hosts
    for view in views():
        columns = view.compute(seen).select("host", *view.columns)
        wide = wide.join(columns, on="host", how="left", maintain_order="left")
    wide = wide.with_columns(ports=ports_estimate())
    about = _about(seen, wide)
    numbers = wide.select(feature.expression() for feature in features().values())
    table = pl.concat([about, numbers], how="horizontal")
    measured = pl.any_horizontal(pl.col(n).is_not_null() for n in features())
    return table.filter(measured)


def ports_estimate() -> pl.Expr:
    """Calls that a host can carry at a time: the most that any of three witnesses shows.

    The lines that the device itself reports, the accounts that it registers at one server, and
    the most calls at a time.  The first two are exact where they are seen; the last is exact once
    the box was full and never too high, for a port carries one call.  Media counts only where
    there is neither signalling nor a tunnel: one call may have several streams.
    """
    calls = pl.coalesce(pl.max_horizontal("signalled_most", "tunnel_most"), "media_most")
    return pl.max_horizontal("reported_ports", "accounts", calls)


def _about(seen: Seen, wide: pl.DataFrame) -> pl.DataFrame:
    """The context columns of each host."""
    side = seen.sides.unique("host", keep="first", maintain_order=True)
    named = (
        wide.join(side, on="host", how="left", maintain_order="left")
        .join(_products(seen), on="host", how="left", maintain_order="left")
        .join(_period(seen), on="host", how="left", maintain_order="left")
        .join(seen.scanners.with_columns(scanner=pl.lit(value=True)), on="host", how="left",
              maintain_order="left")
    )  # fmt: skip
    carried = pl.max_horizontal(pl.coalesce("calls", "streams"), "tunnel_calls").fill_null(0)
    return named.with_columns(
        segment=pl.lit(SEGMENT),
        lines=pl.max_horizontal("reported_ports", "accounts"),
        calls=carried,
        scanner=pl.col("scanner").fill_null(value=False),
    ).select(pl.col(name).cast(dtype) for name, dtype in CONTEXT.items())


def _products(seen: Seen) -> pl.DataFrame:
    """The product of each host's best grade, the most frequent of them."""
    order = ["grade", "matches", "product"]
    return (
        seen.evidence.group_by("host", "grade", "product")
        .agg(matches=pl.col("count").sum())
        .sort(*order, descending=[False, True, False])
        .group_by("host", maintain_order=True).agg(pl.col("product").first())
    )  # fmt: skip


def _period(seen: Seen) -> pl.DataFrame:
    """When each host was first and last seen in any table."""
    parts = [
        seen.dialogs.select(host=end, first="start", last="last_seen") for end in ("src", "dst")
    ]
    parts += [seen.streams.select(host=end, first="start", last="end") for end in ("src", "dst")]
    parts += [
        seen.sightings.select("host", first="seen", last="seen"),
        seen.evidence.select("host", first="time", last="last_seen"),
        seen.tunnels.select("host", first="start", last="end"),
    ]
    return pl.concat(parts).group_by("host").agg(
        first_seen=pl.col("first").min(), last_seen=pl.col("last").max()
    )  # fmt: skip
