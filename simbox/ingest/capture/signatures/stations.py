"""The Ethernet stations of a link: which addresses speak from which MAC, for makers' prefixes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.ingest.capture.packets.addresses import AddressBook
from simbox.ingest.capture.packets.columns import Index, Packets
from simbox.ingest.capture.packets.datagrams import macs
from simbox.ingest.capture.signatures.ouis import Station
from simbox.ingest.capture.sink import Sink
from simbox.tables import Column, Table

#: Ethernet addresses and their IP addresses in one capture file, to know a device by either.
STATIONS = Table(
    "stations",
    "an IP address that an Ethernet address sends from",
    (Column("mac", pl.String, "Ethernet address"), Column("host", pl.String, "IP address")),
)

_BITS = 19  # of 4 MB: a slot that two stations share is written again and again
_SLOTS = 1 << _BITS
_ODD, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(64 - _BITS)  # a multiplicative hash
_MOST = 100_000  # stations remembered


@dataclass
class Stations:
    """The sources of a file's Ethernet packets, each once."""

    _met: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    _slots: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(_SLOTS, np.uint64))

    def add(self, packets: Packets) -> None:
        """Note the sources of a batch that have not been met; a slot remembers the last one."""
        direct = packets.src
        slot = ((direct * _ODD) >> _SHIFT).view(np.int64)
        new = np.flatnonzero(self._slots.take(slot) != direct + np.uint64(1))
        if not len(new):
            return
        self._slots[slot[new]] = direct[new] + np.uint64(1)
        _, first = np.unique(direct[new], return_index=True)
        self._note(packets, new[np.sort(first)])

    def found(self, addresses: AddressBook) -> list[Station]:
        """Every pair of an Ethernet and an IP address with its first frame."""
        return [
            Station(mac, addresses.text(host), time, frame)
            for (mac, host), (time, frame) in self._met.items()
        ]

    def write(self, addresses: AddressBook, out: Sink) -> None:
        """Put rows of STATIONS."""
        pairs = [(mac, addresses.text(host)) for mac, host in self._met]
        out.put_frame(STATIONS, pl.DataFrame(pairs, schema=STATIONS.schema, orient="row"))

    def _note(self, packets: Packets, rows: Index) -> None:
        times, numbers = packets.moments(rows)
        hosts = packets.src[rows].tolist()
        for mac, host, time, number in zip(
            macs(packets, rows), hosts, times.tolist(), numbers.tolist(), strict=True
        ):
            if mac and (mac, host) not in self._met and len(self._met) < _MOST:
                self._met[mac, host] = time, number
