"""Shared phones: payphones, phones in dormitories, the phone of a village.

Many people come one after the other, each with contacts of their own, make a call or a few, and
leave.  Hardly anybody rings a payphone; a village's phone is rung to have somebody fetched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    CLEARED,
    Attempts,
    Floats,
    Ints,
    Manners,
    Rng,
    calls,
    talk_seconds,
)
from simbox.simulation.clock import PEOPLE_HOURS, hashed, moments_each
from simbox.simulation.group import Group, Kind, OneHandset
from simbox.simulation.lookalikes.habits import (
    Numbers,
    alone,
    between,
    counted,
    events,
    fresh_seed,
    often_first,
    on_day,
    one_after_another,
)
from simbox.simulation.lookalikes.private_life import PrivateLife, private_life
from simbox.simulation.movement import desk
from simbox.simulation.surroundings import Surroundings

PAYPHONE, VILLAGE = "lookalike/payphone", "lookalike/village_phone"
USERS = 10**5  # more than any phone has


@dataclass(frozen=True)
class SharedPhones:
    """Who comes to the phone and whom they call; one element or row a member."""

    first: int
    users: Ints  # people who use it at all
    regular: Floats  # how much some of them come more often than others: 1 not at all
    visits: Floats  # a day
    more: Floats  # chance of one more call on the same visit
    pause: Floats  # s between two calls of a visit, on average
    contacts: Ints  # of each user
    far: Floats  # share of users whose contacts are abroad
    answer: Floats
    talk: Floats  # median, s
    redial: Floats
    callback: Floats
    returned: Floats  # chance that somebody near the phone takes it
    inbound: Floats  # calls in a day
    curve: Floats  # hours, shape (members, 24)
    numbers: Numbers
    owner: PrivateLife
    lives: Floats  # 1 where the phone is its owner's too

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """Visits, calls in, and the owner's own calls."""
        return on_day(
            [
                self._visits(rng, day),
                self._fetched(rng, day),
                self.owner.of(rng, self.first, day, self.lives),
            ],
            day,
        )

    def _contact(self, rng: Rng, phone: Ints, user: Ints) -> Ints:
        person = phone * USERS + user
        place = often_first(rng, len(phone), self.contacts[phone], 1.5)
        far = self.numbers.abroad(person, place)
        abroad = hashed(self.numbers.seed, person) < self.far[phone]
        return np.where(abroad, far, self.numbers.party(person, place))

    def _user(self, rng: Rng, phone: Ints) -> Ints:
        drawn = rng.random(len(phone)) ** self.regular[phone]
        return np.asarray((drawn * self.users[phone]).astype(np.int64))

    def _visits(self, rng: Rng, day: int) -> Attempts:
        came = events(rng, self.visits)
        user = self._user(rng, came)
        begin = moments_each(rng, self.curve, came, day)
        visit, _ = counted(rng.geometric(1 - self.more[came]))
        phone = came[visit]
        talk = self.talk[phone] * talk_seconds(rng, len(visit), 1.0, 1.0)
        manners = Manners(self.redial[phone], self.callback[phone], self.returned[phone])
        sides = (self.first + phone, self._contact(rng, phone, user[visit]))
        made = calls(rng, sides, begin[visit], talk, (self.answer[phone], manners))
        # A call that nobody takes costs half a minute; then comes the next number.
        takes = np.where(made.cause == CLEARED, made.talk + 9, 26)
        takes = takes + rng.exponential(1.0, len(visit)) * self.pause[phone]
        since = one_after_another(visit, takes)
        return Attempts(**{**vars(made), "start": begin[visit] + since})

    def _fetched(self, rng: Rng, day: int) -> Attempts:
        phone = events(rng, self.inbound)
        caller = self._contact(rng, phone, self._user(rng, phone))
        start = moments_each(rng, self.curve, phone, day)
        how = (np.full(len(phone), 0.6), Manners(0.5, 0.1, 0.9))
        talk = talk_seconds(rng, len(phone), 60, 1.3)
        return calls(rng, (caller, self.first + phone), start, talk, how)


def build_payphones(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Phones in streets, stations, dormitories and barracks; nobody lives with them."""
    inbound = np.where(rng.random(count) < 0.5, 0.0, between(rng, 0.05, 2, count))
    phones = _phones(rng, around, first, (inbound, between(rng, 2, 60, count), np.zeros(count)))
    return _group(rng, around, phones, PAYPHONE)


def build_village_phones(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Phones whose owners let the village use them, for money."""
    visits = between(rng, 1.5, 40, count)
    inbound = visits * rng.uniform(0.1, 0.9, count)
    phones = _phones(rng, around, first, (inbound, visits, np.ones(count)))
    return _group(rng, around, phones, VILLAGE)


def _phones(
    rng: Rng, around: Surroundings, first: int, rates: tuple[Floats, Floats, Floats]
) -> SharedPhones:
    inbound, visits, lives = rates
    count = len(visits)
    evening = np.ones((count, 24))
    evening[:, 18:23] += np.where(rng.random((count, 1)) < 0.35, rng.uniform(1, 8, (count, 1)), 0)
    shared = rng.random(count) < 0.15  # one contact abroad each, as in hostels of foreign workers
    return SharedPhones(
        first=first,
        users=np.ceil(visits * between(rng, 1.5, 40, count)).astype(np.int64),
        regular=rng.uniform(1, 3, count),
        visits=visits,
        more=rng.uniform(0.05, 0.6, count),
        pause=between(rng, 8, 60, count),
        contacts=rng.integers(1, 7, count),
        far=np.where(shared, rng.uniform(0.3, 0.95, count), rng.beta(1, 20, count)),
        answer=rng.uniform(0.5, 0.85, count),
        talk=between(rng, 40, 240, count),
        redial=rng.uniform(0.1, 0.6, count),
        callback=rng.beta(1.2, 8, count),
        returned=rng.beta(1.2, 3, count),
        inbound=inbound,
        curve=PEOPLE_HOURS[0] * evening * np.exp(rng.normal(0, 0.3, (count, 24))),
        numbers=Numbers(around, fresh_seed(rng), own=0.55),
        owner=private_life(rng, around, count, (0.3, 6.0), fresh_seed(rng)),
        lives=lives,
    )


def _group(rng: Rng, around: Surroundings, phones: SharedPhones, kind: str) -> Group:
    count, shop = len(phones.visits), around.shop
    wireless = rng.random(count) < (0.7 if kind == PAYPHONE else 0.3)
    place = around.country.homes(rng, count)
    return Group(
        kind=kind,
        first=phones.first,
        size=count,
        movement=desk(rng, around.country, place, fresh_seed(rng)),
        handsets=OneHandset(np.where(wireless, shop.modules(count), shop.simple_phones(count))),
        day=phones,
        batch=np.sort(rng.integers(0, max(count // 4, 1), count))
        if kind == PAYPHONE
        else alone(count),
    )


PAYPHONES = Kind(
    PAYPHONE,
    "payphones and phones of dormitories: many callers, hardly a call in",
    "lines",
    60,
    build_payphones,
)
VILLAGE_PHONES = Kind(
    VILLAGE,
    "phones that villages share: many callers, and calls to have somebody fetched",
    "lines",
    60,
    build_village_phones,
)
