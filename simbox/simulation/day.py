"""A day in the network: what people try, who can be reached, who is engaged, who rings back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from simbox.simulation.attempts import ABSENT, DAY_S, Attempts, Bools, Floats, Ints, Rng, together
from simbox.simulation.engaged import NO_TALKS, Talks, one_talk_at_a_time, past_midnight
from simbox.simulation.group import Group
from simbox.simulation.legs import NONE, DayOfLegs, Ends, calls_frame, reached
from simbox.simulation.reactions import reactions

ROUNDS = 3  # reactions to reactions within one day
PIECE = 1 << 16  # rows whose cells are looked up at a time, so that they stay in the cache
NUMBER_BITS = 47  # room for fourteen digits
Chance = Callable[[Group, int], Rng]


def days_of(
    groups: Sequence[Group], numbers: Ints, lasting: tuple[int, int], chance: Chance
) -> Iterator[DayOfLegs]:
    """The days of a world.

    Args:
        groups: all groups, by index of their first lines.
        numbers: MSISDN of each own line.
        lasting: seed of the world and how many days it has.
        chance: the source of chance of a group on a day.
    """
    seed, days = lasting
    network = _Network(groups, numbers, seed)
    later, talks = together([]), NO_TALKS
    for day in range(days):
        # Nothing here holds on to what was tried: it is the largest thing in memory.
        made, later = network.serve(
            together([*(group.day(chance(group, day), day) for group in groups), later]), day, talks
        )
        talks = past_midnight(made, network.radio, day * DAY_S)
        told = [DayOfLegs(day, calls_frame(made, network.ends(made)))]
        del made
        yield told.pop()  # the caller alone keeps the day, while the next one is made


def _until(tried: Attempts, end: int) -> tuple[Attempts, Attempts]:
    """The attempts before a moment, and those after it."""
    soon = tried.start < end
    if soon.all():
        return tried, tried.where(np.zeros(0, dtype=np.int64))
    return tried.where(soon), tried.where(~soon)


class _Network:
    """All own lines, as far as calls depend on them."""

    def __init__(self, groups: Sequence[Group], numbers: Ints, seed: int) -> None:
        self._groups, self._numbers, self._seed = groups, numbers, seed
        self.radio = np.arange(len(numbers))
        for group in groups:
            if group.radio is not None:
                self.radio[group.first : group.first + group.size] = group.first + group.radio

    def serve(self, tried: Attempts, day: int, talks: Talks) -> tuple[Attempts, Attempts]:
        """The calls and texts of a day, with reactions, and the reactions of later days."""
        midnight, end = day * DAY_S, (day + 1) * DAY_S
        tried, then = _until(tried, end)
        later = [then]
        tried = self._reachable(tried)
        tried = self._ordered(tried, midnight)
        done, dialled = one_talk_at_a_time(self._seed, tried, self.radio, midnight, talks)
        new = reactions(self._seed, done.where(~done.text & (done.talk == 0) & dialled))
        del done
        parts = [tried]
        for _ in range(ROUNDS):
            now, then = _until(new, end)
            now = self._reachable(now)
            parts.append(now)
            later.append(then)
            new = reactions(self._seed, now)
        later.append(_until(new, end)[1])
        tried = together(parts)
        del parts
        tried = self._ordered(tried, midnight)
        made, dialled = one_talk_at_a_time(self._seed, tried, self.radio, midnight, talks)
        return made.where(dialled), together(later)

    def ends(self, made: Attempts) -> tuple[Ends, Ends]:
        """Where callers and called parties are, and with which handsets."""
        return (
            self._ends(made.a, made.start, made.a >= 0),
            self._ends(made.b, made.start, reached(made.b, made.cause)),
        )

    def _ends(self, party: Ints, start: Floats, served: Bools) -> Ends:
        cell = np.full(len(party), NONE, dtype=np.int64)
        imei = np.full(len(party), NONE, dtype=np.int64)
        for group, rows in self._by_group(party, served):
            if group.fixed:
                continue
            member, at = party[rows] - group.first, start[rows]
            cell[rows] = group.movement.cells(member, at)
            imei[rows] = group.handsets.imeis(member, at)
        return Ends(cell, imei)

    def _by_group(self, party: Ints, chosen: Bools) -> Iterator[tuple[Group, Ints]]:
        """The groups that have some of the parties, and the rows of these, piece by piece."""
        left = np.flatnonzero(chosen)
        for group in self._groups:
            if not len(left):
                return
            mine = party[left] < group.first + group.size
            if mine.any():
                rows, left = left[mine], left[~mine]
                for begin in range(0, len(rows), PIECE):
                    yield group, rows[begin : begin + PIECE]

    def _reachable(self, tried: Attempts) -> Attempts:
        """In whole seconds, what callers who are there dial; called lines that are off, absent."""
        start = np.floor(tried.start)
        there = self._there(tried.a, start, tried.text) & (tried.a != tried.b)
        found = self._there(tried.b, start, tried.text)
        served = replace(
            tried,
            start=start,
            talk=np.where(found, np.ceil(tried.talk), 0.0),
            cause=np.where(found, tried.cause, ABSENT),
        )
        return served.where(there)

    def _there(self, party: Ints, start: Floats, text: Bools) -> Bools:
        """Whether each party is outside, or on and able to take part; fixed lines take no texts."""
        there = np.ones(len(party), dtype=bool)
        for group, rows in self._by_group(party, party >= 0):
            there[rows] = group.presence.reachable(party[rows] - group.first, start[rows])
            if group.fixed:
                there[rows] &= ~text[rows]
        return there

    def _ordered(self, tried: Attempts, midnight: int) -> Attempts:
        """By start, then by the caller's number and the called one's: no order of kinds."""
        second = (tried.start - midnight).astype(np.uint64) << np.uint64(NUMBER_BITS)
        key = second | self._digits(tried.a).astype(np.uint64)
        order = pl.Series(key).arg_sort().to_numpy().astype(np.int64)
        same = key[order][1:] == key[order][:-1]
        ties = np.flatnonzero(np.r_[same, False] | np.r_[False, same])
        rows = order[ties]
        order[ties] = rows[
            np.lexsort((tried.talk[rows], tried.text[rows], self._digits(tried.b[rows]), key[rows]))
        ]
        return tried.where(order)

    def _digits(self, party: Ints) -> Ints:
        """The number of each party."""
        return np.where(party >= 0, self._numbers[np.maximum(party, 0)], -party)
