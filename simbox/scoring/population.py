"""The reference population of each segment, and the percentiles that lines are compared with.

Gateways that make up a few per cent of a population would hide behind each other: the tail of a
signal that all of them show starts where they start.  So lines that the anchors alone, without
any percentile and with the look-alikes heard, already call gateways are left out of the reference
- at most a configured share, for anchors that do not fit a country must not empty it.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simbox.scoring.evidence import Integers, evidence
from simbox.scoring.feature_table import FeatureTable, outgoing
from simbox.scoring.grades import (
    KNOTS,
    NO_KNOTS,
    WHOLE_RUN,
    Floats,
    Knots,
    Masks,
    SegmentRows,
    column,
    quantile_knots,
)  # fmt: skip
from simbox.scoring.scorecard import MICRO, Scorecard, logit


def reference_knots(table: FeatureTable, card: Scorecard) -> Knots:
    """The knots of every scored feature in every segment that is large enough, and in the run."""
    scoring = card.scoring
    populations = _populations(table, card)
    rows = []
    for name, feature in card.features.items():
        if name not in table.columns:
            continue
        values = column(table.take(name), name)
        known = ~np.isnan(values)
        for segment, (kept, left_out) in populations.items():
            reference: Floats = values[kept & known]
            if len(reference) >= scoring.min_segment:
                knots = quantile_knots(reference, feature, scoring.levels)
                rows.append((segment, name, len(reference), left_out, knots.tolist()))
    return Knots(pl.DataFrame(rows, schema=KNOTS, orient="row")) if rows else NO_KNOTS


def _populations(table: FeatureTable, card: Scorecard) -> dict[str, tuple[Masks, int]]:
    """The reference lines of each segment and of the whole run, and how many are left out."""
    context = table.take("line", "segment", *card.counted)
    sent = outgoing(context, card.counted)
    used = np.ones(context.height, dtype=bool)
    if sent is not None:
        used = sent >= card.scoring.reference_outgoing
    if used.sum() < card.scoring.min_segment:
        return {}
    evident = _evidence_of_anchors(table, card)
    segments = dict(SegmentRows.of(context).masks)
    segments[WHOLE_RUN] = np.ones(context.height, dtype=bool)
    populations = {}
    for segment, mask in segments.items():
        reference = used & mask
        if reference.sum() >= card.scoring.min_segment:
            out = reference & (evident > _cutoff(evident[reference], card))
            populations[segment] = (reference & ~out, int(out.sum()))
    return populations


def _evidence_of_anchors(table: FeatureTable, card: Scorecard) -> Integers:
    """Each line's score when every grade is its ramp."""
    names = ("line", "segment", *card.counted, *card.inputs)
    trusting = card.trusting_anchors()
    chunks = [evidence(chunk, trusting, NO_KNOTS).total for chunk in table.chunks(names)]
    return np.concatenate(chunks)


def _cutoff(evident: Integers, card: Scorecard) -> int:
    """The score above which a reference line is left out, so that not too many are."""
    allowed = int(card.scoring.max_left_out * len(evident))
    gateway = round(MICRO * logit(card.scoring.alert_probability))
    least = np.sort(evident)[len(evident) - allowed - 1]
    return max(gateway, int(least))
