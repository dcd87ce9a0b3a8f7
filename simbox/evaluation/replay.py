"""Lines scored as they would have been at earlier times, from nothing but what was known then.

At each cut the features of a line come from its events that were over before the cut, and its
percentiles from a sample of all lines, measured at the last refresh before it.  Two things are
taken as known from the start, for a carrier knows them before: what the feeds can show at all
(``Context.feeds``), and who the lines are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from simbox.evaluation.replay_events import Recording
from simbox.features.context import CellTable
from simbox.features.engine import context_of, measure
from simbox.features.events import Events, arrange
from simbox.features.segments import Index
from simbox.identifiers import Ids, party
from simbox.scoring import Knots, Scorecard
from simbox.scoring.feature_table import FeatureTable
from simbox.scoring.grades import NO_KNOTS, Masks
from simbox.scoring.lists import NO_LISTS
from simbox.scoring.population import reference_knots
from simbox.scoring.verdicts import judge
from simbox.store import line_hash

LEAST_REFERENCE = 40  # reference lines of a sample below which there are no percentiles


@dataclass(frozen=True)
class Moment:
    """The watched lines that had something new at a cut, as they were scored then.

    ``lines`` has the columns that scoring gives a line, not ranked; ``features`` and ``parties``
    hold the same lines in the same order, ``events`` their events.
    """

    cut: int  # UTC seconds: what was over before it was known
    lines: pl.DataFrame
    features: pl.DataFrame
    parties: Ids
    events: Events


@dataclass(frozen=True)
class Replay:
    """How lines are scored at earlier times: the score, and what the percentiles are made of.

    ``done`` tells which lines of a moment are not looked at again; lines with fewer than
    ``least_outgoing`` calls and texts sent are not looked at yet.
    """

    card: Scorecard
    refresh_s: int = 3_600  # between two measurements of the sample
    cells: CellTable | None = None
    least_outgoing: int = 0
    done: Callable[[Moment], Masks] | None = None


def replay(recording: Recording, cuts: Sequence[int], how: Replay) -> Iterator[Moment]:
    """Score the watched lines at several times, each if it has something new since its last look.

    Args:
        recording: the events, as :func:`simbox.evaluation.replay_events.record` takes them out of
            a store.
        cuts: times in UTC seconds, ascending.
        how: the score and the percentiles.
    """
    seen = np.zeros(len(recording.watched), np.int64)
    closed = np.zeros(len(recording.watched), dtype=bool)
    knots, measured_at = NO_KNOTS, None
    for cut in cuts:
        known = recording.known_rows(cut)
        due = np.flatnonzero(~closed & (known > seen))
        due = due[recording.sent(due, known[due]) >= how.least_outgoing]
        if not len(due):
            continue
        seen[due] = known[due]
        refresh = cut // how.refresh_s * how.refresh_s
        if refresh != measured_at:
            knots, measured_at = knots_at(recording, refresh, how), refresh
        moment = look(recording, due, cut, how, knots)
        if how.done:
            closed[np.searchsorted(recording.watched, moment.parties[how.done(moment)])] = True
        yield moment


def look(recording: Recording, lines: Index, cut: int, how: Replay, knots: Knots) -> Moment:
    """Some watched lines, by number, as they are scored at a cut."""
    counts = recording.known_rows(cut)[lines]
    events = arrange(recording.rows_of(lines, counts))
    features = _measured(recording, events, cut, how, recording.watched[lines])
    judged, _ = judge(features, how.card, knots, NO_LISTS)
    parties = party(events.line_ids)
    return Moment(cut, judged, features, parties[np.argsort(line_hash(events.line_ids))], events)


def knots_at(recording: Recording, cut: int, how: Replay) -> Knots:
    """The percentiles at a cut, from the sample of lines.

    A sample stands for a population that is 1/share as large, so percentiles begin when it has
    that share of ``min_segment`` reference lines, though never below a floor.
    """
    rows = recording.population.before(cut)
    if rows.is_empty():
        return NO_KNOTS
    features = _measured(recording, arrange(rows), cut, how, recording.sampled)
    scoring = how.card.scoring
    fewer = max(math.ceil(scoring.min_segment * recording.share), LEAST_REFERENCE)
    scaled = scoring.model_copy(update={"min_segment": min(fewer, scoring.min_segment)})
    return reference_knots(FeatureTable.of(features), replace(how.card, scoring=scaled))


def _measured(
    recording: Recording, events: Events, cut: int, how: Replay, lines: Ids
) -> pl.DataFrame:
    """The features of some lines' events as they are at a cut, in the order of their hashes."""
    uses = recording.uses.on_handsets_of(lines, cut)
    store = recording.store.until(recording.last_start(cut), uses)
    return measure(events, context_of(store, how.cells), store)
