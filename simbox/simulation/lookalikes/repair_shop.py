"""Repair shops: customers' SIM cards try bench phones, the shop's own tries customers' phones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    Attempts,
    Bools,
    Floats,
    Ints,
    Manners,
    Rng,
    calls,
    talk_seconds,
)
from simbox.simulation.group import NO_SITE, Group, Kind
from simbox.simulation.lookalikes.habits import alone, between, fresh_seed, on_day, sizes
from simbox.simulation.lookalikes.premises import labels
from simbox.simulation.lookalikes.private_life import PrivateLife, private_life
from simbox.simulation.lookalikes.whereabouts import commuting
from simbox.simulation.movement import Switch, Windows, desk
from simbox.simulation.surroundings import Surroundings

BENCH, CUSTOMER = "lookalike/repair_bench", "lookalike/repair_customer"
PROVING = Manners(redial=0.7, callback=0.0, returned=0.0)


@dataclass(frozen=True)
class Visits:
    """Customers at the bench: one visit each; arrays by customer, ordered by shop and time."""

    member: Ints
    shop: Ints
    bench: Ints  # the bench SIM card (member) that tries the customer's phone
    begin: Floats  # s
    tried: Floats  # s at which the customer's SIM card leaves the bench phone
    end: Floats  # s at which the shop's SIM card leaves the customer's phone


@dataclass(frozen=True)
class Benches:
    """Which handset each SIM card is in."""

    own: Ints  # IMEI of each member's own handset; of bench SIM cards, their usual bench phone
    bench: Ints  # IMEI of the bench phone that each customer's SIM card tries
    later: Ints  # IMEI of each customer's handset after the visit
    since: Floats  # s, begin of each customer's visit, infinite for bench SIM cards
    until: Floats  # s, end of it
    visits: Visits
    shop: Ints  # one a member
    is_bench: Bools
    horizon: float  # s, longer than the world

    def imeis(self, member: Ints, start: Floats) -> Ints:
        """The handset of each SIM card at each moment."""
        own = np.where(start >= self.until[member], self.later[member], self.own[member])
        trying = (start >= self.since[member]) & (start < self.until[member])
        held = np.where(trying, self.bench[member], own)
        guest, holds = self._in_customers_phone(member, start)
        return np.where(holds & self.is_bench[member], self.own[guest], held)

    def _in_customers_phone(self, member: Ints, start: Floats) -> tuple[Ints, Bools]:
        """The customer whose phone the shop's SIM card may be in, and whether it is."""
        visits = self.visits
        key = visits.shop * self.horizon + visits.tried
        shop = self.shop[member]
        last = np.searchsorted(key, shop * self.horizon + start, side="right") - 1
        found = np.maximum(last, 0)
        held = (last >= 0) & (visits.bench[found] == member) & (start < visits.end[found])
        return visits.member[found], held


@dataclass(frozen=True)
class RepairShops:
    """Trial calls at the bench, and the life of customers and of the people of the shop."""

    first: int
    visits: Visits
    tries: Ints  # trial calls, one a visit
    private: PrivateLife
    mixes: Floats

    def __call__(self, rng: Rng, day: int) -> Attempts:
        """A call or two from the bench for every visitor, and private life."""
        private = self.private.of(rng, self.first, day, self.mixes)
        return on_day([*self._trials(rng, day), private], day)

    def _trials(self, rng: Rng, day: int) -> list[Attempts]:
        visits = self.visits
        todays = np.flatnonzero((visits.begin >= day * DAY_S) & (visits.begin < (day + 1) * DAY_S))
        which = np.repeat(todays, self.tries[todays])
        customer, bench = self.first + visits.member[which], self.first + visits.bench[which]
        begin, tried, end = visits.begin[which], visits.tried[which], visits.end[which]
        before = begin + rng.random(len(which)) * np.minimum(tried - begin, 900)
        after = tried + rng.random(len(which)) * (end - tried)
        way = rng.random(len(which))
        parts = []
        for chosen, a, b, start in (
            (way < 0.4, customer, bench, before),
            (way > 0.55, bench, customer, after),
            ((way >= 0.4) & (way <= 0.55), bench, np.full(len(which), -10086), after),
        ):
            talk = talk_seconds(rng, int(chosen.sum()), 7, 0.7)
            how = (np.full(len(talk), 0.55), PROVING)
            parts.append(calls(rng, (a[chosen], b[chosen]), start[chosen], talk, how))
        return parts


