from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import polars as pl
import pytest

from simbox.simulation.attempts import (
    ABSENT,
    BUSY,
    CLEARED,
    DAY_S,
    GAVE_UP,
    HOUR_S,
    NO_ANSWER,
    UNALLOCATED,
    Attempts,
    together,
)
from simbox.simulation.day import days_of
from simbox.simulation.engaged import NO_TALKS, Talks, one_talk_at_a_time
from simbox.simulation.group import Between, Group
from simbox.simulation.legs import NONE, legs
from simbox.simulation.reactions import SLEEPS, WAKES, reactions

OUTSIDE = -99_915_000_000_000
Call = tuple[int, int, float, float]  # a, b, start, talk


def tried(
    given: Iterable[Call], manners: tuple[float, float, float] = (0, 0, 0), cause: int = NO_ANSWER
) -> Attempts:
    a, b, start, talk = (np.array(column) for column in zip(*given, strict=True))
    spoken = talk > 0
    return Attempts(
        a=a,
        b=b,
        start=start.astype(float),
        talk=talk.astype(float),
        cause=np.where(spoken, CLEARED, cause),
        text=np.zeros(len(a), dtype=bool),
        redial=np.full(len(a), float(manners[0])),
        callback=np.full(len(a), float(manners[1])),
        returned=np.full(len(a), float(manners[2])),
    )


class Still:
    def cells(self, member: np.ndarray, start: np.ndarray) -> np.ndarray:
        return member + 100 + 0 * start.astype(int)

    def imeis(self, member: np.ndarray, start: np.ndarray) -> np.ndarray:
        return member + 10**14 + 0 * start.astype(int)


def group_of(size: int, day: Callable[[int], Attempts], **more: object) -> Group:
    batch = np.arange(size)
    return Group("test/lines", 0, size, Still(), Still(), lambda _, n: day(n), batch, **more)


def served(group: Group, days: int = 1) -> pl.DataFrame:
    numbers = 99_913_000_000_000 + np.arange(group.size)
    every = days_of([group], numbers, (3, days), lambda *_: np.random.default_rng(1))
    return pl.concat([day.calls for day in every])


def once(attempts: Attempts) -> Callable[[int], Attempts]:
    return lambda day: attempts if day == 0 else together([])


def settled(given: list[Call], before: Talks = NO_TALKS) -> list[str]:
    lines = np.arange(1 + max(max(a, b) for a, b, *_ in given))
    done, dialled = one_talk_at_a_time(3, tried(given), lines, 0, before)
    told = np.where(done.talk > 0, "talks", np.where(done.cause == BUSY, "busy", "missed"))
    return np.where(dialled, told, "not dialled").tolist()


def test_who_talks_cannot_dial_and_can_again_at_the_second_it_ends() -> None:
    given = [(0, OUTSIDE, 100, 50), (0, OUTSIDE, 120, 5), (0, OUTSIDE, 150, 5)]
    assert settled(given) == ["talks", "not dialled", "talks"]


def test_called_line_that_talks_is_busy_but_for_one_call_in_ten() -> None:
    talks = [(n, OUTSIDE, 100.0, 50.0) for n in range(2_000)]
    into = [(2_000 + n, n, 120.0, 9.0) for n in range(2_000)]
    found = settled(talks + into)[2_000:]
    assert set(found) == {"busy", "talks"}
    assert 0.07 < found.count("talks") / len(found) < 0.13


def test_call_that_could_not_be_dialled_keeps_nobody_engaged() -> None:
    given = [(0, OUTSIDE, 100, 50), (0, 1, 120, 500), (0, OUTSIDE, 200, 5), (1, OUTSIDE, 210, 5)]
    assert settled(given) == ["talks", "not dialled", "talks", "talks"]


def test_missed_call_engages_nobody() -> None:
    assert settled([(0, 1, 100, 0), (1, OUTSIDE, 101, 9)]) == ["missed", "talks"]


def test_talk_of_the_day_before_engages_until_it_ends() -> None:
    before = Talks(np.array([0]), np.array([300]))
    given = [(0, OUTSIDE, 200, 9), (0, OUTSIDE, 300, 9)]
    assert settled(given, before) == ["not dialled", "talks"]


def one_after_the_other(given: list[Call]) -> list[bool]:
    """Which calls can be dialled, worked out one by one, all between own lines and outside."""
    free: dict[int, float] = {}
    out = []
    for a, _, start, talk in given:
        out.append(free.get(a, 0) <= start)
        if out[-1] and talk:
            free[a] = start + talk
    return out


@pytest.mark.parametrize("seed", range(5))
def test_engaged_callers_are_those_that_a_slow_reading_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = np.sort(rng.integers(0, 40_000, 400))
    talk = rng.integers(0, 300, 400) * (rng.random(400) < 0.7)
    given = [
        (int(a), OUTSIDE, float(s), float(t))
        for a, s, t in zip(rng.integers(0, 12, 400), start, talk, strict=True)
    ]
    assert [told != "not dialled" for told in settled(given)] == one_after_the_other(given)


def test_cards_that_share_a_radio_do_not_talk_at_once() -> None:
    both = tried([(0, OUTSIDE, 100, 50), (1, OUTSIDE, 120, 9), (2, OUTSIDE, 120, 9)])
    group = group_of(3, once(both), radio=np.array([0, 0, 2]))
    assert served(group)["a"].to_list() == [0, 2]


