"""Detection delay: how much a gateway line does before it would have alerted.

The events of a run are replayed: every quarter of an hour each gateway line that did something
new is scored on what was known then, until it alerts for the first time (an alert may lapse
later).  Two things are counted up to that cut: outgoing calls, and hours of traffic, which are
quarters of an hour in which the line was in an outgoing call or sent a text, over four.  A line
that never alerts is censored: it counts as infinitely late in every median.

A carrier runs with a history and an evaluation begins without one.  So lines whose first event
lies in the first days of the data are told apart as ``early``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from simbox.errors import InputError
from simbox.evaluation.labels import GATEWAY, group_of
from simbox.evaluation.replay import Moment, Replay, replay
from simbox.evaluation.replay_events import Recording, Sampling, record
from simbox.features.engine import as_text
from simbox.features.events import QUARTER_S, Events
from simbox.features.segments import count, distinct
from simbox.scoring import Scorecard
from simbox.scoring.grades import Floats, Masks
from simbox.store import DAY_S, Store, line_hash
from simbox.tables import UTC, Kind

ALL = "all"
WARM_UP_SHARE = 1 / 3  # of the data, at most

#: One row a gateway line that has events.
LINES: dict[str, pl.DataType | type[pl.DataType]] = {
    "line": pl.String,
    "kind": pl.String,
    "early": pl.Boolean,  # its first event lies in the warm-up
    "alerted_at": UTC,  # the cut
    "calls": pl.UInt32,  # outgoing calls up to then
    "hours": pl.Float64,  # of traffic up to then
}
ALERTED = ("alerted_at", "calls", "hours")  # null where a line never alerts


@dataclass(frozen=True)
class Asked:
    """Whose percentiles, how finely the time is walked, and how many gateways are followed."""

    sampling: Sampling = field(default_factory=Sampling)
    step_s: int = QUARTER_S
    warm_up_days: float = 2.0
    most_lines: int = 5_000


@dataclass(frozen=True)
class Delays:
    """What became of each gateway line, and how many were left out."""

    lines: pl.DataFrame  # as LINES, by kind and line
    unseen: int  # labelled gateway lines without an event that was over
    left_out: int  # beyond the most that are followed; drawn by a seed
    warm_up_days: float

    def summary(self) -> pl.DataFrame:
        """Alerted, missed and delay of all gateways and of each kind, early lines apart.

        Columns kind, early, lines, alerted, missed, calls_median, calls_p90, hours_median and
        hours_p90.  A quantile is an observed delay: the smallest that this share of the lines
        does not exceed; infinite where that line was missed.
        """
        told = pl.concat([self.lines.with_columns(kind=pl.lit(ALL)), self.lines])
        infinite = pl.col("calls", "hours").cast(pl.Float64).fill_null(np.inf)
        figures = told.with_columns(infinite).group_by("kind", "early").agg(
            pl.len().alias("lines"),
            pl.col("alerted_at").count().alias("alerted"),
            pl.col("alerted_at").null_count().alias("missed"),
            *(
                pl.col(name).sort().get((pl.len() * level).ceil().cast(pl.Int64) - 1).alias(
                    f"{name}_{called}"
                )
                for name in ("calls", "hours")
                for called, level in (("median", 0.5), ("p90", 0.9))
            ),
        )  # fmt: skip
        return figures.sort(pl.col("kind") != ALL, "kind", "early")


def delays(store: Store, labels: pl.DataFrame, how: Replay, asked: Asked | None = None) -> Delays:
    """How late each labelled gateway line of a run would have alerted.

    Args:
        store: the events of the run.
        labels: columns line and kind (group/name).
        how: the score and the percentiles; who is looked at, and when, is settled here.
        asked: how finely, and how many lines.

    Raises:
        InputError: the labels hold no gateway, or the store no event.
    """
    asked = asked or Asked()
    gateways = labels.filter(group_of(pl.col("kind")) == GATEWAY).unique("line").sort("line")
    if gateways.is_empty():
        raise InputError("labels: no gateway among them; the delay is that of gateways")
    followed = _drawn(gateways.select("line", "kind"), asked)
    recording = record(store, followed["line"].to_list(), asked.sampling)
    how = replace(how, done=_alerts, least_outgoing=_least(how.card))
    moments = replay(recording, _cuts(recording, asked.step_s), how)
    nothing = pl.DataFrame(schema={name: LINES[name] for name in ("line", *ALERTED)})
    found = pl.concat([nothing, *(_alerted(moment) for moment in moments)])
    days = min(asked.warm_up_days, WARM_UP_SHARE * _window_s(recording) / DAY_S)
    lines = followed.join(_first_events(recording), on="line").join(found, on="line", how="left")
    lines = lines.with_columns(early=pl.col("first_s") < days * DAY_S)
    lines = lines.select(list(LINES)).sort("kind", "line")
    return Delays(lines, followed.height - lines.height, gateways.height - followed.height, days)


def _drawn(gateways: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """All gateway lines, or a seeded draw of as many as are followed at most."""
    if gateways.height <= asked.most_lines:
        return gateways
    rng = np.random.default_rng(asked.sampling.seed)
    drawn = np.sort(rng.choice(gateways.height, asked.most_lines, replace=False))
    return gateways[drawn]


def _least(card: Scorecard) -> int:
    """Calls and texts below which no line alerts."""
    return 0 if card.scoring.sufficient else card.scoring.min_outgoing


def _window_s(recording: Recording) -> int:
    manifest = recording.store.manifest
    return (manifest.last or 0) - (manifest.first or 0)


def _cuts(recording: Recording, step_s: int) -> range:
    """Full steps of the clock from the first event of the data to after the end of the last."""
    first = (recording.store.manifest.first or 0) // step_s * step_s
    last = int(recording.events.at.max(initial=first))
    return range(first + step_s, last + step_s + 1, step_s)


def _first_events(recording: Recording) -> pl.DataFrame:
    """The watched lines that have events, and their first one's seconds into the data."""
    start = recording.events.rows["start"].to_numpy().astype(np.int64)
    opens = recording.opens[:-1]
    first = np.minimum.reduceat(start, opens) if len(opens) else start[:0]
    line = as_text(pl.Series("line", recording.watched), recording.store)
    return pl.DataFrame({"line": line, "first_s": first - (recording.store.manifest.first or 0)})


