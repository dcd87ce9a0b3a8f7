"""Event stores for replays: written down call by call, or made at random with shared handsets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from simbox.identifiers import CLASS_SHIFT, LENGTH_SHIFT, TEXT_BIT, NumberClass
from simbox.store import Store
from simbox.tables import STORED, Kind

MIDNIGHT = 1_741_564_800  # 2025-03-10 00:00:00 UTC, a Monday
HOUR, DAY = 3_600, 86_400
YES, NO = Kind.YES << Kind.ANSWER_SHIFT, Kind.NO << Kind.ANSWER_SHIFT


def number(text: str) -> int:
    return int(text) + (len(text) << LENGTH_SHIFT) + (NumberClass.ONNET << CLASS_SHIFT)


def named(text: str) -> int:
    """The id of a line that is a text, as an account is."""
    code = int.from_bytes(text.encode()[:7], "big")
    return code + (1 << TEXT_BIT) + (NumberClass.ACCOUNT << CLASS_SHIFT)


def call(line: str, start: int, seconds: int = 0, **more: int) -> dict[str, int]:
    """An outgoing call; ``start`` counts from midnight."""
    row = {"line": number(line), "start": MIDNIGHT + start, "duration": seconds}
    row |= {"kind": Kind.MOC | (YES if seconds else NO), "other": number("999140000001")}
    return row | more


def table(rows: Iterable[Mapping[str, int]]) -> pl.DataFrame:
    whole = [dict.fromkeys(STORED.schema, 0) | dict(row) for row in rows]
    columns = {name: [row[name] for row in whole] for name in STORED.schema}
    return pl.DataFrame(columns, schema=STORED.schema)


def store(folder: Path, rows: pl.DataFrame, buckets: int = 1) -> Store:
    made = Store.create(folder, buckets)
    with made.writer() as writer:
        writer.add_source("a.csv", "feed")
        ids = rows["line"].unique() % (1 << CLASS_SHIFT)
        accounts = ids.filter(ids >= 1 << TEXT_BIT)
        names = [f"account-{i % 1_000_000}" for i in accounts]
        writer.append(
            rows, pl.DataFrame({"id": accounts, "text": names}, schema_overrides={"id": pl.UInt64})
        )
    return Store.open(folder)


def random_rows(seed: int, lines: int = 60, days: int = 4) -> pl.DataFrame:
    """Lines of all kinds of habits that pass handsets around; some rows stand twice.

    Nothing happens from 00:00 to 06:00, so that a day can be cut off whole.
    """
    rng = np.random.default_rng([seed, 3])
    count = lines * days * 14
    line = np.sort(rng.integers(0, lines, count))
    kind = rng.choice([Kind.MOC, Kind.MOC, Kind.MTC, Kind.SMS_MO, Kind.SMS_MT], count)
    calls = kind <= Kind.MTC
    answered = rng.random(count) < 0.7
    serial = np.where(rng.random(count) < 0.6, line, rng.integers(0, lines, count) // 4)
    imei = np.where(rng.random(count) < 0.9, 100_100_00_000_000 + serial * 3, 0)
    friend = np.where(line % 3, rng.integers(0, 8, count), rng.integers(0, 10**6, count))
    start = rng.integers(0, days, count) * DAY + rng.integers(6 * HOUR, 23 * HOUR, count)
    columns = {
        "line": [number(f"99913{n:07d}") for n in line],
        "other": [number(f"99914{n:07d}") for n in line * 10**4 % 977 * 1000 + friend],
        "imsi": [number(f"00101{n:010d}") for n in line],
        "imei": [n + (14 << LENGTH_SHIFT) if n else 0 for n in imei.tolist()],
        "place": [named(f"cell-{n % 5}") for n in line + rng.integers(0, 2, count)],
        "start": MIDNIGHT + start,
        "duration": np.where(calls & answered, rng.integers(1, 1_800, count), 0),
        "kind": kind | np.where(calls, np.where(answered, YES, NO), 2 << Kind.ANSWER_SHIFT),
    }
    zero = {name: np.zeros(count, np.int64) for name in STORED.schema if name not in columns}
    rows = pl.DataFrame({**columns, **zero}, strict=False).select(*STORED.schema)
    rows = rows.cast(dict(STORED.schema))
    return pl.concat([rows, rows.sample(fraction=0.03, seed=seed)]).sample(
        fraction=1, shuffle=True, seed=seed
    )
