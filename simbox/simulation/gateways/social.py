"""What cards do besides dialling: calls and texts among themselves, notices, ring-backs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    DAY_S,
    HOUR_S,
    NO_MANNERS,
    PEOPLE,
    Attempts,
    Bools,
    Floats,
    Ints,
    Manners,
    Rng,
    calls,
    no_attempts,
    talk_seconds,
    texts,
    together,
)
from simbox.simulation.clock import PEOPLE_HOURS, hashed
from simbox.simulation.gateways.ports import SPAN_S, Rack, Tenures
from simbox.simulation.gateways.traffic import Spans, both
from simbox.simulation.numbering import CODE_TEXTS, OPERATOR_TEXTS
from simbox.simulation.surroundings import Surroundings

AT_POWER_ON = 0.4  # of texts wait for the card to come up
WELCOMES = 2.0  # texts that the operator sends to a new card
FRIENDS = 8  # of a card's earlier owner


@dataclass(frozen=True)
class Company:
    """Habits of each room besides dialling; one array element a room, rates a card and day."""

    mutual: Floats  # calls to another card of the room
    mutual_s: Floats  # median length of those
    mutual_spread: Floats
    outside: Floats  # calls from accomplices elsewhere
    texting: Floats  # texts to cards of the room and to accomplices
    family: Floats  # share of dialled calls that go to a few numbers again and again
    family_size: Ints  # how many numbers those are
    sleeps: Bools  # the above happens at people's hours
    notices: Floats  # texts from the operator and advertisers
    codes: Floats  # one-time codes
    rings_back: Floats  # chance that a victim rings back after a call that it took
    callback: Floats  # chance that one rings back after a call that it missed
    returned: Floats  # chance that the box takes such a call


@dataclass(frozen=True)
class Circle:
    """Who belongs to which room; cards and ports by their number in the group."""

    room: Ints  # one a card
    first_card: Ints  # one a room
    cards: Ints  # one a room
    first: int  # index of the first card in the world


def accomplice(circle: Circle, around: Surroundings, sim: Ints, which: Ints) -> Ints:
    """A helper of the gang who has a number elsewhere: of the whole room, or of one card."""
    room = circle.room[sim]
    shared = hashed(around.seed + 29, room) < 0.5
    key = np.where(shared, room, len(circle.cards) + sim)
    drawn = hashed(around.seed + 31, key, which)
    return around.numbering.elsewhere_of(np.full(len(sim), 0.5), drawn)


def neighbour(circle: Circle, sim: Ints, which: Ints) -> Ints:
    """The card at a place of a card's list of others of the room."""
    first, cards = circle.first_card[circle.room[sim]], circle.cards[circle.room[sim]]
    return np.asarray(first + (sim - first + 1 + which) % cards)


def family(circle: Circle, around: Surroundings, sim: Ints, which: Ints) -> Ints:
    """The number at a place of a card's family list: cards of the room and accomplices."""
    near = neighbour(circle, sim, which)
    inside = (hashed(around.seed + 37, sim, which) < 0.6) & (near != sim)
    return np.where(inside, circle.first + near, accomplice(circle, around, sim, which))


def _moments(rng: Rng, stays: Tenures, rate: Floats) -> tuple[Ints, Floats]:
    """Rows of stays and moments in them, so many a card and day on the average."""
    _, row = np.unique(stays.sim, return_inverse=True)
    length = stays.ends - stays.begins
    share = length / np.bincount(row, length)[row] if len(row) else length
    which = np.repeat(np.arange(len(stays)), rng.poisson(rate * share))
    return which, stays.begins[which] + rng.random(len(which)) * length[which]


