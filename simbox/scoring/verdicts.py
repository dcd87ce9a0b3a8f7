"""What is said about each line of a chunk: score, probability, status and reasons in short."""

from __future__ import annotations

import numpy as np
import polars as pl

from simbox.scoring.evidence import Evidence, Integers, evidence
from simbox.scoring.feature_table import outgoing
from simbox.scoring.grades import WHOLE_RUN, Floats, Knots, Masks, zeroed
from simbox.scoring.lists import ListEntries
from simbox.scoring.reasons import short_reasons
from simbox.scoring.scorecard import MICRO, Scorecard

STATUSES = ("alert", "watch", "clear", "listed")
STATUS = pl.Enum(STATUSES)
ALERT, WATCH, CLEAR, LISTED = range(len(STATUSES))

#: What scoring says about a line, in front of the columns that tell who it is.
LINE_COLUMNS = (
    "rank", "line", "status", "score", "probability", "families",
    "reasons_for", "reasons_against", "listed", "compared_with",
)  # fmt: skip
TOTAL = "total"


def judge(
    frame: pl.DataFrame, card: Scorecard, knots: Knots, lists: ListEntries
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The scored lines of a frame, not yet ranked, and their contributions."""
    listed = lists.match(frame)
    made = evidence(frame, card, knots).with_hot(listed["hot"].to_numpy(), card.hot_nats)
    total = made.total
    score = total / MICRO
    probability = 1.0 / (1.0 + np.exp(-score))
    fired, several = _families(made, card, listed)
    may_alert = (several & _enough(frame, card)) | _sufficient(made, card)
    lines = pl.DataFrame(
        {
            "line": frame["line"].cast(pl.String),
            "status": _statuses(probability, may_alert, card, listed),
            "score": score,
            "probability": probability,
            "families": fired.astype(np.uint8),
            **short_reasons(made, card),
            "listed": listed["listed"],
            "compared_with": _compared_with(frame, knots),
        }
    )
    context = [name for name in frame.columns if name != "line" and name not in card.known]
    return lines.hstack(frame.select(context)), _contributions(frame["line"], made, total)


def ranked(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines by falling score, equal ones by line, numbered from 1."""
    ordered = lines.sort("score", "line", descending=[True, False])
    return ordered.with_row_index("rank", 1)


def _families(made: Evidence, card: Scorecard, listed: pl.DataFrame) -> tuple[Floats, Masks]:
    """How many families have fired, and whether they are several and of different kinds.

    A hot-list entry counts as one: that somebody knows the line or device is no behaviour of it.
    """
    hot = listed["hot"].to_numpy()
    fired, other = np.zeros(len(hot)), hot.astype(np.float64)
    for name, grades in made.family_grades.items():
        fires = zeroed(grades) >= card.scoring.fired_grade
        fired += fires
        if name not in card.scoring.direction_volume:
            other += fires
    least = card.scoring.min_families
    return fired, (fired + hot >= least) & (other >= min(least, 1))


def _sufficient(made: Evidence, card: Scorecard) -> Masks:
    """Where a family has fired that needs no second one and no events: a device's own words."""
    fired = np.zeros(len(made.total), dtype=bool)
    for name in card.scoring.sufficient:
        if name in made.family_grades:
            fired |= zeroed(made.family_grades[name]) >= card.scoring.fired_grade
    return fired


def _enough(frame: pl.DataFrame, card: Scorecard) -> Masks:
    """The lines with enough outgoing events to alert; every one when events are not counted."""
    sent = outgoing(frame, card.counted)
    if sent is None:
        return np.ones(frame.height, dtype=bool)
    return np.asarray(sent >= card.scoring.min_outgoing)


def _statuses(
    probability: Floats, may_alert: Masks, card: Scorecard, listed: pl.DataFrame
) -> pl.Series:
    """Alert, watch or clear; no alert on a grey list, and no finding on a white one unless hot."""
    hot, white, grey = (listed[name].to_numpy() for name in ("hot", "white", "grey"))
    alert = (probability >= card.scoring.alert_probability) & may_alert & ~(grey & ~hot)
    status = np.where(probability >= card.scoring.watch_probability, WATCH, CLEAR)
    status = np.where(alert, ALERT, status)
    status = np.where(white & ~hot, LISTED, status)
    return pl.Series(STATUSES, dtype=STATUS).gather(status)


def _compared_with(frame: pl.DataFrame, knots: Knots) -> pl.Series:
    """The population behind each line's percentiles: segment, run or none."""
    if "segment" not in frame.columns:
        return pl.repeat(knots.basis(WHOLE_RUN), frame.height, eager=True)
    segment = frame["segment"].cast(pl.String).fill_null(WHOLE_RUN)
    basis = {name: knots.basis(name) for name in segment.unique()}
    return segment.replace_strict(basis, return_dtype=pl.String)


def _contributions(line: pl.Series, made: Evidence, total: Integers) -> pl.DataFrame:
    """Whole micro-nats of every part, null where it is not measured, and their sum."""
    columns = [
        pl.Series(name, part, nan_to_null=True).cast(pl.Int32) for name, part in made.parts.items()
    ]
    return pl.DataFrame(
        [line.cast(pl.String).alias("line"), *columns, pl.Series(TOTAL, total).cast(pl.Int32)]
    )
