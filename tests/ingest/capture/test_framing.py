from __future__ import annotations

import pytest

from simbox.ingest.capture.protocol import Datagram
from simbox.ingest.capture.signalling.framing import MOST_BAD, Directions


def size(head: bytes) -> int | None:
    """Messages of which the first octet is their length and the second an exclamation mark."""
    if len(head) < 2:
        return 0
    return head[0] if head[1:2] == b"!" else None


def segment(octets: bytes, frame: int = 1, sport: int = 1) -> Datagram:
    return Datagram(frame, frame, "192.0.2.1", sport, "192.0.2.2", 2, octets, "tcp")


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 100])
def test_messages_are_cut_by_their_length_whatever_the_segments(cut: int) -> None:
    octets = b"\3!a\4!bc\2!"
    directions = Directions(size)
    found = [
        message
        for at in range(0, len(octets), cut)
        for _, message in directions.feed(segment(octets[at : at + cut]))
    ]
    assert found == [b"\3!a", b"\4!bc", b"\2!"]


def test_a_message_is_of_the_packet_in_which_it_began() -> None:
    directions = Directions(size)
    parts = [b"\3!a\4", b"!", b"bc\3!", b"d"]
    found = [
        (packet.frame, message)
        for frame, octets in enumerate(parts)
        for packet, message in directions.feed(segment(octets, frame))
    ]
    assert found == [(0, b"\3!a"), (0, b"\4!bc"), (2, b"\3!d")]


def test_directions_and_gaps_are_kept_apart() -> None:
    directions = Directions(size)
    assert list(directions.feed(segment(b"\3!"))) == []
    assert list(directions.feed(segment(b"\4!", sport=2))) == []
    directions.gap("192.0.2.1", 1)
    assert [m for _, m in directions.feed(segment(b"\2!"))] == [b"\2!"]
    assert [m for _, m in directions.feed(segment(b"bc", sport=2))] == [b"\4!bc"]


def test_a_conversation_is_lost_when_both_sides_send_what_is_no_message() -> None:
    directions = Directions(size)
    for _ in range(MOST_BAD):
        assert not directions.lost
        assert list(directions.feed(segment(b"nothing"))) == []
    assert directions.lost
    assert list(directions.feed(segment(b"\2!"))) == []
    assert list(directions.feed(segment(b"\2!", sport=2))) != []
    assert not directions.lost
