"""How sure a figure is: resampled by site within one world, Student's t over several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Z = 1.959964  # the normal quantile of a two-sided 95 % interval
#: Student's t at 97.5 % for 1 to 30 degrees of freedom.
STUDENT = (
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
    2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
    2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
)  # fmt: skip
PERCENT = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval; null where it cannot be told."""

    value: float | None
    low: float | None = None
    high: float | None = None


UNKNOWN = Estimate(None)


def student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t.

    Beyond the table the first terms of its expansion around the normal quantile (Abramowitz and
    Stegun 26.7.5), good to four digits there.
    """
    if freedom <= len(STUDENT):
        return STUDENT[freedom - 1]
    return Z + (Z**3 + Z) / (4 * freedom) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * freedom**2)


def over_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of a figure over worlds with Student's interval; of one world, its own interval."""
    known = [e for e in estimates if e.value is not None]
    if len(known) == 1:
        return known[0]
    found = mean_of_values([e.value for e in known if e.value is not None])
    if found.low is None or found.high is None:
        return found
    return Estimate(found.value, max(found.low, 0.0), min(found.high, 1.0))


def mean_of_values(values: Sequence[float]) -> Estimate:
    """The mean of independent values with Student's interval; of one value, without any."""
    if len(values) < 2:
        return Estimate(*values) if values else UNKNOWN
    mean = float(np.mean(values))
    half = student(len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Estimate(mean, mean - half, mean + half)


def wilson(share: float, count: float) -> Estimate:
    """A share of so many independent things with Wilson's score interval (Wilson 1927).

    It says something at 0 and 1 too, where resampling finds no spread.
    """
    if count <= 0:
        return UNKNOWN
    middle = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * math.sqrt(share * (1 - share) / count + (Z / (2 * count)) ** 2)
    return Estimate(share, min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share))


@dataclass(frozen=True)
class Clustered:
    """Lines of a kind, how many of them were found, and the same a site at a time.

    A line without a site stands alone.  Lines of one site stand and fall together, so they count
    as fewer lines than they are (Kish's design effect).
    """

    lines: int
    found: int
    alone: int  # lines without a site
    alone_found: int
    sizes: npt.NDArray[np.int64]  # [sites] lines
    hits: npt.NDArray[np.int64]  # [sites] lines found

    @property
    def clusters(self) -> int:
        """Independent things: sites and lines without one."""
        return self.alone + len(self.sizes)

    def effective(self) -> float:
        """How many independent lines would leave the share as uncertain as it is."""
        share, clusters = self.found / self.lines, self.clusters
        spread = share * (1 - share)
        if spread == 0 or clusters < 2:
            return float(clusters)
        squares = self.alone_found * (1 - share) ** 2
        squares += (self.alone - self.alone_found) * share**2
        squares += float(((self.hits - share * self.sizes) ** 2).sum())
        variance = squares * clusters / (clusters - 1) / self.lines**2
        return min(spread / variance, float(self.lines)) if variance > 0 else float(clusters)

    def estimate(self) -> Estimate:
        """The share found, with Wilson's interval over the effective number of lines."""
        if not self.lines:
            return UNKNOWN
        return wilson(self.found / self.lines, self.effective())


def percentile_interval(value: float, resampled: npt.NDArray[np.float64]) -> Estimate:
    """A figure with the middle 95 % of what resampled worlds give for it."""
    low, high = np.percentile(resampled, PERCENT)
    return Estimate(value, min(float(low), value), max(float(high), value))
