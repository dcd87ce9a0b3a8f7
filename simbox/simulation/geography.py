"""An invented country: towns, masts, sectors, and who is near whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simbox.simulation.attempts import Floats, Ints, Rng

SECTORS = 3
LINES_A_CELL = 420
LEAST_MASTS = 24
NEAR = 12  # masts kept as neighbours of a mast, nearest first
CENTRE = (12.0, -41.0)  # degrees, in the middle of an ocean
MASTS_A_TOWN = 28
CHUNK = 512


@dataclass(frozen=True)
class Country:
    """Cells by index: cell = mast * 3 + sector."""

    lat: Floats  # degrees, one a mast
    lon: Floats
    town: Ints  # one a mast
    near: Ints  # shape (masts, NEAR): the masts around a mast, nearest first
    pull: Floats  # share of the people who live at each mast; sums to 1
    names: pl.Series  # CGI of each cell

    @property
    def masts(self) -> int:
        """Number of masts."""
        return len(self.lat)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.masts * SECTORS

    def homes(self, rng: Rng, count: int) -> Ints:
        """Cells where so many people live: crowded in towns."""
        mast = rng.choice(self.masts, count, p=self.pull)
        return np.asarray(mast * SECTORS + rng.integers(0, SECTORS, count))

    def around(self, cell: Ints, drawn: Floats) -> Ints:
        """A cell at a mast near each cell; `drawn` in [0, 1), small values give nearer masts."""
        rank = np.minimum((drawn**2 * NEAR).astype(np.int64), NEAR - 1)
        sector = (drawn * 7919 * SECTORS).astype(np.int64) % SECTORS
        return np.asarray(self.near[cell // SECTORS, rank] * SECTORS + sector)

    def beside(self, cell: Ints, turn: Ints) -> Ints:
        """Another sector of the same mast: turn 1 or 2."""
        return np.asarray(cell // SECTORS * SECTORS + (cell + turn) % SECTORS)

    def table(self) -> pl.DataFrame:
        """The carrier's cell table: cell, lat, lon (degrees), azimuth (degrees), district."""
        mast = np.repeat(np.arange(self.masts), SECTORS)
        sector = np.tile(np.arange(SECTORS), self.masts)
        return pl.DataFrame(
            {
                "cell": self.names,
                "lat": np.round(self.lat[mast], 5),
                "lon": np.round(self.lon[mast], 5),
                "azimuth": sector * 360 // SECTORS,
                "district": pl.Series(self.town[mast]).cast(pl.String).str.replace("^", "D"),
            }
        )


def build_country(rng: Rng, lines: int) -> Country:
    """A country with room for so many lines."""
    masts = max(LEAST_MASTS, lines // (LINES_A_CELL * SECTORS))
    towns = max(2, masts // MASTS_A_TOWN)
    size = 1.0 / np.arange(1, towns + 1) ** 0.8
    town = np.sort(rng.choice(towns, masts, p=size / size.sum()))
    centre = rng.uniform(-1.2, 1.2, (towns, 2)) * np.sqrt(towns / 8)
    spread = 0.02 * np.exp(rng.normal(0, 0.9, masts))  # degrees: dense in the middle
    turn = rng.uniform(0, 2 * np.pi, masts)
    lat = CENTRE[0] + centre[town, 0] + spread * np.sin(turn)
    lon = CENTRE[1] + centre[town, 1] + spread * np.cos(turn)
    pull = np.exp(rng.normal(0, 0.5, masts)) / (0.3 + spread / 0.02)
    number = rng.permutation(masts)
    cell = np.repeat(number, SECTORS) * 10 + np.tile(np.arange(1, SECTORS + 1), masts)
    area = 4000 + np.repeat(rng.permutation(towns)[town], SECTORS) * 17
    names = pl.select(
        pl.format("001-01-{}-{}", pl.lit(pl.Series(area)), pl.lit(pl.Series(10_000 + cell)))
    ).to_series()
    return Country(lat, lon, town, _nearest(lat, lon), pull / pull.sum(), names)


def _nearest(lat: Floats, lon: Floats) -> Ints:
    """The masts around each, nearest first, the mast itself left out."""
    place = np.stack([lat, lon * np.cos(np.radians(CENTRE[0]))], axis=1)
    found = []
    for first in range(0, len(lat), CHUNK):
        away = ((place[first : first + CHUNK, None, :] - place[None, :, :]) ** 2).sum(axis=2)
        rows = np.arange(len(away))
        away[rows, first + rows] = np.inf
        some = np.argpartition(away, NEAR, axis=1)[:, :NEAR]
        order = np.argsort(np.take_along_axis(away, some, axis=1), axis=1, kind="stable")
        found.append(np.take_along_axis(some, order, axis=1))
    return np.concatenate(found)
