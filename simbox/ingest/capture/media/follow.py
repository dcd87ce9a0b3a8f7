"""What the packets of RTP streams add to the streams' states (RFC 3550 section 6.4.1, appendix A).

Nothing here loops over packets, and each figure is carried such that it does not matter in what
portions the packets come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.media.header import Headers
from simbox.ingest.capture.media.state import CLOCKS, RECORD, STATE, UNIT, starts, tally
from simbox.ingest.capture.packets.columns import Index

NS = 1_000_000_000
PROBATION = 20  # packets that decide whether a stream without announcement is RTP
GOOD = 14  # of its 19 steps: plus one, or a repeat as packets can be captured more than once
PROGRESS = 5  # of its steps: plus one
DROPOUT, MISORDER = 3000, 100  # RFC 3550 A.1: sequence steps beyond are a new numbering
STAMP_STEP = 900_000  # ticks that a stream in probation may step, ten seconds at 90 kHz
MOST = 1 << 42  # units of |D| that enter its mean, nine minutes at 8 kHz: sums stay in 64 bits
FARTHEST = 60 * NS
SPEECH = 12  # octets: less is a telephone event or tells how silence sounds
DECAY = np.power(15 / 16, np.arange(1024))  # beyond it nothing is left

Flags = npt.NDArray[np.bool_]
Grouping = tuple[Index, Index]  # the stream of each packet, from 0, and where each stream begins


@dataclass(frozen=True)
class Run:
    """Packets sorted by stream, in their order within a stream."""

    row: Index  # of the state of each packet's stream
    time: Index
    frame: Index
    heads: Headers


def follow(run: Run, grouping: Grouping, states: npt.NDArray[Any]) -> Flags:
    """Carry the states of streams over their packets; true for packets known as RTP by then."""
    heads = run.heads
    group, first = grouping
    _start(run, first, states)
    before = _shifted(heads.sequence, first, states["sequence"])
    raw = (heads.sequence - before).astype(np.int16).astype(np.int64)
    stamp = heads.stamp - _shifted(heads.stamp, first, states["stamp"])
    step = stamp.astype(np.int32).astype(np.int64)
    known = _probation(run, grouping, states, (raw, step))

    jump = (raw < -MISORDER) | (raw >= DROPOUT)
    # a clock set back by more than a minute tells nothing, and could overflow
    elapsed = np.maximum(run.time - _shifted(run.time, first, states["last_time"]), -FARTHEST)
    if jump.any():  # a new numbering: nothing was lost, and the times tell nothing
        raw = np.where(jump, 1, raw)
        step, elapsed = np.where(jump, 0, step), np.where(jump, 0, elapsed)
    _number(raw, grouping, states)
    _deviate(elapsed, step, grouping, states)

    tally(states, "size", group, heads.size.astype(np.int32))
    tally(states, "shape", group, heads.kind.astype(np.int32) * 2 + (heads.size == 4))
    even = (raw == 1) & (step - 1 & ~0xFFFF == 0) & ~heads.marker & (heads.size >= SPEECH)
    tally(states, "step", group[even], step[even].astype(np.int32))
    _finish(run, first, states)
    return known


def _shifted(column: npt.NDArray[Any], first: Index, carried: npt.NDArray[Any]) -> Any:  # noqa: ANN401
    """The value of each packet's predecessor in its stream."""
    before = np.empty_like(column)
    before[1:] = column[:-1]
    before[first] = carried
    return before


def _start(run: Run, first: Index, states: npt.NDArray[Any]) -> None:
    """Let a stream without a packet yet begin with its first, as if that were its predecessor."""
    fresh = states["packets"] == 0
    if not fresh.any():
        return
    at = first[fresh]
    heads = run.heads
    for name, column in (
        ("sequence", heads.sequence), ("first_sequence", heads.sequence), ("stamp", heads.stamp),
        ("kind", heads.kind), ("first_time", run.time), ("last_time", run.time),
        ("first_frame", run.frame),
    ):  # fmt: skip
        states[name][fresh] = column[at]


def _finish(run: Run, first: Index, states: npt.NDArray[Any]) -> None:
    """Sums, and what the next packet is compared with."""
    heads = run.heads
    last = np.append(first[1:], len(run.row)) - 1
    states["packets"] += last + 1 - first
    states["octets"] += np.add.reduceat(heads.size, first)
    states["markers"] += np.add.reduceat(heads.marker.astype(np.int64), first)
    for name, column in (
        ("sequence", heads.sequence), ("stamp", heads.stamp), ("kind", heads.kind),
        ("last_time", run.time), ("last_frame", run.frame),
    ):  # fmt: skip
        states[name] = column[last]


