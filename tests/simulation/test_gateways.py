from __future__ import annotations

import time

import numpy as np
import pytest

from simbox.simulation.attempts import (
    CLEARED,
    DAY_S,
    HOUR_S,
    UNALLOCATED,
    Attempts,
    Bools,
    Floats,
    Ints,
)
from simbox.simulation.gateways import GATEWAYS
from simbox.simulation.gateways.ports import SPAN_S
from simbox.simulation.numbering import CODE_TEXTS, OPERATOR_TEXTS
from simulation.gateway_week import DAYS, FIRST, MOBILE, NAMES, Week, around, kind_of, week

EVERY = pytest.mark.parametrize("name", NAMES)
EVERY_MOBILE = pytest.mark.parametrize("name", MOBILE)


def spread(value: Floats) -> float:
    return float(np.std(value) / np.mean(value))


def mean_of_rooms(values: Floats, rooms: Ints) -> Floats:
    return np.array([values[rooms == room].mean() for room in np.unique(rooms)])


def seized(world: Week) -> tuple[Ints, Floats, Floats]:
    """Cards and whole seconds of all talks on the gangs' ports; not those of earlier owners."""
    out, back = (c.where(c.talk > 0) for c in (world.made, world.received))
    member = np.r_[out.a, back.b] - FIRST
    begins = np.floor(np.r_[out.start, back.start])
    ends = begins + np.ceil(np.r_[out.talk, back.talk])
    ours = ~world.gang.rack.tenures.life[world.gang.rack.stay(member, begins)]
    return member[ours], begins[ours], ends[ours]


def late_starts(who: Ints, begins: Floats, ends: Floats) -> int:
    """Talks that begin while the same one still has another."""
    order = np.lexsort((begins, who))
    who, begins, ends = who[order], begins[order], ends[order]
    return int(((who[1:] == who[:-1]) & (begins[1:] < ends[:-1])).sum())


def most_at_once(begins: Floats, ends: Floats) -> int:
    moments, change = np.r_[begins, ends], np.r_[np.ones(len(begins)), -np.ones(len(ends))]
    return int(np.cumsum(change[np.lexsort((change, moments))]).max(initial=0))


@EVERY
def test_a_port_never_has_two_calls_at_once(name: str) -> None:
    world = week(name)
    member, begins, ends = seized(world)
    assert late_starts(world.port(member, begins), begins, ends) == 0


@EVERY
def test_a_card_never_has_two_calls_at_once(name: str) -> None:
    member, begins, ends = seized(week(name))
    assert late_starts(member, begins, ends) == 0


@EVERY
def test_no_attempt_is_made_on_a_port_that_talks(name: str) -> None:
    world = week(name)
    out = world.dialled()
    begins = np.floor(out.start)
    port = world.port(out.a - FIRST, out.start)
    assert late_starts(port, begins, begins + np.ceil(out.talk)) == 0


@EVERY
def test_a_card_is_in_one_port_and_a_port_holds_one_card(name: str) -> None:
    stays = week(name).gang.rack.tenures
    assert (stays.ends > stays.begins).all()
    assert late_starts(stays.sim, stays.begins, stays.ends) == 0
    assert late_starts(stays.port, stays.begins, stays.ends) == 0


@EVERY
def test_a_room_has_at_most_as_many_calls_at_once_as_ports(name: str) -> None:
    world = week(name)
    made = world.dialled()
    made = made.where(made.talk > 0)
    room = world.group.room[made.a - FIRST]
    for number, told in enumerate(world.group.rooms):
        mine = made.where(room == number)
        begins = np.floor(mine.start)
        assert 1 <= most_at_once(begins, begins + np.ceil(mine.talk)) <= told.ports


@EVERY
def test_labels_tell_every_line_its_room_and_of_every_room_its_ports_place_and_hours(
    name: str,
) -> None:
    group = week(name).group
    assert group.kind == f"gateway/{name}"
    assert len(group.room) == len(group.batch) == group.size
    assert (np.unique(group.room) == np.arange(len(group.rooms))).all()
    for room in group.rooms:
        assert room.kind == group.kind
        assert room.ports >= 1
        assert (len(room.cells) > 0) == (name != "fxo")
        assert len(room.shifts) >= 1
        moments = np.array(room.shifts).ravel()
        assert (np.diff(moments) >= 0).all()
        assert moments[0] >= 0
        assert moments[-1] <= DAYS * DAY_S


