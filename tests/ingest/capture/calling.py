"""What the tests of call control share: rows as data, and octets that are damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import strategies as st

from simbox.ingest.capture.reading import CaptureTask, read_capture
from simbox.ingest.capture.signatures.loading import load_signatures
from simbox.ingest.capture.sink import Sink
from simbox.ingest.sources import Source
from simbox.tables import DIALOGS, MEDIA, SEGMENTS, Table

CAPTURES = Path(__file__).resolve().parents[4] / "shared" / "data" / "captures"

#: Where to change a message, as a share of its length, and the bits to flip; 0 cuts it there.
damages = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6)


def damaged(octets: bytes, changes: list[tuple[float, int]]) -> bytes:
    held = bytearray(octets)
    for where, bits in changes:
        at = int(where * len(held))
        if not bits:
            del held[at:]
        elif at < len(held):
            held[at] ^= bits
    return bytes(held)


def picked(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.get(column) for column in columns) for row in rows]


def rows_of(sink: Sink, table: Table) -> list[dict[str, Any]]:
    parts = sorted(sink.folder.glob(f"{table.name}-*.arrow"))
    return pl.concat([pl.read_ipc(p) for p in parts]).to_dicts() if parts else []


def real(name: str, folder: Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Dialogs, media and segments of a real capture."""
    task = CaptureTask(Source(CAPTURES / name), folder, load_signatures(()), -(1 << 62), 1 << 62)
    read_capture(task)

    def table(kind: Table) -> pl.DataFrame:
        parts = sorted(folder.glob(f"{kind.name}-*.arrow"))
        return pl.concat([pl.read_ipc(p) for p in parts]) if parts else kind.empty()

    return table(DIALOGS), table(MEDIA), table(SEGMENTS)
