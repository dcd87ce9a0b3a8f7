"""The host score: the same sums as a line's, over what captures show of an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from simbox.config import Config
from simbox.scoring.feature_table import FeatureTable
from simbox.scoring.grades import Knots
from simbox.scoring.host_lookalikes import HOST_LOOKALIKES
from simbox.scoring.lists import NO_LISTS, ListEntries
from simbox.scoring.population import reference_knots
from simbox.scoring.scorecard import Kind, Scorecard, scorecard
from simbox.scoring.verdicts import LINE_COLUMNS, STATUSES, judge, ranked

SCANNER = "scanner"
HOST_STATUSES = (*STATUSES, SCANNER)
HOST_STATUS = pl.Enum(HOST_STATUSES)
HOSTS = Kind("host", "hosts", ("calls",), HOST_LOOKALIKES)

#: What scoring says about a host, in front of the columns that tell what it is.
HOST_COLUMNS = tuple("host" if name == "line" else name for name in LINE_COLUMNS)


@dataclass(frozen=True)
class ScoredHosts:
    """Every host of a run with its score, and what the score was made from."""

    hosts: pl.DataFrame  # ranked; HOST_COLUMNS, then what the host is
    contributions: pl.DataFrame  # a row a host: micro-nats of each part, and their total
    knots: Knots
    notes: tuple[str, ...]


def host_scorecard(config: Config, feature_families: Mapping[str, str]) -> Scorecard:
    """The host score that a configuration describes, over the features of hosts.

    Raises:
        ConfigError: the configuration names something that is not known.
    """
    return scorecard(config, feature_families, HOSTS)


def score_hosts(
    features: pl.DataFrame, card: Scorecard, lists: ListEntries = NO_LISTS
) -> ScoredHosts:
    """Score the hosts of a run; with too few to compare, by the anchors alone.

    Args:
        features: one row a host, as ``features.hosts.host_features`` makes them.
        card: what they are scored with, of ``host_scorecard``.
        lists: entries of kind line name hosts by their address.
    """
    table = features.rename({"host": "line"})
    knots = reference_knots(FeatureTable.of(table), card)
    judged, parts = judge(table, card, knots, lists)
    scanning = pl.col("scanner") & ~pl.col("status").cast(pl.String).is_in(["alert", "listed"])
    hosts = ranked(judged).with_columns(
        status=pl.when(scanning).then(pl.lit(SCANNER))
        .otherwise(pl.col("status").cast(pl.String)).cast(HOST_STATUS)
    )  # fmt: skip
    notes: tuple[str, ...] = ()
    if knots.empty and not features.is_empty():
        notes = ("too few hosts for percentiles: grades come from the anchors alone",)
    return ScoredHosts(hosts.rename({"line": "host"}), parts.rename({"line": "host"}), knots, notes)
