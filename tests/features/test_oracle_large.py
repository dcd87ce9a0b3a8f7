"""The views and the whole engine on many events of made-up people, however they are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pytest
from event_tables import CellTable, realistic, store_of
from oracle import ORACLES, Facts, differences, expected, measured
from oracle_frame import plain

from simbox.features import compute
from simbox.features.context import Context
from simbox.features.engine import context_of, each_events
from simbox.features.events import Events
from simbox.identifiers import TEXT_BIT

ROWS = 60_000


@pytest.fixture(scope="module")
def stored() -> pl.DataFrame:
    return realistic(ROWS)


@pytest.fixture(scope="module")
def cells() -> CellTable:
    place = np.arange(1, 50, dtype=np.uint64) + np.uint64(1 << TEXT_BIT)
    turn = np.arange(49)
    return CellTable(place, 50 + (turn * 7 % 49) / 60, 10 + (turn * 11 % 49) / 45)


@pytest.fixture(scope="module")
def plain_events(stored: pl.DataFrame) -> pl.DataFrame:
    return plain(stored)


@pytest.fixture(scope="module")
def buckets(stored: pl.DataFrame, cells: CellTable) -> Iterator[tuple[list[Events], Context]]:
    with store_of([stored], 4) as store:
        yield list(each_events(store)), context_of(store, cells)


@pytest.mark.parametrize("view", ORACLES)
def test_a_view_agrees_with_its_oracle_on_ten_days_of_a_small_town(
    view: str,
    stored: pl.DataFrame,
    plain_events: pl.DataFrame,
    buckets: tuple[list[Events], Context],
    cells: CellTable,
) -> None:
    got = measured(view, *buckets)
    assert differences(got, expected(view, Facts(stored, cells), plain_events)) == {}


def computed(frames: Sequence[pl.DataFrame], buckets: int, cells: CellTable) -> pl.DataFrame:
    with store_of(frames, buckets) as store, TemporaryDirectory() as folder:
        run = compute(store, Path(folder), cells)
        return run.table().collect()


@pytest.fixture(scope="module")
def reference(stored: pl.DataFrame, cells: CellTable) -> pl.DataFrame:
    return computed([stored], 1, cells)


@pytest.mark.parametrize("buckets", [2, 8])
def test_any_number_of_buckets_gives_the_same_bits(
    buckets: int, stored: pl.DataFrame, reference: pl.DataFrame, cells: CellTable
) -> None:
    assert computed([stored], buckets, cells).equals(reference, null_equal=True)


def test_shuffled_rows_in_several_batches_with_repeats_give_the_same_bits(
    stored: pl.DataFrame, reference: pl.DataFrame, cells: CellTable
) -> None:
    shuffled = stored.sample(fraction=1, shuffle=True, seed=3)
    frames = [*shuffled.iter_slices(17_000), shuffled.head(5000)]
    assert computed(frames, 4, cells).equals(reference, null_equal=True)


def test_a_share_lies_between_nothing_and_all(reference: pl.DataFrame) -> None:
    from simbox.features import features

    shares = [name for name, feature in features().items() if feature.unit == "share"]
    outside = reference.select(((pl.col(shares) < 0) | (pl.col(shares) > 1)).sum()).to_dicts()[0]
    assert {name: count for name, count in outside.items() if count} == {}


def test_buckets_of_one_line_each_give_the_same_bits(
    stored: pl.DataFrame, cells: CellTable
) -> None:
    few = stored.filter(pl.col("line") % 32 == 3)
    whole, single = (computed([few], buckets, cells) for buckets in (1, 256))
    assert whole.height > 10
    assert single.equals(whole, null_equal=True)
