"""The same lines scored again as if the data had lacked a family of columns or rows.

Without ``cell`` or ``imei``, columns of the events are empty: every feature of one family is null,
and lines that nothing else marks as mobile count as fixed.  That follows from the run's table of
features.  Without ``sms`` or ``incoming``, events are gone, and with them first and last days,
cells and handsets that only they showed, and exposure: lines are measured again from the events
that the run has kept.  Either way percentiles are fitted anew, and lines stand by themselves: what
sites add to them is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from simbox.errors import InputError, UsageError, did_you_mean
from simbox.evaluation.inputs import cells_of, kept_events
from simbox.features import compute, features
from simbox.outputs import folder as run_folder
from simbox.outputs.folder import RunFolder
from simbox.outputs.record import last_local_day
from simbox.pipeline import families
from simbox.scoring import ListEntries, load_lists, score_file, scorecard
from simbox.store import Feed, Manifest, Store
from simbox.tables import Kind

#: Columns that may be lacking: the feature that tells whether a line has them, what they fill.
_COLUMNS: Mapping[str, tuple[str, str]] = {
    "cell": ("distinct_cells", "top_cell"),
    "imei": ("imeis_per_line", "top_imei"),
}
#: Events that may be lacking.
_EVENTS: Mapping[str, tuple[int, ...]] = {
    "sms": (Kind.SMS_MO, Kind.SMS_MT),
    "incoming": (Kind.MTC, Kind.SMS_MT),
}
_SIM = "imsis_per_line"  # null just where a line shows no IMSI
SITE = "site"  # the column of lines that inherit something
_FAMILY = {"cell": "mobility", "imei": "identity"}
WITHOUT = (*_COLUMNS, *_EVENTS)


def lacking(text: str) -> tuple[str, ...]:
    """The families named in a list with commas.

    Raises:
        UsageError: one is not known.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in WITHOUT:
            hint = did_you_mean(name, WITHOUT)
            raise UsageError(f"--without {name}: no such family; use {','.join(WITHOUT)}.{hint}")
    return names


def without(run: RunFolder, family: str) -> pl.DataFrame:
    """The lines of a run scored as if its data had lacked a family: line, score, status ...

    Raises:
        InputError: the run keeps no events, and the family cannot be left out without them.
    """
    with TemporaryDirectory(prefix="simbox-") as folder:
        table = Path(folder) / run_folder.FEATURES
        (_columns_gone if family in _COLUMNS else _events_gone)(run, family, table)
        return _scored(run, table, Path(folder))


def alone(run: RunFolder) -> pl.DataFrame:
    """The lines of a run scored by themselves, without what their sites add."""
    lines = run.table(run_folder.LINES)
    if SITE not in lines.collect_schema().names():
        return lines.collect()
    with TemporaryDirectory(prefix="simbox-") as folder:
        run.table(run_folder.FEATURES)  # says so where it is missing
        return _scored(run, run.path / run_folder.FEATURES, Path(folder))


def _scored(run: RunFolder, table: Path, folder: Path) -> pl.DataFrame:
    card = scorecard(run.config, families())
    return score_file(table, folder / run_folder.CONTRIBUTIONS, card, _lists(run)).lines


def _columns_gone(run: RunFolder, family: str, target: Path) -> None:
    """The run's features as they would be without a column of the events."""
    told, top = _COLUMNS[family]
    gone = [n for n, feature in features().items() if feature.family == _FAMILY[family]]
    gone = [name for name in gone if name != _SIM]
    table = run.table(run_folder.FEATURES)
    held = table.collect_schema().names()
    marks = [known for known, _ in _COLUMNS.values() if known != told] + [_SIM]
    changed = [pl.lit(None, pl.Float64).alias(name) for name in gone if name in held]
    if top in held:
        changed.append(pl.lit(None, pl.String).alias(top))
    if "segment" in held:
        fixed = pl.all_horizontal(pl.col(name).is_null() for name in marks if name in held)
        mobile = pl.col("segment") == "mobile"
        segment = pl.when(mobile & fixed).then(pl.lit("fixed")).otherwise("segment")
        changed.append(segment.alias("segment"))
    table.with_columns(changed).sink_parquet(target, maintain_order=True)


def _events_gone(run: RunFolder, family: str, target: Path) -> None:
    """The lines measured again without events of some types."""
    store = kept_events(run, f"--without {family}")
    fewer = _FewerEvents.of(store, _EVENTS[family])
    if not fewer.manifest.rows:
        raise InputError(f"{run.path}: has no events but those that --without {family} leaves out")
    measured = compute(fewer, target.with_name("parts"), cells_of(run))
    measured.table().sink_parquet(target, maintain_order=True)


class _FewerEvents(Store):
    """A store whose events of some types are not seen."""

    def __init__(self, folder: Path, manifest: Manifest, gone: Sequence[int]) -> None:
        super().__init__(folder, manifest)
        self._kept = ~(pl.col("kind") & Kind.TYPE_MASK).is_in(list(gone))

    @classmethod
    def of(cls, store: Store, gone: Sequence[int]) -> _FewerEvents:
        """The store without events of some types, its manifest as if they had never been there."""
        fewer = cls(store.folder, store.manifest, gone)
        fewer.manifest = _manifest(fewer)
        return fewer

    def bucket(self, bucket: int, columns: Sequence[str]) -> pl.DataFrame:
        rows = super().bucket(bucket, [*dict.fromkeys((*columns, "kind"))])
        return rows.filter(self._kept).select(columns)

    def scan(self) -> pl.LazyFrame:
        return super().scan().filter(self._kept)


def _manifest(store: _FewerEvents) -> Manifest:
    """The counts of the events that are seen."""
    manifest = replace(store.manifest, rows=0, first=None, last=None)
    manifest.feeds = [Feed(feed.name) for feed in store.manifest.feeds]
    for rows in store.each_bucket(("start", "kind", "cause")):
        manifest.rows += rows.height
        _count(manifest, rows)
    return manifest


def _count(manifest: Manifest, rows: pl.DataFrame) -> None:
    if rows.is_empty():
        return
    start, kind, cause = (rows[name].to_numpy() for name in ("start", "kind", "cause"))
    first, last = int(start.min()), int(start.max())
    manifest.first = first if manifest.first is None else min(first, manifest.first)
    manifest.last = last if manifest.last is None else max(last, manifest.last)
    feed = kind >> Kind.FEED_SHIFT
    answers = len(manifest.feeds[0].kinds) // 4
    counted = np.bincount(kind)
    for code in np.flatnonzero(counted).tolist():
        place = (code & Kind.TYPE_MASK) * answers + ((code >> Kind.ANSWER_SHIFT) & 3)
        manifest.feeds[code >> Kind.FEED_SHIFT].kinds[place] += int(counted[code])
    for number, caused in enumerate(np.bincount(feed[cause > 0]).tolist()):
        manifest.feeds[number].causes += caused


def _lists(run: RunFolder) -> ListEntries:
    """The lists that the run was given, as on the last day of its data."""
    told = run.record.options.get("lists")
    files = [*run.config.lists.files, *(told.split(", ") if told else ())]
    zone = run.record.options.get("zone") or run.config.time.local_zone or None
    last = last_local_day(run.record.ingest, zone)
    return load_lists([Path(file) for file in files], run.config.lists, last)
