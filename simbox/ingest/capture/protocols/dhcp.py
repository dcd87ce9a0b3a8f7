"""DHCP (RFC 2131): what a client tells of itself when it boots."""

from __future__ import annotations

from ipaddress import IPv4Address

from simbox.ingest.capture.protocol import Claim, Datagram, DatagramReader
from simbox.ingest.capture.signatures.matching import Place, Signatures
from simbox.ingest.capture.signatures.shipped import shipped_signatures
from simbox.ingest.capture.sink import Sink

FIXED = 236  # octets before the magic cookie
COOKIE = b"\x63\x82\x53\x63"
ETHERNET = b"\x01\x06"  # hardware type and address length
PAD, HOSTNAME, REQUESTED, MESSAGE, PARAMETERS, VENDOR, CLIENT, END = 0, 12, 50, 53, 55, 60, 61, 255
ORDERED = (HOSTNAME, MESSAGE, PARAMETERS, VENDOR, CLIENT)  # whose order tells clients apart


class Dhcp(DatagramReader):
    """The reader of DHCP."""

    name = "dhcp"
    udp = Claim(ports=frozenset({67, 68}))

    def __init__(self, signatures: Signatures | None = None) -> None:
        self._signatures = signatures or shipped_signatures()

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        """Read a client's message; replies of servers are known but tell nothing."""
        data = packet.payload
        if data[FIXED : FIXED + 4] != COOKIE or data[:1] not in (b"\x01", b"\x02"):
            return False
        out.counts["dhcp|message"] += 1
        if data[0] == 2 or data[1:3] != ETHERNET:
            return True
        options = read_options(data[FIXED + 4 :])
        fields = client_fields(options) | {"mac": data[28:34].hex(":")}
        host = _address(data[12:16], options.get(REQUESTED, b""), packet.src) or fields["mac"]
        place = Place(host, packet.dst, packet.time, packet.frame)
        self._signatures.tell("dhcp", fields, place, out)
        return True


def read_options(data: bytes) -> dict[int, bytes]:
    """Options by number in the order sent, parts of one joined (RFC 3396), as far as they go."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data) and data[at] != END:
        if data[at] == PAD:
            at += 1
            continue
        if at + 1 >= len(data):
            break
        number, length = data[at], data[at + 1]
        value = data[at + 2 : at + 2 + length]
        if len(value) < length:
            break
        found[number] = found.get(number, b"") + value
        at += 2 + length
    return found


def client_fields(options: dict[int, bytes]) -> dict[str, str]:
    """The fields of ``signatures.FIELDS["dhcp"]`` that options give."""
    return {
        "message": ",".join(map(str, options.get(MESSAGE, b""))),
        "vendor_class": _text(options.get(VENDOR, b"")),
        "hostname": _text(options.get(HOSTNAME, b"")),
        "parameters": ",".join(map(str, options.get(PARAMETERS, b""))),
        "order": ",".join(str(n) for n in options if n in ORDERED),
    }


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("latin-1")


def _address(current: bytes, requested: bytes, src: str) -> str:
    """The client's address: the one it has, else the one it wants, else that of the packet."""
    for octets in (current, requested):
        if len(octets) == 4 and any(octets):
            return str(IPv4Address(octets))
    return "" if src in ("0.0.0.0", "::") else src  # noqa: S104  # what a client without one sends
