"""A table of text, and how figures are written in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simbox.evaluation.intervals import Estimate

NOTHING = "–"


@dataclass(frozen=True)
class Sheet:
    """A table: title, a sentence below it, headings, and rows of as many texts."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def told(estimate: Estimate) -> str:
    """A figure with three decimals, and its interval with two."""
    return spread(estimate, lambda value: f"{value:.3f}", lambda value: f"{value:.2f}")


def percent(estimate: Estimate) -> str:
    """A share in percent with its interval, to two digits that count."""
    return spread(estimate, lambda value: short(100 * value))


def spread(
    estimate: Estimate, text: Callable[[float], str], ends: Callable[[float], str] | None = None
) -> str:
    """A figure and its interval; a dash where it is not known."""
    if estimate.value is None:
        return NOTHING
    if estimate.low is None or estimate.high is None:
        return text(estimate.value)
    end = ends or text
    return f"{text(estimate.value)} ({end(estimate.low)}–{end(estimate.high)})"


def short(value: float | None) -> str:
    """A number with two digits that count; a dash for none."""
    if value is None:
        return NOTHING
    return "0" if value == 0 else f"{value:.2g}" if abs(value) < 100 else f"{value:,.0f}"
