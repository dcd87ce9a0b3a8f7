"""Segments of a conversation are put in order, whatever the network did to them."""

from __future__ import annotations

import random

import numpy as np
import pytest
from capture_making import frames_of, ipv4
from hypothesis import given, settings
from hypothesis import strategies as st

from simbox.ingest.capture.packets import tcp
from simbox.ingest.capture.packets.decode import Decoder
from simbox.ingest.capture.packets.tcp import SYN, Direction, Flow, Flows, Segment

ACK = 0x10
S = 10**9
FLOW = Flow(0xC0000201, 5060, 0xC6336402, 40_000)
BACK = Flow(0xC6336402, 40_000, 0xC0000201, 5060)
TEXT = bytes(range(256)) * 8


def segments(first: int, sizes: list[int]) -> list[Segment]:
    found, at = [], 0
    for size in sizes:
        found.append(Segment((first + at) % 2**32, ACK, TEXT[at : at + size]))
        at += size
    return found


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 2**32 - 1) | st.integers(2**32 - 500, 2**32 - 1),
    st.lists(st.integers(1, 90), min_size=1, max_size=20),
    st.randoms(use_true_random=False),
)
def test_shuffled_and_repeated_segments_give_the_octets_in_order(
    first: int, sizes: list[int], seeded: random.Random
) -> None:
    sent = segments((first + 1) % 2**32, sizes)
    spans = [(seeded.randrange(sum(sizes)), seeded.randrange(1, 200)) for _ in range(5)]
    total = sum(sizes)
    sent += [
        Segment((first + 1 + at) % 2**32, ACK, TEXT[at : min(at + size, total)])
        for at, size in spans
    ]
    seeded.shuffle(sent)
    direction = Direction()
    assert direction.push(Segment(first, SYN, b"")) == (False, b"")
    ordered = [direction.push(segment) for segment in sent]
    assert not any(gap for gap, _ in ordered)
    assert b"".join(octets for _, octets in ordered) == TEXT[:total]
    direction.skip()
    assert direction.held == 0


def test_a_conversation_may_begin_in_its_middle() -> None:
    direction = Direction()
    first, second = segments(77, [10, 20])
    assert direction.push(first) == (False, TEXT[:10])
    assert direction.push(second) == (False, TEXT[10:30])
    assert direction.push(first) == (False, b"")


def test_octets_with_the_opening_segment_count_from_the_next_number() -> None:
    direction = Direction()
    assert direction.push(Segment(2**32 - 1, SYN, b"ab")) == (False, b"ab")
    assert direction.push(Segment(2, ACK, b"cd")) == (False, b"cd")


def test_a_repeated_opening_changes_nothing_and_a_new_one_begins_anew() -> None:
    direction = Direction()
    direction.push(Segment(100, SYN, b""))
    assert direction.push(Segment(101, ACK, b"one")) == (False, b"one")
    direction.push(Segment(100, SYN, b""))
    assert direction.push(Segment(104, ACK, b"two")) == (False, b"two")
    direction.push(Segment(5000, SYN, b""))
    assert direction.push(Segment(5001, ACK, b"new")) == (False, b"new")


def test_a_reset_carries_no_octets() -> None:
    direction = Direction()
    assert direction.push(Segment(5, tcp.RST, b"connection refused")) == (False, b"")


def test_a_hole_is_given_up_when_too_much_waits_behind_it() -> None:
    direction = Direction()
    direction.push(Segment(0, ACK, b"begin"))
    at, ordered = 100, (False, b"")
    while not ordered[1]:
        assert direction.held <= tcp.MOST_HELD
        ordered = direction.push(Segment(at, ACK, bytes(1000)))
        at += 1000
    assert ordered == (True, bytes(at - 100))
    assert direction.push(Segment(at, ACK, b"on")) == (False, b"on")


