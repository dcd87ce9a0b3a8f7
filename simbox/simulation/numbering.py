"""Invented identities: E.164 numbers under country code 999, IMSIs of 001-01, test IMEIs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simbox.identifiers import luhn_digit
from simbox.simulation.attempts import Floats, Ints, Rng

COUNTRY = 999  # not assigned by ITU-T E.164, so nobody's number
NATIONAL = 10**11  # eleven national digits follow the country code
OWN_MOBILE, OWN_FIXED = 13, 21  # first two national digits of the home carrier's ranges
OTHER_MOBILES, OTHER_FIXED = (15, 17, 18), 22
ABROAD = (998, 997)  # country codes without numbers in use
BLOCK = 10_000  # numbers in a range that the carrier hands out together
IMSI_HEAD = 1_01 * 10**10  # 001-01, the test network (TS 23.003)
OPERATOR_TEXTS = (10086, 10010, 1008611)  # senders of the operator's notices
CODE_TEXTS = (12306, 95588, 95533, 95511, 106575, 10690, 106550, 12123)  # banks, shops, codes
SERVICES = (110, 112, 119, 12345, 10086, 95588)  # short codes that people call

PHONE_TACS, FEATURE_TACS, MODULE_TACS = 600, 60, 12
TAC_HEAD = 100_000  # 001xxxxx: type codes of test handsets, without their leading zeros
SERIALS = 10**6


@dataclass(frozen=True)
class Numbering:
    """The numbering plan: which numbers are own, and what all others look like."""

    fixed_share: float = 0.08  # of numbers elsewhere
    abroad_share: float = 0.015

    def elsewhere(self, rng: Rng, count: int) -> Ints:
        """Parties outside the network: other mobiles, fixed lines, a few abroad."""
        return self.elsewhere_of(rng.random(count), rng.random(count))

    def elsewhere_of(self, which: Floats, drawn: Floats) -> Ints:
        """The party that two draws in [0, 1) stand for; the same draws give the same party."""
        mobile = np.asarray(OTHER_MOBILES)[(drawn * 999_983).astype(np.int64) % len(OTHER_MOBILES)]
        head = np.where(which < self.fixed_share, OTHER_FIXED, mobile)
        number = COUNTRY * NATIONAL + head * (NATIONAL // 100) + (drawn * 10**9).astype(np.int64)
        far = np.asarray(ABROAD)[(drawn * 99_991).astype(np.int64) % len(ABROAD)]
        abroad = far * 10**9 + (drawn * 10**9).astype(np.int64)
        return -np.where(which > 1 - self.abroad_share, abroad, number)


def in_batches(rng: Rng, batch: Ints) -> Ints:
    """A place in a range of numbers for each line: a batch stands in one run with small gaps.

    The batches stand in chance order, so a number tells nothing of its owner but who may have
    bought beside it.
    """
    _, which, sizes = np.unique(batch, return_inverse=True, return_counts=True)
    place = rng.permutation(len(sizes))[which]
    order = np.lexsort((rng.random(len(batch)), place))
    begins = np.diff(place[order], prepend=-1) != 0
    steps = rng.integers(1, 4, len(batch)) + np.where(begins, rng.integers(0, 30, len(batch)), 0)
    places = np.empty(len(batch), dtype=np.int64)
    places[order] = np.cumsum(steps)
    return places


def own_numbers(places: Ints, head: int = OWN_MOBILE) -> Ints:
    """MSISDNs (E.164 digits) of own lines at places in the range that `head` opens."""
    return COUNTRY * NATIONAL + head * (NATIONAL // 100) + places


def imsis(places: Ints) -> Ints:
    """IMSIs (15 digits, leading zeros not kept) of SIM cards at places in the range."""
    return IMSI_HEAD + places


def with_check_digit(imei: Ints) -> Ints:
    """The IMEI with its Luhn digit (TS 23.003 annex B) behind the fourteen digits."""
    return imei * 10 + luhn_digit(imei)


@dataclass
class HandsetShop:
    """Sells handsets, none twice: phones of many models, simple phones, radio modules."""

    rng: Rng
    _sold: dict[int, int] = field(default_factory=dict)  # serials sold by type code
    _first: Ints = field(init=False)  # serial that each model begins with

    def __post_init__(self) -> None:
        # spawned: what is sold later does not depend on how many models there are
        models = PHONE_TACS + FEATURE_TACS + MODULE_TACS
        self._first = self.rng.spawn(1)[0].integers(0, SERIALS, models)

    def phones(self, count: int) -> Ints:
        """IMEIs of smartphones: few models sell most."""
        share = 1.0 / np.arange(1, PHONE_TACS + 1) ** 0.9
        return self._sell(self.rng.choice(PHONE_TACS, count, p=share / share.sum()))

    def simple_phones(self, count: int) -> Ints:
        """IMEIs of feature phones."""
        return self._sell(PHONE_TACS + self.rng.integers(0, FEATURE_TACS, count))

    def modules(self, count: int) -> Ints:
        """IMEIs of radio modules: meters, alarms, terminals, gateways of every sort."""
        return self._sell(PHONE_TACS + FEATURE_TACS + self.rng.integers(0, MODULE_TACS, count))

    def carton(self, count: int, module: bool = False) -> Ints:  # noqa: FBT001, FBT002
        """IMEIs that left the factory one after the other: of one model, serials in a row."""
        model = self.rng.integers(0, MODULE_TACS if module else 60)
        if module:
            model += PHONE_TACS + FEATURE_TACS
        first = self.rng.integers(0, SERIALS - count)
        return with_check_digit((TAC_HEAD + model) * SERIALS + first + np.arange(count))

    def _sell(self, model: Ints) -> Ints:
        """One handset a model asked for; each model's serials are used up in a scattered order."""
        order = np.argsort(model, kind="stable")
        models, counts = np.unique(model, return_counts=True)
        already = np.array([self._sold.get(int(m), 0) for m in models], dtype=np.int64)
        for m, n in zip(models.tolist(), counts.tolist(), strict=True):
            self._sold[m] = self._sold.get(m, 0) + n
        rank = np.arange(len(model)) - np.repeat(np.cumsum(counts) - counts, counts)
        serial = np.empty(len(model), dtype=np.int64)
        used = np.repeat(already, counts) + rank
        serial[order] = (np.repeat(self._first[models], counts) + used * 618_049) % SERIALS
        return with_check_digit((TAC_HEAD + model) * SERIALS + serial)
