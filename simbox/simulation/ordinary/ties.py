"""Who knows whom, how well, who rather calls whom, and whether they write.

A tie joins a line with another own line or with a number elsewhere.  It is symmetric: one rate,
and a chance that the first of the two is the one who begins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simbox.simulation.attempts import Bools, Floats, Ints, Rng
from simbox.simulation.clock import hashed
from simbox.simulation.geography import SECTORS
from simbox.simulation.ordinary.lives import PLACE, SECOND_SIM
from simbox.simulation.ordinary.persons import Persons
from simbox.simulation.surroundings import Surroundings

Lines = npt.NDArray[np.int32]
Sorts = npt.NDArray[np.uint8]
Chances = npt.NDArray[np.float32]
#: Own line, other party, sort, calls a day, chance that the own line begins: one element a tie.
Columns = tuple[Lines, Ints, Sorts, Floats, Chances]

FAMILY, NEAR, WORK, FAR, ELSEWHERE = range(5)
CLOSENESS = np.array([3.0, 0.9, 0.75, 0.5, 0.8])  # mean weight of a tie
LIKING_SPREAD = np.array([1.2, 1.75, 1.6, 1.75, 1.85])  # of the weight, natural logarithm
CALLS_A_DAY = 3.7  # along ties, for every line
OUTSIDE_POOL = 0.8  # people elsewhere for every own line
TIES_OUTSIDE = 5.0
LEAN_SPREAD = 0.55  # who of two calls, log odds
SECOND_SIM_CALLS = 6.0  # log odds that the owner of a second SIM is who calls
KEPT_BY_OLD = 0.25  # of the ties outside the family
SECOND_SIM_SHARE = 0.5  # of the owner's contacts


@dataclass(frozen=True)
class Ties:
    """Ties, one element each, and the running sums of how often they are used."""

    one: Lines
    other: Ints  # party
    sort: Sorts
    out: Chances  # chance that `one` begins
    calls: Floats  # running sum of calls a day
    texts: Floats  # running sum of conversations in writing a day


@dataclass(frozen=True)
class _Pairs:
    one: Ints
    other: Ints
    sort: int
    inside: bool = True

    def where(self, chosen: Bools) -> _Pairs:
        return _Pairs(self.one[chosen], self.other[chosen], self.sort, self.inside)


def build_ties(rng: Rng, who: Persons, around: Surroundings) -> Ties:
    """The ties of all lines."""
    inside = [
        _households(who),
        _neighbours(rng, who),
        _colleagues(rng, who),
        _friends(rng, who, around),
    ]
    pairs = [_kept(rng, who, found) for found in inside]
    pairs.append(_kept(rng, who, _elsewhere(rng, who, around)))
    one, other, sort, rate, out = (
        np.concatenate(columns)
        for columns in zip(*(_columns(rng, who, p) for p in pairs), strict=True)
    )
    columns = _with_second_sims(rng, who, (one, other, sort, rate, out))
    return _summed(rng, who, columns)


def _households(who: Persons) -> _Pairs:
    one, other = [], []
    for step in range(1, 6):
        first = np.flatnonzero(who.household[:-step] == who.household[step:])
        one.append(first)
        other.append(first + step)
    return _Pairs(np.concatenate(one), np.concatenate(other), FAMILY)


def _neighbours(rng: Rng, who: Persons) -> _Pairs:
    order = np.lexsort((rng.random(len(who)), who.home))
    return _along(rng, order, rng.poisson(1.5 * who.circle), (0.06, NEAR))


def _colleagues(rng: Rng, who: Persons) -> _Pairs:
    place = np.lexsort((rng.random(len(who)), who.work))
    order = place[who.works[place]]
    return _along(rng, order, rng.poisson(1.2 * who.circle), (0.2, WORK))


def _friends(rng: Rng, who: Persons, around: Surroundings) -> _Pairs:
    """Friends in town and, fewer, anywhere."""
    town = around.country.town[who.home // SECTORS]
    order = np.lexsort((rng.random(len(who)), town))
    near = _along(rng, order, rng.poisson(1.0 * who.circle), (0.002, FAR))
    one = np.repeat(np.arange(len(who)), rng.poisson(0.5 * who.circle))
    far = rng.integers(0, len(who), len(one))
    return _Pairs(np.concatenate([near.one, one]), np.concatenate([near.other, far]), FAR)


def _along(rng: Rng, order: Ints, ties: Ints, how: tuple[float, int]) -> _Pairs:
    """Ties between lines that stand near each other in an order."""
    closeness, sort = how
    place = np.repeat(np.arange(len(order)), ties[order])
    step = rng.geometric(closeness, len(place)) * rng.choice([-1, 1], len(place))
    return _Pairs(order[place], order[(place + step) % max(len(order), 1)], sort)


def _elsewhere(rng: Rng, who: Persons, around: Surroundings) -> _Pairs:
    """Friends and relatives with other carriers: those who live together share some of them."""
    many = 1 + rng.poisson(TIES_OUTSIDE * who.circle)
    one = np.repeat(np.arange(len(who)), many)
    pool = max(20, int(len(who) * OUTSIDE_POOL))
    near = (one * OUTSIDE_POOL).astype(np.int64) + rng.geometric(0.08, len(one))
    friend = np.where(rng.random(len(one)) < 0.6, near, rng.integers(0, pool, len(one))) % pool
    seed = around.seed
    party = around.numbering.elsewhere_of(hashed(seed, friend), hashed(seed + 1, friend))
    return _Pairs(one, party, ELSEWHERE, inside=False)


def _kept(rng: Rng, who: Persons, pairs: _Pairs) -> _Pairs:
    """The pairs without people paired with themselves, second SIMs, and what the old have lost."""
    one, other, life = pairs.one, pairs.other, who.life
    kept = life[one] != SECOND_SIM
    old = life[one] == PLACE["elderly"]
    if pairs.inside:
        kept &= (who.owner[one] != who.owner[other]) & (life[other] != SECOND_SIM)
        old |= life[other] == PLACE["elderly"]
    if pairs.sort != FAMILY:
        kept &= ~old | (rng.random(len(one)) < KEPT_BY_OLD)
    return pairs.where(kept)


def _columns(rng: Rng, who: Persons, pairs: _Pairs) -> Columns:
    """The pairs with how often they speak and who of them calls."""
    one, other, count = pairs.one, pairs.other, len(pairs.one)
    spread = LIKING_SPREAD[pairs.sort]
    liking = CLOSENESS[pairs.sort] * np.exp(rng.normal(-(spread**2) / 2, spread, count))
    lean = who.eager[one] + rng.normal(0, LEAN_SPREAD, count)
    scale = who.activity[one]
    if pairs.inside:
        scale = np.sqrt(scale * who.activity[other])
        lean -= who.eager[other]
    out = 1 / (1 + np.exp(-lean))
    sort = np.full(count, pairs.sort, dtype=np.uint8)
    return one.astype(np.int32), other, sort, liking * scale, out.astype(np.float32)


def _with_second_sims(rng: Rng, who: Persons, ties: Columns) -> Columns:
    """The ties, and those that owners of second SIMs have along them: they call, nobody else."""
    one, other, sort, rate, out = ties
    has = np.zeros(len(who) + 1, dtype=bool)
    has[np.flatnonzero(who.life == SECOND_SIM) - 1] = True
    mine = np.flatnonzero(has[one])
    theirs = np.flatnonzero((other >= 0) & has[np.maximum(other, 0)])
    owner = np.concatenate([one[mine], other[theirs]])
    friend = np.concatenate([other[mine], one[theirs]])
    source = np.concatenate([mine, theirs])
    kept = rng.random(len(source)) < SECOND_SIM_SHARE
    owner, friend, source = owner[kept], friend[kept], source[kept]
    always = 1 / (1 + np.exp(-SECOND_SIM_CALLS))
    ratio = who.activity[owner + 1] / np.maximum(who.activity[owner], 0.05)
    return (
        np.concatenate([one, owner.astype(np.int32) + np.int32(1)]),
        np.concatenate([other, friend]),
        np.concatenate([sort, sort[source]]),
        np.concatenate([rate, rate[source] * np.sqrt(ratio)]),
        np.concatenate([out, np.full(len(source), always, dtype=np.float32)]),
    )


def _summed(rng: Rng, who: Persons, ties: Columns) -> Ties:
    one, other, sort, rate, out = ties
    rate *= CALLS_A_DAY * len(who) / rate.sum()
    habit = who.writes[one] * np.exp(rng.normal(0, 1.0, len(one)))
    inside = other >= 0
    habit[inside] = np.sqrt(habit[inside] * who.writes[other[inside]])
    written = rate * habit * (rng.random(len(one)) < 0.65)
    return Ties(
        one=one,
        other=other,
        sort=sort,
        out=out,
        calls=np.cumsum(rate),
        texts=np.cumsum(written),
    )


def used(rng: Rng, running: Floats) -> Ints:
    """The ties that are used on a day, in order, some several times: one for every use.

    Cheap for many ties that are seldom used: sorted chance is laid along the running sum.
    """
    total = float(running[-1]) if len(running) else 0.0
    steps = np.cumsum(rng.exponential(1.0, rng.poisson(total) + 1))
    return np.asarray(np.searchsorted(running, steps[:-1] / steps[-1] * total, side="right"))
