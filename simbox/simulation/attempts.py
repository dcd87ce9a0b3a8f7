"""Calls and texts as people start them, before a network bills them as legs.

A *party* is one number: an own line as its index in the world (0 and up), anybody else as the
negative of the number (E.164 digits or a short code).  Times are seconds of local time since the
first midnight of the world.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rng = np.random.Generator

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
LONGEST_S = 3 * HOUR_S

#: Q.850 causes: cleared, unallocated, busy, absent, no answer, caller gave up.
CLEARED, UNALLOCATED, BUSY, ABSENT, NO_ANSWER, GAVE_UP = 16, 1, 17, 20, 19, 31
MISSED_CAUSES, MISSED_SHARES = (NO_ANSWER, BUSY, ABSENT, GAVE_UP), (0.58, 0.2, 0.1, 0.12)


@dataclass(frozen=True)
class Attempts:
    """Call attempts and texts from party a to party b, one array element each."""

    a: Ints
    b: Ints
    start: Floats  # s since the world's first midnight, local
    talk: Floats  # s of conversation; 0 when nobody took the call, and for texts
    cause: Ints  # Q.850
    text: Bools
    redial: Floats  # chance that a tries again within the hour when nobody took the call
    callback: Floats  # chance that b rings back when b did not take the call
    returned: Floats  # chance that a takes such a call back

    def __len__(self) -> int:
        return len(self.a)

    def where(self, chosen: Bools | Ints) -> Attempts:
        """Those that a mask or an index chooses."""
        return Attempts(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True)
class Manners:
    """How people take a call that was missed: chances."""

    redial: float | Floats = 0.2  # the caller tries again within the hour
    callback: float | Floats = 0.4  # the called one rings back
    returned: float | Floats = 0.8  # the caller takes that call


PEOPLE = Manners()
NO_MANNERS = Manners(0.0, 0.0, 0.0)


def calls(
    rng: Rng, sides: tuple[Ints, Ints], start: Floats, talk: Floats, how: tuple[Floats, Manners]
) -> Attempts:
    """Call attempts from one side to the other.

    Args:
        rng: the source of chance.
        sides: parties a and b.
        start: seconds since the world's first midnight.
        talk: seconds of conversation, if b takes the call.
        how: the chance that b takes the call, and what happens when b does not.
    """
    answer, manners = how
    count = len(sides[0])
    taken = rng.random(count) < answer
    missed = rng.choice(MISSED_CAUSES, count, p=MISSED_SHARES)
    return Attempts(
        a=sides[0],
        b=sides[1],
        start=start,
        talk=np.where(taken, np.clip(talk, 1, LONGEST_S), 0.0),
        cause=np.where(taken, CLEARED, missed),
        text=np.zeros(count, dtype=bool),
        redial=np.broadcast_to(np.float64(manners.redial), count),
        callback=np.broadcast_to(np.float64(manners.callback), count),
        returned=np.broadcast_to(np.float64(manners.returned), count),
    )


def texts(a: Ints, b: Ints, start: Floats) -> Attempts:
    """Texts from parties a to parties b."""
    zeros = np.zeros(len(a))
    return Attempts(
        a=a,
        b=b,
        start=start,
        talk=zeros,
        cause=np.zeros(len(a), dtype=np.int64),
        text=np.ones(len(a), dtype=bool),
        redial=zeros,
        callback=zeros,
        returned=zeros,
    )


def no_attempts() -> Attempts:
    """Nothing happened."""
    none = np.zeros(0, dtype=np.int64)
    return texts(none, none, none.astype(np.float64))


def together(parts: Iterable[Attempts]) -> Attempts:
    """All attempts of several groups."""
    given = [part for part in parts if len(part)] or [no_attempts()]
    return Attempts(
        **{f.name: np.concatenate([getattr(p, f.name) for p in given]) for f in fields(Attempts)}
    )


def talk_seconds(rng: Rng, count: int, median: float, spread: float = 1.1) -> Floats:
    """Conversation times: log-normal, as calls are."""
    return np.asarray(median * np.exp(rng.normal(0, spread, count)))
