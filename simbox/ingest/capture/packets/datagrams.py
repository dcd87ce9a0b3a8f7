"""The few packets of a batch that Python looks at, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from simbox.ingest.capture.packets.addresses import AddressBook
from simbox.ingest.capture.packets.columns import TCP, UDP, Index, Packets
from simbox.ingest.capture.packets.octets import gather
from simbox.ingest.capture.protocol import Datagram

ETHERNET = 1  # LINKTYPE_ETHERNET
MAC = 6  # octets
HEADER = 2 * MAC  # octets of a frame up to the source address and with it
_MADE = partial(tuple.__new__, Datagram)  # as Datagram._make does, without a call of Python
_TRANSPORTS = {UDP: "udp", TCP: "tcp"}


def datagrams(packets: Packets, rows: Index, addresses: AddressBook) -> Iterator[Datagram]:
    """Some packets of a batch, in the order of ``rows``, each made when it is asked for."""
    frames, row = packets.frames, packets.row[rows]
    begin = packets.payload[rows]
    src, dst = packets.src[rows].tolist(), packets.dst[rows].tolist()
    spelt = {key: addresses.text(key) for key in {*src, *dst}}
    octets = frames.data.data
    ends = zip(begin.tolist(), (begin + packets.captured[rows]).tolist(), strict=True)
    columns = zip(
        frames.time[row].tolist(), frames.number[row].tolist(),
        map(spelt.__getitem__, src), packets.sport[rows].tolist(),
        map(spelt.__getitem__, dst), packets.dport[rows].tolist(),
        (octets[first:end].tobytes() for first, end in ends),
        map(_TRANSPORTS.__getitem__, packets.protocol[rows].tolist()),
        macs(packets, rows), packets.ttl[rows].tolist(), packets.length[rows].tolist(),
        strict=True,
    )  # fmt: skip
    return map(_MADE, columns)


def macs(packets: Packets, rows: Index) -> list[str]:
    """The Ethernet source addresses of the frames of packets; empty without Ethernet."""
    frames, row = packets.frames, packets.row[rows]
    there = (frames.link[row] == ETHERNET) & (frames.captured[row] >= HEADER)
    numbers = np.zeros((len(rows), 8), np.uint8)
    numbers[there, :MAC] = gather(frames.data, frames.start[row[there]] + MAC, MAC)
    numbers[:, MAC] = there
    keys = numbers.view("<u8")[:, 0].tolist()
    spelt = {key: key.to_bytes(8, "little")[:MAC].hex(":") if key else "" for key in {*keys}}
    return [spelt[key] for key in keys]
