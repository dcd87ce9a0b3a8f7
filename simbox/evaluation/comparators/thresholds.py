"""Fixed thresholds, the rules that operators' systems start with: how many of them a line meets.

The rules are those that vendors and sellers of gateways describe; most give no number, so where
the source has none the threshold is a round one that no ordinary line should reach.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simbox.evaluation.comparators.declaration import Column, Comparator, Score, Training

_CALLS_A_DAY = pl.col("moc") / pl.col("active_days").cast(pl.Float64).clip(lower_bound=1)
_TEXTS = pl.col("sms_mo") + pl.col("sms_mt")

RULES = (
    Column("outgoing", "More than 90 % of calls are outgoing (Sevis).", pl.col("out_share") > 0.9),
    Column("never_called", "Ten outgoing calls and no incoming one.", pl.col("zero_in") == 1),
    Column("ever_new", "More than 0.8 numbers a call (Neural Technologies: diversity of called "
           "numbers).", pl.col("distinct_ratio") > 0.8),
    Column("many_calls", "30 outgoing calls a day (goantifraud.com).", _CALLS_A_DAY >= 30),
    Column("many_numbers", "30 numbers a day (goantifraud.com: a person rarely passes them).",
           pl.col("distinct_per_day") >= 30),
    Column("busy", "Talks 30 % of the hours in which it calls (Sevis: utilisation).",
           pl.col("erlang_active") > 0.3),
    Column("one_cell", "One cell only (Neural Technologies: no movement).",
           pl.col("distinct_cells") == 1),
    Column("no_texts", "No text, where the records have texts (Neural Technologies: one service).",
           pl.col("sms_in_share").is_not_null() & (_TEXTS == 0)),
    Column("shared_imei", "Three SIMs or more on its handset (HAUD: SIMs per IMEI).",
           pl.col("sims_per_imei") >= 3),
    Column("many_imeis", "Three handsets or more (Neural Technologies: IMEI swapping).",
           pl.col("imeis_per_line") >= 3),
    Column("on_net", "More than 80 % of calls on-net (Neural Technologies).",
           pl.col("onnet_share") > 0.8),
)  # fmt: skip


def _count(training: Training) -> Score:
    del training  # nothing is learnt
    return lambda values: np.asarray(np.nansum(values, axis=1))


COMPARATORS = (
    Comparator(
        name="fixed_thresholds",
        doc="The number of folk rules that a line meets.",
        source="Sevis; Neural Technologies; HAUD; goantifraud.com",
        columns=RULES,
        fit=_count,
        learns="nothing",
    ),
)
