"""The reasons of ranked lines in short: each code with its value, and what the codes mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from simbox.features import features
from simbox.outputs.parts import measured

SEPARATOR = ", "  # between the codes of a line


def with_values(lines: pl.DataFrame, table: pl.LazyFrame) -> pl.DataFrame:
    """Ranked lines with a column ``reasons``: the codes for them, each with what was measured."""
    wanted = lines["line"].implode()
    rows = table.filter(pl.col("line").is_in(wanted)).collect()
    by_line = {row["line"]: row for row in rows.iter_rows(named=True)}
    texts = [
        SEPARATOR.join(_valued(code, by_line.get(line, {})) for code in codes(reasons))
        for line, reasons in lines.select("line", "reasons_for").iter_rows()
    ]
    return lines.with_columns(pl.Series("reasons", texts, dtype=pl.String))


def codes(reasons: str | None) -> list[str]:
    """The reason codes of a line."""
    return reasons.split(SEPARATOR) if reasons else []


def meanings(lines: pl.DataFrame) -> dict[str, str]:
    """What each code among the reasons of some lines means, the most frequent first."""
    used = lines["reasons_for"].drop_nulls().str.split(SEPARATOR).explode().drop_nulls()
    counted = used.value_counts(name="n").sort("n", "reasons_for", descending=[True, False])
    known = {_code(name): feature for name, feature in features().items()}
    return {c: known[c].doc for c in counted["reasons_for"] if c in known}


def _code(feature: str) -> str:
    return feature.upper().replace("_", "-")


def _valued(code: str, row: Mapping[str, Any]) -> str:
    name = code.lower().replace("-", "_")
    if name not in features() or row.get(name) is None:
        return code
    return f"{code} {measured(row[name], features()[name])}"
