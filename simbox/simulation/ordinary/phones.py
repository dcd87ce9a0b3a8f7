"""Phones and SIM cards of ordinary people: bought, replaced, lent, handed on, switched off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simbox.simulation.attempts import DAY_S, HOUR_S, MINUTE_S, Bools, Floats, Ints, Rng
from simbox.simulation.clock import hashed
from simbox.simulation.numbering import with_check_digit
from simbox.simulation.ordinary.lives import DUAL_SIM, PLACE, SECOND_SIM
from simbox.simulation.ordinary.persons import Persons
from simbox.simulation.surroundings import Surroundings

SAME_IMEI = 0.35  # of dual-SIM phones show one IMEI for both cards; others two in a row
SECOND_SIM_IN_SAME_PHONE = 0.55
SWAPPED = 0.2  # of second SIMs are put into the one phone that their owner has
SIMPLE = 0.12  # of phones; 0.7 of those of the old
REPAIRED = 0.015  # lines whose SIM spends some time in another phone
OFF_SLOT_S = 20 * MINUTE_S
SWAP_SLOT_S, IN_PHONE = 3 * HOUR_S, 0.3
OUTAGE, SWAP = 901, 902  # what a hashed draw is for
OFF_AT_NIGHT, NEVER_OFF = 0.13, 0.45


@dataclass(frozen=True)
class Phones:
    """Which phone a SIM is in: the first, from some moment another, later a third."""

    imei: Ints  # shape (lines, 3)
    moves: Floats  # s at which the second and third take over, shape (lines, 2)
    radio: Ints  # the line whose phone each line uses
    swapped: Bools  # second cards that take turns with the first in a phone for one card

    def imeis(self, member: Ints, start: Floats) -> Ints:
        """The IMEI of each member's phone at each moment."""
        moves = self.moves[member]
        turn = (start >= moves[:, 0]).astype(np.int64) + (start >= moves[:, 1])
        return self.imei[member, turn]