def _by_day(
    rng: Rng, stays: Tenures, circle: Circle, company: Company, rate: Floats
) -> tuple[Ints, Floats]:
    """Moments of imitated company: in rooms that think of it, at people's hours only."""
    room = circle.room[stays.sim]
    row, start = _moments(rng, stays, rate[room])
    hours = PEOPLE_HOURS[0] / PEOPLE_HOURS[0].max()
    awake = hours[np.minimum(start % DAY_S // HOUR_S, 23).astype(np.int64)]
    kept = (rng.random(len(row)) < awake) | ~company.sleeps[room[row]]
    return row[kept], start[kept]


def calls_within(
    rng: Rng, rack: Rack, stays: Tenures, circle: Circle, company: Company
) -> tuple[Attempts, Spans]:
    """Calls between cards of a room, and the stretches in which both their ports are taken."""
    row, start = _by_day(rng, stays, circle, company, company.mutual)
    sim = stays.sim[row]
    room = circle.room[sim]
    which = (rng.random(len(row)) ** 2 * company.family_size[room]).astype(np.int64)
    other = neighbour(circle, sim, which)
    talk = company.mutual_s[room] * np.exp(rng.normal(0, 1, len(row)) * company.mutual_spread[room])
    talk = np.clip(talk, 3, 1800)
    mine, its = rack.stay(sim, start), rack.stay(other, start)
    able = rack.reachable(other, start) & (other != sim) & ~rack.tenures.life[its]
    able &= start + talk < np.minimum(rack.tenures.ends[mine], rack.tenures.ends[its])
    taken = Spans(rack.tenures.port[mine], start, start + talk)
    partner = Spans(rack.tenures.port[its], start, start + talk)
    kept = np.flatnonzero(able)
    kept = kept[_clear(pick(taken, kept), pick(partner, kept))]
    made = calls(
        rng,
        (circle.first + sim[kept], circle.first + other[kept]),
        start[kept],
        talk[kept],
        (np.full(len(kept), 1.0), NO_MANNERS),
    )
    return made, both(pick(taken, kept), pick(partner, kept))


def calls_from_outside(
    rng: Rng, stays: Tenures, circle: Circle, company: Company, around: Surroundings
) -> tuple[Attempts, Spans]:
    """Calls that accomplices make to the cards, and when those take their ports."""
    row, start = _by_day(rng, stays, circle, company, company.outside)
    sim = stays.sim[row]
    room = circle.room[sim]
    caller = accomplice(circle, around, sim, rng.integers(0, company.family_size[room]))
    talk = np.clip(talk_seconds(rng, len(row), 1.0, 0.7) * company.mutual_s[room], 3, 1800)
    taken = Spans(stays.port[row], start, start + talk)
    kept = np.flatnonzero(start + talk < stays.ends[row])
    kept = kept[_clear(pick(taken, kept), pick(taken, kept[:0]))]
    made = calls(
        rng,
        (caller[kept], circle.first + sim[kept]),
        start[kept],
        talk[kept],
        (np.full(len(kept), 1.0), NO_MANNERS),
    )
    return made, pick(taken, kept)


def pick(spans: Spans, chosen: Ints) -> Spans:
    """Those that an index chooses."""
    return Spans(spans.port[chosen], spans.begins[chosen], spans.ends[chosen])


def _clear(one: Spans, other: Spans) -> Ints:
    """Which stretches meet no earlier one on either of their ports."""
    spans = both(one, other)
    order = np.lexsort((spans.begins, spans.port))
    port, begins, ends = spans.port[order], spans.begins[order], spans.ends[order]
    offset = port * SPAN_S
    until = np.maximum.accumulate(np.append(-1.0, offset + ends)[:-1])
    clash = np.zeros(len(port), dtype=bool)
    clash[order] = offset + begins < until + 4.0
    count = len(one.port)
    partner = clash[count:] if len(other.port) else np.zeros(count, dtype=bool)
    return np.flatnonzero(~(clash[:count] | partner))


def texts_sent(
    rng: Rng, stays: Tenures, circle: Circle, company: Company, around: Surroundings
) -> Attempts:
    """Texts to cards of the room and to accomplices, and theirs."""
    row, start = _by_day(rng, stays, circle, company, company.texting)
    sim = stays.sim[row]
    which = (rng.random(len(row)) ** 2 * company.family_size[circle.room[sim]]).astype(np.int64)
    other, mine = family(circle, around, sim, which), circle.first + sim
    out = rng.random(len(row)) < 0.7
    return texts(np.where(out, mine, other), np.where(out, other, mine), start)


def notices(rng: Rng, stays: Tenures, circle: Circle, company: Company) -> Attempts:
    """The operator's notices, adverts and one-time codes, many of them as a card comes up."""
    room = circle.room[stays.sim]
    parts = []
    for rate, senders in ((company.notices, OPERATOR_TEXTS), (company.codes, CODE_TEXTS)):
        row, start = _moments(rng, stays, rate[room])
        waited = rng.random(len(row)) < AT_POWER_ON
        soon = stays.begins[row] + rng.exponential(90, len(row))
        start = np.where(waited & (soon < stays.ends[row]), soon, start)
        parts.append(texts(-rng.choice(senders, len(row)), circle.first + stays.sim[row], start))
    return together(parts)


def welcomes(rng: Rng, stays: Tenures, circle: Circle, around: Surroundings) -> Attempts:
    """What the operator sends to new cards, not to old stock, in these, their first stays."""
    seed = around.seed + 43
    new = hashed(seed, stays.sim) < hashed(seed + 1, circle.room[stays.sim])
    stays = stays.where(new)
    row = np.repeat(np.arange(len(stays)), rng.poisson(WELCOMES, len(stays)))
    start = stays.begins[row] + rng.exponential(150, len(row))
    kept = start < stays.ends[row]
    to = circle.first + stays.sim[row[kept]]
    return texts(np.full(len(to), -OPERATOR_TEXTS[0]), to, start[kept])


def ring_backs(rng: Rng, dialled: Attempts, chance: Floats, day: int) -> Attempts:
    """Victims who call the strange number back after they took its call: nobody answers."""
    curious = dialled.where((rng.random(len(dialled)) < chance) & (dialled.talk > 0))
    wait = 60 + 500 * np.exp(rng.normal(0, 1.3, len(curious)))
    start = curious.start + curious.talk + wait
    nobody = (np.zeros(len(curious)), Manners(0.15, 0.0, 0.0))
    back = calls(rng, (curious.b, curious.a), start, np.zeros(len(curious)), nobody)
    return back.where(back.start < (day + 1) * DAY_S)


def earlier_life(
    rng: Rng, stays: Tenures, circle: Circle, around: Surroundings, *, fixed: bool
) -> Attempts:
    """A day of the people whose cards or lines a gang has later, or outside its hours."""
    if not len(stays):
        return no_attempts()
    seed = around.seed + 41
    lively = np.exp(hashed(seed, stays.sim) * 2.5 - 0.5)  # calls a day
    row = np.repeat(np.arange(len(stays)), rng.poisson(lively * 1.6))
    curve = PEOPLE_HOURS[around.weekend(int(stays.begins.min() // DAY_S))]
    share = np.cumsum(np.append(0.0, curve)) / curve.sum()
    of_day = np.interp(rng.random(len(row)), share, np.arange(25) * float(HOUR_S))
    start = stays.begins[row] // DAY_S * DAY_S + of_day
    talk = talk_seconds(rng, len(row), 45)
    kept = (start >= stays.begins[row]) & (start + talk < stays.ends[row])
    row, start, talk = row[kept], start[kept], talk[kept]
    sim = stays.sim[row]
    which = (rng.random(len(row)) ** 2.5 * FRIENDS).astype(np.int64)
    drawn = hashed(seed + 1, sim, which)
    friend = _friend(around, drawn, hashed(seed + 2, sim, which))
    mine, out = circle.first + sim, rng.random(len(row)) < 0.5
    a, b = np.where(out, mine, friend), np.where(out, friend, mine)
    text = (rng.random(len(row)) < 0.25) & (not fixed)
    written = texts(a[text], b[text], start[text])
    answer = np.full(int((~text).sum()), 0.74)
    spoken = calls(rng, (a[~text], b[~text]), start[~text], talk[~text], (answer, PEOPLE))
    return together([written, spoken])


def _friend(around: Surroundings, drawn: Floats, which: Floats) -> Ints:
    """One of somebody's few contacts."""
    first, end = around.people
    inside = first + (drawn * max(end - first, 1)).astype(np.int64)
    elsewhere = around.numbering.elsewhere_of(drawn, which)
    return np.where((which < 0.6) & (end > first), inside, elsewhere)
