"""Ordinary people of the county: households, work, friends, habits, and whom they call."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from village.calls import NEIGHBOURLY, calls, talk_seconds, texts, with_reactions, with_replies
from village.identities import (
    BANKS,
    CITY_SITES,
    HOTLINES,
    OPERATOR,
    SENDERS,
    TOWN_SITES,
    VILLAGE_SITES,
    Floats,
    Ints,
    Rng,
    Sims,
    cells_of,
    handsets,
    relatives_abroad,
    strangers,
)
from village.lines import (
    DAY_S,
    DAYS,
    HOLIDAY,
    HOUR_S,
    HOURS,
    WORKDAY,
    Lines,
    lines,
    moments,
    times_each,
    week,
    with_handset_changes,
)

#: Ways of life and how common they are.
ROLES = {"worker": 0.46, "home": 0.24, "old": 0.13, "pupil": 0.08, "away": 0.06, "visitor": 0.03}
SECOND_SIM_SHARE = 0.05  # of lines: a second card in the handset of the line before it
NEW_SHARE, DYING_SHARE = 0.03, 0.02
HARDLY_CALLED_SHARE, ONLY_CALLS_OUT_SHARE, ORGANISER_SHARE = 0.07, 0.02, 0.015

Roles = npt.NDArray[np.str_]


@dataclass(frozen=True)
class People:
    """Ordinary lines and what drives their owners."""

    lines: Lines
    role: Roles
    household: Ints
    workplace: Ints
    activity: Floats  # multiplies how much the line is used
    eagerness: Floats  # above zero: rather calls than is called
    only_calls_out: npt.NDArray[np.bool_]


def people(rng: Rng, sims: Sims) -> People:
    """The village's ordinary lines."""
    count = len(sims.number)
    role = rng.choice(list(ROLES), count, p=list(ROLES.values()))
    household = np.repeat(np.arange(count), rng.integers(1, 6, count))[:count]
    workplace = rng.choice(np.r_[cells_of(VILLAGE_SITES)[::4], cells_of(TOWN_SITES)[::2]], count)
    home = _homes(rng, household, role)
    plan = np.stack([_plan(rng, *person) for person in zip(role, home, workplace, strict=True)])
    curve = _curves(rng, role)
    group = lines("ordinary", sims, handsets(rng, count), plan, curve)
    group = with_handset_changes(rng, group, 0.04, handsets(rng, count))
    return People(
        lines=_with_second_sims(rng, group, role),
        role=role,
        household=household,
        workplace=workplace,
        activity=np.exp(rng.normal(-0.35, 0.95, count)),
        eagerness=_eagerness(rng, count),
        only_calls_out=rng.random(count) < ONLY_CALLS_OUT_SHARE,
    )


def _eagerness(rng: Rng, count: int) -> Floats:
    hardly_called = rng.random(count) < HARDLY_CALLED_SHARE
    return rng.normal(0, 0.6, count) + np.where(hardly_called, rng.uniform(1.5, 4, count), 0)


def _homes(rng: Rng, household: Ints, role: Roles) -> Ints:
    share = rng.dirichlet(np.full(len(cells_of(VILLAGE_SITES)), 1.5))
    home = rng.choice(cells_of(VILLAGE_SITES), household.max() + 1, p=share)[household]
    in_city = rng.choice(cells_of(CITY_SITES), len(role))
    return np.where(role == "away", in_city, home)


def _plan(rng: Rng, role: str, home: int, workplace: int) -> Ints:
    """Where one person is in each hour of the week."""
    plan = np.full((DAYS, 24), home)
    if role in ("worker", "pupil", "away"):
        first, last = rng.integers(6, 10), rng.integers(15, 20)
        work = workplace if role != "away" else home + rng.integers(0, 3) - home % 3
        plan[: 5 + (rng.random() < 0.3), first:last] = work
    for _ in range(rng.poisson(1 if role == "old" else 3)):
        day, hour, length = rng.integers(0, DAYS), rng.integers(8, 20), rng.integers(1, 4)
        sites = TOWN_SITES if rng.random() < 0.45 else VILLAGE_SITES
        plan[day, hour : hour + length] = rng.choice(cells_of(sites))
    if rng.random() < (0.5 if role == "visitor" else 0.06):
        day, length = rng.integers(0, DAYS), rng.integers(1, 3)
        plan[day : day + length] = rng.choice(cells_of(CITY_SITES), (len(plan[day:][:length]), 24))
    return plan.ravel()


