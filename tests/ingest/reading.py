"""Read files into a store and look at what came out, for the tests of ingest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from simbox.identifiers import CLASS_SHIFT, NUMBER_CLASS_NAMES, TEXT_BIT, digits_text
from simbox.ingest import IngestOptions, IngestReport, ingest
from simbox.store import Store
from simbox.tables import EVENT_TYPES

BARE = (1 << CLASS_SHIFT) - 1


@dataclass(frozen=True)
class Read:
    """What reading gave: the report, the events in plain words, the rejects."""

    report: IngestReport
    events: pl.DataFrame
    rejects: pl.DataFrame


def read(paths: Sequence[Path | str], folder: Path, **options: object) -> Read:
    """Read files the way a run does; every reject is allowed unless the test says otherwise."""
    chosen = replace(
        IngestOptions(max_reject_share=1.0, rejects_path=folder / "rejects.parquet"),
        **options,  # type: ignore[arg-type]
    )
    store = Store.create(folder / "store", 1)
    with store.writer() as writer:
        report = ingest(paths, writer, chosen)
    return Read(report, in_words(store), pl.read_parquet(folder / "rejects.parquet"))


def in_words(store: Store) -> pl.DataFrame:
    """The events of a store with identities as text, in the order of the rows."""
    stored = store.scan().collect()
    parties = ["line", "other", "imsi", "imei", "place"]
    ids = pl.concat([stored[p] & BARE for p in parties]).unique()
    texts = store.texts(ids.filter(ids >= (1 << TEXT_BIT)))
    words = dict(zip(texts["id"].to_list(), texts["text"].to_list(), strict=True))
    classes = {int(c): n for c, n in NUMBER_CLASS_NAMES.items()}
    return (
        stored.select(
            "row",
            *(_words(p, words) for p in parties),
            pl.Series("event_type", [EVENT_TYPES[k & 3] for k in stored["kind"]], dtype=pl.String),
            pl.Series("answer", [(k >> 2) & 3 for k in stored["kind"]], dtype=pl.Int64),
            pl.Series("partial", [(k >> 4) & 1 for k in stored["kind"]], dtype=pl.Int64),
            pl.Series(
                "other_class", [classes[i >> CLASS_SHIFT] for i in stored["other"]], dtype=pl.String
            ),
            pl.from_epoch("start").dt.strftime("%Y-%m-%d %H:%M:%S").alias("start"),
            "offset",
            "duration",
            "cause",
            "call_ref",
            "source",
        )
        .rename({"place": "cell"})
        .sort("source", "row", "event_type")
    )


def _words(party: str, words: dict[int, str]) -> pl.Expr:
    bare = pl.col(party) & BARE
    text = bare.replace_strict(words, default=None, return_dtype=pl.String) if words else None
    digits = digits_text(bare)
    return (pl.coalesce(digits, text) if text is not None else digits).alias(party)
