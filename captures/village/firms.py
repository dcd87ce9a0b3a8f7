"""Lines that look like gateways and are not: sellers, couriers, dispatcher, machines, school."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from village.calls import Manners, calls, talk_seconds, texts, with_reactions, with_replies
from village.identities import (
    MODULE_TAC,
    TOWN_SITES,
    VILLAGE_SITES,
    Floats,
    Ints,
    Rng,
    Sims,
    cells_of,
    handset_batch,
    handsets,
    strangers,
    with_check_digit,
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
    open_hours,
    times_each,
    week,
)

CALL_CENTRE_TAC = 100107  # the firm bought one delivery of phones
SCHOOL_MESSAGE_S = 41


def call_centre(rng: Rng, sims: Sims, cells: Ints) -> tuple[Lines, pl.DataFrame]:
    """Agents who sell to strangers from nine to six, try again and are rung back."""
    count = len(sims.number)
    desk = rng.choice(cells, (count, 1), p=[0.6, 0.3, 0.1])
    curve = open_hours(9, 18, saturday=0.45) * np.exp(rng.normal(0, 0.3, (count, HOURS)))
    agents = lines("call_centre", sims, handset_batch(rng, CALL_CENTRE_TAC, count), desk, curve)
    agents = replace(agents, wander=np.full(count, 0.1))
    prospects, customers = strangers(rng, 3200, 0.4, 0.08), strangers(rng, 120, 0.4, 0.1)
    who = times_each(rng, 330 * np.exp(rng.normal(0, 0.2, count)))
    known = rng.random(len(who)) < 0.22
    other = np.where(known, rng.choice(customers, len(who)), rng.choice(prospects, len(who)))
    talk = talk_seconds(rng, len(who), 46, 1.25) * np.where(known, 2.2, 1.0)
    out = calls(
        rng,
        (agents.number[who], other),
        moments(rng, curve, who),
        talk,
        np.where(known, 0.75, 0.55),
    )
    out = with_reactions(rng, out, Manners(redial=0.3, callback=0.1, callback_answered=0.75))
    calling_in = times_each(rng, np.full(count, 22.0))
    inquiries = calls(
        rng,
        (rng.choice(customers, len(calling_in)), agents.number[calling_in]),
        moments(rng, curve, calling_in),
        talk_seconds(rng, len(calling_in), 90),
        np.full(len(calling_in), 0.7),
    )
    return agents, pl.concat([out, inquiries, _among(rng, agents, 5.0), _private(rng, agents, 2.0)])


def _among(rng: Rng, group: Lines, each: float) -> pl.DataFrame:
    """Calls between colleagues."""
    who = times_each(rng, np.full(len(group), each))
    mate = (who + rng.integers(1, len(group), len(who))) % len(group)
    talk = talk_seconds(rng, len(who), 35)
    start = moments(rng, group.curve, who)
    return calls(rng, (group.number[who], group.number[mate]), start, talk, np.full(len(who), 0.8))


def couriers(rng: Rng, sims: Sims, neighbours: Ints) -> tuple[Lines, pl.DataFrame]:
    """Riders who ring strangers at the door, a few seconds each, all along their routes."""
    count = len(sims.number)
    curve = open_hours(9, 20, 1.0, 0.8) * np.exp(rng.normal(0, 0.4, (count, HOURS)))
    curve += 0.02 * week(WORKDAY, HOLIDAY, HOLIDAY) / 100
    riders = lines("courier", sims, handsets(rng, count), _routes(rng, count), curve)
    riders = replace(riders, wander=np.full(count, 0.35))
    who = times_each(rng, 330 * np.exp(rng.normal(0, 0.3, count)))
    local = rng.random(len(who)) < 0.16
    other = np.where(local, rng.choice(neighbours, len(who)), strangers(rng, len(who), 0.5))
    start = moments(rng, curve, who)
    talk = talk_seconds(rng, len(who), 17, 0.7)
    out = calls(rng, (riders.number[who], other), start, talk, np.full(len(who), 0.76))
    out = with_reactions(rng, out, Manners(redial=0.25, callback=0.42, callback_answered=0.85))
    locker = np.flatnonzero(rng.random(len(who)) < 0.07)
    notes = texts(riders.number[who[locker]], other[locker], start[locker] + 60)
    asking = times_each(rng, np.full(count, 40.0))
    asked = calls(
        rng,
        (strangers(rng, len(asking), 0.5), riders.number[asking]),
        moments(rng, curve, asking),
        talk_seconds(rng, len(asking), 22, 0.7),
        np.full(len(asking), 0.8),
    )
    return riders, pl.concat([out, notes, asked, _private(rng, riders, 14.0)])


def _routes(rng: Rng, count: int) -> Ints:
    """Cells along the rider's tour: a round over the masts, home at night."""
    masts = np.r_[cells_of(VILLAGE_SITES), cells_of(TOWN_SITES)]
    home = rng.choice(masts, (count, 1))
    first, pace = rng.integers(0, len(masts), (count, 1)), rng.integers(2, 6, (count, 1))
    tour = masts[(first + pace * np.arange(HOURS)) % len(masts)]
    working = (np.arange(HOURS) % 24 >= 9) & (np.arange(HOURS) % 24 < 20)
    return np.where(working, tour, home).astype(np.int64)


