"""The calls of ports over their sessions: one after the other, as quick as the room's manner is."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from simbox.simulation.attempts import DAY_S, HOUR_S, LONGEST_S, Bools, Floats, Ints, Rng
from simbox.simulation.clock import hashed
from simbox.simulation.gateways.ports import SPAN_S, Rack

LEAST_GAP_S = 3.0  # to clear one call and set up the next
RINGS_S = 14.0  # mean time that a called phone rings
#: Scam calls: hang up at once, listen, talk, are held for long; medians in s and spreads.
HOLD_MEDIAN_S, HOLD_SPREAD = 1500.0, 0.5


@dataclass(frozen=True)
class Pace:
    """How the ports of each room dial; one array element a room."""

    scam: Bools  # else bypass
    curve: Floats  # shape (rooms, 24): demand by hour of the day, at most 1
    gap_s: Floats  # median pause between two calls of a port at the busiest hour
    gap_spread: Floats
    answer: Floats  # chance that the called one takes the call
    talk_s: Floats  # median conversation; of those who listen, for scam
    talk_spread: Floats
    hangs_up: Floats  # share of taken scam calls that end within seconds
    held: Floats  # share of taken scam calls that last very long
    quota: Floats  # calls a card may make in a day
    quota_spread: Floats
    uneven: Floats  # how much quieter the last ports are than the first
    seed: int  # of the lasting chance of ports and cards


@dataclass(frozen=True)
class Dialled:
    """Calls that ports make, one array element each; parties are not chosen yet."""

    stay: Ints  # index of the stay in the rack
    start: Floats
    talk: Floats  # s, 0 when nobody takes the call

    def __len__(self) -> int:
        return len(self.stay)

    def where(self, chosen: Bools | Ints) -> Dialled:
        """Those that a mask or an index chooses."""
        return Dialled(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True)
class Spans:
    """Stretches of time in which ports may dial, one array element each."""

    port: Ints
    begins: Floats
    ends: Floats


def both(one: Spans, other: Spans) -> Spans:
    """The stretches of both."""
    return Spans(
        np.concatenate([one.port, other.port]),
        np.concatenate([one.begins, other.begins]),
        np.concatenate([one.ends, other.ends]),
    )


def dial(rng: Rng, spans: Spans, room: Ints, pace: Pace) -> tuple[Ints, Floats, Floats]:
    """Calls of ports, one at a time: port, start and talk time.

    Args:
        rng: the source of chance.
        spans: when which port dials, within one day; those of one port do not overlap.
        room: the room of each span.
        pace: manners of the rooms.
    """
    if not len(spans.port):
        return spans.port, spans.begins, spans.ends
    length = spans.ends - spans.begins
    gap = pace.gap_s * np.exp(pace.gap_spread**2 / 2)
    rank = hashed(pace.seed, spans.port)  # which ports a hunt group tries first
    slow = np.exp(pace.uneven[room] * rank)
    cycle = gap[room] * slow + LEAST_GAP_S + _mean_talk(pace)[room]
    count = np.ceil(1.3 * length / cycle + 6).astype(np.int64)
    row = np.repeat(np.arange(len(count)), count)
    who = room[row]
    wait = pace.gap_s[who] * np.exp(rng.normal(0, pace.gap_spread[who])) * slow[row]
    taken = rng.random(len(row)) < pace.answer[who]
    talk = np.zeros(len(row))
    talk[taken] = np.clip(talk_times(rng, pace, who[taken]), 1, LONGEST_S)
    rings = LEAST_GAP_S + rng.exponential(RINGS_S / 2, len(row)) * np.where(taken, 1, 2)
    ends = np.cumsum(wait + rings + talk)
    before = np.repeat(np.append(0.0, ends[np.cumsum(count)[:-1] - 1]), count)
    start = spans.begins[row] + ends - before - talk
    hour = np.minimum(start % DAY_S // HOUR_S, 23).astype(np.int64)
    wanted = rng.random(len(row)) < pace.curve[who, hour]
    midnight = (spans.begins[row] // DAY_S + 1) * DAY_S - LEAST_GAP_S
    kept = wanted & (start < spans.ends[row]) & (start + talk < midnight)
    return spans.port[row[kept]], start[kept], talk[kept]


def talk_times(rng: Rng, pace: Pace, room: Ints) -> Floats:
    """Conversation times of taken calls: people's for bypass; for scam most are cut short."""
    count = len(room)
    drawn = rng.random(count)
    talk = pace.talk_s[room] * np.exp(rng.normal(0, 1, count) * pace.talk_spread[room])
    cut = 2 + rng.gamma(2.0, 3.0, count)
    long = HOLD_MEDIAN_S * np.exp(HOLD_SPREAD * rng.normal(0, 1, count))
    scam = np.where(drawn < pace.hangs_up[room], cut, talk)
    scam = np.where(drawn > 1 - pace.held[room], long, scam)
    return np.where(pace.scam[room], scam, talk)


