"""Sites in flat columns, in words and on a map."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from simbox.errors import UsageError
from simbox.outputs.geojson import check_target, geojson, write_geojson
from simbox.outputs.sites import COLUMNS, flat, place, plain, shift, with_district, with_shift
from simbox.outputs.terminal import as_csv, as_json


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute)  # noqa: DTZ001  # local


def site(name: str, **columns: object) -> dict[str, object]:
    return {
        "rank": 1, "site": name, "status": "alert", "score": 2.0, "probability": 0.88,
        "families": 4, "reasons_for": "LINK-NATS, SITE-LINES", "reasons_against": "",
        "listed": None, "kind": "box", "lines": 12, "ports": 4, "calls": 900, "days": 2,
        "sims_a_day": 12.0, "erlang_per_port": 0.3, "at_once": 4, "devices": 4, "places_used": 2,
        "cells": ["001-01-1-1", "001-01-1-2", "001-01-1-3"], "cell_shares": [0.4, 0.35, 0.25],
        "shifts": [{"start": at(2, 9), "stop": at(2, 17, 30)},
                   {"start": at(3, 9, 20), "stop": at(3, 18)}],
        "lat": 12.34567891, "lon": -41.2, "first_seen": at(2, 9), "last_seen": at(3, 18),
    } | columns  # fmt: skip


def sites(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), infer_schema_length=None)


NOWHERE = site("S-0000000b", lat=None, lon=None, cells=[], cell_shares=None)


def test_usual_shift_is_the_median_of_the_days() -> None:
    row = with_shift(sites(site("S-0000000a"))).row(0, named=True)
    assert shift(row) == "09:10–17:45"


def test_shift_past_midnight_ends_at_an_hour_of_the_next_day() -> None:
    night = [{"start": at(2, 22), "stop": at(3, 4, 30)}]
    row = with_shift(sites(site("S-0000000a", shifts=night))).row(0, named=True)
    assert shift(row) == "22:00–04:30"


def test_site_without_calls_out_has_no_shift() -> None:
    rows = with_shift(sites(site("S-0000000a"), site("S-0000000b", shifts=None)))
    assert shift(rows.row(1, named=True)) == "–"


def test_district_is_the_one_of_most_that_a_site_does() -> None:
    cells = pl.DataFrame(
        {
            "cell": ["001-01-1-1", "001-01-1-2", "001-01-1-3"],
            "district": ["Hill", "Harbour", "Harbour"],
        }
    )
    found = with_district(sites(site("S-0000000a"), NOWHERE), cells)
    assert found["district"].to_list() == ["Harbour", None]
    assert place(found.row(0, named=True)) == "001-01-1-1 +1, Harbour"
    assert place(found.row(1, named=True)) == "–"
    assert with_district(found, cells).equals(found)


def test_csv_has_the_same_columns_with_and_without_sites_and_local_times_have_no_zone() -> None:
    text = as_csv(flat(sites(site("S-0000000a"))))
    head, row = text.splitlines()
    assert head.split(",") == list(COLUMNS)
    assert "2026-03-02T09:00:00," in row
    assert "001-01-1-1 001-01-1-2 001-01-1-3" in row
    assert as_csv(flat(None)).splitlines() == [head]


def test_json_holds_the_shift_of_every_day() -> None:
    [told] = json.loads(as_json(plain(sites(site("S-0000000a")))))
    assert told["shifts"][1] == {"start": "2026-03-03T09:20:00", "stop": "2026-03-03T18:00:00"}
    assert json.loads(as_json(plain(None))) == []


def checked(text: str) -> list[dict[str, object]]:
    """The features of a map, each held against RFC 7946 sections 3 and 4."""
    whole = json.loads(text)
    assert whole["type"] == "FeatureCollection"
    assert not {"crs", "coordinates", "geometry", "properties"} & whole.keys()
    for feature in whole["features"]:
        assert {"type", "id", "geometry", "properties"} == feature.keys()
        assert feature["type"] == "Feature"
        geometry = feature["geometry"]
        if geometry is not None:
            assert geometry.keys() == {"type", "coordinates"}
            assert geometry["type"] == "Point"
            lon, lat = geometry["coordinates"]
            assert -180 <= lon <= 180
            assert -90 <= lat <= 90
    return list(whole["features"])


def test_map_has_longitude_first_and_null_where_nothing_is_known() -> None:
    placed, nowhere = checked(geojson(sites(site("S-0000000a"), NOWHERE)))
    assert placed["geometry"] == {"type": "Point", "coordinates": [-41.2, 12.345679]}
    assert nowhere["geometry"] is None
    assert placed["properties"]["shift_start"] == "09:10"  # type: ignore[index]
    assert placed["properties"]["reasons"] == ["LINK-NATS", "SITE-LINES"]  # type: ignore[index]


def test_map_of_no_sites_is_an_empty_collection() -> None:
    assert checked(geojson(None)) == []


def test_map_replaces_an_earlier_one_and_nothing_else(tmp_path: Path) -> None:
    target, run = tmp_path / "map.geojson", tmp_path / "run"
    check_target(target, run)
    write_geojson(None, target)
    check_target(target, run)
    write_geojson(sites(site("S-0000000a")), target)
    assert len(checked(target.read_text())) == 1
    target.write_text("the only copy of something")
    with pytest.raises(UsageError, match="holds no map of sites"):
        check_target(target, run)
    assert [p.name for p in tmp_path.iterdir()] == ["map.geojson"]


@pytest.mark.parametrize("name", ["run/map.geojson", "run", "absent/map.geojson"])
def test_map_that_would_be_lost_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(UsageError) as refused:
        check_target(tmp_path / name, tmp_path / "run")
    assert len(str(refused.value).splitlines()) == 1
