from __future__ import annotations

import numpy as np
import pytest

from simbox.features.handsets import _near_serials

TAC = 35209900 * 10**6


def ids(serials: list[int]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Handsets of one TAC as ids: 14 digits."""
    return np.array([(14 << 50) | (TAC + serial) for serial in serials], dtype=np.uint64)


def test_a_carton_of_eight_modules_stands_out() -> None:
    assert _near_serials(ids(list(range(500_000, 500_008)))).tolist() == [7] * 8


def test_a_favourite_model_that_fills_its_range_has_no_neighbours_to_speak_of() -> None:
    """Every serial from 0 to 9,999 in use: 16 beside each, and 16 to be expected."""
    middle = _near_serials(ids(list(range(10_000))))[1000:9000]
    assert middle.max() == 0


@pytest.mark.parametrize("step", [3, 10, 50])
def test_a_model_spread_thinly_has_no_neighbours_beyond_its_density(step: int) -> None:
    spread = _near_serials(ids(list(range(0, 100_000, step))))
    assert spread.max() <= 2  # at the two ends of the range
    assert spread[300:-300].max() <= 1


def test_a_carton_inside_a_model_spread_thinly_stands_out() -> None:
    """One in fifty beside eight in a row: 1,600 / 50 = 31 around, so none is expected."""
    serials = sorted({*range(0, 100_000, 50), *range(50_001, 50_009)})
    found = dict(zip(serials, _near_serials(ids(serials)).tolist(), strict=True))
    assert min(found[serial] for serial in range(50_001, 50_009)) >= 7


def test_a_hashed_handset_has_no_neighbours() -> None:
    assert _near_serials(np.array([1 << 59 | 5, 1 << 59 | 6], dtype=np.uint64)).tolist() == [0, 0]
