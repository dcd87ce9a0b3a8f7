"""Columns of codes, times and durations to integers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.errors import ConfigError
from simbox.ingest.cdr.figures import filled
from simbox.ingest.cdr.profile import Duration, Time

Codes = npt.NDArray[np.int16]
Seconds = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

UNKNOWN, IGNORED, MISSING = -1, -2, -3
UNREADABLE, NEGATIVE, UNANSWERED, TOO_LONG = -2, -3, -4, -5  # of durations; -1 is not known
NOT_KNOWN = -1
MAX_DURATION = 7 * 86_400  # no switch lets a call stand for a week
_CHAIN = 16  # spellings compared one after another before the rest is looked up


@dataclass
class CodeReader:
    """Codes of a vocabulary column; spellings are learned as they are met."""

    known: dict[str, int | None]
    learned: dict[str, int] = field(default_factory=dict)
    built: dict[str, pl.Expr] = field(default_factory=dict)  # from what is learned so far

    def encode(self, column: pl.Series, codes: pl.Series | None = None) -> Codes:
        """The code of each entry, or UNKNOWN, IGNORED or MISSING."""
        text = column.cast(pl.String).alias("raw")
        if codes is None:
            codes = text.to_frame().select(self.expression("raw")).to_series()
        if codes.null_count():
            self._learn(text.filter(codes.is_null()))
            codes = text.to_frame().select(self.expression("raw")).to_series()
        return codes.fill_null(UNKNOWN).to_numpy() if codes.null_count() else codes.to_numpy()

    def expression(self, column: str) -> pl.Expr:
        """The codes of a column of texts; null where a spelling was not met before."""
        if column not in self.built:
            self.built[column] = self._chain(pl.col(column))
        return self.built[column]

    def _chain(self, raw: pl.Expr) -> pl.Expr:
        chosen = list(self.learned.items())
        expr = pl.lit(None, dtype=pl.Int16)
        if len(chosen) > _CHAIN:
            words, codes = [w for w, _ in chosen], [c for _, c in chosen]
            expr = raw.replace_strict(words, codes, default=None, return_dtype=pl.Int16)
        else:
            for word, code in reversed(chosen):
                expr = pl.when(raw == word).then(pl.lit(code, pl.Int16)).otherwise(expr)
        return pl.when(raw.is_null()).then(pl.lit(MISSING, pl.Int16)).otherwise(expr)

    def _learn(self, text: pl.Series) -> None:
        """The codes of new spellings; of those without a code only a few are kept in mind."""
        self.built.clear()
        bare = pl.col("raw").str.strip_chars().str.to_lowercase().str.strip_suffix(".0")
        seen = text.unique(maintain_order=True).to_frame().with_columns(name=bare)
        coded = pl.col("name").is_in(list(self.known))
        for word, name in seen.filter(coded).rows():
            code = self.known[name]
            self.learned[word] = IGNORED if code is None else code
        blank = pl.col("raw").str.strip_chars() == ""
        self.learned |= dict.fromkeys(seen.filter(~coded & blank)["raw"], MISSING)
        room = max(_CHAIN - len(self.learned), 0)
        self.learned |= dict.fromkeys(seen.filter(~coded & ~blank)["raw"].head(room), UNKNOWN)


#: Time formats that can be told apart: tried when a profile names none.
USUAL_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S%.f%:z",
    "%Y-%m-%d %H:%M:%S%.f%:z",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%Y%m%d %H%M%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "epoch",
)
_REPEATED = 0.5  # of a column's times that are those of the row before
_PER_SECOND = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000, "seconds": 1}
_MIN_EPOCH_S = 10**8  # bare numbers below this are no time of the years that records lie in


@dataclass(frozen=True)
class Times:
    """Parsed times: seconds, which of them are readable, which are UTC already."""

    seconds: Seconds
    good: Mask
    absolute: Mask


@dataclass
class TimeReader:
    """Times of a column, in the formats of a profile."""

    time: Time
    formats: list[str] = field(init=False)
    base: int = field(init=False, default=0)
    settled: bool = field(init=False, default=False)  # the first format has read a whole batch
    cache: bool = field(init=False, default=False)  # pays where times repeat, as in sorted exports

    def __post_init__(self) -> None:
        self.formats = list(self.time.formats or USUAL_FORMATS)
        if self.time.base:
            try:
                base = datetime.fromisoformat(self.time.base + "+00:00")
            except ValueError:
                raise ConfigError(
                    f"time.base: '{self.time.base}' is no time; write 2012-09-01T00:00:00"
                ) from None
            self.base = int(base.timestamp())

    def expression(self, column: str) -> pl.Expr | None:
        """Seconds of a column of texts in the settled format; None where there is none yet."""
        name = self.formats[0]
        if not self.settled or name in _PER_SECOND or name == "epoch":
            return None
        return self._seconds(column, name)

    def encode(self, column: pl.Series, seconds: pl.Series | None = None) -> Times:
        """Seconds of each entry since 1970, as if the wall clock were UTC."""
        if seconds is not None and not seconds.null_count():
            return self._whole(seconds, self.formats[0])
        dtype = column.dtype
        if isinstance(dtype, pl.Datetime) or dtype == pl.Date:
            return _of_datetimes(column)
        if dtype.is_numeric():
            return self._of_numbers(column)
        return self._of_texts(column.cast(pl.String))

    def _of_numbers(self, column: pl.Series) -> Times:
        named = [f for f in self.formats if f in _PER_SECOND]
        number = column.cast(pl.Float64) if column.dtype.is_float() else column.cast(pl.Int64)
        seconds, good = _epoch(number, named[0] if named else "epoch")
        absolute = good.copy()
        if named[:1] == ["seconds"]:
            seconds, absolute = seconds + self.base, np.zeros_like(good)
        return Times(seconds, good, absolute)

    def _of_texts(self, text: pl.Series) -> Times:
        seconds = np.zeros(len(text), dtype=np.int64)
        good = np.zeros(len(text), dtype=bool)
        absolute = np.zeros(len(text), dtype=bool)
        rest, rows = text, None
        for place, name in enumerate(self.formats):
            found = self._one_format(rest, name)
            hit = found.is_not_null()
            if not hit.any():
                continue
            if rows is None and hit.all():
                self.formats.insert(0, self.formats.pop(place))
                self.settled = True
                return self._whole(found, name)
            at = np.flatnonzero(hit.to_numpy()) if rows is None else rows[hit.to_numpy()]
            seconds[at] = found.filter(hit).to_numpy()
            good[at] = True
            absolute[at] = _aware(name)
            rows = np.flatnonzero(~good)
            rest = text.gather(rows)
            if rest.null_count() == len(rest):
                break
        return Times(seconds, good, absolute)

    def _one_format(self, text: pl.Series, name: str) -> pl.Series:
        if name in _PER_SECOND or name == "epoch":
            bare = text.str.strip_chars().cast(pl.Float64, strict=False)
            seconds, good = _epoch(bare, name)
            base = self.base if name == "seconds" else 0
            return pl.select(pl.when(pl.Series(good)).then(pl.Series(seconds + base))).to_series()
        try:
            return text.alias("raw").to_frame().select(self._seconds("raw", name)).to_series()
        except pl.exceptions.PolarsError:
            raise ConfigError(f"time.formats: '{name}' is no time format; see strptime") from None

    def _seconds(self, column: str, name: str) -> pl.Expr:
        text = pl.col(column).str
        # the cache is three times faster where times repeat and three times slower where not
        parsed = text.to_datetime(name, time_unit="ms", strict=False, cache=self.cache)
        return parsed.to_physical() // 1000

    def _whole(self, column: pl.Series, name: str) -> Times:
        """Times of a column in which one format reads all entries."""
        seconds = column.to_numpy()
        n = len(seconds)
        self.cache = int(np.count_nonzero(seconds[1:] == seconds[:-1])) > _REPEATED * n
        return Times(seconds, np.ones(n, dtype=bool), np.full(n, _aware(name)))


def _aware(name: str) -> bool:
    return name.endswith(("z", "Z")) or name.startswith("epoch")


def _of_datetimes(column: pl.Series) -> Times:
    zoned = isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None
    seconds = column.cast(pl.Datetime("ms")) if column.dtype == pl.Date else column
    epoch = seconds.dt.epoch("s") if zoned else seconds.dt.replace_time_zone(None).dt.epoch("s")
    good = column.is_not_null().to_numpy()
    return Times(epoch.fill_null(0).to_numpy(), good, np.full(len(column), zoned))


def _epoch(number: pl.Series, name: str) -> tuple[Seconds, Mask]:
    """Seconds since 1970 (or since the base) of bare numbers."""
    good = (
        number.is_not_null() & number.is_finite()
        if number.dtype.is_float()
        else (number.is_not_null())
    )
    values = number.fill_null(0).to_numpy()
    values = np.where(good.to_numpy() & (np.abs(values) < 2.0**62), values, 0)
    if name == "epoch":
        scale = np.where(values > 10**14, 10**6, np.where(values > 10**11, 10**3, 1))
        seconds = np.floor_divide(values, scale).astype(np.int64)
        return seconds, good.to_numpy() & (seconds >= _MIN_EPOCH_S)
    seconds = np.floor_divide(values, _PER_SECOND[name]).astype(np.int64)
    return seconds, good.to_numpy()


_ABSENT = np.iinfo(np.uint64).max  # which is NOT_KNOWN where the top bit is a sign
_UNITS = {"s": 1, "tenths": 10, "ms": 1_000, "us": 1_000_000}
_CLOCK = r"^(?:([0-9]+):)?([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?$"


def durations(
    column: pl.Series, rules: Duration, nulls: tuple[str, ...], number: pl.Series | None = None
) -> Seconds:
    """Whole seconds of each entry, or NOT_KNOWN, UNREADABLE, NEGATIVE, UNANSWERED, TOO_LONG."""
    if isinstance(column.dtype, pl.Duration):
        return _scaled(column.dt.total_seconds(), [], "s", column.is_null())
    longest = column.max() if column.dtype == pl.UInt64 and rules == Duration() else None
    if isinstance(longest, int) and longest <= MAX_DURATION:
        return column.fill_null(_ABSENT).to_numpy().astype(np.int64)
    if column.dtype.is_numeric():
        unanswered = _numeric_values(rules.unanswered)
        whole = column.cast(pl.Float64) if column.dtype.is_float() else column.cast(pl.Int64)
        return _scaled(whole, unanswered, rules.unit, column.is_null())
    text = column.cast(pl.String)
    number = text.cast(pl.Int64, strict=False) if number is None else number
    odd = number.is_null()
    empty = text.is_null() | (text == "") if odd.any() else odd
    result = _scaled(number, _numeric_values(rules.unanswered), rules.unit, empty).copy()
    rest = odd & ~empty
    if rest.any():
        result[rest.to_numpy()] = _odd_durations(text.filter(rest), rules, nulls)
    return result


def _numeric_values(values: tuple[str, ...]) -> list[int]:
    return [int(v) for v in values if v.lstrip("-").isdecimal()]


def _scaled(number: pl.Series, unanswered: list[int], unit: str, empty: pl.Series) -> Seconds:
    given = filled(number)
    if number.dtype.is_float():
        given = np.where(np.isfinite(given), given, -1.0)
    values = np.clip(given, -1, (MAX_DURATION + 1) * _UNITS[unit])
    divided = values if unit == "s" else np.floor_divide(values, _UNITS[unit])
    seconds: Seconds = np.floor(divided).astype(np.int64, copy=False)
    if not len(seconds):
        return seconds
    if values.min() < 0:
        seconds = np.where(values < 0, NEGATIVE, seconds)
    if seconds.max() > MAX_DURATION:
        seconds = np.where(seconds > MAX_DURATION, TOO_LONG, seconds)
    if unanswered:
        seconds = np.where(np.isin(given, unanswered), UNANSWERED, seconds)
    if empty.any():
        seconds = np.where(empty.to_numpy(), NOT_KNOWN, seconds)
    return seconds


def _odd_durations(text: pl.Series, rules: Duration, nulls: tuple[str, ...]) -> Seconds:
    """Decimals and h:mm:ss; what is neither is unreadable."""
    raw = pl.col("raw").str.strip_chars()
    decimal = raw.str.replace(",", ".").cast(pl.Float64, strict=False)
    groups = [raw.str.extract(_CLOCK, i).cast(pl.Int64, strict=False) for i in (1, 2, 3)]
    clock = groups[0].fill_null(0) * 3600 + groups[1] * 60 + groups[2]
    seconds = (decimal / _UNITS[rules.unit]).floor().clip(-1, MAX_DURATION + 1)
    found = pl.coalesce(seconds.cast(pl.Int64, strict=False), clock)
    expr = (
        pl.when(raw.is_in(nulls) | (raw == ""))
        .then(NOT_KNOWN)
        .when(raw.is_in(rules.unanswered))
        .then(UNANSWERED)
        .when(decimal < 0)
        .then(NEGATIVE)
        .when(found > MAX_DURATION)
        .then(TOO_LONG)
        .otherwise(pl.coalesce(found, pl.lit(UNREADABLE)))
    )
    return text.alias("raw").to_frame().select(expr.cast(pl.Int64)).to_series().to_numpy()


def causes(column: pl.Series, system: str, names: CodeReader) -> npt.NDArray[np.uint8]:
    """Q.850 causes; 0 where not known or out of range."""
    if system == "q850":
        whole = column.cast(pl.Int64, strict=False)
        if column.dtype == pl.String and whole.null_count() > column.null_count():
            whole = column.str.strip_chars().str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
        number = whole.fill_null(0).to_numpy()
        return np.where((number > 0) & (number <= 127), number, 0).astype(np.uint8)
    codes = names.encode(column)
    return np.where(codes > 0, codes, 0).astype(np.uint8)
