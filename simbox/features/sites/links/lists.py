"""Links of lines that one list of called numbers is dealt out to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simbox.features.segments import Index, boundaries, group
from simbox.features.sites.pairs import Pairs, codes_of, distinct_codes, meeting
from simbox.features.sites.traffic import Floats, Traffic
from simbox.identifiers import NumberClass, digits_of, party

RARE_CALLERS = 12  # a number that more of the lines call is a firm or a service
LEAST_NUMBERS = 50_000  # people that a line can reach, in the smallest network
SHARED_NATS = 2.5  # a rare number that both call
INSIDE_NATS = 4.0  # lines, both callers of strangers, that call or text each other
BESIDE = 50  # numbers at most so far apart stand side by side on a list
BESIDE_S = 1800
MOST_NATS = 8.0
SERVICES = (NumberClass.SHORT, NumberClass.SERVICE, NumberClass.ALPHANUMERIC, NumberClass.WITHHELD)


def called_numbers(traffic: Traffic) -> tuple[Index, Index]:
    """Line and number of the called party (small integers) of each line and party, once each.

    Services and numbers that many of the lines call are left out, and so is whoever calls the
    line back: a contact in common is no list in common.
    """
    party_of = party(traffic.events.other)
    callable_ = ~np.isin(traffic.events.party_class, SERVICES) & (party_of > 0)
    rows = np.flatnonzero(traffic.outgoing & callable_)
    held = group(traffic.line[rows], party_of[rows])
    line, other = traffic.line[rows][held.first], party_of[rows][held.first]
    into = np.flatnonzero(~traffic.sent & (party_of > 0))
    back = group(
        np.concatenate([line, traffic.line[into]]), np.concatenate([other, party_of[into]])
    )
    mutual = np.zeros(len(line) + len(into), dtype=bool)
    mutual[back.order] = np.repeat(back.sizes, back.sizes) > 1
    incoming_twice = mutual[: len(line)]
    line, other = line[~incoming_twice], other[~incoming_twice]
    numbered = group(other)
    number = np.empty(len(other), dtype=np.int64)
    number[numbered.order] = numbered.numbers()
    rare = numbered.sizes[number] <= RARE_CALLERS if len(number) else np.zeros(0, dtype=bool)
    return line[rare], number[rare]


@dataclass(frozen=True)
class Dialled:
    """What some lines called: which pairs of them meet over it, and how often, is found once."""

    traffic: Traffic

    @cached_property
    def numbers(self) -> tuple[Index, Index]:
        """See :func:`called_numbers`."""
        return called_numbers(self.traffic)

    @cached_property
    def neighbours(self) -> tuple[Index, Index]:
        """See :func:`neighbours_called`."""
        return neighbours_called(self.traffic)

    @cached_property
    def between(self) -> Index:
        """See :func:`calls_between`."""
        return calls_between(self.traffic)


def shared_numbers(pairs: Pairs, dialled: Dialled) -> Floats:
    """Nats for rare numbers that both lines call and that call neither back."""
    line, number = dialled.numbers
    lines = dialled.traffic.lines
    count = _counted(pairs, _each_meeting(number, line, lines), lines)
    size = np.bincount(line, minlength=lines)
    expected = size[pairs.low] * size[pairs.high] / max(len(np.unique(number)), LEAST_NUMBERS)
    excess = np.maximum(count - 3 * expected, 0.0)
    return np.asarray(np.minimum(SHARED_NATS * excess, MOST_NATS))


def side_by_side(pairs: Pairs, dialled: Dialled) -> Floats:
    """Nats for calls to neighbouring numbers within half an hour, against as many by chance."""
    near, size = dialled.neighbours
    lines = dialled.traffic.lines
    count = _counted(pairs, near, lines)
    all_pairs = max(lines * (lines - 1) / 2, 1)
    share = len(near) / all_pairs / max(float(np.mean(size)) ** 2, 1.0)
    expected = size[pairs.low] * size[pairs.high] * share + 0.1
    told = count * np.log(np.maximum(count, 1) / expected) - (count - expected)
    return np.where(count > np.maximum(expected, 1), np.clip(told, 0.0, MOST_NATS), 0.0)


def neighbours_called(traffic: Traffic) -> tuple[Index, Index]:
    """Codes of pairs of lines, one a meeting on neighbouring numbers, and each line's calls."""
    digits = digits_of(party(traffic.events.other))
    rows = np.flatnonzero(traffic.outgoing & (digits > 10**6))
    order = np.lexsort((traffic.at[rows], digits[rows]))
    rows = rows[order]
    line, number, at = traffic.line[rows], digits[rows], traffic.at[rows]
    found = []
    for step in (1, 2, 3):
        a, b = line[:-step], line[step:]
        near = (number[step:] - number[:-step] <= BESIDE) & (number[step:] != number[:-step])
        near &= np.abs(at[step:] - at[:-step]) <= BESIDE_S
        found.append(codes_of(a[near], b[near], traffic.lines))
    return np.concatenate(found), np.bincount(line, minlength=traffic.lines)


def inside_calls(pairs: Pairs, dialled: Dialled) -> Floats:
    """Nats for lines that call or text each other, as people fake a life among their own cards."""
    count = np.minimum(_counted(pairs, dialled.between, dialled.traffic.lines), 4)
    return np.where(count > 0, INSIDE_NATS + np.log2(np.maximum(count, 1)), 0.0)


def calls_between(traffic: Traffic) -> Index:
    """Codes of pairs of the lines, one a call or text between them."""
    rows = np.flatnonzero(traffic.sent & (traffic.other_line >= 0))
    return codes_of(traffic.line[rows], traffic.other_line[rows], traffic.lines)


def _each_meeting(key: Index, line: Index, lines: int) -> Index:
    """Codes of pairs of lines under equal keys, one a key: repeated as often as they meet."""
    by = np.lexsort((line, key))
    key, line = key[by], line[by]
    starts = np.flatnonzero(boundaries(key)) if len(key) else np.zeros(0, dtype=np.int64)
    sizes = np.diff(starts, append=len(key))
    found = [np.zeros(0, dtype=np.int64)]
    for size in np.unique(sizes[sizes > 1]).tolist():
        begin = starts[sizes == size]
        a, b = np.triu_indices(size, 1)
        low, high = line[begin[:, None] + a], line[begin[:, None] + b]
        found.append((low * lines + high).ravel())
    return np.concatenate(found)


def _counted(pairs: Pairs, codes: Index, lines: int) -> Floats:
    """How often each pair is among codes."""
    code, count = np.unique(codes, return_counts=True)
    at = pairs.at(code, lines)
    result = np.zeros(len(pairs))
    result[at[at >= 0]] = count[at >= 0]
    return result


def meetings(dialled: Dialled) -> Index:
    """Codes of pairs that lists bring together: common numbers, neighbours dialled, own calls."""
    line, number = dialled.numbers
    common = meeting(number, line, number, dialled.traffic.lines)
    return distinct_codes(np.concatenate([common, dialled.neighbours[0], dialled.between]))
