"""Many callers of strangers in few cells, as arrays: what blocking has to hold its own against."""

from __future__ import annotations

import numpy as np

from simbox.features.events import Events
from simbox.features.sites.traffic import Traffic
from simbox.identifiers import CHECK_ABSENT, CHECK_SHIFT, LENGTH_SHIFT, TEXT_BIT
from simbox.store import DAY_S, line_hash
from simbox.tables import Kind

MONDAY = 1_741_564_800
FIRST_LINE, FIRST_OTHER = 999_130_000_000, 999_150_000_000
FIRST_IMEI = 10_010_000_000_000
_TWELVE, _FOURTEEN = 12 << LENGTH_SHIFT, (14 << LENGTH_SHIFT) + (CHECK_ABSENT << CHECK_SHIFT)


def dense(lines: int, cells: int = 1, calls: int = 4, days: int = 2, seed: int = 1) -> Traffic:
    """Lines far from each other in number and handset that call at random in daytime.

    Args:
        lines: how many, dealt out to the cells.
        cells: places that the lines stand in, one each.
        calls: calls a line and day.
        days: days of the traffic.
        seed: of the random moments and numbers.
    """
    rng = np.random.default_rng(seed)
    number = (FIRST_LINE + np.arange(lines) * 97 + _TWELVE).astype(np.uint64)
    ids = number[np.argsort(line_hash(number))]
    rows = lines * days * calls
    line = np.repeat(np.arange(lines, dtype=np.int32), days * calls)
    day = np.tile(np.repeat(np.arange(days), calls), lines)
    start = MONDAY + day * DAY_S + rng.integers(8 * 3600, 20 * 3600, rows)
    order = np.lexsort((start, line))
    start, cell = start[order], line.astype(np.int64) % cells
    talk = rng.integers(10, 200, rows)
    none = np.zeros(rows, dtype=np.uint64)
    events = Events(
        line_ids=ids,
        line=line,
        start=start,
        offset=np.zeros(rows, dtype=np.int8),
        duration=talk.astype(np.int32),
        kind=np.full(rows, Kind.MOC | Kind.YES << Kind.ANSWER_SHIFT, dtype=np.uint16),
        other=_strangers(rng, rows),
        place=(cell + (1 << TEXT_BIT) + 1).astype(np.uint64),
        imei=(FIRST_IMEI + line.astype(np.int64) * 1000 + _FOURTEEN).astype(np.uint64),
        imsi=none,
        cause=np.zeros(rows, dtype=np.uint8),
    )
    return Traffic(events, np.unique(events.place), MONDAY, days)


def _strangers(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Numbers of a list, hundreds apart, each called once."""
    return (FIRST_OTHER + rng.permutation(rows) * 997 + _TWELVE).astype(np.uint64)
