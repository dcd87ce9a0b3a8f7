"""The event store: fixed-width rows by event day and hash bucket of the line, parsed once.

::

    STORE/
      manifest.json                             buckets, feeds, sources, period, row count
      day=2026-03-01/bucket=0007/part-0000.arrow  rows of tables.STORED, unsorted
      texts/part-0000.parquet                   id -> text of every identity that is not digits

Rows are Arrow IPC, not Parquet: Parquet looks for repeated values in every column, and 64-bit
identities hardly repeat.  Measured on 1.3 M rows, ns a row to write and read back: Parquet zstd
462 and 72, IPC lz4 267 and 82, IPC uncompressed 32 and 32.

A line's bucket is the top bits of a hash of its id, so buckets in order, each sorted by that
hash, give one order of all lines whatever the number of buckets.  Days are UTC days of the start.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl
from polars._typing import IpcCompression

from simbox.errors import InputError, SimboxError
from simbox.identifiers import Ids, mix, party
from simbox.tables import STORED, Kind

FORMAT_VERSION = 2
ROWS_PER_BUCKET = 1_200_000  # measured: 0.3-2 M rows a bucket is the flat part of the cost curve
MAX_BUCKETS = 4096
FLUSH_ROWS = 1_500_000  # rows held in memory before they are written, at most; 66 bytes each
# with few buckets fewer rows: memory that is used again costs no page faults
_LEAST_FLUSH_ROWS, _FLUSH_ROWS_PER_BUCKET = 400_000, 50_000
DAY_S = 86_400
_ANSWERS = 4  # answer codes a kind can hold


def buckets_for(rows: int) -> int:
    """The number of buckets, a power of two, that suits so many rows."""
    wanted = max(rows, 1) / ROWS_PER_BUCKET
    return min(MAX_BUCKETS, 1 << max(0, round(math.log2(wanted))))


def line_hash(lines: Ids) -> Ids:
    """The hash that orders lines: its top bits are the bucket."""
    return mix(party(lines))


def bucket_of(lines: Ids, buckets: int) -> Ids:
    """The bucket of each line, for a power-of-two number of buckets."""
    if buckets == 1:
        return np.zeros(len(lines), dtype=np.uint64)
    return line_hash(lines) >> np.uint64(64 - (buckets.bit_length() - 1))


@dataclass
class Feed:
    """A profile or capture reader, and what the rows that came through it can measure."""

    name: str
    kinds: list[int] = field(default_factory=lambda: [0] * (4 * _ANSWERS))
    causes: int = 0

    def count(self, event_type: int, answer: int | None = None) -> int:
        """Rows of an event type, of one answer code or of any."""
        row = self.kinds[event_type * _ANSWERS : (event_type + 1) * _ANSWERS]
        return sum(row) if answer is None else row[answer]


@dataclass
class Manifest:
    """What a store holds."""

    buckets: int
    compression: IpcCompression = "uncompressed"
    version: int = FORMAT_VERSION
    rows: int = 0
    first: int | None = None
    last: int | None = None
    has_call_ref: bool = False
    has_partial: bool = False
    feeds: list[Feed] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)


class Store:
    """A folder of events, open for reading."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @classmethod
    def create(cls, folder: Path, buckets: int) -> Self:
        """A new, empty store; ``buckets`` is a power of two.

        Raises:
            SimboxError: the folder holds something already, or the count is no power of two.
        """
        if buckets < 1 or buckets & (buckets - 1) or buckets > MAX_BUCKETS:
            raise SimboxError(f"{buckets} buckets: take a power of two up to {MAX_BUCKETS}")
        if folder.exists() and any(folder.iterdir()):
            raise SimboxError(f"{folder}: not empty; a new store needs a folder of its own")
        (folder / "texts").mkdir(parents=True, exist_ok=True)
        return cls(folder, Manifest(buckets))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """An existing store.

        Raises:
            InputError: there is no store, or one of another version.
        """
        path = folder / "manifest.json"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{folder}: no event store here ({error}); run detect first") from None
        if data.get("version") != FORMAT_VERSION:
            raise InputError(
                f"{folder}: store version {data.get('version')}, this simbox reads "
                f"{FORMAT_VERSION}; run detect again"
            )
        data["feeds"] = [Feed(**feed) for feed in data["feeds"]]
        return cls(folder, Manifest(**data))

    def writer(self) -> StoreWriter:
        """Append rows; the store is sealed when the context ends."""
        return StoreWriter(self)

    def remove(self) -> None:
        """Delete the store and all it holds."""
        shutil.rmtree(self.folder)

    def files(self, bucket: int | None = None) -> list[Path]:
        """The event files of one bucket, or of all, in a fixed order."""
        name = "*" if bucket is None else f"{bucket:04d}"
        return sorted(self.folder.glob(f"day=*/bucket={name}/part-*.arrow"))

    def bucket(self, bucket: int, columns: Sequence[str]) -> pl.DataFrame:
        """The named columns of one bucket's rows."""
        files = self.files(bucket)
        if not files:
            return STORED.empty().select(columns)
        return pl.concat([pl.read_ipc(file, columns=list(columns)) for file in files])

    def each_bucket(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Bucket after bucket."""
        for bucket in range(self.manifest.buckets):
            yield self.bucket(bucket, columns)

    def scan(self) -> pl.LazyFrame:
        """All rows, lazily."""
        files = self.files()
        if not files:
            return STORED.empty().lazy()
        return pl.scan_ipc(files, hive_partitioning=False)

    def texts(self, ids: pl.Series) -> pl.DataFrame:
        """The texts of ids that are not digits: columns ``id`` and ``text``."""
        parts = sorted((self.folder / "texts").glob("part-*.parquet"))
        if not parts or ids.is_empty():
            return pl.DataFrame(schema={"id": pl.UInt64, "text": pl.String})
        wanted = ids.unique().implode()
        found = pl.scan_parquet(parts).filter(pl.col("id").is_in(wanted))
        return found.unique("id").sort("id").collect()


class StoreWriter:
    """Appends batches of events to a store in bounded memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._manifest = store.manifest
        self._held: dict[int, list[pl.DataFrame]] = {}
        self._texts: list[pl.DataFrame] = []
        self._held_rows = 0
        self._part = len(list((store.folder / "texts").glob("part-*.parquet")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.seal()

    def add_source(self, path: str, feed: str) -> int:
        """Register an input file of a feed; the number that its rows carry in ``source``."""
        self.feed_code(feed)
        if len(self._manifest.sources) > np.iinfo(np.uint16).max:
            raise SimboxError("more than 65,536 input files in one run; join some of them first")
        self._manifest.sources.append(path)
        return len(self._manifest.sources) - 1

    def feed_code(self, feed: str) -> int:
        """The code of a feed for the ``kind`` column, registered at first use."""
        names = [f.name for f in self._manifest.feeds]
        if feed not in names:
            if len(names) >= Kind.MAX_FEEDS:
                raise SimboxError(f"more than {Kind.MAX_FEEDS} profiles in one run")
            self._manifest.feeds.append(Feed(feed))
            names.append(feed)
        return names.index(feed)

    def append(self, stored: pl.DataFrame, texts: pl.DataFrame | None = None) -> None:
        """Add rows of tables.STORED, and the texts of their ids that are not digits."""
        if texts is not None and not texts.is_empty():
            self._texts.append(texts)  # of rows to come too: a reader tells each text once
        if stored.is_empty():
            return
        self._note(stored)
        for key, part in self._parts(stored):
            self._held.setdefault(key, []).append(part)
        self._held_rows += stored.height
        per_bucket = self._manifest.buckets * _FLUSH_ROWS_PER_BUCKET
        if self._held_rows >= min(FLUSH_ROWS, max(_LEAST_FLUSH_ROWS, per_bucket)):
            self._flush()

    def seal(self) -> None:
        """Write what is held and the manifest."""
        self._flush()
        text = json.dumps(asdict(self._manifest), indent=1)
        (self._store.folder / "manifest.json").write_text(text + "\n", encoding="utf-8")

    def sealed(self) -> Store:
        """The store with all rows so far, to be read before more are added."""
        self.seal()
        return self._store

    def _note(self, stored: pl.DataFrame) -> None:
        manifest = self._manifest
        manifest.rows += stored.height
        first, last = stored["start"].min(), stored["start"].max()
        manifest.first = int(first if manifest.first is None else min(first, manifest.first))  # type: ignore[arg-type,type-var]
        manifest.last = int(last if manifest.last is None else max(last, manifest.last))  # type: ignore[arg-type,type-var]
        manifest.has_call_ref |= bool(stored["call_ref"].to_numpy().any())
        counts = np.bincount(stored["kind"].to_numpy())
        for kind in np.flatnonzero(counts).tolist():
            feed = manifest.feeds[kind >> Kind.FEED_SHIFT]
            answer = (kind >> Kind.ANSWER_SHIFT) & 3
            feed.kinds[(kind & Kind.TYPE_MASK) * _ANSWERS + answer] += int(counts[kind])
            manifest.has_partial |= bool(kind & Kind.PARTIAL)
        if stored["cause"].to_numpy().any():
            of_feed = stored.filter(pl.col("cause") != 0)["kind"].to_numpy() >> Kind.FEED_SHIFT
            for code, rows in enumerate(np.bincount(of_feed).tolist()):
                manifest.feeds[code].causes += rows

    def _parts(self, stored: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
        """The rows of each day and bucket, under day * MAX_BUCKETS + bucket."""
        buckets = self._manifest.buckets
        day = stored["start"].to_numpy() // np.uint32(DAY_S)
        first = int(day.min())
        key = (day - np.uint32(first)) * np.uint32(buckets)
        key += bucket_of(stored["line"].to_numpy(), buckets).astype(np.uint32)
        if int(key.max()) <= np.iinfo(np.uint16).max:
            key = key.astype(np.uint16)  # numpy sorts short integers by counting
        order = np.argsort(key, kind="stable")
        key = key[order]
        ends = [*(np.flatnonzero(key[1:] != key[:-1]) + 1).tolist(), len(key)]
        # as polars' own numbers of rows: others it would look through first
        rows = stored if len(ends) == 1 else stored[pl.Series(order.astype(np.uint32))]
        begin = 0
        for end in ends:
            later, bucket = divmod(int(key[begin]), buckets)
            yield (first + later) * MAX_BUCKETS + bucket, rows.slice(begin, end - begin)
            begin = end

    def _flush(self) -> None:
        for key, parts in sorted(self._held.items()):
            day, bucket = divmod(key, MAX_BUCKETS)
            folder = self._store.folder / f"day={np.datetime64(day, 'D')}" / f"bucket={bucket:04d}"
            folder.mkdir(parents=True, exist_ok=True)
            rows = pl.concat(parts, rechunk=True)
            target = folder / f"part-{self._part:04d}.arrow"
            rows.write_ipc(target, compression=self._manifest.compression)
        if self._texts:
            texts = pl.concat(self._texts).unique("id").sort("id")
            texts.write_parquet(self._store.folder / "texts" / f"part-{self._part:04d}.parquet")
        self._held, self._held_rows, self._texts = {}, 0, []
        self._part += 1
