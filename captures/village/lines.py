"""Subscriber lines: their cards, handsets, whereabouts hour by hour and habits of the week."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from village.identities import Floats, Ints, Rng, Sims

HOUR_S = 3600
DAY_S = 24 * HOUR_S
DAYS = 7  # Monday to Sunday
HOURS = DAYS * 24

#: Relative activity by hour of the day.
WORKDAY = np.array(
    [4, 2, 1, 1, 1, 4, 18, 48, 70, 80, 86, 92, 84, 62, 68, 76, 82, 98, 110, 105, 88, 58, 28, 10]
)
HOLIDAY = np.array(
    [6, 3, 2, 1, 1, 2, 8, 28, 54, 82, 98, 102, 88, 66, 64, 68, 76, 88, 96, 92, 80, 58, 32, 14]
)


@dataclass(frozen=True)
class Lines:
    """A group of lines, one array element a line."""

    kind: npt.NDArray[np.str_]
    number: Ints
    imsi: Ints
    imei: Ints  # (lines, 2): the handset before and after `handset_change`
    handset_change: Floats
    plan: Ints  # (lines, HOURS): the cell where the line stays in each hour
    curve: Floats  # (lines, HOURS): how likely it is to be on the phone
    wander: Floats  # how often a neighbouring sector takes the call

    def __len__(self) -> int:
        return len(self.number)

    def at(self, which: Ints | slice) -> Lines:
        """Some of the lines."""
        return Lines(**{f.name: getattr(self, f.name)[which] for f in fields(self)})


def lines(kind: str, sims: Sims, imei: Ints, plan: Ints, curve: Floats) -> Lines:
    """Lines of one kind that keep their handset all week."""
    count = len(sims.number)
    return Lines(
        kind=np.full(count, kind, dtype="U16"),
        number=sims.number,
        imsi=sims.imsi,
        imei=np.stack([imei, imei], axis=1),
        handset_change=np.full(count, np.inf),
        plan=np.broadcast_to(plan, (count, HOURS)).astype(np.int64),
        curve=np.broadcast_to(curve, (count, HOURS)).astype(np.float64),
        wander=np.full(count, 0.12),
    )


def together(*groups: Lines) -> Lines:
    """All lines of the county."""
    return Lines(
        **{f.name: np.concatenate([getattr(g, f.name) for g in groups]) for f in fields(Lines)}
    )


def with_handset_changes(rng: Rng, group: Lines, share: float, new: Ints) -> Lines:
    """The group, a share of which moves to another handset once in the week."""
    changes = rng.random(len(group)) < share
    when = np.where(changes, rng.uniform(0, DAYS * DAY_S, len(group)), np.inf)
    return replace(group, handset_change=when, imei=np.stack([group.imei[:, 0], new], axis=1))


def week(workday: npt.ArrayLike, saturday: npt.ArrayLike, sunday: npt.ArrayLike) -> Floats:
    """One activity curve of HOURS values."""
    return np.concatenate([np.tile(workday, 5), saturday, sunday]).astype(np.float64)


def open_hours(first: int, last: int, saturday: float = 1.0, sunday: float = 0.0) -> Floats:
    """The curve of a firm: busy between two hours, with a lunch dip."""
    hours = np.arange(24)
    day = ((hours >= first) & (hours < last)) * np.where(hours == 12, 0.35, 1.0)
    return week(day, day * saturday, day * sunday)


def moments(rng: Rng, curve: Floats, who: Ints) -> Floats:
    """Times of the week at which the lines `who` (rows of `curve`) do something."""
    share = np.cumsum(curve, axis=1) / np.maximum(curve.sum(axis=1), 1e-12)[:, None]
    ladder = (share + np.arange(len(curve))[:, None]).ravel()
    hour = np.searchsorted(ladder, who + rng.random(len(who)), side="right") - who * HOURS
    return np.asarray((np.clip(hour, 0, HOURS - 1) + rng.random(len(who))) * HOUR_S)


def times_each(rng: Rng, rates: Floats) -> Ints:
    """Row numbers, each repeated a Poisson number of times."""
    return np.repeat(np.arange(len(rates)), rng.poisson(rates))
