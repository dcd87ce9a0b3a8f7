"""JSON Lines to batches: one object a line, nested keys written with dots."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import polars as pl

from simbox.ingest.cdr.batch import ROW, Batch, no_rejects, rejected
from simbox.ingest.cdr.text import Pieces


def keys_of(lines: list[str]) -> dict[str, bool]:
    """All keys of the first objects in order, nested ones with dots, and which hold a list."""
    keys: dict[str, bool] = {}
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            _flatten(found, "", keys)
    return keys


def _flatten(value: dict[str, object], prefix: str, keys: dict[str, bool]) -> None:
    for key, inner in value.items():
        if isinstance(inner, dict):
            _flatten(inner, f"{prefix}{key}.", keys)
        else:
            name = prefix + key
            keys[name] = keys.get(name, False) or isinstance(inner, list)


def _path(key: str) -> str:
    return "$" + "".join(f"['{part}']" for part in key.replace("'", "").split("."))


def batches(pieces: Pieces, wanted: Mapping[str, str]) -> Iterator[Batch]:
    """The records of a JSON Lines text; ``wanted`` maps canonical columns to keys."""
    first = 1
    for piece in pieces:
        text = piece.decode("utf-8", errors="replace")
        lines = pl.Series("text", text.split("\n")[:-1])
        rows = pl.int_range(first, first + len(lines), dtype=pl.UInt32, eager=True).alias(ROW)
        first += len(lines)
        frame = pl.DataFrame([rows, lines.str.strip_chars()]).filter(pl.col("text") != "")
        good = _whole(frame["text"])
        bad = frame.filter(~good)
        rejects = (
            rejected(bad[ROW], "", bad["text"], "json|unreadable") if bad.height else no_rejects()
        )
        columns = [pl.col("text").str.json_path_match(_path(k)).alias(c) for c, k in wanted.items()]
        yield Batch(frame.filter(good).select(ROW, *columns), rejects)


def _whole(text: pl.Series) -> pl.Series:
    """Which lines are objects: the root of a broken one cannot be matched."""
    return text.str.starts_with("{") & text.str.json_path_match("$").is_not_null()
