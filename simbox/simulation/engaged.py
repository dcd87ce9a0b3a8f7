"""One conversation at a time: who talks cannot dial, and who is called meanwhile is busy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from simbox.simulation.attempts import BUSY, DAY_S, Attempts, Bools, Ints
from simbox.simulation.clock import hashed

CALL_WAITING = 0.1  # of the calls to an engaged line with a radio of its own are taken anyway
ROUNDS = 4
END_BITS, CALL_BITS = 25, 27
WAITING = 977  # what the hashed draw is for


@dataclass(frozen=True)
class Talks:
    """Conversations that go on past midnight: radio and end, in seconds since the first one."""

    radio: Ints
    end: Ints


NO_TALKS = Talks(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class _Sides:
    """Both sides of calls as intervals, ordered by radio and then by start."""

    radio: Ints
    call: Ints
    calling: Bools
    start: Ints  # s since midnight
    end: Ints


def one_talk_at_a_time(
    seed: int, tried: Attempts, radio: Ints, midnight: int, before: Talks
) -> tuple[Attempts, Bools]:
    """The attempts of a day with engaged called lines made busy, and which could be dialled.

    A call that finds its caller or its called line engaged does not itself engage anybody.  Chains
    of such calls are settled from the first on; what is left after a few rounds counts as engaged.

    Args:
        seed: of the world.
        tried: attempts of one day in whole seconds, ordered by start.
        radio: the radio that each own line uses; lines with equal values share it.
        midnight: when the day begins, s.
        before: conversations that began on the day before.
    """
    voice = np.flatnonzero(~tried.text)
    if not len(voice):
        return tried, np.ones(len(tried), dtype=bool)
    a, b = tried.a[voice], tried.b[voice]
    start = tried.start[voice].astype(np.int64) - midnight
    end = start + tried.talk[voice].astype(np.int64)
    sides = _sides(radio, (a, b), (start, end), Talks(before.radio, before.end - midnight))
    waiting = hashed(seed + WAITING, a, b, tried.start[voice].astype(np.int64)) < CALL_WAITING
    waiting &= (np.bincount(radio)[radio] == 1)[np.maximum(b, 0)]
    stopped, busy = _settle(sides, len(voice), waiting)
    dialled = np.ones(len(tried), dtype=bool)
    dialled[voice[stopped]] = False
    talk, cause = tried.talk.copy(), tried.cause.copy()
    talk[voice[busy]], cause[voice[busy]] = 0.0, BUSY
    return replace(tried, talk=talk, cause=cause), dialled


def _sides(
    radio: Ints, parties: tuple[Ints, Ints], times: tuple[Ints, Ints], before: Talks
) -> _Sides:
    """Intervals of all own radios; what comes from the day before has call number -1."""
    packed = []
    for side, party in enumerate(parties):
        own = np.flatnonzero(party >= 0)
        packed.append(((radio[party[own]] << CALL_BITS | own) << 1) | side)
    order = pl.Series(np.concatenate(packed)).sort().to_numpy()
    call = (order >> 1) & ((1 << CALL_BITS) - 1)
    known = _Sides(order >> (CALL_BITS + 1), call, (order & 1) == 0, times[0][call], times[1][call])
    if not len(before.radio):
        return known
    count = len(before.radio)
    merged = np.argsort(np.concatenate([before.radio, known.radio]), kind="stable")
    return _Sides(
        np.concatenate([before.radio, known.radio])[merged],
        np.concatenate([np.full(count, -1), known.call])[merged],
        np.concatenate([np.zeros(count, dtype=bool), known.calling])[merged],
        np.concatenate([np.zeros(count, dtype=np.int64), known.start])[merged],
        np.concatenate([before.end, known.end])[merged],
    )


def _settle(sides: _Sides, count: int, waiting: Bools) -> tuple[Bools, Bools]:
    """Which calls cannot be dialled, and which find the called line busy."""
    stopped, busy = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    sure = np.zeros(count, dtype=bool)
    for turn in range(ROUNDS):
        last = turn == ROUNDS - 1
        over = _overlapped(sides, _counting(sides, ~(stopped | busy)))
        open_ = sides.call[over & (sides.call >= 0)]
        doubtful = np.zeros(count, dtype=bool)
        doubtful[open_] = True
        sure |= ~doubtful & ~stopped & ~busy
        hit = over if last else _overlapped(sides, _counting(sides, sure))
        hit &= sides.call >= 0
        stopped[sides.call[hit & sides.calling]] = True
        called = sides.call[hit & ~sides.calling]
        busy[called[~waiting[called]]] = True
        if not (doubtful & ~stopped & ~busy).any():
            break
    return stopped, busy & ~stopped


def _counting(sides: _Sides, calls: Bools) -> Bools:
    """The intervals of certain calls, and of those from the day before."""
    return calls[sides.call] | (sides.call < 0)


def _overlapped(sides: _Sides, counting: Bools) -> Bools:
    """The intervals that begin while an earlier counting one of the same radio lasts."""
    end = np.where(counting & (sides.end > sides.start), sides.end, 0)
    reach = np.maximum.accumulate((sides.radio << END_BITS) | end)
    found = np.zeros(len(end), dtype=bool)
    same = sides.radio[1:] == sides.radio[:-1]
    latest = reach[:-1] & ((1 << END_BITS) - 1)
    found[1:] = same & (latest > sides.start[1:])
    return found


def past_midnight(tried: Attempts, radio: Ints, midnight: int) -> Talks:
    """The conversations that go on when the day that follows `midnight` is over."""
    ends = (tried.start + tried.talk).astype(np.int64)
    late = np.flatnonzero(~tried.text & (ends > midnight + DAY_S))
    radios, lasts = [], []
    for party in (tried.a[late], tried.b[late]):
        own = party >= 0
        radios.append(radio[party[own]])
        lasts.append(ends[late][own])
    return Talks(np.concatenate(radios), np.concatenate(lasts))
