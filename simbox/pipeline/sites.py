"""The hops of sites: links between suspicious lines, rooms, their scores, what lines inherit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from simbox.config import Config
from simbox.features.context import CellTable, Context
from simbox.features.engine import as_text
from simbox.features.segments import Index
from simbox.features.sites.description import centroids, describe
from simbox.features.sites.engine import features as features_of_sites
from simbox.features.sites.engine import site_features
from simbox.features.sites.measures import rows_of
from simbox.features.sites.network import Network, network
from simbox.features.sites.traffic import Floats, Traffic, gather
from simbox.identifiers import Ids, line_id
from simbox.outputs import folder as run_folder
from simbox.outputs.record import RunRecord
from simbox.outputs.sites import flat
from simbox.outputs.terminal import as_csv
from simbox.scoring import STATUSES, Scored
from simbox.scoring.scorecard import MICRO, Scorecard, logit
from simbox.scoring.sites.communities import Links, communities
from simbox.scoring.sites.inheritance import inherited, with_sites
from simbox.scoring.sites.lookalikes import SITE_LOOKALIKES
from simbox.scoring.sites.score import score_sites
from simbox.store import Store, line_hash


@dataclass(frozen=True)
class FoundSites:
    """The sites of a run, ranked, and who belongs to them."""

    sites: pl.DataFrame
    members: pl.DataFrame  # site, line, belongs, nats of each family of links
    features: pl.DataFrame
    contributions: pl.DataFrame
    expected_false: float  # among the sites that alert, by their own probabilities


def find_sites(
    store: Store, scored: Scored, card: Scorecard, config: Config, cells: CellTable | None
) -> FoundSites | None:
    """Look for rooms among the lines that may stand in one; none where there is no such line."""
    suspects = _suspects(scored.lines, config)
    if suspects.height < 2:
        return None
    traffic, others = gather(store, _ids(suspects["line"]), scored.lines.height)
    links = network(traffic, others)
    site = communities(Links(links.pairs.low, links.pairs.high, links.nats), traffic.lines)
    if not (site >= 0).any():
        return None
    names = as_text(pl.Series("line", traffic.events.line_ids), store)
    own = _own(names, suspects, config)
    measured = site_features(traffic, links, site, own, _abilities(store))
    ids = _site_ids(traffic, site)
    measured = measured.with_columns(pl.Series("site", ids), segment=pl.lit("site"))
    told = describe(traffic, rows_of(traffic, site), measured)
    found = score_sites(measured, card)
    about = _about(traffic, told, ids, cells, store)
    sites = found.sites.join(about, on="site", how="left", maintain_order="left")
    sites, false = _controlled(sites, config)
    members = _members(names, site, ids, links)
    return FoundSites(sites, members, measured, found.contributions, false)


def _suspects(lines: pl.DataFrame, config: Config) -> pl.DataFrame:
    """The lines that a site may consist of, the strongest first: callers, not cleared ones."""
    limits = config.sites
    prior = logit(config.scoring.prior)
    return lines.filter(
        pl.col("score") - prior > limits.suspect_nats, pl.col("moc") >= limits.suspect_calls
    ).head(limits.most_suspects)


def _ids(lines: pl.Series) -> Ids:
    """The ids under which the store keeps lines."""
    return pl.DataFrame({"line": lines}).select(line_id(pl.col("line"))).to_series().to_numpy()


def _own(names: pl.Series, suspects: pl.DataFrame, config: Config) -> Floats:
    """What each line's own score says, the prior left out."""
    score = pl.DataFrame({"line": names}).join(
        suspects.select("line", "score"), on="line", how="left", maintain_order="left"
    )["score"]
    return score.to_numpy() - logit(config.scoring.prior)


def _abilities(store: Store) -> dict[str, bool]:
    """What any feed of the store can show."""
    manifest = store.manifest
    feeds = Context(manifest.first or 0, manifest.last or 0, tuple(manifest.feeds))
    return {name: bool(able.any()) for name, able in feeds.abilities().items()}


