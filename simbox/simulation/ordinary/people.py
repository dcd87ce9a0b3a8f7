"""Ordinary people's mobile lines, of many ways of life."""

from __future__ import annotations

from simbox.simulation.attempts import Attempts, Rng, together
from simbox.simulation.group import Group, Kind
from simbox.simulation.ordinary.errands import errands
from simbox.simulation.ordinary.lives import NAMES
from simbox.simulation.ordinary.persons import persons
from simbox.simulation.ordinary.phones import in_use, packs, phones
from simbox.simulation.ordinary.talk import Talk
from simbox.simulation.ordinary.ties import build_ties
from simbox.simulation.ordinary.whereabouts import whereabouts
from simbox.simulation.surroundings import Surroundings

PEOPLE_KIND = "ordinary/people"


def build(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Ordinary people; they stand first in every world, so that a member is its line's index."""
    if first != 0:
        raise ValueError(f"{PEOPLE_KIND}: found at index {first}; people stand first")
    who = persons(rng, count, around.country)
    talk = Talk(who, build_ties(rng, who, around), around)
    besides = errands(rng, who, talk, around)
    handsets = phones(rng, who, around)

    def day(rng: Rng, number: int) -> Attempts:
        return together([talk.of(rng, number), besides.of(rng, number)])

    return Group(
        kind=PEOPLE_KIND,
        first=first,
        size=count,
        movement=whereabouts(rng, who, around),
        handsets=handsets,
        day=day,
        batch=packs(rng, who),
        presence=in_use(rng, who, handsets, around),
        kinds=who.life,
        names=NAMES,
        radio=handsets.radio,
    )


PEOPLE = Kind(
    PEOPLE_KIND,
    "People with families, friends, work, habits and SIM cards of every sort.",
    "lines",
    100_000,
    build,
)
