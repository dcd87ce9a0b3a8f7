"""The small world with a room in it: four ports, three cards each that take turns, one cell."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import small_world

DAYS = 5
PORTS, CARDS = 4, 3
CELL = "001-01-17-99"
LINES = [[f"9991300002{port}{card}" for card in range(CARDS)] for port in range(PORTS)]
EVERY_LINE = sorted(line for cards in LINES for line in cards)
OPENS, TURN = 9, timedelta(hours=3)  # hour of the day, time of one card in a port
CELLS = f"""cell,lat,lon,district
{CELL},12.5,-41.25,Harbour
001-01-17-0,12.1,-41.1,Hill
"""


def rows(seed: int = 5) -> list[str]:
    """The rows of all served lines in the order of time."""
    rng = random.Random(seed)
    others = [row for row in small_world.rows() if not row.startswith(small_world.GATEWAY)]
    found = [*others, *_room(rng)]
    return sorted(found, key=lambda row: (row.split(",")[2], row))


def write(folder: Path) -> Path:
    """The rows as one CSV file in a folder, and a table of cells beside the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join([small_world.HEADER, *rows()]) + "\n"
    (folder / "cdr.csv").write_text(text, encoding="utf-8")
    (folder.parent / "cells.csv").write_text(CELLS, encoding="utf-8")
    return folder


def _room(rng: random.Random) -> Iterator[str]:
    strangers = iter(rng.sample(range(10**7), 20_000))
    for day in range(DAYS):
        for port, cards in enumerate(LINES):
            opens = small_world.MONDAY + timedelta(days=day, hours=OPENS, seconds=20 * port)
            for turn, line in enumerate(cards):
                start = opens + turn * TURN
                while start < opens + (turn + 1) * TURN - timedelta(minutes=3):
                    seconds = rng.choice([0, rng.randint(10, 90), rng.randint(30, 240)])
                    other = f"99914{next(strangers):07d}"
                    yield (
                        f"{line},MOC,{start:%Y-%m-%d %H:%M:%S},{seconds},{other},"
                        f"{int(seconds > 0)},001010000777{line[-3:]},0010010000090{port}0,{CELL},"
                        f"{16 if seconds else 19}"
                    )
                    start += timedelta(seconds=seconds + rng.randint(60, 300))
