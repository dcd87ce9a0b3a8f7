"""Registration: a line is an account, and a box has many that follow each other."""

from __future__ import annotations

import polars as pl

from simbox.features.declaration import Feature, ratio
from simbox.features.hosts.measured import SEVERAL

FEATURES = (
    Feature(
        name="accounts_registered",
        family="registration",
        unit="accounts",
        doc="Distinct accounts that the host registers at one server.",
        source="traffic sign: many accounts of one address",
        suspicious="high",
        expr=pl.col("accounts"),
    ),
    Feature(
        name="accounts_in_order",
        family="registration",
        unit="share",
        doc="Share of the accounts whose number follows another's, of three or more.",
        source="traffic sign: 2001 to 2016",
        suspicious="high",
        expr=pl.when(pl.col("accounts") >= SEVERAL).then(
            ratio(pl.col("accounts_next") + 1, "accounts")
        ),
    ),
    Feature(
        name="accounts_alike",
        family="registration",
        unit="share",
        doc="One over the distinct User-Agents of the accounts, of three or more.",
        source="traffic sign: same User-Agent",
        suspicious="high",
        expr=pl.when(pl.col("accounts") >= SEVERAL, pl.col("agents") > 0).then(
            1 / pl.col("agents")
        ),
    ),
    Feature(
        name="register_expires",
        family="registration",
        unit="s",
        doc="Median lifetime that the registrations ask for.",
        source="traffic sign: 60 to 120 s",
        suspicious="none",
        expr=pl.col("expires_s"),
    ),
)
