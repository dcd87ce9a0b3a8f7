"""Invented identities: numbers under country code 999, IMSIs of 001-01, test IMEIs, cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Rng = np.random.Generator

COUNTRY = 999  # not assigned by ITU-T E.164, so nobody's number
NATIONAL = 10**11  # eleven national digits follow the country code
ON_NET = 13  # first two national digits of the home carrier's mobiles
OFF_NET = (15, 17, 18)
FIXED = 21_57  # area code 21 and the exchange of the fixed lines, which have eight digits
ABROAD = 888  # not assigned either

OPERATOR = 10099
HOTLINES = (12377, 12399)
BANKS = (95501, 95512, 95533, 95544, 95566)
SENDERS = {-1: "FXBANK", -2: "ParcelFX", -3: "FXHEALTH", -4: "Mallo", -5: "RIDEFX"}

PHONE_TACS = 44
MODULE_TAC = 100190  # 00100190: data modules
VILLAGE_SITES, TOWN_SITES, CITY_SITES = range(9), range(9, 18), range(18, 40)
SECTORS = 3


@dataclass(frozen=True)
class Sims:
    """SIM cards: number and IMSI, in no order that tells who holds them."""

    number: Ints
    imsi: Ints

    def slice(self, first: int, count: int) -> Sims:
        """The next cards of the drawer."""
        part = slice(first, first + count)
        return Sims(self.number[part], self.imsi[part])


def sims(rng: Rng, count: int) -> Sims:
    """Cards of the home carrier, out of the blocks of 10,000 that the county's shops sell."""
    blocks = rng.choice(1_000_000, 60, replace=False)
    drawn = rng.choice(60 * 10_000, count, replace=False)
    national = ON_NET * 10**9 + (blocks[drawn // 10_000] % 100_000) * 10_000 + drawn % 10_000
    serial = rng.choice(10**9, count, replace=False)
    return Sims(COUNTRY * NATIONAL + national, 1_01 * 10**10 + 4 * 10**9 + serial)


def strangers(rng: Rng, count: int, on_net: float = 0.45, fixed: float = 0.0) -> Ints:
    """Numbers of people anywhere in the country who are not in the export."""
    head = np.where(rng.random(count) < on_net, ON_NET, rng.choice(OFF_NET, count))
    mobile = COUNTRY * NATIONAL + head * 10**9 + rng.integers(10**8, 10**9, count)
    landline = (COUNTRY * 10**4 + FIXED) * 10**6 + rng.integers(10**5, 10**6, count)
    return np.where(rng.random(count) < fixed, landline, mobile).astype(np.int64)


def relatives_abroad(rng: Rng, count: int) -> Ints:
    """Numbers in another invented country."""
    return ABROAD * 10**9 + rng.integers(10**8, 10**9, count)


def with_check_digit(imei: Ints) -> Ints:
    """The IMEI with its Luhn digit (TS 23.003 annex B) behind the fourteen digits."""
    digits = imei[..., None] // 10 ** np.arange(14) % 10
    doubled = digits[..., ::2] * 2  # every second digit, counted from the check digit
    total = (doubled // 10 + doubled % 10).sum(-1) + digits[..., 1::2].sum(-1)
    return np.asarray(imei * 10 + (-total) % 10, dtype=np.int64)


def handsets(rng: Rng, count: int) -> Ints:
    """IMEIs of ordinary phones: few models sell well, many sell a little."""
    share = 1 / np.arange(1, PHONE_TACS + 1) ** 0.9
    tac = 100100 + rng.choice(PHONE_TACS, count, p=share / share.sum())
    return with_check_digit(tac * 10**6 + rng.integers(0, 10**6, count))


def handset_batch(rng: Rng, tac: int, count: int) -> Ints:
    """IMEIs of one delivery: consecutive serial numbers."""
    return with_check_digit(tac * 10**6 + rng.integers(0, 9 * 10**5) + np.arange(count))


def cell_names(rng: Rng) -> list[str]:
    """CGIs of all sectors: 001-01, one LAC an area, cell identities without order."""
    sites = rng.permutation(900)[: len(VILLAGE_SITES) + len(TOWN_SITES) + len(CITY_SITES)] + 2000
    names = []
    for number, site in enumerate(sites):
        area = (number in VILLAGE_SITES, number in TOWN_SITES, True).index(True)
        names += [f"001-01-{(5301, 5302, 5310)[area]}-{site}{s + 1}" for s in range(SECTORS)]
    return names


def cells_of(sites: range) -> Ints:
    """Sector numbers of the sites."""
    return np.arange(sites.start * SECTORS, sites.stop * SECTORS)


def beside(rng: Rng, cell: Ints, wander: Floats) -> Ints:
    """A sector that also covers the spot: of the same mast; of the next one for who moves."""
    same = cell // SECTORS * SECTORS + (cell + 1) % SECTORS
    last = CITY_SITES.stop * SECTORS - 1
    next_mast = np.clip(cell + rng.choice([-SECTORS, SECTORS], len(cell)), 0, last)
    return np.where(rng.random(len(cell)) < wander, next_mast, same).astype(np.int64)
