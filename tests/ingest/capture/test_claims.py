from dataclasses import dataclass

import numpy as np
import pytest
from capture_making import ethernet, frames_of, ipv4, udp

from simbox.ingest.capture.claims import MOST_READERS, ClaimTable
from simbox.ingest.capture.packets.datagrams import datagrams
from simbox.ingest.capture.packets.decode import Decoder
from simbox.ingest.capture.protocol import Claim, Conversation, Datagram
from simbox.ingest.capture.sink import Sink

NOTHING = Claim()


@dataclass
class Named:
    """A reader that is only asked for its claims."""

    name: str
    udp: Claim = NOTHING
    tcp: Claim = NOTHING

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        raise NotImplementedError

    def opens(self, segment: Datagram) -> bool:
        raise NotImplementedError

    def conversation(self) -> Conversation:
        raise NotImplementedError


CLAIMS = {
    "by lead": Claim(leads=(b"req:", b"re")),
    "longer lead": Claim(leads=(b"reg:",)),
    "by port": Claim(ports=frozenset({44444})),
    "by both": Claim(leads=(b"SIP/2.0 ",), ports=frozenset({5060})),
}
TABLE = ClaimTable([Named(name) for name in CLAIMS], list(CLAIMS.values()))


def wanted(payload: bytes, sport: int, dport: int) -> list[str]:
    decoder = Decoder()
    frames = frames_of([ethernet(ipv4(udp(payload, sport, dport)))])
    (packets,) = decoder(frames)
    rows = np.flatnonzero(TABLE.bits(packets))
    found = [TABLE.wanting(packet) for packet in datagrams(packets, rows, decoder.addresses)]
    return [reader.name for reader in found[0]] if found else []


@pytest.mark.parametrize(
    ("payload", "ports", "readers"),
    [
        (b"req:1;", (1000, 2000), ["by lead"]),
        (b"reg:1;", (1000, 2000), ["by lead", "longer lead"]),
        (b"re", (1000, 2000), ["by lead"]),
        (b"r", (1000, 2000), []),
        (b"x", (1000, 44444), ["by port"]),
        (b"x", (44444, 5060), ["by port", "by both"]),
        (b"SIP/2.0 200 OK", (1000, 2000), ["by both"]),
        (b"SIP/3.0 200 OK", (1000, 2000), []),
        (b"", (5060, 44444), []),
    ],
)
def test_readers_are_asked_by_lead_and_by_port_in_their_order(
    payload: bytes, ports: tuple[int, int], readers: list[str]
) -> None:
    assert wanted(payload, *ports) == readers


def test_more_readers_than_bits_are_refused() -> None:
    many = [Named(str(n)) for n in range(MOST_READERS + 1)]
    with pytest.raises(ValueError, match="33 readers"):
        ClaimTable(many, [Claim()] * len(many))
