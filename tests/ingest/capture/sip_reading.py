"""SIP read from datagrams, segments and capture files, as tests want it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from simbox.ingest.capture.claims import ClaimTable
from simbox.ingest.capture.conversations import Conversations
from simbox.ingest.capture.packets.columns import TCP, UDP, Packets
from simbox.ingest.capture.packets.decode import Decoder
from simbox.ingest.capture.protocol import Datagram
from simbox.ingest.capture.protocols.sip import Sip
from simbox.ingest.capture.records.file import open_capture
from simbox.ingest.capture.sink import Sink
from simbox.ingest.sources import Source
from simbox.tables import MEDIA, MESSAGES, UTC, Table

CALLER, CALLED = ("192.0.2.10", 5060), ("198.51.100.20", 5060)
SECOND = 1_000_000_000


class Rows:
    """A sink that keeps rows as dictionaries."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.announced: list[tuple[str, int]] = []
        self.messages: list[dict[str, Any]] = []
        self.media: list[dict[str, Any]] = []

    def put_row(self, table: Table, row: tuple[Any, ...], key: str | None = None) -> None:
        del key
        kept = {"messages": self.messages, "media": self.media}[table.name]
        kept.append(dict(zip(table.schema, row, strict=True)))

    def announce(self, address: str, port: int) -> None:
        self.announced.append((address, port))


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def datagram(payload: bytes, time: float = 0.0, *, back: bool = False, **more: Any) -> Datagram:
    (src, sport), (dst, dport) = (CALLED, CALLER) if back else (CALLER, CALLED)
    more = {"length": len(payload), **more}
    return Datagram(int(time * SECOND), 1, src, sport, dst, dport, payload, **more)


def read(payload: bytes, **more: Any) -> Rows:
    out = Rows()
    Sip().datagram(datagram(payload, **more), out)
    return out


def message(payload: bytes | str) -> dict[str, Any]:
    """The one row of the one message."""
    out = read(crlf(payload) if isinstance(payload, str) else payload)
    (row,) = out.messages
    return row


def frame_of(rows: list[dict[str, Any]], table: Table = MESSAGES) -> pl.DataFrame:
    """Rows as the sink writes them."""
    columns = {}
    for name, dtype in table.schema.items():
        values = [row[name] for row in rows]
        if dtype == UTC:
            columns[name] = (pl.Series(values, dtype=pl.Int64) // 1000).cast(UTC)
        else:
            columns[name] = pl.Series(values, dtype=dtype)
    return pl.DataFrame(columns).with_columns(source=pl.lit("a.pcap"))


@dataclass(frozen=True)
class Reading:
    messages: pl.DataFrame
    media: pl.DataFrame
    counts: Counter[str]


def read_capture(path: Path, folder: Path) -> Reading:
    """The SIP of a capture file, by the real reader and decoder."""
    sip, sink = Sip(), Sink(folder, path.name)
    decoder, claims = Decoder(), ClaimTable([sip], [sip.udp])
    conversations = Conversations([sip], sink)
    with open_capture(Source(path)) as capture:
        for frames in capture:
            for packets in decoder(frames):
                udp = packets.take(packets.protocol == UDP)
                for at in np.flatnonzero(claims.bits(udp)).tolist():
                    sip.datagram(_octets(decoder, udp, at), sink)
                _segments(conversations, decoder, packets)
    sink.close()
    return Reading(_table(folder, MESSAGES), _table(folder, MEDIA), sink.counts)


def _segments(conversations: Conversations, decoder: Decoder, packets: Packets) -> None:
    tcp = packets.take((packets.protocol == TCP) & (packets.captured > 0))
    done, again = -1, len(tcp) > 0
    while again:
        again = False
        rows = conversations.wanted(tcp)
        for at in rows[rows > done].tolist():
            done = at
            if conversations.push(tcp, at, _octets(decoder, tcp, at)):
                again = True
                break


def _octets(decoder: Decoder, packets: Packets, at: int) -> Datagram:
    text = decoder.addresses.text
    return Datagram(
        int(packets.time[at]), int(packets.number[at]),
        text(int(packets.src[at])), int(packets.sport[at]),
        text(int(packets.dst[at])), int(packets.dport[at]), packets.octets(at),
        "udp" if packets.protocol[at] == UDP else "tcp", length=int(packets.length[at]),
    )  # fmt: skip


def _table(folder: Path, table: Table) -> pl.DataFrame:
    parts = sorted(folder.glob(f"{table.name}-*.arrow"))
    rows = pl.concat([table.empty(), *(pl.read_ipc(p) for p in parts)])
    return rows.sort("frame", maintain_order=True)