def _number(step: Index, grouping: Grouping, states: npt.NDArray[Any]) -> None:
    """Extended sequence numbers (RFC 3550 A.1): the highest, and what came late or twice."""
    group, first = grouping
    total = np.cumsum(step)
    offset = states["extended"] - (total[first] - step[first])
    extended = total + offset[group]
    odd = np.minimum.reduceat(step, first) <= 0
    odd |= states["extended"] < states["highest"]
    if odd.any():  # in the other streams each packet is above all before it
        chosen = odd[group]
        rank = (np.cumsum(odd) - 1)[group[chosen]]
        begin = starts(rank)
        height = extended[chosen]
        late = height <= _highest_before(height, rank, (begin, states["highest"][odd]))
        states["late"][odd] += np.add.reduceat(late.astype(np.int64), begin)
    states["highest"] = np.maximum(states["highest"], np.maximum.reduceat(extended, first))
    states["extended"] = extended[np.append(first[1:], len(step)) - 1]


def _highest_before(height: Index, rank: Index, carried: tuple[Index, Index]) -> Index:
    """The highest number in each packet's stream before the packet."""
    before = _shifted(height, *carried)
    lift = rank << np.int64(40)  # a stream's numbers are above those of the stream before
    highest: Index = np.maximum.accumulate(before + lift) - lift
    return highest


def _deviate(elapsed: Index, step: Index, grouping: Grouping, states: npt.NDArray[Any]) -> None:
    """Interarrival jitter and the sum of |D| (RFC 3550 sections 6.4.1 and A.8)."""
    group = grouping[0]
    clock = states["clock"]
    _smooth(elapsed, step, grouping, (states, 0, np.where(clock, clock, CLOCKS[0])))
    several = clock == 0
    if not several.any():
        return
    keep = several[group]
    elapsed, step, states_of = elapsed[keep], step[keep], states.view(RECORD)[several].view(STATE)
    group = (np.cumsum(several) - 1)[group[keep]]
    grouping = group, starts(group)
    for number, rate in enumerate(CLOCKS[1:], 1):
        _smooth(elapsed, step, grouping, (states_of, number, np.full(len(states_of), rate)))
    states[several] = states_of


def _smooth(
    elapsed: Index,
    step: Index,
    grouping: Grouping,
    measure: tuple[npt.NDArray[Any], int, Index],
) -> None:
    """Jitter and deviation with one clock rate a stream, into one column of them.

    J += (|D| - J) / 16 is, over n packets, the sum of |D| / 16 weighted by falling powers of 15/16,
    and J before them weighted by the n-th power.
    """
    states, number, clock = measure
    group, first = grouping
    count = np.diff(np.append(first, len(group)))
    # |D| in whole units, so that sums are exact in whatever portions they are made
    deviation = np.abs(elapsed * clock[group] - step * NS) >> UNIT
    weight = DECAY.take((first + count - 1)[group] - np.arange(len(group)), mode="clip")
    jitter = states["jitter"][:, number]
    jitter *= DECAY.take(count, mode="clip")
    jitter += np.add.reduceat(weight * deviation, first) / 16
    states["deviation"][:, number] += np.add.reduceat(np.minimum(deviation, MOST), first)


def _probation(
    run: Run, grouping: Grouping, states: npt.NDArray[Any], steps: tuple[Index, Index]
) -> Flags:
    """Confirm streams by blocks of 20 packets; true for packets known as RTP by then."""
    group, first = grouping
    known: Flags = (states["confirmed"] | states["announced"])[group]
    chosen = np.flatnonzero(~states["confirmed"][group])
    if not len(chosen):
        return known
    sub, raw, step = group[chosen], steps[0][chosen], steps[1][chosen]
    kind = run.heads.kind
    rank = states["packets"][sub] + chosen - first[sub]
    plausible = (np.abs(step) < STAMP_STEP) & (rank > 0)
    plausible &= (kind == _shifted(kind, first, states["kind"]))[chosen]
    near = sub[plausible & (np.abs(raw) < MISORDER)]
    states["near"] += np.bincount(near, minlength=len(states)).astype(np.int32)

    begins = rank % PROBATION == 0
    begins[starts(sub)] = True
    begin = np.flatnonzero(begins)
    end = np.append(begin[1:], len(sub)) - 1
    block = sub[begin]
    goes_on = rank[begin] % PROBATION != 0
    sums = {}
    for name, flags in (("good", raw >> 1 == 0), ("progress", raw == 1)):
        carried = np.where(goes_on, states[name][block], 0)
        sums[name] = np.add.reduceat((plausible & flags).astype(np.int64), begin) + carried
        states[name][block] = sums[name]  # of several blocks of a stream the last stays
    passed = rank[end] % PROBATION == PROBATION - 1
    passed &= (sums["good"] >= GOOD) & (sums["progress"] >= PROGRESS)
    if passed.any():
        since = np.full(len(states), len(group))
        np.minimum.at(since, block[passed], chosen[end[passed]])
        states["confirmed"] |= since < len(group)
        known |= np.arange(len(group)) >= since[group]
    return known
