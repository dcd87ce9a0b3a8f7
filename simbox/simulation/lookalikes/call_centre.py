"""Outbound call centres: agents who sell, remind debtors or ask questions, some with a helpdesk.

Firms differ in everything: size, terminals, hours, how fresh their campaign lists are, whether a
machine dials, who takes the calls that come back.  A number stays on the list until it was tried
a few times, so several agents of a firm try the same number on several days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    CLEARED,
    UNALLOCATED,
    Attempts,
    Bools,
    Floats,
    Ints,
    Manners,
    Rng,
    calls,
    talk_seconds,
    texts,
)
from simbox.simulation.clock import moments_each
from simbox.simulation.group import Group, Kind, OneHandset
from simbox.simulation.lookalikes.habits import (
    Numbers,
    between,
    events,
    fresh_seed,
    often_first,
    on_day,
    packs,
    today,
    week,
    working,
)
from simbox.simulation.lookalikes.premises import Offices, at_work, offices, terminals
from simbox.simulation.lookalikes.private_life import PrivateLife, notices, private_life
from simbox.simulation.lookalikes.whereabouts import staying_in
from simbox.simulation.surroundings import Surroundings

KIND, AT_HOME = "lookalike/call_centre", "lookalike/home_agent"
AGENTS_A_FIRM = 9  # of those who work at home, about


@dataclass(frozen=True)
class Firms:
    """Firms' habits, one element or row a firm."""

    dials: Floats  # calls an agent a day
    list_length: Ints  # numbers on the campaign list at a time
    fresh: Ints  # numbers that leave the list, and come on it, a day
    known: Floats  # share of calls to customers
    customers: Ints
    answer: Floats  # chance that a prospect takes the call
    dead: Floats  # share of the list's numbers that do not exist
    talk: Floats  # median, s
    machine: Floats  # share of calls by a dialler that drops those no agent is free for
    redial: Floats
    callback: Floats  # chance that who missed the call rings back
    returned: Floats  # chance that the agent takes such a call
    helpdesk: Floats  # calls in an agent a day, as a share of the dialled ones
    main_number: Floats  # share of those that reach the published number
    follow_up: Floats  # chance of a text after a call
    chatter: Floats  # calls between colleagues, an agent a day
    attendance: Floats  # share of agents at work
    curve: Floats  # hours, shape (firms, 24)


