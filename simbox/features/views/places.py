"""Where a line's events happen: how many cells, how firmly one of them, how often it moves."""

from __future__ import annotations

import numpy as np

from simbox.features.context import CellTable, Context
from simbox.features.declaration import Measures, View, nan_where
from simbox.features.events import Events
from simbox.features.segments import (
    Array,
    Index,
    Mask,
    boundaries,
    count,
    count_where,
    distinct,
    entropy,
    group_within,
    largest,
    rows_where,
    total,
)
from simbox.identifiers import Ids

EARTH_KM = 6371.0088  # mean radius (IUGG)
IMPOSSIBLE_KMH = 300.0  # faster than any train that people take daily
MIN_HOP_KM = 20.0  # below it, sector overlap and the size of cells explain any speed


def compute(events: Events, context: Context) -> Measures:
    """Distinct cells, the share of the top one, changes, and distances when cells are known."""
    rows, lines = rows_where(events.place > 0), events.lines
    all_lines, all_places, all_days = events.line[rows], events.place[rows], events.day[rows]
    opens = np.flatnonzero(boundaries(all_lines, all_places, all_days))
    line, place, day = all_lines[opens], all_places[opens], all_days[opens]
    cells = group_within(line, place)
    cell_line = line[cells.first]
    sizes = np.diff(opens, append=len(all_lines))[cells.order]
    cell_events = np.add.reduceat(sizes, cells.starts) if len(cells) else sizes
    daily = cells.order[distinct(cells.numbers(), day[cells.order]).first]
    top_events = largest(cell_line, cell_events, lines)
    return {
        "placed": count(all_lines, lines),
        "cells": count(cell_line, lines),
        "cell_top_events": top_events,
        "cell_top": _top(
            cell_line, cell_events == top_events[cell_line], place[cells.first], lines
        ),
        "cell_entropy_bit": entropy(cell_line, cell_events, lines),
        "cell_days": count(line[daily], lines),
        "placed_days": count(line[distinct(line, day).first], lines),
        **_changes(line, place, lines),
        **_distances(events, context.cells),
    }


def _top(line: Array, is_top: Mask, place: Ids, lines: int) -> Ids:
    """The cell with most events: the smallest id where two tie."""
    line, place = line[is_top], place[is_top]
    order = np.lexsort((place, line))
    first = order[boundaries(line[order])]
    top = np.zeros(lines, np.uint64)
    top[line[first]] = place[first]
    return top


def _changes(line: Array, place: Array, lines: int) -> Measures:
    moves = np.flatnonzero(boundaries(line, place))
    at_line, at_place = line[moves], place[moves]
    changed = np.zeros(len(moves), dtype=bool)
    changed[1:] = at_line[1:] == at_line[:-1]
    back = np.zeros(len(moves), dtype=bool)
    if len(moves) > 2:
        back[2:] = (at_line[2:] == at_line[:-2]) & (at_place[2:] == at_place[:-2])
    return {
        "cell_changes": count_where(at_line, changed, lines),
        "cell_returns": count_where(at_line, back, lines),
    }


def _distances(events: Events, cells: CellTable | None) -> Measures:
    """Radius of gyration and hops that no traveller makes; NaN without coordinates."""
    nothing = np.full(events.lines, np.nan)
    if cells is None:
        return {"gyration_km": nothing, "cell_hops": nothing, "cell_hops_impossible": nothing}
    at = cells.find(events.place)
    rows, at = np.flatnonzero(at >= 0), at[at >= 0]
    line, lat, lon = events.line[rows], np.radians(cells.lat[at]), np.radians(cells.lon[at])
    located = count(line, events.lines)
    hops, impossible = _hops(line, events.start[rows], lat, lon, events.lines)
    return {
        "gyration_km": nan_where(located == 0, _gyration_km(line, lat, lon, events.lines)),
        "cell_hops": nan_where(located == 0, hops),
        "cell_hops_impossible": nan_where(located == 0, impossible),
    }


def _gyration_km(line: Array, lat: Array, lon: Array, lines: int) -> Array:
    """Root mean square distance from the mean place, on a plane local to the line."""
    # Positions as whole metres, so that sums are exact whatever their order.
    north = np.rint(lat * EARTH_KM * 1000).astype(np.int64)
    first = np.flatnonzero(boundaries(line))
    reference = np.zeros(lines)
    reference[line[first]] = np.minimum.reduceat(lat, first) if len(first) else 0.0
    east = np.rint(lon * np.cos(reference[line]) * EARTH_KM * 1000).astype(np.int64)
    located = np.maximum(count(line, lines), 1)
    spread = np.zeros(lines)
    for metres in (north, east):
        mean = total(line, metres, lines) // located
        spread += total(line, (metres - mean[line]) ** 2, lines) / located
    return np.asarray(np.sqrt(spread) / 1000)


def _hops(line: Array, start: Array, lat: Array, lon: Array, lines: int) -> tuple[Index, Index]:
    if len(line) < 2:
        return np.zeros(lines, np.int64), np.zeros(lines, np.int64)
    same = line[1:] == line[:-1]
    half = np.sin((lat[1:] - lat[:-1]) / 2) ** 2
    half += np.cos(lat[1:]) * np.cos(lat[:-1]) * np.sin((lon[1:] - lon[:-1]) / 2) ** 2
    km = 2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    hours = np.maximum(start[1:] - start[:-1], 1) / 3600
    hop = same & (km > 0)
    impossible = hop & (km >= MIN_HOP_KM) & (km / hours > IMPOSSIBLE_KMH)
    return count_where(line[1:], hop, lines), count_where(line[1:], impossible, lines)


VIEW = View(
    name="places",
    doc="The cells of a line's events, in time and in all.",
    columns={
        "placed": "events with a cell",
        "cells": "distinct cells",
        "cell_top_events": "events at the cell with most of them",
        "cell_top": "that cell's id; the smallest where cells tie",
        "cell_entropy_bit": "Shannon entropy of the cells, bits",
        "cell_days": "distinct pairs of a cell and a local day",
        "placed_days": "local days with a cell",
        "cell_changes": "events in another cell than the event before",
        "cell_returns": "changes back to the cell before the last",
        "gyration_km": "radius of gyration, km; NaN without coordinates",
        "cell_hops": "changes between located cells; NaN without coordinates",
        "cell_hops_impossible": f"hops of {MIN_HOP_KM:.0f} km and more faster than "
        f"{IMPOSSIBLE_KMH:.0f} km/h",
    },
    compute=compute,
)
