"""A carrier's table of cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbox.errors import InputError
from simbox.ingest.cells import load_cells


def table(text: str, folder: Path) -> Path:
    file = folder / "cells.csv"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "text",
    [
        "cgi,lat,lon,district\n001-01-1234-5678,10.5,20.5,North\n",
        "CGI;Latitude;Longitude;District\n001/01/1234/5678;10,5;20,5;North\n",
        "mcc,mnc,lac,ci,lat,lon,district\n1,1,1234,5678,10.5,20.5,North\n",
        "radio,mcc,net,area,cell,unit,lon,lat,commune\nGSM,1,1,1234,5678,,20.5,10.5,North\n",
    ],
)
def test_cell_is_spelt_as_in_the_events(text: str, tmp_path: Path) -> None:
    assert load_cells(table(text, tmp_path)).cells.rows() == [
        ("001-01-1234-5678", 10.5, 20.5, "North")
    ]


def test_bad_rows_are_counted_and_the_last_position_of_a_cell_holds(tmp_path: Path) -> None:
    text = "id,lat,lon\nA,1,2\nA,1.5,2\nB,1,2\nC,,2\n,1,2\nD,0,0\nE,1,1\nF,1,3\n"
    report = load_cells(table(text, tmp_path))
    assert (report.rows, report.bad, report.moved) == (8, 3, 1)
    assert report.cells["cell"].to_list() == ["A", "B", "E", "F"]
    assert report.cells["lat"][0] == 1.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,lat,lon\nA,120.5,30.5\nB,121.5,31\n",
            (
                "2 of 2 latitudes lie beyond 90 degrees: latitude and longitude are exchanged; "
                "rename the two columns"
            ),
        ),
        (
            "id,name\nA,x\n",
            (
                "no table of cells: found id, name; it needs a cell (or mcc, mnc, lac, ci), "
                "latitude and longitude"
            ),
        ),
        (
            "id,lat,lon\nA,x,y\n",
            "1 of 1 rows hold no cell with a position; check that this is the cell table",
        ),
        ("", "the file is empty; nothing to read"),
    ],
)
def test_wrong_table_is_refused_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    file = table(text, tmp_path)
    with pytest.raises(InputError) as refused:
        load_cells(file)
    assert str(refused.value) == f"{file}: {message}"


@pytest.mark.parametrize(
    ("name", "cells"),
    [("cells/cider_antennas.csv", 297), ("mobile_csv/bandicoot_antennas.csv", 27)],
)
def test_real_tables_of_cells_are_read(name: str, cells: int, shared: Path) -> None:
    found = load_cells(shared / "data" / "cdr" / name)
    assert found.rows == cells
    assert found.cells.height + found.bad + found.moved == cells
    assert found.bad <= 10


def test_table_with_exchanged_coordinates_within_90_degrees_is_left_to_the_eye(
    shared: Path,
) -> None:
    # that sample's columns are exchanged, but its values are all possible latitudes
    found = load_cells(shared / "data" / "cdr" / "cells" / "flowkit_cells_excerpt.csv")
    assert (found.rows, found.moved) == (3, 1)
