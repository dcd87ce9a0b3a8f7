"""What a real network would not betray, the worlds do not betray either.

Trees see nothing but digits of identities, seconds of the minute, last digits of durations and
the order of rows; they must do no better than chance, in worlds of other seeds and in their own.
Every line shows the same number of records, so that busy lines do not betray themselves by how
even their averages are, and every room or family that bought SIM cards together shows one line:
the lines of one room are no independent evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest

from simbox.ingest.cdr.profile import load_all
from simbox.simulation.group import NO_SITE
from simbox.simulation.numbering import FEATURE_TACS, MODULE_TACS, PHONE_TACS, TAC_HEAD
from simbox.simulation.plan import KINDS, Plan
from simbox.simulation.world import World
from simbox.simulation.writing import Target, write_world

trees = pytest.importorskip("sklearn.tree", reason="trained comparators are an extra")
forests = pytest.importorskip("sklearn.ensemble")
scores = pytest.importorskip("sklearn.metrics")
folds = pytest.importorskip("sklearn.model_selection")

GATEWAY = "gateway/"
RECORDS, LONG_CALLS = 8, 4  # of every line
LONG_S = 100  # conversations whose last digits are even by nature
SEEDS = (11, 12)
SIGMAS = 4.0
PEOPLE, ROOMS = 1500, 12  # rooms of every kind of gateway

pytestmark = pytest.mark.skipif(
    not any(kind.name.startswith(GATEWAY) for kind in KINDS), reason="no gateways to be told"
)


@cache
def told(seed: int) -> pl.DataFrame:
    """Lines of a world, one of each purchase: their records as written, kinds and purchases."""
    counts = {kind.name: ROOMS for kind in KINDS if kind.name.startswith(GATEWAY)}
    counts["lookalike/machine"] = 60  # who use radio modules too
    plan = Plan(people=PEOPLE, days=1, seed=seed, counts=counts)
    world = World.build(plan)
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        write_world(plan, Target(out, load_all()["generic-served"]), lambda: world)
        rows = pl.read_parquet(out / "*.parquet")
    lines = world.lines.select(
        line=pl.col("number").cast(pl.String),
        gateway=pl.col("kind").str.starts_with(GATEWAY),
        bought=pl.Series(bought_together(world)),
    )
    return rows.with_row_index("row").join(lines, on="line", how="left", maintain_order="left")


def bought_together(world: World) -> np.ndarray:
    """A number of each purchase, or of each room where a line has one."""
    parts, first = [], 0
    for group in world.groups:
        batch = np.unique(group.batch, return_inverse=True)[1]
        if group.room is not None:
            housed = group.room != NO_SITE
            batch = np.where(housed, batch.max(initial=0) + 1 + group.room, batch)
        parts.append(first + batch)
        first += int(batch.max(initial=-1)) + 1
    return np.concatenate(parts)


def sampled(rows: pl.DataFrame, seed: int, records: int) -> pl.DataFrame:
    """As many records of each line, and one line of each purchase."""
    drawn = rows.with_columns(chance=pl.Series(np.random.default_rng(seed).random(rows.height)))
    ordered = drawn.sort("chance")
    enough = ordered.filter(
        pl.len().over("line") >= records, pl.int_range(pl.len()).over("line") < records
    )
    of_line = enough.group_by("line").agg(pl.col("chance").min(), pl.col("bought").first())
    chosen = of_line.sort("chance").unique("bought", keep="first", maintain_order=True)
    return enough.filter(pl.col("line").is_in(chosen["line"].implode()))


def digits(column: str, places: range) -> list[pl.Expr]:
    """Some decimal places of what a line had at a moment, counted from the end."""
    text = pl.col(column).first()  # not the most frequent: ties would have to be broken
    return [
        text.str.slice(-place, 1).cast(pl.Float64).alias(f"{column}_{place}") for place in places
    ]


def marks(seed: int) -> pl.DataFrame:
    """What should tell nothing of a line: a row each."""
    rows = told(seed).filter(pl.col("imsi").is_not_null())
    second = pl.col("start").dt.second().cast(pl.Float64)
    rows = rows.with_columns(
        second=second,
        place=(pl.col("line").cum_count().over("start") - 0.5) / pl.len().over("start"),
        area=pl.col("cell").str.split("-").list.get(2).cast(pl.Float64),
        ci=pl.col("cell").str.split("-").list.get(3),
        serial=pl.col("imei").str.slice(8),
    )
    return sampled(rows, seed, RECORDS).group_by("line").agg(
        pl.col("gateway", "bought").first(),
        pl.col("line").first().cast(pl.Float64).alias("number"),
        pl.col("imsi").first().cast(pl.Float64).alias("sim"),
        *digits("line", range(1, 8)),
        *digits("imsi", range(1, 8)),
        *digits("serial", range(1, 8)),
        *digits("ci", range(1, 5)),
        pl.col("area").first(),
        pl.col("second").mean().alias("second"),
        pl.col("second").std().alias("second_spread"),
        (pl.col("second") == 0).mean().alias("whole_minutes"),
        (pl.col("second") % 10 == 0).mean().alias("round_seconds"),
        (pl.col("second") % 2).mean().alias("odd_seconds"),
        pl.col("place").mean(),
        (pl.col("row") % 2).mean().alias("odd_rows"),
    ).sort("line").drop("line")  # fmt: skip


def last_digits(seed: int) -> pl.DataFrame:
    """The last digits of long conversations of a line: a row each."""
    rows = told(seed).filter(pl.col("duration") > LONG_S)
    last = pl.col("duration") % 10
    return sampled(rows, seed, LONG_CALLS).group_by("line").agg(
        pl.col("gateway", "bought").first(),
        last.mean().alias("digit"),
        last.std().alias("digit_spread"),
        (last == 0).mean().alias("round"),
        (last % 5 == 0).mean().alias("fives"),
        (pl.col("duration") % 2).mean().alias("odd"),
        (pl.col("duration") % 60 == 0).mean().alias("whole_minutes"),
    ).sort("line").drop("line")  # fmt: skip


Table = Callable[[int], pl.DataFrame]
Learner = Callable[[], Any]
TABLES: dict[str, Table] = {
    "identities, seconds and rows": marks,
    "last digits of durations": last_digits,
}
LEARNERS: dict[str, Learner] = {
    "a tree": lambda: trees.DecisionTreeClassifier(
        max_depth=6, min_samples_leaf=10, class_weight="balanced", random_state=0
    ),
    "a forest": lambda: forests.RandomForestClassifier(
        100, max_depth=8, min_samples_leaf=5, class_weight="balanced", random_state=0
    ),
}


def split(table: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Marks, whether a gateway, and who bought together."""
    told_by = table.drop("gateway", "bought").to_numpy()
    return told_by, table["gateway"].to_numpy(), table["bought"].to_numpy()


