"""What a profile can carry of a world; the rest is left out by rule and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from simbox.ingest.cdr.profile import Profile
from simbox.ingest.cdr.vocabulary import (
    DIRECTION_WORDS,
    EVENT_TYPE_WORDS,
    SERVICE_WORDS,
)
from simbox.simulation.writing.columns import Column
from simbox.simulation.writing.spelling import spellings

MOC, MTC, SMS_MO, SMS_MT = (EVENT_TYPE_WORDS[n] for n in ("MOC", "MTC", "SMS_MO", "SMS_MT"))
#: What is left out, by the code of its type: of legs, and of rows of a whole call each.
LEGS = {
    MOC: "outgoing calls",
    MTC: "incoming calls",
    SMS_MO: "texts sent",
    SMS_MT: "texts received",
}
CALLS = {MOC: "calls", SMS_MO: "texts"}
UNANSWERED = "calls that nobody took"


@dataclass(frozen=True)
class Carried:
    """The kinds of events that a profile has words for."""

    types: frozenset[int]  # codes of event types
    unanswered: bool  # calls that nobody took too
    served: bool

    def sift(self, events: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
        """The legs or calls that are carried, and how many others there were, by reason."""
        kind = 2 * pl.col("text").cast(pl.UInt8)
        if self.served:
            kind += 1 - pl.col("outgoing").cast(pl.UInt8)
        missed = ~pl.col("text") & ~pl.col("answered")
        left_out: Counter[str] = Counter()
        keep = kind.is_in(sorted(self.types))
        for code, reason in (LEGS if self.served else CALLS).items():
            if code not in self.types:
                left_out[reason] = _count(events, kind == code)
        if not self.unanswered:
            left_out[UNANSWERED] = _count(events, keep & missed)
            keep &= ~missed
        whole = not left_out.total()
        return events if whole else events.filter(keep), +left_out


def _count(events: pl.DataFrame, which: pl.Expr) -> int:
    return int(events.select(which.sum()).item())


def carried(profile: Profile, columns: Iterable[Column]) -> Carried:
    """What a profile can carry in a file of these columns."""
    said = {canonical: column.key for column in columns for canonical in column.says}
    served = profile.form == "served"
    if "event_type" in said:
        types = set(spellings(profile, "event_type", said["event_type"]))
    else:
        types = {
            service + direction
            for service in _codes(profile, "service", said, SERVICE_WORDS[profile.service])
            for direction in _directions(profile, said)
        }
    if "service" in said:
        services = spellings(profile, "service", said["service"])
        types = {kind for kind in types if kind & SERVICE_WORDS["sms"] in services}
    return Carried(frozenset(types), profile.answered != "always", served)


def _directions(profile: Profile, said: dict[str, str]) -> set[int]:
    if profile.form == "call":
        return {DIRECTION_WORDS["out"]}
    return _codes(profile, "direction", said, DIRECTION_WORDS[profile.direction or "out"])


def _codes(profile: Profile, column: str, said: dict[str, str], constant: int) -> set[int]:
    return set(spellings(profile, column, said[column])) if column in said else {constant}
