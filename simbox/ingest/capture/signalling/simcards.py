"""A SIM and the device that it sits in, as gateways tell them: digits checked, changes kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

SECOND = 1_000_000_000  # nanoseconds
REPEAT = 300 * SECOND  # an unchanged SIM is told again after so much capture time
WEAKEST_DBM = -113  # of +CSQ 0 (TS 27.007 clause 8.5); a step is 2 dB
MAX_RSSI = 31  # 99 is not known

Key = TypeVar("Key")
Value = TypeVar("Value")


class Sim(NamedTuple):
    """What is known of the SIM in a slot, and of the handset identity before it."""

    number: str | None = None
    imsi: str | None = None
    imei: str | None = None
    iccid: str | None = None


def number(text: str | None) -> str | None:
    """A telephone number as digits, at most 15 (E.164); None where there is none."""
    return _digits((text or "").strip().removeprefix("+"), range(2, 16))


def line_number(text: str | None) -> str | None:
    """A number long enough to be a subscriber's own."""
    digits = number(text)
    return digits if digits is not None and len(digits) >= 6 else None


def imsi(text: str | None) -> str | None:
    """An IMSI of 15 digits (TS 23.003 clause 2.2); None for anything else and for zeros."""
    return _digits(text, (15,))


def imei(text: str | None) -> str | None:
    """An IMEI with or without check digit, or an IMEISV (TS 23.003 clause 6.2)."""
    return _digits(text, (14, 15, 16))


def iccid(text: str | None) -> str | None:
    """An ICCID of 19 or 20 digits (ITU-T E.118), without its filler."""
    return _digits((text or "").rstrip("Ff"), (19, 20))


def dbm(rssi: str | int | None) -> int | None:
    """The level in dBm of a +CSQ value 0-31 (TS 27.007 clause 8.5); None for 99 and nonsense."""
    text = str(rssi)
    if not (text.isascii() and text.isdigit() and len(text) <= 2) or int(text) > MAX_RSSI:
        return None
    return WEAKEST_DBM + 2 * int(text)


def plain(text: str | None, longest: int) -> str | None:
    """A short text without control characters; None when nothing is left of it."""
    kept = (text or "")[:longest]
    if not kept.isprintable():
        kept = "".join(filter(str.isprintable, kept))
    return kept.strip() or None


def _digits(text: str | None, lengths: range | tuple[int, ...]) -> str | None:
    """The text if it is that many digits and not zeros only."""
    if text is None or len(text) not in lengths or not (text.isascii() and text.isdigit()):
        return None
    return text if text.strip("0") else None


@dataclass(slots=True)
class Watch:
    """When a state was told last: changes are told at once, the same only now and then."""

    state: tuple[object, ...] | None = None
    time: int = 0

    def due(self, state: tuple[object, ...], time: int) -> bool:
        """Whether a row is due for this state at this capture time, nanoseconds."""
        if state == self.state and abs(time - self.time) < REPEAT:
            return False
        self.state, self.time = state, time
        return True


class Recent(Generic[Key, Value]):
    """State by key, forgotten by capture time and bounded in number."""

    def __init__(self, most: int, age: int) -> None:
        self._most = most
        self._age = age
        self._held: OrderedDict[Key, tuple[int, Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key) -> Value | None:
        held = self._held.get(key)
        return None if held is None else held[1]

    def touch(self, key: Key, time: int, make: Callable[[], Value]) -> Value:
        """The state of a key, made if it is new, and young again from now on."""
        held = self._held.get(key)
        value = make() if held is None else held[1]
        self._held[key] = (time, value)
        self._held.move_to_end(key)
        return value

    def put(self, key: Key, time: int, value: Value) -> None:
        """Set the state of a key."""
        self._held[key] = (time, value)
        self._held.move_to_end(key)

    def pop(self, key: Key) -> Value | None:
        held = self._held.pop(key, None)
        return None if held is None else held[1]

    def expired(self, time: int) -> Iterator[Value]:
        """Take out what is too old at this time, and the oldest where there is too much."""
        while self._held:
            oldest = next(iter(self._held.values()))
            if len(self._held) <= self._most and time - oldest[0] <= self._age:
                return
            yield self._held.popitem(last=False)[1][1]

    def drain(self) -> Iterator[Value]:
        """Take out everything, oldest first."""
        while self._held:
            yield self._held.popitem(last=False)[1][1]