def _curves(rng: Rng, role: Roles) -> Floats:
    """When each person is on the phone: own rhythm, lazy Sundays, lines that come and go."""
    count, hour = len(role), np.arange(HOURS)
    curve = week(WORKDAY, HOLIDAY, HOLIDAY * 0.9) * np.exp(rng.normal(0, 0.45, (count, HOURS)))
    shift = rng.choice([-1, 0, 0, 0, 1, 2], count)
    curve = np.take_along_axis(curve, (hour + shift[:, None]) % HOURS, axis=1)
    curve *= np.repeat(np.exp(rng.normal(0, 0.5, (count, DAYS))), 24, axis=1)
    born = np.where(rng.random(count) < NEW_SHARE, rng.integers(10, 130, count), 0)
    gone = np.where(rng.random(count) < DYING_SHARE, rng.integers(40, 150, count), HOURS)
    stays = role == "visitor"
    arrives = rng.integers(8, 110, count)
    born = np.where(stays, arrives, born)
    gone = np.where(stays, arrives + rng.integers(20, 80, count), gone)
    return curve * ((hour >= born[:, None]) & (hour < gone[:, None]))


def _with_second_sims(rng: Rng, group: Lines, role: Roles) -> Lines:
    """The group, some of whose lines are a second card in their neighbour's handset."""
    second = np.flatnonzero((rng.random(len(group)) < SECOND_SIM_SHARE) & (role != "visitor"))
    second = second[second > 0]
    imei, plan, kind = group.imei.copy(), group.plan.copy(), group.kind.copy()
    change = group.handset_change.copy()
    imei[second], plan[second], kind[second] = imei[second - 1], plan[second - 1], "second_sim"
    change[second] = change[second - 1]
    return replace(group, imei=imei, plan=plan, kind=kind, handset_change=change)


def their_calls(rng: Rng, group: People) -> pl.DataFrame:
    """A week of calls and texts of ordinary people, among themselves and with the world."""
    ties = pl.concat([_ties_inside(rng, group), _ties_outside(rng, group)])
    spoken = with_reactions(rng, _tie_calls(rng, group, ties), NEIGHBOURLY)
    written = with_replies(rng, _tie_texts(rng, group, ties), 0.6)
    silent = group.lines.number[group.only_calls_out]
    spoken = spoken.filter(~pl.col("b").is_in(silent))
    daily = [_errands(rng, group), _callers_unknown(rng, group), _round_robins(rng, group)]
    return pl.concat([spoken, written, *daily])


def _ties_inside(rng: Rng, group: People) -> pl.DataFrame:
    """Who knows whom in the village: family, neighbours and friends, colleagues."""
    count, person = len(group.role), np.arange(len(group.role))
    kin = _pairs_with(group.household, 1, 2, 3, 4)
    near = np.repeat(person, rng.poisson(2.2, count))
    friend = (near + rng.geometric(0.02, len(near)) * rng.choice([-1, 1], len(near))) % count
    order = np.argsort(group.workplace, kind="stable")
    mate = np.repeat(person, rng.poisson(1.3, count))
    place = np.argsort(order, kind="stable")[mate]
    colleague = order[(place + rng.integers(1, 6, len(mate))) % count]
    weight = (kin[0] * 0 + 2.6, near * 0 + 0.9, mate * 0 + 0.7)
    ties = pl.DataFrame(
        {
            "i": np.r_[kin[0], near, mate],
            "j": np.r_[kin[1], friend, colleague],
            "weight": np.concatenate(weight),
            "kin": np.r_[kin[0] * 0 + 1, near * 0, mate * 0] > 0,
        }
    ).filter(pl.col("i") != pl.col("j"))
    ties = ties.unique(["i", "j"], keep="first", maintain_order=True)
    old = group.role == "old"
    i, j = ties["i"].to_numpy(), ties["j"].to_numpy()
    lost = (old[i] | old[j]) & ~ties["kin"].to_numpy() & (rng.random(len(ties)) < 0.93)
    liking = np.exp(rng.normal(-0.45, 1.0, len(ties)))
    scale = np.sqrt(group.activity[i] * group.activity[j])
    rate = ties["weight"].to_numpy() * liking * scale * ~lost
    return _tie_frame(group, i, group.lines.number[j], rate, group.eagerness[j])


def _pairs_with(member_of: Ints, *steps: int) -> tuple[Ints, Ints]:
    """Index pairs that share a group, where groups are consecutive."""
    firsts = [np.flatnonzero(member_of[:-s] == member_of[s:]) for s in steps]
    return np.concatenate(firsts), np.concatenate([f + s for f, s in zip(firsts, steps)])  # noqa: B905


def _ties_outside(rng: Rng, group: People) -> pl.DataFrame:
    """Relatives, friends and customers whose lines are not in the export."""
    narrow = np.isin(group.role, ["old", "visitor"])
    wide = 1 + rng.poisson(4.5 * np.clip(group.activity, 0.3, 5))
    i = np.repeat(np.arange(len(narrow)), np.where(narrow, rng.integers(1, 3, len(narrow)), wide))
    abroad = rng.random(len(i)) < 0.012
    number = np.where(abroad, relatives_abroad(rng, len(i)), strangers(rng, len(i), 0.5, 0.05))
    fondness = np.exp(rng.normal(-0.75, 1.15, len(i)))
    scale = np.sqrt(group.activity[i] * np.exp(rng.normal(0, 0.7, len(i))))
    rate = fondness * scale * np.where(narrow[i], 2.2, 1.0)
    return _tie_frame(group, i, number, rate, rng.normal(0, 0.5, len(i)))


