from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from simbox.errors import UsageError
from simbox.simulation.attempts import DAY_S
from simbox.simulation.legs import NONE, UNREACHED, legs
from simbox.simulation.plan import KINDS, Plan
from simbox.simulation.world import World

PEOPLE, DAYS = 3_000, 3


def told(world: World) -> pl.DataFrame:
    return pl.concat(
        [day.calls.with_columns(day=pl.lit(day.day, pl.Int32)) for day in world.days()]
    )


@pytest.fixture(scope="module")
def world() -> World:
    return World.build(Plan(people=PEOPLE, days=DAYS, seed=5))


@pytest.fixture(scope="module")
def calls(world: World) -> pl.DataFrame:
    return told(world)


@pytest.fixture(scope="module")
def rows(calls: pl.DataFrame) -> pl.DataFrame:
    return legs(calls)


def test_same_plan_gives_the_same_world(world: World, calls: pl.DataFrame) -> None:
    again = World.build(Plan(people=PEOPLE, days=DAYS, seed=5))
    assert_frame_equal(again.lines, world.lines)
    assert_frame_equal(again.rooms, world.rooms)
    assert_frame_equal(again.country.table(), world.country.table())
    assert_frame_equal(told(again), calls)


def test_another_seed_gives_another_world(world: World) -> None:
    other = World.build(Plan(people=PEOPLE, days=1, seed=6))
    assert not other.lines["number"].head(PEOPLE).equals(world.lines["number"].head(PEOPLE))
    first, second = next(iter(other.days())).calls, next(iter(world.days())).calls
    assert first.height != second.height


def test_an_added_kind_leaves_the_calls_of_others_but_for_engaged_lines(
    calls: pl.DataFrame,
) -> None:
    alone = told(World.build(Plan(people=PEOPLE, days=DAYS, seed=5, only=("ordinary/*",))))
    people = PEOPLE + Plan(people=PEOPLE).units()["ordinary/fixed_lines"]
    same = ["a", "b", "start", "text", "a_cell", "a_imei"]
    mine = calls.filter(pl.col("a") < people, pl.col("b") < people).select(same).unique()
    kept = alone.select(same).unique().join(mine, on=same, how="semi")
    assert len(kept) > 0.99 * alone.select(same).n_unique()