def _mean_talk(pace: Pace) -> Floats:
    middle = pace.talk_s * np.exp(pace.talk_spread**2 / 2)
    listens = 1 - pace.hangs_up - pace.held
    long = HOLD_MEDIAN_S * np.exp(HOLD_SPREAD**2 / 2)
    scam = listens * middle + pace.hangs_up * 8 + pace.held * long
    return np.asarray(pace.answer * np.where(pace.scam, scam, middle))


def given_cards(rack: Rack, port: Ints, start: Floats, talk: Floats) -> Dialled:
    """The calls with the card that was in the port; none where no card was in it to dial."""
    stay = rack.in_port(port, start)
    kept = (stay >= 0) & rack.tenures.works[stay]
    made = Dialled(stay[kept], start[kept], talk[kept])
    made = one_at_a_time(made, rack.tenures.port[made.stay])
    return one_at_a_time(made, rack.tenures.sim[made.stay])


def one_at_a_time(made: Dialled, who: Ints) -> Dialled:
    """The calls without those that begin while the same card or port still has another."""
    order = np.argsort(who * SPAN_S + made.start, kind="stable")
    made, offset = made.where(order), who[order] * SPAN_S
    until = np.maximum.accumulate(np.append(-1.0, offset + made.start + made.talk)[: len(made)])
    return made.where(offset + made.start > until + 2.0)


def without(made: Dialled, who: Ints, taken: Spans) -> Dialled:
    """The calls that do not meet stretches in which their port (or card, in `who`) is taken."""
    if not len(taken.port) or not len(made):
        return made
    order = np.lexsort((taken.begins, taken.port))
    owner, begins, ends = taken.port[order], taken.begins[order], taken.ends[order]
    stop = who * SPAN_S + made.start + made.talk + LEAST_GAP_S
    last = np.searchsorted(owner * SPAN_S + begins, stop, side="right") - 1
    met = np.maximum(last, 0)
    clash = (last >= 0) & (owner[met] == who) & (ends[met] + LEAST_GAP_S > made.start)
    return made.where(~clash)


def within_quota(rack: Rack, made: Dialled, room: Ints, pace: Pace) -> Dialled:
    """The calls of a day up to each card's quota, in order of time.

    Args:
        rack: who is in which port.
        made: calls of one day.
        room: the room of each card.
        pace: manners of the rooms.
    """
    sim = rack.tenures.sim[made.stay]
    made = made.where(np.argsort(sim * SPAN_S + made.start, kind="stable"))
    sim = rack.tenures.sim[made.stay]
    rank = np.arange(len(sim)) - np.searchsorted(sim, sim)
    day = int(made.start[0] // DAY_S) if len(made) else 0
    cards = np.arange(len(room))
    swing = (hashed(pace.seed + 1, cards, np.full(1, day)) * 2 - 1) * pace.quota_spread[room]
    return made.where(rank < (pace.quota[room] * np.exp(swing))[sim])
