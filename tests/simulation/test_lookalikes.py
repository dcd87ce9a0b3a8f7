from __future__ import annotations

import time

import numpy as np
import pytest

from simbox.simulation.attempts import NO_ANSWER, UNALLOCATED, Attempts
from simbox.simulation.group import NO_SITE
from simbox.simulation.numbering import CODE_TEXTS, OPERATOR_TEXTS, SERVICES, with_check_digit
from simulation.lookalike_week import DAYS, KINDS, PEOPLE, answered, build, surroundings, week

ALL = tuple(KINDS)
SITES = ("call_centre", "taxi_dispatch", "office_gateway", "repair_bench", "migrant_worker")
SHORT = [*OPERATOR_TEXTS, *CODE_TEXTS, *SERVICES]
PERSONS = ("courier", "agent", "trader", "event_crowd", "new_customer", "tourist", "migrant_worker")


@pytest.mark.parametrize("kind", ALL)
def test_a_world_of_two_hundred_thousand_people_has_a_hundred_lines_of_every_kind(
    kind: str,
) -> None:
    world = week(kind)
    names = world.group.names or (world.group.kind,)
    for name in names:
        assert len(world.of(name.removeprefix("lookalike/"))) >= 100


def test_every_kind_of_look_alike_has_a_name_of_its_own_and_a_sentence() -> None:
    assert len(set(ALL)) == len(ALL) >= 15
    for kind in KINDS.values():
        assert kind.name.startswith("lookalike/")
        assert kind.doc[0].islower()
        assert not kind.doc.endswith(".")


@pytest.mark.parametrize("kind", ALL)
def test_parties_are_lines_of_the_world_or_numbers_elsewhere(kind: str) -> None:
    world = week(kind)
    for party in (world.done.a, world.done.b):
        assert (party < world.group.first + world.group.size).all()
        digits = -party[party < 0]
        assert ((digits > 10**11) | np.isin(digits, SHORT)).all()
    assert (world.is_own(world.done.a) | world.is_own(world.done.b)).all()
    assert (world.done.a != world.done.b).all()


