"""Link layers: from the first octet of a frame to the first octet of its IP packet.

Whatever stands around IP is peeled off in rounds, all frames at once: each round looks at the
protocol that is known to come next and at the octets where it begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets.columns import Frames, Index, Octets
from simbox.ingest.capture.packets.octets import Rows, gather, number, number_at, tally

IPV4, IPV6 = 0x0800, 0x86DD
_VLAN, _MPLS, _PPPOE, _BRIDGED = (0x8100, 0x88A8, 0x9100, 0x9200), (0x8847, 0x8848), 0x8864, 0x6558
_LONGEST_802_3 = 1500  # a greater type is no length
# what comes next, beside EtherTypes
PPP, NIBBLE, ETHERNET, NOTHING, LOOPBACK = 0x10001, 0x10002, 0x10003, 0x10004, 0x10005
_MOST_LAYERS = 12
_FAMILIES = (2, 10, 24, 28, 30)  # address families of IPv4 and IPv6 in several systems

# by link type (LINKTYPE_ registry): where the protocol field is, or None, what comes next if there
# is no such field, and where it begins
_LINKS: dict[int, tuple[int | None, int, int]] = {
    0: (None, LOOPBACK, 0),
    1: (None, ETHERNET, 0),
    9: (None, PPP, 0),
    12: (None, NIBBLE, 0),
    14: (None, NIBBLE, 0),
    50: (None, PPP, 0),
    51: (None, _PPPOE, 0),
    101: (None, NIBBLE, 0),
    104: (2, NOTHING, 4),
    108: (None, LOOPBACK, 0),
    113: (14, NOTHING, 16),
    228: (None, NIBBLE, 0),
    229: (None, NIBBLE, 0),
    276: (0, NOTHING, 20),
}


@dataclass(frozen=True)
class Spans:
    """Stretches of frames that are yet to be read, one element a frame."""

    row: Index  # of the frame, or of the packet around
    at: Index  # offset of the next octet
    end: Index  # behind the last captured octet
    stop: Index  # where the frame ended on the wire, or by the headers around

    def take(self, rows: Rows | Index) -> Self:
        return type(self)(self.row[rows], self.at[rows], self.end[rows], self.stop[rows])

    def moved(self, octets: Index | int) -> Self:
        return type(self)(self.row, self.at + octets, self.end, self.stop)

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Several, one behind the other."""
        if len(parts) == 1:
            return parts[0]
        columns = ("row", "at", "end", "stop")
        return cls(*(np.concatenate([getattr(p, c) for p in parts]) for c in columns))


def ip_in_frames(frames: Frames, counts: Counter[str]) -> Spans:
    """Where the IP packets of frames begin; frames without one are counted and left out."""
    rows = np.arange(len(frames))
    spans = Spans(rows, frames.start, frames.start + frames.captured, frames.start + frames.wire)
    parts = []
    kinds = np.unique(frames.link) if (frames.link != frames.link[:1]).any() else frames.link[:1]
    for link in kinds:
        of_it = spans if len(kinds) == 1 else spans.take(frames.link == link)
        if int(link) not in _LINKS:
            counts[f"link|unknown type {link}"] += len(of_it.row)
            continue
        field, upper, header = _LINKS[int(link)]
        upper_of = np.full(len(of_it.row), upper)
        if field is not None:
            upper_of = number_at(frames.data, of_it.at + field)
            of_it = of_it.moved(header)
        parts.append(ip_in(frames.data, upper_of, of_it, counts))
    if not parts:
        return spans.take(rows[:0])
    return Spans.joined(parts)


def ip_in(data: Octets, upper: Index, spans: Spans, counts: Counter[str]) -> Spans:
    """Where IP begins in spans of which the next protocol is known; not in their order."""
    found = []
    for _ in range(_MOST_LAYERS):
        there = spans.at < spans.end
        if not there.all():
            tally(counts, "link|cut short", ~there)
            upper, spans = upper[there], spans.take(there)
        if len(upper) and (upper == ETHERNET).all():  # the usual case, without masks
            upper, spans = _ethernet(data, spans)
        is_ip = (upper == IPV4) | (upper == IPV6)
        if is_ip.all():
            found.append(spans)
            return Spans.joined(found)
        found.append(spans.take(is_ip))
        upper, spans = _next_layer(data, upper[~is_ip], spans.take(~is_ip))
        known = upper != NOTHING
        tally(counts, "link|not IP", ~known)
        upper, spans = upper[known], spans.take(known)
    tally(counts, "link|too many layers", upper > 0)
    return Spans.joined(found)


_Layer = Callable[[Octets, Spans], tuple[Index, Spans]]


