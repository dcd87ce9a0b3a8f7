"""The reasons of ranked lines, hosts or sites in short: codes with values, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from simbox.features import Feature, features
from simbox.features.hosts import features as host_features
from simbox.features.sites.engine import features as site_features
from simbox.outputs.parts import measured

SEPARATOR = ", "  # between the codes of a line
LINE, HOST, SITE = "line", "host", "site"  # what is ranked, and the column that names it
OF_SITE = "SITE"  # the code of what a line inherits from its site
INHERITED = "What the lines that it stands with show together: see its site."


@dataclass(frozen=True)
class Ranked:
    """The first lines, hosts and sites of a run, with their reasons in words."""

    lines: pl.DataFrame
    hosts: pl.DataFrame | None = None  # none when no captures were read
    sites: pl.DataFrame | None = None  # none where no lines stand together


def features_of(subject: str) -> Mapping[str, Feature]:
    """The features of lines, of hosts or of sites."""
    return {HOST: host_features, SITE: site_features}.get(subject, features)()


def with_values(ranked: pl.DataFrame, table: pl.LazyFrame, subject: str = LINE) -> pl.DataFrame:
    """Ranked lines with a column ``reasons``: the codes for them, each with what was measured."""
    wanted = ranked[subject].implode()
    rows = table.filter(pl.col(subject).is_in(wanted)).collect()
    by_name = {row[subject]: row for row in rows.iter_rows(named=True)}
    known = features_of(subject)
    texts = [
        SEPARATOR.join(_valued(code, by_name.get(name, {}), known) for code in codes(reasons))
        for name, reasons in ranked.select(subject, "reasons_for").iter_rows()
    ]
    return ranked.with_columns(pl.Series("reasons", texts, dtype=pl.String))


def codes(reasons: str | None) -> list[str]:
    """The reason codes of a line."""
    return reasons.split(SEPARATOR) if reasons else []


def meanings(ranked: pl.DataFrame, subject: str = LINE) -> dict[str, str]:
    """What each code among the reasons of some lines means, the most frequent first."""
    used = ranked["reasons_for"].drop_nulls().str.split(SEPARATOR).explode().drop_nulls()
    counted = used.value_counts(name="n").sort("n", "reasons_for", descending=[True, False])
    known = {_code(name): feature.doc for name, feature in features_of(subject).items()}
    known |= {OF_SITE: INHERITED} if subject == LINE else {}
    return {c: known[c] for c in counted["reasons_for"] if c in known}


def _code(feature: str) -> str:
    return feature.upper().replace("_", "-")


def _valued(code: str, row: Mapping[str, Any], known: Mapping[str, Feature]) -> str:
    name = code.lower().replace("-", "_")
    if name not in known or row.get(name) is None:
        return code
    return f"{code} {measured(row[name], known[name])}"
