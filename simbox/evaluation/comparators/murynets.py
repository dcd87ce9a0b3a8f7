"""A random forest on features of the kind that Murynets et al. (INFOCOM 2014) used.

Theirs were counts of each account and of each IMEI, with plan, tenure and type of handset, which
call records do not hold, and a forest fused with two other kinds of trees.  Here it is the forest
alone, on what our table has; every feature that it lacks is left out.  Theirs was a strongly
imbalanced sample; the ratio here is our choice.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simbox.evaluation.comparators.declaration import (
    Column,
    Comparator,
    Score,
    Shared,
    Training,
    learning,
)

TREES = 200
OTHERS_PER_GATEWAY = 10


def _count(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64)


def _ratio(out: pl.Expr, received: pl.Expr) -> pl.Expr:
    return (out + 1) / (received + 1)


_NUMBERS = pl.col("distinct_ratio") * _count("moc")
_IMEI = {name: pl.coalesce(f"imei_{name}", _count(name)) for name in ("moc", "mtc", "sms_mo")}

COLUMNS = (
    Column("moc", "Outgoing calls of the account.", _count("moc")),
    Column("mtc", "Incoming calls of the account.", _count("mtc")),
    Column("out_in", "Outgoing over incoming calls, each plus one.",
           _ratio(_count("moc"), _count("mtc"))),
    Column("numbers", "Distinct numbers called.", _NUMBERS),
    Column("calls_a_day", "Outgoing calls an active day.",
           _count("moc") / _count("active_days").clip(lower_bound=1)),
    Column("texts_out", "Texts sent.", _count("sms_mo")),
    Column("texts_in", "Texts received.", _count("sms_mt")),
    Column("mean_duration", "Mean seconds of outgoing calls that were answered.",
           pl.col("mean_duration")),
    Column("night_share", "Share of outgoing calls at night.", pl.col("night_share")),
    Column("international_share", "Share of outgoing calls that go abroad.",
           pl.col("international_share")),
    Column("cells", "Distinct cells.", pl.col("distinct_cells")),
    Column("top_cell_share", "Share of events in the most used cell.", pl.col("top_cell_share")),
    Column("imeis", "Handsets of the account.", pl.col("imeis_per_line")),
    Column("sims_per_imei", "SIMs in its handset.", pl.col("sims_per_imei")),
    Column("days", "Days of use: tenure as far as the records go.", _count("active_days"),
           nearest=True),
    Column("imei_moc", "Outgoing calls of all lines with the same main IMEI.", _IMEI["moc"]),
    Column("imei_mtc", "Incoming calls of those.", _IMEI["mtc"]),
    Column("imei_texts_out", "Texts sent by those.", _IMEI["sms_mo"]),
    Column("imei_out_in", "Outgoing over incoming calls of those, each plus one.",
           _ratio(_IMEI["moc"], _IMEI["mtc"])),
)  # fmt: skip


def _forest(training: Training) -> Score:
    forest = learning("ensemble").RandomForestClassifier(
        n_estimators=TREES, min_samples_leaf=2, random_state=training.seed
    )
    forest.fit(training.values, training.gateway)
    return lambda values: np.asarray(forest.predict_proba(values)[:, 1])


COMPARATORS = (
    Comparator(
        name="murynets_forest",
        doc="Counts of the account and of its handset, with a random forest.",
        source="Murynets et al. 2014",
        columns=COLUMNS,
        fit=_forest,
        learns="labels",
        others_per_gateway=OTHERS_PER_GATEWAY,
        shared=Shared(
            "top_imei", {f"imei_{n}": pl.col(n).cast(pl.Float64).sum() for n in _IMEI}
        ),
    ),
)  # fmt: skip
