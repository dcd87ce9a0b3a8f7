"""Events in plain notation, as the case files write them.

One event a line: ``line type day time duration answered other``, then ``key=value`` for whatever
else is known: cell, imei (14 digits, or 15 with the check digit, or 16 of an IMEISV), imsi, cause,
feed, zone (hours ahead of UTC; the time given is local).  A dash means not there.  ``times=4
every=60 step=1`` stands for four such events, 60 seconds apart, each to the next number.

A party is its digits, with its class before them where it matters (``onnet:999155...``), or
``hashed:name`` and ``alphanumeric:NAME`` for texts, or ``withheld``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from event_tables import ANSWERS, BASE, TYPES, digits, imei, kind, text

from simbox.identifiers import CHECK_SV, CLASS_SHIFT, NumberClass

TEXTS = ("hashed", "alphanumeric", "account")


def events(notes: str) -> list[dict[str, int]]:
    """The rows of tables.STORED that notes stand for."""
    lines = (line.split("#")[0].split() for line in notes.splitlines())
    return [row for words in lines if words for row in _rows(words)]


def _rows(words: Sequence[str]) -> Iterator[dict[str, int]]:
    line, what, day, time, duration, answered, other = words[:7]
    more = dict(word.split("=") for word in words[7:])
    zone = int(more.pop("zone", "0"))
    start = BASE + (int(day) - 1) * 86_400 + _seconds(time) - 3600 * zone
    feed = int(more.pop("feed", "0"))
    times, every, step = (
        int(more.pop(k, n)) for k, n in (("times", "1"), ("every", "0"), ("step", "0"))
    )
    rest = {KEYS[name][0]: KEYS[name][1](value) for name, value in more.items()}
    for number in range(times):
        yield {
            "line": party(line),
            "kind": kind(TYPES[what], ANSWERS[answered], feed),
            "start": start + number * every,
            "offset": 4 * zone,
            "duration": -1 if duration == "-" else int(duration),
            "other": party(other) + number * step,
            **rest,
        }


def _seconds(time: str) -> int:
    hours, minutes, seconds = (int(part) for part in time.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def party(words: str) -> int:
    if words == "-":
        return 0
    if words == "withheld":
        return NumberClass.WITHHELD << CLASS_SHIFT
    name, _, value = words.rpartition(":")
    number_class = NumberClass[name.upper()] if name else NumberClass.UNKNOWN
    return text(value, number_class) if name in TEXTS else digits(value, number_class)


def handset(value: str) -> int:
    if not value.isdigit():
        return text(value)
    if len(value) == 16:
        return imei(value[:14], CHECK_SV)
    return imei(value[:14], int(value[14])) if len(value) == 15 else imei(value)


KEYS = {
    "cell": ("place", text),
    "imei": ("imei", handset),
    "imsi": ("imsi", digits),
    "cause": ("cause", int),
}