def _site_ids(traffic: Traffic, site: Index) -> list[str]:
    """A name for each site that depends on its lines alone: the same site, the same name.

    Two sites that eight digits cannot tell apart are named by all sixteen.
    """
    hashes = line_hash(traffic.events.line_ids)
    lowest = np.full(int(site.max()) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    inside = np.flatnonzero(site >= 0)
    np.minimum.at(lowest, site[inside], hashes[inside])
    names = [f"S-{value:016x}" for value in lowest.tolist()]
    sites = Counter(name[:10] for name in names)
    return [name[:10] if sites[name[:10]] == 1 else name for name in names]


def _about(
    traffic: Traffic, told: pl.DataFrame, ids: list[str], cells: CellTable | None, store: Store
) -> pl.DataFrame:
    """What a site is, with names for its places and clocks for its times."""
    lat, lon = (
        centroids(told["cells"], told["cell_shares"], cells)
        if cells
        else (np.full(len(ids), np.nan), np.full(len(ids), np.nan))
    )
    places = pl.DataFrame({"id": traffic.places})
    places = places.with_columns(name=as_text(places["id"], store))
    named = (
        told.select("cells").with_row_index("n").explode("cells")
        .join(places, left_on="cells", right_on="id", how="left", maintain_order="left")
        .group_by("n", maintain_order=True).agg(pl.col("name").drop_nulls())
    )  # fmt: skip
    epoch = pl.lit(traffic.midnight)
    return told.with_columns(
        pl.Series("site", ids),
        cells=named["name"],
        lat=pl.Series(lat).fill_nan(None),
        lon=pl.Series(lon).fill_nan(None),
        first_seen=pl.from_epoch(pl.col("first_s") + epoch),
        last_seen=pl.from_epoch(pl.col("last_s") + epoch),
        shifts=pl.col("shifts").list.eval(
            pl.struct(
                pl.from_epoch(pl.element().struct.field("start") + epoch).alias("start"),
                pl.from_epoch(pl.element().struct.field("stop") + epoch).alias("stop"),
            )
        ),
    ).drop("first_s", "last_s")


def _controlled(sites: pl.DataFrame, config: Config) -> tuple[pl.DataFrame, float]:
    """The sites with no more alerts than keep the share of false ones below the limit.

    Alerts in falling probability; each one's chance to be false is one less its probability, so
    their running mean is the expected share (the local false discovery rate, Efron 2010).
    """
    alert = pl.col("status").cast(pl.String) == "alert"
    false = pl.when(alert).then(1 - pl.col("probability")).otherwise(0.0)
    kept = false.cum_sum() / alert.cast(pl.Float64).cum_sum() <= config.sites.most_false
    held = pl.when(alert & ~kept).then(pl.lit("watch")).otherwise(pl.col("status").cast(pl.String))
    sites = sites.with_columns(status=held.cast(sites.schema["status"]))
    return sites, float(sites.filter(alert).select((1 - pl.col("probability")).sum()).item())


def _members(names: pl.Series, site: Index, ids: list[str], links: Network) -> pl.DataFrame:
    """Who belongs to which site, how surely, and what each family of links says on average."""
    low, high = links.pairs.low, links.pairs.high
    inside = np.flatnonzero((site[low] >= 0) & (site[low] == site[high]))
    mates = np.bincount(site[site >= 0])[np.maximum(site, 0)] - 1
    means = {}
    for name, nats in (*links.families.items(), ("total", links.nats)):
        total = sum(
            np.bincount(side[inside], weights=nats[inside], minlength=len(site))
            for side in (low, high)
        )
        means[name] = total / np.maximum(mates, 1)
    rows = np.flatnonzero(site >= 0)
    return pl.DataFrame(
        {
            "site": pl.Series(ids).gather(site[rows]),
            "line": names.gather(rows),
            "belongs": 1 / (1 + np.exp(-np.clip(means["total"][rows], -30, 30))),
            **{f"{name}_nats": values[rows] for name, values in means.items()},
        }
    ).sort("site", "line")


def inherit(scored: Scored, found: FoundSites, config: Config, work: Path) -> Scored:
    """The lines with what their sites say about them."""
    names = [k.name for k in SITE_LOOKALIKES if k.name in found.contributions.columns]
    cleared = found.contributions.select(
        "site", cleared=-pl.sum_horizontal(pl.col(n).fill_null(0) for n in names) / MICRO
    )
    sites = found.sites.select("site", "status", "probability", "lines").join(cleared, on="site")
    told = inherited(found.members, sites, scored.lines, config.sites)
    return with_sites(scored, told, config.scoring, work / run_folder.CONTRIBUTIONS)


def site_families() -> dict[str, str]:
    """The family of every feature of sites."""
    return {name: feature.family for name, feature in features_of_sites().items()}


def write_sites(found: FoundSites, work: Path) -> None:
    """The tables of sites in a run's folder."""
    found.sites.write_parquet(work / run_folder.SITES)
    (work / run_folder.SITES_CSV).write_text(as_csv(flat(found.sites)), encoding="utf-8")
    found.members.write_parquet(work / run_folder.SITE_LINES)
    found.features.write_parquet(work / run_folder.SITE_FEATURES)
    found.contributions.write_parquet(work / run_folder.SITE_CONTRIBUTIONS)


def with_found(record: RunRecord, found: FoundSites | None) -> RunRecord:
    """The record with what was said about sites."""
    if found is None:
        return record
    status = Counter(found.sites["status"].cast(pl.String))
    return replace(
        record,
        sites=found.sites.height,
        site_status={name: status.get(name, 0) for name in STATUSES},
        false_sites=round(found.expected_false, 3),
    )
