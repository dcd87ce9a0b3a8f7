"""Text files as they arrive: encoding found, decoded to UTF-8 in pieces that end with a line."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simbox.ingest.sources import Stream, utf16

DELIMITERS = ",;\t|^~"
_WRONG_SHARE = 0.1
_CHINESE_SHARE = 0.8
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
SAMPLE_LINES = 4000
_DELIMITER_LINES = 400
_LAST_ASCII = 127
_LONG = csv.field_size_limit()


def find_encoding(first: bytes, wanted: tuple[str, ...] = ()) -> str:
    """The encoding of a text by its mark, its validity and its letters."""
    for mark, name in _MARKS.items():
        if first.startswith(mark):
            return name
    order = utf16(first)
    if order:
        return order
    cut = first[: first.rfind(b"\n") + 1] or first
    if _mostly_utf8(cut):
        return "utf-8"
    for name in wanted:
        if name != "utf-8" and _decodes(cut, name):
            return name
    return "gb18030" if _chinese(cut) else "cp1252"


def _mostly_utf8(data: bytes) -> bool:
    """Whether at most a few of the bytes beyond ASCII are no UTF-8: those lines are rejected."""
    beyond = len(data) - len(data.decode("ascii", errors="ignore"))
    wrong = len(data) - len(data.decode("utf-8", errors="ignore").encode())
    return wrong <= _WRONG_SHARE * beyond


def _chinese(data: bytes) -> bool:
    """Whether a text reads as common Chinese: two accented Western letters rarely do."""
    if not _decodes(data, "gb18030"):
        return False
    letters = [c for c in data.decode("gb18030") if c > "\x7f"]
    common = [c for c in letters if _decodes(c.encode("gb18030"), "gb2312")]
    return len(common) > _CHINESE_SHARE * len(letters)


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def sample(first: bytes, encoding: str) -> list[str]:
    """The first lines of a file, without the last where it may be cut."""
    text = first.decode(encoding, errors="replace").lstrip("\ufeff").replace("\x00", "")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    lines = text.split("\n")
    return [line.rstrip("\r") for line in (lines[:-1] or lines)[:SAMPLE_LINES]]


def split(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    """The fields of lines; a line that cannot be split gives its raw text."""
    return list(_split(tuple(lines), delimiter, quote))


@lru_cache(maxsize=64)  # every profile looks at the same few splits of a file's head
def _split(lines: tuple[str, ...], delimiter: str, quote: str) -> list[list[str]]:
    rows = []
    for line in lines:  # a few thousand at most: only what recognition looks at
        if not quote or _unquoted(line, quote):
            rows.append(line.split(delimiter))
            continue
        try:
            rows.append(next(csv.reader([line], delimiter=delimiter, quotechar=quote), []))
        except csv.Error:
            rows.append([line])
    return rows


def _unquoted(line: str, quote: str) -> bool:
    """Whether a line can be split without the rules of quotes, ten times faster."""
    return bool(line) and quote not in line and "\r" not in line and len(line) < _LONG


def find_delimiter(lines: list[str]) -> str:
    """The sign that splits most lines into the same number of fields, more than one."""
    return _find_delimiter(tuple(lines[:_DELIMITER_LINES]))


@lru_cache(maxsize=64)
def _find_delimiter(lines: tuple[str, ...]) -> str:
    best, best_score = "", 0.0
    filled = [line for line in lines if line.strip() and not line.startswith("#")] or list(lines)
    for delimiter in DELIMITERS:
        counts = Counter(len(row) for row in split(filled[:100], delimiter, '"'))
        fields, hits = counts.most_common(1)[0] if counts else (1, 0)
        score = hits / max(len(filled[:100]), 1) + fields / 1000
        if fields > 1 and score > best_score:
            best, best_score = delimiter, score
    return best


def _is_ascii(piece: bytes) -> bool:
    """As bytes.isascii, three times faster where there is much to look at."""
    return int(np.frombuffer(piece, dtype=np.uint8).max(initial=0)) <= _LAST_ASCII


def _cut(held: bytes, data: bytes) -> tuple[bytes, bytes]:
    """All lines that end in some data, with what was held before it, and the rest."""
    end = data.rfind(b"\n") + 1
    if not end:
        return b"", held + data
    if end == len(data) and not held:
        return data, b""
    return b"".join((held, memoryview(data)[:end])), data[end:]


@dataclass
class Pieces:
    """The text of a stream in UTF-8, piece by piece, each ending with a line end."""

    stream: Stream
    encoding: str
    wanted: tuple[str, ...] = ()
    size: int = 1 << 23  # larger ones cost more page faults, smaller ones more queries

    def __iter__(self) -> Iterator[bytes]:
        decoder = None
        if self.encoding.startswith("utf-16"):
            decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace")
        held = b""
        first = True
        only_ascii = True
        mac: bool | None = None
        while data := self.stream.read(self.size):
            if decoder is not None:
                data = decoder.decode(data).encode("utf-8", errors="replace")
            if mac is None:
                mac = b"\n" not in data and b"\r" in data
            if mac:
                data = data.replace(b"\r", b"\n")
            piece, held = _cut(held, data)
            if first:
                piece, first = piece.removeprefix(codecs.BOM_UTF8), not piece
            if not piece:
                continue
            if only_ascii and not _is_ascii(piece):
                only_ascii = False
                self._settle(piece)
            yield self._utf8(piece)
        if held:
            yield self._utf8(held.removeprefix(codecs.BOM_UTF8) if first else held) + b"\n"

    def _settle(self, piece: bytes) -> None:
        """The first piece with other than ASCII letters decides what the head left open."""
        if self.encoding == "utf-8":
            self.encoding = find_encoding(piece, self.wanted)

    def _utf8(self, piece: bytes) -> bytes:
        if self.encoding in ("utf-8", "utf-16-le", "utf-16-be") or piece.isascii():
            return piece
        return piece.decode(self.encoding, errors="replace").encode("utf-8")
