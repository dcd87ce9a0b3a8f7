"""Where protocol readers put what they read: rows of tables, spilled to Arrow files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from zlib import crc32

import polars as pl

from simbox.tables import EVIDENCE, UTC, Table

SPILL_ROWS = 8_000  # rows of one table held in memory
SHARES = 8  # of a table whose rows have keys: what has one key is in one share
SHARE_ROWS = 2_000  # rows of a share held in memory
MOST_EVIDENCE = 100_000  # signatures by host, peer and line that are held
NS_PER_US = 1000


class Sink:
    """Rows of one capture file, table by table, in a folder of Arrow files.

    Times are given in nanoseconds since 1970-01-01 UTC; the column ``source`` is filled in here.
    """

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder
        self.source = source
        self.counts: Counter[str] = Counter()  # by stable name: read or given up
        self.announced: list[tuple[str, int]] = []  # media addresses that the engine has not taken
        self._cells: dict[str, list[Any]] = {}  # row behind row, for each table or share
        self._tables: dict[str, Table] = {}
        self._parts: Counter[str] = Counter()
        self._evidence: dict[tuple[str, ...], dict[str, Any]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, table: Table, **values: Any) -> None:  # noqa: ANN401  # as the columns are
        """One row by the names of its columns; absent ones are null."""
        self.put_row(table, tuple(map(values.pop, table.schema, (None,) * len(table.schema))))
        if values:
            raise KeyError(f"table {table.name} has no column {', '.join(values)}")

    def put_row(self, table: Table, row: tuple[Any, ...], key: str | None = None) -> None:
        """One row in the order of the table's columns, ``source`` among them as None.

        Rows with a key go into the files of its share, so that all of one key can be read without
        the others.
        """
        name, most = table.name, SPILL_ROWS
        if key is not None:
            name, most = _share(name, crc32(key.encode()) % SHARES), SHARE_ROWS
        cells = self._cells.get(name)
        if cells is None:
            cells = self._cells[name] = []
            self._tables[name] = table
        width = len(table.schema)
        if len(row) != width:
            raise ValueError(f"table {table.name} has {width} columns, the row {len(row)}")
        cells += row
        if len(cells) >= most * width:
            self._spill(name)

    def put_frame(self, table: Table, frame: pl.DataFrame) -> None:
        """Many rows at once, times already as UTC."""
        if frame.is_empty():
            return
        if "source" in table.schema and "source" not in frame.columns:
            frame = frame.with_columns(source=pl.lit(self.source))
        self._write(table.name, table.conform(frame))

    def announce(self, address: str, port: int) -> None:
        """Tell that media is expected at an address: RTP there needs no probation."""
        if port:
            self.announced.append((address, port))

    def evidence(
        self, signature: tuple[str, str, str], host: str, time: int, frame: int, **more: Any  # noqa: ANN401
    ) -> None:  # fmt: skip
        """A signature (name, product, grade) that matched; repeats at one host are counted.

        ``more`` may hold ``peer``, ``line`` and ``fields`` (a dict, of which the first is kept).
        Beyond MOST_EVIDENCE different ones they are counted only, as forgotten.
        """
        name, product, grade = signature
        key = (name, host, more.get("peer") or "", more.get("line") or "")
        known = self._evidence.get(key)
        if known is not None:
            known["count"] += 1
            known["last_seen"] = max(known["last_seen"], time)
            return
        if len(self._evidence) >= MOST_EVIDENCE:
            self.counts["evidence|forgotten"] += 1
            return
        fields = more.pop("fields", None)
        self._evidence[key] = {
            **more, "signature": name, "product": product, "grade": grade, "host": host,
            "time": time, "last_seen": time, "frame": frame, "count": 1,
            "fields": json.dumps(fields, sort_keys=True) if fields else None,
        }  # fmt: skip

    def close(self) -> None:
        """Write all that is held."""
        for row in self._evidence.values():
            self.put(EVIDENCE, **row)
        self._evidence.clear()
        for name in self._tables:
            self._spill(name)

    def _spill(self, name: str) -> None:
        cells, table = self._cells[name], self._tables[name]
        if not cells:
            return
        self._cells[name] = []
        width = len(table.schema)
        rows = len(cells) // width
        columns = {}
        for at, (column, dtype) in enumerate(table.schema.items()):
            values = cells[at::width]
            if column == "source":
                columns[column] = pl.Series([self.source]).new_from_index(0, rows)
            elif values[0] is None and values.count(None) == rows:
                columns[column] = pl.Series([None], dtype=dtype).new_from_index(0, rows)
            elif dtype == UTC:
                columns[column] = (pl.Series(values, dtype=pl.Int64) // NS_PER_US).cast(UTC)
            else:
                columns[column] = pl.Series(values, dtype=dtype)
        self._write(name, pl.DataFrame(columns))

    def _write(self, name: str, frame: pl.DataFrame) -> None:
        part = self._parts[name]
        self._parts[name] += 1
        frame.write_ipc(self.folder / f"{name}-{part:05d}.arrow")


def shares(folders: Path, table: Table) -> list[list[Path]]:
    """The Arrow files of a table whose rows have keys, share by share, of all captures' folders."""
    return [
        sorted(folders.glob(f"*/{_share(table.name, number)}-*.arrow")) for number in range(SHARES)
    ]


def _share(name: str, number: int) -> str:
    return f"{name}-{number}"