def _alerts(moment: Moment) -> Masks:
    """Which lines of a moment alert."""
    return (moment.lines["status"] == "alert").to_numpy()


def _alerted(moment: Moment) -> pl.DataFrame:
    """The lines that alert at a cut, and what they had done until then."""
    hours = hours_of_traffic(moment.events)[np.argsort(line_hash(moment.events.line_ids))]
    told = moment.lines.select(
        "line",
        pl.lit(moment.cut * 1_000_000).cast(UTC).alias("alerted_at"),
        moment.features["moc"].alias("calls"),
        pl.Series("hours", hours),
    )
    return told.filter(pl.Series(_alerts(moment)))


def hours_of_traffic(events: Events) -> Floats:
    """Hours of traffic of each line: its quarters of an hour with an outgoing call or text."""
    sent = np.flatnonzero((events.event_type == Kind.MOC) | (events.event_type == Kind.SMS_MO))
    start = events.start[sent]
    first = start // QUARTER_S
    last = np.maximum(events.end[sent] - 1, start) // QUARTER_S
    lasting = last - first + 1
    before = np.repeat(np.cumsum(lasting) - lasting, lasting)
    quarter = np.repeat(first, lasting) + np.arange(int(lasting.sum())) - before
    line = np.repeat(events.line[sent], lasting)
    slots = distinct(line, quarter).first
    return np.asarray(count(line[slots], events.lines) * (QUARTER_S / 3_600))