@pytest.mark.parametrize("kind", ALL)
def test_a_day_has_only_what_starts_on_it(kind: str) -> None:
    world = week(kind)
    for day in (0, 3, 6):
        done = world.group.day(np.random.default_rng(day), day)
        assert ((done.start // 86_400) == day).all()
        assert (np.isfinite(done.start) & np.isfinite(done.talk)).all()


@pytest.mark.parametrize("kind", ALL)
def test_talk_belongs_to_calls_that_were_taken_and_chances_are_chances(kind: str) -> None:
    done = week(kind).done
    spoken = done.where(~done.text)
    assert ((spoken.talk > 0) == answered(spoken)).all()
    assert (done.talk[done.text] == 0).all()
    for chance in (done.redial, done.callback, done.returned):
        assert ((chance >= 0) & (chance <= 1)).all()


def same(one: Attempts, other: Attempts) -> bool:
    return all(np.array_equal(value, vars(other)[name]) for name, value in vars(one).items())


@pytest.mark.parametrize("kind", ALL)
def test_the_same_seed_gives_the_same_lines_and_the_same_day(kind: str) -> None:
    units = max(4, round(KINDS[kind].share / 4))
    one, two, other = (build(KINDS[kind], units, surroundings(), seed) for seed in (5, 5, 6))
    days = [group.day(np.random.default_rng(9), 2) for group in (one, two)]
    assert same(*days)
    assert not same(days[0], other.day(np.random.default_rng(9), 2))
    member = np.arange(one.size)
    start = np.linspace(0, DAYS * 86_400 - 1, one.size)
    assert np.array_equal(one.handsets.imeis(member, start), two.handsets.imeis(member, start))
    assert np.array_equal(one.movement.cells(member, start), two.movement.cells(member, start))


@pytest.mark.parametrize("kind", ALL)
def test_cells_and_handsets_exist_at_every_moment(kind: str) -> None:
    world = week(kind)
    group, rng = world.group, np.random.default_rng(3)
    member = rng.integers(0, group.size, 5000)
    start = rng.uniform(0, DAYS * 86_400, 5000)
    cell = group.movement.cells(member, start)
    assert ((cell >= 0) & (cell < world.around.country.cells)).all()
    imei = group.handsets.imeis(member, start)
    assert np.array_equal(with_check_digit(imei // 10), imei)
    assert group.presence.reachable(member, start).mean() > 0.2


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("units", "people", "days"), [(1, 50, 1), (2, 0, 2), (3, 400, 3)])
def test_small_worlds_have_look_alikes_too(kind: str, units: int, people: int, days: int) -> None:
    group = build(KINDS[kind], units, surroundings(2, days, people))
    assert group.size >= units
    assert len(group.batch) == group.size
    for day in range(days):
        done = group.day(np.random.default_rng(day), day)
        assert (np.maximum(done.a, done.b) >= people).all()


@pytest.mark.parametrize("kind", ALL)
def test_labels_of_places_name_cells_at_which_their_lines_call(kind: str) -> None:
    group = week(kind).group
    if group.room is None:
        assert group.rooms == ()
        return
    settled = np.flatnonzero(group.room != NO_SITE)
    sizes = np.bincount(group.room[settled], minlength=len(group.rooms))
    assert [room.ports for room in group.rooms] == sizes.tolist()
    noon = np.full(len(settled), 12 * 3600.0 + 86_400)
    mast = group.movement.cells(settled, noon) // 3
    masts = [{cell // 3 for cell in room.cells} for room in group.rooms]
    at_home = [
        m in masts[r] for m, r in zip(mast.tolist(), group.room[settled].tolist(), strict=True)
    ]
    assert np.mean(at_home) > 0.8


@pytest.mark.parametrize("kind", ALL)
def test_the_operator_and_some_shops_write_to_every_sort_of_line(kind: str) -> None:
    world = week(kind)
    got, member = world.side(outgoing=False, text=True)
    operator = np.isin(got.a, [-n for n in OPERATOR_TEXTS])
    reached = np.bincount(member, operator, minlength=world.group.size) > 0
    assert reached.mean() > 0.25
    if kind in PERSONS:
        coded = np.isin(got.a, [-n for n in CODE_TEXTS])
        assert (np.bincount(member, coded, minlength=world.group.size) > 0).mean() > 0.4


@pytest.mark.parametrize("kind", SITES)
def test_no_two_firms_are_clones(kind: str) -> None:
    world = week(kind)
    group = world.group
    assert group.room is not None
    settled = group.room != NO_SITE
    sizes = np.bincount(group.room[settled])
    calls = np.bincount(
        group.room[settled], world.count(outgoing=True)[settled], minlength=len(sizes)
    )
    each = calls / sizes
    assert len(np.unique(sizes)) >= 4
    assert np.quantile(each, 0.9) > 2.5 * max(np.quantile(each, 0.1), 1e-9)


@pytest.mark.parametrize("kind", [k for k in ALL if KINDS[k].unit == "lines"])
def test_no_two_lines_of_a_kind_are_clones(kind: str) -> None:
    world = week(kind)
    spoken = world.count(outgoing=True) + world.count(outgoing=False)
    written = world.count(outgoing=True, text=True)
    busy = spoken + written + 1
    assert np.quantile(busy, 0.9) > 4 * np.quantile(busy, 0.1)


def test_agents_of_call_centres_dial_much_redial_and_share_their_lists() -> None:
    world = week("call_centre")
    out, member = world.side(outgoing=True)
    assert np.median(world.count(outgoing=True)) > 150
    redial = np.array([out.redial[member == m].max(initial=0) for m in range(world.group.size)])
    assert np.quantile(redial, 0.9) > 2.5 * np.quantile(redial[redial > 0], 0.1)
    firm = world.group.room[member]
    tried = np.unique(np.stack([firm, out.b, member]), axis=1)
    _, agents = np.unique(tried[:2], axis=1, return_counts=True)
    assert 0.08 < (agents > 1).mean() < 0.9


def test_agents_at_home_call_strangers_from_their_own_places() -> None:
    world = week("home_agent")
    at = np.full(world.group.size, 11 * 3600.0 + 86_400)
    mast = world.group.movement.cells(np.arange(world.group.size), at) // 3
    assert len(np.unique(mast)) > 0.3 * world.group.size
    out = world.count(outgoing=True)
    assert np.median(out) > 150
    assert np.median(world.cells_a_day(1)[out > 150]) <= 4


def test_some_call_centres_dial_numbers_that_are_not_in_use_and_nobody_rings_back() -> None:
    out, _ = week("call_centre").side(outgoing=True)
    nobody = out.cause == UNALLOCATED
    assert 0.005 < nobody.mean() < 0.2
    assert (out.callback[nobody] == 0).all()


def test_taxi_desks_call_drivers_within_minutes_of_an_order() -> None:
    world = week("taxi_dispatch")
    desks = world.of("taxi_dispatch")
    out, caller = world.side(outgoing=True)
    got, called = world.side(outgoing=False)
    assert world.count(outgoing=False)[desks].sum() > 0.9 * world.count(outgoing=True)[desks].sum()
    follows = []
    for desk in desks[:40].tolist():
        orders = np.sort(got.start[(called == desk) & answered(got)])
        sent = np.sort(out.start[caller == desk])
        if len(orders) and len(sent):
            since = sent - orders[np.maximum(np.searchsorted(orders, sent) - 1, 0)]
            follows.append(((since > 0) & (since < 900)).mean())
    assert np.mean(follows) > 0.75


def test_taxi_drivers_are_all_over_the_town_and_desks_stay() -> None:
    world = week("taxi_dispatch")
    cells = world.cells_a_day(2)
    calls = np.bincount(world.side(outgoing=True)[1], minlength=world.group.size)
    drivers, desks = world.of("taxi_driver"), world.of("taxi_dispatch")
    assert np.median(cells[drivers][calls[drivers] > 40]) >= 4
    assert np.quantile(cells[desks], 0.75) <= 4


def test_couriers_call_strangers_briefly_from_many_cells_a_day() -> None:
    world = week("courier")
    out, member = world.side(outgoing=True)
    cells = world.cells_a_day(1)
    busy = np.bincount(member[(out.start // 86_400) == 1], minlength=world.group.size) >= 20
    assert np.median(cells[busy]) >= 6
    assert np.median(out.talk[out.talk > 0]) < 40
    often = world.count(outgoing=True) > 50
    assert np.median((world.distinct() / np.maximum(world.count(outgoing=True), 1))[often]) > 0.5


def test_half_of_the_couriers_are_busiest_at_noon_and_in_the_evening() -> None:
    out, member = week("courier").side(outgoing=True)
    hour = out.start % 86_400 // 3600
    meal = week("courier").share(np.isin(hour, [11, 12, 17, 18, 19]), member)
    assert np.nanquantile(meal, 0.8) > 0.5
    assert np.nanquantile(meal, 0.1) < 0.3


def test_office_gateways_call_the_same_clients_and_rest_at_night_but_for_a_few() -> None:
    world = week("office_gateway")
    out, member = world.side(outgoing=True)
    firm = world.group.room[member]
    hour = out.start % 86_400 // 3600
    night = [np.isin(hour[firm == f], [0, 1, 2, 3, 4, 5]).mean() for f in np.unique(firm)]
    assert 0.05 < np.mean(np.array(night) > 0.01) < 0.45
    pairs = len(np.unique(np.stack([firm, out.b]), axis=1).T)
    assert pairs < 0.6 * len(out)
    assert world.count(outgoing=False).sum() > 0.1 * len(out)


def test_machines_call_one_or_a_few_numbers() -> None:
    world = week("machine")
    calling = world.count(outgoing=True) > 0
    assert np.quantile(world.distinct()[calling], 0.9) <= 6
    assert world.distinct()[calling].max() <= 40
    assert (world.count(outgoing=True, text=True) > 0).mean() > 0.3


def test_the_calls_that_open_gates_are_not_taken() -> None:
    world = week("machine")
    got, member = world.side(outgoing=False)
    asked = np.bincount(member, minlength=world.group.size)
    gates = asked > 60
    assert gates.sum() > 5
    refused = world.share(got.cause == NO_ANSWER, member)
    assert np.median(refused[gates]) > 0.9


def test_probes_call_a_handful_of_numbers_by_the_clock() -> None:
    world = week("probe")
    out, member = world.side(outgoing=True)
    calls = world.count(outgoing=True)
    assert world.distinct().max() <= 4
    steady = []
    for line in np.flatnonzero(calls > 200)[:40].tolist():
        gaps = np.diff(np.sort(out.start[member == line]))
        turns = gaps / np.quantile(gaps, 0.05)
        steady.append((np.abs(turns - np.round(turns)) < 0.12).mean())
    assert np.quantile(steady, 0.3) > 0.9
    assert (world.is_own(out.b)).any()


def test_broadcasts_play_one_message_to_a_list_on_one_to_three_days() -> None:
    world = week("broadcast")
    out, member = world.side(outgoing=True)
    day = (out.start // 86_400).astype(int)
    table = np.zeros((world.group.size, DAYS))
    np.add.at(table, (member, day), 1)
    loud = (table > np.maximum(40, 0.15 * table.max(axis=1, keepdims=True))).sum(axis=1)
    assert (loud > 0).mean() > 0.85
    assert (loud <= 3).mean() > 0.9
    whole = [
        np.unique(np.round(out.talk[(member == m) & (out.talk > 0)]), return_counts=True)[1].max()
        / max(((member == m) & (out.talk > 0)).sum(), 1)
        for m in np.flatnonzero(loud)[:40].tolist()
    ]
    assert np.median(whole) > 0.15


def test_a_broadcasting_line_plays_to_one_person_at_a_time() -> None:
    world = week("broadcast")
    out, member = world.side(outgoing=True)
    table = np.bincount(member, minlength=world.group.size)
    line = int(np.argmax(table))
    mine = out.where(member == line)
    order = np.argsort(mine.start)
    gaps = np.diff(mine.start[order]) - mine.talk[order][:-1]
    assert (gaps > 0).mean() > 0.95


def test_practices_write_to_many_and_some_write_back() -> None:
    world = week("reminder")
    sent = world.count(outgoing=True, text=True)
    back, _ = world.side(outgoing=False, text=True)
    assert np.median(sent) > 50
    people = back.a[~np.isin(-back.a, [*OPERATOR_TEXTS, *CODE_TEXTS])]
    assert 0.03 < len(people) / sent.sum() < 0.5


def test_payphones_are_hardly_rung_and_village_phones_are() -> None:
    for name, low, high in (("payphone", 0.0, 0.08), ("village_phone", 0.2, 0.9)):
        world = week(name)
        ratio = world.count(outgoing=False).sum() / world.count(outgoing=True).sum()
        assert low <= ratio <= high


def test_callers_at_a_shared_phone_stand_in_a_row() -> None:
    world = week("payphone")
    out, member = world.side(outgoing=True)
    line = int(np.argmax(np.bincount(member)))
    mine = np.sort(out.start[member == line])
    assert (np.diff(mine) < 300).mean() > 0.1


def test_bench_sim_cards_see_many_handsets_for_minutes_and_call_little() -> None:
    world = week("repair_bench")
    group, benches = world.group, world.of("repair_bench")
    moments = np.arange(0, DAYS * 86_400, 120.0)
    seen, stays = [], []
    for line in benches[:30].tolist():
        imei = group.handsets.imeis(np.full(len(moments), line), moments)
        values, counts = np.unique(imei, return_counts=True)
        seen.append(len(values))
        stays += (np.sort(counts)[:-1] * 120).tolist()
    assert max(seen) >= 5
    assert np.median(stays) < 1800
    assert np.median(world.count(outgoing=True)[benches]) < 30


def test_a_bench_phone_sees_many_customers_sim_cards() -> None:
    world = week("repair_bench")
    group = world.group
    moments = np.arange(0, DAYS * 86_400, 300.0)
    customers = world.of("repair_customer")[:120]
    member, start = np.repeat(customers, len(moments)), np.tile(moments, len(customers))
    pairs = np.unique(np.stack([group.handsets.imeis(member, start), member]), axis=1)
    _, guests = np.unique(pairs[0], return_counts=True)
    assert guests.max() >= 4
    assert np.median(guests) == 1


def test_tourists_live_days_know_few_and_call_abroad() -> None:
    world = week("tourist")
    group = world.group
    lives = group.presence.gone - group.presence.born
    assert np.quantile(lives, 0.9) < 22 * 86_400
    out, _ = world.side(outgoing=True)
    abroad = (-out.b // 10**9 == 998) | (-out.b // 10**9 == 997)
    assert 0.15 < abroad.mean() < 0.7
    assert np.quantile(world.distinct(), 0.9) < 40
    nights = group.movement.cells(
        np.repeat(np.arange(group.size), DAYS),
        np.tile(np.arange(DAYS) * 86_400 + 10_800.0, group.size),
    ).reshape(-1, DAYS)
    moved = (np.diff(nights // 3, axis=1) != 0).any(axis=1)
    assert 0.4 < moved.mean() < 0.98
    sizes = np.unique(group.batch, return_counts=True)[1]
    assert sizes.max() > 8


def test_crowds_gather_at_a_mast_and_are_ordinary_before_and_after() -> None:
    world = week("event_crowd")
    group = world.group
    gathered = []
    for hour in range(DAYS * 24):
        at = np.full(group.size, hour * 3600.0 + 1800)
        mast = group.movement.cells(np.arange(group.size), at) // 3
        gathered.append(np.unique(mast, return_counts=True)[1].max())
    assert max(gathered) > 4 * np.median(gathered)
    assert np.median(world.count(outgoing=False)) > 0


def test_agents_call_strangers_are_rung_and_move() -> None:
    world = week("agent")
    out, inn = world.count(outgoing=True), world.count(outgoing=False)
    assert 0.15 < np.median(inn[out > 30] / out[out > 30]) < 1.5
    assert np.median(world.cells_a_day(2)[world.cells_a_day(2) > 0]) >= 3


def test_second_phones_of_sellers_are_hardly_rung() -> None:
    world = week("second_phone")
    out, inn = world.count(outgoing=True), world.count(outgoing=False)
    assert np.median(inn[out > 30] / out[out > 30]) < 0.15


def test_migrant_workers_call_home_after_the_shift_at_length() -> None:
    world = week("migrant_worker")
    out, _ = world.side(outgoing=True)
    home = out.where(np.isin(-out.b // 10**9, [998, 997]))
    assert len(home) > 0.3 * len(out)
    assert np.median(home.talk[home.talk > 0]) > 120
    hour = home.start % 86_400 // 3600
    assert np.isin(hour, [9, 10, 11, 12, 13]).mean() < 0.25


def test_new_customers_begin_with_a_burst_of_calls_to_many_people() -> None:
    world = week("new_customer")
    group = world.group
    out, member = world.side(outgoing=True)
    age = (out.start - group.presence.born[member]) / 86_400
    born_inside = group.presence.born[member] > 0
    early = ((age >= 0) & (age < 1) & born_inside).sum()
    later = ((age >= 2) & (age < 3) & born_inside).sum()
    assert early > 1.3 * later


def test_a_week_of_all_look_alikes_takes_seconds() -> None:
    begin = time.process_time()
    for kind in ALL:
        group = build(KINDS[kind], round(KINDS[kind].share * PEOPLE / 100_000), surroundings(4))
        group.day(np.random.default_rng(1), 1)
    assert time.process_time() - begin < 8
