"""An evaluation from its inputs to its report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from simbox.errors import InputError, UsageError
from simbox.evaluation.calibration import calibration
from simbox.evaluation.comparators import LabelledRun, compare
from simbox.evaluation.degradation import alone, without
from simbox.evaluation.delay import Delays, delays
from simbox.evaluation.inputs import RunInput, cells_of, kept_events, open_input
from simbox.evaluation.intervals import Estimate, mean_of_values
from simbox.evaluation.metrics import FIGURES, Metrics, mean_of, measure
from simbox.evaluation.replay import Replay
from simbox.evaluation.report import Degraded, Report, World
from simbox.evaluation.sites import site_world
from simbox.evaluation.sites_delay import site_delays, summary
from simbox.evaluation.sites_figures import SiteFigures, line_recall, site_figures
from simbox.outputs import folder as run_folder
from simbox.outputs.folder import RunFolder
from simbox.outputs.progress import Step, silent
from simbox.pipeline import families
from simbox.scoring import scorecard


@dataclass(frozen=True)
class Asked:
    """What an evaluation is asked for."""

    inputs: Sequence[Path]  # run folders, or tables of lines and scores: one a world
    labels: Sequence[Path] = ()  # in the same order; none: looked for beside the runs' inputs
    keep_unlabelled: bool = True
    alone: bool = False  # lines by themselves, without what their sites add
    without: tuple[str, ...] = ()
    train: Path | None = None  # a run of another world, that comparators are trained on
    train_labels: Path | None = None
    delay: bool = False


def evaluate(asked: Asked, step: Step = silent) -> Report:
    """Measure rankings against what their lines really are.

    Raises:
        UsageError: as many labels as inputs are wanted, or none.
        InputError: an input cannot be used, or is none of the runs that an option needs.
    """
    labels: list[Path | None] = [*asked.labels] or [None] * len(asked.inputs)
    if len(labels) != len(asked.inputs):
        raise UsageError(
            f"--labels: {len(labels)} given for {len(asked.inputs)} inputs; give one for each, in "
            "their order, or none"
        )
    step("measuring")
    worlds = [
        open_input(path, truth, keep_unlabelled=asked.keep_unlabelled)
        for path, truth in zip(asked.inputs, labels, strict=True)
    ]
    sites = _sites(worlds, step)
    if asked.alone:
        worlds = [_by_themselves(world, "--alone") for world in worlds]
    own = [_measured(world, world.scored) for world in worlds]
    base, degraded = _without(worlds, asked.without, step)
    return Report(
        worlds=tuple(_counted(world, found) for world, found in zip(worlds, own, strict=True)),
        metrics=mean_of(own),
        calibration=calibration(worlds),
        prior=worlds[0].prior,
        base=base,
        degraded=degraded,
        comparators=_compared(worlds, asked, step),
        delays=_delayed(worlds, step) if asked.delay else None,
        sites=sites,
    )


def _measured(world: RunInput, scored: pl.DataFrame) -> Metrics:
    try:
        return measure(scored)
    except InputError as error:
        raise InputError(f"{world.where}: {error}") from None


def _counted(world: RunInput, found: Metrics) -> World:
    lines = found.others + found.gateways - found.absent
    return World(
        world.where, lines, found.gateways, found.absent, world.unlabelled, world.kept
    )  # fmt: skip


def _run(world: RunInput, option: str) -> RunFolder:
    if world.run is None:
        raise InputError(f"{world.where}: {option} wants a run folder, not a table of scores")
    return world.run


def _by_themselves(world: RunInput, option: str) -> RunInput:
    """A world whose lines are scored without what their sites add."""
    return replace(world, scored=world.labelled(alone(_run(world, option))))


def _sites(worlds: Sequence[RunInput], step: Step) -> SiteFigures | None:
    """The figures of sites, where runs looked for them and the truth has some."""
    found = [(world, sites) for world in worlds if (sites := site_world(world))]
    if not found:
        return None
    step("lines by themselves")
    both = [
        (_measured(world, world.scored), _measured(world, world.labelled(alone(world.run))))
        for world, _ in found
        if world.run
    ]
    late = [told for world, _ in found if (told := site_delays(world)) is not None]
    return replace(
        site_figures([sites for _, sites in found]),
        line_recall=line_recall(*map(mean_of, zip(*both, strict=True))),
        delays=summary(late) if late else (),
    )


def _without(
    worlds: Sequence[RunInput], families: Sequence[str], step: Step
) -> tuple[Metrics | None, tuple[Degraded, ...]]:
    """The figures of lines by themselves with all data, and without each family."""
    if not families:
        return None, ()
    whole = [_by_themselves(world, "--without") for world in worlds]
    own = [_measured(world, world.scored) for world in whole]
    return mean_of(own), tuple(_degraded(worlds, own, family, step) for family in families)


def _degraded(
    worlds: Sequence[RunInput], own: Sequence[Metrics], family: str, step: Step
) -> Degraded:
    """Every world scored anew without a family, and what that costs."""
    found = []
    for world in worlds:
        step(f"scoring {world.where} without {family}")
        lines = without(_run(world, "--without"), family)
        found.append(_measured(world, world.labelled(lines)))
    loss = {name: mean_of_values(list(_losses(own, found, name))) for name in FIGURES}
    return Degraded(family, mean_of(found), loss)


def _losses(own: Iterable[Metrics], found: Iterable[Metrics], name: str) -> Iterable[float]:
    for full, less in zip(own, found, strict=True):
        before, after = _value(full.figures[name]), _value(less.figures[name])
        yield (before - after) / before if before else 0.0


def _value(estimate: Estimate) -> float:
    return estimate.value or 0.0


def _compared(worlds: Sequence[RunInput], asked: Asked, step: Step) -> dict[str, Metrics] | None:
    """The comparators, trained on another world, on each world that is evaluated."""
    if asked.train is None:
        return None
    train = open_input(asked.train, asked.train_labels, keep_unlabelled=asked.keep_unlabelled)
    found: dict[str, list[Metrics]] = {}
    for world in worlds:
        step(f"comparators on {world.where}")
        for name, ranking in compare(_labelled(world), _labelled(train)).items():
            found.setdefault(name, []).append(_measured(world, world.labelled(ranking)))
    return {name: mean_of(metrics) for name, metrics in found.items()}


def _labelled(world: RunInput) -> LabelledRun:
    """A world as comparators learn from it."""
    features = _run(world, "--train").path / run_folder.FEATURES
    return LabelledRun(features, world.scored.select("line", "kind"))


def _delayed(worlds: Sequence[RunInput], step: Step) -> Delays:
    """The delays of the gateways of all worlds."""
    found = []
    for world in worlds:
        run = _run(world, "--delay")
        step(f"replaying {world.where}")
        how = Replay(scorecard(run.config, families()), cells=cells_of(run))
        found.append(delays(kept_events(run, "--delay"), world.labels, how))
    return Delays(
        pl.concat(one.lines for one in found),
        sum(one.unseen for one in found),
        sum(one.left_out for one in found),
        max(one.warm_up_days for one in found),
    )
