"""Working days and hours of a room."""

from __future__ import annotations

import numpy as np

from simbox.simulation.attempts import DAY_S, HOUR_S, MINUTE_S, Bools, Floats, Rng
from simbox.simulation.surroundings import Surroundings

SHORTEST_S = 20.0 * MINUTE_S
ON_FIRST_DAY = 0.35  # rooms that already work when the records begin
WEEKEND_OFF = 0.4  # rooms that rest on Saturday or Sunday


def working_days(rng: Rng, around: Surroundings) -> Bools:
    """The days on which a room works, at least one: many begin later, some stop or skip days."""
    days = around.days
    first = 0 if rng.random() < ON_FIRST_DAY else int(rng.integers(0, max(1, days - 1)))
    last = days if rng.random() < 0.85 else int(rng.integers(first + 1, days + 1))
    number = np.arange(days)
    works = (number >= first) & (number < last) & (rng.random(days) > rng.uniform(0, 0.2))
    if rng.random() < WEEKEND_OFF:
        rests = np.array([around.weekend(day) for day in range(days)])
        works &= rests == 0 if rng.random() < 0.5 else rests < 2
    works[first] |= not works.any()
    return np.asarray(works)


def tidy(spans: Floats, days: int) -> Floats:
    """Sessions in order within the world, without the very short and without overlap."""
    spans = np.clip(spans[np.argsort(spans[:, 0])], 0, days * DAY_S)
    spans[1:, 0] = np.maximum(spans[1:, 0], np.maximum.accumulate(spans[:-1, 1]))
    length = spans[:, 1] - spans[:, 0]
    return np.asarray(spans[length >= min(SHORTEST_S, length.max())])


def office_hours(rng: Rng, around: Surroundings) -> Floats:
    """Sessions of a room whose staff keep hours, shape (n, 2) in seconds: some pause for lunch."""
    opens, length = rng.uniform(7.5, 11), rng.uniform(5.5, 11)
    late = np.exp(rng.uniform(np.log(2), np.log(40))) * MINUTE_S
    spans = _daily(rng, around, (opens, length), late)
    if rng.random() < 0.4:
        return _paused(rng, spans, around.days)
    return spans


def eight_hours(rng: Rng, around: Surroundings) -> Floats:
    """One session of eight hours a day, give or take some minutes, shape (n, 2) in seconds."""
    late = np.exp(rng.uniform(np.log(3), np.log(35))) * MINUTE_S
    return _daily(rng, around, (rng.uniform(7.5, 14), 8.0), late)


def short_trips(rng: Rng, around: Surroundings) -> Floats:
    """One or two sessions of some hours a day, shape (n, 2) in seconds."""
    opens, length = rng.uniform(8, 12), rng.uniform(2, 5)
    spans = _daily(rng, around, (opens, length), 25 * MINUTE_S)
    if rng.random() < 0.5:
        gap = length + rng.uniform(0.7, 2)
        spans = np.concatenate([spans, spans + gap * HOUR_S + rng.normal(0, 900, spans.shape)])
    return tidy(spans, around.days)


def all_day(rng: Rng, around: Surroundings) -> Floats:
    """Sessions of a room that works day and night but for failures of power or line."""
    days = np.flatnonzero(working_days(rng, around))
    opens = days[0] * DAY_S + (rng.uniform(0, 14) * HOUR_S if days[0] else 0)
    closes = (days[-1] + 1) * DAY_S
    failures = np.sort(rng.uniform(opens, closes, rng.integers(0, 4)))
    back = failures + np.exp(rng.uniform(np.log(600), np.log(10 * HOUR_S), len(failures)))
    return tidy(np.stack([np.r_[opens, back], np.r_[failures, closes]], axis=1), around.days)


def long_days(rng: Rng, around: Surroundings) -> Floats:
    """Sessions from the morning until late in the evening, shape (n, 2) in seconds."""
    return _daily(rng, around, (rng.uniform(5, 9), rng.uniform(13, 17)), 20 * MINUTE_S)


def _daily(rng: Rng, around: Surroundings, hours: tuple[float, float], late: float) -> Floats:
    """A session on each working day: when it opens and how many hours it lasts."""
    days = np.flatnonzero(working_days(rng, around))
    opens = days * DAY_S + hours[0] * HOUR_S + rng.normal(0, late, len(days))
    closes = opens + hours[1] * HOUR_S + rng.normal(0, late / 2, len(days))
    return tidy(np.stack([opens, closes], axis=1), around.days)


def _paused(rng: Rng, spans: Floats, days: int) -> Floats:
    noon = spans[:, 0] // DAY_S * DAY_S + rng.uniform(11.7, 13.2) * HOUR_S
    stops = noon + rng.normal(0, 240, len(spans))
    resumes = stops + rng.uniform(30, 100) * MINUTE_S + rng.normal(0, 240, len(spans))
    stops, resumes = (np.clip(moment, spans[:, 0], spans[:, 1]) for moment in (stops, resumes))
    halves = [np.stack([spans[:, 0], stops], 1), np.stack([resumes, spans[:, 1]], 1)]
    return tidy(np.concatenate(halves), days)