def _private(rng: Rng, group: Lines, each: float) -> pl.DataFrame:
    """A handful of family and friends whom the owner of a business phone talks to."""
    circle = strangers(rng, 5 * len(group), 0.6).reshape(-1, 5)
    who = times_each(rng, np.full(len(group), each))
    friend = circle[who, rng.integers(0, 5, len(who))]
    mine = rng.random(len(who)) < 0.5
    caller = np.where(mine, group.number[who], friend)
    called = np.where(mine, friend, group.number[who])
    talk, answer = talk_seconds(rng, len(who), 60), np.full(len(who), 0.75)
    spoken = calls(rng, (caller, called), moments(rng, group.curve, who), talk, answer)
    writes = np.flatnonzero(rng.random(len(who)) < 0.2)
    written = texts(caller[writes], called[writes], moments(rng, group.curve, who[writes]))
    return pl.concat([spoken, with_replies(rng, written, 0.6)])


def dispatcher(rng: Rng, sims: Sims, cell: int) -> tuple[Lines, pl.DataFrame]:
    """A taxi office: passengers call in, one of twelve drivers is called at once."""
    curve = open_hours(6, 23, 1.2, 1.1)[None, :]
    desk = lines("dispatcher", sims, handsets(rng, 1), np.full((1, HOURS), cell), curve)
    regulars, drivers = strangers(rng, 260, 0.5, 0.1), strangers(rng, 12, 0.7)
    who = np.zeros(rng.poisson(560), dtype=np.int64)
    ordered = moments(rng, curve, who)
    me = desk.number[who]
    passengers = np.where(
        rng.random(len(who)) < 0.7, rng.choice(regulars, len(who)), strangers(rng, len(who))
    )
    talk = talk_seconds(rng, len(who), 19, 0.5)
    asked = calls(rng, (passengers, me), ordered, talk, np.full(len(who), 0.88))
    taken = asked["answered"].to_numpy()
    sent = calls(
        rng,
        (me[taken], rng.choice(drivers, int(taken.sum()))),
        ordered[taken] + talk[taken] + rng.uniform(4, 50, int(taken.sum())),
        talk_seconds(rng, int(taken.sum()), 12, 0.5),
        np.full(int(taken.sum()), 0.85),
    )
    return desk, pl.concat([asked, sent])


def machines(rng: Rng, sims: Sims, cells: Ints, owners: Ints) -> tuple[Lines, pl.DataFrame]:
    """A pump modem and a cold-store alarm: each rings its one owner and nobody else."""
    count = len(sims.number)
    curve = np.ones((count, HOURS))
    serial = MODULE_TAC * 10**6 + rng.integers(0, 10**6, count)
    modems = lines("machine", sims, with_check_digit(serial), cells[:, None], curve)
    modems = replace(modems, wander=np.full(count, 0.01))
    ticks = np.arange(3 * HOUR_S, DAYS * DAY_S, 6 * HOUR_S, dtype=np.float64)
    who = np.repeat(np.arange(count), len(ticks))
    start = np.tile(ticks, count) + rng.integers(0, 5400, count)[who] + rng.normal(8, 3, len(who))
    talk = 7 + 4 * rng.random(len(who))
    rung = calls(rng, (modems.number[who], owners[who]), start, talk, np.full(len(who), 0.8))
    status = texts(modems.number[who[::4]], owners[who[::4]], start[::4] + 30)
    return modems, pl.concat([rung, status])


def school(rng: Rng, sims: Sims, cell: int, parents: Ints) -> tuple[Lines, pl.DataFrame]:
    """The line that plays the school's message to all parents on two evenings."""
    curve = open_hours(8, 17)[None, :]
    line = lines("school", sims, handsets(rng, 1), np.full((1, HOURS), cell), curve)
    evenings = [_broadcast(rng, line.number, parents, day) for day in (1, 3)]
    office = _private(rng, line, 18.0)
    return line, pl.concat([*evenings, office])


def _broadcast(rng: Rng, me: Ints, parents: Ints, day: int) -> pl.DataFrame:
    to = rng.permutation(parents)
    heard = np.where(rng.random(len(to)) < 0.7, SCHOOL_MESSAGE_S, rng.uniform(3, 40, len(to)))
    pauses: Floats = rng.uniform(12, 34, len(to))
    start = day * DAY_S + 17.1 * HOUR_S + np.cumsum(heard + pauses)
    played = calls(rng, (np.repeat(me, len(to)), to), start, heard, np.full(len(to), 0.82))
    return with_reactions(rng, played, Manners(redial=0, callback=0.16, callback_answered=0.3))


def traders(rng: Rng, sims: Sims) -> tuple[Lines, pl.DataFrame]:
    """Wholesalers, an estate agent, the village doctor: many numbers, both ways, on the move."""
    count = len(sims.number)
    curve = open_hours(7, 20, 0.9, 0.5) * np.exp(rng.normal(0, 0.5, (count, HOURS)))
    masts = np.r_[cells_of(VILLAGE_SITES), cells_of(TOWN_SITES)]
    rounds = rng.choice(masts, (count, 6))[np.arange(count)[:, None], rng.integers(0, 6, HOURS)]
    group = lines("trader", sims, handsets(rng, count), rounds, curve)
    clients = strangers(rng, count * 110, 0.45, 0.08).reshape(count, 110)
    who = times_each(rng, 210 * np.exp(rng.normal(0, 0.4, count)))
    client = clients[who, (110 * rng.random(len(who)) ** 1.7).astype(np.int64)]
    out_share = np.linspace(0.35, 0.85, count)[who]
    outgoing = rng.random(len(who)) < out_share
    me = group.number[who]
    spoken = calls(
        rng,
        (np.where(outgoing, me, client), np.where(outgoing, client, me)),
        moments(rng, curve, who),
        talk_seconds(rng, len(who), 50),
        np.full(len(who), 0.74),
    )
    manners = Manners(redial=0.2, callback=0.4, callback_answered=0.8)
    return group, pl.concat([with_reactions(rng, spoken, manners), _private(rng, group, 15.0)])
