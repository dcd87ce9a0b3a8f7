"""Makers of devices by their Ethernet addresses, as far as frames or IPv6 addresses show them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import NamedTuple

from simbox.ingest.capture.signatures.matching import Signatures
from simbox.ingest.capture.sink import Sink

MOST_ADDRESSES = 8  # behind one Ethernet address: more make it a router, itself the host


class Station(NamedTuple):
    """A sender on the wire: its Ethernet and IP address and its first frame."""

    mac: str  # 38:3f:10:00:00:01; empty where frames have none
    ip: str
    time: int  # nanoseconds since 1970-01-01 UTC
    frame: int


def oui_evidence(stations: Iterable[Station], signatures: Signatures, out: Sink) -> None:
    """Put evidence for each sender whose Ethernet address is of a maker of gateways.

    Args:
        stations: each distinct pair of Ethernet and IP address once, in any order.
        signatures: of which those of Ethernet are used.
        out: where the evidence goes; the host is the IP address.
    """
    wanted: dict[str, list[Station]] = {}
    made = {"": False}  # by one of the makers, by Ethernet address
    for station in stations:
        shown = mac_in(station.ip)
        for mac in (station.mac,) if shown == station.mac else (station.mac, shown):
            if mac not in made:
                made[mac] = signatures.touches("ethernet", "mac", mac)
            if made[mac]:
                wanted.setdefault(mac, []).append(station)
    for mac, seen in wanted.items():
        first = min(seen, key=lambda s: (s.time, s.frame))
        single = len({s.ip for s in seen}) <= MOST_ADDRESSES
        for station in seen if single else [first]:
            host = station.ip if single else mac
            for signature in signatures.match("ethernet", {"mac": mac}):
                out.evidence(
                    signature.evidence, host or mac, station.time, station.frame,
                    fields={"mac": mac},
                )  # fmt: skip


def mac_in(ip: str) -> str:
    """The Ethernet address inside an IPv6 address (RFC 4291 appendix A), or nothing."""
    if ":" not in ip or "ff:fe" not in ip.lower():
        return ""
    try:
        octets = IPv6Address(ip).packed[8:]
    except ValueError:
        return ""
    if octets[3:5] != b"\xff\xfe":
        return ""
    return bytes((octets[0] ^ 2, *octets[1:3], *octets[5:])).hex(":")
