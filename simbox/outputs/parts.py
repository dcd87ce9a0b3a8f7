"""A score as groups of worded parts: prior, families with their features, look-alikes, lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from simbox.features import Feature
from simbox.outputs.wording import number

MICRO = 1_000_000  # micro-nats in a nat
WEIGHTY = MICRO // 10  # a part below it would not change a probability by a tenth
UNITLESS = ("share", "ratio", "0 or 1")
LONGEST_UNIT = 8
GROUPS = {"prior": "prior", "lookalike": "look-alikes", "list": "lists", "site": "site"}
SMALL = {"look-alikes": "that do not hold"}


@dataclass(frozen=True)
class Part:
    """One addend of a score in words."""

    code: str
    words: str
    micro_nats: int
    value: str = ""  # as measured, with its unit
    anchors: str = ""  # from where suspicion starts to where it is full
    percentile: str = ""  # of the value on the suspicious side of its segment


@dataclass(frozen=True)
class Group:
    """Parts that belong together, with their sum."""

    name: str
    parts: tuple[Part, ...]
    small: str = "smaller"  # what its unweighty parts are

    @property
    def micro_nats(self) -> int:
        return sum(part.micro_nats for part in self.parts)

    def short(self) -> tuple[Part, ...]:
        """The parts that matter, and what is left as one part."""
        weighty = tuple(part for part in self.parts if abs(part.micro_nats) >= WEIGHTY)
        left = len(self.parts) - len(weighty)
        if not left:
            return weighty
        rest = self.micro_nats - sum(part.micro_nats for part in weighty)
        return (*weighty, Part("", f"{left} {self.small}", rest))


@dataclass(frozen=True)
class Breakdown:
    """A score taken apart; the groups' sums add up to it exactly."""

    groups: tuple[Group, ...]

    @property
    def total(self) -> int:
        return sum(group.micro_nats for group in self.groups)

    def reworded(self, code: str, words: str) -> Breakdown:
        """The same with other words for one of its parts."""
        return Breakdown(
            tuple(
                replace(
                    g,
                    parts=tuple(replace(p, words=words) if p.code == code else p for p in g.parts),
                )
                for g in self.groups
            )
        )


def breakdown(explained: pl.DataFrame, features: Mapping[str, Feature]) -> Breakdown:
    """The parts of a score (columns of scoring.reasons.EXPLANATION) in groups, in words.

    The prior comes first, then what speaks for a gateway, then what speaks against.
    """
    by_group: dict[str, list[Part]] = {}
    for row in explained.iter_rows(named=True):
        name = row["family"] or GROUPS[row["kind"]]
        by_group.setdefault(name, []).append(_part(row, features))
    groups = [Group(n, tuple(parts), SMALL.get(n, "smaller")) for n, parts in by_group.items()]
    return Breakdown(tuple(sorted(groups, key=_order)))


def _order(group: Group) -> tuple[bool, int, str]:
    return group.name != GROUPS["prior"], -group.micro_nats, group.name


def _part(row: Mapping[str, object], features: Mapping[str, Feature]) -> Part:
    code, nats = str(row["code"]), int(str(row["micro_nats"]))
    if row["kind"] != "feature":
        return Part(code, str(row["because"]), nats)
    feature = features[str(row["part"])]
    return Part(
        code=code,
        words=feature.doc,
        micro_nats=nats,
        value=measured(_float(row["value"]), feature),
        anchors=f"{number(_float(row['legit']))} → {number(_float(row['gateway']))}",
        percentile=_percentile(_float(row["percentile"])),
    )


def measured(value: float | None, feature: Feature) -> str:
    """A feature's value with its unit; shares have none, and a long one stands in its words."""
    bare = feature.unit.startswith(UNITLESS) or len(feature.unit) > LONGEST_UNIT
    return number(value) if bare else f"{number(value)} {feature.unit}"


def _percentile(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
