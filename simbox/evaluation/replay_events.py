"""What a replay takes out of an event store: some lines' events by the time they became known.

An event is known when it is over: a call's record is written at its end.  Beside the watched
lines stand a seeded sample of all lines, which gives the percentiles, and whatever other lines did
on the handsets of both, for handsets tell what crosses lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from simbox.errors import InputError
from simbox.features.events import COLUMNS
from simbox.features.segments import Index, Mask, among, group
from simbox.identifiers import TEXT_BIT, Ids, digits_id, handset, mix, party, text_id
from simbox.pipeline.known import beside, over
from simbox.store import Manifest, Store
from simbox.tables import Kind

#: Events of other lines on one handset that are taken at most: a cloned IMEI may have millions.
MOST_BESIDE = 200_000
MINUTE_S = 60


class KnownEvents(Store):
    """Events in memory that stand for the store of what was known at some time."""

    def __init__(self, rows: pl.DataFrame, texts: pl.DataFrame, of: Store) -> None:
        manifest: Manifest = replace(of.manifest, buckets=1)
        super().__init__(of.folder, manifest)
        self._rows = rows
        self._texts = texts

    def bucket(self, bucket: int, columns: Sequence[str]) -> pl.DataFrame:
        """The named columns of all rows: there is one bucket."""
        del bucket
        return self._rows.select(columns)

    def texts(self, ids: pl.Series) -> pl.DataFrame:
        """The texts of the lines among some ids; cells keep no name here."""
        return self._texts.filter(pl.col("id").is_in(ids.unique().implode()))

    def until(self, last: int, rows: pl.DataFrame) -> KnownEvents:
        """The same store with other rows, the last of its events starting at a UTC second."""
        known = KnownEvents(rows, self._texts, self)
        known.manifest.last = last
        return known


@dataclass(frozen=True)
class Sampling:
    """How many lines give the percentiles, and the seed that draws them."""

    lines: int = 8_000
    seed: int = 0


@dataclass(frozen=True)
class Known:
    """Rows of tables.STORED with the time each became known, UTC seconds."""

    rows: pl.DataFrame
    at: Index

    def before(self, cut: int) -> pl.DataFrame:
        """The rows known before a time; the rows stand in that order."""
        return self.rows.head(int(np.searchsorted(self.at, cut, side="left")))


@dataclass(frozen=True)
class Uses:
    """Uses of handsets: the first of each line and SIM, and all of handsets that are shared."""

    known: Known
    line: Ids  # [rows] the party of each row's line
    handset: Index  # [rows] the number of its handset
    handsets: int
    first: Mask  # [rows] whether a line and SIM are new to the handset

    def on_handsets_of(self, lines: Ids, cut: int) -> pl.DataFrame:
        """The rows known before a time that tell about the handsets of some lines, ascending."""
        rows = int(np.searchsorted(self.known.at, cut, side="left"))
        told = np.zeros(self.handsets, dtype=bool)
        told[self.handset[:rows][among(self.line[:rows], lines)]] = True
        kept = self.first[:rows] | told[self.handset[:rows]]
        return self.known.rows.head(rows).filter(pl.Series(kept))


@dataclass(frozen=True)
class Recording:
    """The events that a replay runs over."""

    store: KnownEvents  # holds no rows; see Known and Uses
    watched: Ids  # parties of the watched lines that have events, ascending
    events: Known  # of the watched lines: by line, then by the time known
    opens: Index  # [watched + 1] the first row of each watched line, then the number of rows
    population: Known  # of the sample
    sampled: Ids  # parties of the sample, ascending
    share: float  # of all lines that are in the sample
    uses: Uses
    latest: pl.DataFrame  # of all lines: each minute's end, and the latest start known by then

    @cached_property
    def _lifted(self) -> tuple[Index, int]:
        """When each row became known, line above line, and the step from line to line."""
        span = int(self.events.at.max(initial=0)) + 2
        lines = np.repeat(np.arange(len(self.watched)), np.diff(self.opens))
        return lines * span + self.events.at, span

    @cached_property
    def _sent(self) -> Index:
        """How many calls and texts were sent before each row, over all lines."""
        kind = self.events.rows["kind"].to_numpy() & Kind.TYPE_MASK
        outgoing = (kind == Kind.MOC) | (kind == Kind.SMS_MO)
        return np.concatenate([[0], np.cumsum(outgoing)])

    def last_start(self, cut: int) -> int:
        """When the last event that is known before a time began: the end of the data then.

        To the minute: what became known in the minute of the cut itself is left out.
        """
        minutes = int(self.latest["end"].search_sorted(cut, side="right"))
        return int(self.latest["start"][minutes - 1] if minutes else self.store.manifest.first or 0)

    def known_rows(self, cut: int) -> Index:
        """How many rows of each watched line are known before a time."""
        at, span = self._lifted
        ends = np.arange(len(self.watched)) * span + min(cut, span - 1)
        return np.asarray(np.searchsorted(at, ends) - self.opens[:-1])

    def sent(self, lines: Index, counts: Index) -> Index:
        """Calls and texts sent in the first so many rows of some watched lines, repeats and all."""
        opens = self.opens[:-1][lines]
        return np.asarray(self._sent[opens + counts] - self._sent[opens])

    def rows_of(self, lines: Index, counts: Index) -> pl.DataFrame:
        """The first so many rows of some watched lines."""
        ends = np.cumsum(counts)
        inside = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
        return self.events.rows[np.repeat(self.opens[:-1][lines], counts) + inside]


def parties_of(lines: Sequence[str]) -> Ids:
    """The parties that lines may be stored as, ascending: their digits, or the hash of a text."""
    text = pl.DataFrame({"line": lines}, schema={"line": pl.String})
    ids = text.select(digits=digits_id(pl.col("line")), text=text_id(pl.col("line")))
    spelled = pl.concat(ids.get_columns()).drop_nulls().unique().sort()
    return np.asarray(party(spelled.to_numpy()))


def record(store: Store, watched: Sequence[str], sampling: Sampling) -> Recording:
    """The events of some lines, of a sample of all lines, and of others on their handsets.

    Raises:
        InputError: the store holds no event.
    """
    if not store.manifest.rows:
        raise InputError(f"{store.folder}: the store holds no event; nothing to replay")
    sampled, lines = _sample(store, sampling)
    wanted = parties_of(watched)
    chosen = np.union1d(wanted, sampled)
    rows, latest = _rows_of(store, chosen, _handsets_of(store, chosen))
    line, known = party(rows["line"].to_numpy()), over(rows)
    of_watched = np.flatnonzero(among(line, wanted))
    of_watched = of_watched[np.lexsort((known[of_watched], line[of_watched]))]
    seen, opens = np.unique(line[of_watched], return_index=True)
    return Recording(
        store=KnownEvents(rows.clear(), _texts(store, rows["line"], chosen), store),
        watched=seen,
        events=Known(rows[of_watched], known[of_watched]),
        opens=np.append(opens, len(of_watched)),
        population=_by_time(rows, known, among(line, sampled)),
        sampled=sampled,
        share=len(sampled) / max(lines, 1),
        uses=_uses(_by_time(rows, known, rows["imei"].to_numpy() > 0)),
        latest=latest,
    )


def _latest(rows: pl.DataFrame) -> pl.DataFrame:
    """The latest start among the events that became known in each minute."""
    end = (over(rows) // MINUTE_S + 1) * MINUTE_S
    starts = pl.DataFrame({"end": end, "start": rows["start"].cast(pl.Int64)})
    return starts.group_by("end").agg(pl.col("start").max())


def _by_time(rows: pl.DataFrame, known: Index, mask: Mask) -> Known:
    """Some rows in the order in which they became known; ties as they stand."""
    order = np.flatnonzero(mask)
    order = order[np.argsort(known[order], kind="stable")]
    return Known(rows[order], known[order])


def _sample(store: Store, sampling: Sampling) -> tuple[Ids, int]:
    """The parties whose seeded hashes are smallest, ascending, and how many lines there are."""
    kept, count = np.zeros(0, np.uint64), 0
    salt = mix(np.array([sampling.seed], dtype=np.uint64))
    for lines in _each(store, ("line",)):
        parties = np.unique(party(lines["line"].to_numpy()))
        count += len(parties)
        kept = np.concatenate([kept, parties])
        kept = kept[np.argsort(mix(mix(kept) ^ salt))[: sampling.lines]]
    return np.sort(kept), count


def _handsets_of(store: Store, chosen: Ids) -> Ids:
    """Every handset that some lines were used with, ascending."""
    found = [np.zeros(0, np.uint64)]
    for rows in _each(store, ("line", "imei")):
        used = (rows["imei"].to_numpy() > 0) & among(party(rows["line"].to_numpy()), chosen)
        found.append(np.unique(handset(rows["imei"].to_numpy()[used])))
    return np.unique(np.concatenate(found))


def _rows_of(store: Store, chosen: Ids, handsets: Ids) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The events of some lines and those of others on some handsets; and Recording.latest."""
    columns = COLUMNS + (("call_ref",) if store.manifest.has_call_ref else ())
    taken = np.zeros(len(handsets), np.int64)  # of other lines, a handset
    found, latest = [], []
    for rows in _each(store, columns):
        latest.append(_latest(rows))
        own = among(party(rows["line"].to_numpy()), chosen)
        others = beside(rows, own, handsets, taken, MOST_BESIDE)
        found.append(rows.filter(pl.Series(own | others)))
    ends = pl.concat(latest).group_by("end").agg(pl.col("start").max()).sort("end")
    return pl.concat(found), ends.with_columns(pl.col("start").cum_max())


def _each(store: Store, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    return (rows for rows in store.each_bucket(columns) if rows.height)


def _uses(known: Known) -> Uses:
    """The uses of handsets among rows in the order of time."""
    line, imsi = (party(known.rows[name].to_numpy()) for name in ("line", "imsi"))
    imei = handset(known.rows["imei"].to_numpy())
    handsets, number = np.unique(imei, return_inverse=True)
    first = np.zeros(len(imei), dtype=bool)
    first[group(imei, line, imsi).first] = True
    shared = np.bincount(number[first], minlength=len(handsets)) > 1
    kept = np.flatnonzero(first | shared[number])
    return Uses(
        Known(known.rows[kept], known.at[kept]),
        line[kept],
        number[kept],
        len(handsets),
        first[kept],
    )


def _texts(store: Store, lines: pl.Series, chosen: Ids) -> pl.DataFrame:
    """The texts of the chosen lines that are not digits."""
    ids = np.unique(party(lines.to_numpy()))
    ids = ids[among(ids, chosen) & ((ids >> np.uint64(TEXT_BIT)) & np.uint64(1) > 0)]
    return store.texts(pl.Series(ids))
