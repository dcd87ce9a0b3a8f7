from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from statistics import median as middle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbox.features import segments
from simbox.features.segments import (
    ascends,
    boundaries,
    distinct,
    entropy,
    group,
    largest,
    most_at_once,
    n_log_n,
    row_bits,
    running_max,
    sort_within,
    total,
)
from simbox.features.segments import count as counted
from simbox.features.segments import median as medians

SEGMENTS = 4
pairs = st.lists(st.tuples(st.integers(0, SEGMENTS - 1), st.integers(0, 9)), max_size=30)
some = settings(max_examples=40)


def columns(rows: list[tuple[int, ...]], width: int = 2) -> list[np.ndarray]:
    return [np.array([row[i] for row in rows], dtype=np.int64) for i in range(width)]


def of(rows: list[tuple[int, int]], segment: int) -> list[int]:
    return [value for owner, value in rows if owner == segment]


def check_groups(rows: list[tuple[int, int]], groups: segments.Groups) -> None:
    order = groups.order.tolist()
    assert sorted(order) == list(range(len(rows)))
    edges = [*groups.starts.tolist(), len(rows)]
    found = [order[a:b] for a, b in pairwise(edges)]
    keys = [{rows[i] for i in members} for members in found]
    assert all(len(key) == 1 for key in keys)
    assert len(keys) == len(set(rows))
    assert all(members == sorted(members) for members in found)
    assert groups.sizes.tolist() == [len(members) for members in found]
    assert groups.numbers().tolist() == [n for n, m in enumerate(found) for _ in m]


@some
@given(pairs)
def test_group_brings_equal_keys_together_in_their_order(rows: list[tuple[int, int]]) -> None:
    check_groups(rows, group(*columns(rows)))


@some
@given(rows=pairs, keep=st.integers(0, 2))
def test_group_survives_keys_that_meet_in_the_hash(rows: list[tuple[int, int]], keep: int) -> None:
    hashed = segments._hash
    tried: list[int] = []

    def poor(keys: object, multiplier: int) -> np.ndarray:
        tried.append(multiplier)
        good = len(tried) > keep
        return hashed(keys, multiplier) if good else np.zeros(len(keys[0]), np.uint64)  # type: ignore[arg-type,index]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "_hash", poor)
        groups = group(*columns(rows))
    check_groups(rows, groups)
    assert len(tried) == (0 if not rows else 1 if len(set(rows)) == 1 else keep + 1)


def test_group_falls_back_to_a_plain_sort_when_every_hash_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(segments, "_hash", lambda keys, _: np.zeros(len(keys[0]), np.uint64))
    rows = [(1, 5), (0, 5), (1, 5), (0, 4), (0, 5)]
    check_groups(rows, group(*columns(rows)))


@some
@given(pairs)
def test_distinct_groups_equal_values_of_a_segment(rows: list[tuple[int, int]]) -> None:
    rows.sort(key=lambda row: row[0])
    check_groups(rows, distinct(*columns(rows)))
    rows.sort()
    assert ascends(*columns(rows))
    check_groups(rows, distinct(*columns(rows)))


@some
@given(pairs)
def test_median_is_that_of_each_segment(rows: list[tuple[int, int]]) -> None:
    got = medians(*columns(rows), SEGMENTS).tolist()
    for segment, value in enumerate(got):
        mine = of(rows, segment)
        assert math.isnan(value) if not mine else value == middle(mine)


@some
@given(pairs, st.integers(1, 6))
def test_largest_sums_the_top_few_of_each_segment(rows: list[tuple[int, int]], top: int) -> None:
    got = largest(*columns(rows), SEGMENTS, top=top).tolist()
    assert got == [sum(sorted(of(rows, s))[-top:]) for s in range(SEGMENTS)]


@some
@given(pairs)
def test_counts_and_totals_are_those_of_each_segment(rows: list[tuple[int, int]]) -> None:
    segment, values = columns(rows)
    assert counted(segment, SEGMENTS).tolist() == [len(of(rows, s)) for s in range(SEGMENTS)]
    assert total(segment, values, SEGMENTS).tolist() == [sum(of(rows, s)) for s in range(SEGMENTS)]


@some
@given(pairs)
def test_entropy_is_shannons_in_any_order_of_terms(rows: list[tuple[int, int]]) -> None:
    got = entropy(*columns(rows), SEGMENTS)
    assert np.array_equal(got, entropy(*columns(rows[::-1]), SEGMENTS), equal_nan=True)
    for segment, value in enumerate(got.tolist()):
        mine = [n for n in of(rows, segment) if n]
        if not mine:
            assert math.isnan(value)
        else:
            shares = [n / sum(mine) for n in mine]
            assert value == pytest.approx(-sum(p * math.log2(p) for p in shares), abs=1e-5)


def test_entropy_of_one_value_is_exactly_zero() -> None:
    assert entropy(np.array([0]), np.array([12345]), 1).tolist() == [0.0]


def test_n_log_n_is_fixed_point() -> None:
    assert n_log_n(np.array([0, 1, 2, 8])).tolist() == [0, 0, 2 << 20, 24 << 20]


@some
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 5)), max_size=25))
def test_most_at_once_is_what_counting_second_by_second_gives(
    rows: list[tuple[int, int, int]],
) -> None:
    calls = [(owner, start, start + length) for owner, start, length in rows if length]
    got = most_at_once(*columns(calls, 3), SEGMENTS).tolist()
    for segment in range(SEGMENTS):
        open_at = Counter(
            t for owner, start, end in calls if owner == segment for t in range(start, end)
        )
        assert got[segment] == max(open_at.values(), default=0)


@some
@given(pairs)
def test_running_max_is_the_largest_so_far(rows: list[tuple[int, int]]) -> None:
    rows.sort(key=lambda row: row[0])
    got = running_max(*columns(rows), 9).tolist() if rows else []
    wanted = [max(of(rows[: i + 1], row[0])) for i, row in enumerate(rows)]
    assert got == wanted


@some
@given(pairs)
def test_sort_within_sorts_by_both(rows: list[tuple[int, int]]) -> None:
    segment, values = sort_within(*columns(rows))
    assert list(zip(segment.tolist(), values.tolist(), strict=True)) == sorted(rows)


def test_sort_within_refuses_what_does_not_fit() -> None:
    with pytest.raises(OverflowError, match="more than 63 bits"):
        sort_within(np.array([0, 1 << 40]), np.array([1 << 30, 0]))


def test_sort_within_takes_what_just_fits() -> None:
    segment, values = sort_within(np.array([(1 << 32) - 1, 0]), np.array([5, (1 << 31) - 1]))
    assert segment.tolist() == [0, (1 << 32) - 1]
    assert values.tolist() == [(1 << 31) - 1, 5]


@pytest.mark.parametrize(("rows", "bits"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (1025, 11)])
def test_row_bits_number_every_row(rows: int, bits: int) -> None:
    assert row_bits(rows) == bits


def test_boundaries_open_at_the_first_row_and_at_every_change() -> None:
    a, b = np.array([0, 0, 1, 1, 1]), np.array([5, 5, 5, 6, 6])
    assert boundaries(a, b).tolist() == [True, False, True, True, False]
