"""The lines of a site by time as inline SVG: shifts and turns to be seen in the report."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simbox.outputs.svg import STEPS, svg, text
from simbox.outputs.turns import HOUR_MIN, Counts, Turns

NAMES = 122  # room for a line's name
ROW = 12  # height of a line
HEAD = 30  # room for days and hours above
WIDE = 960  # of all days together
CELL = (3.0, 10.0)  # least and most width of a step
BETWEEN = 8  # two days
STRIP = 26  # height of the bars below
TICK = 34  # least room between two hours that are named


def turns_chart(found: Turns, most: int) -> str:
    """A row a line, a column a step, darker the more it calls; below, how many lines work."""
    days, steps = len(found.days), found.steps
    width = min(max(WIDE / (days * steps), CELL[0]), CELL[1])
    starts = [NAMES + n * (steps * width + BETWEEN) for n in range(days)]
    rows = min(len(found.lines), most)
    bottom = HEAD + rows * ROW
    parts = [
        *_heads(found, starts, width),
        *(text(0, HEAD + n * ROW + 10, line) for n, line in enumerate(found.lines[:rows])),
        *_grounds(starts, steps * width, rows),
        *_cells(found, starts, width, rows),
    ]
    more = len(found.lines) - rows
    if more:
        parts.append(text(0, bottom + 12, f"and {more:,} more"))
    base = bottom + STRIP + (16 if more else 6)
    parts += [
        text(0, base, "lines at work"),
        *_bars(found.at_work, starts, width, base),
        text(starts[-1] + steps * width + 6, base, f"most {int(found.at_work.max())}"),
    ]
    right = starts[-1] + steps * width + 60
    return svg(right, base + 6, "lines by time", parts)


def _heads(found: Turns, starts: list[float], width: float) -> Iterator[str]:
    columns = HOUR_MIN // found.step_min
    every = next(n for n in (1, 2, 3, 4, 6, 12, 24) if n * columns * width >= TICK or n == 24)
    for start, day in zip(starts, found.days, strict=True):
        yield text(start, 10, f"{day:%a %d %b}")
        for hour in range(0, found.steps // columns, every):
            name = f"{(found.begin_hour + hour) % 24:02d}"
            yield text(start + hour * columns * width, HEAD - 6, name)


def _grounds(starts: list[float], width: float, rows: int) -> Iterator[str]:
    """What is nothing: a light ground under each line and day."""
    drawn = "".join(
        f"M{start:.1f} {HEAD + n * ROW}h{width:.1f}v{ROW - 1}h-{width:.1f}z"
        for start in starts
        for n in range(rows)
    )
    yield f'<path class="h0" d="{drawn}"/>'


def _cells(found: Turns, starts: list[float], width: float, rows: int) -> Iterator[str]:
    """One path a shade, which keeps a large site small on the page; only called is outlined."""
    out, into = found.out[:rows], found.into[:rows]
    shade = np.ceil(out * STEPS / max(int(out.max()), 1)).astype(np.int64)
    for number in range(1, STEPS + 1):
        yield f'<path class="h{number}" d="{_path(shade == number, starts, width)}"/>'
    yield f'<path class="into" d="{_path((out == 0) & (into > 0), starts, width)}"/>'


def _path(chosen: Counts, starts: list[float], width: float) -> str:
    return "".join(
        f"M{starts[day] + step * width:.1f} {HEAD + line * ROW}h{width:.1f}v{ROW - 1}h-{width:.1f}z"
        for line, day, step in np.argwhere(chosen).tolist()
    )


def _bars(counts: Counts, starts: list[float], width: float, base: float) -> Iterator[str]:
    top = max(int(counts.max()), 1)
    drawn = ""
    for day, step in np.argwhere(counts > 0).tolist():
        tall = STRIP * counts[day, step] / top
        drawn += f"M{starts[day] + step * width:.1f} {base:.1f}v-{tall:.1f}h{width:.1f}v{tall:.1f}z"
    yield f'<path class="sum" d="{drawn}"/>'
