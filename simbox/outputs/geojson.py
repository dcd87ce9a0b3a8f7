"""Sites as points for a map: a GeoJSON FeatureCollection (RFC 7946)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from simbox.errors import UsageError
from simbox.outputs.ranking import codes
from simbox.outputs.sites import with_shift

DECIMALS = 6  # of a degree, a tenth of a metre: RFC 7946 section 11.2
FEATURES = b'"FeatureCollection"'
HEAD = 200  # bytes at the beginning of a file in which its type stands
PROPERTIES = (
    "rank", "site", "status", "score", "probability", "kind", "lines", "ports", "calls", "days",
    "sims_a_day", "erlang_per_port", "devices", "shift_start", "shift_stop", "cells", "district",
)  # fmt: skip


def geojson(sites: pl.DataFrame | None) -> str:
    """All sites of a run as one FeatureCollection; the geometry is null where no cell is placed.

    Positions are longitude before latitude, degrees WGS 84 (RFC 7946 section 3.1.1).
    """
    rows = with_shift(sites).iter_rows(named=True) if sites is not None else ()
    whole = {"type": "FeatureCollection", "features": [_feature(row) for row in rows]}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _feature(row: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: row[name].isoformat() for name in ("first_seen", "last_seen")}  # local
    return {
        "type": "Feature",
        "id": row["site"],
        "geometry": _point(row.get("lat"), row.get("lon")),
        "properties": {name: row.get(name) for name in PROPERTIES}
        | times
        | {"reasons": codes(row["reasons_for"]), "against": codes(row["reasons_against"])},
    }


def _point(lat: float | None, lon: float | None) -> dict[str, Any] | None:
    if lat is None or lon is None:
        return None
    return {"type": "Point", "coordinates": [round(lon, DECIMALS), round(lat, DECIMALS)]}


def check_target(target: Path | None, out: Path) -> None:
    """Make sure, before anything is read, that a map can be written and destroys nothing.

    Raises:
        UsageError: it lies in the folder that the run replaces, or cannot be written, or the file
            is there and is no FeatureCollection of before.
    """
    if target is None:
        return
    if target.resolve().is_relative_to(out.resolve()):
        raise UsageError(
            f"--geojson {target}: lies in the folder of the run, which is replaced as a whole; "
            "name a file outside of it"
        )
    if not target.parent.is_dir() or not os.access(target.parent, os.W_OK):
        raise UsageError(f"--geojson {target}: cannot write there; name a file in a folder")
    if target.exists() and not _ours(target):
        raise UsageError(f"--geojson {target}: is there and holds no map of sites; name another")


def _ours(target: Path) -> bool:
    """Whether a file is a FeatureCollection, or empty."""
    if not target.is_file() or not os.access(target, os.R_OK | os.W_OK):
        return False
    with target.open("rb") as handle:
        head = handle.read(HEAD)
    return not head or FEATURES in head


def write_geojson(sites: pl.DataFrame | None, target: Path) -> None:
    """The map as a file, whole or not at all.

    Raises:
        UsageError: the disk does not take it.
    """
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_text(geojson(sites), encoding="utf-8")
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError(f"--geojson {target}: cannot write it ({error.strerror})") from None
