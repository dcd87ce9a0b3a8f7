from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from simbox.simulation.attempts import DAY_S, HOUR_S
from simbox.simulation.geography import SECTORS
from simbox.simulation.legs import legs
from simbox.simulation.numbering import CODE_TEXTS, OPERATOR_TEXTS
from simbox.simulation.ordinary.lives import LIVES, NAMES
from simbox.simulation.plan import Plan
from simbox.simulation.world import World

PEOPLE, DAYS = 6_000, 14
SHORT = 10**7
ENOUGH = 10  # calls of a line below which shares are noise


@dataclass(frozen=True)
class Fortnight:
    world: World
    rows: pl.DataFrame  # of mobile lines

    @property
    def calls(self) -> pl.DataFrame:
        return self.rows.filter(~pl.col("text"))

    def of(self, name: str) -> pl.DataFrame:
        return self.rows.filter(pl.col("kind") == f"ordinary/{name}")


@pytest.fixture(scope="module")
def fortnight() -> Fortnight:
    world = World.build(Plan(people=PEOPLE, days=DAYS, seed=11, only=("ordinary/*",)))
    rows = pl.concat([legs(day.calls) for day in world.days()])
    kinds = world.lines.select("line", "kind")
    rows = rows.join(kinds, on="line", maintain_order="left")
    return Fortnight(world, rows.filter(pl.col("line") < PEOPLE))


def shares_out(calls: pl.DataFrame) -> pl.Series:
    each = calls.group_by("line").agg(pl.len(), share=pl.col("outgoing").mean())
    return each.filter(pl.col("len") >= ENOUGH)["share"]


def called(calls: pl.DataFrame) -> pl.DataFrame:
    return calls.filter("outgoing").group_by("line", "other").len()


def reciprocity(calls: pl.DataFrame) -> pl.Series:
    """Share of the called numbers that also call, of each line with enough calls out."""
    back = calls.filter(~pl.col("outgoing")).select("line", "other").unique()
    each = called(calls).join(back.with_columns(back=1), on=["line", "other"], how="left")
    share = pl.col("back").fill_null(0).mean()
    found = each.group_by("line").agg(share=share, n=pl.col("len").sum())
    return found.filter(pl.col("n") >= ENOUGH)["share"]


def cells_used(rows: pl.DataFrame) -> pl.Series:
    return rows.group_by("line").agg(pl.col("cell").n_unique())["cell"]


def test_every_way_of_life_is_about_as_common_as_it_says(fortnight: Fortnight) -> None:
    found = dict(fortnight.world.lines.head(PEOPLE)["kind"].value_counts().iter_rows())
    assert set(found) == set(NAMES)
    for life in LIVES[1:]:
        share = found[f"ordinary/{life.name}"] / PEOPLE
        assert 0.5 * life.share < share < 1.6 * life.share, life.name


def test_activity_is_heavy_tailed(fortnight: Fortnight) -> None:
    each = fortnight.calls["line"].value_counts()["count"]
    assert each.quantile(0.99) > 6 * each.median()
    assert each.quantile(0.05) < 0.35 * each.median()
    assert each.max() > 400


