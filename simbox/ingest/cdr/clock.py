"""Local wall time to UTC by a table of the zone's changes of offset.

In the gap of spring a time that never was is read with the offset before the gap; in the fold of
autumn the earlier of the two instants is taken.  Both are counted.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

from simbox.errors import ConfigError, did_you_mean

Seconds = npt.NDArray[np.int64]

FIRST_YEAR = 1990
LAST_YEAR = 2100
EARLIEST = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
LATEST = int(datetime(LAST_YEAR, 1, 1, tzinfo=UTC).timestamp())
_STEP = 7 * 86_400  # no zone has changed its offset and back within a week since 1990
_QUARTER = 900


@dataclass(frozen=True)
class ZoneTable:
    """The offsets of one zone: ``offsets[i]`` holds from ``changes[i]`` (UTC) to the next."""

    name: str
    changes: Seconds
    offsets: Seconds

    @property
    def fixed(self) -> bool:
        return len(self.offsets) == 1


@dataclass(frozen=True)
class Instants:
    """Times in UTC, with the counts of those that the local clock had twice or never."""

    utc: Seconds
    gaps: int
    folds: int


def _offset(zone: zoneinfo.ZoneInfo, instant: int) -> int:
    moment = datetime.fromtimestamp(instant, UTC).astimezone(zone)
    return int((moment.utcoffset() or timedelta()).total_seconds())


def _change_between(zone: zoneinfo.ZoneInfo, low: int, high: int) -> int:
    """The first second of the offset that holds at ``high``, by halving."""
    after = _offset(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == after:
            high = middle
        else:
            low = middle
    return high


def _zone_hint(name: str) -> str:
    """What was probably meant; ``Etc/GMT-8`` is eight hours ahead, its sign is turned round."""
    ahead = re.fullmatch(r"(?:GMT|UTC)?([+-])0?([0-9]{1,2})(?::?00)?", name.strip(), re.IGNORECASE)
    known = zoneinfo.available_timezones()
    if ahead is not None:
        meant = f"Etc/GMT{'-' if ahead[1] == '+' else '+'}{int(ahead[2])}"
        return f" Did you mean '{meant}'?" if meant in known else ""
    same = [zone for zone in sorted(known) if zone.lower() == name.lower()]
    return f" Did you mean '{same[0]}'?" if same else did_you_mean(name, known)


def check_zone(name: str) -> zoneinfo.ZoneInfo:
    """The zone of that name.

    Raises:
        ConfigError: there is no such zone.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = _zone_hint(name)
        raise ConfigError(f"zone '{name}': not in the time zone database.{hint}") from None


@cache
def zone_table(name: str) -> ZoneTable:
    """The table of a zone of the IANA database, for the years that records may lie in.

    Raises:
        ConfigError: there is no such zone.
    """
    zone = check_zone(name)
    changes, offsets = [EARLIEST - 53 * _STEP], [_offset(zone, EARLIEST)]
    for day in range(EARLIEST, LATEST + _STEP, _STEP):
        offset = _offset(zone, day)
        if offset != offsets[-1]:
            changes.append(_change_between(zone, day - _STEP, day))
            offsets.append(offset)
    return ZoneTable(name, np.array(changes), np.array(offsets))


def to_utc(wall: Seconds, table: ZoneTable) -> Instants:
    """Wall-clock seconds (as if UTC) to UTC seconds."""
    if table.fixed or len(wall) == 0:
        return Instants(wall - table.offsets[0], 0, 0)
    # the wall clock of each change, read with the offset before it: from there a new offset holds
    before = table.changes[1:] + table.offsets[:-1]
    after = table.changes[1:] + table.offsets[1:]
    # gap: before <= wall < after keeps the old offset; fold: after <= wall < before likewise
    starts = np.maximum(before, after)
    low, high = np.searchsorted(starts, (wall.min(), wall.max()), side="right")
    index = low if low == high else np.searchsorted(starts, wall, side="right")
    utc = wall - table.offsets[index]
    span = slice(max(int(low) - 1, 0), int(high) + 1)
    gaps = folds = 0
    for old, new in zip(before[span], after[span], strict=True):
        inside = int(((wall >= min(old, new)) & (wall < max(old, new))).sum())
        if new > old:
            gaps += inside
        else:
            folds += inside
    return Instants(utc, gaps, folds)


def quarters(utc: Seconds, table: ZoneTable) -> npt.NDArray[np.int8]:
    """The local clock's offset at each instant, in quarters of an hour."""
    offsets = (table.offsets // _QUARTER).astype(np.int8)
    if len(utc) == 0:
        return np.zeros(0, dtype=np.int8)
    low, high = np.searchsorted(table.changes, (utc.min(), utc.max()), side="right") - 1
    if low == high:
        return np.full(len(utc), offsets[max(low, 0)], dtype=np.int8)
    index = np.searchsorted(table.changes, utc, side="right") - 1
    return np.asarray(offsets[np.maximum(index, 0)])
