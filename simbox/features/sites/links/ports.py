"""Links of lines that share a port: never both in a call, and one begins where another stops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simbox.features.segments import Index, boundaries
from simbox.features.sites.pairs import Pairs, codes_of
from simbox.features.sites.traffic import Floats, Traffic

INSTANT_S = 30
HOUR_S = 3600
CHUNK = 20_000  # pairs at once: bounded memory
MOST_NATS = 6.0
SESSION_GAP_S = 1500  # a silence so long ends a session
TURN_S = 900  # the next card begins within so many seconds
LOOK_AHEAD = 4  # sessions that may be the successor of one that ends


@dataclass(frozen=True)
class Talk:
    """When each line is in a call, at instants half a minute apart."""

    instants: npt.NDArray[np.uint64]  # [lines, words] a bit an instant
    hours: npt.NDArray[np.float32]  # [lines, hours] share of the hour
    length: Floats  # [lines] mean seconds of a call


def talk_of(traffic: Traffic) -> Talk:
    """The conversations of each line."""
    rows = np.flatnonzero(traffic.call & (traffic.events.duration > 0))
    line, begin, end = traffic.line[rows], traffic.at[rows], traffic.end[rows]
    span = traffic.days * 86_400
    end = np.minimum(end, span)
    words = -(-span // (INSTANT_S * 64))
    first, stop = -(-begin // INSTANT_S), -(-end // INSTANT_S)
    count = np.maximum(stop - first, 0)
    owner = np.repeat(line, count)
    instant = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    instant += np.repeat(first, count)
    bits = np.zeros((traffic.lines, words), dtype=np.uint64)
    np.bitwise_or.at(bits, (owner, instant // 64), np.uint64(1) << (instant % 64).astype(np.uint64))
    hours = np.zeros((traffic.lines, traffic.days * 24), dtype=np.float32)
    np.add.at(hours, (owner, instant * INSTANT_S // HOUR_S), np.float32(INSTANT_S / HOUR_S))
    seconds = np.bincount(line, weights=end - begin, minlength=traffic.lines)
    calls = np.bincount(line, minlength=traffic.lines)
    return Talk(bits, hours, np.asarray(seconds / np.maximum(calls, 1)))


def never_both(pairs: Pairs, talk: Talk) -> Floats:
    """Nats for lines that are never in a call at once though both are busy in the same hours.

    Independent lines would overlap in a number of calls that is Poisson; that there is none at
    all has the chance exp(-expected), and on one port it is certain.  One overlap disproves it.
    """
    told = np.zeros(len(pairs))
    for begin in range(0, len(pairs), CHUNK):
        part = pairs.part(begin, begin + CHUNK)
        both = (talk.instants[part.low] & talk.instants[part.high]).any(axis=1)
        joint = np.einsum("ij,ij->i", talk.hours[part.low], talk.hours[part.high])
        a, b = np.maximum(talk.length[part.low], 1), np.maximum(talk.length[part.high], 1)
        met = joint * HOUR_S / (a * b / (a + b))  # overlaps, each as long as chance makes them
        told[begin : begin + len(part)] = np.where(both, 0.0, np.minimum(met, MOST_NATS))
    return told


@dataclass(frozen=True)
class Turns:
    """Where one line's session ends and another's begins, at the same place or handset."""

    low: Index
    high: Index
    count: Index
    sessions: Index  # of each line


def turns_of(traffic: Traffic, key: Index) -> Turns:
    """Successions of sessions under equal keys (of each row; -1 for none)."""
    rows = np.flatnonzero(traffic.outgoing & (key >= 0))
    line, at, end, key = traffic.line[rows], traffic.at[rows], traffic.end[rows], key[rows]
    if not len(rows):
        none = np.zeros(0, dtype=np.int64)
        return Turns(none, none, none, np.zeros(traffic.lines, dtype=np.int64))
    quiet = np.ones(len(rows), dtype=bool)
    quiet[1:] = (at[1:] - end[:-1] > SESSION_GAP_S) | boundaries(line)[1:]
    begins = np.flatnonzero(quiet)
    ends = np.append(begins[1:], len(rows)) - 1
    sessions = np.bincount(line[begins], minlength=traffic.lines)
    span = np.int64(traffic.days + 2) * 86_400
    opened = key[begins] * span + at[begins]
    by = np.argsort(opened, kind="stable")
    opened, opener = opened[by], line[begins][by]
    closed = key[ends] * span + end[ends]
    after: Index = np.searchsorted(opened, closed, side="left")
    found = []
    for step in range(LOOK_AHEAD):
        at_row = np.minimum(after + step, max(len(opened) - 1, 0))
        near = (after + step < len(opened)) & (opened[at_row] - closed <= TURN_S)
        found.append(codes_of(line[ends][near], opener[at_row[near]], traffic.lines))
    code, count = np.unique(np.concatenate(found), return_counts=True)
    low, high = np.divmod(code, max(traffic.lines, 1))
    return Turns(low, high, count, sessions)


def hand_over(pairs: Pairs, turns: Turns, traffic: Traffic) -> Floats:
    """Nats for sessions that follow each other again and again, against as many by chance."""
    count = np.zeros(len(pairs))
    at = pairs.find(turns.low, turns.high, traffic.lines)
    count[at[at >= 0]] = turns.count[at >= 0]
    busy = traffic.days * 12 * HOUR_S  # chance would spread sessions over the waking half of days
    sessions = turns.sessions.astype(np.float64)
    expected = 2 * sessions[pairs.low] * sessions[pairs.high] * TURN_S / busy + 0.05
    told = count * np.log(np.maximum(count, 1) / expected) - (count - expected)
    return np.where(count > np.maximum(expected, 1), np.clip(told, 0.0, MOST_NATS), 0.0)
