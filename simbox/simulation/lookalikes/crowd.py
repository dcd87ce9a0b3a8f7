"""Event crowds: ordinary people who gather at one mast for some hours, with their own phones."""

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
)
from simbox.simulation.group import Group, Kind, Movement, OneHandset
from simbox.simulation.lookalikes.habits import Numbers, alone, between, events, fresh_seed, on_day
from simbox.simulation.lookalikes.private_life import PrivateLife, private_life
from simbox.simulation.lookalikes.whereabouts import commuting
from simbox.simulation.movement import Desk, Switch, Windows
from simbox.simulation.surroundings import Surroundings

KIND = "lookalike/event_crowd"
CROWD = 110  # own people of a kind at one event, about
COMPANY = 5  # people who come together, about


@dataclass(frozen=True)
class Crowds:
    """The usual life, and what the event adds to it; one element or row a member."""

    first: int
    windows: Windows
    extra: Floats  # calls an hour at the event
    writes: Floats  # texts an hour at the event
    meets: Floats  # share of those calls with one's company at the event
    answer: Floats  # noise and a full network make it small
    friends: Numbers
    company: Ints
    size: Ints  # of each company
    lead: Ints  # first member of each
    private: PrivateLife

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """The usual day, with the calls of the event's hours."""
        usual = self.private.of(rng, self.first, day)
        parts = [usual]
        for window in range(self.windows.begins.shape[1]):
            begin = np.maximum(self.windows.begins[:, window], day * DAY_S)
            end = np.minimum(self.windows.ends[:, window], (day + 1) * DAY_S)
            here = begin < end
            stay = np.where(here, end - np.where(here, begin, 0.0), 0.0)
            begin = np.where(here, begin, 0.0)
            parts += self._there(rng, begin, stay)
        return on_day(parts, day)

    def _there(self, rng: Rng, begin: Floats, stay: Floats) -> list[Attempts]:
        who = events(rng, self.extra * stay / HOUR_S)
        # People look for each other when they come and when they leave.
        drawn = rng.beta(0.7, 0.8, len(who))
        start = begin[who] + drawn * stay[who]
        other = self._other(rng, who)
        out, me = rng.random(len(who)) < 0.55, self.first + who
        sides = (np.where(out, me, other), np.where(out, other, me))
        how = (self.answer[who], Manners(0.45, 0.3, 0.7))
        writer = events(rng, self.writes * stay / HOUR_S)
        at = begin[writer] + rng.random(len(writer)) * stay[writer]
        return [
            calls(rng, sides, start, talk_seconds(rng, len(who), 20, 0.8), how),
            texts(self.first + writer, self._other(rng, writer), at),
        ]

    def _other(self, rng: Rng, who: Ints) -> Ints:
        company = self.company[who]
        count, lead = self.size[company], self.lead[company]
        step = 1 + (rng.random(len(who)) * np.maximum(count - 1, 1)).astype(np.int64)
        mate = lead + (who - lead + step) % count
        meets = (rng.random(len(who)) < self.meets[who]) & (mate != who)
        # Beyond one's company: friends, and now and then a driver or a seller of tickets.
        place = (rng.random(len(who)) ** 2.5 * self.private.circle[who]).astype(np.int64)
        place = np.where(rng.random(len(who)) < 0.15, rng.integers(10**6, 10**9, len(who)), place)
        return np.where(meets, self.first + mate, self.friends.party(who, place))


def build_crowds(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many people, each at one event of one or two days."""
    happenings = max(count // CROWD, 1)
    event = np.sort(rng.integers(0, happenings, count))
    windows = _windows(rng, around, event, happenings)
    private = private_life(rng, around, count, (0.4, 18.0), fresh_seed(rng))
    # Those who came together stand one after the other in the group.
    begins = (rng.random(count) < 1 / COMPANY) | (np.diff(event, prepend=-1) != 0)
    company = np.cumsum(begins) - 1
    size = np.bincount(company)
    return Group(
        kind=KIND,
        first=first,
        size=count,
        movement=_movement(rng, around, (event, happenings), windows),
        handsets=OneHandset(around.shop.phones(count)),
        day=Crowds(
            first=first,
            windows=windows,
            extra=between(rng, 0.15, 6, count),
            writes=between(rng, 0.05, 5, count),
            meets=rng.uniform(0, 0.8, count),
            answer=rng.uniform(0.3, 0.75, happenings)[event],
            friends=private.friends,
            company=company,
            size=size,
            lead=np.cumsum(size) - size,
            private=private,
        ),
        batch=alone(count),
    )


def _windows(rng: Rng, around: Surroundings, event: Ints, happenings: int) -> Windows:
    """From when to when each visitor is there: fairs all day, concerts of an evening."""
    day = rng.integers(0, around.days, happenings)
    opens = rng.uniform(9, 20, happenings)
    lasts = np.minimum(between(rng, 2, 10, happenings), 23.5 - opens)
    twice = (rng.random(happenings) < 0.35) & (day + 1 < around.days)
    comes = rng.exponential(0.5, (len(event), 2)) - 0.7
    leaves = rng.exponential(0.6, (len(event), 2)) - 0.8
    begin = (day * 24.0 + opens)[event][:, None] + comes + np.array([0.0, 24.0])
    end = (day * 24.0 + opens + lasts)[event][:, None] + leaves + np.array([0.0, 24.0])
    comes_again = twice[event] & (rng.random(len(event)) < 0.6)
    begin[:, 1] = np.where(comes_again, begin[:, 1], np.inf)
    return Windows(begin * HOUR_S, end * HOUR_S)


def _movement(rng: Rng, around: Surroundings, of: tuple[Ints, int], windows: Windows) -> Movement:
    """The usual ways, and the mast of the event with all its sectors and the masts around."""
    event, happenings = of
    country, count = around.country, len(event)
    place = country.homes(rng, happenings)[event]
    flap = rng.uniform(0.1, 0.6, happenings)[event]
    stray = rng.uniform(0.0, 0.25, happenings)[event]
    venue = Desk(place, flap, stray, country, fresh_seed(rng))
    return Switch(windows, venue, commuting(rng, around, count))


EVENT_CROWD = Kind(
    KIND,
    "people who gather at one mast for some hours",
    "lines",
    400,
    build_crowds,
)
