from __future__ import annotations

import numpy as np
import pytest

from simbox.simulation.attempts import DAY_S, HOUR_S
from simbox.simulation.movement import Desk, Hours, Nights, Switch, Tour, Windows, desk, walks
from simulation.lookalike_week import surroundings

AROUND = surroundings(people=30_000)
COUNTRY = AROUND.country
LINES = 40
HOME = COUNTRY.homes(np.random.default_rng(1), LINES)
EVERY_DAY = np.ones((LINES, 7), dtype=bool)


def a_week_of(movement: Desk | Tour | Switch | Nights, step: int = 600) -> np.ndarray:
    """Cells of each line, a column every so many seconds."""
    start = np.arange(0, 7 * DAY_S, step, dtype=np.float64)
    member = np.repeat(np.arange(LINES), len(start))
    return movement.cells(member, np.tile(start, LINES)).reshape(LINES, -1)


def still(flap: float, stray: float) -> Desk:
    return Desk(HOME, np.full(LINES, flap), np.full(LINES, stray), COUNTRY, 7)


def test_a_line_at_a_desk_without_flapping_shows_one_cell() -> None:
    assert (a_week_of(still(0, 0)) == HOME[:, None]).all()


@pytest.mark.parametrize(("flap", "stray"), [(0.3, 0.0), (0.0, 0.2), (0.25, 0.15)])
def test_a_desk_flaps_to_one_sector_beside_and_strays_to_few_masts(
    flap: float, stray: float
) -> None:
    cells = a_week_of(still(flap, stray))
    same_mast = cells // 3 == HOME[:, None] // 3
    assert (same_mast & (cells != HOME[:, None])).mean() == pytest.approx(flap, abs=0.02)
    assert (~same_mast).mean() == pytest.approx(stray, abs=0.02)
    for line in range(LINES):
        assert len(np.unique(cells[line][same_mast[line]])) <= 2
        assert len(np.unique(cells[line][~same_mast[line]])) <= 3


def test_desks_differ_in_how_much_they_flap() -> None:
    one = desk(np.random.default_rng(2), COUNTRY, np.tile(HOME, 20), 3)
    assert 0.2 < (one.flap == 0).mean() < 0.4
    assert np.quantile(one.flap, 0.95) > 0.3


