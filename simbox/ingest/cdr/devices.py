"""IMSI, IMEI and cell columns to ids."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.identifiers import (
    CHECK_ABSENT,
    CHECK_SHIFT,
    CHECK_SV,
    IMEI_DIGITS,
    MAX_DIGITS,
    Ids,
    text_id,
)
from simbox.ingest.cdr.numbers import (
    NO_TEXTS,
    POWERS,
    Digits,
    Parties,
    ascii_digits,
    plain_exact,
    texts_of,
    with_lengths,
)

_IMEISV_DIGITS = 16
_FILLER = r"^([0-9]{14,15})[Ff]{1,2}$"  # of the last octet in BCD
_SLOT_BITS = 16
_SLOTS = 1 << _SLOT_BITS


def _digits(column: pl.Series) -> Digits:
    """Value and length of all-digit entries; length 0 for everything else."""
    if column.dtype.is_integer():
        filled = column.fill_null(-1).cast(pl.Int64, strict=False).fill_null(-1).to_numpy()
        present = filled >= 0
        whole = np.where(present, filled, 0).astype(np.uint64)
        size = np.maximum(np.searchsorted(POWERS, whole, side="right"), 1)
        return Digits(whole, np.where(present, size, 0).astype(np.uint8))
    return Digits.of(column.cast(pl.String))


def _from_texts(
    column: pl.Series, ids: Ids, rest: npt.NDArray[np.bool_], kind: str, nulls: tuple[str, ...]
) -> Parties:
    """Fill in the ids of entries that are not plain digits, by their distinct values."""
    raw = column.cast(pl.String).alias("raw").to_frame().filter(pl.Series(rest))
    distinct = raw.drop_nulls().unique()
    text = ascii_digits(pl.col("raw").str.strip_chars())
    bare = plain_exact(text).str.replace_all(r"[\s\-./]", "")
    bare = bare.str.replace(_FILLER, "${1}")
    seen = distinct.with_columns(
        text=text, digits=bare, null=text.is_in(nulls) | (text == "") | bare.is_null()
    )
    digits = seen["digits"].str.extract(r"^([0-9]{1,16})$")
    value = digits.cast(pl.UInt64, strict=False).fill_null(0).to_numpy()
    length = digits.str.len_bytes().fill_null(0).cast(pl.UInt8).to_numpy()
    packed = imei_ids(value, length) if kind == "imei" else imsi_ids(value, length)
    named = seen.select(pl.when("null").then(0).otherwise(text_id(pl.col("text")))).to_series()
    found = np.where(length > 0, packed, named.to_numpy())
    known = seen.select("raw", pl.Series("id", found), "text")
    joined = raw.join(known.select("raw", "id"), on="raw", how="left", maintain_order="left")
    ids[rest] = joined["id"].fill_null(0).to_numpy()
    return Parties(ids, texts_of(known))


def imsi_ids(values: Ids, lengths: npt.NDArray[np.uint8]) -> Ids:
    """Ids of IMSIs of 1 to 15 digits; 0 where there is none or all digits are zero."""
    ids = with_lengths(values, lengths)
    if len(values) and values.min() > 0 and lengths.min() > 0 and lengths.max() <= MAX_DIGITS:
        return ids
    return np.where((lengths > 0) & (lengths <= MAX_DIGITS) & (values > 0), ids, np.uint64(0))


def imei_ids(values: Ids, lengths: npt.NDArray[np.uint8]) -> Ids:
    """Ids of IMEIs: 14 digits with what followed them; other lengths as they are.

    The check digit of 15 and the software version of 16 digits are not part of the identity.
    """
    full = lengths == IMEI_DIGITS + 1
    digits = values // np.uint64(10)
    check = values - digits * np.uint64(10)
    size = np.full(len(values), IMEI_DIGITS, dtype=np.uint8)
    if not full.all():
        version = lengths == _IMEISV_DIGITS
        digits = np.where(full, digits, np.where(version, values // np.uint64(100), values))
        absent = np.where(version, np.uint64(CHECK_SV), np.uint64(CHECK_ABSENT))
        check = np.where(full, check, absent)
        size = np.where(full | version, np.uint8(IMEI_DIGITS), lengths)
    ids = with_lengths(digits, size)
    ids |= check << np.uint64(CHECK_SHIFT)
    if len(digits) and digits.min() > 0 and lengths.min() > 0:
        return ids
    return np.where((lengths > 0) & (digits > 0), ids, np.uint64(0))


def encode_imsi(column: pl.Series, nulls: tuple[str, ...], digits: Digits | None = None) -> Parties:
    """Ids of an IMSI column."""
    found = digits or _digits(column)
    lengths = found.lengths
    if not column.dtype.is_integer() and (lengths > MAX_DIGITS).any():
        lengths = np.where(lengths > MAX_DIGITS, np.uint8(0), lengths)
    return _encode(column, imsi_ids(found.values, lengths), lengths, "imsi", nulls)


def encode_imei(column: pl.Series, nulls: tuple[str, ...], digits: Digits | None = None) -> Parties:
    """Ids of an IMEI column."""
    found = digits or _digits(column)
    return _encode(column, imei_ids(found.values, found.lengths), found.lengths, "imei", nulls)


def _encode(
    column: pl.Series, ids: Ids, lengths: npt.NDArray[np.uint8], kind: str, nulls: tuple[str, ...]
) -> Parties:
    rest = lengths == 0
    if column.null_count() and rest.any():
        rest &= column.is_not_null().to_numpy()
    if column.dtype.is_integer() or not rest.any():
        return Parties(ids, NO_TEXTS)
    return _from_texts(column, ids, rest, kind, nulls)


_SIGN = r"[-:_ /.|;]"
_MCC = r"00[01]|[2-7][0-9][0-9]|90[0-9]|99[0-9]"  # of networks: test, countries, shared, private
_CGI = rf"^({_MCC}){_SIGN}([0-9]{{2,3}}){_SIGN}([0-9A-Fa-f]+){_SIGN}([0-9A-Fa-f]+)$"
_JOINED_CGI = rf"^({_MCC})([0-9]{{2,3}}){_SIGN}([0-9A-Fa-f]+){_SIGN}([0-9A-Fa-f]+)$"
_ECGI = rf"^({_MCC}){_SIGN}([0-9]{{2,3}}){_SIGN}([0-9A-Fa-f]+)$"
_DECIMAL = rf"^({_MCC})([0-9]{{2}})([0-9]{{5}})([0-9]{{5}})$"
_HEX = rf"^({_MCC})([0-9]{{2}})([0-9A-Fa-f]{{4}})([0-9A-Fa-f]{{4}})$"
# TAC and ECI, TS 24.229 clause 7.2A.4
_LONG_HEX = rf"^({_MCC})([0-9]{{2}})[0-9A-Fa-f]{{4}}([0-9A-Fa-f]{{7}})$"


def _number(digits: pl.Expr, *, hexadecimal: pl.Expr) -> pl.Expr:
    base16 = digits.str.to_integer(base=16, strict=False)
    return pl.when(hexadecimal).then(base16).otherwise(digits.cast(pl.Int64, strict=False))


def _area_and_cell(text: pl.Expr, pattern: str, *, hexadecimal: pl.Expr) -> pl.Expr:
    """MCC-MNC-LAC-CI from four groups; a CI that repeats the LAC in front of it loses it."""
    area = _number(text.str.extract(pattern, 3), hexadecimal=hexadecimal)
    cell = _number(text.str.extract(pattern, 4), hexadecimal=hexadecimal)
    cell = pl.when((cell > 0xFFFF) & (cell // 0x10000 == area)).then(cell % 0x10000).otherwise(cell)
    plmn = text.str.extract(pattern, 1) + "-" + text.str.extract(pattern, 2)
    return plmn + "-" + area.cast(pl.String) + "-" + cell.cast(pl.String)


def cell_text(cell: pl.Expr) -> pl.Expr:
    """The one spelling of a cell: MCC-MNC-LAC-CI, MCC-MNC-ECI, or the source's own name trimmed."""
    text = cell.str.strip_chars()
    behind = text.str.slice(5)
    letters = behind.str.contains("[A-Fa-f]")
    eci = _number(text.str.extract(_ECGI, 3), hexadecimal=letters).cast(pl.String)
    long_eci = text.str.extract(_LONG_HEX, 3).str.to_integer(base=16, strict=False)
    plmn = text.str.extract(_ECGI, 1) + "-" + text.str.extract(_ECGI, 2)
    long_plmn = text.str.extract(_LONG_HEX, 1) + "-" + text.str.extract(_LONG_HEX, 2)
    never = pl.lit(value=False)
    return pl.coalesce(
        _area_and_cell(text, _CGI, hexadecimal=letters),
        _area_and_cell(text, _JOINED_CGI, hexadecimal=letters),
        plmn + "-" + eci,
        _area_and_cell(text, _DECIMAL, hexadecimal=never),
        _area_and_cell(text, _HEX, hexadecimal=~never),
        pl.when(letters).then(long_plmn + "-" + long_eci.cast(pl.String)),
        plain_exact(text),
        text,
    )