@dataclass(frozen=True)
class CallCentres:
    """What the agents of all firms, their prospects and their customers do on a day."""

    first: int
    offices: Offices
    firms: Firms
    prospects: Numbers
    customers: Numbers
    private: PrivateLife
    mixes: Floats  # how much of the agent's private life is on this phone
    around: Surroundings

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """Calls out, follow-ups, calls in, chatter, and the life besides."""
        open_now = today(self.offices.days, self.around, day)[self.room]
        here = open_now & (rng.random(len(self.room)) < self.firms.attendance[self.room])
        out = self._dialled(rng, here, day)
        told = (out.cause == CLEARED) & (
            rng.random(len(out)) < self._of(self.firms.follow_up, out.a)
        )
        after = out.start[told] + out.talk[told] + rng.uniform(10, 300, int(told.sum()))
        return on_day(
            [
                out,
                texts(out.a[told], out.b[told], after),
                self._asked(rng, here, day),
                self._chatter(rng, here, day),
                self.private.of(rng, self.first, day, self.mixes),
                notices(rng, (self.first, 0.15 * (1 - self.mixes)), day, 0.0),
            ],
            day,
        )

    @property
    def room(self) -> Ints:
        """Firm of each line."""
        return self.offices.room

    def _of(self, habit: Floats, party: Ints) -> Floats:
        return np.asarray(habit[self.room[party - self.first]])

    def _prospect(self, rng: Rng, firm: Ints, day: int) -> Ints:
        """Numbers on the firm's list of the day."""
        place = (rng.random(len(firm)) * self.firms.list_length[firm]).astype(np.int64)
        return self.prospects.party(firm, self.firms.fresh[firm] * day + place)

    def _customer(self, rng: Rng, firm: Ints) -> Ints:
        place = often_first(rng, len(firm), self.firms.customers[firm], 1.5)
        return self.customers.party(firm, place)

    def _dialled(self, rng: Rng, here: Bools, day: int) -> Attempts:
        firms = self.firms
        who = events(
            rng, firms.dials[self.room] * here * np.exp(rng.normal(-0.03, 0.25, len(here)))
        )
        firm = self.room[who]
        known = rng.random(len(who)) < firms.known[firm]
        prospect = self._prospect(rng, firm, day)
        other = np.where(known, self._customer(rng, firm), prospect)
        talk = firms.talk[firm] * talk_seconds(rng, len(who), 1.0, 1.2) * np.where(known, 2.0, 1.0)
        dropped = ~known & (rng.random(len(who)) < firms.machine[firm])
        talk = np.where(dropped, rng.uniform(1, 5, len(who)), talk)
        answer = np.where(known, np.minimum(firms.answer[firm] + 0.25, 0.9), firms.answer[firm])
        manners = Manners(firms.redial[firm], firms.callback[firm], firms.returned[firm])
        start = moments_each(rng, firms.curve, firm, day)
        made = calls(rng, (self.first + who, other), start, talk, (answer, manners))
        return _to_nobody(rng, made, np.where(known, 0.0, firms.dead[firm]))

    def _asked(self, rng: Rng, here: Bools, day: int) -> Attempts:
        """Customers and prospects who call the main number or an agent."""
        firms = self.firms
        who = events(rng, firms.dials[self.room] * firms.helpdesk[self.room] * here)
        firm = self.room[who]
        main = rng.random(len(who)) < firms.main_number[firm]
        hunted = rng.random(len(who)) * np.ceil(self.offices.lines[firm] / 6)  # a hunt group
        lead = self.offices.lead[firm] + hunted.astype(np.int64)
        called = self.first + np.where(main, lead, who)
        new = rng.random(len(who)) < 0.5
        caller = np.where(new, self._prospect(rng, firm, day), self._customer(rng, firm))
        talk = firms.talk[firm] * talk_seconds(rng, len(who), 1.6, 1.0)
        answer = np.where(main, 0.8, firms.returned[firm])
        start = moments_each(rng, firms.curve, firm, day)
        return calls(rng, (caller, called), start, talk, (answer, Manners(0.3, 0.2, 0.6)))

    def _chatter(self, rng: Rng, here: Bools, day: int) -> Attempts:
        who, mate = self.offices.mate(rng, events(rng, self.firms.chatter[self.room] * here))
        firm = self.room[who]
        start = moments_each(rng, self.firms.curve, firm, day)
        how = (np.full(len(who), 0.8), Manners(0.1, 0.3, 0.8))
        sides = (self.first + who, self.first + mate)
        return calls(rng, sides, start, talk_seconds(rng, len(who), 35), how)


def _to_nobody(rng: Rng, made: Attempts, dead: Floats) -> Attempts:
    """Some of the numbers that were dialled are not in use: nobody takes or returns the call."""
    nobody = (rng.random(len(made)) < dead) & (made.b < 0)
    alive = np.where(nobody, 0.0, 1.0)
    return Attempts(
        a=made.a,
        b=made.b,
        start=made.start,
        talk=made.talk * alive,
        cause=np.where(nobody, UNALLOCATED, made.cause),
        text=made.text,
        redial=made.redial * alive,
        callback=made.callback * alive,
        returned=made.returned * alive,
    )


