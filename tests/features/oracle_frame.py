"""The plain frame of events that every oracle reads, made from stored rows with polars alone."""

from __future__ import annotations

import polars as pl

from simbox.tables import EVENT_TYPES, Kind

SAME_EVENT = ("line", "start", "type_code", "duration_stored", "party_id")
DAY_S, HOUR_S = 86_400, 3_600


def plain(stored: pl.DataFrame) -> pl.DataFrame:
    """One row an event, in the total order, repeats dropped, null for whatever is not there."""
    return tidy(in_order(stored).unique(SAME_EVENT, keep="first", maintain_order=True))


def in_order(stored: pl.DataFrame) -> pl.DataFrame:
    """Stored rows sorted by line, time and then every other field, the fuller record first."""
    spelled = stored.with_columns(
        pl.col("line") % (1 << 60),
        type_code=pl.col("kind") % 4,
        duration_stored="duration",
        party_id=pl.col("other") % (1 << 60),
    )
    rising = [*SAME_EVENT]
    falling = ["place", "imei", "imsi", "cause"]
    last = ["kind", "other", "offset", "call_ref"]
    return spelled.sort(
        *rising, *falling, *last, descending=[n in falling for n in (*rising, *falling, *last)]
    )


def tidy(ordered: pl.DataFrame) -> pl.DataFrame:
    """The frame with names instead of codes and null instead of zero."""
    local = pl.col("start").cast(pl.Int64) + pl.col("offset").cast(pl.Int64) * 900
    answer = pl.col("kind") // (1 << Kind.ANSWER_SHIFT) % 4
    return ordered.select(
        "line",
        row=pl.int_range(pl.len()),
        type=pl.col("type_code").cast(pl.Int64).replace_strict(dict(enumerate(EVENT_TYPES))),
        feed=pl.col("kind") // (1 << Kind.FEED_SHIFT),
        start=pl.col("start").cast(pl.Int64),
        local=local,
        day=local // DAY_S,
        duration=pl.when(pl.col("duration") >= 0).then(pl.col("duration").cast(pl.Int64)),
        answered=pl.when(answer != Kind.NOT_KNOWN).then(answer == Kind.YES),
        party=_or_null("party_id"),
        party_class=(pl.col("other") // (1 << 60)).cast(pl.Int64),
        number=digits(pl.col("party_id")),
        number_length=(pl.col("other") // (1 << 50) % 16).cast(pl.Int64),
        place=_or_null("place"),
        imei=_or_null("imei"),
        handset=pl.when(pl.col("imei") != 0).then(without_check(pl.col("imei"))),
        imsi=_or_null("imsi"),
        cause=_or_null("cause"),
    )


def _or_null(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != 0).then(name)


def is_text(ids: pl.Expr) -> pl.Expr:
    return ids // (1 << 59) % 2 == 1


def digits(ids: pl.Expr) -> pl.Expr:
    """The digits as a number; null for texts and where there is nothing."""
    return pl.when(~is_text(ids) & (ids != 0)).then((ids % (1 << 50)).cast(pl.Int64))


def without_check(ids: pl.Expr) -> pl.Expr:
    return pl.when(is_text(ids)).then(ids).otherwise(ids % (1 << 54))
