from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from event_tables import text
from room_traffic import DAY, HOUR, Leg, line_of, pair, traffic

from simbox.features.sites.links import identity, lists, moves, place, ports, rhythm
from simbox.features.sites.network import network
from simbox.features.sites.whereabouts import whereabouts

A, B, C = "999130000101", "999130000502", "999130000903"


def crowd(cell: str, lines: int) -> list[Leg]:
    return [
        Leg(
            f"9991400{len(cell):02d}{n:03d}",
            day * DAY + 9 * HOUR + n * 97,
            cell=cell,
            other=f"99915{n:07d}",
        )
        for n in range(lines)
        for day in range(3)
    ]  # fmt: skip


def calls(line: str, cell: str = "room", days: int = 3, **more: object) -> list[Leg]:
    return [
        Leg(line, day * DAY + 9 * HOUR + step * 400, other=f"999{line[-3:]}{day}{step:04d}1",
            cell=cell, **more)  # type: ignore[arg-type]
        for day in range(days)
        for step in range(12)
    ]  # fmt: skip


def test_a_rare_cell_in_common_says_more_than_a_crowded_one() -> None:
    people = [*crowd("town", 200), *crowd("a room", 2)]
    told = {}
    for cell in ("a room", "town"):
        mine, others = traffic([*calls(A, cell), *calls(B, cell)], people)
        told[cell] = float(place.same_places(pair(mine, A, B), whereabouts(mine, others))[0])
    assert told["a room"] > 3.0
    assert told["town"] < 0.5


def test_lines_in_different_cells_speak_against_one_room() -> None:
    mine, others = traffic([*calls(A, "here"), *calls(B, "there")], crowd("town", 50))
    assert place.same_places(pair(mine, A, B), whereabouts(mine, others))[0] < -1.0


def test_many_rare_cells_in_common_say_more_than_one() -> None:
    spread = [replace(leg, cell=f"cell {n % 4}") for x in (A, B) for n, leg in enumerate(calls(x))]
    mine, others = traffic(spread, crowd("town", 200))
    several = place.same_places(pair(mine, A, B), whereabouts(mine, others))[0]
    mine, others = traffic([*calls(A, "cell 0"), *calls(B, "cell 0")], crowd("town", 200))
    assert several > place.same_places(pair(mine, A, B), whereabouts(mine, others))[0]


@pytest.mark.parametrize(("sims", "nats"), [(2, identity.DUAL_NATS), (3, identity.SHARED_NATS)])
def test_three_cards_in_one_handset_are_no_owner_s_two(sims: int, nats: float) -> None:
    numbers = (A, B, C)[:sims]
    mine, _ = traffic([leg for x in numbers for leg in calls(x, handset="00100100123456")])
    assert identity.shared_handset(pair(mine, A, B), identity.Carried(mine))[0] == nats


def test_a_copied_handset_links_nobody() -> None:
    many = [f"9991360{n:05d}" for n in range(identity.COPIED_LINES + 1)]
    mine, _ = traffic([leg for x in many for leg in calls(x, days=1, handset="00100100000000")])
    assert identity.shared_handset(pair(mine, many[0], many[1]), identity.Carried(mine))[0] == 0.0


@pytest.mark.parametrize(("serial", "linked"), [("123458", True), ("129999", False)])
def test_serials_of_one_carton_link(serial: str, linked: bool) -> None:
    mine, _ = traffic([*calls(A, handset="00100100123456"), *calls(B, handset=f"00100100{serial}")])
    assert (identity.near_serials(pair(mine, A, B), identity.Carried(mine))[0] > 0) == linked


def busy(line: str, late: int) -> list[Leg]:
    """Four hours of calls of five minutes, one every ten, `late` seconds after the hour."""
    return [
        Leg(line, day * DAY + 9 * HOUR + step * 600 + late, seconds=290, cell="room",
            other=f"999{line[-3:]}{day}{step:04d}2")
        for day in range(2)
        for step in range(24)
    ]  # fmt: skip


@pytest.mark.parametrize(("late", "told"), [(300, True), (100, False)])
def test_lines_that_never_talk_at_once_share_a_port(late: int, told: bool) -> None:
    mine, _ = traffic([*busy(A, 0), *busy(B, late)])
    nats = ports.never_both(pair(mine, A, B), ports.talk_of(mine))[0]
    assert (nats > 4.0) == told
    assert told or nats == 0.0


def test_sessions_that_follow_each_other_hand_a_port_over() -> None:
    turns = []
    for day in range(4):
        for turn in range(6):
            line = (A, B)[turn % 2]
            begin = day * DAY + (9 + turn) * HOUR
            turns += [
                Leg(line, begin + step * 350, other=f"99917{day}{turn}{step:05d}", cell="room")
                for step in range(10)
            ]
    mine, _ = traffic(turns)
    two = pair(mine, A, B)
    found = ports.turns_of(mine, mine.place)
    assert (
        found.count[mine.lines * two.low[0] + two.high[0] == found.low * mine.lines + found.high]
        > 10
    )
    assert ports.hand_over(two, found, mine)[0] > 3.0


def test_a_rare_number_that_both_call_links_and_a_contact_does_not() -> None:
    shared = [Leg(A, HOUR, "999150007777"), Leg(B, 3 * HOUR, "999150007777")]
    mine, _ = traffic([*calls(A), *calls(B), *shared])
    assert lists.shared_numbers(pair(mine, A, B), lists.Dialled(mine))[0] > 2.0
    back = Leg(A, 5 * HOUR, "999150007777", what="MTC")
    mine, _ = traffic([*calls(A), *calls(B), *shared, back])
    assert lists.shared_numbers(pair(mine, A, B), lists.Dialled(mine))[0] == 0.0


