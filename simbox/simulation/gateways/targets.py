"""Whom rooms call: lists of strangers, or the relatives of callers abroad."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import Floats, Ints, Rng
from simbox.simulation.clock import hashed
from simbox.simulation.numbering import BLOCK
from simbox.simulation.surroundings import Surroundings

CHANCE, BLOCKS, AREAS = 0, 1, 2
AREA = 10**6  # numbers of one area
LIST_A_DAY = 10**6  # more entries than a room can dial in a day


@dataclass(frozen=True)
class Lists:
    """What is dialled in each room; one array element a room."""

    scam: Ints  # 1: a list of strangers; 0: the contacts of callers abroad
    order: Ints  # of a list: CHANCE, BLOCKS or AREAS
    own: Floats  # share on the home network
    again: Floats  # share of calls to a number that was dialled a little before
    circle: Floats  # numbers that the callers abroad have among their contacts
    steep: Floats  # how much of the calls goes to the first of them; 1 is evenly
    dead: Floats  # share of a list that nobody has


def numbers(rng: Rng, lists: Lists, around: Surroundings, room: Ints, place: Ints) -> Ints:
    """The party of each call.

    Args:
        rng: the source of chance.
        lists: habits of the rooms.
        around: the world.
        room: the room of each call.
        place: how many calls the room made before, over all days.
    """
    back = rng.geometric(0.15, len(room))
    again = (rng.random(len(room)) < lists.again[room]) & (place % LIST_A_DAY >= back)
    place = np.where(again, place - back, place)
    strangers = _listed(lists, around, room, place)
    return np.where(lists.scam[room] > 0, strangers, _relatives(lists, around, room, place))


def _listed(lists: Lists, around: Surroundings, room: Ints, place: Ints) -> Ints:
    """The number at a place of the room's list."""
    seed, order = around.seed + 11, lists.order[room]
    found = _anybody(around, lists.own[room], (room, place), seed)
    run = place // (40 + (hashed(seed, room) * 400).astype(np.int64))
    run = np.where(order == AREAS, run // 20, run)
    mobile = np.full(len(room), 0.5)  # lists hold mobile numbers
    head = -around.numbering.elsewhere_of(mobile, hashed(seed + 1, room, run))
    step = 1 + (hashed(seed + 2, room) ** 3 * 30).astype(np.int64)
    in_block = head // BLOCK * BLOCK + (head + place * step) % BLOCK
    in_area = head // AREA * AREA + (hashed(seed + 3, room, place) * AREA).astype(np.int64)
    elsewhere = np.where(order == BLOCKS, in_block, in_area)
    return np.where((found < 0) & (order != CHANCE), -elsewhere, found)


def _relatives(lists: Lists, around: Surroundings, room: Ints, place: Ints) -> Ints:
    """Somebody's relative: few are called often, many once."""
    seed = around.seed + 23
    rank = lists.circle[room] * hashed(seed, room, place) ** lists.steep[room]
    return _anybody(around, lists.own[room], (room, rank.astype(np.int64)), seed + 1)


def _anybody(around: Surroundings, own: Floats, key: tuple[Ints, Ints], seed: int) -> Ints:
    """The party that a room's list or circle has at a place: always the same one."""
    first, end = around.people
    drawn = hashed(seed, *key)
    inside = first + (drawn * max(end - first, 1)).astype(np.int64)
    elsewhere = around.numbering.elsewhere_of(hashed(seed + 1, *key), drawn)
    return np.where((hashed(seed + 2, *key) < own) & (end > first), inside, elsewhere)