def lead(truth: np.ndarray, guess: np.ndarray) -> float:
    """The area under the curve over one half, in standard errors of pure chance."""
    ours = int(truth.sum())
    theirs = len(truth) - ours
    assert ours > 30
    error = np.sqrt((ours + theirs + 1) / (12.0 * ours * theirs))  # of Mann and Whitney's U
    return float((scores.roc_auc_score(truth, guess) - 0.5) / error)


SLOW = {"a forest": pytest.mark.slow}
every_learner = pytest.mark.parametrize(
    "learner",
    [pytest.param(make, id=name, marks=SLOW.get(name, ())) for name, make in LEARNERS.items()],
)
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


@every_learner
@every_table
@pytest.mark.parametrize("seeds", [SEEDS, SEEDS[::-1]], ids=["there", "back"])
def test_what_is_learned_in_one_world_is_worth_nothing_in_another(
    table: Table, learner: Learner, seeds: tuple[int, int]
) -> None:
    (marked, truth, _), (others, hidden, _) = (split(table(seed)) for seed in seeds)
    guess = learner().fit(marked, truth).predict_proba(others)[:, 1]
    assert abs(lead(hidden, guess)) < SIGMAS


@every_learner
@every_table
def test_what_is_learned_of_some_lines_is_worth_nothing_for_others(
    table: Table, learner: Learner
) -> None:
    marked, truth, groups = split(table(SEEDS[0]))
    dealt = folds.StratifiedGroupKFold(4, shuffle=True, random_state=0)
    guess = folds.cross_val_predict(
        learner(), marked, truth, groups=groups, cv=dealt, method="predict_proba"
    )
    assert abs(lead(truth, guess[:, 1])) < SIGMAS


def test_learner_that_is_shown_a_give_away_finds_it() -> None:
    table = marks(SEEDS[0])
    betrayed = table.with_columns(
        whole_minutes=pl.when("gateway").then(0.25).otherwise("whole_minutes")
    )
    marked, truth, _ = split(betrayed)
    half = np.arange(len(truth)) % 2 == 0
    guess = LEARNERS["a tree"]().fit(marked[half], truth[half]).predict_proba(marked[~half])[:, 1]
    assert lead(truth[~half], guess) > SIGMAS


def test_gateways_use_the_type_codes_that_others_use() -> None:
    rows = told(SEEDS[0]).filter(pl.col("imei").is_not_null())
    codes = rows.select(code=pl.col("imei").str.slice(0, 8).cast(pl.Int64), gateway="gateway")
    models = PHONE_TACS + FEATURE_TACS + MODULE_TACS
    assert codes["code"].is_between(TAC_HEAD, TAC_HEAD + models, closed="left").all()
    module = pl.col("code") >= TAC_HEAD + PHONE_TACS + FEATURE_TACS
    ours, others = (codes.filter(module, pl.col("gateway") == is_one) for is_one in (True, False))
    assert 0 < ours["code"].n_unique() <= MODULE_TACS
    assert set(ours["code"]) <= set(others["code"])


def test_times_and_durations_have_no_decimals() -> None:
    rows = told(SEEDS[0])
    assert (rows["start"].dt.epoch("ms") % 1000 == 0).all()
    assert rows["duration"].dtype.is_integer()
