"""What a room has in stock: boxes and their handset identities, and where SIM cards come from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simbox.simulation.attempts import Ints, Rng
from simbox.simulation.numbering import (
    FEATURE_TACS,
    PHONE_TACS,
    SERIALS,
    TAC_HEAD,
    HandsetShop,
    with_check_digit,
)

BOX_SIZES = (4, 8, 8, 16, 16, 32)  # radios of a box
MISTYPED = 0.2  # rooms with made-up identities that get some check digits wrong


def made_up(rng: Rng, count: int) -> Ints:
    """IMEIs that a generator made: any phone's type code, any serial, a few with a wrong digit."""
    model = rng.integers(0, PHONE_TACS + FEATURE_TACS, count)
    imei = with_check_digit((TAC_HEAD + model) * SERIALS + rng.integers(0, SERIALS, count))
    wrong = rng.random(count) < (rng.uniform(0.02, 0.3) if rng.random() < MISTYPED else 0.0)
    return np.where(wrong, imei // 10 * 10 + (imei + 1 + rng.integers(0, 8, count)) % 10, imei)


#: Where identities come from: the maker's own modules, a carton of phones, phones of all sorts.
SOURCES: dict[str, Callable[[Rng, HandsetShop, int], Ints]] = {
    "module carton": lambda _, shop, count: shop.carton(count, module=True),
    "phone carton": lambda _, shop, count: shop.carton(count),
    "modules": lambda _, shop, count: shop.modules(count),
    "phones": lambda _, shop, count: shop.phones(count),
    "simple phones": lambda _, shop, count: shop.simple_phones(count),
    "made up": lambda rng, _, count: made_up(rng, count),
}
BOXES = ("module carton", "phone carton", "modules", "phones", "simple phones", "made up")
DISGUISED = ("phones", "made up", "simple phones", "phone carton")


def box_imeis(rng: Rng, shop: HandsetShop, ports: int, sources: tuple[str, ...]) -> Ints:
    """Identities of the ports of several boxes, each box with its own source."""
    found: list[Ints] = []
    while ports:
        size = min(int(rng.choice(BOX_SIZES)), ports)
        found.append(SOURCES[str(rng.choice(sources))](rng, shop, size))
        ports -= size
    return np.concatenate(found)


def batches(rng: Rng, count: int) -> Ints:
    """Which cards were bought together: in one purchase, in several, or one by one."""
    way = rng.choice(3, p=[0.35, 0.4, 0.25])
    if way == 0 or count == 1:
        return np.zeros(count, dtype=np.int64)
    if way == 1:
        size = int(rng.integers(2, 13))
        return np.arange(count) // size
    return rng.permutation(count)
