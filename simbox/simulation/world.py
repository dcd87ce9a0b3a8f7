"""A country with its lines, and the calls and texts of every day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zlib import crc32

import numpy as np
import polars as pl

from simbox.simulation.attempts import Ints, Rng
from simbox.simulation.day import days_of
from simbox.simulation.geography import Country, build_country
from simbox.simulation.group import NO_SITE, Group
from simbox.simulation.legs import DayOfLegs
from simbox.simulation.numbering import (
    OWN_FIXED,
    HandsetShop,
    Numbering,
    imsis,
    in_batches,
    own_numbers,
)
from simbox.simulation.ordinary import ORDINARY
from simbox.simulation.plan import KINDS, Plan
from simbox.simulation.surroundings import Surroundings

COUNTRY_CHANCE, SHOP_CHANCE, NUMBER_CHANCE, CARD_CHANCE, FIXED_CHANCE = range(5)
ROOM_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "site": pl.String,
    "kind": pl.String,
    "lines": pl.UInt32,
    "ports": pl.UInt32,
    "cells": pl.List(pl.String),
    "shifts": pl.List(pl.Struct({"from": pl.Datetime("us"), "to": pl.Datetime("us")})),
}


@dataclass(frozen=True)
class World:
    """A built country: who has which number, who runs which room, what happens day by day.

    `lines` has one row an own line, by index: line UInt32, number Int64 (MSISDN digits), imsi
    Int64 (null for fixed lines), kind String, site String (null for none), fixed Boolean.
    `rooms` has one row a site: site, kind, lines, ports, cells (CGIs), shifts (from and to, naive
    local time).
    """

    plan: Plan
    country: Country
    groups: tuple[Group, ...]
    lines: pl.DataFrame
    rooms: pl.DataFrame

    @classmethod
    def build(cls, plan: Plan) -> World:
        """The world that a plan asks for; the same plan gives the same world."""
        country = build_country(_chance(plan, "world", COUNTRY_CHANCE), plan.people)
        groups = _groups(plan, country)
        sites = _sites(groups)
        lines = _lines(plan, groups, sites)
        return cls(plan, country, groups, lines, _rooms(plan, country, groups))

    def days(self) -> Iterator[DayOfLegs]:
        """One day after the other, in bounded memory: some 400 bytes a call of the day."""
        numbers = self.lines["number"].to_numpy()

        def chance(group: Group, day: int) -> Rng:
            return _chance(self.plan, group.kind, 1 + day)

        return days_of(self.groups, numbers, (self.plan.seed, self.plan.days), chance)


def _chance(plan: Plan, name: str, number: int) -> Rng:
    """Chance that depends on nothing but the seed, a name and a number."""
    return np.random.default_rng([plan.seed, crc32(name.encode()), number])


def _groups(plan: Plan, country: Country) -> tuple[Group, ...]:
    units = plan.units()
    people = sum(units.get(kind.name, 0) for kind in ORDINARY)
    shop = HandsetShop(_chance(plan, "world", SHOP_CHANCE))
    groups: list[Group] = []
    first = 0
    for kind in KINDS:
        if kind.name not in units:
            continue
        around = Surroundings(
            days=plan.days,
            weekday=plan.first_day.weekday(),
            country=country,
            numbering=Numbering(),
            shop=shop,
            people=(0, people),
            seed=(plan.seed * 1_000_003 + crc32(kind.name.encode())) % 2**31,
        )
        groups.append(kind.build(_chance(plan, kind.name, 0), units[kind.name], around, first))
        first += groups[-1].size
    return tuple(groups)


def _sites(groups: tuple[Group, ...]) -> dict[str, list[str]]:
    """Names of the rooms of each group."""
    return {
        group.kind: [f"{group.kind.split('/')[-1]}-{n}" for n in range(1, len(group.rooms) + 1)]
        for group in groups
    }


def _lines(plan: Plan, groups: tuple[Group, ...], sites: dict[str, list[str]]) -> pl.DataFrame:
    fixed = np.concatenate([np.full(group.size, group.fixed) for group in groups])
    batch = _batches(groups)
    number = np.empty(len(fixed), dtype=np.int64)
    mobile = ~fixed
    number[mobile] = own_numbers(in_batches(_chance(plan, "world", NUMBER_CHANCE), batch[mobile]))
    wired = in_batches(_chance(plan, "world", FIXED_CHANCE), batch[fixed])
    number[fixed] = own_numbers(wired, OWN_FIXED)
    imsi = np.zeros(len(fixed), dtype=np.int64)
    imsi[mobile] = imsis(in_batches(_chance(plan, "world", CARD_CHANCE), batch[mobile]))
    return pl.DataFrame(
        {
            "line": np.arange(len(fixed), dtype=np.uint32),
            "number": number,
            "imsi": pl.Series(imsi).replace(0, None),
            "kind": pl.concat([_kinds(group) for group in groups]),
            "site": pl.concat([_site_of(group, sites[group.kind]) for group in groups]),
            "fixed": fixed,
        }
    )


def _batches(groups: tuple[Group, ...]) -> Ints:
    """Batches of all lines, with values of their own for every group."""
    found, first = [], 0
    for group in groups:
        _, which = np.unique(group.batch, return_inverse=True)
        found.append(which + first)
        first += int(which.max(initial=-1)) + 1
    return np.concatenate(found)


def _kinds(group: Group) -> pl.Series:
    if group.kinds is None:
        return pl.Series([group.kind]).new_from_index(0, group.size)
    return pl.Series(group.names, dtype=pl.String).gather(group.kinds)


def _site_of(group: Group, names: list[str]) -> pl.Series:
    if group.room is None:
        return pl.Series([None], dtype=pl.String).new_from_index(0, group.size)
    known = pl.Series([*names, None], dtype=pl.String)
    return known.gather(np.where(group.room == NO_SITE, len(names), group.room))


def _rooms(plan: Plan, country: Country, groups: tuple[Group, ...]) -> pl.DataFrame:
    names = _sites(groups)
    rows = [
        {
            "site": site,
            "kind": room.kind,
            "lines": lines,
            "ports": room.ports,
            "cells": [country.names[cell] for cell in room.cells],
            "shifts": [
                {"from": _moment(plan, begins), "to": _moment(plan, ends)}
                for begins, ends in room.shifts
            ],
        }
        for group in groups
        for site, room, lines in zip(names[group.kind], group.rooms, _sizes(group), strict=True)
    ]
    return pl.DataFrame(rows, schema=ROOM_SCHEMA)


def _moment(plan: Plan, second: float) -> datetime:
    return datetime.combine(plan.first_day, time()) + timedelta(seconds=int(second))


def _sizes(group: Group) -> list[int]:
    """Lines of each room."""
    if group.room is None:
        return [0] * len(group.rooms)
    placed = group.room[group.room != NO_SITE]
    return [int(count) for count in np.bincount(placed, minlength=len(group.rooms))]