def test_a_number_that_everybody_calls_links_nobody() -> None:
    many = [f"9991360{n:05d}" for n in range(lists.RARE_CALLERS + 1)]
    mine, _ = traffic([Leg(x, HOUR * (n + 1), "999150008888") for n, x in enumerate(many)])
    assert lists.shared_numbers(pair(mine, many[0], many[1]), lists.Dialled(mine))[0] == 0.0


def test_calls_between_two_callers_of_strangers_link_them() -> None:
    mine, _ = traffic([*calls(A), *calls(B), Leg(A, 2 * HOUR, B)])
    assert lists.inside_calls(pair(mine, A, B), lists.Dialled(mine))[0] >= lists.INSIDE_NATS


def test_neighbours_on_a_list_called_by_both_link_them() -> None:
    listed = [
        Leg((A, B)[n % 2], 9 * HOUR + n * 60, f"9991588{n:05d}", cell="room") for n in range(40)
    ]
    mine, _ = traffic([*listed, *calls(C)])
    assert lists.side_by_side(pair(mine, A, B), lists.Dialled(mine))[0] > 3.0
    assert lists.side_by_side(pair(mine, A, C), lists.Dialled(mine))[0] == 0.0


def test_a_day_of_a_line_is_its_first_and_its_last_call() -> None:
    times = (9 * HOUR, 12 * HOUR + 5, 17 * HOUR, 2 * DAY + 8 * HOUR)
    others = [Leg(A, 7 * HOUR, what="MTC"), Leg(A, 20 * HOUR, what="SMS_MO", seconds=0)]
    mine, _ = traffic([*(Leg(A, at) for at in times), *others, Leg(B, DAY + 100)])
    days = rhythm.days_of(mine)
    a, b = line_of(mine, A), line_of(mine, B)
    np.testing.assert_array_equal(days.first[a], [9 * HOUR, np.nan, 8 * HOUR])
    np.testing.assert_array_equal(days.last[a], [17 * HOUR, np.nan, 8 * HOUR])
    assert days.active[b].tolist() == [False, True, False]


def test_a_half_hour_shows_the_place_of_its_last_event() -> None:
    where = ((0, "a"), (900, "b"), (1799, "c"), (1800, "d"), (5400, ""), (DAY - 1, "e"))
    mine, _ = traffic([Leg(A, at, cell=cell) for at, cell in where])
    slots = moves.slots_of(mine)[0]
    known = {int(n): int(mine.places[slots[n]]) for n in np.flatnonzero(slots >= 0)}
    assert known == {0: text("c"), 1: text("d"), 47: text("e")}


def test_days_that_begin_together_at_odd_hours_link_and_office_hours_hardly_do() -> None:
    people = [leg for n in range(60) for leg in calls(f"9991400{n:05d}", "town", days=5)]
    told = {}
    for name, start in (("odd", (7, 11, 15, 10, 13)), ("office", (9, 9, 9, 9, 9))):
        mine, others = traffic(
            [
                Leg(
                    x,
                    day * DAY + hour * HOUR + late + step * 400,
                    other=f"{x[:-4]}{day}{step:02d}1",
                )
                for x, late in ((A, 0), (B, 90))
                for day, hour in enumerate(start)
                for step in range(12)
            ],
            people,
        )
        days, usual = rhythm.days_of(mine), rhythm.days_of(others)
        told[name] = float(rhythm.same_hours(pair(mine, A, B), days, usual)[0])
    assert told["odd"] > told["office"] + 2.0


def test_a_way_made_together_links_beyond_the_cells_in_common() -> None:
    def way(line: str, shift: int) -> list[Leg]:
        return [
            Leg(line, day * DAY + (8 + step) * HOUR, cell=f"road {(step + shift) % 6}",
                other=f"{line[:-4]}{day}{step:02d}5")
            for day in range(4)
            for step in range(12)
        ]  # fmt: skip

    mine, others = traffic([*way(A, 0), *way(B, 0), *way(C, 3)], crowd("town", 50))
    where, slots = whereabouts(mine, others), moves.slots_of(mine)
    assert moves.joint_moves(pair(mine, A, B), slots, where)[0] > 5.0
    assert moves.joint_moves(pair(mine, A, C), slots, where)[0] < 0.0


def test_new_lines_of_one_morning_belong_together_and_old_ones_tell_nothing() -> None:
    late = [
        Leg(x, 4 * DAY + step * HOUR, other=f"{x[:-4]}{step:02d}34")
        for x in (A, B)
        for step in range(30)
    ]
    old = [leg for n in range(80) for leg in calls(f"9991400{n:05d}", "town", days=6)]
    mine, others = traffic([*late, *calls(C, days=6)], old)
    assert rhythm.born_together(pair(mine, A, B), mine, others)[0] > 3.0
    assert rhythm.born_together(pair(mine, A, C), mine, others)[0] == 0.0


def test_chance_alone_says_next_to_nothing() -> None:
    rng = np.random.default_rng(3)

    def at_random(line: str, cell: int) -> list[Leg]:
        when = np.sort(rng.integers(0, 6 * DAY, 60)).tolist()
        return [
            Leg(line, at, f"99915{rng.integers(10**7):07d}", int(rng.integers(5, 200)),
                cell=f"cell {cell % 4}")
            for at in when
        ]  # fmt: skip

    # Numbers far from each other: forty neighbours would be one block, bought together.
    mine = [leg for n in range(40) for leg in at_random(f"9991370{n * 2311:05d}", n)]
    others = [leg for n in range(80) for leg in at_random(f"9991380{n:05d}", n)]
    net = network(*traffic(mine, others))
    assert np.mean(net.nats > 3.0) < 0.05
