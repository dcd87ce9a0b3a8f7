"""A carrier's table of cells."""

from __future__ import annotations

from datetime import date
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


def test_latitudes_at_which_nobody_lives_are_exchanged_longitudes(shared: Path) -> None:
    file = shared / "data" / "cdr" / "cells" / "flowkit_cells_excerpt.csv"
    with pytest.raises(InputError, match="3 of 3 latitudes lie where nobody lives"):
        load_cells(file)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("cgi,lat,lon\n001011234 5678,10.5,20.5\n", "001-01-1234-5678"),
        ("cgi,lat,lon\n3104101234-5678,10.5,20.5\n", "310-410-1234-5678"),
        ("ecgi,lat,lon\n00101 26434561,10.5,20.5\n", "001-01-26434561"),
        ("ecgi,lat,lon\n001010ABCDEF,10.5,20.5\n", "001-01-11259375"),
        ("ecgi,lat,lon\n3104100ABCDEF,10.5,20.5\n", "310-410-11259375"),
        ("ecgi,lat,lon\n001-01-ABCDEF,10.5,20.5\n", "001-01-11259375"),
        ("cgi,lat,lon\n001-01-04D2-162E,10.5,20.5\n", "001-01-1234-5678"),
        ("cgi,lat,lon\n0010104D2162E,10.5,20.5\n", "001-01-1234-5678"),
        ("MCC,MNC,LAC,CI,lat,lon\n1,1,04D2,162E,10.5,20.5\n", "001-01-1234-5678"),
        ("MCC,MNC,LAC,CI,lat,lon\n1.0,1.0,1234.0,5678.0,10.5,20.5\n", "001-01-1234-5678"),
        ("MCC,MNC,LAC,CI,lat,lon\n1,1,0x4D2,0x162E,10.5,20.5\n", "001-01-1234-5678"),
        ("plmn,lac,ci,lat,lon\n00101,1234,5678,10.5,20.5\n", "001-01-1234-5678"),
        ("plmn,lac,ci,lat,lon\n310-410,1234,5678,10.5,20.5\n", "310-410-1234-5678"),
        ("plmn,tac,eci,lat,lon\n00101,1234,26434561,10.5,20.5\n", "001-01-26434561"),
        ("plmn,tac,eci,lat,lon\n00101,1234,26434561,10.5,20.5\n", "001-01-1234-26434561"),
        ("mcc,mnc,eNodeB,sector,lat,lon\n1,1,1000,3,10.5,20.5\n", "001-01-256003"),
        ("cell,mcc,mnc,lac,ci,lat,lon\nTower 7,1,1,1,2,10.5,20.5\n", "001-01-1-2"),
        ("cell,mcc,mnc,lac,ci,lat,lon\nTower 7,1,1,1,2,10.5,20.5\n", "Tower 7"),
        ("cell,lat,lon\n001011234 5678,10.5,20.5\n", "001011234 5678"),
    ],
)
def test_cell_is_found_under_every_spelling_that_events_may_have(
    text: str, cell: str, tmp_path: Path
) -> None:
    found = load_cells(table(text, tmp_path)).cells
    assert found.filter(cell=cell).select("lat", "lon").rows() == [(10.5, 20.5)]


def test_digits_of_a_hexadecimal_column_are_hexadecimal_where_no_letter_is(tmp_path: Path) -> None:
    text = "cgi,lat,lon\n001-01-04D2-162E,1,2\n001-01-1234-5678,3,4\n"
    cells = dict(load_cells(table(text, tmp_path)).cells.select("cell", "lat").iter_rows())
    assert cells["001-01-4660-22136"] == 3
    assert cells["001-01-1234-5678"] == 1  # the first row's own; the other's only as written


DATED = """cell,lat,lon,district,valid_from,valid_to
A,1,1,Old,2020-01-01,2026-02-28
A,2,2,New,2026-03-01,
B,3,3,Gone,2020-01-01,2025-12-31
C,4,4,Late,2026-06-01,
D,5,5,Ever,,
"""


@pytest.mark.parametrize(
    ("day", "district"),
    [(date(2026, 2, 28), "Old"), (date(2026, 3, 1), "New"), (date(2030, 1, 1), "New"),
     (date(2019, 1, 1), "Old")],
)  # fmt: skip
def test_row_of_a_cell_is_the_one_valid_on_the_day(
    day: date, district: str, tmp_path: Path
) -> None:
    found = load_cells(table(DATED, tmp_path)).on(day)
    assert found.cells["cell"].to_list() == ["A", "B", "C", "D"]
    assert found.cells.filter(cell="A")["district"].item() == district
    assert (found.moved, found.bad) == (0, 0)


def test_cells_without_a_valid_row_are_told(tmp_path: Path) -> None:
    found = load_cells(table(DATED, tmp_path)).on(date(2026, 3, 5))
    assert found.elsewhen == 2
    assert "2 cells have no row that is valid at the end of the data" in found.notes[0]


@pytest.mark.parametrize(
    "written", ["2026-03-01", "01.03.2026", "2026/03/01", "20260301", "2026-03-01T00:00:00"]
)
def test_dates_are_read_in_the_usual_ways_of_writing(written: str, tmp_path: Path) -> None:
    text = f"cell,lat,lon,valid_from\nA,1,1,\nA,2,2,{written}\n"
    found = load_cells(table(text, tmp_path))
    assert found.on(date(2026, 2, 28)).cells["lat"].item() == 1
    assert found.on(date(2026, 3, 1)).cells["lat"].item() == 2


def test_days_stand_before_months_where_some_are_above_12(tmp_path: Path) -> None:
    text = "cell,lat,lon,valid_from\nA,1,1,03/01/2026\nB,2,2,31/01/2026\nC,3,3,25/01/2026\n"
    every = load_cells(table(text, tmp_path)).every
    assert every is not None
    assert every["valid_from"].to_list() == [date(2026, 1, 3), date(2026, 1, 31), date(2026, 1, 25)]


def test_date_that_cannot_be_read_is_told_and_open(tmp_path: Path) -> None:
    text = "cell,lat,lon,valid_to\nA,1,1,soon\nB,2,2,2020-01-01\n"
    found = load_cells(table(text, tmp_path)).on(date(2026, 3, 1))
    assert (found.undated, found.elsewhen) == (1, 1)
    assert "1 rows have dates that cannot be read" in found.notes[0]


def test_run_reads_the_rows_of_its_last_day(tmp_path: Path) -> None:
    import simbox
    import small_room

    exports = small_room.write(tmp_path / "exports")
    cell, after = small_room.CELL, small_room.small_world.MONDAY.year + 1
    text = (
        f"cell,lat,lon,district,valid_from\n{cell},12,-41,Harbour,2020-01-01\n"
        f"{cell},13,-42,Hill,{after}-01-01\n"
    )
    run = simbox.detect(exports, options=simbox.Options(cells=table(text, tmp_path)))
    assert run.sites is not None
    assert run.sites.select("lat", "lon", "district").rows() == [(12.0, -41.0, "Harbour")]
