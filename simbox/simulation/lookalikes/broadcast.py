"""Broadcasts: schools, clinics and campaigns that play a message; practices that text reminders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    CLEARED,
    DAY_S,
    HOUR_S,
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
from simbox.simulation.clock import hashed, moments_each
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
    today,
    week,
    working,
)
from simbox.simulation.lookalikes.private_life import notices
from simbox.simulation.movement import desk
from simbox.simulation.surroundings import Surroundings

BROADCAST, REMINDER = "lookalike/broadcast", "lookalike/reminder"
LATEST_S = 22 * HOUR_S


@dataclass(frozen=True)
class Office:
    """What such an office does besides: calls with people who come back; one element a member."""

    first: int
    visits: Floats  # calls a day, in and out
    inbound: Floats  # share of them that come in
    known: Ints  # numbers on its list
    talk: Floats  # median, s
    open_days: Bools
    curve: Floats
    numbers: Numbers
    around: Surroundings

    def calls(self, rng: Rng, day: int) -> Attempts:
        """Calls with parents, patients, members."""
        who = events(rng, self.visits * today(self.open_days, self.around, day))
        other = self.numbers.party(who, often_first(rng, len(who), self.known[who], 1.2))
        comes_in, me = rng.random(len(who)) < self.inbound[who], self.first + who
        sides = (np.where(comes_in, other, me), np.where(comes_in, me, other))
        start = moments_each(rng, self.curve, who, day)
        talk = self.talk[who] * talk_seconds(rng, len(who), 1.0, 1.0)
        return calls(rng, sides, start, talk, (np.full(len(who), 0.75), Manners(0.2, 0.35, 0.7)))


@dataclass(frozen=True)
class Broadcasts:
    """Messages played to a whole list, one call after the other, on one or a few days."""

    office: Office
    send_days: Bools  # shape (members, days of the world)
    begins: Floats  # hour of the day
    message: Floats  # s
    pause: Floats  # s between two calls, on average
    share: Floats  # of the list that a broadcast is for
    patience: Floats  # chance that the message is heard to its end
    answer: Floats
    callback: Floats
    returned: Floats
    redial: Floats
    seed: int

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """The broadcast, if it is the day, and office life."""
        office = self.office
        codes = np.full(len(self.begins), 0.1)
        return on_day(
            [
                self._played(rng, day),
                office.calls(rng, day),
                notices(rng, (office.first, codes), day, 0.2),
            ],
            day,
        )

    def _played(self, rng: Rng, day: int) -> Attempts:
        office = self.office
        length = np.where(self.send_days[:, day], office.known, 0)
        who, place = counted(length)
        meant = hashed(self.seed, who, place, np.full(len(who), day)) < self.share[who]
        who, place = who[meant], place[meant]
        whole = rng.random(len(who)) < self.patience[who]
        heard = np.where(whole, self.message[who], rng.uniform(2, self.message[who]))
        made = calls(
            rng,
            (office.first + who, office.numbers.party(who, place)),
            np.zeros(len(who)),
            heard + rng.normal(0, 0.4, len(who)),
            (self.answer[who], Manners(self.redial[who], self.callback[who], self.returned[who])),
        )
        ringing = np.where(made.cause == CLEARED, rng.uniform(4, 15, len(who)), 25.0)
        takes = made.talk + ringing + rng.exponential(1.0, len(who)) * self.pause[who]
        start = self.begins[who] * HOUR_S + one_after_another(who, takes)
        timed = Attempts(**{**vars(made), "start": day * DAY_S + start})
        return timed.where(start < LATEST_S)


@dataclass(frozen=True)
class Reminders:
    """Texts to those who have an appointment, on every working day."""

    office: Office
    writes: Floats  # texts a day
    answered: Floats  # chance of a text back
    rung: Floats  # chance of a call back

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """Reminders, answers to them, and office life."""
        office = self.office
        who = events(rng, self.writes * today(office.open_days, office.around, day))
        other = office.numbers.party(who, (rng.random(len(who)) * office.known[who]).astype(int))
        start, me = moments_each(rng, office.curve, who, day), office.first + who
        back = rng.random(len(who)) < self.answered[who]
        rings = rng.random(len(who)) < self.rung[who]
        later = start + rng.exponential(1800, len(who))
        talk = talk_seconds(rng, int(rings.sum()), 50)
        how = (np.full(len(talk), 0.7), Manners(0.3, 0.5, 0.8))
        return on_day(
            [
                texts(me, other, start),
                texts(other[back], me[back], later[back]),
                calls(rng, (other[rings], me[rings]), later[rings], talk, how),
                office.calls(rng, day),
                notices(rng, (office.first, np.full(len(self.writes), 0.15)), day, 0.2),
            ],
            day,
        )


def build_broadcasts(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many lines, each with a list and a message of its own."""
    office = _office(rng, around, (count, (40, 2500)), first)
    # Most send once in a while; the day is any day, for campaigns also a Sunday.
    often = rng.choice([1, 1, 1, 2, 2, 3], count)
    rank = np.argsort(rng.random((count, around.days)), axis=1)
    broadcasts = Broadcasts(
        office=office,
        send_days=rank < np.minimum(often * np.ceil(around.days / 14), around.days)[:, None],
        begins=rng.uniform(8, 19, count),
        message=between(rng, 12, 95, count),
        pause=between(rng, 1, 45, count),
        share=rng.uniform(0.4, 1.0, count),
        patience=rng.beta(3, 2, count),
        answer=rng.uniform(0.4, 0.9, count),
        callback=rng.beta(1.5, 9, count),
        returned=rng.choice([0.05, 0.4, 0.9], count),
        redial=rng.choice([0.0, 0.3, 0.9], count),
        seed=fresh_seed(rng),
    )
    return _group(rng, around, broadcasts, BROADCAST)


