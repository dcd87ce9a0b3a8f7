"""What most entries of a batch are: plain digits, known codes, one time format."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from simbox.ingest.cdr.decode import CodeReader, TimeReader
from simbox.ingest.cdr.devices import cell_hash
from simbox.ingest.cdr.figures import PARTIES
from simbox.ingest.cdr.numbers import Digits

_CODES = ("event_type", "direction", "service", "answered", "other_class")
DIGITS = (".value", ".length", ".plus")  # behind the name of a column of digits


def usual(
    frame: pl.DataFrame, codes: Mapping[str, CodeReader], times: TimeReader
) -> dict[str, pl.Series]:
    """What the columns of texts hold if they hold the usual, all read in one query."""
    texts = {name for name, dtype in frame.schema.items() if dtype == pl.String}
    asked: dict[str, pl.Expr] = {}
    for name in texts.intersection(PARTIES):
        found = Digits.expressions(name)
        asked |= {name + part: expr for part, expr in zip(DIGITS, found, strict=True)}
    for name in texts.intersection(_CODES):
        asked[name] = codes[name].expression(name)
    for name in texts.intersection(("cell", "b_cell")):
        asked[name] = cell_hash(name)
    if "duration" in texts:
        asked["duration"] = pl.col("duration").cast(pl.Int64, strict=False)
    start = times.expression("start") if "start" in texts else None
    if start is not None:
        asked["start"] = start
    # lazily: at once, a query first joins the chunks of all columns, those not asked for too
    read = frame.lazy().select(**asked).collect(engine="in-memory")
    return {column.name: column for column in read}
