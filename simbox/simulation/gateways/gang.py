"""The rooms of one kind as a group: every day's dialling, and what happens around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simbox.simulation.attempts import (
    ABSENT,
    BUSY,
    CLEARED,
    DAY_S,
    GAVE_UP,
    NO_ANSWER,
    UNALLOCATED,
    Attempts,
    Floats,
    Ints,
    Rng,
    together,
)
from simbox.simulation.gateways import social
from simbox.simulation.gateways.ports import SPAN_S, Places, Rack, Tenures, all_tenures, in_order
from simbox.simulation.gateways.seating import Seating
from simbox.simulation.gateways.social import Circle, Company
from simbox.simulation.gateways.targets import LIST_A_DAY, Lists, numbers
from simbox.simulation.gateways.traffic import (
    LEAST_GAP_S,
    Dialled,
    Pace,
    Spans,
    both,
    dial,
    given_cards,
    within_quota,
    without,
)
from simbox.simulation.group import Group, Room
from simbox.simulation.movement import Desk
from simbox.simulation.surroundings import Surroundings

CLOSE_S = 600.0  # a port without a card for less than this is still dialled
MISSED = (NO_ANSWER, BUSY, ABSENT, GAVE_UP)
MISSED_SHARES = (0.5, 0.12, 0.13, 0.25)  # a dialler gives up sooner than people do


@dataclass(frozen=True)
class Habits:
    """Manners of the rooms of a group."""

    pace: Pace
    lists: Lists
    company: Company


@dataclass(frozen=True)
class Gang:
    """The rooms of one kind."""

    rack: Rack
    circle: Circle
    habits: Habits
    port_room: Ints  # the room of each port
    first_use: Floats  # s, one a card: when it comes into a port of the gang
    around: Surroundings
    fixed: bool = False

    def day(self, rng: Rng, day: int) -> Attempts:
        """All that starts on a day: calls of the rooms, calls and texts to them, earlier lives."""
        stays = self.rack.tenures.on(day)
        lives, stays = stays.where(stays.life), stays.where(~stays.life)
        parts, taken = self._company(rng, stays, day)
        made = self._dialled(rng, stays, taken, self._engaged(parts[:2]))
        parts += [made, self._rings_back(rng, made, day)]
        life = social.earlier_life(rng, lives, self.circle, self.around, fixed=self.fixed)
        return together([*parts, life])

    def _company(self, rng: Rng, stays: Tenures, day: int) -> tuple[list[Attempts], Spans]:
        company, circle = self.habits.company, self.circle
        within, taken = social.calls_within(rng, self.rack, stays, circle, company)
        outside, more = social.calls_from_outside(rng, stays, circle, company, self.around)
        free = _beside(more, taken)
        parts = [within, outside.where(free)]
        if not self.fixed:
            fresh = (self.first_use >= day * DAY_S) & (self.first_use < (day + 1) * DAY_S)
            new = stays.where(fresh[stays.sim] & (stays.begins == self.first_use[stays.sim]))
            parts.append(social.texts_sent(rng, stays, circle, company, self.around))
            parts.append(social.notices(rng, stays, circle, company))
            parts.append(social.welcomes(rng, new, circle, self.around))
        return parts, both(taken, social.pick(more, free))

    def _dialled(self, rng: Rng, stays: Tenures, taken: Spans, engaged: Spans) -> Attempts:
        pace, sims = self.habits.pace, self.circle.room
        spans = _merged(stays)
        port, start, talk = dial(rng, spans, self.port_room[spans.port], pace)
        made = given_cards(self.rack, port, start, talk)
        for who, when in ((self.rack.tenures.port, taken), (self.rack.tenures.sim, engaged)):
            made = without(made, who[made.stay], when)
        made = within_quota(self.rack, made, sims, pace)
        return self._with_parties(rng, made)

    def _engaged(self, made: Sequence[Attempts]) -> Spans:
        """When cards (in the place of ports) speak with their own company."""
        spoken = together(made)
        start, ends = spoken.start, spoken.start + spoken.talk
        sides = [Spans(side - self.circle.first, start, ends) for side in (spoken.a, spoken.b)]
        return both(*sides)

    def _with_parties(self, rng: Rng, made: Dialled) -> Attempts:
        """The calls with their parties, dealt from each room's list in the order of time."""
        lists, company = self.habits.lists, self.habits.company
        room = self.port_room[self.rack.tenures.port[made.stay]]
        order = np.argsort(room * SPAN_S + made.start, kind="stable")
        made, room = made.where(order), room[order]
        day = (made.start // DAY_S).astype(np.int64)
        place = day * LIST_A_DAY + np.arange(len(room)) - np.searchsorted(room, room)
        other = numbers(rng, lists, self.around, room, place)
        sim = self.rack.tenures.sim[made.stay]
        which = (rng.random(len(sim)) ** 2 * company.family_size[room]).astype(np.int64)
        kin = rng.random(len(sim)) < company.family[room]
        elsewhere = social.accomplice(self.circle, self.around, sim, which)
        other = np.where(kin, elsewhere, other)
        dead = (other < 0) & (rng.random(len(sim)) < lists.dead[room]) & ~kin
        missed = rng.choice(MISSED, len(sim), p=MISSED_SHARES)
        talk = np.where(dead, 0.0, made.talk)
        return Attempts(
            a=self.circle.first + sim,
            b=other,
            start=made.start,
            talk=talk,
            cause=np.where(dead, UNALLOCATED, np.where(talk > 0, CLEARED, missed)),
            text=np.zeros(len(sim), dtype=bool),
            redial=np.zeros(len(sim)),
            callback=np.where(dead | kin, 0.0, company.callback[room]),
            returned=np.broadcast_to(company.returned[room], len(sim)),
        )

    def _rings_back(self, rng: Rng, made: Attempts, day: int) -> Attempts:
        room = self.circle.room[made.a - self.circle.first]
        return social.ring_backs(rng, made, self.habits.company.rings_back[room], day)


def _merged(stays: Tenures) -> Spans:
    """Stretches in which ports dial: stays that follow each other closely are one."""
    stays = stays.where(stays.works)
    stays = stays.where(np.lexsort((stays.begins, stays.port)))
    port, begins, ends = stays.port, stays.begins, stays.ends
    if not len(port):
        return Spans(port, begins, ends)
    pause = np.append(np.inf, begins[1:] - ends[:-1])
    pause[1:][port[1:] != port[:-1]] = np.inf
    opens = np.flatnonzero(pause > CLOSE_S)
    return Spans(port[opens], begins[opens], ends[np.append(opens[1:] - 1, len(port) - 1)])


def _beside(when: Spans, taken: Spans) -> Ints:
    """Which stretches leave the ports alone that are taken already."""
    order = np.argsort(taken.port * SPAN_S + taken.begins, kind="stable")
    key = taken.port[order] * SPAN_S
    begins, ends = key + taken.begins[order], np.append(key + taken.ends[order], -np.inf)
    mine = when.port * SPAN_S
    last = np.searchsorted(begins, mine + when.ends + LEAST_GAP_S, side="right") - 1
    return np.flatnonzero(ends[last] + LEAST_GAP_S < mine + when.begins)


def assemble(habits: Habits, seats: Sequence[Seating], around: Surroundings, first: int) -> Gang:
    """The rooms of a kind under one roof: cards and ports of all count through."""
    cards, ports = _starts([s.cards for s in seats]), _starts([s.port_count for s in seats])
    tenures = in_order(
        all_tenures(
            replace(s.tenures, sim=s.tenures.sim + card, port=s.tenures.port + port)
            for s, card, port in zip(seats, cards.tolist(), ports.tolist(), strict=False)
        )
    )
    numbers_of = np.arange(len(seats))
    port_room = np.repeat(numbers_of, np.diff(ports))
    mine = tenures.where(~tenures.life)
    first_use = np.full(cards[-1], np.inf)
    np.minimum.at(first_use, mine.sim, mine.begins)
    return Gang(
        rack=Rack(tenures, _places(seats, tenures, port_room, around)),
        circle=Circle(np.repeat(numbers_of, np.diff(cards)), cards[:-1], np.diff(cards), first),
        habits=habits,
        port_room=port_room,
        first_use=first_use,
        around=around,
    )


def _starts(sizes: Sequence[int]) -> Ints:
    return np.cumsum([0, *sizes], dtype=np.int64)


def _places(
    seats: Sequence[Seating], tenures: Tenures, port_room: Ints, around: Surroundings
) -> Places:
    """Ports at their desks, the phones of earlier owners about their homes."""
    home, life = np.zeros(len(port_room), dtype=np.int64), np.zeros(len(port_room), dtype=bool)
    home[tenures.port] = tenures.cell
    np.logical_or.at(life, tenures.port, tenures.life)
    flap = np.array([s.recipe.flap for s in seats])[port_room]
    stray = np.array([s.recipe.stray for s in seats])[port_room]
    desk = Desk(home, flap, stray, around.country, around.seed + 5)
    return Places(desk, life, around.country, around.seed + 6)


def as_group(kind: str, gang: Gang, seats: Sequence[Seating]) -> Group:
    """The rooms as a group of the world, with what the labels tell of them."""
    rooms = tuple(
        Room(
            kind=kind,
            ports=s.recipe.ports,
            cells=tuple(np.unique(s.recipe.cells).tolist()),
            shifts=tuple((float(opens), float(closes)) for opens, closes in s.recipe.sessions),
        )
        for s in seats
    )
    bought = np.cumsum([0, *(int(s.batch.max()) + 1 for s in seats)])
    return Group(
        kind=kind,
        first=gang.circle.first,
        size=len(gang.circle.room),
        movement=gang.rack,
        handsets=gang.rack,
        day=gang.day,
        batch=np.concatenate([s.batch + b for s, b in zip(seats, bought.tolist(), strict=False)]),
        presence=gang.rack,
        room=gang.circle.room,
        rooms=rooms,
    )


def gather(
    kind: str, habits: Habits, seats: Sequence[Seating], around: Surroundings, first: int
) -> Group:
    """A group of rooms on mobile lines that stay where they are."""
    return as_group(kind, assemble(habits, seats, around, first), seats)