def _next_layer(data: Octets, upper: Index, spans: Spans) -> tuple[Index, Spans]:
    """What comes next behind one layer, NOTHING where that is not known."""
    next_upper = np.full(len(upper), NOTHING)
    at = spans.at.copy()
    for rows, layer in _layers(upper):
        if rows.any():
            known, moved = layer(data, spans.take(rows))
            next_upper[rows], at[rows] = known, moved.at
    return next_upper, Spans(spans.row, at, spans.end, spans.stop)


def _layers(upper: Index) -> list[tuple[Rows, _Layer]]:
    return [
        ((upper == ETHERNET) | (upper == _BRIDGED), _ethernet),
        (np.isin(upper, _VLAN), _vlan),
        (np.isin(upper, _MPLS), _mpls),
        (upper == _PPPOE, _pppoe),
        (upper == PPP, _ppp),
        (upper == NIBBLE, _nibble),
        (upper == LOOPBACK, _loopback),
        (upper <= _LONGEST_802_3, _llc),
    ]


def _ethernet(data: Octets, spans: Spans) -> tuple[Index, Spans]:
    return number_at(data, spans.at + 12), spans.moved(14)


def _vlan(data: Octets, spans: Spans) -> tuple[Index, Spans]:
    """IEEE 802.1Q and 802.1ad tags."""
    return number_at(data, spans.at + 2), spans.moved(4)


def _mpls(data: Octets, spans: Spans) -> tuple[Index, Spans]:
    """One label of a stack (RFC 3032); below the last one the first nibble tells what comes."""
    label = gather(data, spans.at, 5)
    last = (label[:, 2] & 1).astype(bool)
    version = label[:, 4] >> 4
    # a first nibble of 0 is the control word of a pseudowire (RFC 4385), which carries Ethernet
    below = np.select([version == 4, version == 6, version == 0], [IPV4, IPV6, ETHERNET], NOTHING)
    upper = np.where(last, below, _MPLS[0])
    return upper, spans.moved(np.where(upper == ETHERNET, 8, 4))


def _pppoe(data: Octets, spans: Spans) -> tuple[Index, Spans]:
    """The session stage of PPP over Ethernet (RFC 2516)."""
    header = gather(data, spans.at, 6)
    session = (header[:, 0] == 0x11) & (header[:, 1] == 0)
    stop = np.minimum(spans.stop, spans.at + 6 + number(header, 4))
    return np.where(session, PPP, NOTHING), Spans(spans.row, spans.at + 6, spans.end, stop)


def _ppp(data: Octets, spans: Spans) -> tuple[Index, Spans]:
    """PPP (RFC 1661), with or without its address, control and upper protocol octet."""
    header = gather(data, spans.at, 4)
    framed = (header[:, 0] == 0xFF) & (header[:, 1] == 0x03)
    first = np.where(framed, header[:, 2], header[:, 0]).astype(np.int64)
    second = np.where(framed, header[:, 3], header[:, 1])
    short = (first & 1).astype(bool)  # compressed to one octet
    protocol = np.where(short, first, first << 8 | second)
    known = [protocol == 0x21, protocol == 0x57, protocol == 0x281]
    upper = np.select(known, [IPV4, IPV6, _MPLS[0]], NOTHING)
    return upper, spans.moved(np.where(framed, 2, 0) + np.where(short, 1, 2))


def _nibble(data: Octets, spans: Spans) -> tuple[Index, Spans]:
    """Raw IP, whose version is its first nibble."""
    version = data[spans.at] >> 4
    return np.select([version == 4, version == 6], [IPV4, IPV6], NOTHING), spans


def _loopback(data: Octets, spans: Spans) -> tuple[Index, Spans]:
    """BSD loopback: an address family in the byte order of the machine that captured."""
    family: npt.NDArray[np.uint32] = gather(data, spans.at, 4).view("<u4")[:, 0]
    known = np.isin(family, _FAMILIES) | np.isin(family.byteswap(), _FAMILIES)
    return np.where(known, NIBBLE, NOTHING), spans.moved(4)


def _llc(data: Octets, spans: Spans) -> tuple[Index, Spans]:
    """IEEE 802.3 with LLC: SNAP gives an EtherType, a SAP of 6 is IP."""
    header = gather(data, spans.at, 8)
    snap = (header[:, 0] == 0xAA) & (header[:, 1] == 0xAA) & (header[:, 2] == 3)
    plain = (header[:, 0] == 6) & (header[:, 1] == 6) & (header[:, 2] == 3)
    upper = np.where(snap, number(header, 6), np.where(plain, IPV4, NOTHING))
    return upper, spans.moved(np.where(snap, 8, 3))
