"""Small traffic for the links of sites: lines as short notes of what they do and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from event_tables import ANSWERS, BASE, TYPES, digits, imei, kind, store_of, table, text

from simbox.features.sites.pairs import Pairs
from simbox.features.sites.traffic import Traffic, gather

HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True)
class Leg:
    """An event of a line: 'MOC' at a second of the data, to a number, for some seconds."""

    line: str
    at: int
    other: str = "999150000001"
    seconds: int = 60
    what: str = "MOC"
    cell: str = "somewhere"
    handset: str = ""
    more: dict[str, int] = field(default_factory=dict)

    def stored(self) -> dict[str, int]:
        answered = ANSWERS["yes" if self.seconds else "no"]
        row = {
            "line": digits(self.line), "other": digits(self.other), "start": BASE + self.at,
            "duration": self.seconds, "kind": kind(TYPES[self.what], answered),
            "place": text(self.cell) if self.cell else 0,
            "imei": imei(self.handset) if self.handset else 0,
        }  # fmt: skip
        return row | self.more


def traffic(members: Iterable[Leg], others: Iterable[Leg] = ()) -> tuple[Traffic, Traffic]:
    """The traffic of some lines, and of others beside them."""
    mine = list(members)
    rows = [leg.stored() for leg in (*mine, *others)]
    lines = np.array(sorted({digits(leg.line) for leg in mine}), dtype=np.uint64)
    with store_of([table(rows)]) as store:
        return gather(store, lines, len({row["line"] for row in rows}))


def line_of(found: Traffic, number: str) -> int:
    return int(np.flatnonzero(found.keys == np.uint64(digits(number)))[0])


def pair(found: Traffic, a: str, b: str) -> Pairs:
    one, two = sorted((line_of(found, a), line_of(found, b)))
    return Pairs(np.array([one]), np.array([two]))
