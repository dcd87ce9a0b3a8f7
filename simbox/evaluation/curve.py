"""Gateways in the order of their scores, and how many other lines stand above each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

REPLICATES = 400  # resampled worlds: the ends of a 95 % interval to about a tenth of its width
SEED = 20_140_427
DRAWS_AT_ONCE = 4_000_000  # random numbers held at a time, 32 MB


@dataclass(frozen=True)
class Curve:
    """Weighted counts along the ranking of gateways, for one world or many resampled ones.

    ``weight`` and ``above`` have a column a gateway that was ranked, best first: how often it
    counts, and how many other lines score at least as high.  The other fields have one column.
    """

    weight: Floats  # [worlds, gateways]
    above: Floats  # [worlds, gateways], not falling
    absent: Floats  # [worlds, 1] gateways that were not ranked
    others: Floats  # [worlds, 1] all other lines
    gateways: int  # of the world as it is

    @property
    def total(self) -> Floats:
        """All gateways, ranked or not."""
        return np.asarray(self.weight.sum(axis=1, keepdims=True) + self.absent)


def average_precision(curve: Curve) -> Floats:
    """The mean over gateways of the precision where each is reached; 0 for those never reached."""
    reached = np.cumsum(curve.weight, axis=1)
    seen = reached + curve.above
    precision = np.divide(reached, seen, out=np.zeros_like(seen), where=seen > 0)
    return _over_total(curve.weight * precision, curve)


def recall_at(rate: float) -> Callable[[Curve], Floats]:
    """The share of gateways reached before more than such a share of other lines."""

    def recall(curve: Curve) -> Floats:
        allowed = np.floor(rate * curve.others * (1 + 1e-12))
        return _over_total(curve.weight * (curve.above <= allowed), curve)

    return recall


def precision_at(top: int, prevalence: float) -> Callable[[Curve], Floats]:
    """The share of gateways among the first lines, were gateways so rare.

    Each other line stands for so many that the prevalence comes out; the world keeps its gateways.
    Where those are fewer than ``top``, the best possible is their number over it.
    """

    def precision(curve: Curve) -> Floats:
        total = curve.total
        rare = (1 - prevalence) / prevalence
        stands_for = np.divide(rare * total, curve.others, out=total * 0, where=curve.others > 0)
        place = np.cumsum(curve.weight, axis=1) + stands_for * curve.above
        # a resampled world with more gateways is larger, and so is what is looked at
        first = np.maximum(np.rint(top * total / curve.gateways), 1)
        within = np.clip(np.floor(first - place + curve.weight), 0, curve.weight)
        return _share(within.sum(axis=1), first[:, 0])

    return precision


def _over_total(part: Floats, curve: Curve) -> Floats:
    return _share(part.sum(axis=1), curve.total[:, 0])


def _share(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0))


@dataclass(frozen=True)
class Ranking:
    """One world: where its gateways stand among its other lines, and who belongs together."""

    above: Integers  # [gateways] other lines that score at least as high, best gateway first
    clusters: Integers  # [gateways] the site of each, numbered; then those of absent gateways
    others: int  # other lines without a site
    sited: Integers  # [sited others] how many gateways stand above each
    sited_clusters: Integers  # [sited others]

    @classmethod
    def of(cls, gateways: tuple[Floats, Integers], others: tuple[Floats, Integers]) -> Ranking:
        """The ranking of scores, NaN where a gateway was not ranked, with the numbers of sites.

        The other lines' sites are -1 where they have none.
        """
        scores, clusters = gateways
        order = np.argsort(-scores, kind="stable")  # NaN goes last
        falling = -scores[order][: np.count_nonzero(~np.isnan(scores))]
        below = np.searchsorted(falling, -others[0], side="left")  # a tie stands above the gateway
        counted = np.bincount(below, minlength=len(falling) + 1)
        sited = others[1] >= 0
        return cls(
            above=np.cumsum(counted)[: len(falling)],
            clusters=clusters[order],
            others=int((~sited).sum()),
            sited=below[sited],
            sited_clusters=others[1][sited],
        )

    @property
    def curve(self) -> Curve:
        """The world as it is."""
        ranked = len(self.above)
        return Curve(
            np.ones((1, ranked)),
            self.above[None, :].astype(np.float64),
            np.full((1, 1), float(len(self.clusters) - ranked)),
            np.full((1, 1), float(self.others + len(self.sited))),
            len(self.clusters),
        )

    def resampled(self, replicates: int = REPLICATES, seed: int = SEED) -> Iterator[Curve]:
        """Worlds in which each site, and each line without one, counts Poisson(1) times.

        The sum of the counts of n lines is Poisson(n), so lines without a site need one draw for
        each gap between gateways, however many they are.
        """
        random = np.random.default_rng(seed)
        gaps = self._gaps()
        clusters = 1 + max(self.clusters.max(initial=-1), self.sited_clusters.max(initial=-1))
        step = max(1, DRAWS_AT_ONCE // (len(gaps) + int(clusters) + len(self.sited)))
        for first in range(0, replicates, step):
            worlds = min(step, replicates - first)
            counts = random.poisson(1.0, (worlds, clusters)).astype(np.float64)
            alone = random.poisson(gaps, (worlds, len(gaps))).astype(np.float64)
            yield self._weighted(counts, alone)

    def _gaps(self) -> Integers:
        """Other lines without a site above the first gateway, between the next ones, and below."""
        ranked = len(self.above)
        ends = np.append(self.above, self.others + len(self.sited))
        return np.diff(ends, prepend=0) - np.bincount(self.sited, minlength=ranked + 1)

    def _weighted(self, counts: Floats, gaps: Floats) -> Curve:
        ranked = len(self.above)
        if len(self.sited):
            order = np.argsort(self.sited, kind="stable")
            drawn = np.cumsum(counts[:, self.sited_clusters[order]], axis=1)
            upto = np.searchsorted(self.sited[order], np.arange(ranked + 1), side="right")
            sums = np.concatenate([np.zeros((len(drawn), 1)), drawn], axis=1)[:, upto]
            gaps = gaps + np.diff(sums, axis=1, prepend=0)
        passed = np.cumsum(gaps, axis=1)
        weights = counts[:, self.clusters]
        return Curve(
            weights[:, :ranked],
            passed[:, :ranked],
            weights[:, ranked:].sum(axis=1, keepdims=True),
            passed[:, -1:],
            len(self.clusters),
        )
