import struct
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from capture_making import ethernet, frames_of, ipv4

from simbox.ingest.capture.conversations import Conversations
from simbox.ingest.capture.packets.datagrams import datagrams
from simbox.ingest.capture.packets.decode import Decoder
from simbox.ingest.capture.protocol import Claim, Datagram
from simbox.ingest.capture.sink import Sink

CALLER, CALLED = "192.0.2.1", "198.51.100.2"


@dataclass
class Talk:
    """A conversation, and a reader of which there is one, that remembers what it is given."""

    name: str = "talk"
    udp: Claim = field(default_factory=Claim)
    tcp: Claim = field(default_factory=lambda: Claim(leads=(b"HELLO",)))
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    enough: bytes = b"BYE"

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        raise NotImplementedError

    def opens(self, segment: Datagram) -> bool:
        return b"!" in segment.payload

    def conversation(self) -> "Talk":
        return self

    def feed(self, octets: Datagram, out: Sink) -> bool:
        del out
        self.heard.append((octets.src, octets.payload))
        return self.enough not in octets.payload

    def gap(self, src: str, sport: int) -> None:
        del sport
        self.gaps.append(src)


def segment(sequence: int, payload: bytes, *, back: bool = False, port: int = 4000) -> bytes:
    ports = (7000, port) if back else (port, 7000)
    head = struct.pack(">HHIIBBHHH", *ports, sequence, 0, 0x50, 0x18, 500, 0, 0)
    src, dst = (CALLED, CALLER) if back else (CALLER, CALLED)
    return ethernet(ipv4(head + payload, 6, src=src, dst=dst))


def read(folder: Path, *batches: list[bytes]) -> Talk:
    talk, decoder = Talk(), Decoder()
    conversations = Conversations([talk], Sink(folder, "a.pcap"))
    for batch in batches:
        tcp = decoder(frames_of(batch))[0]
        claimed, done, again = conversations.claimed(tcp), -1, True
        while again:
            again = False
            rows = conversations.wanted(tcp, claimed)
            rows = rows[rows > done]
            for at, one in zip(rows.tolist(), datagrams(tcp, rows, decoder.addresses), strict=True):
                done = at
                if conversations.push(tcp, at, one):
                    again = True
                    break
    conversations.close()
    return talk


BOTH_WAYS = [
    segment(100, b"HELLO!"),
    segment(900, b"good day", back=True),
    segment(106, b"how"),
    segment(106, b"how"),  # again
    segment(109, b"are you"),
]


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_conversation_is_read_from_its_opening_on_however_it_is_batched(
    cut: int, tmp_path: Path
) -> None:
    batches = [BOTH_WAYS[at : at + cut] for at in range(0, len(BOTH_WAYS), cut)]
    talk = read(tmp_path, *batches)
    assert b"".join(p for src, p in talk.heard if src == CALLER) == b"HELLO!howare you"
    assert [p for src, p in talk.heard if src == CALLED] == [b"good day"]
    assert talk.gaps == []


def test_segments_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    talk = read(tmp_path, [BOTH_WAYS[0], BOTH_WAYS[4], BOTH_WAYS[2]])
    assert b"".join(payload for _, payload in talk.heard) == b"HELLO!howare you"


@pytest.mark.parametrize("opening", [b"HELLO.", b"GOODBYE!"])
def test_conversation_that_no_reader_opens_is_left_alone(opening: bytes, tmp_path: Path) -> None:
    assert read(tmp_path, [segment(100, opening), segment(106, b"more")]).heard == []


def test_conversation_is_dropped_when_its_reader_wants_no_more(tmp_path: Path) -> None:
    talk = read(tmp_path, [segment(100, b"HELLO!BYE"), segment(109, b"more")])
    assert talk.heard == [(CALLER, b"HELLO!BYE")]


def test_conversations_side_by_side_in_a_batch_are_all_opened(tmp_path: Path) -> None:
    talk = read(tmp_path, [segment(100, b"HELLO!%d" % port, port=port) for port in range(20)])
    assert [payload for _, payload in talk.heard] == [b"HELLO!%d" % port for port in range(20)]
