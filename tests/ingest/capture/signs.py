"""What the tests of readers share: payloads in, rows of the sink's tables out."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from simbox.ingest.capture.protocol import Datagram, Reader
from simbox.ingest.capture.sink import Sink
from simbox.tables import EVIDENCE, SIGHTINGS, Table

DEVICE, SERVER = "192.0.2.10", "198.51.100.7"
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


class Box:
    """A sink with the rows that it was given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = Sink(folder, "a.pcap")
        self._closed = False

    def rows(self, table: Table) -> pl.DataFrame:
        if not self._closed:
            self.out.close()
            self._closed = True
        parts = sorted(self.folder.glob(f"{table.name}-*.arrow"))
        return pl.concat([pl.read_ipc(p) for p in parts] or [table.empty()])

    def evidence(self) -> list[dict[str, Any]]:
        found = self.rows(EVIDENCE).sort("time", "signature").to_dicts()
        return [{**row, "fields": json.loads(row["fields"] or "{}")} for row in found]

    def names(self) -> set[str]:
        return {row["signature"] for row in self.evidence()}

    def sightings(self) -> list[dict[str, Any]]:
        return self.rows(SIGHTINGS).sort("seen", "port").to_dicts()

    def holds(self, secret: str) -> bool:
        """The text stands somewhere in what was stored."""
        self.rows(EVIDENCE)
        stored = [p.read_bytes() for p in self.folder.rglob("*") if p.is_file()]
        return any(secret.encode() in octets for octets in stored)


def packet(payload: bytes, src: str = DEVICE, dst: str = SERVER, **more: Any) -> Datagram:
    values: dict[str, Any] = {"time": START, "frame": 1, "sport": 40000, "dport": 40001, **more}
    return Datagram(src=src, dst=dst, payload=payload, length=len(payload), **values)


def hear(reader: Reader, datagrams: Iterable[Datagram], folder: Path) -> Box:
    """Give datagrams to a reader."""
    box = Box(folder)
    for datagram in datagrams:
        reader.datagram(datagram, box.out)
    return box


def talk(reader: Reader, segments: Iterable[Datagram], folder: Path) -> Box:
    """Give TCP segments of one connection to a reader, from the first that opens it on."""
    box = Box(folder)
    conversation = None
    for segment in segments:
        if not segment.payload:
            continue
        if conversation is None and reader.opens(segment):
            conversation = reader.conversation()
        if conversation is not None and not conversation.feed(segment, box.out):
            break
    return box


def exchange(turns: Iterable[tuple[str, bytes]], port: int) -> Iterator[Datagram]:
    """Turns of a client (c) and a server (s) as segments."""
    for number, (who, payload) in enumerate(turns, 1):
        ends: dict[str, Any] = {"src": DEVICE, "sport": 40000, "dst": SERVER, "dport": port}
        if who == "s":
            ends = {"src": SERVER, "sport": port, "dst": DEVICE, "dport": 40000}
        stamp = {"time": START + number * SECOND, "frame": number}
        yield packet(payload, transport="tcp", **ends, **stamp)


def read_pcap(path: Path) -> Iterator[Datagram]:
    """UDP and TCP payloads of a little-endian Ethernet capture, IPv4 only."""
    data = path.read_bytes()
    at, number = 24, 0
    while at + 16 <= len(data):
        seconds, micros, captured, _ = struct.unpack_from("<IIII", data, at)
        frame, number = data[at + 16 : at + 16 + captured], number + 1
        at += 16 + captured
        if frame[12:14] != b"\x08\x00":
            continue
        ip = frame[14 : 14 + int.from_bytes(frame[16:18])]
        udp = ip[9] == 17
        body = ip[(ip[0] & 15) * 4 :]
        sport, dport = struct.unpack_from(">HH", body)
        yield packet(
            body[8 if udp else (body[12] >> 4) * 4 :],
            src=".".join(map(str, ip[12:16])), dst=".".join(map(str, ip[16:20])),
            sport=sport, dport=dport, time=(seconds * 1_000_000 + micros) * 1000, frame=number,
            transport="udp" if udp else "tcp", mac=frame[6:12].hex(":"),
        )  # fmt: skip