def cell_name(parts: dict[str, pl.Expr]) -> pl.Expr:
    """The cell's spelling from split columns: those of mcc, mnc, lac and ci that there are."""
    fields = []
    for name in ("mcc", "mnc", "lac", "ci"):
        if name in parts:
            text = parts[name].cast(pl.String).str.strip_chars().str.strip_suffix(".0")
            fields.append(text.str.pad_start({"mcc": 3, "mnc": 2}.get(name, 0), "0"))
    joined = pl.concat_str(fields, separator="-")
    return pl.when(fields[-1] != "").then(joined)


@dataclass
class CellBook:
    """The cells met so far: each spelling is worked out once.

    All are in a table sorted by the hash of the spelling.  In front of it stand slots, by the top
    bits of the hash, so that a batch of known cells costs one look-up a row.
    """

    hashes: Ids = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    ids: Ids = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    slot_hashes: Ids = field(default_factory=lambda: np.zeros(_SLOTS, dtype=np.uint64))
    slot_ids: Ids = field(default_factory=lambda: np.zeros(_SLOTS, dtype=np.uint64))

    def encode(
        self, column: pl.Series, nulls: tuple[str, ...], hashed: pl.Series | None = None
    ) -> Parties:
        """Ids of a column of cells, and the texts of those not met before."""
        raw = column.cast(pl.String).alias("raw")
        if hashed is None:
            hashed = raw.to_frame().select(cell_hash("raw")).to_series()
        hashes = hashed.to_numpy()
        slots = (hashes >> np.uint64(64 - _SLOT_BITS)).astype(np.intp)
        ids = self.slot_ids[slots]
        missed = np.flatnonzero(self.slot_hashes[slots] != hashes)
        if not len(missed):
            return Parties(ids, NO_TEXTS)
        wanted = hashes[missed]
        unknown = missed[~self._holds(wanted)]
        texts = self._learn(raw.gather(unknown), hashes[unknown], nulls) if len(unknown) else None
        ids[missed] = self.ids[np.searchsorted(self.hashes, wanted)]
        # of several cells for one slot the last one stays, hash and id alike
        self.slot_hashes[slots[missed]], self.slot_ids[slots[missed]] = wanted, ids[missed]
        return Parties(ids, NO_TEXTS if texts is None else texts)

    def _holds(self, wanted: Ids) -> npt.NDArray[np.bool_]:
        at = np.searchsorted(self.hashes, wanted)
        held: npt.NDArray[np.bool_] = np.append(self.hashes, np.uint64(0))[at] == wanted
        return held

    def _learn(self, spellings: pl.Series, hashes: Ids, nulls: tuple[str, ...]) -> pl.DataFrame:
        """Enter new spellings into the table; the texts of their ids."""
        distinct = pl.DataFrame([spellings, pl.Series("hash", hashes)]).unique("hash")
        text = cell_text(pl.col("raw"))
        known = distinct.with_columns(
            text=text,
            null=pl.col("raw").is_null() | text.is_in(nulls) | text.is_in(["", "0", "-1"]),
        ).with_columns(id=pl.when("null").then(0).otherwise(text_id(pl.col("text"))))
        merged = np.concatenate([self.hashes, known["hash"].to_numpy()])
        order = np.argsort(merged)
        self.hashes = merged[order]
        self.ids = np.concatenate([self.ids, known["id"].to_numpy()])[order]
        return texts_of(known.select("id", "text"))


def cell_hash(column: str) -> pl.Expr:
    """A hash that is never 0, the mark of a free slot; an absent entry is an empty one."""
    hashed: pl.Expr = pl.col(column).fill_null("").nchash.xxh3_64()  # type: ignore[attr-defined]
    return hashed | 1
