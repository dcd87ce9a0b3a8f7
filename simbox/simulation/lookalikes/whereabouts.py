"""Where people who are not at work for us to see spend their days: home, a workplace, the road."""

from __future__ import annotations

import numpy as np

from simbox.simulation.attempts import DAY_S, Bools, Floats, Ints, Rng
from simbox.simulation.group import Movement
from simbox.simulation.lookalikes.habits import between, days_off, fresh_seed
from simbox.simulation.movement import Hours, Switch, Tour, desk, walks
from simbox.simulation.surroundings import Surroundings


def commuting(rng: Rng, around: Surroundings, count: int) -> Movement:
    """Home and a workplace; for some the workplace is near home, or home itself."""
    country = around.country
    home = country.homes(rng, count)
    drawn = rng.random(count)
    work = np.where(
        drawn < 0.45, country.homes(rng, count), country.around(home, rng.random(count))
    )
    work = np.where(drawn > 0.8, home, work)
    opens = rng.normal(8.6, 1.2, count)
    hours = Hours(opens, opens + rng.normal(9, 1.5, count), days_off(rng, count), around.weekday)
    there = desk(rng, country, work, fresh_seed(rng))
    return Switch(hours, there, desk(rng, country, home, fresh_seed(rng)))


def staying_in(rng: Rng, around: Surroundings, home: Ints, goes_out: Bools) -> Movement:
    """Home all day; those who go out take the phone along for an hour or a few."""
    country, count = around.country, len(home)
    begins = np.where(goes_out, rng.uniform(7, 21, count), 0.0)
    away = Hours(
        begins,
        begins + np.where(goes_out, rng.uniform(0.4, 4, count), 0.0),
        rng.random((count, 7)) < rng.uniform(0.2, 1, (count, 1)),
        around.weekday,
    )
    elsewhere = desk(rng, country, country.around(home, rng.random(count)), fresh_seed(rng))
    return Switch(away, elsewhere, desk(rng, country, home, fresh_seed(rng)))


def on_rounds(
    rng: Rng, around: Surroundings, home: Ints, hours: Hours, pace: tuple[float, float]
) -> Movement:
    """An office, and on some days a round of places; `pace` is seconds at a place.

    Some people are on the road every day, some hardly ever leave the office or shop.
    """
    country, count = around.country, len(home)
    office = country.around(home, rng.random(count))
    way = walks(rng, country, office, 12, 1.0)
    road = Tour(way, between(rng, *pace, count), country, fresh_seed(rng), hours.opens)
    field = rng.random((count, 7)) < rng.beta(1.2, 0.7, (count, 1))
    out = Hours(hours.opens, hours.closes, hours.days & field, hours.weekday)
    there = Switch(out, road, desk(rng, country, office, fresh_seed(rng)))
    return Switch(hours, there, desk(rng, country, home, fresh_seed(rng)))


def lived_days(born: Floats, gone: Floats, day: int) -> Floats:
    """1 for those whose line is in use on some of the day."""
    return np.asarray(((born < (day + 1) * DAY_S) & (gone > day * DAY_S)).astype(np.float64))