def test_steps_of_a_walk_lead_to_a_mast_near_the_last_one() -> None:
    way = walks(np.random.default_rng(3), COUNTRY, HOME, 12)
    assert (way[:, 0] == HOME).all()
    for stop in range(11):
        near = COUNTRY.near[way[:, stop] // 3]
        assert (near == way[:, stop + 1, None] // 3).any(axis=1).all()


def test_a_tour_goes_there_and_back_without_leaps_within_a_day() -> None:
    way = walks(np.random.default_rng(3), COUNTRY, HOME, 12)
    tour = Tour(way, np.full(LINES, 900.0), COUNTRY, 5)
    mast = a_week_of(tour, 450) // 3
    a_day = DAY_S // 450
    for day in range(7):
        today = mast[:, day * a_day : (day + 1) * a_day]
        near = COUNTRY.near[today[:, :-1]]
        step = (today[:, 1:] == today[:, :-1]) | (near == today[:, 1:, None]).any(axis=2)
        # Neighbourhood is not mutual: on the way back a step may lead to a farther mast.
        assert step.mean() > 0.8
    assert np.median([len(np.unique(row)) for row in mast]) > 5


def test_who_sets_out_at_an_hour_is_at_the_first_stop_then_and_gone_later() -> None:
    way = walks(np.random.default_rng(3), COUNTRY, HOME, 12)
    leaves = np.linspace(5, 23, LINES)
    tour = Tour(way, np.full(LINES, 900.0), COUNTRY, 5, leaves)
    member = np.arange(LINES)
    for day in range(1, 7):
        begin = day * DAY_S + leaves * HOUR_S
        assert (tour.cells(member, begin + 60) // 3 == HOME // 3).all()
        assert (tour.cells(member, begin + 6000) // 3 != HOME // 3).mean() > 0.7


def test_a_tour_is_not_at_one_place_at_one_hour_every_day() -> None:
    way = walks(np.random.default_rng(3), COUNTRY, HOME, 12)
    tour = Tour(way, np.full(LINES, 900.0), COUNTRY, 5, np.full(LINES, 8.0))
    at_four = a_week_of(tour, HOUR_S)[:, 16::24] // 3
    assert np.mean([len(np.unique(row)) for row in at_four]) > 3


def test_a_switch_takes_each_moment_from_the_movement_that_holds() -> None:
    opens = np.linspace(7, 22, LINES)
    hours = Hours(opens, opens + 6, EVERY_DAY, AROUND.weekday)
    work = Desk(HOME[::-1].copy(), np.zeros(LINES), np.zeros(LINES), COUNTRY, 1)
    cells = a_week_of(Switch(hours, work, still(0, 0)), 3600)
    for line in range(LINES):
        at_work = cells[line] == HOME[::-1][line]
        if HOME[line] != HOME[::-1][line]:
            # The world begins at midnight: the night shift of the day before counts on day 0.
            assert at_work.sum() == pytest.approx(42, abs=7)


@pytest.mark.parametrize(
    ("hour", "opens", "closes", "works"),
    [(9.0, 9, 17, True), (16.9, 9, 17, True), (17.0, 9, 17, False), (1.0, 20, 26, True)],
)
def test_hours_hold_from_opening_to_closing_also_past_midnight(
    hour: float, opens: float, closes: float, *, works: bool
) -> None:
    one = Hours(np.array([opens]), np.array([closes]), EVERY_DAY[:1], 0)
    assert one.holds(np.array([0]), np.array([DAY_S + hour * HOUR_S]))[0] == works


def test_nobody_works_on_a_day_off_nor_in_the_night_after_it() -> None:
    week = np.ones((1, 7), dtype=bool)
    week[0, 5] = False
    night = Hours(np.array([20.0]), np.array([26.0]), week, 0)
    at = np.array([5 * 24 + 21.0, 6 * 24 + 1.0, 5 * 24 + 1.0]) * HOUR_S
    assert night.holds(np.zeros(3, dtype=int), at).tolist() == [False, False, True]


def test_windows_hold_in_any_of_their_stretches() -> None:
    windows = Windows(np.array([[10.0, np.inf], [0.0, 50.0]]), np.array([[20.0, np.inf], [5, 60]]))
    member = np.array([0, 0, 0, 1, 1, 1])
    start = np.array([9.0, 10.0, 20.0, 2.0, 55.0, 60.0])
    assert windows.holds(member, start).tolist() == [False, True, False, True, True, False]


def test_travellers_sleep_where_they_lodge_and_leave_before_noon() -> None:
    lodging = COUNTRY.homes(np.random.default_rng(4), LINES * 7).reshape(LINES, 7)
    cells = a_week_of(Nights(lodging, np.full(LINES, 0.5), COUNTRY, 6), 3600)
    for day in range(6):
        assert (cells[:, day * 24 + 23] == lodging[:, day]).all()
        assert (cells[:, (day + 1) * 24 + 4] == lodging[:, day]).all()
    by_day = cells[:, 12:20] != lodging[:, :1]
    assert 0.3 < by_day.mean() < 0.7


def test_where_a_line_is_does_not_depend_on_who_else_is_asked_for() -> None:
    tour = Tour(
        walks(np.random.default_rng(3), COUNTRY, HOME, 9), np.full(LINES, 700.0), COUNTRY, 5
    )
    member = np.arange(LINES)
    start = np.linspace(0, 6 * DAY_S, LINES)
    for movement in (tour, still(0.3, 0.2)):
        together = movement.cells(member, start)
        alone = [movement.cells(member[[m]], start[[m]])[0] for m in member]
        assert together.tolist() == alone
