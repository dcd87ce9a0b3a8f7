"""The feature stage: bucket after bucket from the store to one row a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from simbox.errors import InputError
from simbox.features.context import CellTable, Context
from simbox.features.declaration import features, views
from simbox.features.events import COLUMNS, Events, arrange
from simbox.features.handsets import handset_facts
from simbox.identifiers import NumberClass, class_of, digits_text
from simbox.store import Store, line_hash
from simbox.tables import UTC

SECOND_US = 1_000_000


@dataclass(frozen=True)
class FeatureRun:
    """What the feature stage made of a store."""

    folder: Path  # of the parts, in the order of the lines' hashes
    lines: int
    events: int
    duplicates: int
    merged: int

    def table(self) -> pl.LazyFrame:
        """One row a line, in the order of the lines' hashes."""
        return pl.scan_ipc(sorted(self.folder.glob("part-*.arrow")))


def compute(
    store: Store,
    folder: Path,
    cells: CellTable | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FeatureRun:
    """Measure every line of a store into ``folder``, a bucket at a time.

    Raises:
        InputError: the store holds no event.
    """
    context = context_of(store, cells)
    folder.mkdir(parents=True, exist_ok=True)
    lines = rows = duplicates = merged = 0
    for number, events in enumerate(each_events(store)):
        if events.lines:
            measure(events, context, store).write_ipc(folder / f"part-{number:04d}.arrow")
        lines, rows = lines + events.lines, rows + events.rows
        duplicates, merged = duplicates + events.duplicates, merged + events.merged
        if progress:
            progress(number + 1, store.manifest.buckets)
    return FeatureRun(folder, lines, rows, duplicates, merged)


def no_lines() -> pl.DataFrame:
    """The table of features of no lines at all."""
    about: dict[str, pl.DataType | type[pl.DataType]] = {
        "line": pl.String, "segment": pl.String, "events": pl.UInt32,
        **dict.fromkeys(("moc", "mtc", "sms_mo", "sms_mt"), pl.UInt32),
        "first_seen": UTC, "last_seen": UTC, "active_days": pl.UInt16,
        "top_cell": pl.String, "top_imei": pl.String,
    }  # fmt: skip
    about |= dict.fromkeys(features(), pl.Float64)
    return pl.DataFrame(schema=about)


def context_of(store: Store, cells: CellTable | None = None) -> Context:
    """The facts of a store that its buckets are measured against."""
    manifest = store.manifest
    if manifest.first is None or manifest.last is None:
        raise InputError(f"{store.folder}: the store holds no event; nothing to measure")
    return Context(
        manifest.first, manifest.last, tuple(manifest.feeds), handset_facts(store), cells
    )


def each_events(store: Store) -> Iterator[Events]:
    """The events of each bucket, arranged."""
    columns = COLUMNS + (("call_ref",) if store.manifest.has_call_ref else ())
    for frame in store.each_bucket(columns):
        yield arrange(frame)


def measure(events: Events, context: Context, store: Store) -> pl.DataFrame:
    """One row a line: what the line is, then every feature, null where it was not measured."""
    measures: dict[str, np.ndarray[tuple[int], np.dtype[np.generic]]] = {}
    for view in views():
        measures |= view.compute(events, context)
    measures["window_days"] = np.full(events.lines, context.window_days)
    wide = pl.DataFrame({name: np.ascontiguousarray(column) for name, column in measures.items()})
    about = _about(events, wide, store)
    order = np.argsort(line_hash(events.line_ids))
    numbers = _numbers(wide)
    return pl.concat([about, numbers], how="horizontal")[order.astype(np.uint32)]


def _numbers(wide: pl.DataFrame) -> pl.DataFrame:
    """Every feature of every line, in the same bits however many lines a bucket has."""
    rows = wide
    if wide.height == 1:  # polars divides by a constant through its reciprocal, but not one row
        rows = pl.DataFrame({column.name: np.repeat(column.to_numpy(), 2) for column in wide})
    return rows.select(feature.expression() for feature in features().values()).head(wide.height)


def _about(events: Events, wide: pl.DataFrame, store: Store) -> pl.DataFrame:
    """The context columns of each line."""
    ids = wide.select(
        pl.Series("line", events.line_ids),
        pl.col("handset_top").alias("top_imei"),
        pl.col("cell_top").alias("top_cell"),
    )
    named = {name: as_text(ids[name], store) for name in ids.columns}
    simless = (wide["handset_events"] == 0) & (wide["sims"] == 0) & (wide["placed"] == 0)
    account = pl.Series(class_of(events.line_ids) == NumberClass.ACCOUNT)
    segment = (
        pl.when(account).then(pl.lit("account")).when(simless).then(pl.lit("fixed"))
    ).otherwise(pl.lit("mobile"))
    columns = {
        "line": named["line"],
        "segment": pl.select(segment).to_series(),
        "events": pl.Series(np.bincount(events.line, minlength=events.lines)).cast(pl.UInt32),
        **{name: wide[name].cast(pl.UInt32) for name in ("moc", "mtc", "sms_mo", "sms_mt")},
        "first_seen": (wide["first_s"] * SECOND_US).cast(UTC),
        "last_seen": (wide["last_s"] * SECOND_US).cast(UTC),
        "active_days": wide["days"].cast(pl.UInt16),
        "top_cell": named["top_cell"],
        "top_imei": named["top_imei"],
    }
    return pl.DataFrame(columns)


def as_text(ids: pl.Series, store: Store) -> pl.Series:
    """Ids as the texts that people know them by; null for none."""
    frame = pl.DataFrame({"id": ids})
    frame = frame.with_columns(
        digits_text(pl.col("id")).alias("digits"), (pl.col("id") % (1 << 60)).alias("key")
    )
    unknown = frame.filter(pl.col("digits").is_null() & (pl.col("key") != 0))["key"]
    texts = store.texts(unknown).rename({"id": "key"})
    named = frame.join(texts, on="key", how="left", maintain_order="left")
    return named.select(pl.coalesce("digits", "text")).to_series().alias(ids.name)
