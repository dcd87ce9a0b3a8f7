"""What a site does as if it were one subscriber: its calls, its callers, its ports, its hours."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from simbox.features.segments import (
    Array,
    Index,
    Mask,
    boundaries,
    count,
    count_where,
    group,
    most_at_once,
    running_max,
    total,
)
from simbox.features.sites.traffic import Floats, Traffic
from simbox.identifiers import party
from simbox.store import DAY_S
from simbox.tables import Kind

REDIAL_S = 3600
HOUR_S = 3600
USED_SHARE = 0.03  # of the events of a site, from which a place is in use
BUSY_SHARE = 0.8  # of the most calls at once, from which a site counts as full


@dataclass(frozen=True)
class Rows:
    """The events of all sites, sorted by site and time; one element a row."""

    site: Index
    line: Index
    at: Index
    end: Index
    out: Mask  # outgoing calls
    into: Mask  # incoming calls
    sent: Mask  # own texts
    received: Mask
    talked: Mask
    other: Array
    inside: Mask  # the other party is a line of the same site
    place: Index
    imei: Array

    def where(self, chosen: Array) -> Rows:
        """Those that a mask or index chooses."""
        return Rows(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    def __len__(self) -> int:
        return len(self.site)


def rows_of(traffic: Traffic, site: Index) -> Rows:
    """The rows of the lines that belong to a site (of each line; -1 for none)."""
    of_row = site[traffic.line]
    rows = np.flatnonzero(of_row >= 0)
    rows = rows[np.lexsort((traffic.line[rows], traffic.at[rows], of_row[rows]))]
    kind = traffic.events.event_type[rows]
    other, fellow = party(traffic.events.other[rows]), traffic.other_line[rows]
    return Rows(
        site=of_row[rows],
        line=traffic.line[rows],
        at=traffic.at[rows],
        end=traffic.end[rows],
        out=kind == Kind.MOC,
        into=kind == Kind.MTC,
        sent=kind == Kind.SMS_MO,
        received=kind == Kind.SMS_MT,
        talked=(traffic.events.answer[rows] == Kind.YES) | (traffic.events.duration[rows] > 0),
        other=other,
        inside=(fellow >= 0) & (site[fellow] == of_row[rows]),
        place=traffic.place[rows],
        imei=traffic.imei[rows],
    )


def measure(rows: Rows, sites: int) -> pl.DataFrame:
    """One row a site; shares are null where there is nothing to share.

    Columns:
        lines, calls, days, hours: how big it is; hours are those in which it calls.
        talk_s: seconds of its calls out.
        devices: distinct handsets; places, and places_used, those that hold 0.03 of its events.
        at_once: most calls at once.
        full_share: share of the talking time at 0.8 of the calls at once or more.
        distinct_share: different numbers over calls out, as one subscriber.
        called_back_share: of the numbers called, those that call in after it, answered.
        known_share: of calls out, those to a number that had called the site before.
        again_share: of calls out, those to a number called on an earlier day as well.
        redial_share: of calls that nobody took, those tried again within the hour by any line.
        incoming_share: calls in from outside over all calls with outside.
        answered_in_share: of calls in from outside, those that are answered.
        reception_share: of calls in from outside, those to the line that gets most.
        answer_ratio: of calls out, those that are answered.
        inside_share: calls between its own lines over calls out.
    """
    outside = ~rows.inside
    out, into = rows.out & outside, rows.into & outside
    calls = count_where(rows.site, out, sites)
    offered = count_where(rows.site, into, sites)
    dialled = _dialled(rows.where(np.flatnonzero(out | into)), sites)
    busy = _concurrency(rows, sites)
    columns = {
        "lines": _distinct(rows.site, rows.line, sites),
        "calls": calls,
        "days": _distinct(rows.site[out], rows.at[out] // DAY_S, sites),
        "hours": _distinct(rows.site[out], rows.at[out] // HOUR_S, sites),
        "talk_s": total(rows.site[out], (rows.end - rows.at)[out], sites),
        "devices": _distinct(rows.site, rows.imei, sites, rows.imei > 0),
        "places": _distinct(rows.site, rows.place, sites, rows.place >= 0),
        "places_used": _places_used(rows, sites),
        **busy,
        **dialled,
        "incoming_share": _ratio(offered, offered + calls),
        "answered_in_share": _ratio(count_where(rows.site, into & rows.talked, sites), offered),
        "reception_share": _ratio(_largest_part(rows, into, sites), offered),
        "answer_ratio": _ratio(count_where(rows.site, out & rows.talked, sites), calls),
        "inside_share": _ratio(count_where(rows.site, rows.inside & rows.out, sites), calls),
    }
    return pl.DataFrame({name: np.asarray(values) for name, values in columns.items()}).fill_nan(
        None
    )


def _ratio(top: Index, bottom: Index) -> Floats:
    empty = np.full(len(top), np.nan)
    return np.asarray(np.divide(top, bottom, out=empty, where=np.asarray(bottom) > 0))


def _distinct(site: Index, value: Array, sites: int, known: Mask | None = None) -> Index:
    """Different values of each site."""
    if known is not None:
        site, value = site[known], value[known]
    return count(site[group(site, value).first], sites)


def _places_used(rows: Rows, sites: int) -> Index:
    """Places that hold more than a stray share of each site's events."""
    placed = np.flatnonzero(rows.place >= 0)
    held = group(rows.site[placed], rows.place[placed])
    owner = rows.site[placed][held.first]
    events = np.maximum(count(rows.site[placed], sites), 1)
    return count_where(owner, held.sizes >= USED_SHARE * events[owner], sites)


