"""Persons: where they live and work, how much they talk, how they take a call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import Bools, Floats, Ints, Rng
from simbox.simulation.geography import SECTORS, Country
from simbox.simulation.ordinary import lives
from simbox.simulation.ordinary.lives import habit

HOUSEHOLD_SIZES = (0.24, 0.27, 0.21, 0.16, 0.08, 0.04)  # shares of 1, 2 ... lines
NEVER_WRITE = 0.14
NO_NOTICES, NO_NOTICES_SECOND = 0.05, 0.4
STAYS_AT_HOME = 0.07  # whatever their way of life: some trade from home, some seek work there
LOCAL_WORK = 0.3  # of work places are at a mast near home, the others anywhere in town


@dataclass(frozen=True)
class Persons:
    """Traits of ordinary mobile lines, one element a line; lines of one owner share places."""

    life: Ints
    owner: Ints
    household: Ints
    home: Ints  # cell
    work: Ints  # cell; home for those without
    works: Bools
    stays: Bools  # hardly ever leaves home
    activity: Floats  # mean about 1
    circle: Floats  # multiplies the number of people one knows
    eager: Floats
    writes: Floats  # texts for every call; 0 for those who never write
    takes: Floats  # chance of taking a call
    redial: Floats
    callback: Floats
    returned: Floats
    chatty: Floats  # multiplies talk
    shift: Floats  # hours
    notices: Floats  # texts of operator, banks and shops a day
    errands: Floats  # calls to shops and offices a day
    exposure: Floats  # multiplies calls from strangers

    def __len__(self) -> int:
        return len(self.life)

    def living(self, *names: str) -> Ints:
        """The lines with certain ways of life."""
        return np.flatnonzero(np.isin(self.life, [lives.PLACE[name] for name in names]))


def persons(rng: Rng, count: int, country: Country) -> Persons:
    """So many lines of ordinary people."""
    life, owner = lives.draw(rng, count)
    household = _households(rng, owner)
    home = country.homes(rng, int(household.max()) + 1)[household]
    stays = (rng.random(count) < STAYS_AT_HOME)[owner]
    works = (rng.random(count) < habit("works", life))[owner] & ~stays
    activity = _activity(rng, life)
    return Persons(
        life=life,
        owner=owner,
        household=household,
        home=home,
        work=np.where(works, _work(rng, country, home)[owner], home),
        works=works,
        stays=stays | (life == lives.PLACE["homebody"])[owner],
        activity=activity,
        circle=habit("circle", life) * np.exp(rng.normal(-0.1, 0.6, count)) * activity**0.3,
        eager=_eager(rng, life),
        writes=_writes(rng, life),
        takes=rng.beta(7, 2.6, count),
        redial=rng.beta(1.1, 4, count),
        callback=rng.beta(1.4, 2.0, count),
        returned=rng.beta(8, 2, count),
        chatty=np.exp(rng.normal(-0.1, 0.5, count)),
        shift=(habit("shift", life) + rng.normal(0, 1.0, count))[owner],
        notices=_notices(rng, life),
        errands=0.13 * habit("errands", life) * np.exp(rng.normal(-0.3, 0.8, count)),
        exposure=np.exp(rng.normal(-0.5, 1.0, count)) * _known(life),
    )


def _households(rng: Rng, owner: Ints) -> Ints:
    """The household of each line: lines that stand together, an owner's lines in one."""
    count = len(owner)
    sizes = 1 + rng.choice(len(HOUSEHOLD_SIZES), count, p=HOUSEHOLD_SIZES)
    drawn = np.repeat(np.arange(count), sizes)[:count]
    _, dense = np.unique(drawn[owner], return_inverse=True)
    return dense


def _work(rng: Rng, country: Country, home: Ints) -> Ints:
    """A cell for work: near home, or anywhere in the same town."""
    count = len(home)
    town = country.town[home // SECTORS]  # towns stand in order of masts
    first = np.searchsorted(country.town, town)
    masts = np.searchsorted(country.town, town, side="right") - first
    mast = first + (rng.beta(0.8, 1.4, count) * masts).astype(np.int64)
    away = np.minimum(mast, first + masts - 1) * SECTORS + rng.integers(0, SECTORS, count)
    near = country.around(home, rng.random(count))
    return np.where(rng.random(count) < LOCAL_WORK, near, away)


def _activity(rng: Rng, life: Ints) -> Floats:
    """Log-normal with a tail of a few who talk far more."""
    count = len(life)
    drawn = np.exp(rng.normal(0, 1, count) * habit("spread", life))
    tail = 1 + np.where(rng.random(count) < 0.04, rng.pareto(2.2, count), 0)
    return np.asarray(np.minimum(habit("activity", life) * drawn * tail, 60) / 1.55)


def _eager(rng: Rng, life: Ints) -> Floats:
    """How much rather each one calls than is called, log odds: a few differ widely."""
    count = len(life)
    usual = rng.normal(0, 0.45, count) * np.sqrt(rng.gamma(1.2, 1 / 1.2, count))
    way = habit("eager", life)
    return np.asarray(usual + way * np.exp(rng.normal(0, 0.3, count)))


def _known(life: Ints) -> Floats:
    """How far strangers have a line's number: hardly anybody has those of second SIMs."""
    secret = np.array([lives.SECOND_SIM, lives.PLACE["rarely_called"]])
    return np.where(np.isin(life, secret), 0.2, 1.0)


def _notices(rng: Rng, life: Ints) -> Floats:
    """Texts of operator, banks and shops a day; some lines get none."""
    count = len(life)
    second = life == lives.SECOND_SIM
    none = rng.random(count) < np.where(second, NO_NOTICES_SECOND, NO_NOTICES)
    return np.exp(rng.normal(-1.1, 0.9, count)) * np.where(none, 0, np.where(second, 0.3, 1))


def _writes(rng: Rng, life: Ints) -> Floats:
    count = len(life)
    drawn = np.exp(rng.normal(-0.9, 1.1, count)) * habit("writes", life)
    old = (life == lives.PLACE["elderly"]) & (rng.random(count) < 0.8)
    never = (rng.random(count) < NEVER_WRITE) | old
    return np.asarray(np.where(never, 0, drawn))