def _tie_frame(group: People, i: Ints, other: Ints, rate: Floats, pull: Floats) -> pl.DataFrame:
    return pl.DataFrame({"i": i, "other": other, "rate": rate, "lean": group.eagerness[i] - pull})


def _tie_calls(rng: Rng, group: People, ties: pl.DataFrame) -> pl.DataFrame:
    which = times_each(rng, ties["rate"].to_numpy() * 1.3)
    i, other = ties["i"].to_numpy()[which], ties["other"].to_numpy()[which]
    lean = (ties["lean"].to_numpy() + rng.normal(0, 0.7, len(ties)))[which]
    outgoing = rng.random(len(which)) < 1 / (1 + np.exp(-lean))
    me = group.lines.number[i]
    start = moments(rng, group.lines.curve, i)
    talk = talk_seconds(rng, len(which), 44, 1.15)
    answer = np.where(outgoing, 0.68, 0.72)
    return calls(
        rng, (np.where(outgoing, me, other), np.where(outgoing, other, me)), start, talk, answer
    )


def _tie_texts(rng: Rng, group: People, ties: pl.DataFrame) -> pl.DataFrame:
    writes = (rng.random(len(ties)) < 0.3) & (group.role[ties["i"].to_numpy()] != "old")
    habit = writes * np.exp(rng.normal(-1.1, 1.0, len(ties)))
    which = times_each(rng, ties["rate"].to_numpy() * habit)
    i, other = ties["i"].to_numpy()[which], ties["other"].to_numpy()[which]
    outgoing = rng.random(len(which)) < 0.5
    me = group.lines.number[i]
    start = moments(rng, group.lines.curve, i)
    return texts(np.where(outgoing, me, other), np.where(outgoing, other, me), start)


def _errands(rng: Rng, group: People) -> pl.DataFrame:
    """Calls to shops, clinics and hotlines, and what the operator, banks and apps send."""
    count = len(group.role)
    shops = strangers(rng, 170, 0.35, 0.6)
    share = 1 / np.arange(1, len(shops) + 1) ** 0.8
    who = times_each(rng, 0.75 * np.clip(group.activity, 0.2, 6))
    shop = rng.choice(shops, len(who), p=share / share.sum())
    hotline = times_each(rng, np.full(count, 0.12))
    to = np.r_[shop, rng.choice([OPERATOR, *HOTLINES], len(hotline))]
    caller = np.r_[who, hotline]
    start = moments(rng, group.lines.curve, caller)
    talk = talk_seconds(rng, len(to), 40, 0.9)
    spoken = calls(rng, (group.lines.number[caller], to), start, talk, np.full(len(to), 0.86))
    asks = times_each(rng, np.full(count, 0.15))
    written = texts(
        group.lines.number[asks], asks * 0 + OPERATOR, moments(rng, group.lines.curve, asks)
    )
    return pl.concat([spoken, written, service_texts(rng, group.lines, 1.6)])


def service_texts(rng: Rng, group: Lines, each: float) -> pl.DataFrame:
    """Operator notices, bank texts, one-time codes and adverts that a line gets in a week."""
    who = times_each(rng, each * np.exp(rng.normal(-0.4, 0.9, len(group))))
    senders = [OPERATOR, OPERATOR, OPERATOR, *BANKS, *SENDERS]
    alive = (group.curve > 0) * week(WORKDAY, HOLIDAY, HOLIDAY)
    return texts(rng.choice(senders, len(who)), group.number[who], moments(rng, alive, who))


def _callers_unknown(rng: Rng, group: People) -> pl.DataFrame:
    """Wrong numbers, adverts and offices that ring once."""
    who = times_each(rng, np.full(len(group.role), 0.55))
    callers = strangers(rng, len(who), 0.3, 0.25)
    start = moments(rng, group.lines.curve, who)
    talk = talk_seconds(rng, len(who), 16, 0.9)
    return calls(rng, (callers, group.lines.number[who]), start, talk, np.full(len(who), 0.5))


def _round_robins(rng: Rng, group: People) -> pl.DataFrame:
    """Weddings and house hunts: somebody rings dozens of numbers within a day."""
    organiser = np.flatnonzero(rng.random(len(group.role)) < ORGANISER_SHARE)
    who = np.repeat(organiser, rng.integers(15, 45, len(organiser)))
    evening = rng.integers(0, DAYS, len(group.role))[who] * DAY_S + 11 * HOUR_S
    start = evening + 10 * HOUR_S * rng.random(len(who))
    known = rng.random(len(who)) < 0.4
    neighbour = group.lines.number[rng.integers(0, len(group.role), len(who))]
    other = np.where(known, neighbour, strangers(rng, len(who), 0.5, 0.15))
    me, talk = group.lines.number[who], talk_seconds(rng, len(who), 48)
    dialled = calls(rng, (me, other), start, talk, np.full(len(who), 0.7))
    return with_reactions(rng, dialled, NEIGHBOURLY)