def build_repair_shops(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """So many shops, each with bench SIM cards, bench phones, and its customers' SIM cards."""
    benches, customers = sizes(rng, count, 2, (1, 5)), sizes(rng, count, 10, (2, 60))
    lines = benches + customers
    shop = np.repeat(np.arange(count), lines)
    lead = np.cumsum(lines) - lines
    is_bench = np.arange(len(shop)) - lead[shop] < benches[shop]
    bench = lead[shop] + (rng.random(len(shop)) * benches[shop]).astype(np.int64)
    visits = _visits(rng, around, (shop, bench), np.flatnonzero(~is_bench))
    cell = around.country.homes(rng, count)
    at_bench = desk(rng, around.country, cell[shop], fresh_seed(rng))
    return Group(
        kind=BENCH,
        first=first,
        size=len(shop),
        movement=Switch(_at_shop(visits, is_bench), at_bench, commuting(rng, around, len(shop))),
        handsets=_benches(rng, around, visits, (shop, is_bench)),
        day=RepairShops(
            first,
            visits,
            rng.integers(0, 4, len(visits.shop)),
            private_life(rng, around, len(shop), (0.5, 12.0), fresh_seed(rng)),
            np.where(is_bench, between(rng, 0.02, 1.0, count)[shop], 1.0),
        ),
        batch=alone(len(shop)),
        room=np.where(is_bench, shop, NO_SITE),
        rooms=labels(BENCH, benches, cell),
        kinds=(~is_bench).astype(np.int64),
        names=(BENCH, CUSTOMER),
    )


def _at_shop(visits: Visits, is_bench: Bools) -> Windows:
    """When each member is at the shop: bench SIM cards always, customers to bring and to fetch."""
    begins = np.where(is_bench, -1.0, np.inf)[:, None] * np.ones(2)
    ends = np.full(begins.shape, np.inf)
    member = visits.member
    begins[member] = np.stack([visits.begin - 300, visits.tried - 300], axis=1)
    left = np.minimum(visits.tried, visits.begin + HOUR_S)
    ends[member] = np.stack([left, visits.end + 300], axis=1)
    return Windows(begins, ends)


def _visits(rng: Rng, around: Surroundings, of: tuple[Ints, Ints], customer: Ints) -> Visits:
    """A visit in shop hours for every customer; some leave the card in a lent phone for days."""
    shop, bench = of
    count = len(customer)
    begin = rng.integers(0, around.days, count) * DAY_S + rng.uniform(9.5, 19, count) * HOUR_S
    lent = rng.random(count) < 0.12
    stay = np.where(
        lent, between(rng, 0.5 * DAY_S, 4 * DAY_S, count), between(rng, 3 * MINUTE_S, HOUR_S, count)
    )
    tried = begin + stay
    end = tried + between(rng, MINUTE_S, 25 * MINUTE_S, count)
    order = np.lexsort((tried, shop[customer]))
    chosen = customer[order]
    return Visits(chosen, shop[chosen], bench[chosen], begin[order], tried[order], end[order])


def _benches(rng: Rng, around: Surroundings, visits: Visits, of: tuple[Ints, Bools]) -> Benches:
    shop, is_bench = of
    count = len(shop)
    own, sold = around.shop.phones(count), around.shop.phones(count)
    phones = around.shop.phones((shop.max(initial=0) + 1) * 4).reshape(-1, 4)
    # A bench has one to four phones; most shops use one of them most.
    used = (rng.random(count) ** 1.7 * rng.integers(1, 5, len(phones))[shop]).astype(np.int64)
    since, until = np.full(count, np.inf), np.full(count, np.inf)
    since[visits.member], until[visits.member] = visits.begin, visits.tried
    bench = phones[shop, used]
    return Benches(
        own=np.where(is_bench, bench, own),
        bench=bench,
        later=np.where(is_bench, bench, np.where(rng.random(count) < 0.2, sold, own)),
        since=since,
        until=until,
        visits=visits,
        shop=shop,
        is_bench=is_bench,
        horizon=float((around.days + 10) * DAY_S),
    )


REPAIR_SHOP = Kind(
    BENCH,
    "repair shops: SIM cards that try other phones for minutes, and their customers",
    "rooms",
    34,
    build_repair_shops,
)
