"""The canonical events table, decoded from the compact store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from simbox.identifiers import (
    CLASS_SHIFT,
    NUMBER_CLASS_NAMES,
    TEXT_BIT,
    digits_id,
    digits_text,
    text_id,
)
from simbox.store import Store, bucket_of
from simbox.tables import EVENT_TYPE, EVENT_TYPES, EVENTS, HOST_PREFIX, STORED, UTC, Kind

ORDER = ("line", "start", "event_type", "source", "row")
_IDS = ("line", "other", "imsi", "imei", "place")
_CLASS = 1 << CLASS_SHIFT
_ANSWERED = {Kind.NO: False, Kind.YES: True}


def events_of(store: Store, lines: Sequence[str]) -> pl.DataFrame:
    """The stored events of some lines, duplicates included: every row that the files hold."""
    text = pl.DataFrame({"line": lines}, schema={"line": pl.String})
    spelled = text.select(digits_id(pl.col("line")).alias("digits"), text_id(pl.col("line")))
    wanted = pl.concat(spelled.get_columns()).drop_nulls()
    buckets = np.unique(bucket_of(wanted.to_numpy(), store.manifest.buckets)).tolist()
    files = [file for bucket in buckets for file in store.files(bucket)]
    if not files:
        return EVENTS.empty()
    named = (pl.col("line") % _CLASS).is_in(wanted.implode())
    found = pl.scan_ipc(files, hive_partitioning=False).filter(named).collect()
    return decode(store, found).filter(pl.col("line").is_in(text["line"].implode()))


def decode(store: Store, stored: pl.DataFrame) -> pl.DataFrame:
    """Rows of the store as the canonical table, in its order."""
    return EVENTS.conform(_named(store, stored).select(**_columns(store))).sort(ORDER)


def write_events(store: Store, target: Path) -> None:
    """All events of a store as one Parquet file, a bucket at a time in memory."""
    parts = []
    for number, stored in enumerate(store.each_bucket(list(STORED.schema))):
        parts.append(target.with_name(f"{target.stem}-{number:04d}.part"))
        decode(store, stored).write_parquet(parts[-1])
    pl.scan_parquet(parts).sink_parquet(target, maintain_order=True)
    for part in parts:
        part.unlink()


def _named(store: Store, stored: pl.DataFrame) -> pl.DataFrame:
    """The rows with the identities' texts beside their ids."""
    bare = pl.concat(stored[c].alias("id") % _CLASS for c in _IDS).unique()
    texts = store.texts(bare.filter(bare >= 1 << TEXT_BIT))
    return stored.with_columns(
        pl.coalesce(
            digits_text(pl.col(c) % _CLASS),
            (pl.col(c) % _CLASS).replace_strict(
                texts["id"], texts["text"], default=None, return_dtype=pl.String
            ),
        ).alias(f"{c}_text")
        for c in _IDS
    )


def _columns(store: Store) -> dict[str, pl.Expr]:
    """Each canonical column as an expression on a stored row with its texts."""
    kind = pl.col("kind").cast(pl.UInt32)
    types = dict(enumerate(EVENT_TYPES))
    sources = dict(enumerate(store.manifest.sources))
    place = pl.col("place_text")
    is_host = place.str.starts_with(HOST_PREFIX)
    party = (pl.col("other") // _CLASS).replace_strict(
        {int(c): n for c, n in NUMBER_CLASS_NAMES.items()}, return_dtype=pl.String
    )
    return {
        "line": pl.col("line_text"),
        "event_type": (kind % 4).replace_strict(types, return_dtype=EVENT_TYPE),
        "start": (pl.col("start").cast(pl.Int64) * 1_000_000).cast(UTC),
        "duration_s": pl.when(pl.col("duration") >= 0).then("duration"),
        "answered": (kind // (1 << Kind.ANSWER_SHIFT) % 4).replace_strict(
            _ANSWERED, default=None, return_dtype=pl.Boolean
        ),
        "other": pl.col("other_text"),
        "other_class": pl.when(pl.col("other") != 0).then(party),
        "imsi": pl.col("imsi_text"),
        "imei": pl.col("imei_text"),
        "cell": pl.when(~is_host).then(place),
        "host": pl.when(is_host).then(place.str.strip_prefix(HOST_PREFIX)),
        "cause": pl.when(pl.col("cause") != 0).then("cause"),
        "utc_offset_min": pl.col("offset").cast(pl.Int16) * 15,
        "source": pl.col("source").replace_strict(sources, return_dtype=pl.String),
        "row": pl.col("row"),
    }
