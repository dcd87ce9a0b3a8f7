"""Why a line has its score: the parts in short for a table, and one by one for an explanation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simbox.config import PER_MILLE
from simbox.scoring.evidence import Evidence
from simbox.scoring.grades import WHOLE_RUN, Floats, Knots, SegmentRows, column, ramp, tail, zeroed
from simbox.scoring.lookalikes import Lookalike, lookalike_grade
from simbox.scoring.scorecard import HOT_LIST, MICRO, PRIOR, SITE, Part, Scorecard

SHOWN = 3  # reasons in short, on each side
SEPARATOR = ", "

EXPLANATION: dict[str, pl.DataType | type[pl.DataType]] = {
    "code": pl.String,  # stable reason code
    "part": pl.String,  # column of contributions.parquet
    "kind": pl.String,  # prior, feature, lookalike, list
    "family": pl.String,  # of a feature
    "side": pl.String,  # for, against, neutral
    "contribution": pl.Float64,  # nats
    "micro_nats": pl.Int32,  # the same, whole: they sum to the score exactly
    "value": pl.Float64,  # of a feature
    "legit": pl.Float64,  # where suspicion starts
    "gateway": pl.Float64,  # where it is full
    "percentile": pl.Float64,  # that the value reaches; null below percentile_low
    "grade": pl.Float64,  # 0 to 1
    "because": pl.String,  # what a feature was compared with, what a look-alike is
}


@dataclass(frozen=True)
class _Group:
    """Parts that count as one reason: the features of a family, or a part by itself."""

    total: Floats
    strongest: Floats  # index of the part that says most for the line being a gateway
    weakest: Floats  # index of the part that says most against it


def short_reasons(made: Evidence, card: Scorecard) -> dict[str, pl.Series]:
    """The codes of the strongest reasons for and against, at most one a family, in order."""
    codes = pl.Series([part.code for part in card.parts])
    groups = [_group(made, members) for members in _grouped(card)]
    totals = np.stack([group.total for group in groups], axis=1)
    strongest = np.stack([group.strongest for group in groups], axis=1)
    weakest = np.stack([group.weakest for group in groups], axis=1)
    return {
        "reasons_for": _texts(-totals, strongest, codes),
        "reasons_against": _texts(totals, weakest, codes),
    }


def _grouped(card: Scorecard) -> list[list[tuple[int, Part]]]:
    """The parts beside the prior, with their positions, one list a group."""
    groups: dict[str, list[tuple[int, Part]]] = {}
    for position, part in enumerate(card.parts):
        if part.kind != PRIOR:
            groups.setdefault(part.group, []).append((position, part))
    return list(groups.values())


def _group(made: Evidence, members: list[tuple[int, Part]]) -> _Group:
    parts = zeroed(np.stack([made.parts[part.name] for _, part in members], axis=1))
    positions = np.array([position for position, _ in members])
    return _Group(
        parts.sum(axis=1), positions[parts.argmax(axis=1)], positions[parts.argmin(axis=1)]
    )


def _texts(totals: Floats, positions: Floats, codes: pl.Series) -> pl.Series:
    """The codes of the groups with the lowest totals below zero, the lowest first."""
    order = np.argsort(totals, axis=1, kind="stable")[:, :SHOWN]
    below = np.take_along_axis(totals, order, axis=1) < 0
    chosen = np.take_along_axis(positions, order, axis=1)
    columns = [
        pl.DataFrame({"code": codes.gather(chosen[:, k]), "said": below[:, k]})
        .select(pl.when("said").then("code").alias(str(k)))
        .to_series()
        for k in range(order.shape[1])
    ]
    text = pl.concat_str(pl.all(), separator=SEPARATOR, ignore_nulls=True)
    return pl.DataFrame(columns).select(text).to_series()


def explain(
    features: pl.DataFrame, contributions: pl.DataFrame, card: Scorecard, knots: Knots
) -> pl.DataFrame:
    """The score of one line taken apart, the weightiest part first.

    Args:
        features: the line's row of features.parquet.
        contributions: the line's row of contributions.parquet.
        card: what it was scored with.
        knots: what it was compared with.

    Returns:
        One row a part that there is (columns of EXPLANATION); micro_nats sum to the score.
    """
    parts = contributions.row(0, named=True)
    rows = [
        _row(part, parts[part.name], features, card, knots)
        for part in card.parts
        if parts.get(part.name) is not None
    ]
    return (
        pl.DataFrame(rows, schema=EXPLANATION)
        .sort(pl.col("kind") != PRIOR, -pl.col("micro_nats").abs().cast(pl.Int64), "part")
    )  # fmt: skip


def _row(
    part: Part, micro_nats: int, features: pl.DataFrame, card: Scorecard, knots: Knots
) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(EXPLANATION)
    side = "for" if micro_nats > 0 else "against" if micro_nats < 0 else "neutral"
    row |= {"code": part.code, "part": part.name, "kind": part.kind, "side": side}
    row |= {"micro_nats": micro_nats, "contribution": micro_nats / MICRO}
    if part.kind == "feature":
        row |= {"family": part.group} | _of_feature(part.name, features, card, knots)
    if part.kind == "lookalike":
        row |= _of_lookalike(part.name, features, card)
    if part.name == PRIOR:
        row["because"] = (
            f"one {card.subject} in {1 / card.scoring.prior:,.0f} is expected to be a gateway"
        )
    if part.name == HOT_LIST:
        row["because"] = "on a hot list"
    if part.name == SITE:
        row["because"] = "what the lines that it stands with show together"
    return row


def _of_feature(
    name: str, features: pl.DataFrame, card: Scorecard, knots: Knots
) -> dict[str, object]:
    anchors = card.features[name]
    values = column(features, name)
    segment = SegmentRows.of(features).masks[0][0]
    compared = knots.of(segment, name)
    out = tail(values, anchors, compared)
    reached, text = _percentile(float(out[0]), card, "none" if compared is None else segment)
    return {
        "value": float(values[0]),
        "legit": anchors.legit,
        "gateway": anchors.gateway,
        "percentile": reached,
        "grade": float(np.minimum(ramp(values, anchors), out)[0]),
        "because": text,
    }


def _percentile(out: float, card: Scorecard, segment: str) -> tuple[float | None, str]:
    """The percentile that a value reaches on the suspicious side, and how to say it."""
    levels = card.scoring.levels
    if segment == "none":
        return None, f"too few {card.subject}s to compare with"
    where = "the run" if segment == WHOLE_RUN else f"segment {segment}"
    reached = round(out * len(levels))
    if not reached:
        return None, f"within the ordinary {levels[0] / 10:g} % of {where}"
    percentile = levels[reached - 1]
    return percentile / PER_MILLE, f"beyond {percentile / 10:g} % of {where}"


def _of_lookalike(name: str, features: pl.DataFrame, card: Scorecard) -> dict[str, object]:
    lookalike, weight = next((k, w) for k, w in card.lookalikes if k.name == name)
    return {
        "grade": float(lookalike_grade(features, lookalike, weight)[0]),
        "because": f"{lookalike.doc} {_conditions(features, lookalike)}",
    }


def _conditions(features: pl.DataFrame, lookalike: Lookalike) -> str:
    values = {name: column(features, name)[0] for name in lookalike.conditions}
    return "; ".join(f"{n} {value:.4g}" for n, value in values.items() if not np.isnan(value))
