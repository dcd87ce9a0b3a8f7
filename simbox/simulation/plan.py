"""What world is wanted: how many people, how long, which kinds of lines, which seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simbox.errors import UsageError, did_you_mean
from simbox.simulation.gateways import GATEWAYS
from simbox.simulation.group import Kind
from simbox.simulation.lookalikes import LOOKALIKES
from simbox.simulation.ordinary import ORDINARY, PEOPLE_KIND

#: Every kind of subscriber, in the order in which their lines stand in a world.
KINDS: tuple[Kind, ...] = (*ORDINARY, *LOOKALIKES, *GATEWAYS)
SHARE_OF = 100_000  # a kind's share counts units for so many people
LEAST_PEOPLE = 100


@dataclass(frozen=True)
class Plan:
    """An invented country for some days.

    Kinds can be chosen by name or pattern (``gateway/*``); ordinary people are always there.
    """

    people: int = 20_000  # mobile lines of ordinary people
    days: int = 7
    first_day: date = date(2025, 3, 3)  # a Monday
    zone: str = "Asia/Shanghai"
    seed: int = 1
    counts: Mapping[str, int] = field(default_factory=dict)  # units of a kind, instead of its share
    only: tuple[str, ...] = ()  # patterns of kinds; empty for all
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _at_least("people", self.people, LEAST_PEOPLE)
        _at_least("days", self.days, 1)
        _at_least("seed", self.seed, 0)
        _zone(self.zone)
        if PEOPLE_KIND in self.counts:
            raise UsageError(f"counts: found '{PEOPLE_KIND}'; set the number of people instead.")
        known = [kind.name for kind in KINDS]
        for name, count in self.counts.items():
            _known(name, known, name in known)
            _at_least(name, count, 0)
        for pattern in (*self.only, *self.without):
            _known(pattern, known, any(fnmatchcase(name, pattern) for name in known))

    def units(self) -> dict[str, int]:
        """Lines or rooms of every kind that has any, by name, in the order of the world.

        A kind that is wanted has at least one unit, however small the world.
        """
        wanted = {kind.name: self._units_of(kind) for kind in KINDS}
        return {name: count for name, count in wanted.items() if count}

    def _units_of(self, kind: Kind) -> int:
        if kind.name == PEOPLE_KIND:
            return self.people
        if kind.name in self.counts:
            return self.counts[kind.name]
        if (self.only and not _any(kind.name, self.only)) or _any(kind.name, self.without):
            return 0
        return max(1, round(kind.share * self.people / SHARE_OF)) if kind.share else 0


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise UsageError(f"{name}: found {value}; try {least} or more.")


def _zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"zone: '{name}' is no time zone; try one like Asia/Shanghai.") from error


def _known(name: str, known: list[str], fits: bool) -> None:  # noqa: FBT001
    if not fits:
        hint = did_you_mean(name, known)
        raise UsageError(f"kind '{name}': no kind is called so.{hint} Known: {', '.join(known)}")
