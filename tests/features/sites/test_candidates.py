"""Which pairs are compared: never all with all, whatever the crowd in one cell."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from dense_traffic import dense
from room_traffic import DAY, HOUR, Leg, line_of, traffic

from simbox.features.sites.candidates import candidates
from simbox.features.sites.links import identity, lists, ports, rhythm
from simbox.features.sites.network import network
from simbox.features.sites.pairs import WINDOW, Pairs
from simbox.features.sites.traffic import Traffic
from simbox.features.sites.whereabouts import whereabouts

A, B = "999130000101", "999130000902"


def compared(mine: Traffic, others: Traffic) -> Pairs:
    turns = ports.turns_of(mine, mine.place)
    dialled, carried = lists.Dialled(mine), identity.Carried(mine)
    where = whereabouts(mine, others)
    return candidates(dialled, carried, where, rhythm.days_of(mine), turns)


def pairs_a_line(lines: int, cells: int = 1) -> float:
    mine = dense(lines, cells)
    return len(compared(mine, dense(100, 50, seed=2))) / lines


def test_fifty_thousand_callers_in_one_cell_cost_pairs_by_the_line_not_by_the_pair() -> None:
    small, large = pairs_a_line(2_000), pairs_a_line(50_000)
    assert WINDOW * 0.9 < large < 2 * WINDOW
    assert large < 1.3 * small


def test_a_busy_week_in_one_cell_costs_no_more_pairs_than_a_quiet_day() -> None:
    """Sessions that follow each other once do so by chance: none of them is a key."""
    week = dense(4_000, calls=10, days=7)
    assert len(compared(week, dense(100, 50, seed=2))) < 1.5 * WINDOW * week.lines


@pytest.mark.parametrize("cells", [10, 100])
def test_a_crowd_spread_over_cells_costs_no_more_than_a_dense_one(cells: int) -> None:
    assert pairs_a_line(5_000, cells) < 1.2 * max(pairs_a_line(5_000), WINDOW * 2)


def test_a_whole_small_cell_is_compared() -> None:
    found = compared(dense(200), dense(100, 50, seed=2))
    assert len(found) == 200 * 199 // 2


def test_in_a_dense_cell_lines_that_are_switched_on_together_are_compared() -> None:
    crowd = dense(3_000)
    first = crowd.at[crowd.events.first_row]
    order = np.argsort(first, kind="stable")
    found = compared(crowd, dense(100, 50, seed=2))
    beside = [sorted(pair) for pair in pairwise(order.tolist())]
    low, high = (np.array(side) for side in zip(*beside, strict=True))
    assert (found.find(low, high, crowd.lines) >= 0).all()


def meet(mine: list[Leg], a: str = A, b: str = B) -> bool:
    found, others = traffic(mine)
    pairs = compared(found, others)
    at = pairs.find(np.array([line_of(found, a)]), np.array([line_of(found, b)]), found.lines)
    return bool(at[0] >= 0)


def legs(line: str, cell: str, start: int = 9 * HOUR, **more: str) -> list[Leg]:
    return [
        Leg(line, start + n * 1000, f"99915{line[-3:]}{n:04d}", cell=cell, **more)  # type: ignore[arg-type]
        for n in range(5)
    ]


@pytest.mark.parametrize(
    ("two", "together"),
    [
        ([*legs(A, "here"), *legs(B, "there", 15 * HOUR)], False),
        ([*legs(A, "here"), *legs(B, "here", 15 * HOUR)], True),
        ([*legs(A, "here", handset="00100100123456"),
          *legs(B, "there", 15 * HOUR, handset="00100100123456")], True),
        ([*legs(A, "here", handset="00100100123456"),
          *legs(B, "there", 15 * HOUR, handset="00100100123459")], True),
        ([*legs(A, "here"), *legs(B, "there", 15 * HOUR), Leg(A, 20 * HOUR, B)], True),
        ([*legs(A, ""), *legs(B, "", 9 * HOUR + 900)], True),
        ([*legs(A, ""), *legs(B, "", 15 * HOUR)], False),
    ],
    ids=["nothing", "place", "handset", "serials", "call", "hour without a place", "no hour"],
)  # fmt: skip
def test_lines_are_compared_where_they_meet_under_a_key(two: list[Leg], together: bool) -> None:
    assert meet(two) == together


@pytest.mark.parametrize(("turns", "together"), [(1, False), (2, True)])
def test_lines_that_hand_over_again_are_compared_in_the_densest_cell(
    turns: int, together: bool
) -> None:
    """A sits in a crowd where it begins its days hours before B does."""
    crowd = [
        Leg(f"9991370{n:05d}", 9 * HOUR + 50 * n, f"99915{n:05d}00", 40, cell="town")
        for n in range(450)
    ]
    begins = [(A, 1 * HOUR), (B, 20 * HOUR)]
    for turn in range(turns):
        begins += [(A, (1 + turn) * DAY + 2 * HOUR), (B, (1 + turn) * DAY + 2 * HOUR + 300)]
    late = [Leg(x, at, f"9991520{n:03d}00", 40, cell="town") for n, (x, at) in enumerate(begins)]
    assert meet([*crowd, *late]) == together


def test_neighbouring_numbers_are_compared() -> None:
    far = [*legs(A, "here"), *legs("999130000105", "there", 15 * HOUR)]
    assert meet(far, A, "999130000105")


def test_no_line_is_compared_with_itself_and_no_pair_twice() -> None:
    found = compared(dense(500, 3), dense(100, 50, seed=2))
    assert (found.low < found.high).all()
    code = found.low * 500 + found.high
    assert (np.diff(code) > 0).all()


@pytest.mark.parametrize("cell", ["somewhere", ""])
@pytest.mark.parametrize("what", ["MTC", "SMS_MO", "SMS_MT"])
def test_lines_that_never_call_have_no_turns_and_break_nothing(cell: str, what: str) -> None:
    two = [Leg(x, day * DAY + HOUR, cell=cell, what=what) for x in (A, B) for day in range(2)]
    found, others = traffic(two)
    turns = ports.turns_of(found, found.place)
    assert (len(turns.low), turns.sessions.tolist()) == (0, [0, 0])
    assert (network(found, others).nats <= 0).all()


def test_calls_that_nobody_takes_leave_no_conversation() -> None:
    two = [Leg(x, HOUR + n * 700, f"99915{n:07d}", 0, cell="") for x in (A, B) for n in range(9)]
    found, _ = traffic(two)
    talk = ports.talk_of(found)
    assert not talk.instants.any()
    assert ports.never_both(Pairs(np.array([0]), np.array([1])), talk).tolist() == [0.0]
