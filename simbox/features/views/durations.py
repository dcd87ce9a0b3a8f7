"""How long answered outgoing calls last."""

from __future__ import annotations

import numpy as np

from simbox.features.context import Context
from simbox.features.declaration import Measures, View, nan_where
from simbox.features.events import Events
from simbox.features.segments import count, count_where, median, total
from simbox.tables import Kind

SHORT_S = 15  # calls below it are the opener hung up on; the rule input of Shanghai Telecom
LONG_S = 180


def compute(events: Events, context: Context) -> Measures:
    """Sums, spread, median and tails of the durations of answered outgoing calls."""
    rows = events.moc
    answered = (events.duration[rows] > 0) & (events.answer[rows] != Kind.NO)
    rows = rows[answered]
    line, seconds = events.line[rows], events.duration[rows].astype(np.int64)
    calls = count(line, events.lines)
    sums, squares = total(line, seconds, events.lines), total(line, seconds**2, events.lines)
    few = calls < 2
    variance = (calls * squares - sums**2) / np.maximum(calls * (calls - 1), 1)
    return {
        "talked": calls,
        "talked_s": sums,
        "talk_sd_s": nan_where(few, np.sqrt(np.maximum(variance, 0))),
        "talk_median_s": median(line, seconds, events.lines),
        "talked_short": count_where(line, seconds < SHORT_S, events.lines),
        "talked_long": count_where(line, seconds > LONG_S, events.lines),
    }


VIEW = View(
    name="durations",
    doc="Durations of a line's answered outgoing calls.",
    columns={
        "talked": "outgoing calls of more than 0 s that are not known to be unanswered",
        "talked_s": "seconds talked in them",
        "talk_sd_s": "standard deviation of their duration, seconds; NaN below two calls",
        "talk_median_s": "median of their duration, seconds",
        "talked_short": f"those shorter than {SHORT_S} s",
        "talked_long": f"those longer than {LONG_S} s",
    },
    compute=compute,
)
