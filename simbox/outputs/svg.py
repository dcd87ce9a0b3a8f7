"""The charts of the report as inline SVG; colours come from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from simbox.outputs.activity import HOURS, Day, busiest
from simbox.outputs.wording import nats as evidence

CELL = 12  # side of an hour in a heat strip
LABEL = 74  # room for a day's name left of it
BAR_HEIGHT = 18
STEPS = 5  # shades of the heat strip
HISTOGRAM = (640, 150)
STRIP = (480, 24)  # width of a strip of bars, height of a row
CHARACTER, LINE, GAP = 6.6, 11, 3  # of the labels: width of a digit, height, room between two
Label = tuple[float, float, str]  # middle, base line, text


def heat_strip(days: Sequence[Day]) -> str:
    """Events by day and hour, outgoing on the left and incoming on the right."""
    top = busiest(list(days))
    side = HOURS * CELL
    gap = 26
    width, height = LABEL + 2 * side + gap, 16 + len(days) * CELL + 2
    parts = [
        text(LABEL, 10, "outgoing by hour"),
        text(LABEL + side + gap, 10, "incoming by hour"),
    ]
    for row, day in enumerate(days):
        y = 16 + row * CELL
        parts.append(text(0, y + 9, f"{day.date:%a %d %b}"))
        for x0, counts in ((LABEL, day.outgoing), (LABEL + side + gap, day.incoming)):
            parts += [_hour(x0 + h * CELL, y, (n, top), (day, h)) for h, n in enumerate(counts)]
    return svg(width, height, "events by day and hour", parts)


def _hour(x: int, y: int, amount: tuple[int, int], when: tuple[Day, int]) -> str:
    count, top = amount
    shade = math.ceil(count * STEPS / top)
    day, hour = when
    title = f"<title>{day.date} {hour:02d}:00: {count}</title>" if count else ""
    return (
        f'<rect class="h{shade}" x="{x}" y="{y}" width="{CELL - 1}" height="{CELL - 1}">'
        f"{title}</rect>"
    )


def waterfall(parts: Sequence[tuple[str, float]], total: float) -> str:
    """Contributions one after another from zero to the score, those against drawn backwards."""
    ends = [0.0]
    for _, nats in parts:
        ends.append(ends[-1] + nats)
    low, high = min(*ends, total, 0.0), max(*ends, total, 0.0)
    name_room, chart, value_room = 100, 340, 60
    scale = chart / (high - low or 1.0)
    drawn = [_rule(name_room + (0 - low) * scale, BAR_HEIGHT * (len(parts) + 1))]
    for row, (name, nats) in enumerate(parts):
        x = name_room + (min(ends[row : row + 2]) - low) * scale
        drawn += _bar(row, name, nats, (x, scale))
    start = name_room + (min(total, 0.0) - low) * scale
    drawn += _bar(len(parts), "score", total, (start, scale), "sum")
    height = BAR_HEIGHT * (len(parts) + 1) + 4
    return svg(name_room + chart + value_room, height, "what the score is made of", drawn)


def _bar(row: int, name: str, nats: float, at: tuple[float, float], kind: str = "") -> list[str]:
    x, scale = at
    y = row * BAR_HEIGHT
    width = max(abs(nats) * scale, 1.0)
    kind = kind or ("for" if nats >= 0 else "against")
    return [
        text(0, y + 13, name),
        f'<rect class="{kind}" x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="12"/>',
        text(x + width + 5, y + 13, evidence(nats)),
    ]


def strips(rows: Mapping[str, Sequence[int]], ends: tuple[str, str]) -> str:
    """Counts over time, a strip of bars a row, each against its own highest."""
    steps = max(len(row) for row in rows.values())
    step = STRIP[0] / steps
    parts = []
    for number, (name, row) in enumerate(rows.items()):
        base = (number + 1) * (STRIP[1] + GAP)
        top = max(*row, 1)
        parts += [
            text(0, base - 4, name),
            text(LABEL + STRIP[0] + 6, base - 4, f"most {max(row)}"),
        ]
        parts += [
            f'<rect class="sum" x="{LABEL + i * step:.1f}" y="{base - STRIP[1] * n / top:.1f}" '
            f'width="{max(step - 1, 0.5):.1f}" height="{STRIP[1] * n / top:.1f}">'
            f"<title>{escape(name)}: {n:,}</title></rect>"
            for i, n in enumerate(row)
            if n
        ]
    bottom = len(rows) * (STRIP[1] + GAP)
    parts += [_line(LABEL, LABEL + STRIP[0], bottom), text(LABEL, bottom + 14, ends[0]),
              text(LABEL + STRIP[0], bottom + 14, ends[1], "end")]  # fmt: skip
    return svg(LABEL + STRIP[0] + 60, bottom + 20, "calls over time", parts)


def histogram(counts: Sequence[tuple[str, int, str]]) -> str:
    """Lines by score: a bar a step, drawn by the logarithm so that one line stays visible."""
    width, height = HISTOGRAM
    step = (width - 10) / max(len(counts), 1)
    top = math.log10(1 + max([1, *(n for _, n, _ in counts)]))
    parts, tops = [], []
    for i, (name, count, kind) in enumerate(counts):
        x = 5 + i * step
        tall = math.log10(1 + count) / top * (height - 45)
        y = height - 22 - tall
        parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{step - 2:.1f}" '
            f'height="{tall:.1f}"><title>{escape(name)}: {count:,}</title></rect>'
        )
        if count:
            tops.append((x + step / 2 - 1, y - 4, f"{count:,}"))
    middles = [5 + (i + 0.5) * step - 1 for i in range(len(counts))]
    named = [(x, height - 7.0, name) for x, (name, _, _) in zip(middles, counts, strict=True)]
    parts += [text(*label, "middle") for label in _apart(named)]
    parts += [text(*label, "middle") for label in _apart(tops)]
    return svg(width, height, "lines by score", parts)


def _apart(labels: Sequence[Label]) -> Iterator[Label]:
    """The labels from left to right without those that would touch one before."""
    shown: list[Label] = []
    for x, y, words in labels:
        half = len(words) * CHARACTER / 2
        if not any(
            abs(y - other_y) < LINE and x - half - GAP < other_x + len(other) * CHARACTER / 2
            for other_x, other_y, other in shown
        ):
            shown.append((x, y, words))
            yield x, y, words


def _rule(x: float, height: int) -> str:
    return f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}"/>'


def _line(x1: float, x2: float, y: float) -> str:
    return f'<line class="rule" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    """Words at a place: left end, or what the anchor says, and base line."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def svg(width: float, height: float, label: str, parts: Sequence[str]) -> str:
    """A drawing of so many pixels, with what it shows in words."""
    body = "".join(parts)
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" '
        f'aria-label="{escape(label)}">{body}</svg>'
    )