@dataclass(frozen=True)
class InUse:
    """When lines exist and are switched on."""

    born: Floats
    gone: Floats
    off: npt.NDArray[np.float32]  # chance of being off or without signal
    sleeps: Bools  # switched off at night
    turn: npt.NDArray[np.int8]  # of cards that take turns in one phone: first card 1, second 2
    owner: Ints
    seed: int

    def reachable(self, member: Ints, start: Floats) -> Bools:
        """Whether each member is on at each moment."""
        slot = (start // OFF_SLOT_S).astype(np.int64)
        on = hashed(self.seed + OUTAGE, member, slot) >= self.off[member]
        hour = start % DAY_S / HOUR_S
        asleep = ((hour >= 23) | (hour < 6)) & self.sleeps[member]
        exists = (start >= self.born[member]) & (start < self.gone[member])
        return np.asarray(on & ~asleep & exists & self._in_phone(member, start))

    def _in_phone(self, member: Ints, start: Floats) -> Bools:
        inside = np.ones(len(member), dtype=bool)
        rows = np.flatnonzero(self.turn[member])
        slot = (start[rows] // SWAP_SLOT_S).astype(np.int64)
        second = hashed(self.seed + SWAP, self.owner[member[rows]], slot) < IN_PHONE
        inside[rows] = second == (self.turn[member[rows]] == 2)
        return inside


def phones(rng: Rng, who: Persons, around: Surroundings) -> Phones:
    """Everybody's phones."""
    count, whole = len(who), around.days * DAY_S
    first = _bought(rng, who, around)
    radio = np.arange(count)
    drawn = np.where(who.life == SECOND_SIM, rng.random(count), 1)
    swapped = drawn > 1 - SWAPPED
    swapped &= drawn < 1
    twins = (who.life == DUAL_SIM) & (who.owner != radio)
    shared = (drawn < SECOND_SIM_IN_SAME_PHONE) | swapped | twins
    radio[shared] = who.owner[shared]
    second, third = first.copy(), first.copy()
    moves = np.full((count, 2), np.inf)
    new = np.union1d(who.living("new_phone"), _handed(who)[1])
    second[new], moves[new, 0] = around.shop.phones(len(new)), rng.uniform(0, whole, len(new))
    third[new] = second[new]
    _repair(rng, (second, moves), around)
    giver, taker = _handed(who)[1], _handed(who)[0]
    second[taker], third[taker] = first[giver], first[giver]
    moves[taker, 0] = moves[giver, 0] + rng.exponential(1.5 * DAY_S, len(taker))
    imei = np.stack([first, second, third], axis=1)
    imei[shared] = _twin(rng, imei[radio[shared]], swapped[shared])
    moves[shared] = moves[radio[shared]]
    return Phones(imei, moves, radio, swapped)


def _bought(rng: Rng, who: Persons, around: Surroundings) -> Ints:
    simple = rng.random(len(who)) < np.where(who.life == PLACE["elderly"], 0.7, SIMPLE)
    imei = np.empty(len(who), dtype=np.int64)
    imei[simple] = around.shop.simple_phones(int(simple.sum()))
    imei[~simple] = around.shop.phones(int((~simple).sum()))
    return imei


def _handed(who: Persons) -> tuple[Ints, Ints]:
    """Lines that go on in another line's old phone, and those other lines, which buy a new one."""
    taker = who.living("handed_on")
    taker = taker[(taker > 0) & (who.owner[taker] == taker)]
    giver = who.owner[taker - 1]
    fits = (who.life[giver] != PLACE["handed_on"]) & (giver < taker)
    return taker[fits], giver[fits]


def _repair(rng: Rng, held: tuple[Ints, Floats], around: Surroundings) -> None:
    """Some SIMs spend hours or days in a spare phone, while their own is lent or in repair."""
    second, moves = held
    sent = np.flatnonzero((rng.random(len(second)) < REPAIRED) & ~np.isfinite(moves[:, 0]))
    second[sent] = around.shop.phones(len(sent))
    moves[sent, 0] = rng.uniform(0, around.days * DAY_S, len(sent))
    moves[sent, 1] = moves[sent, 0] + np.exp(rng.normal(1.6, 1.3, len(sent))) * HOUR_S


def _twin(rng: Rng, imei: Ints, swapped: Bools) -> Ints:
    """The IMEIs that second cards show: dual-SIM phones mostly have one for each card."""
    follows = with_check_digit((imei // 10 + 1).ravel()).reshape(imei.shape)
    same = swapped | (rng.random(len(imei)) < SAME_IMEI)
    return np.where(same[:, None], imei, follows)


def in_use(rng: Rng, who: Persons, held: Phones, around: Surroundings) -> InUse:
    """When each line is there and switched on."""
    count, whole = len(who), around.days * DAY_S
    born, gone = np.full(count, -np.inf), np.full(count, np.inf)
    new, leaver = who.living("new_customer"), who.living("leaver")
    born[new] = rng.uniform(0, whole, len(new))
    gone[leaver] = rng.uniform(0, whole, len(leaver))
    tried = new[rng.random(len(new)) < 0.12]  # cards that are given up within days
    gone[tried] = born[tried] + rng.exponential(2 * DAY_S, len(tried))
    off = np.where(rng.random(count) < NEVER_OFF, 0.0, rng.beta(0.5, 22, count))
    drawer = (who.life == SECOND_SIM) & (held.radio == np.arange(count))
    off[drawer] = rng.beta(2, 3, int(drawer.sum()))
    sleeps = (rng.random(count) < OFF_AT_NIGHT)[held.radio] & (who.shift < 5)
    turn = np.zeros(count, dtype=np.int8)
    turn[who.owner[held.swapped]] = 1
    turn[held.swapped] = 2
    return InUse(born, gone, off.astype(np.float32), sleeps, turn, who.owner, around.seed)


def packs(rng: Rng, who: Persons) -> Ints:
    """SIM cards bought together: by families, by firms for their staff, from one dealer's stack."""
    count = len(who)
    batch = np.arange(count)
    family = rng.random(count) < 0.3
    batch = np.where(family[who.household], count + who.household, batch)
    length = 2 + rng.geometric(0.06, count)
    stack = np.repeat(np.arange(count), length)[:count]
    dealer = rng.random(count) < 0.3
    order = np.lexsort((rng.random(count), who.home))
    local = np.empty(count, dtype=np.int64)
    local[order] = np.where(dealer[stack], 2 * count + stack, -1)
    staff = np.empty(count, dtype=np.int64)
    desk = np.lexsort((rng.random(count), who.work))
    staff[desk] = np.where((rng.random(count) < 0.05)[stack], 3 * count + stack, -1)
    staff[~who.works] = -1
    return np.where(staff >= 0, staff, np.where(local >= 0, local, batch))
