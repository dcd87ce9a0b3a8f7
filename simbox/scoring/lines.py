"""The line score of a whole table: a population to compare with, then every line against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from simbox.errors import InputError
from simbox.scoring.feature_table import CHUNK_ROWS, FeatureTable
from simbox.scoring.grades import NO_KNOTS, WHOLE_RUN, Knots
from simbox.scoring.lists import NO_LISTS, ListEntries
from simbox.scoring.population import reference_knots
from simbox.scoring.scorecard import Scorecard
from simbox.scoring.verdicts import LINE_COLUMNS, judge, ranked


@dataclass(frozen=True)
class Scored:
    """Every line of a run with its score, and what the score was made from."""

    lines: pl.DataFrame  # ranked
    contributions: pl.LazyFrame  # a row a line, in the order of the features
    knots: Knots
    notes: tuple[str, ...]  # what a reader of the scores has to know


def score_frame(
    features: pl.DataFrame,
    card: Scorecard,
    lists: ListEntries = NO_LISTS,
    knots: Knots | None = None,
) -> Scored:
    """Score the lines of a table in memory, against its own population unless one is given."""
    table = _checked(FeatureTable.of(features))
    knots = reference_knots(table, card) if knots is None else knots
    judged = [judge(chunk, card, knots, lists) for chunk in _chunks(table, card)]
    return Scored(
        ranked(pl.concat(lines for lines, _ in judged)),
        pl.concat(parts for _, parts in judged).lazy(),
        knots,
        _notes(table, knots, lists),
    )


def score_file(
    features: Path,
    contributions: Path,
    card: Scorecard,
    lists: ListEntries = NO_LISTS,
    knots: Knots | None = None,
) -> Scored:
    """Score the lines of a Parquet file a slice at a time, and write their contributions."""
    table = _checked(FeatureTable.of(features))
    knots = reference_knots(table, card) if knots is None else knots
    lines, pieces = [], []
    for number, chunk in enumerate(_chunks(table, card)):
        judged, parts = judge(chunk, card, knots, lists)
        lines.append(judged)
        pieces.append(contributions.with_name(f".{contributions.stem}-{number:05d}.parquet"))
        parts.write_parquet(pieces[-1])
    pl.scan_parquet(pieces).sink_parquet(contributions, row_group_size=CHUNK_ROWS)
    for piece in pieces:
        piece.unlink()
    notes = _notes(table, knots, lists)
    return Scored(ranked(pl.concat(lines)), pl.scan_parquet(contributions), knots, notes)


def score_nothing(features: pl.DataFrame, contributions: Path, card: Scorecard) -> Scored:
    """The score of a table that has columns and no lines, as from captures without any call."""
    lines, parts = judge(features, card, NO_KNOTS, NO_LISTS)
    parts.write_parquet(contributions)
    return Scored(ranked(lines), parts.lazy(), NO_KNOTS, ())


def _checked(table: FeatureTable) -> FeatureTable:
    """The table, if it can be scored: some lines, each once, and no column that scoring makes."""
    line = table.take("line")["line"]
    if line.is_empty():
        raise InputError(f"{table.where}: holds no lines; nothing to score")
    if line.null_count() or line.n_unique() < len(line):
        raise InputError(f"{table.where}: a line is missing or stands twice; give one row a line")
    for name in table.columns:
        if name in LINE_COLUMNS and name != "line":
            raise InputError(f"{table.where}: column '{name}' is made by scoring; rename it")
    return table


def _chunks(table: FeatureTable, card: Scorecard) -> Iterator[pl.DataFrame]:
    """The lines, so many at a time, with the columns that scoring reads or hands on."""
    unread = card.known.difference(card.inputs)
    return table.chunks([name for name in table.columns if name not in unread])


def _notes(table: FeatureTable, knots: Knots, lists: ListEntries) -> tuple[str, ...]:
    """What a reader of the scores has to know about the data behind them."""
    notes = list(lists.notes)
    if not table.counts:
        notes.append(
            "no columns moc and sms_mo: exposure is taken as full, no line as too quiet to alert"
        )
    if knots.empty:
        notes.append("too few lines for percentiles: grades come from the anchors alone")
        return tuple(notes)
    named = table.take("segment")
    segments = set(named["segment"].cast(pl.String).drop_nulls().unique()) if named.width else set()
    notes += [
        f"segment {segment}: too few lines for percentiles of its own; compared with the whole run"
        for segment in sorted(segments - knots.segments - {WHOLE_RUN})
    ]
    used = knots.segments if segments and segments <= knots.segments else {WHOLE_RUN}
    left_out = knots.frame.filter(pl.col("segment").is_in(sorted(used | knots.segments)))
    left_out = left_out.group_by("segment").agg(pl.col("left_out").first()).sort("segment")
    notes += [
        f"{'the run' if segment == WHOLE_RUN else f'segment {segment}'}: {count} "
        f"{'lines' if count > 1 else 'line'} that the anchors alone call gateways "
        f"{'are' if count > 1 else 'is'} left out of the percentiles"
        for segment, count in left_out.iter_rows()
        if count
    ]
    return tuple(notes)