@EVERY
def test_a_room_dials_within_its_hours_only(name: str) -> None:
    world = week(name)
    made = world.dialled()
    made = made.where(made.b < FIRST)  # calls among the cards come at any hour
    room = world.group.room[made.a - FIRST]
    for number, told in enumerate(world.group.rooms):
        start = made.start[room == number]
        inside = [(start >= opens) & (start < closes) for opens, closes in told.shifts]
        assert np.any(inside, axis=0).all()


@EVERY_MOBILE
def test_a_card_dials_only_while_it_is_reachable(name: str) -> None:
    world = week(name)
    made = world.made
    assert world.group.presence.reachable(made.a - FIRST, np.floor(made.start)).mean() > 0.995


@EVERY
def test_attempts_start_on_their_day(name: str) -> None:
    group = week(name).group
    for day in (0, 3):
        start = group.day(np.random.default_rng(day), day).start
        assert (start >= day * DAY_S).all()
        assert (start < (day + 1) * DAY_S).all()


@EVERY
def test_the_same_seed_gives_the_same_week(name: str) -> None:
    one = week(name, rooms=3)
    again = week.__wrapped__(name, rooms=3)
    for column in ("a", "b", "start", "talk", "cause"):
        assert np.array_equal(getattr(one.all, column), getattr(again.all, column))
    assert one.group.rooms == again.group.rooms
    assert not np.array_equal(week(name, rooms=3, seed=8).all.start, one.all.start)


@EVERY
def test_a_day_does_not_depend_on_the_days_before(name: str) -> None:
    group = week(name, rooms=3).group
    alone = group.day(np.random.default_rng([7, 2]), 2)
    group.day(np.random.default_rng(0), 1)
    assert np.array_equal(alone.start, group.day(np.random.default_rng([7, 2]), 2).start)


