"""One capture file, from its records to the rows of its tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.claims import ClaimTable
from simbox.ingest.capture.conversations import Conversations
from simbox.ingest.capture.media.rtp import RtpStreams
from simbox.ingest.capture.packets.columns import ESP, TCP, UDP, Packets
from simbox.ingest.capture.packets.datagrams import datagrams
from simbox.ingest.capture.packets.decode import Decoder
from simbox.ingest.capture.protocol import Finishing
from simbox.ingest.capture.records.file import CaptureFile, open_capture
from simbox.ingest.capture.registry import readers
from simbox.ingest.capture.report import CaptureReport
from simbox.ingest.capture.signatures.matching import Signatures
from simbox.ingest.capture.signatures.ouis import oui_evidence
from simbox.ingest.capture.signatures.stations import Stations
from simbox.ingest.capture.sink import Sink
from simbox.ingest.capture.tunnels.windows import FlowWindows
from simbox.ingest.sources import Source

NS = 1_000_000_000

Mask = npt.NDArray[np.bool_]
Told = Callable[[int], None]  # octets of the file read so far


@dataclass(frozen=True)
class CaptureTask:
    """A capture file to read, and where its tables go."""

    source: Source
    folder: Path
    signatures: Signatures
    since: int  # nanoseconds since 1970-01-01 UTC; packets before are left out
    until: int  # packets from here on are left out


def read_capture(task: CaptureTask, told: Told | None = None) -> CaptureReport:
    """Read a capture file into a folder of Arrow files, one or more a table.

    Raises:
        InputError: the file is no capture, or cannot be read.
    """
    with open_capture(task.source, digest=True) as capture:
        reading = _Reading(task)
        for frames in capture:
            reading.frames += len(frames)
            for packets in reading.decoder(frames):
                reading.packets(packets)
            if told is not None:
                told(capture.tell())
        reading.finish()
        return reading.report(capture)


class _Reading:
    """The state of a capture file being read."""

    def __init__(self, task: CaptureTask) -> None:
        self.task = task
        self.sink = Sink(task.folder, task.source.path)
        self.decoder = Decoder()
        self.readers = readers(task.signatures)
        self.claims = ClaimTable(self.readers, [reader.udp for reader in self.readers])
        addresses = self.decoder.addresses
        self.rtp = RtpStreams()
        self.windows = FlowWindows(addresses)
        self.stations = Stations()
        self.conversations = Conversations(self.readers, self.sink)
        self.frames = self.seen = self.outside = 0
        self.first: int | None = None
        self.last: int | None = None

    def packets(self, packets: Packets) -> None:
        """Hand every packet of a batch to what reads its kind."""
        packets = self._within(packets)
        if not len(packets):
            return
        self.seen += len(packets)
        self.stations.add(packets)
        udp = packets.take(packets.protocol == UDP)
        if len(udp):
            self._datagrams(udp)
        if len(udp) == len(packets):
            return
        tcp = packets.take((packets.protocol == TCP) & (packets.captured > 0))
        if len(tcp):
            self._segments(tcp)
        esp = packets.take(packets.protocol == ESP)
        if len(esp):
            self.windows.add(esp, self.sink)

    def finish(self) -> None:
        """Close what is still open."""
        for reader in self.readers:
            if isinstance(reader, Finishing):
                reader.finish(self.sink)
        self.decoder.close()
        self.conversations.close()
        self.rtp.close(self.sink)
        self.windows.close(self.sink)
        self._makers()
        self.sink.close()

    def report(self, capture: CaptureFile) -> CaptureReport:
        """What became of the file."""
        counts = self.sink.counts + self.decoder.counts + self.rtp.counts + self.windows.counts
        counts += self.conversations.counts
        return CaptureReport(
            path=self.task.source.path,
            sha256=capture.sha256(),
            size=self.task.source.size,
            format=capture.format,
            frames=self.frames,
            packets=self.seen,
            outside=self.outside,
            first=_moment(self.first),
            last=_moment(self.last),
            damage=str(capture.damage or ""),
            counts=dict(sorted(counts.items())),
        )

    def _within(self, packets: Packets) -> Packets:
        """The packets of the period asked for."""
        time = packets.time
        if not len(time):
            return packets
        inside = (time >= self.task.since) & (time < self.task.until)
        if not inside.all():
            self.outside += int((~inside).sum())
            packets, time = packets.take(inside), time[inside]
        if len(time):
            first, last = int(time.min()), int(time.max())
            self.first = first if self.first is None else min(first, self.first)
            self.last = last if self.last is None else max(last, self.last)
        return packets

    def _datagrams(self, udp: Packets) -> None:
        free = np.ones(len(udp), np.bool_)  # of readers' claims
        wanting, sink = self.claims.wanting, self.sink
        bits = self.claims.bits(udp)
        for bulk, rows in self.claims.bulks(bits):
            settled, claimed = bulk.bulk(udp, rows, sink)
            bits[rows[settled]] = 0
            free[rows[claimed]] = False
        rows = np.flatnonzero(bits)
        for at, packet in zip(
            rows.tolist(), datagrams(udp, rows, self.decoder.addresses), strict=True
        ):
            for reader in wanting(packet):
                if reader.datagram(packet, sink):
                    free[at] = False
                    break
        self._announce()
        free &= ~self.rtp.add(udp, self.decoder.addresses, free)
        self.rtp.flush(udp.last, self.sink)
        if free.any():
            self.windows.add(udp.take(free), self.sink)

    def _segments(self, tcp: Packets) -> None:
        """Hand on the segments that readers want; one that opens may make later ones wanted."""
        claimed = self.conversations.claimed(tcp)
        done = -1
        again = True
        while again:
            again = False
            rows = self.conversations.wanted(tcp, claimed)
            rows = rows[rows > done]
            for at, segment in zip(
                rows.tolist(), datagrams(tcp, rows, self.decoder.addresses), strict=True
            ):
                done = at
                if self.conversations.push(tcp, at, segment):
                    again = True
                    break
        self._announce()

    def _announce(self) -> None:
        """Let media that signalling has announced be read from its first packet on."""
        for address, port in self.sink.announced:
            self.rtp.announce(self.decoder.addresses.key(address), port)
        self.sink.announced.clear()

    def _makers(self) -> None:
        """Match the makers of Ethernet stations against the signatures, and keep the stations."""
        self.stations.write(self.decoder.addresses, self.sink)
        oui_evidence(self.stations.found(self.decoder.addresses), self.task.signatures, self.sink)


def _moment(time: int | None) -> datetime | None:
    return None if time is None else datetime.fromtimestamp(time / NS, UTC)
