"""A day of calls and texts along ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    DAY_S,
    HOUR_S,
    PEOPLE,
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
from simbox.simulation.ordinary import rhythm
from simbox.simulation.ordinary.lives import SECOND_SIM
from simbox.simulation.ordinary.persons import Persons
from simbox.simulation.ordinary.ties import Ties, used
from simbox.simulation.surroundings import Surroundings

#: By sort of tie (family, near, work, far, elsewhere): which hours, how much on free days.
CURVES = np.array([rhythm.EVENING, rhythm.PEOPLE, rhythm.OFFICE, rhythm.PEOPLE, rhythm.PEOPLE])
FREE_DAYS = np.array(
    [[0.9, 0.9, 1.0, 0.9, 0.9], [1.0, 0.9, 0.3, 0.95, 0.8], [1.0, 0.85, 0.22, 0.9, 0.75]]
)
TALK_MEDIAN_S = np.array([32.0, 42.0, 38.0, 64.0, 44.0])
TALK_SPREAD = 1.15
TAKES_ELSEWHERE, TAKES_AT_NIGHT = 0.72, 0.6
GOES_ON = 0.25  # of calls have another between the same two soon after
GOES_ON_MEDIAN_S, TURNS_ROUND = 260.0, 0.35
ANSWERS_TEXT, REPLY_MEDIAN_S, LONGEST_EXCHANGE = 0.58, 70.0, 9
WRITES_A_DAY = 0.62  # conversations in writing for each that the running sum counts
MOOD = 0.85  # how much days differ
QUIET_DAY, LENGTH = 701, 702  # what a hashed draw is for
NOT_BACK = 0.35  # chance left of a call back to those whose number nobody has


@dataclass(frozen=True)
class Talk:
    """What people say and write to those they know."""

    who: Persons
    ties: Ties
    around: Surroundings

    def of(self, rng: Rng, day: int) -> Attempts:
        """A day of it."""
        return together([self._spoken(rng, day), self._written(rng, day)])

    def _spoken(self, rng: Rng, day: int) -> Attempts:
        tie = self._kept(rng, used(rng, self.ties.calls), day)
        a, b, leads = self._sides(rng, tie)
        sort = self.ties.sort[tie]
        weekend = self.around.weekend(day)
        start = rhythm.moments(rng, weekend, CURVES[sort], self.who.shift[leads], day)
        more = np.flatnonzero(rng.random(len(tie)) < GOES_ON)
        turned = rng.random(len(more)) < TURNS_ROUND
        later = start[more] + GOES_ON_MEDIAN_S * np.exp(rng.normal(0, 1.2, len(more)))
        a, b = (
            np.concatenate([a, np.where(turned, b[more], a[more])]),
            np.concatenate([b, np.where(turned, a[more], b[more])]),
        )
        start, tie = np.concatenate([start, later]), np.concatenate([tie, tie[more]])
        return self.dialled(rng, (a, b), start, self._talk(rng, tie))

    def dialled(self, rng: Rng, sides: tuple[Ints, Ints], start: Floats, talk: Floats) -> Attempts:
        """Calls with the manners of those who make and miss them."""
        a, b = sides
        who = self.who
        hour = start % DAY_S / HOUR_S
        awake = np.where((hour < 6.5) | (hour > 23), TAKES_AT_NIGHT, 1.0)
        manners = Manners(
            self._of(a, who.redial, PEOPLE.redial),
            self._of(b, who.callback, PEOPLE.callback) * self._rung_back(a),
            self._of(a, who.returned, PEOPLE.returned),
        )
        answer = self._of(b, who.takes, TAKES_ELSEWHERE) * awake
        return calls(rng, (a, b), start, talk, (answer, manners))

    def _talk(self, rng: Rng, tie: Ints) -> Floats:
        chatty = self.who.chatty[self.ties.one[tie]]
        lasting = np.exp(1.8 * hashed(self.around.seed + LENGTH, tie) - 0.9)
        median = TALK_MEDIAN_S[self.ties.sort[tie]] * chatty * lasting
        return np.asarray(median * talk_seconds(rng, len(tie), 1.0, TALK_SPREAD))

    def _of(self, party: Ints, habit: Floats, usual: Floats | float) -> Floats:
        """A habit of each party; of those who are no ordinary mobile line, what is usual."""
        mine = (party >= 0) & (party < len(self.who))
        return np.where(mine, habit[np.where(mine, party, 0)], usual)

    def _rung_back(self, caller: Ints) -> Floats:
        """Friends ring the main number of who called from a second SIM."""
        return self._of(caller, np.where(self.who.life == SECOND_SIM, NOT_BACK, 1.0), 1.0)

    def _kept(self, rng: Rng, tie: Ints, day: int) -> Ints:
        """The uses that the day allows: free days, people's quiet and lively days."""
        one = self.ties.one[tie].astype(np.int64)
        mood = 1 - MOOD * (1 - np.sqrt(hashed(self.around.seed + QUIET_DAY, one, np.array(day))))
        free = FREE_DAYS[self.around.weekend(day), self.ties.sort[tie]]
        return np.asarray(tie[rng.random(len(tie)) < mood * free])

    def _sides(self, rng: Rng, tie: Ints) -> tuple[Ints, Ints, Ints]:
        """Who begins, the other one, and the own line whose habits set the hour."""
        one, other = self.ties.one[tie].astype(np.int64), self.ties.other[tie]
        out = rng.random(len(tie)) < self.ties.out[tie]
        leads = np.where(out | (other < 0), one, other)
        return np.where(out, one, other), np.where(out, other, one), leads

    def _written(self, rng: Rng, day: int) -> Attempts:
        """Exchanges of texts, to and fro until one does not answer."""
        tie = used(rng, self.ties.texts * WRITES_A_DAY)
        a, b, leads = self._sides(rng, self._kept(rng, tie, day))
        weekend = self.around.weekend(day)
        start = rhythm.moments(rng, weekend, rhythm.EVENING, self.who.shift[leads], day)
        sent = []
        for _ in range(LONGEST_EXCHANGE):
            sent.append(texts(a, b, start))
            answered = rng.random(len(a)) < ANSWERS_TEXT
            wait = 6 + REPLY_MEDIAN_S * np.exp(rng.normal(0, 1.3, int(answered.sum())))
            a, b, start = b[answered], a[answered], start[answered] + wait
        return together(sent)