def test_calls_are_ordered_in_whole_seconds_of_their_day(world: World, calls: pl.DataFrame) -> None:
    number = np.append(world.lines["number"].to_numpy(), 0)
    a = calls["a"].to_numpy()
    caller = pl.Series("caller", np.where(a >= 0, number[np.maximum(a, 0)], -a))
    ordered = calls.with_columns(caller)
    assert ordered.select("start", "caller").equals(
        ordered.select("start", "caller").sort("start", "caller")
    )
    assert (calls["start"] // DAY_S == calls["day"]).all()
    assert (calls["answered"] == ((calls["talk"] > 0) & ~calls["text"])).all()
    assert calls.filter("text", pl.col("talk") > 0).is_empty()


def test_nobody_calls_or_writes_to_the_own_number(calls: pl.DataFrame) -> None:
    assert calls.filter(pl.col("a") == pl.col("b")).is_empty()


def test_no_line_talks_in_two_calls_that_it_dialled(rows: pl.DataFrame) -> None:
    dialled = rows.filter("outgoing", "answered").sort("line", "start", maintain_order=True)
    assert len(dialled) > 1_000
    ends = (pl.col("start") + pl.col("talk")).shift(1).over("line")
    assert dialled.filter(ends > pl.col("start")).is_empty()


def test_two_calls_at_once_on_one_line_are_rare_call_waiting(rows: pl.DataFrame) -> None:
    held = rows.filter("answered").sort("line", "start", maintain_order=True)
    ends = (pl.col("start") + pl.col("talk")).cum_max().shift(1).over("line")
    waiting = held.filter(ends > pl.col("start"))
    assert 0 < len(waiting) < 0.01 * len(held)
    assert not waiting["outgoing"].any()


def test_cards_of_one_dual_sim_phone_never_talk_at_once(world: World, rows: pl.DataFrame) -> None:
    radio = world.groups[0].radio
    assert radio is not None
    held = rows.filter("answered", pl.col("line") < PEOPLE)
    held = held.with_columns(radio=pl.Series(radio[held["line"].to_numpy()]))
    shared = pl.Series(np.unique(radio[radio != np.arange(PEOPLE)]))
    held = held.filter(pl.col("radio").is_in(shared.implode())).sort(
        "radio", "start", maintain_order=True
    )
    assert held["line"].n_unique() > len(shared)
    ends = (pl.col("start") + pl.col("talk")).cum_max().shift(1).over("radio")
    assert held.filter(ends > pl.col("start")).is_empty()


def test_called_line_has_a_leg_exactly_when_the_network_reached_it(
    calls: pl.DataFrame, rows: pl.DataFrame
) -> None:
    own = calls.filter(pl.col("b") >= 0)
    lost = own.filter(pl.col("cause").is_in(UNREACHED))
    assert 0 < len(lost) < 0.2 * len(own)
    assert len(rows.filter(~pl.col("outgoing"))) == len(own) - len(lost)
    assert len(rows.filter("outgoing")) == len(calls.filter(pl.col("a") >= 0))
    assert not lost["answered"].any()


def test_both_legs_of_a_call_agree(rows: pl.DataFrame) -> None:
    shared = ["start", "talk", "answered", "cause", "text"]
    mine = rows.filter("outgoing", pl.col("other") >= 0).select("line", "other", *shared)
    into = rows.filter(~pl.col("outgoing"), pl.col("other") >= 0)
    theirs = into.select(line="other", other=pl.col("line").cast(pl.Int64))
    theirs = theirs.with_columns(into.select(shared))
    theirs = theirs.with_columns(pl.col("line").cast(pl.UInt32))
    assert len(theirs) > 1_000
    assert theirs.join(mine, on=mine.columns, how="anti").is_empty()


def test_slices_of_a_day_give_the_legs_of_the_day(world: World) -> None:
    day = next(iter(world.days()))
    parts = [legs(calls) for calls in day.slices(1_000)]
    assert len(parts) > 3
    assert_frame_equal(pl.concat(parts), legs(day.calls))


def test_mobile_legs_have_cell_and_handset_and_fixed_lines_neither(
    world: World, rows: pl.DataFrame
) -> None:
    fixed = world.lines.filter("fixed")["line"]
    wired = rows.filter(pl.col("line").is_in(fixed.implode()))
    mobile = rows.filter(~pl.col("line").is_in(fixed.implode()))
    assert len(wired) > 100
    assert set(wired["cell"]) == set(wired["imei"]) == {NONE}
    assert not wired["text"].any()
    assert mobile["cell"].is_between(0, world.country.cells - 1).all()
    assert (mobile["imei"] > 10**11).all()


def test_identities_are_unique_and_fixed_lines_have_no_card(world: World) -> None:
    lines = world.lines
    assert lines["number"].is_unique().all()
    mobile = lines.filter(~pl.col("fixed"))
    assert mobile["imsi"].is_unique().all()
    assert mobile["imsi"].null_count() == 0
    assert lines.filter("fixed")["imsi"].null_count() == lines["fixed"].sum()
    assert lines["line"].to_list() == list(range(len(lines)))


def test_numbers_in_a_row_are_as_common_among_people_as_batches_are(world: World) -> None:
    people = np.sort(world.lines["number"].head(PEOPLE).to_numpy())
    beside = np.mean(np.diff(people) <= 3)
    assert 0.3 < beside < 0.9  # families, firms and dealers buy cards in a row too


def test_rooms_are_told_with_their_lines_and_cells(world: World) -> None:
    placed = world.lines.drop_nulls("site").group_by("site").len()
    told_of = world.rooms.join(placed, on="site", how="left")
    assert (told_of["lines"] == told_of["len"].fill_null(0)).all()
    known = set(world.country.table()["cell"])
    assert set(world.rooms["cells"].explode().drop_nulls()) <= known


@pytest.mark.parametrize("place", range(len(KINDS)), ids=[kind.name for kind in KINDS])
def test_what_a_kind_brings_about_begins_on_its_day_or_later(world: World, place: int) -> None:
    group = world.groups[place]
    assert group.kind == KINDS[place].name
    tried = group.day(np.random.default_rng(1), 1)
    assert (tried.start >= DAY_S).all()
    assert (tried.talk >= 0).all()


@pytest.mark.parametrize("place", range(len(KINDS)), ids=[kind.name for kind in KINDS])
def test_where_a_line_is_depends_on_nothing_but_line_and_moment(world: World, place: int) -> None:
    group = world.groups[place]
    rng = np.random.default_rng(2)
    member, start = rng.integers(0, group.size, 500), rng.uniform(0, DAYS * DAY_S, 500).round()
    order = rng.permutation(500)
    for told_by in (group.movement.cells, group.handsets.imeis, group.presence.reachable):
        assert (told_by(member, start)[order] == told_by(member[order], start[order])).all()


def test_every_kind_has_a_unit_even_in_a_small_world() -> None:
    units = Plan(people=500).units()
    assert list(units) == [kind.name for kind in KINDS if kind.share]
    assert min(units.values()) >= 1


def test_kinds_are_chosen_by_name_and_pattern() -> None:
    assert list(Plan(only=("ordinary/people",)).units()) == ["ordinary/people"]
    assert "ordinary/fixed_lines" not in Plan(without=("ordinary/fix*",)).units()
    assert Plan(counts={"ordinary/fixed_lines": 7}).units()["ordinary/fixed_lines"] == 7
    assert "ordinary/fixed_lines" not in Plan(counts={"ordinary/fixed_lines": 0}).units()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"only": ("gatewy/*",)}, "kind 'gatewy/*'"),
        ({"counts": {"ordinary/fixed_line": 3}}, "Did you mean 'ordinary/fixed_lines'"),
        ({"counts": {"ordinary/fixed_lines": -1}}, "found -1"),
        ({"people": 3}, "people: found 3"),
        ({"counts": {"ordinary/people": 300}}, "set the number of people"),
        ({"zone": "Moon/Base"}, "zone: 'Moon/Base'"),
        ({"days": 0}, "days: found 0"),
    ],
)
def test_impossible_plans_are_refused_in_one_line(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        Plan(**wrong)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
