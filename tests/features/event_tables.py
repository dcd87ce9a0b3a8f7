"""Tables of events for tests: built from short notes, drawn by hypothesis, or made at random."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from simbox.features.context import CellTable, Context
from simbox.features.engine import context_of
from simbox.features.events import COLUMNS, Events, arrange
from simbox.identifiers import (
    CHECK_ABSENT,
    CHECK_SHIFT,
    CHECK_SV,
    CLASS_SHIFT,
    LENGTH_SHIFT,
    TEXT_BIT,
    NumberClass,
)
from simbox.store import Store
from simbox.tables import STORED, Kind

BASE = 1_741_564_800  # 2025-03-10 00:00:00 UTC, a Monday
TYPES = {"MOC": Kind.MOC, "MTC": Kind.MTC, "SMS_MO": Kind.SMS_MO, "SMS_MT": Kind.SMS_MT}
ANSWERS = {"no": Kind.NO, "yes": Kind.YES, "?": Kind.NOT_KNOWN, "-": Kind.NOT_KNOWN}
NOTHING = dict.fromkeys(STORED.schema, 0)


def digits(text: str, number_class: int = NumberClass.UNKNOWN) -> int:
    return int(text) + (len(text) << LENGTH_SHIFT) + (number_class << CLASS_SHIFT)


def text(name: str, number_class: int = NumberClass.UNKNOWN) -> int:
    hashed = zlib.crc32(name.encode()) * 0x9E3779B1 % (1 << 58)
    return hashed + (1 << TEXT_BIT) + (number_class << CLASS_SHIFT)


def imei(text14: str, check: int = CHECK_ABSENT) -> int:
    return digits(text14) + (check << CHECK_SHIFT)


def kind(
    event_type: int, answer: int = Kind.NOT_KNOWN, feed: int = 0, *, part: bool = False
) -> int:
    flags = Kind.PARTIAL if part else 0
    return event_type | (answer << Kind.ANSWER_SHIFT) | flags | (feed << Kind.FEED_SHIFT)


def table(rows: Iterable[Mapping[str, int]]) -> pl.DataFrame:
    """Rows of tables.STORED; what a row leaves out is zero."""
    whole = [NOTHING | dict(row) for row in rows]
    columns = {name: [row[name] for row in whole] for name in STORED.schema}
    return pl.DataFrame(columns, schema=STORED.schema)


@contextmanager
def store_of(frames: Sequence[pl.DataFrame], buckets: int = 1) -> Iterator[Store]:
    """A store in a folder of its own that the frames were appended to one by one."""
    with TemporaryDirectory() as folder:
        store = Store.create(Path(folder) / "store", buckets)
        with store.writer() as writer:
            fill(writer, frames)
        yield Store.open(store.folder)


def fill(writer: Any, frames: Sequence[pl.DataFrame]) -> None:
    for feed in range(4):
        writer.add_source(f"{feed}.csv", f"feed {feed}")
    for frame in frames:
        writer.append(frame, None)


def events_of(stored: pl.DataFrame) -> Events:
    """The rows as the engine arranges those of a bucket."""
    return arrange(stored.select(*COLUMNS, "call_ref"))


def context_for(frame: pl.DataFrame, cells: CellTable | None = None) -> Context:
    with store_of([frame]) as store:
        return context_of(store, cells)


# What hypothesis draws from: few values, so that everything meets everything.
LINES = (digits("999555000001"), digits("0999555002"), text("hashed line", NumberClass.HASHED))
PARTIES = (
    0,
    NumberClass.WITHHELD << CLASS_SHIFT,
    digits("999555012345", NumberClass.ONNET),
    digits("999555012345", NumberClass.OFFNET),  # the same party as another feed classes it
    digits("999555012346", NumberClass.ONNET),
    digits("999555012446", NumberClass.OFFNET),
    digits("999555112446", NumberClass.FIXED),
    digits("0044123456789", NumberClass.INTERNATIONAL),
    digits("044123456789", NumberClass.DOMESTIC),
    digits("110", NumberClass.SERVICE),
    digits("10086999", NumberClass.SHORT),
    text("BANK", NumberClass.ALPHANUMERIC),
    text("hash of a friend", NumberClass.HASHED),
    text("hash of another", NumberClass.HASHED),
)
IMEIS = (
    0,
    imei("35209900176148", 1),  # its check digit is 1
    imei("35209900176148"),
    imei("35209900176148", 5),  # wrong
    imei("35209900176149", 0),  # no check digit was sent
    imei("35209900176156", CHECK_SV),
    imei("35209900176157"),
    imei("35209900999999"),
    imei("35209901000000"),  # the next serial, but under another TAC
    imei("00000012345678"),
    imei("11111111111111"),
    text("hash of a handset"),
)
IMSIS = (0, 0, digits("001010000000001"), digits("001010000000002"), text("hash of a SIM"))
PLACES = (0, text("a"), text("b"), text("c"), text("not in the table"))
CELLS = {"a": (50.0, 10.0), "b": (50.5, 10.0), "c": (50.1, 10.1)}  # 56 km and 13 km from a
CAUSES = (0, 0, 1, 16, 17, 22)
OFFSETS = (4, 4, 8, -14)
CALLS_AND_TEXTS = (
    *((Kind.MOC, answer) for answer in (Kind.NO, Kind.YES, Kind.YES, Kind.NOT_KNOWN)),
    *((Kind.MTC, answer) for answer in (Kind.NO, Kind.YES)),
    (Kind.SMS_MO, Kind.NOT_KNOWN),
    (Kind.SMS_MT, Kind.NOT_KNOWN),
)
DURATIONS = (-1, 0, 0, 1, 14, 15, 16, 60, 180, 181, 3600, 7300)


def cell_table(cells: Mapping[str, tuple[float, float]]) -> CellTable:
    rows = sorted((text(name), *at) for name, at in cells.items())
    place, lat, lon = (np.array(column) for column in zip(*rows, strict=True))
    return CellTable(place.astype(np.uint64), lat, lon)


def times() -> st.SearchStrategy[int]:
    """Seconds that tie often, lie across midnights, and fill some hours densely."""
    evening = BASE + 20 * 3600
    moment = st.integers(0, 3) | st.sampled_from((29, 30, 31, 1800, 1801, 3599, 3600))
    return st.tuples(moment, st.integers(0, 5), st.integers(0, 3)).map(
        lambda at: evening + at[0] + 3600 * at[1] + 86_400 * at[2]
    )


@st.composite
def event_tables(
    draw: st.DrawFn, max_size: int = 40, *, lines: int = 2, parts: bool = False
) -> pl.DataFrame:
    """A small table whose events share a few parties, handsets and cells, so that they meet."""
    pools = {
        "line": _some(draw, LINES, lines),
        "other": _some(draw, PARTIES, 4),
        "imsi": _some(draw, IMSIS, 3),
        "imei": _some(draw, IMEIS, 3),
        "place": _some(draw, PLACES, 3),
        "offset": _some(draw, OFFSETS, 2),
        "cause": _some(draw, CAUSES, 3),
    }
    row = st.tuples(
        times(),
        st.sampled_from(CALLS_AND_TEXTS),
        st.sampled_from(DURATIONS),
        st.integers(0, 2),
        st.sampled_from((False, True) if parts else (False,)),
        *(st.sampled_from(pool) for pool in pools.values()),
    )
    rows = draw(st.lists(row, min_size=1, max_size=max_size))
    return table(_event(*row[:5], dict(zip(pools, row[5:], strict=True))) for row in rows)


def _some(draw: st.DrawFn, pool: Sequence[int], most: int) -> list[int]:
    return draw(st.lists(st.sampled_from(pool), min_size=1, max_size=most))


def _event(
    start: int, what: tuple[int, int], duration: int, feed: int, part: bool, rest: dict[str, int]
) -> dict[str, int]:
    event_type, answer = what
    call = event_type <= Kind.MTC
    return rest | {
        "start": start,
        "duration": duration if call else -1,
        "kind": kind(event_type, answer, feed, part=part and call),
    }


def realistic(rows: int, lines: int = 400, days: int = 10, seed: int = 7) -> pl.DataFrame:
    """Events of people and a few busy boxes over some days, with a clock change in the middle."""
    rng = np.random.default_rng(seed)
    activity = rng.lognormal(0, 1.1, lines)
    line = rng.choice(lines, rows, p=activity / activity.sum())
    event_type = rng.choice(4, rows, p=(0.45, 0.25, 0.12, 0.18))
    call = event_type <= Kind.MTC
    hour = rng.choice(24, rows, p=_hours())
    start = BASE + rng.integers(0, days, rows) * 86_400 + hour * 3600 + rng.integers(0, 3600, rows)
    answer = np.where(call, rng.choice(3, rows, p=(0.3, 0.65, 0.05)), Kind.NOT_KNOWN)
    talk = np.rint(rng.lognormal(4, 1.2, rows)).astype(np.int64)
    duration = np.where(call, np.where(answer == Kind.YES, talk, 0), -1)
    friend = (line * 37 + np.minimum(rng.geometric(0.15, rows), 60)) % 5000
    stranger = rng.integers(5000, 60_000, rows)
    box = line < 8
    other = np.where(box | (rng.random(rows) < 0.1), stranger, friend)
    return _as_stored(rng, line, other, event_type, answer, start, duration, box)


def _hours() -> Any:
    weight = np.array([3, 2, 1, 1, 1, 2, 5, 9, *[20] * 12, 14, 9, 6, 4], dtype=np.float64)
    return weight / weight.sum()


def _as_stored(
    rng: Any,
    line: Any,
    other: Any,
    event_type: Any,
    answer: Any,
    start: Any,
    duration: Any,
    box: Any,
) -> pl.DataFrame:
    rows = len(line)
    handset = np.where(
        box, rng.integers(0, 4, rows), 100 + line // 2 * 3 + (rng.random(rows) < 0.03)
    )
    place = np.where(box, 1 + line % 3, 1 + (line + rng.integers(0, 5, rows) ** 2) % 60)
    offset = np.where(start >= BASE + 5 * 86_400, 8, 4)
    number_class = np.array((1, 2, 2, 3, 4, 5, 6, 8))[other % 8]
    known = rng.random(rows)
    frame = pl.DataFrame(
        {
            "line": 999_555_000_000 + line + (12 << LENGTH_SHIFT),
            "other": (999_155_000_000 + other + (12 << LENGTH_SHIFT)),
            "imsi": 1_010_000_000_000 + line + (15 << LENGTH_SHIFT),
            "imei": 35_209_900_000_000 + handset + (14 << LENGTH_SHIFT) + (15 << CHECK_SHIFT),
            "place": (place + (1 << TEXT_BIT)),
            "start": start,
            "offset": offset,
            "duration": duration,
            "kind": event_type | (answer << 2) | ((line % 3) << Kind.FEED_SHIFT),
            "cause": np.where(answer == Kind.NO, rng.choice((16, 17, 1), rows), 0),
            "class": number_class,
        }
    ).with_columns(pl.Series("known", known))
    here = pl.col("known")
    frame = frame.with_columns(
        other=pl.when(here < 0.98).then(pl.col("other")).otherwise(0).cast(pl.UInt64)
        + pl.col("class").cast(pl.UInt64) * (1 << CLASS_SHIFT) * (here < 0.98),
        imei=pl.when((here * 7) % 1 < 0.9).then("imei").otherwise(0),
        place=pl.when((here * 11) % 1 < 0.9).then("place").otherwise(0),
        imsi=pl.when((here * 13) % 1 < 0.8).then("imsi").otherwise(0),
        call_ref=pl.lit(0),
        source=pl.lit(0),
        row=pl.int_range(1, pl.len() + 1),
    )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in STORED.schema.items())
