"""UDP (RFC 768) and TCP (RFC 9293) headers behind IP headers."""

from __future__ import annotations

from collections import Counter

import numpy as np

from simbox.ingest.capture.packets.columns import TCP, UDP, Frames, Index, Packets
from simbox.ingest.capture.packets.network import Headers
from simbox.ingest.capture.packets.octets import gather, number, tally

_UDP_HEADER, _TCP_HEADER = 8, 20


def packets(frames: Frames, ip: Headers, depth: int, counts: Counter[str]) -> Packets:
    """The packets of IP headers, with ports, payload and TCP fields."""
    fixed = gather(frames.data, ip.at, _TCP_HEADER)
    is_udp, is_tcp = ip.protocol == UDP, ip.protocol == TCP
    rest, there = ip.stop - ip.at, ip.end - ip.at
    header = np.where(is_udp, _UDP_HEADER, 0)
    length = np.where(is_udp, _udp_length(number(fixed, 4), rest), rest)
    sequence, flags = np.zeros(len(rest), np.uint32), np.zeros(len(rest), np.uint8)
    tcp = np.flatnonzero(is_tcp)
    if len(tcp):
        of_tcp, whole = fixed[tcp], there[tcp] >= _TCP_HEADER
        offset = (of_tcp[:, 12] >> 4).astype(np.int64) * 4
        tally(counts, "tcp|header length lies", whole & (offset < _TCP_HEADER))
        header[tcp] = np.maximum(offset, _TCP_HEADER)
        sequence[tcp] = np.where(whole, number(of_tcp, 4, 4), 0)
        flags[tcp] = np.where(whole, of_tcp[:, 13], 0)
    ported = (is_udp | is_tcp) & (there >= 4)
    short = (is_udp | is_tcp) & (there < header)
    tally(counts, "transport|cut short", short)
    header = np.minimum(header, there)
    length = np.maximum(length - header, 0)
    return Packets(
        frames=frames,
        row=ip.row,
        src=ip.src,
        dst=ip.dst,
        protocol=ip.protocol,
        sport=np.where(ported, number(fixed, 0), 0).astype(np.uint16),
        dport=np.where(ported, number(fixed, 2), 0).astype(np.uint16),
        payload=ip.at + header,
        length=length,
        captured=np.minimum(length, there - header),
        size=ip.size,
        ttl=ip.ttl,
        sequence=sequence,
        flags=flags,
        depth=np.full(len(rest), depth, np.uint8),
    )


def _udp_length(told: Index, rest: Index) -> Index:
    """Octets of UDP datagrams with their headers: what IP leaves where the length is a lie."""
    return np.where((told >= _UDP_HEADER) & (told <= rest), told, rest)
