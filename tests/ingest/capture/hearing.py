"""A capture file by hand: datagrams go to a reader one by one, the rows come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from simbox.ingest.capture.protocol import Datagram
from simbox.ingest.capture.sink import Sink
from simbox.tables import DIALOGS, EVIDENCE, SIGHTINGS

DEVICE, SERVER = "192.0.2.10", "198.51.100.7"
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


class Hearing:
    """A reader and its sink; each packet has the next frame number and comes a second later."""

    def __init__(self, reader: Any, folder: Path) -> None:
        self.reader = reader
        self.sink = Sink(folder, "by-hand.pcap")
        self.time = START
        self.frame = 0
        self._rows: dict[str, list[dict[str, Any]]] | None = None

    def packet(self, payload: bytes, source: tuple[str, int], target: tuple[str, int]) -> Datagram:
        self.frame += 1
        self.time += SECOND
        return Datagram(self.time, self.frame, *source, *target, payload)

    def udp(self, payload: bytes | str, source: tuple[str, int], target: tuple[str, int]) -> bool:
        octets = payload.encode() if isinstance(payload, str) else payload
        return self.reader.datagram(self.packet(octets, source, target), self.sink)

    def finish(self) -> None:
        if self._rows is None:
            if hasattr(self.reader, "finish"):
                self.reader.finish(self.sink)
            self.sink.close()
            self._rows = {
                table.name: list(_read(self.sink.folder, table.name))
                for table in (DIALOGS, EVIDENCE, SIGHTINGS)
            }

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table without empty columns, times as seconds since the start."""
        self.finish()
        assert self._rows is not None
        return self._rows[table]

    def signatures(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(r["signature"], r["host"]): r for r in self.rows("evidence")}

    def everything_written(self) -> bytes:
        self.finish()
        return b"".join(p.read_bytes() for p in self.sink.folder.iterdir())


class Connection:
    """A TCP connection of a hearing: octets in order, cut into segments as asked."""

    def __init__(self, hearing: Hearing, device: tuple[str, int], server: tuple[str, int]) -> None:
        self.hearing = hearing
        self.device, self.server = device, server
        self.conversation: Any = None
        self.wanted = True

    def send(self, octets: bytes, cut: int = 1 << 20, *, by_server: bool = False) -> None:
        ends = (self.server, self.device) if by_server else (self.device, self.server)
        for at in range(0, len(octets), cut):
            packet = self.hearing.packet(octets[at : at + cut], *ends)._replace(transport="tcp")
            if self.conversation is None and self.hearing.reader.opens(packet):
                self.conversation = self.hearing.reader.conversation()
            if self.conversation is not None and self.wanted:
                self.wanted = self.conversation.feed(packet, self.hearing.sink)


def _read(folder: Path, table: str) -> Iterator[dict[str, Any]]:
    for part in sorted(folder.glob(f"{table}-*.arrow")):
        frame = pl.read_ipc(part)
        times = [name for name, dtype in frame.schema.items() if dtype == pl.Datetime("us", "UTC")]
        seconds = (pl.col(times).dt.epoch("us") - START // 1000) / 1e6
        for row in frame.with_columns(seconds).iter_rows(named=True):
            yield {k: v for k, v in row.items() if v is not None and k != "source"}
