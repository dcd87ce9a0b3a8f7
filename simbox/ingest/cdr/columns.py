"""What the values of a column look like: times, phone numbers, identities, durations, codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

_MOST_CODES = 24  # distinct values that a column of codes may have
_ENOUGH = 0.9

_TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%dT%H:%M:%S%.f%:z",
    "%Y-%m-%d %H:%M:%S%.f%:z",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y%m%d%H%M%S",
    "%Y%m%d %H%M%S",
    "%Y%m%d %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%m-%d-%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d-%m-%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%d/%m/%y %H:%M:%S",
    "%m/%d/%y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
)
_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y")
_CLOCK_FORMATS = ("%H:%M:%S", "%H:%M", "%H%M%S", "%H:%M:%S%.f")
_EPOCHS = {"epoch_s": (631_152_000, 4_102_444_800), "epoch_ms": (10**11 * 6, 10**12 * 5)}
_EPOCHS["epoch_us"] = (10**14 * 6, 10**15 * 5)


@dataclass(frozen=True)
class Column:
    """Sampled values of one column."""

    name: str
    values: list[str]

    def distinct(self) -> set[str]:
        return set(self.values)

    @property
    def filled(self) -> list[str]:
        return [v for v in self.values if v not in ("", "NULL", "null", "\\N")]


@dataclass(frozen=True)
class Traits:
    """How much of a column looks like what; formats where there is one."""

    phone: float
    short: float
    imsi: float
    imei: float
    duration: float
    named: bool  # mostly words, not numbers and not digests
    whole: bool  # all whole numbers
    time: str
    time_share: float
    ambiguous: bool  # day and month could be exchanged
    date: str
    clock: str

    def fits(self, column: str) -> float:
        """How well the column can be what its name says, 0 to 1."""
        if column in ("a", "b", "line", "other"):
            return 0.0 if self.time and not self.whole else max(self.phone, self.short, 0.5)
        if column == "duration":
            return self.duration
        if column == "imei":
            return max(self.imei, 0.4 if not self.time else 0.0)
        if column == "imsi":
            return max(self.imsi, 0.4 if not self.time else 0.0)
        return 1.0 if column == "start" and self.time else 0.5


def _share(values: list[str], pattern: str) -> float:
    compiled = re.compile(pattern)
    return sum(bool(compiled.match(v)) for v in values) / len(values) if values else 0.0


def luhn(digits: str) -> bool:
    """Whether the check digit of an IMEI is right (TS 23.003 annex B)."""
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(digits)]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _best_format(values: list[str], formats: tuple[str, ...]) -> tuple[str, float, bool]:
    """The format that most values have, and whether another order of day and month fits too."""
    series = pl.Series(values, dtype=pl.String)
    shares: dict[str, float] = {}
    for name in formats:
        kind = series.str.to_datetime if "%H" in name or "%I" in name else series.str.to_date
        try:
            parsed = kind(name, strict=False)
        except pl.exceptions.PolarsError:
            continue
        years = parsed.dt.year()
        good = (parsed.is_not_null() & years.is_between(1990, 2100)).sum()
        shares[name] = int(good) / len(values)
    best = max(shares, key=lambda n: shares[n], default="")
    if not best or shares[best] < _ENOUGH:
        return "", 0.0, False
    swapped = best.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
    either = swapped != best and shares.get(swapped, 0.0) == shares[best]
    return best, shares[best], either


def _best_clock(values: list[str]) -> str:
    series = pl.Series(values, dtype=pl.String)
    for name in _CLOCK_FORMATS:
        if series.str.to_time(name, strict=False).is_not_null().mean() == 1.0:
            return name
    return ""


def _epoch(values: list[str], *, whole: bool) -> str:
    if not whole:
        return ""
    numbers = [int(v) for v in values]
    for name, (low, high) in _EPOCHS.items():
        if all(low <= n < high for n in numbers):
            return name
    return ""


def look(column: Column) -> Traits:
    """What a column's values look like."""
    values = column.filled
    if not values:
        return Traits(0, 0, 0, 0, 0, False, False, "", 0.0, False, "", "")  # noqa: FBT003
    whole = _share(values, r"^-?[0-9]{1,18}$") == 1.0
    packed = whole and len({len(v) for v in values}) == 1 and len(values[0]) in (8, 14)
    time, share, either = ("", 0.0, False)
    date, _, date_either = ("", 0.0, False)
    if not whole or packed:
        time, share, either = _best_format(values, _TIME_FORMATS)
        date, _, date_either = ("", 0.0, False) if time else _best_format(values, _DATE_FORMATS)
    epoch = _epoch(values, whole=whole)
    fifteen = _share(values, r"^[0-9]{14,16}$")
    checked = [v for v in values if re.match(r"^[0-9]{15}$", v)]
    right = sum(luhn(v) for v in checked) / len(checked) if checked else 0.0
    words = _share(values, r"^[^0-9+].*|.*[G-Zg-z@]")
    digest = _share(values, r"^[0-9A-Fa-f]{16,}$|^[A-Za-z0-9+/_=-]{20,}$")
    return Traits(
        phone=0.0 if epoch else _share(values, r"^(?:\+|00)?[0-9]{7,15}$"),
        short=_share(values, r"^[0-9]{1,6}$"),
        imsi=_share(values, r"^[2-7][0-9]{14}$") * (1 - right if right > 0.5 else 1),
        imei=fifteen * right,
        duration=_share(
            values,
            r"^-?[0-9]{1,6}(?:[.,][0-9]+)?$|^(?:[0-9]+:)?[0-9]{1,2}:[0-9][0-9](?:\.[0-9]+)?$",
        ),
        named=words > 0.5 and digest < 0.5,
        whole=whole,
        time=time or epoch,
        time_share=share or float(bool(epoch)),
        ambiguous=either or date_either,
        date=date,
        clock=_best_clock(values) if _share(values, r"^[0-9][0-9]?:?[0-9][0-9]") == 1.0 else "",
    )


def vocabulary_share(column: Column, known: Mapping[str, str]) -> float:
    """Share of a column's entries that a vocabulary knows; 0 for a column with too many values."""
    values = column.filled
    if not values or len(set(values)) > _MOST_CODES:
        return 0.0
    lower = {k.lower() for k in known}
    return sum(v.lower() in lower for v in values) / len(values)
