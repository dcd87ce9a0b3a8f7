"""All links between the lines of a run that may stand in a room, family by family."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simbox.features.sites.candidates import candidates
from simbox.features.sites.links import identity, lists, moves, place, ports, rhythm
from simbox.features.sites.pairs import Pairs
from simbox.features.sites.traffic import Floats, Traffic
from simbox.features.sites.whereabouts import whereabouts

LEAST_NATS = -0.5  # of place, lists and handsets, below which a pair is not looked at further
SPEAKING = 1.5  # nats from which a family beside the place speaks for one room
PLACE_ALONE = 1.5  # nats taken off where none does
ROOM_LINES = 16  # lines of one room, for the odds that two chance candidates share one


@dataclass(frozen=True)
class LinkFamily:
    """Links that say the same kind of thing; their sum is bounded, so none decides alone.

    Little speaks against one room: cards that take turns work on different days, and those of a
    SIM bank stand in different cells.
    """

    name: str
    doc: str
    least: float
    most: float


FAMILIES = (
    LinkFamily("place", "at the same cells, more than the crowd there", -4.0, 8.0),
    LinkFamily("moves", "moving together through the same cells", -1.0, 7.0),
    LinkFamily("rhythm", "beginning, ending, coming and going together", -1.5, 9.0),
    LinkFamily("port", "taking turns and never both in a call", 0.0, 7.0),
    LinkFamily("list", "dealt one list of numbers, or calling each other", 0.0, 9.0),
    LinkFamily("identity", "one handset, neighbouring serials or numbers", 0.0, 8.0),
)


@dataclass(frozen=True)
class Network:
    """Pairs of lines and what each family of links says about them, in nats."""

    pairs: Pairs
    families: dict[str, Floats]
    lines: int

    @property
    def odds(self) -> float:
        """Log odds, in nats, that two chance candidates do not stand in one room."""
        return math.log(max(self.lines, 2 * ROOM_LINES) / ROOM_LINES)

    @property
    def nats(self) -> Floats:
        """The evidence for one room, the odds of chance taken off.

        A cell in common is no link by itself: something else has to speak for it.
        """
        others = [nats for name, nats in self.families.items() if name != "place"]
        alone = np.max(others, axis=0) < SPEAKING if others else np.zeros(0, dtype=bool)
        total = np.sum(list(self.families.values()), axis=0)
        return np.asarray(total - self.odds - np.where(alone, PLACE_ALONE, 0.0))


def network(members: Traffic, others: Traffic) -> Network:
    """The links between the members, measured against what the others do.

    Place, handsets and lists, which cost little, are told for every candidate; the rest only for
    pairs that these do not speak against.
    """
    where = whereabouts(members, others)
    days, usual = rhythm.days_of(members), rhythm.days_of(others)
    turns = ports.turns_of(members, members.place)
    dialled, carried = lists.Dialled(members), identity.Carried(members)
    pairs = candidates(dialled, carried, where, days, turns)
    cheap = {
        "place": [place.same_places(pairs, where)],
        "list": [
            lists.shared_numbers(pairs, dialled),
            lists.side_by_side(pairs, dialled),
            lists.inside_calls(pairs, dialled),
        ],
        "identity": [
            identity.shared_handset(pairs, carried),
            identity.near_serials(pairs, carried),
            identity.number_blocks(pairs, members),
        ],
    }
    told = _bounded(cheap)
    kept = np.flatnonzero(sum(told.values()) > LEAST_NATS)
    pairs = Pairs(pairs.low[kept], pairs.high[kept])
    told = {name: nats[kept] for name, nats in told.items()}
    dear = {
        "moves": [moves.joint_moves(pairs, moves.slots_of(members), where)],
        "rhythm": [
            rhythm.same_hours(pairs, days, usual),
            rhythm.same_days(pairs, days, usual),
            rhythm.born_together(pairs, members, others),
        ],
        "port": [
            ports.never_both(pairs, ports.talk_of(members)),
            ports.hand_over(pairs, turns, members),
        ],
    }
    told |= _bounded(dear)
    return Network(pairs, {family.name: told[family.name] for family in FAMILIES}, members.lines)


def _bounded(links: dict[str, list[Floats]]) -> dict[str, Floats]:
    """The sum of each family's links, within the family's bounds."""
    bounds = {family.name: (family.least, family.most) for family in FAMILIES}
    return {name: np.clip(np.sum(parts, axis=0), *bounds[name]) for name, parts in links.items()}
