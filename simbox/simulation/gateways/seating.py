"""The seating of one room: its cards' turns in its ports, blocked cards and their successors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from simbox.simulation.attempts import DAY_S, HOUR_S, MINUTE_S, Bools, Floats, Ints, Rng
from simbox.simulation.gateways.ports import Tenures, all_tenures
from simbox.simulation.gateways.stock import BOXES, batches, box_imeis, made_up
from simbox.simulation.surroundings import Surroundings

LEAST_STAY_S = 2 * MINUTE_S
NO_ROUNDS = float("inf")


@dataclass(frozen=True)
class Recipe:
    """What one room has and how its cards take turns."""

    cells: Ints  # one a port
    sessions: Floats  # shape (n, 2), s
    slots: int  # cards in use at one time, in ports or waiting for one
    every_s: float = NO_ROUNDS  # a card stays so long in a port; else the whole session
    order: Literal["fixed", "robin", "chance"] = "fixed"
    imei: Literal["port", "card", "turn"] = "port"  # whose handset identity the network sees
    sources: tuple[str, ...] = BOXES
    life_s: float = 40 * DAY_S  # mean working time of a card until it is blocked or thrown away
    life_spread: float = 1.0  # 1: blocked at any moment; near 0: thrown away after that time
    rests: float = 0.05  # chance that a card does not dial in a turn
    silent: float = 0.0  # share of cards that never dial
    flap: float = 0.05  # chance of showing the sector beside
    stray: float = 0.01  # chance of showing a neighbouring mast
    lent: float = 0.1  # share of cards that were somebody's before
    together_s: float = 240.0  # the ports come up within this time
    always_on: bool = False  # cards that come back to their port keep power between sessions

    @property
    def ports(self) -> int:
        """Radios, or fixed lines."""
        return len(self.cells)


@dataclass(frozen=True)
class Seating:
    """One room's cards, ports and hours; cards and ports count from 0 in the room."""

    tenures: Tenures
    batch: Ints  # one a card: who was bought together
    recipe: Recipe

    @property
    def cards(self) -> int:
        """SIM cards that are used at all."""
        return len(self.batch)

    @property
    def port_count(self) -> int:
        """Ports and earlier owners' phones."""
        return int(self.tenures.port.max()) + 1


@dataclass(frozen=True)
class _Turns:
    slot: Ints
    port: Ints
    begins: Floats
    ends: Floats

    def where(self, chosen: Bools | Ints) -> _Turns:
        return _Turns(self.slot[chosen], self.port[chosen], self.begins[chosen], self.ends[chosen])


def seat(rng: Rng, recipe: Recipe, around: Surroundings) -> Seating:
    """A room's cards in its ports over the whole period."""
    turns = _one_at_a_time(_turns(rng, recipe), swap_s=rng.uniform(15, 120))
    turns, generation = _replaced(rng, recipe, turns)
    _, card = np.unique(turns.slot + recipe.slots * generation, return_inverse=True)
    silent = rng.random(int(card.max()) + 1) < recipe.silent
    works = (rng.random(len(card)) >= recipe.rests) & ~silent[card]
    works[np.argmin(turns.begins)] = True  # somebody came to work
    tenures = Tenures(
        sim=card,
        port=turns.port,
        begins=turns.begins,
        ends=turns.ends,
        cell=recipe.cells[turns.port],
        imei=_imeis(rng, recipe, around, (card, turns.port)),
        works=works,
        life=np.zeros(len(card), dtype=bool),
    )
    if recipe.always_on:
        tenures = all_tenures([tenures, _between(tenures)])
    tenures = _with_earlier_lives(rng, recipe, around, tenures)
    return Seating(tenures, batches(rng, len(silent)), recipe)


def _turns(rng: Rng, recipe: Recipe) -> _Turns:
    """Rounds of every session: which slot is in which port."""
    parts, dealt = [], 0
    for begins, ends in recipe.sessions:
        every = min(recipe.every_s, ends - begins)
        rounds = int(np.ceil((ends - begins) / every)) + (recipe.every_s < NO_ROUNDS)
        slot = _dealt(rng, recipe, rounds, dealt)
        dealt += rounds * recipe.ports
        late = rng.uniform(0, min(recipe.together_s, (ends - begins) / 4), recipe.ports)
        phase = rng.uniform(0.1, 1, recipe.ports) if rounds > 1 else np.ones(recipe.ports)
        step = every * np.exp(rng.normal(0, 0.15, (rounds, recipe.ports)))
        step[0] = every * phase
        edge = begins + late + np.cumsum(step, axis=0)
        edge[-1] = ends
        edge = np.minimum(edge, ends - late / 5)
        opens = np.concatenate([(begins + late)[None, :], edge[:-1]])
        port = np.broadcast_to(np.arange(recipe.ports), slot.shape)
        parts.append(_Turns(slot.ravel(), port.ravel(), opens.ravel(), edge.ravel()))
    turns = _Turns(
        np.concatenate([p.slot for p in parts]),
        np.concatenate([p.port for p in parts]),
        np.concatenate([p.begins for p in parts]),
        np.concatenate([p.ends for p in parts]),
    )
    turns = replace(turns, begins=np.ceil(turns.begins), ends=np.floor(turns.ends))
    return turns.where(turns.ends - turns.begins > LEAST_STAY_S)


