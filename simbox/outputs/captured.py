"""What captures are, in words: packets, period, damage, what was found and what was given up."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from simbox.ingest.capture.report import CaptureReport
from simbox.outputs.wording import plural, some

MOST_FILES = 2
LOST = re.compile(
    r"forgotten|cut|beyond|fragments|lies|longer than|wrong version|too (?:many|deep|long)"
    r"|unknown type|given up|lost|not believed|passed over|hole|without|no call-id"
)  # what the name of a count says when something could not be used


def summed(reports: Iterable[CaptureReport]) -> dict[str, int]:
    """The counts of all captures by name, the largest first."""
    total: Counter[str] = Counter()
    for report in reports:
        total.update(report.counts)
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def found(counts: Mapping[str, int]) -> dict[str, int]:
    """What was found, by protocol and kind."""
    return {_plain(name): n for name, n in counts.items() if n and not LOST.search(name)}


def given_up(counts: Mapping[str, int]) -> dict[str, int]:
    """What could not be used, by protocol and reason."""
    return {_plain(name): n for name, n in counts.items() if n and LOST.search(name)}


def damages(reports: Iterable[CaptureReport]) -> list[str]:
    """The damaged captures, each with where and how."""
    told = ((r.path, r.damage.replace(f"{r.path}: ", "")) for r in reports if r.damage)
    return [f"{path}: {damage}" for path, damage in told]


def files(reports: Sequence[CaptureReport]) -> str:
    """The captures by name with their formats, or their folder where there are many."""
    if len(reports) <= MOST_FILES:
        return ", ".join(f"{report.path} ({report.format})" for report in reports)
    formats = ", ".join(sorted({report.format for report in reports}))
    below = os.path.commonpath([report.path for report in reports]) or "."
    return f"{below}: {plural(len(reports), 'capture')} ({formats})"


def span(reports: Iterable[CaptureReport], zone: str) -> str:
    """From the first to the last packet by the local clock, to the second; empty without any."""
    times = [(r.first, r.last) for r in reports if r.first and r.last]
    if not times:
        return ""
    ends = min(first for first, _ in times), max(last for _, last in times)
    first, last = (f"{_local(end, zone):%Y-%m-%d %H:%M:%S}" for end in ends)
    return f"{first} to {last}"


def packets(reports: Sequence[CaptureReport]) -> str:
    """How much was read."""
    frames, number = sum(r.frames for r in reports), sum(r.packets for r in reports)
    outside = sum(r.outside for r in reports)
    text = f"{plural(number, 'packet')} in {plural(frames, 'frame')}"
    return f"{text}, {outside:,} outside the period" if outside else text


def facts(reports: Sequence[CaptureReport], zone: str) -> Iterator[tuple[str, str, bool]]:
    """Name, text, and whether it is a warning, of what is to be known about some captures."""
    yield "captures", files(reports), False
    period = span(reports, zone)
    yield (
        "packets",
        ", ".join(p for p in (packets(reports), period and f"{period} {zone}") if p),
        False,
    )
    if broken := damages(reports):
        yield "damaged", some(broken, MOST_FILES), True
    if lost := given_up(summed(reports)):
        yield "given up", ", ".join(f"{name} {n:,}" for name, n in lost.items()), True


def _plain(name: str) -> str:
    return name.replace("|", " ")


def _local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))
