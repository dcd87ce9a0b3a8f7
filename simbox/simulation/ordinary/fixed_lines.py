"""Fixed lines of homes and small firms: no cell, no SIM card, no handset, no texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    Attempts,
    Bools,
    Floats,
    Ints,
    Manners,
    Rng,
    calls,
    talk_seconds,
    together,
)
from simbox.simulation.clock import hashed
from simbox.simulation.group import Group, Kind, OneHandset
from simbox.simulation.movement import desk
from simbox.simulation.ordinary import rhythm
from simbox.simulation.surroundings import Surroundings

FIXED_KIND = "ordinary/fixed_lines"
NAMES = ("ordinary/fixed_line", "ordinary/office_line")
OFFICES = 0.35
FRIEND, WHO, NUMBER, BUSY_DAY = range(1001, 1005)  # what a hashed draw is for
FREE_DAYS = np.array([[1.0, 1.0], [1.05, 0.4], [1.1, 0.15]])  # working day, Saturday, Sunday
HOME, OFFICE = Manners(0.25, 0.3, 0.7), Manners(0.3, 0.5, 0.9)
STRANGERS = 0.12  # of an office's calls are with numbers that it never had before
INSIDE_SHARE = 0.5  # of the numbers that a line knows are own lines
ADVERTS_A_DAY = 0.25


@dataclass(frozen=True)
class FixedLines:
    """Habits of fixed lines, one element a line."""

    office: Bools
    rate: Floats  # calls a day, in and out
    dials: Floats  # share of those calls that the line starts
    book: Ints  # numbers that it knows
    usual: Floats  # how far the calls go to the same few: above 1, to few
    takes: Floats
    talk: Floats  # median, s
    family: Ints  # an own mobile line of the home's family
    first: int
    around: Surroundings

    def of(self, rng: Rng, day: int) -> Attempts:
        """A day of their calls."""
        return together([self._known(rng, day), self._adverts(rng, day)])

    def _known(self, rng: Rng, day: int) -> Attempts:
        free = FREE_DAYS[self.around.weekend(day), self.office.astype(np.int64)]
        mood = 0.4 + 1.2 * hashed(
            self.around.seed + BUSY_DAY, np.arange(len(self.rate)), np.array(day)
        )
        who = np.repeat(np.arange(len(self.rate)), rng.poisson(self.rate * free * mood))
        rank = (rng.random(len(who)) ** self.usual[who] * self.book[who]).astype(np.int64)
        fresh = self.office[who] & (rng.random(len(who)) < STRANGERS)
        other = self._party(who, np.where(fresh, 10**6 + rng.integers(0, 10**9, len(who)), rank))
        out = rng.random(len(who)) < self.dials[who]
        line = self.first + who
        curve = np.where(self.office[who], rhythm.OFFICE, rhythm.EVENING)
        start = rhythm.moments(rng, self.around.weekend(day), curve, np.zeros(len(who)), day)
        sides = np.where(out, line, other), np.where(out, other, line)
        answer = np.where(out, 0.72, self.takes[who])
        manners = Manners(
            np.where(self.office[who], OFFICE.redial, HOME.redial),
            np.where(self.office[who], OFFICE.callback, HOME.callback),
            np.where(self.office[who], OFFICE.returned, HOME.returned),
        )
        talk = self.talk[who] * talk_seconds(rng, len(who), 1.0)
        return calls(rng, sides, start, talk, (answer, manners))

    def _party(self, who: Ints, rank: Ints) -> Ints:
        """Whom each line knows by rank: a home its family first, an office its customers."""
        seed, (begin, end) = self.around.seed, self.around.people
        place = hashed(seed + FRIEND, who, rank)
        inside = hashed(seed + WHO, who, rank) < INSIDE_SHARE
        kin = self.family[who] + (place * 6).astype(np.int64)
        own = np.where(
            ~self.office[who] & (rank < 4), kin, begin + (place * (end - begin)).astype(np.int64)
        )
        drawn = hashed(seed + NUMBER, who, rank)
        return np.where(inside, own, self.around.numbering.elsewhere_of(drawn, place))

    def _adverts(self, rng: Rng, day: int) -> Attempts:
        """Wrong numbers and those who sell."""
        who = np.repeat(np.arange(len(self.rate)), rng.poisson(ADVERTS_A_DAY, len(self.rate)))
        sides = self.around.strangers(rng, len(who), 0.2), self.first + who
        zero = np.zeros(len(who))
        start = rhythm.moments(rng, self.around.weekend(day), rhythm.OFFICE, zero, day)
        talk = talk_seconds(rng, len(who), 18, 1.0)
        return calls(rng, sides, start, talk, (self.takes[who] * 0.9, Manners(0.05, 0.05, 0.5)))


def build(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Fixed lines, which stand behind the mobile lines of the people who own them."""
    office = rng.random(count) < OFFICES
    spread = np.exp(rng.normal(0, 1.1, count))
    begin = around.people[0]
    lines = FixedLines(
        office=office,
        rate=np.minimum(np.where(office, 6.0, 0.8) * spread, 150),
        dials=np.where(office, rng.beta(1.6, 1.9, count), rng.beta(2.5, 3, count)),
        book=np.where(
            office, 20 * np.exp(rng.normal(1.0, 0.8, count)), 3 + rng.gamma(2, 4, count)
        ).astype(np.int64),
        usual=rng.uniform(1.3, 3.5, count),
        takes=np.where(office, rng.beta(9, 2, count), rng.beta(5, 3, count)),
        talk=np.where(office, 45.0, 75.0) * np.exp(rng.normal(0, 0.4, count)),
        family=rng.integers(begin, max(first - 6, begin + 1), count),
        first=first,
        around=around,
    )
    return Group(
        kind=FIXED_KIND,
        first=first,
        size=count,
        movement=desk(rng, around.country, around.country.homes(rng, count), around.seed),
        handsets=OneHandset(np.zeros(count, dtype=np.int64)),
        day=lines.of,
        batch=_trunks(rng, office),
        fixed=True,
        kinds=office.astype(np.int64),
        names=NAMES,
    )


def _trunks(rng: Rng, office: Bools) -> Ints:
    """Lines in a row: a firm's few."""
    stack = np.repeat(np.arange(len(office)), rng.integers(1, 6, len(office)))[: len(office)]
    order = np.argsort(~office, kind="stable")  # firms first
    batch = np.arange(len(office)) + len(office)
    batch[order] = np.where(office[order], stack, batch[order])
    return batch


FIXED_LINES = Kind(FIXED_KIND, "Fixed lines of homes and small firms.", "lines", 6_000, build)
