from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from event_tables import (
    CELLS,
    LINES,
    cell_table,
    digits,
    event_tables,
    events_of,
    realistic,
    store_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from simbox.features import features
from simbox.features.engine import context_of, each_events, measure
from simbox.store import DAY_S, line_hash

CELL_TABLE = cell_table(CELLS)
#: What dialled digits mean; all else must not care how numbers read.
DIGITS_MATTER = ("called_sequence", "called_block_share", "called_order", "calls_per_block")
TIMES = ("first_seen", "last_seen")

few = settings(max_examples=10)


def measured(*frames: pl.DataFrame, buckets: int = 1) -> pl.DataFrame:
    """The features of all lines, by line."""
    with store_of(frames, buckets) as store:
        context = context_of(store, CELL_TABLE)
        parts = [measure(e, context, store) for e in each_events(store) if e.lines]
        ids = [e.line_ids for e in each_events(store) if e.lines]
    named = [
        part.with_columns(line=pl.Series(id_list[np.argsort(line_hash(id_list))]))
        for part, id_list in zip(parts, ids, strict=True)
    ]
    return pl.concat(named).sort("line")


def same(left: pl.DataFrame, right: pl.DataFrame, without: Sequence[str] = ()) -> None:
    assert_frame_equal(left.drop(without), right.drop(without), check_exact=True)


@few
@given(event_tables(), st.integers(0, 2**16))
def test_the_order_of_rows_changes_nothing(stored: pl.DataFrame, seed: int) -> None:
    shuffled = stored.sample(fraction=1, shuffle=True, seed=seed)
    same(measured(shuffled, buckets=2), measured(stored))


@few
@given(event_tables())
def test_rows_that_came_twice_change_nothing(stored: pl.DataFrame) -> None:
    same(measured(stored, stored.head(7)), measured(stored))


@few
@given(event_tables(), st.integers(0, 40))
def test_splitting_the_input_changes_nothing(stored: pl.DataFrame, at: int) -> None:
    same(measured(stored[at:], stored[:at], buckets=8), measured(stored))


@few
@given(event_tables(lines=1))
def test_other_lines_in_the_same_period_change_nothing(stored: pl.DataFrame) -> None:
    others = realistic(300, lines=20).with_columns(
        start=pl.lit(stored["start"].min()).cast(pl.UInt32),
        kind=pl.lit(stored["kind"][0], pl.UInt16),
        cause=pl.lit(stored["cause"].min(), pl.UInt8),
        line=pl.col("line") + 10**6,
        imei=pl.lit(0, pl.UInt64),
    )
    whole = measured(stored, others)
    mine = measured(stored)
    same(whole.filter(pl.col("line").is_in(mine["line"].implode())), mine)


@few
@given(event_tables(), st.integers(1, 10**9))
def test_renaming_all_numbers_changes_nothing_but_what_reads_digits(
    stored: pl.DataFrame, away: int
) -> None:
    named = pl.col("other") % (1 << 60) != 0
    text = pl.col("other") // (1 << 59) % 2 == 1
    renamed = stored.with_columns(
        other=pl.when(named & ~text).then(pl.col("other") ^ away % 128).otherwise("other")
    )
    same(measured(renamed), measured(stored), DIGITS_MATTER)


@few
@given(event_tables(), st.integers(1, 60))
def test_whole_days_later_everything_is_the_same(stored: pl.DataFrame, days: int) -> None:
    later = stored.with_columns(pl.col("start") + days * DAY_S)
    same(measured(later), measured(stored), TIMES)


@few
@given(event_tables(), st.integers(-48, 48))
def test_in_another_zone_with_the_same_wall_clock_everything_is_the_same(
    stored: pl.DataFrame, quarters: int
) -> None:
    moved = stored.with_columns(
        start=(pl.col("start").cast(pl.Int64) - quarters * 900).cast(pl.UInt32),
        offset=(pl.col("offset").cast(pl.Int16) + quarters).cast(pl.Int8),
    )
    same(measured(moved), measured(stored), TIMES)


@few
@given(event_tables())
def test_a_share_never_leaves_the_range_of_shares(stored: pl.DataFrame) -> None:
    shares = [name for name, feature in features().items() if feature.unit == "share"]
    found = measured(stored).select(shares).unpivot().drop_nulls()
    assert found.filter(~pl.col("value").is_between(0, 1)).to_dicts() == []


@few
@given(event_tables())
def test_no_feature_is_infinite_or_not_a_number(stored: pl.DataFrame) -> None:
    found = measured(stored).select(list(features()))
    assert found.unpivot().drop_nulls().filter(~pl.col("value").is_finite()).is_empty()


def test_a_line_that_shares_its_handset_tells_both_lines() -> None:
    stored = realistic(3000, lines=30)
    alone = measured(stored)
    joined = measured(stored, stored.with_columns(line=pl.col("line") + 10**6, imsi=pl.col("imsi")))
    mine = joined.filter(pl.col("line").is_in(alone["line"].implode()))
    changed = {n for n in features() if not alone[n].equals(mine[n], null_equal=True)}
    assert changed <= {"sims_per_imei", "imei_overlap_share", "imei_turns_per_day"}
    assert changed


def test_the_digits_of_a_line_survive_with_their_leading_zero() -> None:
    rows = realistic(10, lines=1).with_columns(line=pl.lit(LINES[1], pl.UInt64))
    with store_of([rows]) as store:
        table = measure(events_of(rows), context_of(store), store)
    assert table["line"].to_list() == ["0999555002"]
    assert digits("0999555002") == LINES[1]
