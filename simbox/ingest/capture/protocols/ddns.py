"""The dynamic DNS exchange of DBL GoIP gateways, as a capture of one shows it (2020)."""

from __future__ import annotations

import re

from simbox.ingest.capture.protocol import Claim, Datagram, DatagramReader
from simbox.ingest.capture.signatures.matching import Place, Signatures
from simbox.ingest.capture.signatures.shipped import shipped_signatures
from simbox.ingest.capture.sink import Sink

MAGIC = b"\x86\x70\x14\x13"  # its first octet reads as version 2 of RTP: tell it before RTP
REPLY, REQUEST = b"\0", b"\1"
MOST = 256  # octets of a message

_SERIAL = re.compile(rb"[0-9A-Z]{6,32}")
_ANSWER = re.compile(rb"(\d{1,3}(?:\.\d{1,3}){3})\t([A-Za-z0-9.-]{1,120})")
_SERIAL_IN_NAME = re.compile(r"(?:^|\.)([0-9A-Z]{6,32})(?:\.|$)")


class Ddns(DatagramReader):
    """The reader of the DDNS exchange.

    A message is ``86 70 14 13``, then 1 and the serial number, or 0, the address that the server
    saw, a tab and the device's name.
    """

    name = "ddns"
    udp = Claim(leads=(MAGIC,))

    def __init__(self, signatures: Signatures | None = None) -> None:
        self._signatures = signatures or shipped_signatures()

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        fields = read_message(packet.payload[:MOST])
        if fields is None:
            return False
        out.counts[f"ddns|{fields['message']}"] += 1
        place = Place(packet.src, packet.dst, packet.time, packet.frame)
        self._signatures.tell("ddns", fields, place, out)
        return True


def read_message(data: bytes) -> dict[str, str] | None:
    """The fields of one message; None where it is none."""
    kind, body = data[4:5], data[5:].rstrip(b"\0\r\n")
    if not data.startswith(MAGIC):
        return None
    if kind == REQUEST and _SERIAL.fullmatch(body):
        return {"message": "request", "serial": body.decode()}
    answer = _ANSWER.match(body) if kind == REPLY else None
    if answer is None:
        return None
    address, name = answer[1].decode(), answer[2].decode()
    serial = _SERIAL_IN_NAME.search(name)
    fields = {"message": "reply", "public_ip": address, "hostname": name}
    return fields | ({"serial": serial[1]} if serial else {})