@EVERY
def test_rooms_differ_in_size_pace_and_success(name: str) -> None:
    world = week(name)
    made = world.dialled()
    rooms = world.group.room[made.a - FIRST]
    card_days = np.unique(np.stack([made.a, made.start // DAY_S]), axis=1)
    a_day = len(made) / card_days.shape[1]
    busy = np.bincount(rooms) / np.bincount(world.group.room[card_days[0].astype(int) - FIRST])
    assert a_day > 3
    assert spread(busy) > 0.3
    assert spread(mean_of_rooms((made.talk > 0) * 1.0, rooms)) > 0.15
    ports = [room.ports for room in world.group.rooms]
    assert max(ports) >= 2 * min(ports)


@EVERY
def test_some_rooms_are_there_from_the_start_and_many_begin_later(name: str) -> None:
    begins = np.array([room.shifts[0][0] // DAY_S for room in week(name).group.rooms])
    assert (begins == 0).any()
    assert (begins >= 1).sum() >= 3


@EVERY
def test_a_world_of_one_day_has_rooms_too(name: str) -> None:
    world = week(name, rooms=6, days=1)
    assert len(world.dialled()) > 10


@pytest.mark.parametrize("name", ["classic", "human_like"])
def test_a_day_of_two_hundred_rooms_takes_well_under_a_second(name: str) -> None:
    group = kind_of(name).build(np.random.default_rng(1), 200, around(), FIRST)
    took = []
    for day in (3, 4):
        begun = time.process_time()
        made = group.day(np.random.default_rng(day), day)
        took.append(time.process_time() - begun)
    assert len(made) > 10_000
    assert min(took) < 1.0


def test_a_world_of_two_hundred_thousand_people_has_enough_rooms_and_lines_of_every_kind() -> None:
    for kind in GATEWAYS:
        rooms = round(2 * kind.share)
        group = kind.build(np.random.default_rng(5), rooms, around(), FIRST)
        assert rooms >= 8
        assert 60 <= group.size <= 1500


# What defines each kind


def handsets_of(world: Week) -> tuple[Ints, Ints]:
    """Card and IMEI of the calls that cards make."""
    made = world.dialled()
    member = made.a - FIRST
    return member, world.group.handsets.imeis(member, made.start)


@pytest.mark.parametrize("name", ["classic", "shift"])
def test_a_static_box_keeps_its_cards_in_their_ports_and_its_ports_in_one_mast(name: str) -> None:
    world = week(name)
    for room in world.group.rooms:
        assert len({cell // 3 for cell in room.cells}) == 1
    stays = world.gang.rack.tenures.where(~world.gang.rack.tenures.life)
    pairs = np.unique(np.stack([stays.sim, stays.port]), axis=1)
    assert pairs.shape[1] < 1.8 * len(np.unique(stays.sim))


def test_the_cottage_works_eight_hours_a_session_with_cards_that_never_dial() -> None:
    world = week("shift")
    length = np.array([end - start for room in world.group.rooms for start, end in room.shifts])
    assert np.abs(np.median(length) / HOUR_S - 8) < 0.2
    assert np.percentile(np.abs(length / HOUR_S - 8), 90) < 1
    dials = np.zeros(world.group.size, dtype=bool)
    dials[world.dialled().a - FIRST] = True
    assert 0.02 < (~dials).mean() < 0.4
    assert min(room.ports for room in world.group.rooms) >= 6


def test_rotation_shows_one_handset_with_many_cards_in_turn() -> None:
    member, imei = handsets_of(week("rotation"))
    pairs = np.unique(np.stack([imei, member]), axis=1)
    cards = np.unique(pairs[0], return_counts=True)[1]
    assert np.median(cards) >= 3


def test_an_imei_per_card_is_never_shown_by_another_card() -> None:
    member, imei = handsets_of(week("imei_per_sim"))
    pairs = np.unique(np.stack([imei, member]), axis=1)
    assert (np.unique(pairs[0], return_counts=True)[1] == 1).all()
    world = week("imei_per_sim")
    assert np.median(np.bincount(world.group.room) / [r.ports for r in world.group.rooms]) >= 2


@pytest.mark.parametrize("name", ["sim_bank", "combined"])
def test_a_bank_has_ports_in_three_cells_and_its_cards_go_from_one_to_another(name: str) -> None:
    world = week(name)
    assert min(len(room.cells) for room in world.group.rooms) >= 3
    stays = world.gang.rack.tenures.where(~world.gang.rack.tenures.life)
    pairs = np.unique(np.stack([stays.sim, stays.cell]), axis=1)
    assert np.median(np.unique(pairs[0], return_counts=True)[1]) >= 2


def test_rooms_that_imitate_people_are_called_and_texted() -> None:
    world, plain = week("human_like"), week("classic")
    for some, least in ((world, 0.05), (plain, 0.0)):
        share = len(some.received.where(some.received.talk > 0)) / len(some.made)
        assert share >= least
    answered = plain.received.where(plain.received.talk > 0)
    stay = plain.gang.rack.stay(answered.b - FIRST, answered.start)
    assert plain.gang.rack.tenures.life[stay].mean() > 0.5  # calls to the cards' earlier owners
    within = world.calls.where((world.calls.a >= FIRST) & (world.calls.b >= FIRST))
    room = world.group.room
    assert (room[within.a - FIRST] == room[within.b - FIRST]).all()
    assert len(np.unique(room[within.a - FIRST])) >= len(world.group.rooms) // 2


def test_a_car_takes_all_its_lines_along_and_halts() -> None:
    world = week("vehicle")
    for number, room in enumerate(world.group.rooms):
        assert len(room.cells) >= 3
        members = np.flatnonzero(world.group.room == number)
        opens, closes = room.shifts[0]
        moment = np.linspace(opens + 60, closes - 60, 40)
        cells = np.stack([world.group.movement.cells(np.full(40, m), moment) // 3 for m in members])
        stays = world.gang.rack.stay(np.repeat(members, 40), np.tile(moment, len(members)))
        rides = ~world.gang.rack.tenures.life[stays].reshape(cells.shape)
        for column, here in zip(cells.T, rides.T, strict=True):
            assert len(np.unique(column[here])) <= 1
        assert len(np.unique(cells[rides])) >= 2


def test_burners_live_for_hours_or_days() -> None:
    world = week("burner")
    made = world.dialled()
    last, first = np.zeros(world.group.size), np.full(world.group.size, np.inf)
    np.maximum.at(last, made.a - FIRST, made.start)
    np.minimum.at(first, made.a - FIRST, made.start)
    used = np.isfinite(first)
    days = np.unique(np.stack([made.a, made.start // DAY_S]), axis=1)
    assert np.median((last - first)[used]) < 1.5 * DAY_S
    assert np.percentile(np.unique(days[0], return_counts=True)[1], 95) <= 4


def test_an_audio_cable_needs_a_flat_and_at_most_four_phones() -> None:
    world = week("audio_cable")
    ports = {room.ports for room in world.group.rooms}
    assert ports <= {1, 2, 3, 4}
    assert len(ports) >= 3
    assert len(handsets_of(world)[0]) / world.group.size < 150


def test_fixed_lines_have_neither_cell_nor_handset_nor_texts() -> None:
    world = week("fxo")
    assert world.group.fixed
    member, moment = np.arange(world.group.size), np.zeros(world.group.size)
    assert (world.group.movement.cells(member, moment) == -1).all()
    assert (world.group.handsets.imeis(member, moment) == -1).all()
    assert not world.all.text.any()
    assert (np.bincount(world.group.room) == [room.ports for room in world.group.rooms]).all()
    assert {room.ports for room in world.group.rooms} <= set(range(2, 9))


def test_residents_telephoned_on_some_lines_before_the_box_came() -> None:
    world = week("fxo")
    comes = np.array([room.shifts[0][0] for room in world.group.rooms])
    before = world.calls.where(world.calls.talk > 0)
    mine = np.where(before.a >= FIRST, before.a, before.b) - FIRST
    early = mine[before.start < comes[world.group.room[mine]]]
    late = np.flatnonzero(comes[world.group.room] >= DAY_S)
    assert 0.1 < np.isin(late, early).mean() < 0.98


# Two kinds of traffic


def both_traffics() -> tuple[Week, Attempts, Bools]:
    """Rooms of static boxes, their calls, and which of these go to lists of strangers."""
    world = week("classic", rooms=28)
    made = world.dialled()
    room = world.group.room[made.a - FIRST]
    scam = world.gang.habits.pace.scam[room]
    return world, made, scam


def test_people_abroad_talk_and_victims_hang_up() -> None:
    _, made, scam = both_traffics()
    taken = made.talk > 0
    bypass, lists = made.talk[taken & ~scam], made.talk[taken & scam]
    assert np.median(bypass) > 3 * np.median(lists)
    assert (lists < 15).mean() > 0.3 > (bypass < 15).mean()
    assert (lists > 900).mean() > 0.002
    assert taken[~scam].mean() > taken[scam].mean() + 0.1


def test_lists_are_dialled_in_office_hours_and_bypass_at_any_hour() -> None:
    _, made, scam = both_traffics()
    hour = made.start % DAY_S // HOUR_S
    late = (hour >= 23) | (hour < 7)
    assert late[scam].mean() < 0.01
    assert late[~scam].mean() > 0.05


def test_relatives_are_called_again_through_any_card_and_strangers_once() -> None:
    _, made, scam = both_traffics()

    def repeats(chosen: Bools) -> float:
        return 1 - len(np.unique(made.b[chosen])) / chosen.sum()

    assert repeats(~scam) > 0.3
    assert repeats(scam) < 0.2
    many, cards = np.unique(made.b[~scam], return_counts=True)
    loved = many[np.argmax(cards)]
    assert len(np.unique(made.a[made.b == loved])) >= 3


def test_a_list_is_dialled_in_chance_block_or_area_order() -> None:
    world = week("shift", rooms=20)
    made = world.dialled()
    room = world.group.room[made.a - FIRST]
    order = world.gang.habits.lists.order
    near, wide = {0: [], 1: [], 2: []}, {0: [], 1: [], 2: []}
    for number in np.flatnonzero(world.gang.habits.pace.scam):
        mine = made.where(room == number)
        listed = -mine.b[np.argsort(mine.start)]
        listed = listed[listed > 0]
        near[order[number]].append(np.mean(np.abs(np.diff(listed)) < 200))
        wide[order[number]].append(np.mean(np.diff(listed // 10**6) == 0))
    assert np.mean(near[1]) > 0.5
    assert max(np.mean(near[0]), np.mean(near[2])) < 0.05
    assert np.mean(wide[2]) > 0.5
    assert np.mean(wide[0]) < 0.05


def test_some_boxes_stay_on_at_night_and_others_are_switched_off() -> None:
    world = week("classic", rooms=28)
    office = np.flatnonzero(world.gang.habits.pace.scam)
    on = []
    for number in office:
        room = world.group.rooms[number]
        members = np.flatnonzero(world.group.room == number)
        nights = [end + 2 * HOUR_S for _, end in room.shifts[:-1] if end % DAY_S > 15 * HOUR_S]
        seen = [world.group.presence.reachable(members, np.full(len(members), n)) for n in nights]
        on.extend([np.mean(seen) > 0.2] if nights else [])
    assert any(on)
    assert not all(on)


def test_numbers_that_nobody_has_are_never_answered() -> None:
    _, made, _ = both_traffics()
    dead = made.cause == UNALLOCATED
    assert 0.005 < dead.mean() < 0.2
    assert (made.talk[dead] == 0).all()
    assert ((made.cause == CLEARED) == (made.talk > 0)).all()


@EVERY
def test_a_card_makes_no_more_calls_a_day_than_its_quota(name: str) -> None:
    world = week(name)
    made = world.dialled()
    within = made.where(made.b < FIRST)  # calls to its own room are another matter
    pairs, calls = np.unique(
        np.stack([within.a, within.start // DAY_S]), axis=1, return_counts=True
    )
    pace = world.gang.habits.pace
    most = (pace.quota * np.exp(pace.quota_spread))[world.group.room[pairs[0].astype(int) - FIRST]]
    assert (calls <= np.ceil(most) + 1).all()


# What comes to the cards


@EVERY
def test_few_victims_ring_back_and_nobody_takes_the_call(name: str) -> None:
    world = week(name)
    dialled, back = world.dialled(), world.received.where(world.received.talk == 0)
    known = np.isin(back.b * SPAN_S + back.a % SPAN_S, dialled.a * SPAN_S + dialled.b % SPAN_S)
    assert 0.0005 < known.sum() / len(dialled) < 0.08
    assert 0.005 < dialled.callback.mean() < 0.25


@EVERY_MOBILE
def test_notices_and_codes_come_to_powered_cards(name: str) -> None:
    world = week(name)
    short = np.isin(-world.all.a, [*OPERATOR_TEXTS, *CODE_TEXTS]) & world.all.text
    told = world.all.where(short)
    there = world.group.presence.reachable(told.b - FIRST, told.start)
    assert there.mean() > 0.99
    assert len(np.unique(told.b)) / world.group.size > 0.1


@EVERY_MOBILE
def test_some_cards_had_an_earlier_life_in_another_place_and_handset(name: str) -> None:
    world = week(name)
    stays = world.gang.rack.tenures
    lent, used = stays.where(stays.life), stays.where(~stays.life)
    assert 0.005 < len(lent) / world.group.size < 0.6
    assert not np.isin(lent.imei, used.imei).any()
    first = world.gang.first_use[lent.sim]
    assert (lent.ends < first).all()
    before = np.isin(world.made.a - FIRST, lent.sim) & (
        world.made.start < world.gang.first_use[np.minimum(world.made.a - FIRST, world.group.size)]
    )
    assert before.sum() > 0


@EVERY_MOBILE
def test_cards_are_bought_in_batches_of_all_sizes(name: str) -> None:
    group = week(name).group
    _, first = np.unique(group.batch, return_index=True)
    pairs = np.unique(np.stack([group.batch, group.room]), axis=1)
    assert pairs.shape[1] == len(first)  # no two rooms buy together
    sizes = np.bincount(group.batch)
    assert (sizes == 1).any()
    assert sizes.max() >= 4


@EVERY_MOBILE
def test_blocked_cards_fall_silent_and_others_take_their_ports(name: str) -> None:
    world = week(name)
    stays = world.gang.rack.tenures.where(~world.gang.rack.tenures.life)
    last = np.zeros(world.group.size)
    np.maximum.at(last, stays.sim, stays.ends)
    closes = np.array([room.shifts[-1][1] for room in world.group.rooms])[world.group.room]
    assert (world.gang.first_use > last.min()).any()
    assert (last < closes - DAY_S).any()