def _dealt(rng: Rng, recipe: Recipe, rounds: int, dealt: int) -> Ints:
    """Slots by round and port, shape (rounds, ports): no slot twice in a round."""
    slots, ports = recipe.slots, recipe.ports
    if recipe.order == "chance":
        return np.argsort(rng.random((rounds, slots)), axis=1, kind="stable")[:, :ports]
    if recipe.order == "robin":
        return (dealt + np.arange(rounds * ports).reshape(rounds, ports)) % slots
    order = np.arange(ports)
    if rng.random() < 0.3 and ports > 3:  # now and then somebody moves cards about
        moved = rng.choice(ports, 2 * int(rng.integers(1, ports // 2)), replace=False)
        order[moved] = order[np.roll(moved, 1)]
    return np.broadcast_to(order, (rounds, ports))


def _one_at_a_time(turns: _Turns, swap_s: float) -> _Turns:
    """A card leaves its port before it comes into another."""
    turns = turns.where(np.lexsort((turns.begins, turns.slot)))
    follows = np.append(turns.slot[1:] == turns.slot[:-1], False)
    coming = np.append(turns.begins[1:], np.inf) - swap_s
    ends = np.floor(np.where(follows, np.minimum(turns.ends, coming), turns.ends))
    keep = ends - turns.begins > LEAST_STAY_S
    return replace(turns, ends=ends).where(keep)


def _replaced(rng: Rng, recipe: Recipe, turns: _Turns) -> tuple[_Turns, Ints]:
    """Turns of the cards that a slot holds one after the other, and which of them it is.

    A card's life counts working hours; its successor comes from the drawer or the market.
    """
    spent = np.cumsum(np.append(0.0, recipe.sessions[:, 1] - recipe.sessions[:, 0]))
    most = int(min(60, 2 + 4 * spent[-1] / recipe.life_s))
    shape = (recipe.slots, most)
    spread = recipe.life_spread
    lasts = recipe.life_s * ((1 - spread) + spread * rng.exponential(1, shape))
    delay = np.exp(rng.uniform(np.log(0.3), np.log(12))) * HOUR_S * rng.uniform(0.5, 1.5, shape)
    dies = np.cumsum(lasts, axis=1)
    begins_at, length = recipe.sessions[:, 0], recipe.sessions[:, 1] - recipe.sessions[:, 0]
    which = np.minimum(np.searchsorted(spent[1:], dies, side="right"), len(length) - 1)
    until = np.where(dies < spent[-1], begins_at[which] + dies - spent[which], np.inf)
    comes = np.concatenate([np.full((recipe.slots, 1), -np.inf), (until + delay)[:, :-1]], axis=1)
    begins = np.maximum(turns.begins[:, None], comes[turns.slot])
    ends = np.minimum(turns.ends[:, None], until[turns.slot])
    row, generation = np.nonzero(ends - begins > LEAST_STAY_S)
    if not len(row):
        return turns, np.zeros(len(turns.slot), dtype=np.int64)
    kept = replace(
        turns.where(row),
        begins=np.ceil(begins[row, generation]),
        ends=np.floor(ends[row, generation]),
    )
    return kept, generation


def _imeis(rng: Rng, recipe: Recipe, around: Surroundings, who: tuple[Ints, Ints]) -> Ints:
    """The identity shown in each stay: the port's, the card's own, or another every time."""
    card, port = who
    if recipe.imei == "turn":
        return made_up(rng, len(card))
    index = port if recipe.imei == "port" else card
    return box_imeis(rng, around.shop, int(index.max()) + 1, recipe.sources)[index]


def _between(tenures: Tenures) -> Tenures:
    """Idle hours of cards that are the next in their port again."""
    by_card, by_port = (
        np.lexsort((tenures.begins, whose)) for whose in (tenures.sim, tenures.port)
    )
    then = np.full(len(tenures), -1)
    then[by_card[:-1]] = by_card[1:]
    in_port = np.full(len(tenures), -1)
    in_port[by_port[:-1]] = by_port[1:]
    stays = np.flatnonzero((then == in_port) & (then >= 0))
    stays = stays[tenures.sim[then[stays]] == tenures.sim[stays]]
    stays = stays[tenures.port[then[stays]] == tenures.port[stays]]
    idle = tenures.where(stays)
    idle = replace(
        idle,
        begins=idle.ends,
        ends=tenures.begins[then[stays]],
        works=np.zeros(len(idle), dtype=bool),
    )
    return idle.where(idle.ends > idle.begins)


def _with_earlier_lives(
    rng: Rng, recipe: Recipe, around: Surroundings, tenures: Tenures
) -> Tenures:
    """Lent and second-hand cards lived in somebody's phone until shortly before."""
    cards = int(tenures.sim.max()) + 1
    first = np.full(cards, np.inf)
    np.minimum.at(first, tenures.sim, tenures.begins)
    until = first - rng.uniform(0.5, 14, cards) * HOUR_S
    lent = np.flatnonzero((rng.random(cards) < recipe.lent) & (until > 6 * HOUR_S))
    count = len(lent)
    before = Tenures(
        sim=lent,
        port=recipe.ports + np.arange(count),
        begins=np.zeros(count),
        ends=until[lent],
        cell=around.country.homes(rng, count),
        imei=around.shop.phones(count),
        works=np.zeros(count, dtype=bool),
        life=np.ones(count, dtype=bool),
    )
    return all_tenures([tenures, before])
