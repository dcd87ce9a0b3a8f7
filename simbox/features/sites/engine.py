"""The features of sites: what links their lines, and what they do as one subscriber."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import polars as pl

from simbox.features.declaration import ABILITIES, Feature, collect
from simbox.features.segments import Index
from simbox.features.sites.measures import measure, rows_of
from simbox.features.sites.network import Network
from simbox.features.sites.traffic import Floats, Traffic

SEGMENT = "site"
LOUD = 3.0  # nats of its own from which a line speaks for a gateway

#: Columns that features of sites read.
MEASURED = (
    "lines", "calls", "days", "hours", "talk_s", "devices", "places", "places_used", "at_once", "full_share",
    "distinct_share", "called_back_share", "known_share", "again_share", "redial_share",
    "incoming_share", "answered_in_share", "reception_share", "answer_ratio", "inside_share",
    "member_nats", "member_share", "link_nats", "place_nats", "rhythm_nats", "turn_nats",
    "handset_nats", "list_nats", "move_nats",
)  # fmt: skip
STRONGEST = {"turn_nats": "port", "handset_nats": "identity", "list_nats": "list",
             "move_nats": "moves"}  # fmt: skip


@cache
def features() -> Mapping[str, Feature]:
    """All features of sites by name, each checked against what is measured."""
    known = {*MEASURED, *(f"can_{name}" for name in ABILITIES)}
    return collect("simbox.features.sites.families", known)


def site_features(
    traffic: Traffic, net: Network, site: Index, own: Floats, abilities: Mapping[str, bool]
) -> pl.DataFrame:
    """One row a site: what it is, what was measured, and every feature.

    Args:
        traffic: the events of the lines.
        net: their links.
        site: the site of each line, -1 for none.
        own: nats that each line's own score says for a gateway, its prior left out.
        abilities: what the feeds can show, of :data:`ABILITIES`.
    """
    sites = int(site.max(initial=-1)) + 1
    wide = measure(rows_of(traffic, site), sites)
    held = pl.DataFrame({**_member_nats(site, own, sites), **_link_nats(net, site, sites)})
    wide = wide.hstack(held).with_columns(
        pl.lit(bool(abilities.get(name))).alias(f"can_{name}") for name in ABILITIES
    )
    numbers = wide.select(feature.expression() for feature in features().values())
    return wide.drop(numbers.columns, strict=False).hstack(numbers)


def _member_nats(site: Index, own: Floats, sites: int) -> dict[str, Floats]:
    """The lines' own evidence: the k-th strongest divided by k, for lines of a room are alike."""
    line = np.flatnonzero(site >= 0)
    line = line[np.lexsort((line, -own[line], site[line]))]
    of, nats = site[line], own[line]
    rank = np.arange(len(line)) - np.searchsorted(of, of) + 1
    loud = np.bincount(of, weights=nats >= LOUD, minlength=sites)
    lines = np.maximum(np.bincount(of, minlength=sites), 1)
    together = np.bincount(of, weights=nats / rank, minlength=sites)
    return {"member_nats": np.asarray(together, dtype=np.float64), "member_share": loud / lines}


def _link_nats(net: Network, site: Index, sites: int) -> dict[str, Floats]:
    """What the links inside each site say: means over all its pairs, and each line's strongest."""
    low, high = net.pairs.low, net.pairs.high
    inside = np.flatnonzero((site[low] >= 0) & (site[low] == site[high]))
    of = site[low[inside]]
    lines = np.bincount(site[site >= 0], minlength=sites)
    all_pairs = np.maximum(lines * (lines - 1) / 2, 1)
    mean = {
        name: np.bincount(of, weights=nats[inside], minlength=sites) / all_pairs
        for name, nats in (
            *net.families.items(),
            ("link", np.sum(list(net.families.values()), axis=0)),
        )
    }
    found = {f"{name}_nats": mean[name] for name in ("link", "place", "rhythm")}
    for column, name in STRONGEST.items():
        best = np.zeros(len(site))
        for side in (low, high):
            np.maximum.at(best, side[inside], net.families[name][inside])
        total = np.bincount(site[site >= 0], weights=best[site >= 0], minlength=sites)
        found[column] = total / np.maximum(lines, 1)
    return found
