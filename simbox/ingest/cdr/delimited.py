"""Delimited text to batches: every line is checked before it is split, bad ones are rejected.

A line is good when it has the right number of fields, closed quotes at field edges only, no NUL
and valid text.  Pieces in which all lines are good, the usual case, are split as they are.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.ingest.cdr.batch import ROW, Batch, no_rejects, rejected
from simbox.ingest.cdr.figures import INTEGERS, plain, spelled_bytes
from simbox.ingest.cdr.text import Pieces

Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]

_NEWLINE, _RETURN, _LAST_ASCII = 10, 13, 127
_BLOCK = 1 << 18  # bytes looked at together: stays in the cache
_FEW_MORE = 6  # columns worth splitting only to have the length of lines checked
_FIRST_BYTES = 1 << 16  # of a file: what its columns look like
_REPLACED = "\ufffd".encode()


@dataclass(frozen=True)
class Shape:
    """What a good line of a file looks like."""

    fields: int
    delimiter: str
    quote: str
    comment: str
    wanted: Mapping[str, int]  # canonical column -> position


@dataclass(frozen=True)
class Checked:
    """A piece whose lines are all good, with their rows, and the rejects that were taken out."""

    data: bytes
    rows: pl.Series
    rejects: pl.DataFrame
    quoted: bool


def batches(pieces: Pieces, shape: Shape, lines_before: int) -> Iterator[Batch]:
    """The records of a text, after so many lines of head."""
    row = 1
    skip = lines_before
    typed: frozenset[str] | None = None
    for piece in pieces:
        body, skip = _behind_lines(piece, skip) if skip else (piece, 0)
        if not body:
            continue
        if typed is None:
            typed = _plain_at_first(body, shape)
        frame = _at_once(body, shape, typed)
        if frame is None:
            yield from _split(sift(body, shape, row), shape)
            row += _count(body, _NEWLINE)
            continue
        # what had to be read as text once will have to be again
        typed = typed.intersection(n for n, t in frame.schema.items() if t != pl.String)
        rows = pl.int_range(row, row + frame.height, dtype=pl.UInt32, eager=True)
        yield Batch(frame.hstack([rows.alias(ROW)]))
        row += frame.height


def _behind_lines(piece: bytes, lines: int) -> tuple[bytes, int]:
    """What stands behind so many lines, and how many of them are still to come."""
    at = 0
    while lines and at < len(piece):  # the few lines of a file's head
        at = piece.find(b"\n", at) + 1
        lines -= 1
    return piece[at:], lines


def _blocks(piece: bytes) -> Iterator[Bytes]:
    data = np.frombuffer(piece, dtype=np.uint8)
    return (data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK))


def _count(piece: bytes, sign: int) -> int:
    """How often a byte occurs; bytes.count is made for rare ones, and three times slower here."""
    return sum(int(np.count_nonzero(block == sign)) for block in _blocks(piece))


def _is_odd(piece: bytes, shape: Shape) -> bool:
    """Whether there are NULs, quotes, comments or bytes that are no text."""
    for sign in (shape.quote, shape.comment):
        if sign and sign.encode() in piece:
            return True
    extremes = [(int(block.min()), int(block.max())) for block in _blocks(piece)]
    lowest, highest = min(low for low, _ in extremes), max(high for _, high in extremes)
    return lowest == 0 or (highest > _LAST_ASCII and not _valid(piece))


def _plain_at_first(piece: bytes, shape: Shape) -> frozenset[str]:
    """The columns that the first lines would let be read as integers."""
    end = piece.rfind(b"\n", 0, _FIRST_BYTES) + 1
    frame = _read(piece[:end], shape, quoted=False)
    return plain(frame, [name for name in shape.wanted if name in INTEGERS])


def _at_once(piece: bytes, shape: Shape, typed: frozenset[str]) -> pl.DataFrame | None:
    """The columns of a piece in which all lines are good; None when that is not certain."""
    few = shape.fields - len(shape.wanted) <= _FEW_MORE
    if _is_odd(piece, shape) or not (few or _regular(piece, shape)):
        return None
    frame = _with_integers(piece, shape, typed) if few and typed else None
    if frame is not None:
        return _wanted(frame, shape)
    lines = _count(piece, _NEWLINE)
    if few and not _none_short(piece, lines, shape):
        return None
    frame = _read(piece, shape, quoted=False, strict=few)
    if frame.height != lines:
        return None
    again = [frame[name].cast(pl.UInt64) for name in plain(frame, typed)]
    return _wanted(frame.with_columns(again), shape)


def _with_integers(piece: bytes, shape: Shape, typed: frozenset[str]) -> pl.DataFrame | None:
    """All columns, some read as integers; None where lines differ or an integer lost something.

    The sum of bytes tells: a blank line, one more field, or a sign or zero in front of an integer
    would each add to it.  Only a line with too few fields would take away.
    """
    if piece[: piece.find(b"\n")].endswith(b"\r"):
        return None
    frame = _read(piece, shape, quoted=False, strict=True, typed=typed)
    if spelled_bytes(frame) != len(piece) - frame.height * shape.fields:
        return None
    last = shape.fields - 1
    name = next((column for column, at in shape.wanted.items() if at == last), f"c{last}")
    # the last field of a line with too few is null
    whole = not frame[name].null_count() or _none_short(piece, frame.height, shape)
    return frame if whole else None


def _none_short(piece: bytes, lines: int, shape: Shape) -> bool:
    """Whether the total of delimiters is right: splitting all columns refuses longer lines."""
    return _count(piece, ord(shape.delimiter)) == lines * (shape.fields - 1)


def _wanted(frame: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    """Without the columns split for the check; a select would join the chunks of all, at a cost."""
    return pl.DataFrame([frame[name] for name in shape.wanted])


def _valid(piece: bytes) -> bool:
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _REPLACED not in piece


def _regular(piece: bytes, shape: Shape) -> bool:
    """Whether every line has exactly the right number of delimiters; quotes are not there."""
    delimiter, fields = ord(shape.delimiter), shape.fields
    phase = 0
    for block in _blocks(piece):
        ends = block == _NEWLINE
        signs = block[ends | (block == delimiter)] == _NEWLINE
        off_beat = (np.flatnonzero(signs) + phase + 1) % fields
        lines = (len(signs) + phase) // fields
        if off_beat.any() or int(signs.sum()) != lines:
            return False
        phase = (phase + len(signs)) % fields
    return phase == 0


def _per_line(at: Positions, ends: Positions) -> Positions:
    """How many of some positions lie in each line."""
    before = np.searchsorted(at, ends)
    return np.diff(before, prepend=0)


def sift(piece: bytes, shape: Shape, first_row: int) -> Checked:
    """The careful way: every line judged, good ones kept with their rows."""
    if not piece.isascii() and not _valid(piece):
        piece = piece.decode("utf-8", errors="replace").encode("utf-8")
    data = np.frombuffer(piece, dtype=np.uint8)
    ends = np.flatnonzero(data == _NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    content = ends - starts - ((data[np.maximum(ends - 1, 0)] == _RETURN) & (ends > starts))
    blank = content == 0
    if shape.comment:
        blank |= data[starts] == shape.comment.encode()[0]
    faults, fields = _faults(data, starts, ends, shape)
    replaced = np.flatnonzero(_find(piece, _REPLACED)) if _REPLACED in piece else np.array([], int)
    faults["bytes|not text"] = _per_line(replaced, ends) > 0
    faults["fields|too few"] = fields < shape.fields
    faults["fields|too many"] = fields > shape.fields
    bad = blank.copy()
    rejects = []
    rows = first_row + np.arange(len(ends))
    for reason, mask in faults.items():
        new = mask & ~bad
        if new.any():
            shown = pl.Series([f"{n} fields" for n in fields[new].tolist()])
            found = rejected(pl.Series(rows[new]), "", shown, reason)
            rejects.append(found.with_columns(value_class=shown))
            bad |= new
    keep = np.repeat(~bad, np.diff(np.concatenate([starts, [len(data)]])))
    clean = data[keep].tobytes()
    quoted = bool(shape.quote) and shape.quote.encode() in clean
    kept = pl.Series(rows[~bad], dtype=pl.UInt32)
    return Checked(clean, kept, pl.concat(rejects) if rejects else no_rejects(), quoted)


def _find(piece: bytes, what: bytes) -> Mask:
    data = np.frombuffer(piece, dtype=np.uint8)
    hit = np.ones(max(len(data) - len(what) + 1, 0), dtype=bool)
    for k, byte in enumerate(what):
        hit &= data[k : k + len(hit)] == byte
    return hit


def _faults(
    data: Bytes, starts: Positions, ends: Positions, shape: Shape
) -> tuple[dict[str, Mask], Positions]:
    """Lines with NULs or with quotes that do not close at field edges; and all lines' fields."""
    delimiters = np.flatnonzero(data == ord(shape.delimiter))
    faults = {"bytes|NUL": _per_line(np.flatnonzero(data == 0), ends) > 0}
    quotes = np.flatnonzero(data == ord(shape.quote)) if shape.quote else delimiters[:0]
    if not len(quotes):
        return faults, _per_line(delimiters, ends) + 1
    per_line = _per_line(quotes, ends)
    line_of = np.repeat(np.arange(len(ends)), per_line)
    nth = np.arange(len(quotes)) - np.repeat(np.cumsum(per_line) - per_line, per_line)
    opening = nth % 2 == 0
    edges = np.array([ord(shape.delimiter), _NEWLINE, _RETURN], dtype=np.uint8)
    before, after = data[np.maximum(quotes - 1, 0)], data[np.minimum(quotes + 1, len(data) - 1)]
    twin_before = np.diff(quotes, prepend=-2) == 1
    twin_after = np.diff(quotes, append=len(data) + 2) == 1
    at_start = quotes == starts[line_of]
    fine = np.where(
        opening,
        at_start | np.isin(before, edges[:1]) | (twin_before & ~at_start),
        np.isin(after, edges) | twin_after,
    )
    faults["quotes|not closed"] = per_line % 2 == 1
    faults["quotes|inside a field"] = _per_line(quotes[~fine], ends) > 0
    # a delimiter is inside quotes when an odd number of quotes stands before it in its line
    in_line = np.searchsorted(ends, delimiters)
    so_far = np.searchsorted(quotes, delimiters) - (np.cumsum(per_line) - per_line)[in_line]
    return faults, _per_line(delimiters[so_far % 2 == 0], ends) + 1


