from __future__ import annotations

import polars as pl
import pytest
from event_tables import CELLS, cell_table, context_for, event_tables, events_of, realistic
from hypothesis import given, settings
from oracle import ORACLES, Facts, differences, expected, measured

from simbox.features.context import CellTable
from simbox.features.declaration import views


def test_every_column_of_every_view_has_an_oracle() -> None:
    tiny = realistic(200)
    missing = {
        view.name: set(view.columns) - set(expected(view.name, Facts(tiny)).columns)
        for view in views()
    }
    assert missing == {view.name: set() for view in views()}


@pytest.mark.parametrize("view", ORACLES)
@pytest.mark.parametrize("cells", [cell_table(CELLS)], ids=["cells"])
def test_a_view_agrees_with_its_oracle_on_awkward_tables(view: str, cells: CellTable) -> None:
    @settings(max_examples=60, deadline=None)
    @given(event_tables())
    def agrees(stored: pl.DataFrame) -> None:
        got = measured(view, [events_of(stored)], context_for(stored, cells))
        assert differences(got, expected(view, Facts(stored, cells))) == {}

    agrees()
