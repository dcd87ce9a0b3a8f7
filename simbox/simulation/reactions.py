"""What people do about a call that nobody took: try again, ring back, take that call or not.

Chance comes from the missed call itself (its parties and its moment), so a world to which a kind
of lines is added keeps the reactions of all others.
"""

from __future__ import annotations

import numpy as np

from simbox.simulation.attempts import (
    ABSENT,
    CLEARED,
    DAY_S,
    HOUR_S,
    LONGEST_S,
    MISSED_CAUSES,
    MISSED_SHARES,
    UNALLOCATED,
    Attempts,
    Bools,
    Floats,
    Ints,
    together,
)
from simbox.simulation.clock import hashed

LEAST_NUMBER = 10**7  # shorter numbers are services, which ring nobody back
SOONEST_REDIAL_S = 12.0
REDIAL_FALLS = 0.5  # each further try is so much less likely
REDIAL_TAKEN = 0.45
BACK_MEDIAN_S, BACK_SPREAD, BACK_SOONEST_S = 780.0, 1.5, 25.0
BACK_AGAIN = 0.4  # a call back that is missed brings a call so much less likely than the first
BACK_AGAIN_TAKEN = 0.75
UNSEEN = 0.5  # a phone that is off shows missed calls only where the carrier texts them
WAKES, SLEEPS = 7.0, 22.5  # hours between which one rings back
NEXT_MORNING = 0.35  # of the calls back that the night stops come the next morning
TALK_MEDIAN_S, TALK_SPREAD = 38.0, 1.1

#: What a hashed draw is for.
AGAIN, AFTER, TAKEN, CAUSE, TALK, TALK_2, BACK, BACK_AFTER, BACK_AFTER_2, MORNING = range(10)


def reactions(seed: int, tried: Attempts) -> Attempts:
    """Redials and calls back that missed calls bring about, at any later moment.

    Args:
        seed: of the world.
        tried: attempts as the network served them.
    """
    missed = tried.where(~tried.text & (tried.talk == 0) & (tried.a != tried.b))
    draws = _Draws(seed, missed)
    back = _number(missed.a) & _number(missed.b) & (missed.cause != UNALLOCATED)
    return together([_redials(missed, draws), _calls_back(missed, draws, back)])


class _Draws:
    """Lasting chance of missed calls, one number in [0, 1) a call and purpose."""

    def __init__(self, seed: int, missed: Attempts) -> None:
        moment = (missed.start * 8).astype(np.int64)
        identity = hashed(seed, missed.a, missed.b, moment)
        self._identity = (identity * 2**53).astype(np.int64)
        self._seed = seed

    def of(self, purpose: int) -> Floats:
        return hashed(self._seed + purpose, self._identity)


def _number(party: Ints) -> Bools:
    """Whether a party is a telephone and not a short code."""
    return np.asarray((party >= 0) | (party <= -LEAST_NUMBER))


def _redials(missed: Attempts, draws: _Draws) -> Attempts:
    """The callers' second tries: most within minutes, some up to an hour later."""
    chosen = draws.of(AGAIN) < missed.redial * np.where(missed.cause == UNALLOCATED, 0.4, 1.0)
    after = SOONEST_REDIAL_S * (HOUR_S / SOONEST_REDIAL_S) ** draws.of(AFTER)
    taken = np.where(missed.cause == ABSENT, 0.25, REDIAL_TAKEN)
    again = _tried(missed, draws, missed.start + after, taken)
    dead = (missed.cause == UNALLOCATED) & chosen
    again.talk[dead], again.cause[dead] = 0.0, UNALLOCATED
    again.redial[:] = missed.redial * REDIAL_FALLS
    again.callback[:] = missed.callback * 0.6  # many have already rung back
    again.returned[:] = missed.returned
    return again.where(chosen)


def _calls_back(missed: Attempts, draws: _Draws, possible: Bools) -> Attempts:
    """The called ones' calls back, minutes to hours later, at waking hours."""
    seen = np.where(missed.cause == ABSENT, UNSEEN, 1.0)
    chosen = possible & (draws.of(BACK) < missed.callback * seen)
    spread = _normal(draws.of(BACK_AFTER), draws.of(BACK_AFTER_2))
    start = missed.start + BACK_SOONEST_S + BACK_MEDIAN_S * np.exp(BACK_SPREAD * spread)
    hour = start % DAY_S / HOUR_S
    asleep = (hour < WAKES) | (hour >= SLEEPS)
    wait = draws.of(MORNING)
    morning = (start + (24 - SLEEPS) * HOUR_S) // DAY_S * DAY_S + WAKES * HOUR_S
    later = morning + wait / NEXT_MORNING * 3 * HOUR_S
    chosen &= ~asleep | (wait < NEXT_MORNING)
    back = _tried(missed, draws, np.where(asleep, later, start), missed.returned)
    back.redial[:] = missed.redial * REDIAL_FALLS
    back.callback[:] = missed.callback * BACK_AGAIN
    back.returned[:] = BACK_AGAIN_TAKEN
    swapped = Attempts(**{**vars(back), "a": back.b, "b": back.a})
    return swapped.where(chosen)


def _tried(missed: Attempts, draws: _Draws, start: Floats, taken: Floats) -> Attempts:
    """Calls in place of missed ones, taken with a chance."""
    answered = draws.of(TAKEN) < taken
    talk = TALK_MEDIAN_S * np.exp(TALK_SPREAD * _normal(draws.of(TALK), draws.of(TALK_2)))
    which = np.searchsorted(np.cumsum(MISSED_SHARES)[:-1], draws.of(CAUSE), side="right")
    cause = np.where(answered, CLEARED, np.asarray(MISSED_CAUSES)[which])
    count = len(missed)
    return Attempts(
        a=missed.a,
        b=missed.b,
        start=start,
        talk=np.where(answered, np.clip(talk, 1, LONGEST_S), 0.0),
        cause=cause,
        text=np.zeros(count, dtype=bool),
        redial=np.zeros(count),
        callback=np.zeros(count),
        returned=np.zeros(count),
    )


def _normal(first: Floats, second: Floats) -> Floats:
    """Normal deviates from two uniform ones (Box and Muller 1958)."""
    return np.asarray(np.sqrt(-2 * np.log(1 - first)) * np.cos(2 * np.pi * second))