def build_reminders(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many practices and workshops that remind people by text."""
    office = _office(rng, around, (count, (80, 3000)), first)
    reminders = Reminders(
        office=office,
        writes=np.minimum(between(rng, 4, 150, count), office.known / 3),
        answered=rng.beta(1, 5, count),
        rung=rng.beta(1, 15, count),
    )
    return _group(rng, around, reminders, REMINDER)


def _office(
    rng: Rng, around: Surroundings, size: tuple[int, tuple[int, int]], first: int
) -> Office:
    count, known = size
    opens, closes = rng.uniform(7, 10, count), rng.uniform(15.5, 20, count)
    return Office(
        first=first,
        visits=between(rng, 0.3, 30, count),
        inbound=rng.beta(2, 2, count),
        known=between(rng, *known, count).astype(np.int64),
        talk=between(rng, 30, 110, count),
        open_days=week(rng, 0.4, 0.3, count),
        curve=working(rng, opens, closes),
        numbers=Numbers(around, fresh_seed(rng), rng.uniform(0.3, 0.85, count)),
        around=around,
    )


def _group(rng: Rng, around: Surroundings, day: Broadcasts | Reminders, kind: str) -> Group:
    shop, count = around.shop, len(day.office.visits)
    place = around.country.homes(rng, count)
    style = rng.integers(0, 4, count)
    bought = (shop.phones(count), shop.simple_phones(count), shop.modules(count))
    return Group(
        kind=kind,
        first=day.office.first,
        size=count,
        movement=desk(rng, around.country, place, fresh_seed(rng)),
        handsets=OneHandset(np.choose(style, (*bought, bought[0]))),
        day=day,
        batch=alone(count),
    )


BROADCASTS = Kind(
    BROADCAST,
    "schools, clinics and campaigns that play a message to a list on a day or a few",
    "lines",
    60,
    build_broadcasts,
)
REMINDERS = Kind(
    REMINDER,
    "practices and workshops that text reminders of appointments",
    "lines",
    60,
    build_reminders,
)
