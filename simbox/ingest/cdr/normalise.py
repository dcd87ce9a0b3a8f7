"""A batch of source columns to rows of the event store, and the rows that cannot become events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.identifiers import CLASS_SHIFT, Ids, NumberClass, class_of, text_id
from simbox.ingest.cdr.batch import ROW, Batch, no_rejects, rejected
from simbox.ingest.cdr.clock import EARLIEST, LATEST, ZoneTable, quarters, to_utc
from simbox.ingest.cdr.decode import (
    IGNORED,
    MISSING,
    NEGATIVE,
    NOT_KNOWN,
    TOO_LONG,
    UNANSWERED,
    UNKNOWN,
    UNREADABLE,
    CodeReader,
    Mask,
    TimeReader,
    causes,
    durations,
)
from simbox.ingest.cdr.devices import CellBook, cell_name, encode_imei, encode_imsi
from simbox.ingest.cdr.numbers import NO_TEXTS, WITHHELD_ID, Digits, Parties, Role, encode
from simbox.ingest.cdr.profile import Profile
from simbox.ingest.cdr.usual import DIGITS, usual
from simbox.ingest.cdr.vocabulary import DIRECTION_WORDS, SERVICE_WORDS, SIP_CAUSES
from simbox.tables import STORED, Kind

Array = npt.NDArray[np.generic]
_ZERO = np.uint64(0)


@dataclass(frozen=True)
class Period:
    """Seconds since 1970 that events must lie in: from ``since`` up to, not with, ``until``."""

    since: int = EARLIEST
    until: int = LATEST


@dataclass(frozen=True)
class Normalised:
    """What a batch gave."""

    stored: pl.DataFrame
    texts: pl.DataFrame
    rejects: pl.DataFrame
    counts: Counter[str]  # rows, ignored, outside, dst_gap, dst_fold, column|what was lost
    absent: Counter[str]  # events without a value, by canonical column


@dataclass
class _Rows:
    """The columns that all legs of a row share."""

    row: Array
    start: npt.NDArray[np.int64]
    duration: npt.NDArray[np.int64]
    answer: npt.NDArray[np.uint8]
    service: npt.NDArray[np.int16]
    kind: npt.NDArray[np.int16]  # event type; negative: ignored, missing or unknown
    cause: npt.NDArray[np.uint8]
    partial: Mask
    call_ref: Ids
    bad: Mask


@dataclass
class Normaliser:
    """Turns the batches of one file into stored rows; learns spellings as it goes."""

    profile: Profile
    names: dict[str, str]  # canonical column -> the source's name
    source: int
    feed: int
    zone: ZoneTable
    local: ZoneTable
    period: Period = Period()
    file_line: str = ""
    cells: CellBook = field(default_factory=CellBook)  # shared by the files of a profile
    times: TimeReader = field(init=False)
    codes: dict[str, CodeReader] = field(init=False)

    def __post_init__(self) -> None:
        self.times = TimeReader(self.profile.time)
        words = ("event_type", "direction", "service", "answered", "other_class")
        self.codes = {word: CodeReader(self.profile.value_map(word)) for word in words}
        sip: dict[str, int | None] = dict(SIP_CAUSES)
        self.codes["cause"] = CodeReader(
            sip if self.profile.causes == "sip" else self.profile.value_map("cause")
        )

    def __call__(self, batch: Batch) -> Normalised:
        """The stored rows, texts and rejects of one batch."""
        return _Work(self, batch).run()


class _Work:
    """One batch on its way through: collects texts, rejects and counts."""

    def __init__(self, owner: Normaliser, batch: Batch) -> None:
        self.owner = owner
        self.profile = owner.profile
        self.frame = batch.frame
        self.height = batch.frame.height
        self.counts: Counter[str] = Counter(rows=batch.rows)
        self.texts: list[pl.DataFrame] = []
        self.rejects = [batch.rejects] if batch.rejects.height else []
        self.usual = usual(batch.frame, owner.codes, owner.times)

    def run(self) -> Normalised:
        if not self.height:
            return self._result([])
        rows = self._rows()
        legs = self._served(rows) if self.profile.form == "served" else self._calls(rows)
        return self._result(legs)

    def has(self, *columns: str) -> bool:
        return any(c in self.frame.columns for c in columns)

    # shared columns ---------------------------------------------------------------------------

    def _rows(self) -> _Rows:
        n = self.height
        bad = np.zeros(n, dtype=bool)
        kind, service = self._event_types(bad)
        start = self._starts(bad)
        duration = self._durations(bad)
        sms = service == SERVICE_WORDS["sms"]
        answer = self._answers(duration, bad)
        if self.profile.duration.unanswered:
            duration = np.where(duration == UNANSWERED, 0, duration)
        if sms.any():
            duration = np.where(sms, NOT_KNOWN, duration)
            answer = np.where(sms, np.uint8(Kind.NOT_KNOWN), answer)
        cause = np.zeros(n, dtype=np.uint8)
        if self.has("cause") and self.profile.causes != "none":
            cause = causes(self.frame["cause"], self.profile.causes, self.owner.codes["cause"])
            self._count_unknown("cause", cause == 0, ~bad)
        return _Rows(
            self.frame[ROW].to_numpy(),
            start,
            duration,
            answer,
            service,
            kind,
            cause,
            self._partials(),
            self._call_refs(),
            bad,
        )

    def _event_types(self, bad: Mask) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
        """Event type and service of each row; ignored and unknown ones are marked bad."""
        service = self._words("service", SERVICE_WORDS[self.profile.service])
        ignored = service == IGNORED
        if self.has("event_type"):
            kind = self._codes("event_type")
            fault = "event_type"
            ignored |= kind == IGNORED
            told = kind & np.int16(2)
            service = np.where(kind >= 0, told, service) if (kind < 0).any() else told
        else:
            fixed = self.profile.form == "call" or not self.has("direction")
            constant = DIRECTION_WORDS[self.profile.direction or "out"]
            direction = (
                np.full(self.height, constant, dtype=np.int16)
                if fixed
                else self._words("direction", constant)
            )
            ignored |= direction == IGNORED
            fault = "direction" if (direction < 0).any() else "service"
            kind = np.where(
                direction < 0, direction, np.where(service < 0, service, service + direction)
            )
        self.counts["ignored"] += int(ignored.sum())
        bad |= ignored
        if (kind < 0).any():
            self._reject(bad, kind == MISSING, fault, "event_type|missing")
            self._reject(bad, kind == NOT_KNOWN, fault, "event_type|unknown")
        return kind, service

    def _words(self, column: str, constant: int) -> npt.NDArray[np.int16]:
        if not self.has(column):
            return np.full(self.height, constant, dtype=np.int16)
        return self._codes(column)

    def _codes(self, column: str) -> npt.NDArray[np.int16]:
        return self.owner.codes[column].encode(self.frame[column], self.usual.get(column))

    def _count_unknown(self, column: str, unknown: Mask, good: Mask | None = None) -> None:
        """Count entries that say something, but nothing that the profile knows."""
        which = unknown if good is None else unknown & good
        if not which.any():
            return
        text = self.frame[column].filter(pl.Series(which)).cast(pl.String).str.strip_chars()
        blank = text.is_in(["", "0", "0.0", *self.profile.layout.nulls])
        self.counts[f"{column}|unknown"] += int((~blank).sum())

    def _digits(self, column: str) -> Digits | None:
        parts = [self.usual[column + part] for part in DIGITS if column + part in self.usual]
        return Digits.read(*parts) if parts else None

    def _starts(self, bad: Mask) -> npt.NDArray[np.int64]:
        column = "start"
        if self.has("start"):
            raw = self.frame["start"]
        else:
            column = "start_date"
            parts = [pl.col(c).cast(pl.String) for c in ("start_date", "start_time") if self.has(c)]
            raw = self.frame.select(pl.concat_str(parts, separator=" ")).to_series()
        times = self.owner.times.encode(raw, self.usual.get(column))
        if not times.good.all():
            empty = _empty(raw)
            self._reject(bad, ~times.good & empty, column, "start|missing")
            self._reject(bad, ~times.good & ~empty, column, "start|unreadable")
        if times.seconds.min() < EARLIEST or times.seconds.max() >= LATEST:
            outside = times.good & ((times.seconds < EARLIEST) | (times.seconds >= LATEST))
            self._reject(bad, outside, column, "start|out of range")
        seconds = np.where(bad, EARLIEST, times.seconds) if bad.any() else times.seconds
        if times.absolute.all():
            return seconds
        if not times.absolute.any():
            instants = to_utc(seconds, self.owner.zone)
            self.counts["dst_gap"] += instants.gaps
            self.counts["dst_fold"] += instants.folds
            return instants.utc
        wall = ~times.absolute & ~bad
        instants = to_utc(seconds[wall], self.owner.zone)
        self.counts["dst_gap"] += instants.gaps
        self.counts["dst_fold"] += instants.folds
        result = seconds.copy()
        result[wall] = instants.utc
        return result

    def _durations(self, bad: Mask) -> npt.NDArray[np.int64]:
        if not self.has("duration"):
            return np.full(self.height, NOT_KNOWN, dtype=np.int64)
        nulls = self.profile.layout.nulls
        number = self.usual.get("duration")
        seconds = durations(self.frame["duration"], self.profile.duration, nulls, number)
        if (seconds < NOT_KNOWN).any():
            self._reject(bad, seconds == UNREADABLE, "duration", "duration|unreadable")
            self._reject(bad, seconds == NEGATIVE, "duration", "duration|negative")
            self._reject(bad, seconds == TOO_LONG, "duration", "duration|out of range")
        return seconds

    def _answers_by_duration(self, duration: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Answered when there was conversation; where the source marks the others, when not so."""
        answered = duration >= 0 if self.profile.duration.unanswered else duration > 0
        known = np.where(answered, Kind.YES, Kind.NO)
        return np.where(duration == NOT_KNOWN, Kind.NOT_KNOWN, known).astype(np.uint8)

    def _answers(self, duration: npt.NDArray[np.int64], bad: Mask) -> npt.NDArray[np.uint8]:
        rule = self.profile.answered
        if rule == "values" and self.has("answered"):
            codes = self._codes("answered")
            self._count_unknown("answered", codes == UNKNOWN, ~bad)
            return np.where(codes >= 0, codes, Kind.NOT_KNOWN).astype(np.uint8)
        if rule == "answer" and self.has("answer"):
            return (~_empty(self.frame["answer"])).astype(np.uint8)
        if rule == "always":
            return np.full(self.height, Kind.YES, dtype=np.uint8)
        if rule == "unknown" or not self.has("duration"):
            return np.full(self.height, Kind.NOT_KNOWN, dtype=np.uint8)
        return self._answers_by_duration(duration)

    def _partials(self) -> Mask:
        if not self.has("partial"):
            return np.zeros(self.height, dtype=bool)
        marked = self.frame["partial"].cast(pl.String).is_in(list(self.profile.partial))
        return marked.fill_null(value=False).to_numpy()

    def _call_refs(self) -> Ids:
        if not self.has("call_ref"):
            return np.zeros(self.height, dtype=np.uint64)
        raw = pl.col("call_ref").cast(pl.String)
        none = raw.is_null() | (raw == "") | raw.is_in(self.profile.layout.nulls)
        ids = self.frame.select(pl.when(none).then(0).otherwise(text_id(raw)))
        return ids.to_series().to_numpy()

    # identities -------------------------------------------------------------------------------

    def _keep(self, parties: Parties) -> Ids:
        if parties.texts.height:
            self.texts.append(parties.texts)
        return parties.ids

    def _party(self, column: str, role: Role) -> Ids:
        nulls, digits = self.profile.layout.nulls, self._digits(column)
        if not self.has(column):
            return np.zeros(self.height, dtype=np.uint64)
        found = encode(self.frame[column], self.profile.numbers, role, nulls, digits)
        if found.lost and role == "other" and column in ("other", "b"):
            self.counts["other|unreadable"] += found.lost
        return self._keep(found)

    def _imsi(self, column: str) -> Ids:
        if not self.has(column):
            return np.zeros(self.height, dtype=np.uint64)
        nulls = self.profile.layout.nulls
        return self._keep(encode_imsi(self.frame[column], nulls, self._digits(column)))

    def _imei(self, column: str) -> Ids:
        if not self.has(column):
            return np.zeros(self.height, dtype=np.uint64)
        nulls = self.profile.layout.nulls
        return self._keep(encode_imei(self.frame[column], nulls, self._digits(column)))

    def _place(self, column: str) -> Ids:
        parts = {c: pl.col(c) for c in ("mcc", "mnc", "lac", "ci") if self.has(c)}
        if self.has(column):
            cells = self.frame[column]
        elif column == "cell" and "ci" in parts:
            cells = self.frame.select(cell_name(parts)).to_series()
        else:
            return np.zeros(self.height, dtype=np.uint64)
        nulls, hashes = self.profile.layout.nulls, self.usual.get(column)
        return self._keep(self.owner.cells.encode(cells, nulls, hashes))

    def _file_line(self) -> Ids:
        one = pl.Series([self.owner.file_line])
        accounts = self.profile.numbers.model_copy(update={"accounts": True})
        return np.repeat(self._keep(encode(one, accounts, "line", ())), self.height)

    # legs -------------------------------------------------------------------------------------

    def _served(self, rows: _Rows) -> list[pl.DataFrame]:
        imsi = self._imsi("imsi")
        if self.has("a") and not self.has("line"):
            out = (rows.kind & 1) == 0
            a, b = self._party("a", "line"), self._party("b", "line")
            line, other = np.where(out, a, b), np.where(out, b, a)
            others = self._party("b", "other"), self._party("a", "other")
            other = np.where(out, *others)
            fault = "a"
        else:
            line = self._file_line() if self.profile.line_from_file else self._party("line", "line")
            other = self._party("other", "other")
            fault = "line" if self.has("line") else "imsi"
        other = self._source_class(other)
        if (line == _ZERO).any():
            line = np.where(line == _ZERO, imsi, line)
            self._reject_lines(rows.bad, line == _ZERO, fault)
        place = self._place("cell")
        return [
            self._leg(rows, rows.kind, ~rows.bad, (line, other, imsi, self._imei("imei"), place))
        ]

    def _reject_lines(self, bad: Mask, gone: Mask, fault: str) -> None:
        raw = self.frame[fault] if self.has(fault) else pl.Series([""] * self.height)
        empty = (
            _empty(raw)
            | raw.cast(pl.String).is_in(self.profile.layout.nulls).fill_null(value=True).to_numpy()
        )
        self._reject(bad, gone & empty, fault, "line|missing")
        self._reject(bad, gone & ~empty, fault, "line|unreadable")

    def _source_class(self, other: Ids) -> Ids:
        """The class that the source itself gives a party goes before the profile's rules."""
        if not self.has("other_class"):
            return other
        codes = self._codes("other_class")
        self._count_unknown("other_class", codes == UNKNOWN)
        told = (codes >= 0) & (other != _ZERO) & (other != np.uint64(WITHHELD_ID))
        bare = other & np.uint64((1 << CLASS_SHIFT) - 1)
        stamped = bare | (np.maximum(codes, 0).astype(np.uint64) << np.uint64(CLASS_SHIFT))
        return np.where(told, stamped, other)

    def _calls(self, rows: _Rows) -> list[pl.DataFrame]:
        """A leg for A, and one for B where B is one of the carrier's own lines."""
        a, b = ("a", "b") if self.has("a") else ("line", "other")
        calling, called = self._party(a, "line"), self._party(b, "line")
        as_a, as_b = self._party(a, "other"), self._party(b, "other")
        a_ids = (self._imsi("imsi"), self._imei("imei"), self._place("cell"))
        b_ids = (self._imsi("b_imsi"), self._imei("b_imei"), self._place("b_cell"))
        a_known = np.logical_or.reduce([i != _ZERO for i in a_ids])
        b_known = np.logical_or.reduce([i != _ZERO for i in b_ids])
        for_a = self._a_is_own(calling, a_known, b_known)
        for_b = b_known | (class_of(called) == NumberClass.ONNET)
        if self.profile.b_leg != "own":
            for_b = np.full(self.height, self.profile.b_leg == "always")
        calling = np.where(calling == _ZERO, a_ids[0], calling)
        called = np.where(called == _ZERO, b_ids[0], called)
        for_a &= calling != _ZERO
        for_b &= called != _ZERO
        neither = ~for_a & ~for_b
        foreign = neither & (calling != _ZERO) & ~rows.bad
        if neither.any():
            self._reject_lines(rows.bad, neither & (calling == _ZERO), a)
            self.counts["ignored"] += int(foreign.sum())
        good = ~rows.bad & ~foreign
        origin = rows.service + np.int16(0)
        return [
            self._leg(rows, origin, good & for_a, (calling, as_b, *a_ids)),
            self._leg(rows, origin + np.int16(1), good & for_b, (called, as_a, *b_ids)),
        ]

    def _a_is_own(self, calling: Ids, a_known: Mask, b_known: Mask) -> Mask:
        onnet: Mask = class_of(calling) == NumberClass.ONNET
        return a_known | onnet if self.profile.numbers.own else a_known | ~b_known

    def _leg(
        self, rows: _Rows, event_type: npt.NDArray[np.int16], keep: Mask, ids: tuple[Ids, ...]
    ) -> pl.DataFrame:
        period = self.owner.period
        if rows.start.min() < period.since or rows.start.max() >= period.until:
            outside = keep & ((rows.start < period.since) | (rows.start >= period.until))
            self.counts["outside"] += int(outside.sum())
            keep = keep & ~outside
        kind = event_type.astype(np.uint16) & np.uint16(Kind.TYPE_MASK)
        kind |= rows.answer.astype(np.uint16) << np.uint16(Kind.ANSWER_SHIFT)
        if rows.partial.any():
            kind |= np.where(rows.partial, np.uint16(Kind.PARTIAL), np.uint16(0))
        kind |= np.uint16(self.owner.feed << Kind.FEED_SHIFT)
        line, other, imsi, imei, place = ids
        whole = bool(keep.all())
        frame = _stored(
            {
                "line": line,
                "other": other,
                "imsi": imsi,
                "imei": imei,
                "place": place,
                "start": (rows.start if whole else np.where(keep, rows.start, 0)).astype(np.uint32),
                "offset": quarters(rows.start, self.owner.local),
                "duration": rows.duration.astype(np.int32),
                "kind": kind,
                "cause": rows.cause,
                "call_ref": rows.call_ref,
                "source": np.full(self.height, self.owner.source, dtype=np.uint16),
                "row": rows.row,
            }
        )
        return frame if whole else frame.filter(pl.Series(keep))

    # results ----------------------------------------------------------------------------------

    def _reject(self, bad: Mask, which: Mask, column: str, reason: str) -> None:
        """Reject rows for a reason, unless they were ignored or rejected before."""
        new = which & ~bad
        if not new.any():
            return
        bad |= new
        mask = pl.Series(new)
        values = self.frame[column].filter(mask) if self.has(column) else None
        rows = self.frame[ROW].filter(mask)
        empty = pl.Series([""] * len(rows))
        name = self.owner.names.get(column, column)
        self.rejects.append(rejected(rows, name, empty if values is None else values, reason))

    def _result(self, legs: list[pl.DataFrame]) -> Normalised:
        stored = pl.concat(legs) if legs else STORED.empty()
        texts = pl.concat(self.texts).unique("id") if self.texts else NO_TEXTS
        rejects = pl.concat(self.rejects) if self.rejects else no_rejects()
        return Normalised(stored, texts, rejects, self.counts, _absent(stored))


def _empty(column: pl.Series) -> Mask:
    null = column.is_null()
    if column.dtype == pl.String:
        null = null | (column.str.strip_chars() == "").fill_null(value=True)
    return null.to_numpy()


def _stored(columns: dict[str, Array]) -> pl.DataFrame:
    """Rows of the store, whose types the arrays have; a schema given costs a look at each."""
    return pl.DataFrame([pl.Series(name, values) for name, values in columns.items()])


def _absent(stored: pl.DataFrame) -> Counter[str]:
    """Events without a value, by column; durations count over calls only."""
    kind = stored["kind"].to_numpy()
    call = (kind & 2) == 0
    unsaid = (kind & (3 << Kind.ANSWER_SHIFT)) == Kind.NOT_KNOWN << Kind.ANSWER_SHIFT
    return Counter(
        {
            name: stored.height - int(np.count_nonzero(stored[name].to_numpy()))
            for name in ("other", "imsi", "imei", "place", "cause")
        }
        | {
            "duration": int(np.count_nonzero((stored["duration"].to_numpy() == NOT_KNOWN) & call)),
            "answered": int(np.count_nonzero(unsaid & call)),
        }
    )