def test_many_tiny_segments_behind_a_hole_are_bounded_too() -> None:
    direction = Direction()
    direction.push(Segment(0, ACK, b"begin"))
    handed = [direction.push(Segment(10 + 2 * n, ACK, b"x")) for n in range(3000)]
    assert direction.held <= tcp.MOST_HELD
    assert sum(gap for gap, _ in handed) > 1


def test_what_was_cut_off_a_segment_is_a_gap_before_the_next() -> None:
    direction = Direction()
    assert direction.push(Segment(0, ACK, b"12345", missing=5)) == (False, b"12345")
    assert direction.push(Segment(10, ACK, b"67890")) == (True, b"67890")
    assert direction.push(Segment(15, ACK, b"done")) == (False, b"done")


def test_a_marked_conversation_has_an_owner_from_either_side() -> None:
    flows: Flows[str] = Flows()
    flows.mark(FLOW, 0, "reader")
    assert (flows.owner(FLOW), flows.owner(BACK), len(flows)) == ("reader", "reader", 1)
    assert flows.push(FLOW, 0, Segment(1, ACK, b"here")) == (False, b"here")
    assert flows.push(BACK, 0, Segment(1, ACK, b"there")) == (False, b"there")
    flows.drop(BACK)
    assert (flows.owner(FLOW), len(flows)) == (None, 0)
    assert flows.push(FLOW, 0, Segment(5, ACK, b"more")) == (False, b"")


def test_a_hole_that_stays_open_is_given_up_in_capture_time() -> None:
    flows: Flows[None] = Flows()
    flows.mark(FLOW, 0, None)
    flows.push(FLOW, 0, Segment(0, ACK, b"abc"))
    assert flows.push(FLOW, S, Segment(10, ACK, b"def")) == (False, b"")
    assert flows.push(FLOW, 5 * S, Segment(13, ACK, b"ghi")) == (False, b"")
    assert flows.push(FLOW, 12 * S, Segment(16, ACK, b"jkl")) == (True, b"defghijkl")
    assert flows.counts == {"tcp|hole given up": 1}


def test_silent_and_surplus_conversations_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    flows: Flows[int] = Flows()
    flows.mark(FLOW, 0, 1)
    flows.mark(FLOW._replace(sport=1), 4000 * S, 2)
    assert flows.owner(FLOW) is None
    monkeypatch.setattr(tcp, "MOST_FLOWS", 10)
    for port in range(100, 120):
        flows.mark(FLOW._replace(sport=port), 4000 * S, port)
    assert len(flows) == 10
    assert flows.counts == {"tcp|conversation given up, too many": 11}


def test_octets_held_by_all_conversations_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "MOST_OCTETS", 50_000)
    flows: Flows[int] = Flows()
    for port in range(20):
        flow = FLOW._replace(sport=port)
        flows.mark(flow, 0, port)
        flows.push(flow, 0, Segment(0, ACK, b"begin"))
        flows.push(flow, 0, Segment(500, ACK, bytes(9000)))
    assert len(flows) == 5
    flows.close()
    assert len(flows) == 0
    assert flows.counts["tcp|conversation ended behind a hole"] == 20


def test_candidates_are_all_packets_of_marked_conversations() -> None:
    segment = bytes.fromhex("13c49c40 00000001 00000000 5018 0200 0000 0000")
    back = bytes.fromhex("9c4013c4 00000001 00000000 5018 0200 0000 0000")
    other = bytes.fromhex("00500051 00000001 00000000 5018 0200 0000 0000")
    octets = [
        ipv4(segment, 6), ipv4(back, 6, src="198.51.100.2", dst="192.0.2.1"), ipv4(other, 6)
    ]  # fmt: skip
    packets = Decoder()(frames_of(octets, link=101))[0]
    flows: Flows[None] = Flows()
    assert not flows.candidates(packets).any()
    flows.mark(FLOW, 0, None)
    assert np.flatnonzero(flows.candidates(packets)).tolist() == [0, 1]
    flows.drop(FLOW)
    assert not flows.candidates(packets).any()
