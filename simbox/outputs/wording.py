"""Numbers as people read them, the same on the terminal and in the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

STYLES = {"alert": "bold red", "watch": "yellow", "clear": "green", "listed": "cyan"}
STYLES |= {"scanner": "magenta"}
SMALLEST = 0.01  # nats that are told apart
CERTAIN = 0.999  # beyond this, more digits would claim more than a score can know


def nats(value: float) -> str:
    """Evidence with its sign: for a gateway above zero, against below."""
    return f"{value:+.2f}" if abs(value) >= SMALLEST / 2 else "0.00"


def probability(value: float) -> str:
    """A probability with three decimals, and no more certainty than that."""
    if value > CERTAIN:
        return f">{CERTAIN}"
    if 0 < value < 1 - CERTAIN:
        return f"<{1 - CERTAIN:.3f}"
    return f"{value:.3f}"


def number(value: float | None) -> str:
    """A measured value in at most four characters of digits; a dash where it was not measured."""
    if value is None:
        return "–"
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}"


def percent(share: float) -> str:
    """A share in whole percent; what is there but below one percent does not read as nothing."""
    return "<1%" if 0 < share < 0.01 else f"{share:.0%}"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun in the right number."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def some(names: Sequence[str], most: int) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def counts(numbers: Mapping[str, int]) -> str:
    """Counts by name as one phrase, names without any left out."""
    return ", ".join(f"{name} {count:,}" for name, count in numbers.items() if count)


def shown(text: str) -> str:
    """A text from the data without what a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in text)
