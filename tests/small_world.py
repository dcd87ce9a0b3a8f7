"""A few lines of an invented network: ordinary ones, and one that only calls out, to strangers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

HEADER = "msisdn,event_type,start,duration,other,answered,imsi,imei,cell,cause"
MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001  # local time, as exports write it
DAYS = 8
GATEWAY = "999130000001"
ORDINARY = [f"9991300001{n:02d}" for n in range(30)]


def rows(seed: int = 7) -> list[str]:
    """The rows of the served lines in the order of time."""
    rng = random.Random(seed)
    found = [*_gateway(rng), *(row for line in ORDINARY for row in _ordinary(rng, line))]
    return sorted(found, key=lambda row: (row.split(",")[2], row))


def write(folder: Path, files: int = 1, seed: int = 7) -> Path:
    """The rows dealt out to so many CSV files of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    dealt = rows(seed)
    for number in range(files):
        text = "\n".join([HEADER, *dealt[number::files]]) + "\n"
        (folder / f"cdr_{number}.csv").write_text(text, encoding="utf-8")
    return folder


def _row(line: str, kind: str, start: datetime, seconds: int, other: str) -> str:
    text = kind.startswith("SMS")
    call = f"{seconds},{other},{int(seconds > 0)}" if not text else f",{other},"
    serial = f"{int(line) % 1_000_000:06d}"
    cell = f"001-01-17-{int(line) % 5 + start.hour % 3 if line != GATEWAY else 9}"
    return (
        f"{line},{kind},{start:%Y-%m-%d %H:%M:%S},{call},001010000{serial},00100100{serial}0,"
        f"{cell},{'' if text else 16 if seconds else 19}"
    )


def _gateway(rng: random.Random) -> Iterator[str]:
    for day in range(DAYS):
        start = MONDAY + timedelta(days=day, hours=9)
        for _ in range(70):
            start += timedelta(seconds=rng.randint(150, 600))
            seconds = rng.choice([0, rng.randint(3, 14), rng.randint(15, 240), 0])
            yield _row(GATEWAY, "MOC", start, seconds, f"99914{rng.randrange(10**7):07d}")
            start += timedelta(seconds=seconds)


def _ordinary(rng: random.Random, line: str) -> Iterator[str]:
    friends = rng.sample([other for other in ORDINARY if other != line], 4)
    for day in range(DAYS):
        for _ in range(rng.randint(2, 6)):
            start = MONDAY + timedelta(days=day, seconds=rng.randint(7 * 3600, 22 * 3600))
            kind = rng.choice(["MOC", "MTC", "MOC", "MTC", "SMS_MO", "SMS_MT"])
            seconds = rng.choice([0, rng.randint(20, 600), rng.randint(20, 600)])
            yield _row(line, kind, start, seconds, rng.choice(friends))
