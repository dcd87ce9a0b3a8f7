"""Legs and calls of a world as rows of a profile, a slice at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from simbox.ingest.cdr.profile import Profile
from simbox.ingest.cdr.vocabulary import ANSWERED_WORDS, SERVICE_WORDS
from simbox.simulation.writing.columns import Column
from simbox.simulation.writing.identities import Identities
from simbox.simulation.writing.places import COLUMNS as PLACES
from simbox.simulation.writing.places import Places
from simbox.simulation.writing.spelling import cause_spellings, spellings, text_sent
from simbox.simulation.writing.times import Clock

_UNITS = {"s": 1, "tenths": 10, "ms": 1_000, "us": 1_000_000}
_TEXT_BIT = 2  # of an event type's code
_LONGEST_RING, _RING_STEP = 23, 7919

#: Canonical column of an identity or cell -> column of the frame, in both forms.
OF_LEG = {
    "line": "line", "other": "other", "a": "a", "b": "b",
    "imsi": "line", "imei": "imei", **dict.fromkeys(PLACES, "cell"),
}  # fmt: skip
OF_CALL = {
    "a": "a", "line": "a", "b": "b", "other": "b",
    "imsi": "a", "b_imsi": "b", "imei": "a_imei", "b_imei": "b_imei",
    **dict.fromkeys(PLACES, "a_cell"), "b_cell": "b_cell",
}  # fmt: skip


@dataclass(frozen=True)
class Writing:
    """A profile with everything that its rows are spelled with."""

    profile: Profile
    columns: tuple[Column, ...]
    identities: Identities
    places: Places
    clock: Clock

    def rows(self, events: pl.DataFrame) -> pl.DataFrame:
        """The rows of some legs (form 'served') or calls (form 'call'), in the same order."""
        seen = _Slice(self, events)
        return pl.DataFrame({column.name: seen.column(column) for column in self.columns})

    @cached_property
    def of(self) -> Mapping[str, str]:
        """Where an identity stands in a frame of events."""
        return OF_LEG if self.profile.form == "served" else OF_CALL


class _Slice:
    """Some events on their way to being rows."""

    def __init__(self, writing: Writing, events: pl.DataFrame) -> None:
        self.writing = writing
        self.profile = writing.profile
        # nobody's traffic: how long it rang says nothing of who called
        ring = 2 + (pl.col("start") * _RING_STEP + pl.col("talk")) % _LONGEST_RING
        self.events = events.with_columns(ring=ring)

    def column(self, column: Column) -> pl.Series:
        """The values of one column."""
        said = next((c for c in column.says if c in FIELDS or c in self.writing.of), None)
        if {"answered", "cause"} <= set(column.says):
            return self.causes(with_answers=True)
        if said in FIELDS:
            return FIELDS[said](self, column)
        if said is not None:
            return self.identity(said)
        fill = FILLERS.get(column.key)
        return fill(self) if fill else self.select(pl.lit(None, pl.String))

    def select(self, expr: pl.Expr) -> pl.Series:
        """One value an event."""
        return self.events.with_columns(expr.alias("value"))["value"]  # a literal goes to all

    def identity(self, said: str) -> pl.Series:
        """Numbers, SIM cards, handsets or cells."""
        where, known = self.writing.of[said], self.writing.identities
        if said in PLACES:
            return self.writing.places.column(said, self.events[where])
        if said in ("imei", "b_imei"):
            return known.handsets(self.events[where])
        party = self._party(where)
        return known.sims(party) if said in ("imsi", "b_imsi") else known.parties(party)

    def _party(self, where: str) -> pl.Series:
        if where in self.events.columns:
            return self.events[where].cast(pl.Int64)
        sides = ("line", "other") if where == "a" else ("other", "line")
        line, other = (pl.col(side).cast(pl.Int64) for side in sides)
        return self.select(pl.when("outgoing").then(line).otherwise(other))

    def start(self, said: str) -> pl.Series:
        """When it began."""
        return self.writing.clock.column(self.events["start"], said)

    def later(self, behind: pl.Expr) -> pl.Series:
        """A moment so many seconds after the start; null where there was none."""
        return self.writing.clock.column(self.select(pl.col("start").cast(pl.Int64) + behind))

    def duration(self) -> pl.Series:
        """Conversation time in the unit of the profile; null for texts."""
        rules = self.profile.duration
        talk = pl.col("talk").cast(pl.Int64) * _UNITS[rules.unit]
        if rules.unanswered:
            mark = rules.unanswered[0]
            whole = mark.removeprefix("-").isdecimal()
            none = pl.lit(int(mark)) if whole else pl.lit(mark)
            talk = pl.when("answered").then(talk if whole else talk.cast(pl.String)).otherwise(none)
        return self.select(pl.when(~pl.col("text")).then(talk))

    def words(self, column: Column, said: str, code: pl.Expr) -> pl.Series:
        """The spelling of each code of a vocabulary column; null where the code is."""
        known = spellings(self.profile, said, column.key)
        table = pl.Series([known.get(i) for i in range(max(known, default=0) + 1)], dtype=pl.String)
        return table.gather(self.select(code.cast(pl.UInt32)))

    def services(self, column: Column) -> pl.Series:
        """Call or text."""
        text = SERVICE_WORDS["sms"] * pl.col("text").cast(pl.Int64)
        spelled = self.words(column, "service", text)
        sent = text_sent(self.profile)
        if sent is None or "outgoing" not in self.events.columns:
            return spelled
        mine = pl.col("text") & pl.col("outgoing")
        return self.select(pl.when(mine).then(pl.lit(sent)).otherwise(pl.lit(spelled)))

    def causes(self, *, with_answers: bool = False) -> pl.Series:
        """Release causes; null for texts."""
        cause = pl.when(~pl.col("text")).then(pl.col("cause"))
        if self.profile.causes == "q850":
            return self.select(cause.cast(pl.Int32))
        known = cause_spellings(self.profile, with_answers=with_answers)
        table = pl.Series([known.get(i) for i in range(max(known) + 1)], dtype=pl.String)
        return table.gather(self.select(cause.cast(pl.UInt32)))

    def answers(self, column: Column) -> pl.Series:
        """Whether somebody took the call; null for texts."""
        yes, no = ANSWERED_WORDS["yes"], ANSWERED_WORDS["no"]
        taken = pl.when("answered").then(yes).otherwise(no)
        return self.words(column, "answered", pl.when(~pl.col("text")).then(taken))

    def reference(self, digits: int) -> pl.Series:
        """A running number of the call."""
        numbered = pl.col("call") if "call" in self.events.columns else pl.int_range(pl.len())
        return self.select(numbered.cast(pl.String).str.pad_start(digits, "0"))


_INCOMING = 1 - pl.col("outgoing").cast(pl.Int64)
_RINGING = pl.when("answered").then(pl.col("ring")).cast(pl.Int64)
_STANDING = pl.col("ring").cast(pl.Int64) + pl.col("talk").cast(pl.Int64)


def _event_types(rows: _Slice, column: Column) -> pl.Series:
    kind = _INCOMING + _TEXT_BIT * pl.col("text").cast(pl.Int64)
    return rows.words(column, "event_type", kind)


Field = Callable[[_Slice, Column], pl.Series]

#: What a canonical column says; identities and cells apart.
FIELDS: dict[str, Field] = {
    "start": lambda rows, _: rows.start("start"),
    "start_date": lambda rows, _: rows.start("start_date"),
    "start_time": lambda rows, _: rows.start("start_time"),
    "answer": lambda rows, _: rows.later(_RINGING),
    "duration": lambda rows, _: rows.duration(),
    "event_type": _event_types,
    "direction": lambda rows, column: rows.words(column, "direction", _INCOMING),
    "service": lambda rows, column: rows.services(column),
    "answered": lambda rows, column: rows.answers(column),
    "cause": lambda rows, _: rows.causes(),
    "call_ref": lambda rows, _: rows.reference(1),
}

#: What platforms print beside it, by the name of the column; the rest stays empty.
FILLERS: dict[str, Callable[[_Slice], pl.Series]] = {
    "duration": lambda rows: rows.select(_STANDING),
    "end": lambda rows: rows.later(_STANDING),
    "end_stamp": lambda rows: rows.later(_STANDING),
    "date_time_connect": lambda rows: rows.later(_RINGING).fill_null(0),
    "date_time_disconnect": lambda rows: rows.later(_STANDING),
    "uuid": lambda rows: "00000000-0000-4000-8000-" + rows.reference(12),
    "pkid": lambda rows: "00000000-0000-4000-8000-" + rows.reference(12),
    "uniqueid": lambda rows: rows.reference(12),
    "cdr_record_type": lambda rows: rows.select(pl.lit(1)),
    "cdr_source_type": lambda rows: rows.select(pl.lit(1)),
    "amaflags": lambda rows: rows.select(pl.lit("DOCUMENTATION")),
    "lastapp": lambda rows: rows.select(pl.lit("Dial")),
    "dcontext": lambda rows: rows.select(pl.lit("default")),
    "context": lambda rows: rows.select(pl.lit("default")),
}
