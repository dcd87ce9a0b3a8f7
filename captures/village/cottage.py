"""The rented cottage: four uplinks, four boxes of eight ports, 32 SIM cards, eight hours a session.

A dialler far away deals one list of strangers out to the ports.  Each card is kept to a few calls
an hour, some cards rest, three pairs change places, four are blocked on Thursday and replaced
from the drawer after a while, and some had an ordinary life before they were lent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from village.calls import UNALLOCATED, calls, talk_seconds, texts
from village.identities import (
    OPERATOR,
    VILLAGE_SITES,
    Floats,
    Ints,
    Rng,
    Sims,
    cells_of,
    handset_batch,
    handsets,
    strangers,
)
from village.lines import DAY_S, HOUR_S, HOURS, Lines, lines, moments
from village.people import service_texts

CARDS, PORTS = 32, 28  # four boxes of eight ports; half of the last box stays empty
SESSION_DAYS = (1, 2, 3, 5)  # Tuesday to Thursday, and Saturday
SESSION_S = 8 * HOUR_S
BLOCKED, SWAPPED, LENT = slice(0, 4), slice(4, 10), slice(10, 15)  # of the shuffled first cards
BLOCKED_DAY = 3
BOX_TAC = 100191  # the one box that kept its maker's IMEIs; the others show phones' IMEIs
ANSWERED = 0.45
RESTS = 0.08
DEAD_NUMBERS = 0.07
RINGS_BACK = 0.04


@dataclass(frozen=True)
class Shift:
    """One card in use without a break."""

    card: int
    start: float
    end: float


@dataclass(frozen=True)
class Rack:
    """The ports in use and a shuffle of the cards that they first held."""

    imei: Ints
    order: Ints


def cottage(rng: Rng, sims: Sims, cell: int, victims: Ints) -> tuple[Lines, pl.DataFrame]:
    """The cottage's lines and their week."""
    ports = np.r_[handset_batch(rng, BOX_TAC, 8), handsets(rng, PORTS - 8)]
    rack = Rack(ports, rng.permutation(PORTS))
    shifts = _shifts(rng, rack.order)
    cards = _cards(rng, sims, cell, rack, shifts)
    dialled = _dialled(rng, cards.number, shifts, victims)
    spoken = [
        dialled,
        _rings_back(rng, dialled, cards.number, shifts),
        _lent_life(rng, cards, rack.order),
    ]
    return cards, pl.concat([*spoken, *_notices(rng, cards, shifts)])


def _shifts(rng: Rng, order: Ints) -> list[Shift]:
    """Who works when: all ports come up within minutes and go down together."""
    blocked = {
        int(card): BLOCKED_DAY * DAY_S + rng.uniform(11.5, 14) * HOUR_S for card in order[BLOCKED]
    }
    drawer = dict(zip(range(PORTS, CARDS), blocked, strict=True))
    shifts = []
    for day in SESSION_DAYS:
        opens = day * DAY_S + 9.2 * HOUR_S + rng.uniform(0, 1500)
        closes = opens + SESSION_S + rng.normal(0, 600)
        for card in range(CARDS):
            start, end = opens + rng.uniform(0, 240), closes - rng.uniform(0, 120)
            if card in drawer:
                start = max(start, blocked[drawer[card]] + rng.uniform(1800, 3600))
            end = min(end, blocked.get(card, end))
            if start < end and rng.random() > RESTS:
                shifts.append(Shift(card, start, end))
    return shifts


