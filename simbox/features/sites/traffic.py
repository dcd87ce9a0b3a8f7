"""The events of the lines that may stand in a room, and of a sample of all others beside them.

Rooms are looked for among lines that call strangers; nobody compares every line with every other.
The sample tells what chance does: where people are, when a day begins, how lines come and go.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt

from simbox.features.events import COLUMNS, Events, arrange
from simbox.features.segments import Array, Index, Mask, among
from simbox.identifiers import Ids, handset, party
from simbox.store import DAY_S, Store, line_hash
from simbox.tables import Kind

Floats = npt.NDArray[np.float64]
BACKGROUND_LINES = 20_000  # enough to tell a share of one in a thousand
_LIST_BITS = 20


@dataclass(frozen=True)
class Traffic:
    """Events of some lines as arrays, one element a row, sorted by line and time."""

    events: Events
    places: Ids  # every place of these events, ascending
    midnight: int  # local seconds of the first local midnight of the data
    days: int  # local days of the data

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return self.events.lines

    @cached_property
    def line(self) -> Index:
        """The line of each row."""
        return self.events.line.astype(np.int64)

    @cached_property
    def at(self) -> Index:
        """Local seconds since the first midnight."""
        return self.events.local - self.midnight

    @cached_property
    def end(self) -> Index:
        """End of the conversation, local seconds since the first midnight."""
        return self.at + np.maximum(self.events.duration, 0)

    @cached_property
    def day(self) -> Index:
        """Local day, 0 for the first of the data."""
        return self.at // DAY_S

    @cached_property
    def outgoing(self) -> Mask:
        """Calls that the line makes."""
        return np.asarray(self.events.event_type == Kind.MOC)

    @cached_property
    def sent(self) -> Mask:
        """Calls and texts of the line's own."""
        return np.asarray(self.outgoing | (self.events.event_type == Kind.SMS_MO))

    @cached_property
    def call(self) -> Mask:
        """Calls of either direction."""
        return np.asarray(self.events.event_type <= Kind.MTC)

    @cached_property
    def place(self) -> Index:
        """Index of the row's place, -1 where it has none."""
        if not len(self.places):
            return np.full(self.events.rows, -1, dtype=np.int64)
        found: Index = np.searchsorted(self.places, self.events.place)
        return np.where(self.events.place > 0, found, -1)

    @cached_property
    def imei(self) -> Ids:
        """The handset of each row, 0 where it is not told."""
        return handset(self.events.imei)

    @cached_property
    def keys(self) -> Ids:
        """The identity of each line, whatever class a feed gave it."""
        return party(self.events.line_ids)

    @cached_property
    def other_line(self) -> Index:
        """Which of the lines the other party of each row is, -1 for none of them."""
        by = np.argsort(self.keys)
        keys, other = self.keys[by], party(self.events.other)
        at = np.minimum(np.searchsorted(keys, other), max(len(keys) - 1, 0))
        return np.where(among(other, keys) & (other > 0), by[at], -1)


def gather(store: Store, members: Ids, lines: int) -> tuple[Traffic, Traffic]:
    """The traffic of the members and of a sample of all other lines.

    Args:
        store: the events of the run.
        members: ids of the lines that may stand in a room.
        lines: how many lines the run has.
    """
    wanted = np.sort(line_hash(np.unique(party(members))))
    share = min(1.0, BACKGROUND_LINES / max(lines, 1))
    columns = COLUMNS + (("call_ref",) if store.manifest.has_call_ref else ())
    listed = np.zeros(1 << _LIST_BITS, dtype=bool)
    listed[_slot(wanted)] = True
    inside: list[Events] = []
    beside: list[Events] = []
    for frame in store.each_bucket(columns):
        hashes = line_hash(frame["line"].to_numpy())
        mine = listed.take(_slot(hashes), mode="clip")
        rows = np.flatnonzero(mine)
        mine[rows] = among(hashes[rows], wanted)
        # low bits: the high ones are the bucket
        drawn = (hashes & np.uint64(0xFFFF_FFFF)) < np.uint64(min(share * 2**32, 2**32 - 1))
        for chosen, parts in ((mine, inside), (drawn & ~mine, beside)):
            parts.append(arrange(frame[np.flatnonzero(chosen).astype(np.uint32)]))
    theirs, rest = _joined(inside), _joined(beside)
    midnight, days = _calendar(theirs, rest)
    return _traffic(theirs, midnight, days), _traffic(rest, midnight, days)


def _slot(hashes: Ids) -> Index:
    return (hashes >> np.uint64(64 - _LIST_BITS)).view(np.int64)


def _calendar(*both: Events) -> tuple[int, int]:
    """The first local midnight and the days of all events: one calendar for both."""
    known = [events.local for events in both if events.rows]
    if not known:
        return 0, 1
    midnight = min(int(local.min()) for local in known) // DAY_S * DAY_S
    return midnight, (max(int(local.max()) for local in known) - midnight) // DAY_S + 1


def _traffic(events: Events, midnight: int, days: int) -> Traffic:
    places = np.unique(events.place)
    return Traffic(events, places[places > 0], midnight, days)


def _joined(parts: list[Events]) -> Events:
    """The events of buckets one after the other: lines keep the order of their hashes."""
    lines = np.cumsum([0, *(part.lines for part in parts)])
    columns: dict[str, Array] = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(Events)
        if f.name not in {"line", "duplicates", "merged"}
    }
    shifted = [part.line + np.int32(n) for part, n in zip(parts, lines, strict=False)]
    return Events(line=np.concatenate(shifted), **columns)  # type: ignore[arg-type]
