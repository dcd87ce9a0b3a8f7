"""Tunnels: IP in IP, GRE, GTP-U, L2TP and VXLAN, and where the packets inside them begin.

A port is no proof of a tunnel: only a header that fits and an IP packet that fits into what is
left make one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from simbox.ingest.capture.packets.columns import UDP, Index, Octets, Packets
from simbox.ingest.capture.packets.link import ETHERNET, NIBBLE, NOTHING, PPP, Spans, ip_in
from simbox.ingest.capture.packets.octets import Rows, gather, number

_IP_IN_IP, _IPV6_IN_IP, _GRE = 4, 41, 47
_GTP_U, _GTP_0, _L2TP, _VXLAN = 2152, 3386, 1701, 4789
_PROTOCOLS = np.zeros(256, bool)
_PROTOCOLS[[_IP_IN_IP, _IPV6_IN_IP, _GRE]] = True
_PORTS = np.zeros(1 << 16, bool)
_PORTS[[_GTP_U, _GTP_0, _L2TP, _VXLAN]] = True
_T_PDU = 255
_MOST_GTP_EXTENSIONS = 4

# offsets behind tunnel headers, what comes next, and octets that the tunnel says are inside or -1
_Inside = tuple[Index, Index]
_Opener = Callable[[Octets, Spans], _Inside]


def inside(packets: Packets) -> Spans:
    """The IP packets inside packets; their rows are places in the packets given."""
    data = packets.frames.data
    udp = packets.protocol == UDP
    tunnel = _PROTOCOLS.take(packets.protocol)
    tunnel |= udp & (_PORTS.take(packets.sport) | _PORTS.take(packets.dport))
    rows = np.flatnonzero(tunnel)
    at = packets.payload[rows]
    spans = Spans(rows, at, at + packets.captured[rows], at + packets.length[rows])
    if not len(rows):
        return spans
    protocol, sport, dport = packets.protocol[rows], packets.sport[rows], packets.dport[rows]
    parts = []
    for of_it, opener in (
        ((protocol == _IP_IN_IP) | (protocol == _IPV6_IN_IP), _ip),
        (protocol == _GRE, _gre),
        ((protocol == UDP) & ((sport == _GTP_U) | (dport == _GTP_U)), _gtp),
        ((protocol == UDP) & ((sport == _GTP_0) | (dport == _GTP_0)), _gtp_0),
        ((protocol == UDP) & ((sport == _L2TP) | (dport == _L2TP)), _l2tp),
        ((protocol == UDP) & (dport == _VXLAN), _vxlan),
    ):
        if of_it.any():
            parts.append(_opened(data, spans.take(of_it), opener))
    if not parts:
        return spans.take(rows[:0])
    return _once(Spans.joined(parts))


def _opened(data: Octets, spans: Spans, opener: _Opener) -> Spans:
    spans = spans.take(spans.at < spans.end)
    upper, header = opener(data, spans)
    spans = spans.moved(np.minimum(header, spans.end - spans.at))
    known = upper != NOTHING
    # what is not IP inside stays the packet around, so nothing is lost that needs counting
    found = ip_in(data, upper[known], spans.take(known), Counter())
    return found.take(_fits(data, found))


def _fits(data: Octets, spans: Spans) -> Rows:
    """Whether spans begin with an IP header whose length is that of the span or less."""
    header = gather(data, np.minimum(spans.at, spans.end), 8)
    there, rest = spans.end - spans.at, spans.stop - spans.at
    version = header[:, 0] >> 4
    own = (header[:, 0] & 15).astype(np.int64) * 4
    size = number(header, 2)
    four = (version == 4) & (own >= 20) & (own <= size) & (size <= rest) & (there >= 20)
    six = (version == 6) & (number(header, 4) + 40 <= rest) & (there >= 40)
    fits: Rows = four | six
    return fits


def _once(spans: Spans) -> Spans:
    """The spans in the order of their rows; of two with one row the first."""
    rows, first = np.unique(spans.row, return_index=True)
    return spans if len(rows) == len(spans.row) and (rows == spans.row).all() else spans.take(first)


def _ip(_: Octets, spans: Spans) -> _Inside:
    """IP in IP (RFC 2003, RFC 4213, RFC 2473)."""
    return np.full(len(spans.at), NIBBLE), np.zeros(len(spans.at), np.int64)


def _gre(data: Octets, spans: Spans) -> _Inside:
    """GRE with key and sequence number (RFC 2784, RFC 2890), and that of PPTP (RFC 2637)."""
    fixed = gather(data, spans.at, 4)
    flags, protocol = number(fixed, 0), number(fixed, 2)
    version, key, sequence = flags & 7, flags >> 13 & 1, flags >> 12 & 1
    plain = (version == 0) & (flags & 0x4000 == 0)
    pptp = (version == 1) & (protocol == 0x880B) & (key == 1) & (sequence == 1)
    header = 4 + 4 * (key + sequence) + 4 * np.where(plain, flags >> 15, flags >> 7 & 1)
    # bridged Ethernet and whatever EtherType else are known to the link layers
    return np.select([plain, pptp], [protocol, np.full(len(flags), PPP)], NOTHING), header


def _gtp(data: Octets, spans: Spans) -> _Inside:
    """A T-PDU of GTP-U version 1 (3GPP TS 29.281, clause 5)."""
    fixed = gather(data, spans.at, 12)
    flags = fixed[:, 0]
    good = (flags & 0xF0 == 0x30) & (fixed[:, 1] == _T_PDU)
    header = np.where(flags & 7, 12, 8)
    following = np.where(flags & 4, fixed[:, 11], 0)
    for _ in range(_MOST_GTP_EXTENSIONS):
        if not following.any():
            break
        at = np.minimum(spans.at + header, spans.end)
        octets = data[at].astype(np.int64) * 4
        last = data[np.minimum(at + np.maximum(octets, 1) - 1, spans.end)]
        header += np.where(following, octets, 0)
        good &= (following == 0) | (octets > 0)
        following = np.where(following, last, 0)
    return np.where(good & (following == 0), NIBBLE, NOTHING), header


def _gtp_0(data: Octets, spans: Spans) -> _Inside:
    """A T-PDU of GTP version 0 (3GPP TS 09.60, clause 6), whose header has 20 octets."""
    fixed = gather(data, spans.at, 4)
    good = (fixed[:, 0] & 0xF0 == 0x10) & (fixed[:, 1] == _T_PDU)
    return np.where(good, NIBBLE, NOTHING), np.full(len(good), 20)


def _l2tp(data: Octets, spans: Spans) -> _Inside:
    """A data message of L2TP version 2 (RFC 2661, section 3.1), which carries PPP."""
    flags = number(gather(data, spans.at, 2), 0)
    good = (flags & 0x8000 == 0) & (flags & 0xF == 2)
    header = 6 + (flags >> 13 & 2) + (flags >> 9 & 4)
    offset = number(gather(data, np.minimum(spans.at + header, spans.end), 2), 0)
    header += np.where(flags & 0x0200, 2 + offset, 0)
    return np.where(good, PPP, NOTHING), header


def _vxlan(data: Octets, spans: Spans) -> _Inside:
    """VXLAN (RFC 7348, section 5), which carries Ethernet."""
    flags = data[spans.at]
    return np.where(flags == 0x08, ETHERNET, NOTHING), np.full(len(flags), 8)
