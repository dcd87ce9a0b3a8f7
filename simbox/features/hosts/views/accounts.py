"""Which accounts a host registers, and what requests it sends in vain."""

from __future__ import annotations

import polars as pl

from simbox.features.hosts.declaration import HostView
from simbox.features.hosts.seen import ACCESS, Seen


def compute(seen: Seen) -> pl.DataFrame:
    """Registered accounts at the registrar with most, and the host's requests."""
    side = seen.sides.unique("host", keep="first", maintain_order=True)
    doubtful = side.select("host", doubtful=(pl.col("side") != ACCESS).cast(pl.UInt8))
    found = seen.hosts.join(_registered(seen), on="host", how="left")
    for frame in (_requests(seen), doubtful):
        found = found.join(frame, on="host", how="left")
    return found


def _registered(seen: Seen) -> pl.DataFrame:
    status = pl.col("status_code")
    accounts = seen.dialogs.filter(
        pl.col("method") == "REGISTER", status.is_null() | status.is_between(200, 299)
    ).select(
        "expires", "user_agent", host="src", registrar="dst",
        account=pl.coalesce("to_user", "from_user", "auth_user"),
    ).drop_nulls("account")  # fmt: skip
    number = pl.col("account").str.extract(r"([0-9]{1,9})$", 1).cast(pl.Int64)
    each = accounts.group_by("host", "registrar", "account").agg(
        pl.col("expires").median(), pl.col("user_agent").mode().min()
    ).with_columns(number=number)  # fmt: skip
    steps = pl.col("number").unique().sort().diff()
    registrars = each.group_by("host", "registrar").agg(
        pl.len().alias("accounts"),
        (steps == 1).sum().alias("accounts_next"),
        pl.col("expires").median().alias("expires_s"),
        pl.col("user_agent").drop_nulls().n_unique().alias("agents"),
    )
    return registrars.sort("accounts", "registrar", descending=[True, False]).group_by(
        "host", maintain_order=True
    ).first().drop("registrar")  # fmt: skip


def _requests(seen: Seen) -> pl.DataFrame:
    return seen.requests.group_by("host").agg(
        pl.len().alias("requests"),
        pl.col("refused").sum().alias("requests_refused"),
        pl.col("succeeded").sum().alias("requests_succeeded"),
        pl.max_horizontal(pl.col("user").n_unique(), pl.col("peer").n_unique()).alias("targets"),
    )


VIEW = HostView(
    name="accounts",
    doc="Registrations and requests of a host.",
    columns={
        "doubtful": "1 where it is not known to be on the access side",
        "accounts": "accounts registered at one server",
        "accounts_next": "those whose number follows another's",
        "expires_s": "median lifetime that they ask for, seconds",
        "agents": "distinct User-Agents of them",
        "requests": "INVITE, REGISTER and OPTIONS requests that the host sent",
        "requests_refused": "those that were refused or not answered",
        "requests_succeeded": "those that were granted, rang or were answered",
        "targets": "distinct users or hosts of them, whichever are more",
    },
    compute=compute,
)
