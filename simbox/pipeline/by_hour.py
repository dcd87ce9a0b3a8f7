"""A run replayed hour by hour: when each site and line would have alerted, by what was known then.

Each full hour the lines that may stand in a room are measured, scored and looked through for sites
on the events that were over by then.  Three things keep that within minutes, and make it
approximate.  Only lines that come near to being suspects at the end of some day are followed, as
their whole population is scored at the ends of days alone.  Percentiles, and what chance does,
come from a sample of all lines, measured every hour.  And what the feeds can show is taken as
known from the start, as a carrier knows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from simbox.config import Config
from simbox.features import compute, features
from simbox.features.context import CellTable
from simbox.features.engine import context_of, measure
from simbox.features.events import arrange
from simbox.features.segments import Mask, among
from simbox.features.sites.engine import features as features_of_sites
from simbox.identifiers import Ids, line_id, party
from simbox.outputs import folder as run_folder
from simbox.outputs.progress import Step, silent
from simbox.pipeline.known import Recording, StoreUntil, record
from simbox.pipeline.sites import FoundSites, find_sites, inherit
from simbox.scoring import Scored, score_file, scorecard
from simbox.scoring.feature_table import FeatureTable
from simbox.scoring.grades import NO_KNOTS, Knots
from simbox.scoring.lists import NO_LISTS, ListEntries
from simbox.scoring.population import reference_knots
from simbox.scoring.scorecard import Scorecard, logit
from simbox.scoring.sites.score import site_scorecard
from simbox.scoring.verdicts import judge, ranked
from simbox.store import DAY_S, Store, line_hash
from simbox.tables import UTC

HOUR_S = 3_600
SECOND_US = 1_000_000
NEAR_NATS = 2.0  # below what makes a suspect: of 511 suspects of any hour 10 stay below that
SAMPLE_LINES = 6_000
LEAST_REFERENCE = 40  # reference lines of the sample below which there are no percentiles
SITE, LINE = "site", "line"
TOLD = ("alert", "watch")

#: A row a site that is watch or alert at an hour, and the first hour of each such status a line.
BY_HOUR: dict[str, pl.DataType | type[pl.DataType]] = {
    "hour": UTC,  # the cut: what was over before it was known
    "local": pl.Datetime("us"),  # the same by the clock of the records
    "subject": pl.String,  # site or line
    "id": pl.String,  # a site's name changes with its lines
    "status": pl.String,
    "score": pl.Float64,
    "lines": pl.List(pl.String),  # members of a site
}


@dataclass(frozen=True)
class Replay:
    """How a run is scored at earlier times, and how coarsely."""

    config: Config
    lists: ListEntries = NO_LISTS
    cells: CellTable | None = None
    step_s: int = HOUR_S  # between two cuts
    sample_lines: int = SAMPLE_LINES

    @cached_property
    def card(self) -> Scorecard:
        """The score of lines."""
        return scorecard(self.config, {n: f.family for n, f in features().items()})

    @cached_property
    def site_card(self) -> Scorecard:
        """The score of sites."""
        return site_scorecard(self.config, {n: f.family for n, f in features_of_sites().items()})


@dataclass(frozen=True)
class Look:
    """Lines and sites as they were at a cut."""

    scored: Scored  # the followed lines
    found: FoundSites | None


def replay(store: Store, how: Replay, step: Step = silent) -> pl.DataFrame:
    """What would have been watch or alert at each hour, as :data:`BY_HOUR`.

    Raises:
        InputError: the store holds no event.
    """
    ends = _ends(store, how.step_s)
    followed, lines = _followed(store, ends, how, step)
    if not len(followed):
        return pl.DataFrame(schema=BY_HOUR)
    recording = record(store, followed, lines, how.sample_lines)
    told = [pl.DataFrame(schema=BY_HOUR)]
    known = 0
    for number, cut in enumerate(ends):
        step("replaying hours", number / len(ends))
        before, known = known, recording.known(cut)
        if recording.followed[before:known].any():
            told.append(_told(look(recording, cut, how), recording, cut))
        elif known:  # nobody did anything: as the hour before
            told.append(_again(told[-1], cut - how.step_s, how.step_s))
    return _first_of_lines(pl.concat(told))


def _ends(store: Store, step_s: int) -> list[int]:
    """Full steps of the clock from the first event to a step after the last, whose end is known."""
    first = (store.manifest.first or 0) // step_s * step_s
    last = (store.manifest.last or 0) // step_s * step_s
    return list(range(first + step_s, last + 3 * step_s, step_s))


def _followed(store: Store, ends: list[int], how: Replay, step: Step) -> tuple[Ids, int]:
    """The ids of lines that come near to being suspects at the end of a day; and all lines."""
    days = sorted({ends[-1], *range(ends[-2], ends[0], -DAY_S)})
    found, lines = [pl.DataFrame(schema={"line": pl.String})], 0
    for number, cut in enumerate(days):
        step("measuring days", number / len(days))
        with TemporaryDirectory(prefix="simbox-") as folder:
            scored = _population(StoreUntil(store, cut), how, Path(folder))
        found.append(_near(scored.lines, how.config).select("line"))
        lines = scored.lines.height
    named = pl.concat(found).unique("line", maintain_order=True)
    return named.select(line_id(pl.col("line"))).to_series().to_numpy(), lines


def _population(store: Store, how: Replay, folder: Path) -> Scored:
    """Every line as it was scored on some events."""
    table = folder / run_folder.FEATURES
    compute(store, folder / "parts", how.cells).table().sink_parquet(table, maintain_order=True)
    return score_file(table, folder / run_folder.CONTRIBUTIONS, how.card, how.lists)


def _near(lines: pl.DataFrame, config: Config, nats: float = NEAR_NATS) -> pl.DataFrame:
    """Lines at most so many nats short of a suspect, with as many calls or texts."""
    own = pl.col("score") - logit(config.scoring.prior)
    sent = pl.col("moc") + pl.col("sms_mo")
    return lines.filter(own > config.sites.suspect_nats - nats, sent >= config.sites.suspect_calls)


def look(recording: Recording, cut: int, how: Replay) -> Look:
    """The followed lines, and the sites among them, as they are at a cut."""
    count = recording.known(cut)
    with TemporaryDirectory(prefix="simbox-") as folder:
        scored = _scored(recording, count, how, Path(folder))
        calling = pl.col("moc") >= how.config.sites.suspect_calls
        suspects = _near(scored.lines, how.config, 0.0).filter(calling)
        hashes = np.sort(line_hash(_ids(suspects)))
        inside = among(recording.hashes[:count], hashes) | recording.sampled[:count]
        found = find_sites(
            recording.only(inside),
            replace(scored, lines=suspects),
            how.site_card,
            how.config,
            None,
        )
        return Look(inherit(scored, found, how.config, Path(folder)) if found else scored, found)


def _scored(recording: Recording, count: int, how: Replay, work: Path) -> Scored:
    """The followed lines as they are scored by the first so many rows."""
    store = recording.until(count)
    chosen = recording.followed[:count] | recording.sampled[:count]
    events = arrange(recording.rows.head(count).filter(pl.Series(chosen)))
    measured = measure(events, context_of(store, how.cells), store)
    hashes = np.sort(line_hash(events.line_ids))  # in which order lines are measured
    sample = measured.filter(_marked(recording, recording.sampled, hashes))
    followed = measured.filter(_marked(recording, recording.followed, hashes))
    knots = _knots(sample, how.card, recording.share)
    lines, parts = judge(followed, how.card, knots, how.lists)
    parts.write_parquet(work / run_folder.CONTRIBUTIONS)
    return Scored(ranked(lines), parts.lazy(), knots, ())


def _ids(lines: pl.DataFrame) -> Ids:
    return party(lines.select(line_id(pl.col("line"))).to_series().to_numpy())


def _marked(recording: Recording, mask: Mask, hashes: Ids) -> pl.Series:
    """Which lines, by ascending hashes, have marked rows."""
    return pl.Series(among(hashes, np.unique(recording.hashes[mask])))


def _knots(sample: pl.DataFrame, card: Scorecard, share: float) -> Knots:
    """The percentiles of a sample, which stands for a population 1 / share as large."""
    if sample.is_empty():
        return NO_KNOTS
    fewer = max(math.ceil(card.scoring.min_segment * share), LEAST_REFERENCE)
    fewer = min(fewer, card.scoring.min_segment)
    scoring = card.scoring.model_copy(update={"min_segment": fewer})
    return reference_knots(FeatureTable.of(sample), replace(card, scoring=scoring))


def _told(look: Look, recording: Recording, cut: int) -> pl.DataFrame:
    """The watched and alerting subjects of a look."""
    offset = int(recording.offset[recording.known(cut) - 1])
    frames = [look.scored.lines.select(subject=pl.lit(LINE), id="line", status=_text(),
                                       score="score", lines=None)]  # fmt: skip
    if look.found:
        members = look.found.members.group_by("site", maintain_order=True).agg(inside="line")
        frames.append(
            look.found.sites.join(members, on="site", maintain_order="left")
            .select(subject=pl.lit(SITE), id="site", status=_text(), score="score", lines="inside")
        )  # fmt: skip
    whole = pl.concat(frames, how="vertical_relaxed").filter(pl.col("status").is_in(TOLD))
    whole = whole.with_columns(
        hour=pl.lit(cut * SECOND_US), local=pl.lit((cut + offset) * SECOND_US)
    )
    return whole.select(pl.col(name).cast(kind) for name, kind in BY_HOUR.items())


def _text() -> pl.Expr:
    return pl.col("status").cast(pl.String)


def _again(last: pl.DataFrame, cut: int, step_s: int) -> pl.DataFrame:
    """The sites of an hour in the next one."""
    held = last.filter(
        (pl.col("subject") == SITE) & (pl.col("hour") == pl.lit(cut * SECOND_US).cast(UTC))
    )
    return held.with_columns(pl.col("hour", "local") + pl.duration(seconds=step_s))


def _first_of_lines(told: pl.DataFrame) -> pl.DataFrame:
    """Of each line and status the first hour alone."""
    lines = told.filter(pl.col("subject") == LINE).unique(
        ["id", "status"], keep="first", maintain_order=True
    )
    both = pl.concat([told.filter(pl.col("subject") == SITE), lines])
    return both.sort("hour", "subject", "id", maintain_order=True)