def _split(checked: Checked, shape: Shape) -> Iterator[Batch]:
    """Split good lines into columns; a line that splits otherwise after all is rejected."""
    frame = _read(checked.data, shape, quoted=checked.quoted) if checked.data else None
    if frame is None or frame.height == len(checked.rows):
        rows = checked.rows.alias(ROW)
        frame = pl.DataFrame([rows]) if frame is None else frame.with_columns(rows)
        yield Batch(frame, checked.rejects)
        return
    if len(checked.rows) == 1:
        found = rejected(checked.rows, "", pl.Series([None], dtype=pl.String), "fields|unreadable")
        yield Batch(pl.DataFrame({ROW: checked.rows.head(0)}), pl.concat([checked.rejects, found]))
        return
    middle = len(checked.rows) // 2
    ends = np.flatnonzero(np.frombuffer(checked.data, dtype=np.uint8) == _NEWLINE)
    cut = int(ends[middle - 1]) + 1
    halves = (
        (checked.data[:cut], checked.rows[:middle]),
        (checked.data[cut:], checked.rows[middle:]),
    )
    yield Batch(pl.DataFrame({ROW: checked.rows.head(0)}), checked.rejects)
    for data, rows in halves:
        yield from _split(Checked(data, rows, no_rejects(), checked.quoted), shape)


def _read(
    data: bytes,
    shape: Shape,
    *,
    quoted: bool,
    strict: bool = False,
    typed: frozenset[str] = frozenset(),
) -> pl.DataFrame:
    """The wanted columns; an empty frame where the text cannot be split.

    Strict splitting looks at every field of every line, and gives the other columns too.
    """
    names = [f"c{i}" for i in range(shape.fields)]
    more = [n for i, n in enumerate(names) if strict and i not in shape.wanted.values()]
    columns = [pl.col(names[at]).alias(column) for column, at in shape.wanted.items()]
    schema: dict[str, type[pl.DataType]] = dict.fromkeys(names, pl.String)
    schema |= {names[shape.wanted[column]]: pl.UInt64 for column in typed}
    scan = pl.scan_csv(
        io.BytesIO(data),
        has_header=False,
        separator=shape.delimiter,
        quote_char=shape.quote if quoted else None,
        schema=schema,
    )
    try:
        return scan.select(*columns, *more).collect()
    except pl.exceptions.PolarsError:
        return pl.DataFrame(schema=dict.fromkeys(shape.wanted, pl.String))
