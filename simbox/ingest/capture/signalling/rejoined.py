"""Calls of other protocols than SIP that several files hold a part of, or all hold, as one row.

A reader tells a call once in each file; SIP needs no such care, as its dialogs are made of the
messages of all files.
"""

from __future__ import annotations

import polars as pl

from simbox.tables import DIALOGS

APART = pl.duration(minutes=5)  # from what one file saw last to what the next one saw first

_SAME = ["protocol", "method", "src", "dst", "from_user", "request_user"]
_FIRST = ("ringing_at", "answered_at")
_LAST = ("end", "cause", "status_code", "reason_phrase", "hangup_by")


def rejoined(dialogs: pl.DataFrame) -> pl.DataFrame:
    """Rows of tables.DIALOGS of all files, a row a call: by start, source and frame."""
    once = dialogs.sort("start", "source", "frame").unique(
        [*_SAME, "start"], keep="first", maintain_order=True
    )
    before = {name: pl.col(name).shift().over(_SAME) for name in ("source", "end", "last_seen")}
    goes_on = (
        before["source"].is_not_null()
        & (before["source"] != pl.col("source"))
        & before["end"].is_null()
        & (pl.col("start") - before["last_seen"] < APART)
    )
    numbered = once.with_columns(call=(~goes_on).cum_sum().over(_SAME))
    known = {*_SAME, *_FIRST, *_LAST, "last_seen", "messages"}
    joined = numbered.group_by(*_SAME, "call", maintain_order=True).agg(
        pl.col(c for c in dialogs.columns if c not in known).first(),
        pl.col(_FIRST).drop_nulls().first(),
        pl.col(_LAST).drop_nulls().last(),
        pl.col("last_seen").max(),
        pl.col("messages").sum(),
    )
    return DIALOGS.conform(joined.drop("call"))