def _cards(rng: Rng, sims: Sims, cell: int, rack: Rack, shifts: list[Shift]) -> Lines:
    """The cards with the port's handset identity and the hours at which they are reachable."""
    order, ports = rack.order, rack.imei
    port = np.r_[np.arange(PORTS), order[BLOCKED]]  # a new card takes the blocked one's port
    later = port.copy()
    later[order[SWAPPED]] = port[np.roll(order[SWAPPED].reshape(-1, 2), 1, axis=1).ravel()]
    imei = np.stack([ports[port], ports[later]], axis=1)
    change = np.full(CARDS, np.inf)
    change[order[SWAPPED]] = SESSION_DAYS[2] * DAY_S
    lent = order[LENT]
    imei[lent, 0], change[lent] = handsets(rng, len(lent)), SESSION_DAYS[0] * DAY_S
    plan = np.full((CARDS, HOURS), cell)
    plan[lent, :24] = rng.choice(cells_of(VILLAGE_SITES), (len(lent), 1))
    curve = np.zeros((CARDS, HOURS))
    for shift in shifts:
        curve[shift.card, int(shift.start // HOUR_S) + 1 : int(shift.end // HOUR_S)] = 1
    group = lines("gateway", sims, ports[port], plan, curve)
    return replace(group, imei=imei, handset_change=change, wander=np.full(CARDS, 0.05))


def _dialled(rng: Rng, number: Ints, shifts: list[Shift], victims: Ints) -> pl.DataFrame:
    """All calls that the dialler makes, in the order of its list."""
    parts = [_one_shift(rng, shift) for shift in shifts]
    who = np.concatenate([np.full(len(p), s.card) for p, s in zip(parts, shifts, strict=True)])
    start, talk = np.concatenate(parts).T
    order = np.argsort(start)
    who, start, talk = who[order], start[order], talk[order]
    other = _dealt(rng, len(who), victims)
    attempts = calls(rng, (number[who], other), start, talk, (talk > 0).astype(np.float64))
    dead = pl.Series(rng.random(len(who)) < DEAD_NUMBERS) & ~pl.col("answered")
    return attempts.with_columns(cause=pl.when(dead).then(UNALLOCATED).otherwise("cause"))


def _one_shift(rng: Rng, shift: Shift) -> Floats:
    """Start and talk time of each call of one card: one after the other, to the day's quota."""
    length = shift.end - shift.start
    count = max(3, int(rng.uniform(40, 90) * length / SESSION_S))
    talk = np.where(rng.random(count) < ANSWERED, _talk(rng, count), 0).round()
    ringing = rng.uniform(4, 38, count)
    busy = talk + ringing
    idle = max(length - busy.sum(), 0.0) * rng.dirichlet(np.full(count, 1.3))
    start = shift.start + np.cumsum(idle + busy) - busy
    return np.stack([start, talk], axis=1)[start + busy < shift.end + 300]


def _talk(rng: Rng, count: int) -> Floats:
    """Most hang up at once, some listen, a few are held for half an hour."""
    kinds = np.stack(
        [
            rng.uniform(2, 15, count),
            talk_seconds(rng, count, 38, 0.8),
            talk_seconds(rng, count, 170, 0.6),
            rng.uniform(900, 2600, count),
        ]
    )
    return kinds[rng.choice(4, count, p=[0.46, 0.37, 0.15, 0.02]), np.arange(count)]


def _dealt(rng: Rng, count: int, victims: Ints) -> Ints:
    """The list: strangers all over the country, part of them block by block, few tried twice."""
    numbers = strangers(rng, count, 0.4, 0.04)
    blocks = rng.choice(numbers // 10_000, 60)
    in_block = rng.random(count) < 0.3
    numbers = np.where(
        in_block, rng.choice(blocks, count) * 10_000 + rng.integers(0, 10_000, count), numbers
    )
    numbers[rng.choice(count, len(victims), replace=False)] = victims
    earlier = np.arange(count) - rng.integers(40, 900, count)
    again = (rng.random(count) < 0.07) & (earlier >= 0)
    return np.where(again, numbers[np.maximum(earlier, 0)], numbers)


def _rings_back(rng: Rng, dialled: pl.DataFrame, number: Ints, shifts: list[Shift]) -> pl.DataFrame:
    """People who ring back: nobody takes the call, and only a powered card sees it at all."""
    curious = dialled.filter(pl.Series(rng.random(len(dialled)) < RINGS_BACK))
    curious = curious.filter(pl.col("cause") != UNALLOCATED)
    start = curious["start"].to_numpy() + 60 + 500 * np.exp(rng.normal(0, 1.3, len(curious)))
    card = np.argsort(number)[np.searchsorted(np.sort(number), curious["a"].to_numpy())]
    powered = np.zeros(len(start), dtype=bool)
    for shift in shifts:
        powered |= (card == shift.card) & (start > shift.start) & (start < shift.end)
    a, b = curious["b"].to_numpy()[powered], curious["a"].to_numpy()[powered]
    never = np.zeros(len(a))
    return calls(rng, (a, b), start[powered], never, never)


def _lent_life(rng: Rng, cards: Lines, order: Ints) -> pl.DataFrame:
    """Monday's few calls of the cards that villagers lent for money."""
    who = np.repeat(order[LENT], rng.integers(3, 9, 5))
    friends = strangers(rng, CARDS * 3, 0.6).reshape(CARDS, 3)
    friend, me = friends[who, rng.integers(0, 3, len(who))], cards.number[who]
    mine = rng.random(len(who)) < 0.5
    monday = np.zeros((1, HOURS))
    monday[0, 8:21] = 1
    start = moments(rng, monday, np.zeros(len(who), dtype=np.int64))
    talk = talk_seconds(rng, len(who), 45)
    caller, called = np.where(mine, me, friend), np.where(mine, friend, me)
    return calls(rng, (caller, called), start, talk, np.full(len(who), 0.75))


def _notices(rng: Rng, cards: Lines, shifts: list[Shift]) -> list[pl.DataFrame]:
    """The operator's welcome to each card on its first day, then the usual notices."""
    first = {shift.card: shift.start for shift in reversed(shifts)}
    who = np.repeat(np.array(sorted(first)), 2)
    start = np.array([first[c] for c in who.tolist()]) + rng.exponential(200, len(who))
    welcome = texts(np.full(len(who), OPERATOR), cards.number[who], start)
    return [welcome, service_texts(rng, cards, 1.6)]
