"""Calls and texts besides friends: shops, offices, customers, strangers, services, notices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    DAY_S,
    HOUR_S,
    Attempts,
    Floats,
    Ints,
    Manners,
    Rng,
    calls,
    talk_seconds,
    texts,
    together,
)
from simbox.simulation.clock import hashed
from simbox.simulation.geography import SECTORS
from simbox.simulation.numbering import CODE_TEXTS, OPERATOR_TEXTS, SERVICES
from simbox.simulation.ordinary import rhythm
from simbox.simulation.ordinary.persons import Persons
from simbox.simulation.ordinary.talk import Talk
from simbox.simulation.surroundings import Surroundings

SHOP, SHOP_NUMBER, PLAN_DAY, CUSTOMER, CUSTOMER_NUMBER, SEARCHING = range(601, 607)
USUAL_SHOPS, SHOPS_A_MAST = 8, 25
RINGS_BACK_SHARE = 0.35  # of talk with shops and offices is begun by them
STRANGERS_IN, STRANGERS_OUT = 0.13, 0.035  # calls a day for each line
SERVICE_CALLS, SERVICE_TEXTS = 0.02, 0.02
BUSINESS = Manners(0.3, 0.45, 0.85)
UNKNOWN = Manners(0.08, 0.15, 0.5)


@dataclass(frozen=True)
class Errands:
    """What people do on the phone besides talking to those they know."""

    who: Persons
    talk: Talk
    around: Surroundings
    wide: Ints  # lines of small traders
    customers: Floats  # calls with customers a day, one a trader
    book: Ints  # customers, one a trader
    seekers: Ints  # lines of job and flat seekers
    search: Floats  # calls to strangers on a day of search, one a seeker
    feast: Ints  # lines that ring round once
    feast_day: Ints
    guests: Ints  # calls that each of them makes

    def of(self, rng: Rng, day: int) -> Attempts:
        """A day of it."""
        return together(
            [
                self._shops(rng, day),
                self._strangers(rng, day),
                self._services(rng, day),
                self._notices(rng, day),
                self._trade(rng, day),
                self._search(rng, day),
                self._invite(rng, day),
            ]
        )

    def _start(self, rng: Rng, who: Ints, curve: int, day: int) -> Floats:
        weekend = self.around.weekend(day)
        shift = np.clip(self.who.shift[who], -2, 2)
        return rhythm.moments(rng, weekend, curve, shift, day)

    def _shops(self, rng: Rng, day: int) -> Attempts:
        """Calls with shops, offices, schools and clinics, mostly the usual ones near home."""
        who = _events(rng, self.who.errands)
        usual = (rng.random(len(who)) ** 2.2 * USUAL_SHOPS).astype(np.int64)
        seed = self.around.seed
        mast = self.who.home[who] // SECTORS
        rank = (hashed(seed + SHOP, who, usual) ** 2.5 * SHOPS_A_MAST).astype(np.int64)
        far = rng.random(len(who)) < 0.25  # a hotline of the whole country
        shop = np.where(far, -1 - rank * 7, mast * SHOPS_A_MAST + rank)
        number = self.around.numbering.elsewhere_of(
            hashed(seed + SHOP_NUMBER, shop) * 0.2, hashed(seed + SHOP_NUMBER + 1, shop)
        )
        back = rng.random(len(who)) < RINGS_BACK_SHARE * np.minimum(1, 5 * self.who.exposure[who])
        sides = np.where(back, number, who), np.where(back, who, number)
        talk = talk_seconds(rng, len(who), 40, 1.0)
        answer = np.where(back, self.who.takes[who], 0.84)
        start = self._start(rng, who, rhythm.OFFICE, day)
        return calls(rng, sides, start, talk, (answer, BUSINESS))

    def _strangers(self, rng: Rng, day: int) -> Attempts:
        """Wrong numbers, advertising, deliverers, parked cars in the way."""
        called = _events(rng, STRANGERS_IN * self.who.exposure)
        caller = _events(rng, STRANGERS_OUT * np.sqrt(self.who.activity))
        a = np.concatenate([self.around.strangers(rng, len(called), 0.3), caller])
        b = np.concatenate([called, self.around.strangers(rng, len(caller), 0.55)])
        who = np.concatenate([called, caller])
        answer = np.where(rng.random(len(a)) < 0.1, 0.0, 0.55)
        talk = talk_seconds(rng, len(a), 18, 1.0)
        start = self._start(rng, who, rhythm.OFFICE, day)
        return calls(rng, (a, b), start, talk, (answer, UNKNOWN))

    def _services(self, rng: Rng, day: int) -> Attempts:
        """Calls to short codes and texts to the operator."""
        who = _events(rng, np.full(len(self.who), SERVICE_CALLS))
        code = -rng.choice(SERVICES, len(who))
        asks = _events(rng, np.full(len(self.who), SERVICE_TEXTS))
        talk = talk_seconds(rng, len(who), 70, 1.0)
        answer = np.full(len(who), 0.97)
        start = self._start(rng, who, rhythm.PEOPLE, day)
        spoken = calls(rng, (who, code), start, talk, (answer, Manners(0.3, 0, 0)))
        asked = self._start(rng, asks, rhythm.PEOPLE, day)
        operator = np.full(len(asks), -OPERATOR_TEXTS[0])
        answers = texts(operator, asks, asked + rng.uniform(2, 15, len(asks)))
        return together([spoken, texts(asks, operator, asked), answers])

    def _notices(self, rng: Rng, day: int) -> Attempts:
        """The operator's notices, one-time codes, banks, adverts."""
        who = _events(rng, self.who.notices)
        operator = rng.random(len(who)) < 0.4
        sender = np.where(
            operator, rng.choice(OPERATOR_TEXTS, len(who)), rng.choice(CODE_TEXTS, len(who))
        )
        start = self._start(rng, who, rhythm.PEOPLE, day)
        again = rng.random(len(who)) < 0.12  # the code did not come, or a second was needed
        soon = start[again] + rng.uniform(20, 300, int(again.sum()))
        return together([texts(-sender, who, start), texts(-sender[again], who[again], soon)])

    def _trade(self, rng: Rng, day: int) -> Attempts:
        """Traders and their customers, old and new, both ways."""
        free = (1.0, 0.8, 0.45)[self.around.weekend(day)]
        each = _events(rng, self.customers * free)
        who = self.wide[each]
        rank = (rng.random(len(who)) ** 1.8 * self.book[each]).astype(np.int64)
        fresh = rng.random(len(who)) < 0.15
        rank = np.where(fresh, self.book[each] + rng.integers(0, 10**6, len(who)), rank)
        other = self._known(who, rank)
        out = rng.random(len(who)) < hashed(self.around.seed + CUSTOMER, who) * 0.6 + 0.25
        start = self._start(rng, who, rhythm.OFFICE, day)
        sides = np.where(out, who, other), np.where(out, other, who)
        return self.talk.dialled(rng, sides, start, talk_seconds(rng, len(who), 36, 0.9))

    def _known(self, who: Ints, rank: Ints) -> Ints:
        """The customers of traders by rank: half of them own lines."""
        seed, (first, end) = self.around.seed + CUSTOMER_NUMBER, self.around.people
        drawn, other = hashed(seed, who, rank), hashed(seed + 1, who, rank)
        own = first + (other * (end - first)).astype(np.int64)
        far = self.around.numbering.elsewhere_of(drawn * 2 % 1, other)
        return np.where(drawn < 0.5, own, far)

    def _search(self, rng: Rng, day: int) -> Attempts:
        """People who look for work, a flat, a buyer: many numbers that they never called before."""
        on = hashed(self.around.seed + SEARCHING, self.seekers, np.array(day)) < 0.55
        free = (1.0, 0.5, 0.2)[self.around.weekend(day)]
        who = self.seekers[_events(rng, self.search * on * free)]
        other = self.around.strangers(rng, len(who), 0.4)
        start = self._start(rng, who, rhythm.OFFICE, day)
        talk = talk_seconds(rng, len(who), 55, 1.1)
        return calls(rng, (who, other), start, talk, (np.full(len(who), 0.66), BUSINESS))

    def _invite(self, rng: Rng, day: int) -> Attempts:
        """Weddings, funerals, class reunions: somebody rings dozens of numbers within hours."""
        mine = self.feast_day == day
        who = np.repeat(self.feast[mine], self.guests[mine])
        near = (who + rng.geometric(0.01, len(who)) * rng.choice([-1, 1], len(who))) % len(self.who)
        known = rng.random(len(who)) < 0.5
        other = np.where(known, near, self.around.strangers(rng, len(who), 0.3))
        begins = day * DAY_S + (9 + 8 * hashed(self.around.seed + PLAN_DAY, who)) * HOUR_S
        start = begins + rng.beta(1, 1.4, len(who)) * 5.5 * HOUR_S
        return self.talk.dialled(rng, (who, other), start, talk_seconds(rng, len(who), 48, 0.9))


def errands(rng: Rng, who: Persons, talk: Talk, around: Surroundings) -> Errands:
    """Everybody's errands, the traders' customers, the seekers' days, the feasts."""
    wide, seekers = who.living("small_trader"), who.living("job_seeker")
    feast = who.living("organiser")
    return Errands(
        who=who,
        talk=talk,
        around=around,
        wide=wide,
        customers=np.minimum(4 * np.exp(rng.normal(0.6, 0.8, len(wide))), 90),
        book=(15 * np.exp(rng.normal(1, 0.8, len(wide)))).astype(np.int64),
        seekers=seekers,
        search=3 * np.exp(rng.normal(0.9, 0.7, len(seekers))),
        feast=feast,
        feast_day=rng.integers(0, around.days, len(feast)),
        guests=rng.integers(12, 55, len(feast)),
    )


def _events(rng: Rng, rate: Floats) -> Ints:
    """The place of each event of a day among those who have so many on average."""
    return np.repeat(np.arange(len(rate)), rng.poisson(rate))
