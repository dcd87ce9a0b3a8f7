"""The site score: the same sums as a line's, over what lines of one room do together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from simbox.config import Config
from simbox.scoring.grades import NO_KNOTS
from simbox.scoring.lists import NO_LISTS, ListEntries
from simbox.scoring.scorecard import Kind, Scorecard, scorecard
from simbox.scoring.sites.lookalikes import SITE_LOOKALIKES
from simbox.scoring.verdicts import LINE_COLUMNS, judge, ranked

SITES = Kind("site", "sites", ("calls",), SITE_LOOKALIKES)
SITE_COLUMNS = tuple("site" if name == "line" else name for name in LINE_COLUMNS)


@dataclass(frozen=True)
class ScoredSites:
    """Every candidate site of a run with its score, and what the score was made from."""

    sites: pl.DataFrame  # ranked; SITE_COLUMNS, then what the site is
    contributions: pl.DataFrame  # a row a site: micro-nats of each part, and their total


def site_scorecard(config: Config, feature_families: Mapping[str, str]) -> Scorecard:
    """The site score that a configuration describes, over the features of sites.

    Raises:
        ConfigError: the configuration names something that is not known.
    """
    return scorecard(config, feature_families, SITES)


def score_sites(
    features: pl.DataFrame, card: Scorecard, lists: ListEntries = NO_LISTS
) -> ScoredSites:
    """Score the candidate sites of a run, by the anchors alone: no population of rooms exists.

    Args:
        features: one row a site with a column `site`, as ``features.sites`` makes them.
        card: what they are scored with, of :func:`site_scorecard`.
        lists: entries of kind line name sites by their id.
    """
    judged, parts = judge(features.rename({"site": "line"}), card, NO_KNOTS, lists)
    named = ranked(judged).rename({"line": "site"})
    return ScoredSites(named, parts.rename({"line": "site"}))