def build_call_centres(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many firms, each in one office."""
    firms = offices(rng, around, count, (13, (3, 80)), _hours(rng, count))
    own_phone = rng.random(count) < 0.35
    at_home = own_phone[firms.room] & (rng.random(len(firms.room)) < 0.9)
    return Group(
        kind=KIND,
        first=first,
        size=len(firms.room),
        movement=at_work(rng, around, firms, at_home),
        handsets=OneHandset(terminals(rng, around, firms, own_phone)),
        day=_day(rng, around, firms, (first, at_home.astype(np.float64))),
        batch=packs(rng, firms.room),
        room=firms.room,
        rooms=firms.labels(KIND),
    )


def build_home_agents(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many agents who work at home for call centres, on a phone for work or their only one."""
    drawn = rng.integers(0, max(count // AGENTS_A_FIRM, 1), count)
    room = np.sort(np.unique(drawn, return_inverse=True)[1])
    lines = np.bincount(room)
    lead, nowhere = np.cumsum(lines) - lines, np.zeros(len(lines), dtype=np.int64)
    firms = Offices(lines, room, lead, nowhere, *_hours(rng, len(lines)))
    private = np.where(rng.random(count) < 0.5, 1.0, rng.uniform(0, 0.1, count))
    return Group(
        kind=AT_HOME,
        first=first,
        size=count,
        movement=staying_in(rng, around, around.country.homes(rng, count), rng.random(count) < 0.5),
        handsets=OneHandset(terminals(rng, around, firms, rng.random(len(lines)) < 0.7)),
        day=_day(rng, around, firms, (first, private)),
        batch=np.where(private < 0.5, room, len(lines) + np.arange(count)),
    )


def _hours(rng: Rng, count: int) -> tuple[Floats, Floats, Bools]:
    """Opening and closing hours, and working days."""
    return rng.uniform(8, 10.5, count), rng.uniform(16.5, 21, count), week(rng, 0.55, 0.3, count)


def _day(rng: Rng, around: Surroundings, firms: Offices, who: tuple[int, Floats]) -> CallCentres:
    """What the firms do; `who` is the first line and the share of private life on each phone."""
    first, private = who
    count = len(firms.lines)
    return CallCentres(
        first,
        firms,
        _habits(rng, firms),
        Numbers(around, fresh_seed(rng), rng.uniform(0.25, 0.8, count)),
        Numbers(around, fresh_seed(rng), rng.uniform(0.3, 0.8, count)),
        private_life(rng, around, len(firms.room), (0.5, 8.0), fresh_seed(rng)),
        private,
        around,
    )


def _habits(rng: Rng, firms: Offices) -> Firms:
    count = len(firms.lines)
    dialler = rng.random(count) < 0.3
    dials = np.where(dialler, between(rng, 120, 320, count), between(rng, 25, 180, count))
    work = np.maximum(dials * firms.lines, 40)  # calls of the firm a day
    return Firms(
        dials=dials,
        list_length=np.ceil(work * between(rng, 0.4, 8, count)).astype(np.int64),
        fresh=np.ceil(work * between(rng, 0.1, 0.9, count)).astype(np.int64),
        known=rng.beta(1.2, 4, count),
        customers=np.ceil(work * between(rng, 0.4, 6, count)).astype(np.int64),
        answer=rng.uniform(0.22, 0.72, count),
        dead=np.where(rng.random(count) < 0.4, rng.beta(1, 8, count), 0.0),
        talk=between(rng, 15, 130, count),
        machine=np.where(dialler, rng.beta(1.5, 6, count), 0.0),
        redial=rng.beta(1.5, 4, count),
        callback=rng.beta(1.5, 9, count),
        returned=rng.uniform(0.2, 0.95, count),
        helpdesk=np.where(
            rng.random(count) < 0.25, rng.uniform(0.2, 1.0, count), rng.beta(1, 9, count)
        ),
        main_number=rng.choice([0.0, 0.5, 0.95], count),
        follow_up=np.where(rng.random(count) < 0.4, rng.beta(1, 5, count), 0.0),
        chatter=between(rng, 0.3, 7, count),
        attendance=rng.uniform(0.7, 1.0, count),
        curve=working(rng, firms.opens, firms.closes),
    )


CALL_CENTRE = Kind(
    KIND,
    "offices whose agents sell to, remind or question numbers on campaign lists",
    "rooms",
    8,
    build_call_centres,
)
HOME_AGENT = Kind(
    AT_HOME,
    "agents of call centres who work at home",
    "lines",
    60,
    build_home_agents,
)
