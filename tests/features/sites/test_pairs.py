from __future__ import annotations

import numpy as np
import pytest

from simbox.features.sites.pairs import WHOLE, WINDOW, meeting, pairs_of


def test_lines_under_one_key_meet_and_others_do_not() -> None:
    key, line = np.array([1, 1, 2, 2, 3]), np.array([5, 3, 3, 7, 9])
    found = pairs_of([meeting(key, line, line, 10)], 10)
    assert list(zip(found.low.tolist(), found.high.tolist(), strict=True)) == [(3, 5), (3, 7)]


@pytest.mark.parametrize("lines", [WHOLE, 50_000])
def test_a_dense_cell_costs_as_many_pairs_as_it_has_lines(lines: int) -> None:
    line = np.arange(lines)
    found = meeting(np.zeros(lines, dtype=np.int64), line, line[::-1], lines)
    most = lines * (lines - 1) // 2 if lines <= WHOLE else lines * WINDOW
    assert lines * WINDOW * 0.9 < len(found) <= most or lines <= WHOLE
    assert len(found) <= most


def test_a_pair_is_found_whichever_line_comes_first() -> None:
    found = pairs_of([np.array([3 * 10 + 5, 3 * 10 + 7])], 10)
    assert found.find(np.array([7, 5, 5]), np.array([3, 3, 7]), 10).tolist() == [1, 0, -1]
