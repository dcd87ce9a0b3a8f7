"""The configuration of the line score, checked and laid out in the order of its parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from simbox.config import Config, LookalikeWeight, ScoredFeature, Scoring, check_score
from simbox.errors import ConfigError, did_you_mean
from simbox.scoring.feature_table import OUTGOING
from simbox.scoring.lookalikes import LOOKALIKES, Lookalike, check_lookalike

MICRO = 1_000_000  # contributions are whole millionths of a nat: sums of integers are exact
PRIOR = "prior"
HOT_LIST = "hot_list"
SITE = "site"  # what a line inherits from where it stands


@dataclass(frozen=True)
class Part:
    """One addend of a line's score."""

    name: str  # the column of contributions.parquet
    kind: str  # prior, feature, lookalike, list or site
    group: str  # the family of a feature, else the part itself

    @property
    def code(self) -> str:
        """The reason code that reports show: stable, short, in capitals."""
        return self.name.upper().replace("_", "-")


@dataclass(frozen=True)
class FamilyCard:
    """A family with its scored features, and its evidence at grade 1 and at grade 0 in nats."""

    name: str
    compared: tuple[float, float]  # against a population
    alone: tuple[float, float]  # by the anchors alone
    features: Mapping[str, ScoredFeature]
    exposed: bool = True  # few events weaken it, as they do whatever is counted over events

    @cached_property
    def weight(self) -> float:
        """The weight of all its features."""
        return sum(feature.weight for feature in self.features.values())


@dataclass(frozen=True)
class Scorecard:
    """Everything that the score of a line or host is made from, in a fixed order."""

    scoring: Scoring
    hot_nats: float
    families: tuple[FamilyCard, ...]
    lookalikes: tuple[tuple[Lookalike, LookalikeWeight], ...]
    known: frozenset[str]  # every feature that there is, scored or not
    subject: str = "line"  # what is scored
    counted: tuple[str, ...] = OUTGOING  # columns whose sum is the exposure

    @cached_property
    def features(self) -> dict[str, ScoredFeature]:
        """Every scored feature, family by family."""
        return {name: f for family in self.families for name, f in family.features.items()}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Every feature that the score reads."""
        names = list(self.features)
        for lookalike, _ in self.lookalikes:
            names += lookalike.conditions
        return tuple(dict.fromkeys(names))

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The addends of a score, in the order of their columns."""
        features = [Part(n, "feature", f.name) for f in self.families for n in f.features]
        lookalikes = [Part(k.name, "lookalike", k.name) for k, _ in self.lookalikes]
        stands = [Part(SITE, "site", SITE)] if self.subject == "line" else []
        return (
            Part(PRIOR, "prior", PRIOR), *features, *lookalikes, Part(HOT_LIST, "list", HOT_LIST),
            *stands,
        )  # fmt: skip

    def trusting_anchors(self) -> Scorecard:
        """The same, with anchors that speak as loudly without a population as with one."""
        families = tuple(replace(family, alone=family.compared) for family in self.families)
        return replace(self, families=families)

    @property
    def prior(self) -> int:
        """The prior's log odds, in micro-nats."""
        return round(MICRO * logit(self.scoring.prior))


def logit(probability: float) -> float:
    """Log odds of a probability, in nats."""
    return math.log(probability / (1 - probability))


@dataclass(frozen=True)
class Kind:
    """A kind of thing that is scored: where its score stands and what it may name."""

    subject: str
    section: str  # of the configuration
    counted: tuple[str, ...]  # columns whose sum is the exposure
    lookalikes: tuple[Lookalike, ...]


LINES = Kind("line", "scoring", OUTGOING, LOOKALIKES)


def scorecard(config: Config, feature_families: Mapping[str, str], kind: Kind = LINES) -> Scorecard:
    """The score that a configuration describes, over the known features with their families.

    Raises:
        ConfigError: the configuration names something that is not known.
    """
    scoring: Scoring = getattr(config, kind.section)
    check_score(scoring, kind.section, feature_families)
    known = {k.name: k for k in kind.lookalikes}
    for name, weight in scoring.lookalikes.items():
        where = f"configuration: {kind.section}.lookalikes.{name}"
        if name not in known:
            raise ConfigError(f"{where}: no such look-alike.{did_you_mean(name, known)}")
        check_lookalike(known[name], weight, where)
    scored = {n: f for n, f in scoring.features.items() if f.weight > 0}
    families = tuple(
        FamilyCard(
            name,
            family.nats(),
            family.nats(scoring.uncompared_q),
            {n: f for n, f in scored.items() if feature_families[n] == name},
            family.exposed,
        )
        for name, family in scoring.families.items()
    )
    return Scorecard(
        scoring=scoring,
        hot_nats=config.lists.hot_nats,
        families=tuple(family for family in families if family.features),
        lookalikes=tuple((known[n], w) for n, w in scoring.lookalikes.items() if w.weight > 0),
        known=frozenset(feature_families),
        subject=kind.subject,
        counted=kind.counted,
    )
