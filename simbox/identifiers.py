"""Identities as 64-bit integers: MSISDN, IMSI, IMEI and cells, encoded once and reversible.

Digits travel inside the integer, so a number needs no dictionary; anything else (a hashed
number, an alphanumeric sender, a cell name) travels as a 59-bit hash whose text stands in the
store's dictionary of texts.  Zero means *not there*.

====  ======================================================================================
bits  meaning
====  ======================================================================================
0-49  the digits as an integer (at most 15 digits, E.164 and TS 23.003)
50-53 how many digits there are (keeps leading zeros)
54-57 IMEI only: the check digit as transmitted, :data:`CHECK_ABSENT` or :data:`CHECK_SV`
58    free
59    set: bits 0-58 are a hash of a text
60-63 the :class:`NumberClass` of a party, or zero
====  ======================================================================================

Two parties are the same when :func:`party` of both is equal, whatever class each feed gave them;
two handsets when :func:`handset` is, whatever check digit was transmitted.
"""

from __future__ import annotations

import enum

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_hash  # noqa: F401  # registers the stable hash expressions

Ids = npt.NDArray[np.uint64]

LENGTH_SHIFT = 50
CHECK_SHIFT = 54
TEXT_BIT = 59
CLASS_SHIFT = 60
DIGITS_MASK = (1 << LENGTH_SHIFT) - 1
IDENTITY_MASK = (1 << CHECK_SHIFT) - 1
TEXT_MASK = (1 << CLASS_SHIFT) - 1
MAX_DIGITS = 15
CHECK_ABSENT = 15  # 14 digits only
CHECK_SV = 14  # an IMEISV: 16 digits, no check digit (TS 23.003 clause 6.2.2)
TAC_DIGITS = 8
IMEI_DIGITS = 14


class NumberClass(enum.IntEnum):
    """What kind of party a number is, by the profile's numbering rules."""

    UNKNOWN = 0
    ONNET = 1
    OFFNET = 2
    FIXED = 3
    INTERNATIONAL = 4
    SHORT = 5
    SERVICE = 6
    ALPHANUMERIC = 7
    HASHED = 8
    WITHHELD = 9
    DOMESTIC = 10  # a national number whose network the profile cannot tell
    ACCOUNT = 11  # a SIP account


NUMBER_CLASS_NAMES = {c: c.name.lower() for c in NumberClass}

#: Classes whose members are people or firms one can call back.
PERSON_CLASSES = (
    NumberClass.ONNET,
    NumberClass.OFFNET,
    NumberClass.FIXED,
    NumberClass.INTERNATIONAL,
    NumberClass.DOMESTIC,
    NumberClass.HASHED,
    NumberClass.ACCOUNT,
    NumberClass.UNKNOWN,
)


def party(ids: Ids) -> Ids:
    """Strip the class: what all ids of one party, line or SIM have in common."""
    return ids & np.uint64(TEXT_MASK)


def handset(ids: Ids) -> Ids:
    """Strip the check digit: what all ids of one handset have in common."""
    text = (ids >> np.uint64(TEXT_BIT)) & np.uint64(1)
    check = np.uint64(TEXT_MASK ^ IDENTITY_MASK) ^ np.uint64(1 << TEXT_BIT)
    return ids & ~(check * (np.uint64(1) - text))


def digits_of(ids: Ids) -> npt.NDArray[np.int64]:
    """The digits as integers; -1 where an id is absent, withheld or a text."""
    text = (ids >> np.uint64(TEXT_BIT)) & np.uint64(1)
    value = (ids & np.uint64(DIGITS_MASK)).astype(np.int64)
    absent = (ids & np.uint64(TEXT_MASK)) == 0
    return np.where(text.astype(bool) | absent, np.int64(-1), value)


def length_of(ids: Ids) -> npt.NDArray[np.uint8]:
    """How many digits an id has; meaningless for texts."""
    return ((ids >> np.uint64(LENGTH_SHIFT)) & np.uint64(15)).astype(np.uint8)


def class_of(ids: Ids) -> npt.NDArray[np.uint8]:
    """The :class:`NumberClass` of each id."""
    return (ids >> np.uint64(CLASS_SHIFT)).astype(np.uint8)


def mix(values: Ids, multiplier: int = 0x9E3779B97F4A7C15) -> Ids:
    """Spread 64-bit keys evenly (the splitmix64 finaliser); a bijection, so no two keys meet."""
    x = values * np.uint64(multiplier)
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x


def digits_id(digits: pl.Expr) -> pl.Expr:
    """Ids of digit strings of at most 15 digits; null where the text is not all digits."""
    value = digits.cast(pl.UInt64, strict=False)
    length = digits.str.len_bytes().cast(pl.UInt64)
    plain = value.is_not_null() & (length <= MAX_DIGITS) & ~digits.str.starts_with("+")
    return pl.when(plain).then(value + length * (1 << LENGTH_SHIFT))


def text_id(text: pl.Expr) -> pl.Expr:
    """Ids of texts: 59 bits of XXH3, which is the same on every machine and in every version."""
    hashed: pl.Expr = text.nchash.xxh3_64()  # type: ignore[attr-defined]
    return hashed // 32 + (1 << TEXT_BIT)


def line_id(text: pl.Expr) -> pl.Expr:
    """Ids of lines as results name them: digits, or the hash of any other text."""
    return pl.coalesce(digits_id(text), text_id(text))


def luhn_digit(value: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The Luhn check digit of 14-digit numbers (TS 23.003 annex B)."""
    rest, sums = np.maximum(value, 0), np.zeros(len(value), np.int64)
    for position in range(IMEI_DIGITS):
        digit = rest % 10
        rest = rest // 10
        if position % 2 == 0:
            digit = digit * 2
            digit -= 9 * (digit > 9)
        sums += digit
    return (10 - sums % 10) % 10


def with_class(ids: pl.Expr, number_class: pl.Expr) -> pl.Expr:
    """Stamp the class of a party into its id."""
    return ids | (number_class.cast(pl.UInt64) * (1 << CLASS_SHIFT))


def digits_text(ids: pl.Expr) -> pl.Expr:
    """The digit strings back from ids, leading zeros included; null for texts and absents."""
    length = (ids // (1 << LENGTH_SHIFT)) % 16
    is_text = (ids // (1 << TEXT_BIT)) % 2 == 1
    value = (ids % (1 << LENGTH_SHIFT)).cast(pl.String)
    return pl.when((ids != 0) & ~is_text).then(value.str.pad_start(length, "0"))