def _largest_part(rows: Rows, chosen: Mask, sites: int) -> Index:
    """Most of the chosen rows that one line of each site has."""
    site, line = rows.site[chosen], rows.line[chosen]
    held = group(site, line)
    result = np.zeros(sites, dtype=np.int64)
    np.maximum.at(result, site[held.first], held.sizes)
    return result


def _concurrency(rows: Rows, sites: int) -> dict[str, Array]:
    """Most calls at once, and how much of the talking time the site is nearly full."""
    calls = np.flatnonzero((rows.out | (rows.into & rows.talked)) & (rows.end > rows.at))
    site, begin, end = rows.site[calls], rows.at[calls], rows.end[calls]
    ports = most_at_once(site, begin, end, sites)
    span = np.int64(max(int(end.max(initial=0)) + 1, 1))
    marks = np.concatenate([site * span + begin, site * span + end])
    step = np.concatenate([np.ones(len(calls)), -np.ones(len(calls))])
    order = np.lexsort((step, marks))
    owner, at = np.divmod(marks[order], span)
    open_ = np.cumsum(step[order])
    lasting = np.diff(at, append=at[-1:]) * (np.diff(owner, append=owner[-1:]) == 0)
    full = (open_ >= BUSY_SHARE * ports[owner]) & (open_ > 0)
    talking = np.bincount(owner, weights=lasting * (open_ > 0), minlength=sites)
    at_full = np.bincount(owner, weights=lasting * full, minlength=sites)
    return {
        "at_once": ports,
        "full_share": np.divide(at_full, talking, out=np.full(sites, np.nan), where=talking > 0),
    }


def _dialled(rows: Rows, sites: int) -> dict[str, Array]:
    """What happens with each number that a site calls, whichever of its lines does."""
    known = np.flatnonzero(rows.other > 0)
    rows = rows.where(known)
    order = np.lexsort((rows.at, rows.other, rows.site))
    rows = rows.where(order)
    opens = boundaries(rows.site, rows.other) if len(rows) else np.zeros(0, dtype=bool)
    number = np.cumsum(opens) - 1
    pairs = int(number[-1]) + 1 if len(number) else 0
    owner = rows.site[np.flatnonzero(opens)]
    span = int(rows.at.max(initial=0)) + 2
    out_at = np.where(rows.out, rows.at + 1, 0)
    in_at = np.where(rows.into, rows.at + 1, 0)
    called_before = _before(number, out_at, span)
    heard_before = _before(number, in_at, span)
    back = rows.into & rows.talked & (called_before > 0)
    again = rows.out & (_first_call(rows, number, pairs)[number] // DAY_S < rows.at // DAY_S)
    missed = rows.out & ~rows.talked
    retried = _retried(rows, number, missed)
    has_out = np.bincount(number, weights=rows.out, minlength=pairs) > 0
    has_back = np.bincount(number, weights=back, minlength=pairs) > 0
    calls = count_where(rows.site, rows.out, sites)
    numbers = count_where(owner, has_out, sites)
    return {
        "distinct_share": _ratio(numbers, calls),
        "called_back_share": _ratio(count_where(owner, has_out & has_back, sites), numbers),
        "known_share": _ratio(count_where(rows.site, rows.out & (heard_before > 0), sites), calls),
        "again_share": _ratio(count_where(rows.site, again, sites), calls),
        "redial_share": _ratio(
            retried_sites(rows, retried, sites), count_where(rows.site, missed, sites)
        ),
    }


def _first_call(rows: Rows, number: Index, pairs: int) -> Index:
    """When the site first called each number; never for one that only calls."""
    first = np.full(pairs, np.iinfo(np.int64).max)
    np.minimum.at(first, number[rows.out], rows.at[rows.out])
    return first


def _before(number: Index, moment: Index, span: int) -> Index:
    """The latest moment of each number's earlier rows, 0 for none."""
    latest = running_max(number, moment, span)
    before = np.zeros(len(number), dtype=np.int64)
    before[1:] = np.where(number[1:] == number[:-1], latest[:-1], 0)
    return before


def _retried(rows: Rows, number: Index, missed: Mask) -> Mask:
    """Missed calls that are followed by another call to the number within the hour."""
    out = np.flatnonzero(rows.out)
    followed = np.zeros(len(rows), dtype=bool)
    near = (number[out[1:]] == number[out[:-1]]) & (
        rows.at[out[1:]] - rows.at[out[:-1]] <= REDIAL_S
    )
    followed[out[:-1][near]] = True
    return np.asarray(followed & missed)


def retried_sites(rows: Rows, retried: Mask, sites: int) -> Index:
    """Retried calls of each site."""
    return count_where(rows.site, retried, sites)
