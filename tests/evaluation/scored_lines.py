"""Small rankings whose figures can be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl


def ranking(
    scores: Mapping[str, Sequence[float | None]],
    *,
    sites: Mapping[str, Sequence[str | None]] | None = None,
    statuses: Mapping[str, Sequence[str | None]] | None = None,
) -> pl.DataFrame:
    """Lines of each kind with these scores, as measure takes them."""
    rows = [
        (f"{kind}-{number}", score, kind, _at(sites, kind, number), _at(statuses, kind, number))
        for kind, column in scores.items()
        for number, score in enumerate(column)
    ]
    schema = {
        "line": pl.String, "score": pl.Float64, "kind": pl.String, "site": pl.String,
        "status": pl.String,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(probability=1 / (1 + (-pl.col("score")).exp()))


def _at(columns: Mapping[str, Sequence[str | None]] | None, kind: str, number: int) -> str | None:
    return columns[kind][number] if columns and kind in columns else None
