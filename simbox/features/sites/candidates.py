"""Which pairs of lines are compared: those that meet under a blocking key."""

from __future__ import annotations

import numpy as np

from simbox.features.segments import Index
from simbox.features.sites.links.identity import Carried, number_meetings
from simbox.features.sites.links.lists import Dialled, meetings
from simbox.features.sites.links.ports import Turns
from simbox.features.sites.links.rhythm import Days
from simbox.features.sites.pairs import Pairs, meeting, pairs_of
from simbox.features.sites.whereabouts import Whereabouts

PLACES = 4  # most used places of a line under which it meets others
LEAST_SHARE = 0.08
HOUR_S = 3600


def candidates(
    dialled: Dialled, carried: Carried, where: Whereabouts, days: Days, turns: Turns
) -> Pairs:
    """The pairs that share a place, a handset, a list, neighbouring numbers or a succession.

    Lines without any place - fixed ones - meet where their days begin in the same hour.
    """
    lines = dialled.traffic.lines
    rhythm = _rhythm(days)
    codes = [meeting(*_at_places(where, rhythm), lines)]
    line, imei, _ = carried.uses
    codes += [meeting(imei, line, rhythm[line], lines)]
    codes += [meetings(dialled), carried.serials]
    again = turns.count > 1  # one succession in a crowd is chance, and hand-overs need two
    codes += [number_meetings(carried.traffic), (turns.low * lines + turns.high)[again]]
    codes += [meeting(*_placeless(where, days, rhythm), lines)]
    return pairs_of(codes, lines)


def _rhythm(days: Days) -> Index:
    """A number that brings lines with alike days near each other: when the first one began."""
    active = days.active
    day = np.argmax(active, axis=1)
    first = np.nan_to_num(days.first[np.arange(len(active)), day])
    return np.asarray(day * 86_400 + first, dtype=np.int64)


def _at_places(where: Whereabouts, rhythm: Index) -> tuple[Index, Index, Index]:
    line, column = np.nonzero(where.share[:, :PLACES] >= LEAST_SHARE)
    return where.place[line, column], line, rhythm[line]


def _placeless(where: Whereabouts, days: Days, rhythm: Index) -> tuple[Index, Index, Index]:
    """Lines without a place, under each day and hour in which their calls begin."""
    placeless = np.flatnonzero(where.share[:, 0] == 0)
    row, day = np.nonzero(days.active[placeless])
    line = placeless[row]
    hour = (days.first[line, day] // HOUR_S).astype(np.int64)
    return day * 24 + hour, line, rhythm[line]