def test_redial_comes_after_midnight_on_the_next_day() -> None:
    late = tried([(0, OUTSIDE, DAY_S - 5, 0)], (1, 0, 0))
    calls = served(group_of(1, once(late)), days=2)
    assert calls["start"][0] == DAY_S - 5
    assert len(calls) >= 2
    assert calls["start"][1] >= DAY_S


def test_talk_over_midnight_keeps_the_line_engaged_on_the_next_day() -> None:
    def day(number: int) -> Attempts:
        if number:
            return tried([(0, OUTSIDE, DAY_S + 60, 9), (0, OUTSIDE, DAY_S + 600, 9)])
        return tried([(0, OUTSIDE, DAY_S - 100, 400)])

    assert served(group_of(1, day), days=2)["start"].to_list() == [DAY_S - 100, DAY_S + 600]


def test_lines_that_are_gone_neither_call_nor_are_reached() -> None:
    born, gone = np.array([0.0, 500.0]), np.array([1_000.0, 2_000.0])
    given = tried([(0, 1, 100, 9), (0, 1, 700, 9), (0, 1, 1_500, 9), (1, 0, 1_600, 9)])
    calls = served(group_of(2, once(given), presence=Between(born, gone)))
    assert calls.select("start", "cause", "talk").rows() == [
        (100, ABSENT, 0),
        (700, CLEARED, 9),
        (1_600, ABSENT, 0),
    ]
    assert legs(calls).select("line", "outgoing").rows() == [
        (0, True),
        (0, True),
        (1, False),
        (1, True),
    ]


def test_legs_stand_where_their_lines_are() -> None:
    calls = served(group_of(2, once(tried([(0, 1, 100.7, 8.2), (OUTSIDE, 1, 900, 5)]))))
    assert legs(calls).select("line", "other", "start", "talk", "cell", "imei").rows() == [
        (0, 1, 100, 9, 100, 10**14),
        (1, 0, 100, 9, 101, 10**14 + 1),
        (1, OUTSIDE, 900, 5, 101, 10**14 + 1),
    ]


def test_fixed_lines_take_no_texts_and_have_no_cell() -> None:
    given = tried([(OUTSIDE, 0, 100, 9), (OUTSIDE, 0, 200, 0), (0, OUTSIDE, 300, 0)])
    given.text[1:] = True
    calls = served(group_of(1, once(given), fixed=True))
    assert legs(calls).select("start", "cell", "imei").rows() == [(100, NONE, NONE)]


def missed(count: int, hour: float, manners: tuple[float, float, float], **how: int) -> Attempts:
    return tried([(n, OUTSIDE - n, hour * HOUR_S, 0) for n in range(count)], manners, **how)


def test_redials_come_within_minutes_to_an_hour_and_ever_less_likely() -> None:
    first = missed(4_000, 12, (1, 0, 0))
    again = reactions(1, first)
    wait = again.start - 12 * HOUR_S
    assert len(again) == 4_000
    assert wait.min() > 10
    assert wait.max() <= HOUR_S
    assert 60 < np.median(wait) < 900
    third = reactions(1, again)
    untaken = int((again.talk == 0).sum())
    assert 0.4 * untaken < len(third) < 0.6 * untaken


@pytest.mark.parametrize("hour", [0.5, 3, 8, 13, 21.9, 23.5])
def test_people_ring_back_at_waking_hours(hour: float) -> None:
    back = reactions(1, missed(3_000, hour, (0, 1, 0.8)))
    at = back.start % DAY_S / HOUR_S
    assert ((at >= WAKES) & (at < SLEEPS)).all()
    assert (back.start > hour * HOUR_S).all()
    assert (back.a < 0).all()
    assert (back.b >= 0).all()
    assert len(back) > 500
    assert 0.75 < (back.talk > 0).mean() < 0.85


def test_chance_of_calls_back_is_what_the_manners_say() -> None:
    back = reactions(1, missed(10_000, 10, (0, 0.3, 0.8)))
    assert 0.27 < len(back) / 10_000 < 0.31


@pytest.mark.parametrize("cause", [ABSENT, UNALLOCATED])
def test_who_saw_no_call_rings_back_less_or_never(cause: int) -> None:
    back = reactions(1, missed(5_000, 10, (0, 0.5, 0.8), cause=cause))
    assert len(back) < 0.3 * 5_000
    assert bool(len(back)) == (cause == ABSENT)


@pytest.mark.parametrize("other", [-10086, -112])
def test_short_codes_ring_nobody_back(other: int) -> None:
    assert not len(reactions(1, tried([(7, other, 40_000, 0)] * 50, (0, 1, 1))))


def test_calls_that_were_taken_and_texts_bring_no_reaction() -> None:
    spoken = tried([(1, 2, 40_000, 30)], (1, 1, 1))
    written = tried([(1, 2, 40_000, 0)], (1, 1, 1), cause=GAVE_UP)
    written.text[:] = True
    assert not len(reactions(1, together([spoken, written])))


def test_reactions_to_a_call_do_not_depend_on_other_calls() -> None:
    some, more = missed(300, 12, (0.5, 0.5, 0.5)), missed(900, 12, (0.5, 0.5, 0.5))
    few, many = reactions(9, some), reactions(9, more)
    known = set(zip(many.a.tolist(), many.b.tolist(), many.start.tolist(), strict=True))
    assert set(zip(few.a.tolist(), few.b.tolist(), few.start.tolist(), strict=True)) < known
