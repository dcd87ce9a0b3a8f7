"""Party numbers to ids: E.164 digits and class by the numbering rules of a profile.

Plain digits are handled as integers; everything else (``+``, blanks, URIs, names, hashes) is
taken apart on its distinct values only.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.identifiers import (
    CLASS_SHIFT,
    LENGTH_SHIFT,
    MAX_DIGITS,
    Ids,
    NumberClass,
    digits_text,
    text_id,
)
from simbox.ingest.cdr.figures import digit_counts, filled
from simbox.ingest.cdr.profile import Numbers

Role = Literal["line", "other"]
Lengths = npt.NDArray[np.uint8]

POWERS = np.array([10**k for k in range(MAX_DIGITS + 2)], dtype=np.uint64)
WITHHELD_ID = int(NumberClass.WITHHELD) << CLASS_SHIFT
MAX_PLAIN = 16  # an IMEISV is the longest identity of digits
MIN_INTERNATIONAL = 7  # fewer digits behind an international prefix are no number

_WITHHELD = [
    "anonymous",
    "anonyme",
    "anonimo",
    "restricted",
    "private",
    "withheld",
    "unavailable",
    "hidden",
    "unknown",
    "clir",
    "masked",
    "inconnu",
    "prive",
    "privé",
    "desconocido",
    "privado",
    "未知",
    "匿名",
    "未显示",
    "no_caller_id",
    "not_available",
]
_URI = r"(?i)^\s*(?:\"?[^\"<]*\"?\s*<)?(?:sips?|tel|h323|im):([^@;?>]+)"
_OTHER_DIGITS = "０１２３４５６７８９٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹"  # full-width, Arabic-Indic, Persian
_ASCII_DIGITS = "0123456789" * 3
_DECORATION = r"[\s\-().\u00a0/]"
_HEX = r"^[0-9A-Fa-f]{16,}$|^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
_BASE64 = r"^[A-Za-z0-9+/_-]{20,}={0,2}$"
_HASHED_SHARE = 0.95  # of a column's distinct texts that must have one length


@dataclass(frozen=True)
class Parties:
    """Ids of one column, and the texts of those that are not digits."""

    ids: Ids
    texts: pl.DataFrame
    lost: int = 0  # entries that say something which cannot be read


@dataclass(frozen=True)
class Digits:
    """Entries that are plain digits as value and length; length 0 for everything else."""

    values: Ids
    lengths: Lengths

    @staticmethod
    def expressions(column: str) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        """Value, length and leading ``+`` of a column of texts."""
        text = pl.col(column)
        return text.cast(pl.UInt64, strict=False), text.str.len_bytes(), text.str.starts_with("+")

    @classmethod
    def read(cls, value: pl.Series, length: pl.Series, plus: pl.Series) -> Digits:
        """What the three expressions gave."""
        sizes = filled(length)
        odd = sizes > MAX_PLAIN
        if plus.any():
            odd |= plus.fill_null(value=False).to_numpy()
        if value.null_count():
            odd |= value.is_null().to_numpy()
        lengths = sizes.astype(np.uint8)
        if odd.any():
            lengths[odd] = 0
        return cls(filled(value), lengths)

    @classmethod
    def of(cls, column: pl.Series) -> Digits:
        """What a column of texts holds."""
        value, length, plus = cls.expressions("raw")
        frame = column.alias("raw").to_frame().select(value=value, length=length, plus=plus)
        return cls.read(*frame.get_columns())


@dataclass(frozen=True)
class Ranges:
    """Classes of E.164 numbers as intervals over numbers left-aligned to 15 digits."""

    starts: npt.NDArray[np.uint64]
    classes: npt.NDArray[np.uint8]


def _aligned(prefix: str) -> tuple[int, int]:
    width = int(POWERS[MAX_DIGITS - len(prefix)])
    return int(prefix) * width, (int(prefix) + 1) * width


@functools.cache
def ranges(rules: Numbers) -> Ranges:
    """The interval table of a numbering plan; the longest prefix that fits a number decides."""
    rest = NumberClass.OFFNET if rules.own else NumberClass.DOMESTIC
    prefixes: dict[str, NumberClass] = {rules.country: rest} if rules.country else {}
    prefixes |= dict.fromkeys(rules.fixed, NumberClass.FIXED)
    prefixes |= dict.fromkeys(rules.own, NumberClass.ONNET)
    prefixes |= dict.fromkeys(rules.service, NumberClass.SERVICE)
    elsewhere = NumberClass.INTERNATIONAL if rules.country else NumberClass.UNKNOWN
    edges = sorted({0, *(edge for p in prefixes for edge in _aligned(p))})
    classes = []
    for edge in edges:
        within = [p for p in prefixes if _aligned(p)[0] <= edge < _aligned(p)[1]]
        classes.append(prefixes[max(within, key=len)] if within else elsewhere)
    return Ranges(np.array(edges, dtype=np.uint64), np.array(classes, dtype=np.uint8))


def starts_with(values: Ids, lengths: Lengths, prefix: str) -> npt.NDArray[np.bool_]:
    """Whether digit strings, given as value and length, start with a prefix."""
    behind = np.maximum(lengths.astype(np.int64) - len(prefix), 0)
    hit: npt.NDArray[np.bool_] = values // POWERS[behind] == int(prefix)
    return hit & (lengths >= len(prefix))


def _strip(values: Ids, lengths: Lengths, where: npt.NDArray[np.bool_], prefix: str) -> None:
    """Take a prefix off in place."""
    left = lengths[where] - np.uint8(len(prefix))
    values[where] -= np.uint64(int(prefix)) * POWERS[left]
    lengths[where] = left


def _prepend(values: Ids, lengths: Lengths, where: npt.NDArray[np.bool_], prefix: str) -> None:
    """Put a prefix in front, in place, where the result still fits 15 digits."""
    where = where & (lengths + len(prefix) <= MAX_DIGITS)
    values[where] += np.uint64(int(prefix)) * POWERS[lengths[where]]
    lengths[where] += np.uint8(len(prefix))


def to_e164(
    values: Ids, lengths: Lengths, explicit: npt.NDArray[np.bool_], rules: Numbers
) -> tuple[Ids, Lengths]:
    """Digits as dialled to E.164; ``explicit`` numbers came with a ``+``."""
    values, lengths = values.copy(), lengths.copy()
    open_ = ~explicit & (lengths > rules.short_max)
    for prefix in rules.routing:
        _strip(values, lengths, open_ & starts_with(values, lengths, prefix), prefix)
    for prefix in rules.international:
        hit = open_ & (lengths >= len(prefix) + MIN_INTERNATIONAL)
        hit &= starts_with(values, lengths, prefix)
        _strip(values, lengths, hit, prefix)
        open_ &= ~hit
    if rules.country:
        for prefix in rules.trunk:
            hit = open_ & starts_with(values, lengths, prefix)
            _strip(values, lengths, hit, prefix)
            _prepend(values, lengths, hit, rules.country)
            open_ &= ~hit
        if rules.national_lengths:
            national = open_ & np.isin(lengths, rules.national_lengths)
            _prepend(values, lengths, national, rules.country)
    return values, lengths


def _needs_rules(values: Ids, lengths: Lengths, rules: Numbers) -> bool:
    """Whether any number of the batch can be changed by the rules: almost never in E.164 feeds."""
    dialled = [*rules.routing, *rules.international, *(rules.trunk if rules.country else ())]
    if rules.country and rules.national_lengths:
        return True
    if any(not p.startswith("0") for p in dialled):
        return True
    if not len(values):
        return False
    if int(lengths.min()) == int(lengths.max()):
        return int(values.min()) < int(POWERS[max(int(lengths[0]), 1) - 1])
    return bool((values < POWERS[np.maximum(lengths, 1) - 1]).any())


def with_lengths(values: Ids, lengths: Lengths) -> Ids:
    """Numbers with how many digits they have in the bits above."""
    if len(lengths) and lengths.min() == lengths.max():
        return values | np.uint64(int(lengths[0]) << LENGTH_SHIFT)
    packed: Ids = values | (lengths.astype(np.uint64) << np.uint64(LENGTH_SHIFT))
    return packed


def digits_ids(
    values: Ids,
    lengths: Lengths,
    explicit: npt.NDArray[np.bool_] | None,
    rules: Numbers,
    role: Role,
) -> Ids:
    """Ids of numbers given as value and length (1 to 15), class stamped in."""
    short = lengths <= rules.short_max
    if explicit is not None or _needs_rules(values, lengths, rules):
        plus = np.zeros(len(values), dtype=bool) if explicit is None else explicit
        short &= ~plus
        values, lengths = to_e164(values, lengths, plus, rules)
    table = ranges(rules)
    ids = with_lengths(values, lengths)
    if len(table.starts) == 1 and not short.any():
        ids |= table.classes[0].astype(np.uint64) << np.uint64(CLASS_SHIFT)
        return ids
    if len(table.starts) == 1:
        classes = np.full(len(values), table.classes[0], dtype=np.uint8)
    else:
        aligned = values * POWERS[MAX_DIGITS - lengths.astype(np.intp)]
        classes = table.classes[np.searchsorted(table.starts, aligned, side="right") - 1]
    if short.any():
        in_service = short & (classes == NumberClass.SERVICE)
        brief = NumberClass.SHORT if role == "other" else NumberClass.UNKNOWN
        classes = np.where(short & ~in_service, np.uint8(brief), classes)
    ids |= classes.astype(np.uint64) << np.uint64(CLASS_SHIFT)
    return ids


def ascii_digits(text: pl.Expr) -> pl.Expr:
    """The text with the digits of other scripts written as 0 to 9."""
    return text.str.replace_many(list(_OTHER_DIGITS), list(_ASCII_DIGITS))


def plain_exact(text: pl.Expr) -> pl.Expr:
    """Digits out of a spreadsheet's number: ``7585772.0`` and ``3.5780502E+14`` when exact.

    A mantissa with fewer digits than the exponent asks for has lost some, and a long number with
    a fraction never was a number of digits: null.
    """
    fraction = text.str.contains(r"^[0-9]{7,}[.,][0-9]{1,3}$")
    whole = text.str.extract(r"^([0-9]+)[.,]0*$")
    mantissa = text.str.extract(r"^([0-9](?:[.,][0-9]*)?)[eE]\+?[0-9]+$").str.replace(r"[.,]", "")
    exponent = text.str.extract(r"[eE]\+?([0-9]{1,2})$").cast(pl.UInt32, strict=False)
    exact = mantissa.str.len_bytes() == exponent + 1
    return pl.coalesce(
        whole,
        pl.when(exact).then(mantissa),
        pl.when(whole.is_null() & mantissa.is_null() & ~fraction).then(text),
    )


def _columns(distinct: pl.DataFrame, nulls: tuple[str, ...]) -> pl.DataFrame:
    """What each distinct text is, in expressions: its digits, or that it is hashed or withheld."""
    text = ascii_digits(pl.col("raw").str.strip_chars())
    user = pl.coalesce(text.str.extract(_URI), text)
    bare = user.str.replace_all(_DECORATION, "").str.strip_prefix("+")
    exact = plain_exact(user)
    digits = pl.when(exact.is_null() | (exact != user)).then(exact).otherwise(bare)
    return distinct.with_columns(
        text=user,
        uri=text.str.contains(_URI),
        plus=user.str.starts_with("+"),
        digits=pl.when(digits.str.contains(r"^[0-9]{1,15}$")).then(digits),
        lost=exact.is_null(),
        null=text.is_in(nulls) | (text == ""),
        hex=user.str.contains(_HEX) | user.str.contains(r"^[0-9]{16,}$"),
        base64=user.str.contains(_BASE64)
        & user.str.contains(r"[0-9]")
        & user.str.contains("[A-Za-z]"),
        code=user.str.contains(r"^[0-9*#]+$") & user.str.contains(r"[*#]"),
    )


def _one_length(texts: pl.Series) -> bool:
    lengths = texts.str.len_bytes().value_counts(sort=True)
    return bool(lengths.height and lengths["count"][0] >= _HASHED_SHARE * len(texts))


def interpret(
    distinct: pl.DataFrame, rules: Numbers, role: Role, nulls: tuple[str, ...]
) -> pl.DataFrame:
    """Distinct spellings that are not plain digits: raw, id, text, and whether unreadable."""
    seen = _columns(distinct, nulls)
    hidden = [*_WITHHELD, *(w.lower() for w in rules.withheld)]
    hashed = pl.col("hex")
    if _one_length(seen.filter("base64")["text"]):
        hashed = hashed | pl.col("base64")
    name = NumberClass.ACCOUNT if rules.accounts else NumberClass.ALPHANUMERIC
    readable = pl.lit(value=True) if rules.accounts or role == "other" else hashed
    seen = seen.with_columns(
        withheld=pl.col("text").str.to_lowercase().is_in(hidden),
        number_class=pl.when(hashed)
        .then(pl.lit(int(NumberClass.HASHED), pl.UInt64))
        .when(pl.col("code"))
        .then(pl.lit(int(NumberClass.SERVICE), pl.UInt64))
        .when(pl.col("uri"))
        .then(pl.lit(int(NumberClass.ACCOUNT), pl.UInt64))
        .otherwise(pl.lit(int(name), pl.UInt64)),
        readable=readable | pl.col("uri"),
    )
    number = pl.col("digits").is_not_null()
    none = pl.col("null") | pl.col("lost") | ~pl.col("readable")
    seen = seen.with_columns(
        id=pl.when(number)
        .then(pl.lit(0, pl.UInt64))
        .when(pl.col("withheld"))
        .then(pl.lit(WITHHELD_ID if role == "other" else 0, pl.UInt64))
        .when(none)
        .then(pl.lit(0, pl.UInt64))
        .otherwise(text_id(pl.col("text")) | pl.col("number_class") * (1 << CLASS_SHIFT))
    )
    known = _with_numbers(seen, rules, role)
    unread = (pl.col("id") == 0) & ~pl.col("null")
    return known.select("raw", "id", "text", unread=unread)


def _with_numbers(seen: pl.DataFrame, rules: Numbers, role: Role) -> pl.DataFrame:
    rows = seen["digits"].is_not_null().arg_true()
    if rows.is_empty():
        return seen
    chosen = seen[rows]
    values = chosen["digits"].cast(pl.UInt64).to_numpy()
    lengths = chosen["digits"].str.len_bytes().cast(pl.UInt8).to_numpy()
    found = digits_ids(values, lengths, chosen["plus"].to_numpy(), rules, role)
    ids = seen["id"].to_numpy().copy()
    ids[rows.to_numpy()] = found
    return seen.with_columns(id=pl.Series(ids))


NO_TEXTS = pl.DataFrame(schema={"id": pl.UInt64, "text": pl.String})


def texts_of(known: pl.DataFrame) -> pl.DataFrame:
    """The dictionary entries of ids that are hashes of a text, class taken off."""
    ids = known["id"].to_numpy()
    is_text = (ids >> np.uint64(59)) & np.uint64(1) == 1
    bare = pl.Series("id", ids & np.uint64((1 << CLASS_SHIFT) - 1))
    return known.select(bare, pl.col("text")).filter(pl.Series(is_text))


def _of_integers(column: pl.Series, rules: Numbers, role: Role) -> Parties:
    whole = column.cast(pl.UInt64, strict=False)  # null where negative
    values = filled(whole)
    lengths = digit_counts(values)
    if not whole.null_count() and (not len(lengths) or lengths.max() <= MAX_DIGITS):
        return Parties(digits_ids(values, lengths, None, rules, role), NO_TEXTS)
    good = (lengths <= MAX_DIGITS) & whole.is_not_null().to_numpy()
    ids = digits_ids(values, np.minimum(lengths, MAX_DIGITS), None, rules, role)
    lost = len(column) - column.null_count() - int(good.sum())
    return Parties(np.where(good, ids, np.uint64(0)), NO_TEXTS, lost)


def encode(
    column: pl.Series,
    rules: Numbers,
    role: Role,
    nulls: tuple[str, ...],
    digits: Digits | None = None,
) -> Parties:
    """Ids of a column of party numbers; 0 where there is none or it cannot be read."""
    if column.dtype.is_integer():
        return _of_integers(column, rules, role)
    text = column.cast(pl.String).alias("raw")
    found = digits or Digits.of(text)
    values, lengths = found.values, found.lengths
    fast = (lengths > 0) & (lengths <= MAX_DIGITS)
    if fast.all():
        return Parties(digits_ids(values, lengths, None, rules, role), NO_TEXTS)
    ids = np.zeros(len(text), dtype=np.uint64)
    ids[fast] = digits_ids(values[fast], lengths[fast], None, rules, role)
    return _with_rest(ids, text.filter(pl.Series(~fast)).to_frame(), fast, (rules, role, nulls))


def _with_rest(
    ids: Ids,
    rest: pl.DataFrame,
    fast: npt.NDArray[np.bool_],
    how: tuple[Numbers, Role, tuple[str, ...]],
) -> Parties:
    """Fill in the ids of the rows that are not plain digits."""
    rules, role, nulls = how
    distinct = rest.drop_nulls().unique()
    known = interpret(distinct, rules, role, nulls)
    entries = known.select("raw", "id", "unread")
    joined = rest.join(entries, on="raw", how="left", maintain_order="left")
    ids[~fast] = joined["id"].fill_null(0).to_numpy()
    return Parties(ids, texts_of(known), int(joined["unread"].sum()))


def readable(ids: pl.Series) -> pl.Series:
    """Numbers as text, for checks and messages."""
    return pl.DataFrame({"id": ids}).select(digits_text(pl.col("id"))).to_series()
