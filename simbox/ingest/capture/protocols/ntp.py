"""NTP (RFC 5905, RFC 1305): only the shape of its datagrams, which some devices misuse."""

from __future__ import annotations

from simbox.ingest.capture.protocol import Claim, Datagram, DatagramReader
from simbox.ingest.capture.signatures.matching import Place, Signatures
from simbox.ingest.capture.signatures.shipped import shipped_signatures
from simbox.ingest.capture.sink import Sink

ORDINARY = 48  # octets of a datagram without extension and authentication


class Ntp(DatagramReader):
    """The reader of NTP."""

    name = "ntp"
    udp = Claim(ports=frozenset({123}))

    def __init__(self, signatures: Signatures | None = None) -> None:
        self._signatures = signatures or shipped_signatures()

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        first = packet.payload[:1]
        length = packet.length or len(packet.payload)
        if 123 not in (packet.sport, packet.dport) or not first:
            return False
        out.counts["ntp|datagram"] += 1
        if length != ORDINARY:
            fields = {
                "mode": str(first[0] & 7),
                "version": str(first[0] >> 3 & 7),
                "length": str(length),
                "first": first.hex(),
            }
            place = Place(packet.src, packet.dst, packet.time, packet.frame)
            self._signatures.tell("ntp", fields, place, out)
        return True
