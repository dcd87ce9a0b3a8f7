"""Migrant workers: many in one lodging, long calls home abroad at night, little else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import Attempts, Floats, Ints, Manners, Rng, calls, talk_seconds
from simbox.simulation.clock import PEOPLE_HOURS, moments_each
from simbox.simulation.group import Group, Kind, Movement, OneHandset
from simbox.simulation.lookalikes.habits import (
    Numbers,
    between,
    days_off,
    events,
    fresh_seed,
    often_first,
    on_day,
)
from simbox.simulation.lookalikes.premises import labels
from simbox.simulation.lookalikes.private_life import PrivateLife, private_life
from simbox.simulation.movement import Hours, Switch, desk
from simbox.simulation.surroundings import Surroundings

KIND = "lookalike/migrant_worker"
LODGERS = 18  # own lines in one lodging, about


@dataclass(frozen=True)
class Migrants:
    """Calls home and with workmates; one element or row a member."""

    first: int
    calls_home: Floats  # a day
    family: Ints  # numbers at home
    rung: Floats  # share of the calls home that come from there
    flashes: Floats  # chance of letting it ring, to be called back
    talk: Floats  # median, s
    answer: Floats
    curve: Floats  # hours of calls home, shape (members, 24)
    numbers: Numbers
    site: Ints
    lead: Ints  # first member of each lodging
    lodgers: Ints  # size of each lodging
    mates: Floats  # calls with workmates a day
    private: PrivateLife

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """Calls home, calls with workmates, and private life in the country."""
        private = self.private.of(rng, self.first, day)
        return on_day([self._home(rng, day), self._mates(rng, day), private], day)

    def _home(self, rng: Rng, day: int) -> Attempts:
        who = events(rng, self.calls_home * np.exp(rng.normal(-0.12, 0.5, len(self.site))))
        other = self.numbers.abroad(who, often_first(rng, len(who), self.family[who], 2.0))
        start = moments_each(rng, self.curve, who, day)
        talk = self.talk[who] * talk_seconds(rng, len(who), 1.0, 1.1)
        rung, me = rng.random(len(who)) < self.rung[who], self.first + who
        flash = ~rung & (rng.random(len(who)) < self.flashes[who])
        sides = (np.where(rung, other, me), np.where(rung, me, other))
        callback = np.where(flash, 0.8, 0.2)
        answer = np.where(flash, 0.05, self.answer[who])
        return calls(rng, sides, start, talk, (answer, Manners(0.4, callback, 0.9)))

    def _mates(self, rng: Rng, day: int) -> Attempts:
        who = events(rng, self.mates)
        who = who[self.lodgers[self.site[who]] > 1]
        lead, count = self.lead[self.site[who]], self.lodgers[self.site[who]]
        step = 1 + (rng.random(len(who)) ** 2 * (count - 1)).astype(np.int64)
        mate = lead + (who - lead + step) % count
        start = moments_each(rng, np.tile(PEOPLE_HOURS[0], (len(self.site), 1)), who, day)
        how = (np.full(len(who), 0.7), Manners(0.3, 0.4, 0.8))
        sides = (self.first + who, self.first + mate)
        return calls(rng, sides, start, talk_seconds(rng, len(who), 25), how)


def build_migrants(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many workers in lodgings, by day at the works."""
    sites = max(count // LODGERS, 1)
    site = np.unique(rng.random(count) ** 1.5 * sites // 1, return_inverse=True)[1]
    site, lodgers = np.sort(site), np.bincount(site)
    sites = len(lodgers)
    lodging = around.country.homes(rng, sites)
    works = around.country.around(lodging, rng.random(sites))
    night = rng.random(sites) < 0.3
    begins = np.where(night, rng.uniform(18, 22, sites), rng.uniform(5, 9, sites))[site]
    lasts = rng.uniform(8, 13, sites)[site]
    given = (rng.random(sites) < 0.5)[site]  # the employer buys the cards in a pack
    used = np.exp(rng.normal(0, 0.7, sites))[site]  # wages, tariffs and habits of the place
    shop = around.shop
    simple = rng.random(count) < rng.uniform(0, 0.7, sites)[site]
    return Group(
        kind=KIND,
        first=first,
        size=count,
        movement=_movement(rng, around, (lodging[site], works[site]), (begins, begins + lasts)),
        handsets=OneHandset(np.where(simple, shop.simple_phones(count), shop.phones(count))),
        day=Migrants(
            first=first,
            calls_home=between(rng, 0.15, 6, count) * used,
            family=rng.integers(1, 6, count),
            rung=rng.beta(1.2, 5, count),
            flashes=np.where(rng.random(count) < 0.4, rng.uniform(0, 0.7, count), 0.0),
            talk=between(rng, 60, 900, count),
            answer=rng.uniform(0.45, 0.85, count),
            curve=_after_work(rng, begins + lasts),
            numbers=Numbers(around, fresh_seed(rng)),
            site=site,
            lead=np.cumsum(lodgers) - lodgers,
            lodgers=lodgers,
            mates=between(rng, 0.1, 4, count) * used,
            private=private_life(rng, around, count, (0.03, 5.0), fresh_seed(rng)),
        ),
        batch=np.where(given, site, sites + np.arange(count)),
        room=site,
        rooms=labels(KIND, lodgers, lodging, works),
    )


def _movement(
    rng: Rng, around: Surroundings, places: tuple[Ints, Ints], hours: tuple[Floats, Floats]
) -> Movement:
    lodging, works = places
    shift = Hours(*hours, days_off(rng, len(works), 1), around.weekday)
    at_works = desk(rng, around.country, works, fresh_seed(rng))
    return Switch(shift, at_works, desk(rng, around.country, lodging, fresh_seed(rng)))


def _after_work(rng: Rng, over: Floats) -> Floats:
    """Most calls in the hours after the shift, when it is also evening or early at home."""
    hour = np.arange(24)[None, :]
    since = (hour - over[:, None]) % 24
    width = rng.uniform(2, 7, (len(over), 1))
    return np.asarray(
        (0.15 + np.exp(-since / width)) * np.exp(rng.normal(0, 0.25, (len(over), 24)))
    )


MIGRANT = Kind(
    KIND,
    "workers from abroad in shared lodgings, with long calls home",
    "lines",
    150,
    build_migrants,
)
