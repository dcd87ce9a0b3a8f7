"""The events of a run as they became known: an event is known when it is over.

Whole stores are read up to a time, for a population at the end of a day.  Of some lines, of a
sample of all and of what others did on the handsets of both, a recording holds the events in
memory, by the time each became known, so that any hour's knowledge is the head of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from simbox.features.events import COLUMNS, QUARTER_S
from simbox.features.segments import Index, Mask, among
from simbox.identifiers import TEXT_BIT, Ids, handset, party
from simbox.store import Manifest, Store, line_hash

#: Events of other lines on one handset that are taken at most: a cloned IMEI may have millions.
MOST_BESIDE = 20_000


class StoreUntil(Store):
    """A store without what was not over before a time, UTC seconds."""

    def __init__(self, of: Store, cut: int) -> None:
        super().__init__(of.folder, _ending(of.manifest, cut - 1))
        self._cut = cut

    def files(self, bucket: int | None = None) -> list[Path]:
        """The event files of the days that had begun."""
        last = f"day={datetime.fromtimestamp(self._cut, UTC):%Y-%m-%d}"
        return [path for path in super().files(bucket) if path.parts[-3] <= last]

    def bucket(self, bucket: int, columns: Sequence[str]) -> pl.DataFrame:
        """The named columns of one bucket's rows that were over."""
        rows = super().bucket(bucket, [*dict.fromkeys((*columns, "start", "duration"))])
        return rows.filter(pl.Series(over(rows) < self._cut)).select(columns)


class StoreOfRows(Store):
    """Rows in memory as one bucket of a store, with the texts of their ids."""

    def __init__(self, of: Store, rows: pl.DataFrame, texts: pl.DataFrame, last: int) -> None:
        super().__init__(of.folder, replace(_ending(of.manifest, last), buckets=1))
        self._rows = rows
        self._texts = texts

    def bucket(self, bucket: int, columns: Sequence[str]) -> pl.DataFrame:
        """The named columns of all rows."""
        del bucket
        return self._rows.select(columns)

    def texts(self, ids: pl.Series) -> pl.DataFrame:
        """The texts of some ids."""
        return self._texts.filter(pl.col("id").is_in(ids.unique().implode()))


@dataclass(frozen=True)
class Recording:
    """Events of the lines that are followed, of a sample of all lines, and beside them."""

    store: Store
    rows: pl.DataFrame  # by the time each became known
    at: Index  # [rows] that time, UTC seconds
    offset: Index  # [rows] of its local clock, seconds
    latest: Index  # [rows] the latest start known by then
    hashes: Ids  # [rows] of the lines
    followed: Mask  # [rows]
    sampled: Mask  # [rows]
    texts: pl.DataFrame
    share: float  # of all lines that are in the sample

    def known(self, cut: int) -> int:
        """How many rows are known before a time."""
        return int(np.searchsorted(self.at, cut, side="left"))

    def until(self, count: int) -> StoreOfRows:
        """All that the first rows tell."""
        return self._holding(self.rows.head(count), count)

    def only(self, chosen: Mask) -> StoreOfRows:
        """Some of the first rows, as many as there are marks."""
        return self._holding(self.rows.head(len(chosen)).filter(pl.Series(chosen)), len(chosen))

    def _holding(self, rows: pl.DataFrame, count: int) -> StoreOfRows:
        return StoreOfRows(self.store, rows, self.texts, int(self.latest[count - 1]))


def over(rows: pl.DataFrame) -> Index:
    """When each row's event was over, UTC seconds."""
    lasting = np.maximum(rows["duration"].to_numpy(), 0)
    return np.asarray(rows["start"].to_numpy().astype(np.int64) + lasting)


def record(store: Store, followed: Ids, lines: int, sample: int) -> Recording:
    """The events of some lines and of a sample of all, out of a store.

    Args:
        store: the events of a run.
        followed: ids of the lines that are followed.
        lines: how many lines the run has.
        sample: how many of them the sample has, about; drawn by hash, the same ones every time.
    """
    wanted = np.sort(line_hash(np.unique(party(followed))))
    share = min(1.0, sample / max(lines, 1))
    handsets = _handsets(store, wanted, share)
    columns = COLUMNS + (("call_ref",) if store.manifest.has_call_ref else ())
    taken = np.zeros(len(handsets), np.int64)
    found = []
    for rows in store.each_bucket(columns):
        hashes = line_hash(rows["line"].to_numpy())
        chosen = among(hashes, wanted) | _drawn(hashes, share)
        others = beside(rows, chosen, handsets, taken, MOST_BESIDE)
        found.append(rows.filter(pl.Series(chosen | others)))
    rows = pl.concat(found)
    order = np.argsort(over(rows), kind="stable").astype(np.uint32)
    rows = rows[pl.Series(order)]
    hashes = line_hash(rows["line"].to_numpy())
    start = rows["start"].to_numpy().astype(np.int64)
    return Recording(
        store=store,
        rows=rows,
        at=over(rows),
        offset=rows["offset"].to_numpy().astype(np.int64) * QUARTER_S,
        latest=np.maximum.accumulate(start),
        hashes=hashes,
        followed=among(hashes, wanted),
        sampled=_drawn(hashes, share),
        texts=_texts(store, rows),
        share=share,
    )


def _ending(manifest: Manifest, last: int) -> Manifest:
    return replace(manifest, last=min(last, manifest.last or last))


def _drawn(hashes: Ids, share: float) -> Mask:
    """A share of lines by the low bits of their hashes: the high ones are the bucket."""
    return np.asarray((hashes & np.uint64(0xFFFF_FFFF)) < np.uint64(min(share, 1.0) * 2**32))


def _handsets(store: Store, wanted: Ids, share: float) -> Ids:
    """Every handset that the chosen lines used, ascending."""
    found = [np.zeros(0, np.uint64)]
    for rows in store.each_bucket(("line", "imei")):
        hashes, imei = line_hash(rows["line"].to_numpy()), rows["imei"].to_numpy()
        used = (imei > 0) & (among(hashes, wanted) | _drawn(hashes, share))
        found.append(np.unique(handset(imei[used])))
    return np.unique(np.concatenate(found))


def beside(rows: pl.DataFrame, chosen: Mask, handsets: Ids, taken: Index, most: int) -> Mask:
    """What other lines did on some handsets, up to a limit for each, which counts on."""
    used = handset(rows["imei"].to_numpy())
    others = np.flatnonzero(~chosen & among(used, handsets))
    number = np.searchsorted(handsets, used[others])
    marked = np.zeros(len(used), dtype=bool)
    marked[others[taken[number] < most]] = True
    taken += np.bincount(number, minlength=len(handsets))
    return marked


def _texts(store: Store, rows: pl.DataFrame) -> pl.DataFrame:
    """The texts of lines and places that are not digits."""
    ids = np.unique(party(np.concatenate([rows["line"].to_numpy(), rows["place"].to_numpy()])))
    return store.texts(pl.Series(ids[(ids >> np.uint64(TEXT_BIT)) & np.uint64(1) > 0]))