def test_people_call_by_day_and_less_on_sundays(fortnight: Fortnight) -> None:
    hour = (fortnight.calls["start"] % DAY_S // HOUR_S).value_counts().sort("start")["count"]
    assert hour[10:20].min() > 5 * hour[1:5].max()
    day = (fortnight.calls["start"] // DAY_S).value_counts().sort("start")["count"]
    assert day[6] < 0.95 * day[:5].mean()


def test_night_workers_call_at_night(fortnight: Fortnight) -> None:
    at = pl.col("start") % DAY_S / HOUR_S
    night = (at > 22) | (at < 6)
    own = pl.col("outgoing") & ~pl.col("text")
    workers = fortnight.of("night_worker").filter(own).select(night.mean()).item()
    others = fortnight.of("person").filter(own).select(night.mean()).item()
    assert workers > 3 * others


def test_most_people_call_and_are_called(fortnight: Fortnight) -> None:
    share = shares_out(fortnight.calls)
    assert 0.15 < share.quantile(0.05) < 0.36
    assert 0.65 < share.quantile(0.95) < 0.9
    assert 0.45 < share.median() < 0.57
    assert 0.002 < (share > 0.9).mean() < 0.05


def test_a_sixth_of_line_days_has_outgoing_calls_only(fortnight: Fortnight) -> None:
    day = (pl.col("start") // DAY_S).alias("day")
    each = fortnight.calls.group_by("line", day).agg(pl.col("outgoing").mean())
    assert 0.12 < (each["outgoing"] >= 0.95).mean() < 0.24


def test_people_call_few_numbers_again_and_again(fortnight: Fortnight) -> None:
    each = (
        called(fortnight.calls)
        .group_by("line")
        .agg(distinct=pl.len(), n=pl.col("len").sum(), top=pl.col("len").top_k(5).sum())
    )
    each = each.filter(pl.col("n") >= ENOUGH)
    ratio = each["distinct"] / each["n"]
    assert 0.14 < ratio.median() < 0.36
    assert ratio.quantile(0.99) > 0.6
    assert 0.7 < (each["top"] / each["n"]).median() < 0.95


def test_called_numbers_call_too_with_a_broad_spread(fortnight: Fortnight) -> None:
    inside = fortnight.calls.filter(pl.col("other") >= 0)
    share = reciprocity(inside)
    assert 0.55 < share.median() <= 1
    assert share.quantile(0.05) < 0.4
    pairs = inside.group_by("line", "other").agg(pl.len(), out=pl.col("outgoing").mean())
    out = pairs.filter(pl.col("len") >= 6)["out"]
    assert out.quantile(0.05) < 0.25
    assert out.quantile(0.95) > 0.75


def test_friends_elsewhere_keep_their_numbers_and_ring_back(fortnight: Fortnight) -> None:
    outside = fortnight.calls.filter(pl.col("other") < -SHORT)
    each = called(outside)
    assert (each["len"] >= 3).mean() > 0.2
    assert reciprocity(outside).median() > 0.4


def test_own_numbers_take_most_calls(fortnight: Fortnight) -> None:
    assert 0.45 < (fortnight.calls.filter("outgoing")["other"] >= 0).mean() < 0.75


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("second_sim", 0.75, 1), ("rarely_called", 0.7, 0.97), ("rarely_calling", 0.05, 0.4)],
)
def test_direction_of_lines_with_a_habit(
    fortnight: Fortnight, name: str, low: float, high: float
) -> None:
    share = shares_out(fortnight.of(name).filter(~pl.col("text")))
    assert len(share) > 20
    assert low < share.median() < high


def test_some_second_sims_get_no_text_at_all(fortnight: Fortnight) -> None:
    rows = fortnight.of("second_sim")
    texted = rows.filter("text", ~pl.col("outgoing"))["line"].n_unique()
    assert 0.15 < 1 - texted / rows["line"].n_unique() < 0.7


def test_short_codes_write_to_nearly_everybody(fortnight: Fortnight) -> None:
    codes = pl.Series([-code for code in (*OPERATOR_TEXTS, *CODE_TEXTS)])
    told = fortnight.rows.filter(
        "text", ~pl.col("outgoing"), pl.col("other").is_in(codes.implode())
    )
    assert 0.75 < told["line"].n_unique() / PEOPLE < 0.97


def test_friends_answer_texts_within_minutes(fortnight: Fortnight) -> None:
    pairs = fortnight.rows.filter("text", pl.col("other") >= 0).sort("line", "other", "start")
    turn = pl.col("outgoing") & ~pl.col("outgoing").shift(1)
    same = (pl.col("line") == pl.col("line").shift(1)) & (
        pl.col("other") == pl.col("other").shift(1)
    )
    wait = pairs.filter(turn & same).select(pairs.filter(turn & same)["start"]).height
    quick = pairs.with_columns(wait=pl.col("start").diff()).filter(
        turn & same, pl.col("wait") < 600
    )
    assert wait > 500
    assert quick.height > 0.5 * wait


def test_homebodies_and_the_old_hardly_move_and_travellers_do(fortnight: Fortnight) -> None:
    still = cells_used(fortnight.of("homebody")).median()
    assert still <= 4
    assert cells_used(fortnight.of("elderly")).median() <= 4
    assert cells_used(fortnight.of("person")).median() > still
    assert cells_used(fortnight.of("traveller")).median() > 5


def test_people_sleep_at_home_and_work_elsewhere(fortnight: Fortnight) -> None:
    group = fortnight.world.groups[0]
    member = np.arange(PEOPLE)

    def mast(day: int, hour: float) -> np.ndarray:
        at = np.full(PEOPLE, day * DAY_S + hour * HOUR_S)
        return group.movement.cells(member, at) // SECTORS

    assert (mast(1, 3) == mast(2, 3)).mean() > 0.8
    assert (mast(1, 11) == mast(2, 11)).mean() > 0.6
    away = (mast(1, 11) != mast(1, 3)).mean()
    assert 0.35 < away < 0.75
    assert (mast(6, 11) != mast(6, 3)).mean() < 0.7 * away


def test_new_customers_begin_and_leavers_end_within_the_days(fortnight: Fortnight) -> None:
    first = fortnight.of("new_customer").group_by("line").agg(pl.col("start").min())["start"]
    last = fortnight.of("leaver").group_by("line").agg(pl.col("start").max())["start"]
    assert 0.2 < (first > 7 * DAY_S).mean() < 0.6
    assert 0.3 < (last < 7 * DAY_S).mean() < 0.7


def test_new_phones_change_the_imei_and_others_rarely(fortnight: Fortnight) -> None:
    each = fortnight.rows.group_by("line", "kind").agg(pl.col("imei").n_unique())
    new = each.filter(pl.col("kind") == "ordinary/new_phone")["imei"]
    plain = each.filter(pl.col("kind") == "ordinary/person")["imei"]
    assert (new > 1).mean() > 0.7
    assert 0.003 < (plain > 1).mean() < 0.06


def test_phones_are_handed_on_to_other_lines(fortnight: Fortnight) -> None:
    taken = fortnight.of("handed_on").group_by("line", "imei").len()
    others = fortnight.rows.filter(pl.col("kind") != "ordinary/handed_on")["imei"].unique()
    assert taken.filter(pl.col("imei").is_in(others.implode()))["line"].n_unique() > 10


def test_dual_sim_phones_show_one_imei_or_two_in_a_row(fortnight: Fortnight) -> None:
    group = fortnight.world.groups[0]
    assert group.radio is not None
    second = np.flatnonzero(group.radio != np.arange(PEOPLE))
    noon = np.full(len(second), 2 * DAY_S + 12 * HOUR_S)
    own = group.handsets.imeis(second, noon) // 10
    other = group.handsets.imeis(group.radio[second], noon) // 10
    assert set((own - other).tolist()) == {0, 1}
    assert 0.2 < (own == other).mean() < 0.5


@pytest.mark.parametrize(("name", "least"), [("small_trader", 20), ("job_seeker", 30)])
def test_some_people_call_many_numbers(fortnight: Fortnight, name: str, least: int) -> None:
    calls = fortnight.of(name).filter(~pl.col("text"))
    each = called(calls).group_by("line").agg(pl.len())["len"]
    usual = called(fortnight.of("person").filter(~pl.col("text"))).group_by("line").agg(pl.len())
    assert each.median() > max(least, 2 * usual["len"].median())


def test_organisers_ring_round_within_a_day(fortnight: Fortnight) -> None:
    calls = fortnight.of("organiser").filter("outgoing", ~pl.col("text"))
    day = (pl.col("start") // DAY_S).alias("day")
    each = calls.group_by("line", day).agg(pl.col("other").n_unique())
    most = each.group_by("line").agg(pl.col("other").max())["other"]
    assert most.quantile(0.25) > 11


def test_people_who_live_together_buy_cards_together_at_times(fortnight: Fortnight) -> None:
    batch = fortnight.world.groups[0].batch
    _, sizes = np.unique(batch, return_counts=True)
    alone = sizes[sizes == 1].sum() / PEOPLE
    assert 0.25 < alone < 0.75
    assert sizes.max() > 10


def test_offices_are_busy_on_working_days_and_homes_are_not() -> None:
    world = World.build(Plan(people=7_000, days=7, seed=2, only=("ordinary/*",)))
    kinds = world.lines.select("line", "kind").filter(pl.col("kind").str.contains("fixed|office"))
    rows = pl.concat([legs(day.calls) for day in world.days()]).join(kinds, on="line")
    free = (pl.col("start") // DAY_S >= 5).mean()
    share = dict(rows.group_by("kind").agg(free).iter_rows())
    assert share["ordinary/office_line"] < 0.13 < share["ordinary/fixed_line"]


def real_calls(path: Path) -> pl.DataFrame:
    """Calls among the people of a study, as legs of both."""
    read = pl.read_csv(path, new_columns=["a", "b", "start", "talk"])
    out = read.select(line="a", other="b", start="start", talk="talk", outgoing=pl.lit(value=True))
    into = out.select(
        line="other", other="line", start="start", talk="talk", outgoing=pl.lit(value=False)
    )
    return pl.concat([out, into])


def test_people_resemble_real_ones(fortnight: Fortnight, shared: Path) -> None:
    path = shared / "data" / "copenhagen-calls-sms" / "calls.csv"
    if not path.is_file():
        pytest.skip("no real calls beside the project")
    real, ours = real_calls(path), fortnight.calls.filter(pl.col("other") >= 0)
    for quantile in (0.25, 0.5, 0.75):
        near = shares_out(real).quantile(quantile), shares_out(ours).quantile(quantile)
        assert near[0] == pytest.approx(near[1], abs=0.06)
    talk = [calls.filter(pl.col("talk") > 0)["talk"].mean() for calls in (real, ours)]
    assert talk[0] == pytest.approx(talk[1], rel=0.4)
    balance = []
    for calls in (real, ours):
        pairs = calls.group_by("line", "other").agg(pl.len(), out=pl.col("outgoing").mean())
        balance.append(pairs.filter(pl.col("len") >= 6)["out"].std())
    assert balance[0] == pytest.approx(balance[1], rel=0.25)


def test_some_second_cards_take_turns_with_the_first_in_one_phone() -> None:
    group = World.build(Plan(people=20_000, only=("ordinary/people",))).groups[0]
    second = np.flatnonzero(group.handsets.swapped)  # type: ignore[attr-defined]
    assert len(second) > 30
    on = np.zeros((2, len(second)), dtype=bool)
    for hour in range(7 * 24):
        at = np.full(len(second), hour * HOUR_S + 60.0)
        now = [group.presence.reachable(line, at) for line in (second - 1, second)]
        assert not (now[0] & now[1]).any()
        assert (group.handsets.imeis(second - 1, at) == group.handsets.imeis(second, at)).all()
        on |= now
    assert on.mean() > 0.9


@pytest.mark.parametrize("people", [100, 1_000])
def test_small_worlds_live(people: int) -> None:
    world = World.build(Plan(people=people, days=2, only=("ordinary/*",)))
    assert all(len(day.calls) > people for day in world.days())
