from __future__ import annotations

import polars as pl
import pytest

from simbox.outputs.masking import masked


@pytest.mark.parametrize(
    ("party", "digits", "shown"),
    [
        ("999140000123", 4, "99914000****"),
        ("999140000123", 6, "999140******"),
        ("10086", 4, "10086"),  # a short code is nobody's own
        ("9991400", 15, "*" * 15),
        ("BankInfo", 4, "Bank****"),
        (None, 4, None),
    ],
)
def test_last_digits_are_hidden(party: str | None, digits: int, shown: str | None) -> None:
    frame = pl.DataFrame({"other": [party]}, schema={"other": pl.String})
    assert frame.select(masked(pl.col("other"), digits)).item() == shown
