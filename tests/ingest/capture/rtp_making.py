"""RTP packets made from columns, as decoder batches and as capture files."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from simbox.ingest.capture.media.rtp import RtpStreams
from simbox.ingest.capture.packets.addresses import AddressBook
from simbox.ingest.capture.packets.columns import PAD, UDP, Frames, Packets
from simbox.ingest.capture.sink import Sink

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
HERE, THERE = 0xC0000201, 0xC6336401  # 192.0.2.1, 198.51.100.1
KEY = ["src", "src_port", "dst", "dst_port", "ssrc", "start"]


@dataclass(frozen=True)
class Rtp:
    """Columns of RTP packets in the order of the capture."""

    time: Any
    sequence: Any
    stamp: Any
    kind: Any = 0
    marker: Any = 0
    ssrc: Any = 0x1234
    size: Any = 160
    src: Any = HERE
    dst: Any = THERE
    sport: Any = 4000
    dport: Any = 5000

    def column(self, name: str) -> np.ndarray[Any, Any]:
        return np.broadcast_to(np.asarray(getattr(self, name), np.int64), len(self.time))

    def take(self, rows: Any) -> Rtp:
        return replace(self, **{n: self.column(n)[rows] for n in self.__dataclass_fields__})


def talk(count: int, **more: Any) -> Rtp:
    """A plain G.711 stream of 20 ms packets."""
    number = np.arange(count)
    columns = {
        "time": START + number * SECOND // 50, "sequence": number, "stamp": number * 160,
    }  # fmt: skip
    return Rtp(**(columns | more))


def together(*streams: Rtp) -> Rtp:
    """Streams merged by time."""
    merged = {n: np.concatenate([s.column(n) for s in streams]) for n in Rtp.__dataclass_fields__}
    return Rtp(**merged).take(np.argsort(merged["time"], kind="stable"))


def payloads(rtp: Rtp) -> list[bytes]:
    """UDP payloads, one a packet."""
    c = {n: rtp.column(n).tolist() for n in Rtp.__dataclass_fields__}
    return [
        struct.pack(">BBHII", 128, k | m << 7, q & 0xFFFF, t & 0xFFFFFFFF, s) + bytes(z)
        for k, m, q, t, s, z in zip(
            c["kind"], c["marker"], c["sequence"], c["stamp"], c["ssrc"], c["size"], strict=True
        )
    ]


def datagrams(rtp: Rtp, octets: list[bytes], cut: int = 1 << 16) -> Packets:
    """A decoder's batch of UDP packets with the addresses and times of rtp and other payloads."""
    count = len(octets)
    lengths = np.array([len(o) for o in octets], np.int64)
    kept = np.minimum(lengths, cut)
    data = np.frombuffer(b"".join(o[:cut] for o in octets) + bytes(PAD), np.uint8)
    begin = np.cumsum(kept) - kept
    frames = Frames(
        data, begin, kept, lengths, rtp.column("time").copy(), np.arange(1, count + 1),
        np.full(count, 101, np.uint16),
    )  # fmt: skip
    none = np.zeros(count, np.uint8)
    return Packets(
        frames, np.arange(count), rtp.column("src").astype(np.uint64),
        rtp.column("dst").astype(np.uint64), np.full(count, UDP, np.uint8),
        rtp.column("sport").astype(np.uint16), rtp.column("dport").astype(np.uint16),
        begin, lengths, kept, lengths + 28, none, none.astype(np.uint32), none, none,
    )  # fmt: skip


def packets(rtp: Rtp) -> Packets:
    return datagrams(rtp, payloads(rtp))


def batches(found: Packets, size: int) -> Iterator[Packets]:
    for begin in range(0, len(found), size):
        yield found.take(np.arange(begin, min(begin + size, len(found))))


def spilled(folder: Path, table: str) -> pl.DataFrame:
    parts = sorted(folder.glob(f"{table}-*.arrow"))
    return pl.concat(pl.read_ipc(p) for p in parts) if parts else pl.DataFrame()


def segments(
    found: Packets, folder: Path, size: int = 1 << 20, announced: tuple[tuple[int, int], ...] = ()
) -> pl.DataFrame:
    """What RtpStreams writes of a capture that is read in batches of some size."""
    streams, sink = RtpStreams(), Sink(folder, "made.pcap")
    for key, port in announced:
        streams.announce(key, port)
    book = AddressBook()
    for batch in batches(found, size):
        streams.add(batch, book)
        streams.flush(int(batch.time.max()), sink)
    streams.close(sink)
    sink.close()
    rows = spilled(folder, "segments")
    return rows if rows.is_empty() else rows.sort(KEY)


def write_pcap(rtp: Rtp, path: Path) -> None:
    """A pcap file of raw IPv4 packets, times in nanoseconds."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 101))
        for at, octets in enumerate(payloads(rtp)):
            time = int(rtp.column("time")[at])
            ends = (int(rtp.column(n)[at]) for n in ("src", "dst", "sport", "dport"))
            src, dst, sport, dport = ends
            udp = struct.pack(">HHHH", sport, dport, 8 + len(octets), 0) + octets
            ip = struct.pack(">BBHHHBBHII", 69, 0, 20 + len(udp), 0, 0, 64, UDP, 0, src, dst)
            size = len(ip) + len(udp)
            file.write(struct.pack("<IIII", time // SECOND, time % SECOND, size, size) + ip + udp)
