"""What is evaluated: a finished run, or a table of lines and scores, with the truth about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from simbox.config import load
from simbox.errors import InputError
from simbox.evaluation.labels import GATEWAY, ORDINARY, TRUTH, group_of, read_labels
from simbox.evaluation.sites_truth import beside
from simbox.features.context import CellTable
from simbox.ingest.cells import load_cells
from simbox.outputs import folder as run_folder
from simbox.outputs.folder import RunFolder
from simbox.pipeline.notes import cell_table
from simbox.store import Store

#: What is measured of a ranking, a row a line; the last two are filled in from the labels.
SCORED: dict[str, pl.DataType | type[pl.DataType]] = {
    "line": pl.String,
    "score": pl.Float64,
    "probability": pl.Float64,
    "status": pl.String,
    "kind": pl.String,
    "site": pl.String,
}


@dataclass(frozen=True)
class RunInput:
    """A ranking with labels.

    ``scored`` has columns line, score, probability, status, kind and site, as
    :func:`simbox.evaluation.metrics.measure` takes them: the lines of the run, and those labelled
    that the run does not have, with a null score.
    """

    where: str  # the path, as messages name it
    scored: pl.DataFrame
    labels: pl.DataFrame  # line, kind (group/name), site; lines without a kind are left out
    run: RunFolder | None  # none when a table of scores was given
    unlabelled: int  # lines of the run without a label
    kept: bool = True  # those count as ordinary; else they are left out
    rooms: Path | None = None  # the table of true sites, where there is one beside the labels

    @property
    def prior(self) -> float:
        """The share of gateways that the printed probabilities were made for."""
        if self.run is None:
            return load().scoring.prior
        return float(self.run.record.config["scoring"]["prior"])  # of whatever version

    @property
    def absent(self) -> int:
        """Labelled gateways that the run does not have."""
        missed = self.scored.filter(pl.col("score").is_null())
        return int((missed.select(group_of(pl.col("kind")))["kind"] == GATEWAY).sum())

    def labelled(self, ranking: pl.DataFrame) -> pl.DataFrame:
        """Another ranking of the same lines (line, score and perhaps more), with the labels."""
        return _labelled(_complete(ranking), self.labels, keep=self.kept)


def open_input(path: Path, labels: Path | None, *, keep_unlabelled: bool = True) -> RunInput:
    """A run folder, or a CSV or Parquet table of lines and scores, beside its labels.

    Args:
        path: the run folder or table.
        labels: file of labels; without it, ``truth.csv`` beside the inputs of the run.
        keep_unlabelled: lines without a label count as ordinary; else they are left out.

    Raises:
        InputError: either cannot be read, or they have no line in common.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or run folder; run detect first")
    run = RunFolder.open(path) if path.is_dir() else None
    told = labels or _beside(path, run)
    truth = read_labels(told).filter(pl.col("kind").is_not_null())
    ranking = _of_run(run) if run else _of_table(path)
    known = ranking["line"].is_in(truth["line"].implode())
    if not known.any():
        raise InputError(
            f"{path}: none of its {ranking.height:,} lines is among the {truth.height:,} labelled "
            "ones; give the labels of this run, its lines spelled alike"
        )
    scored = _labelled(ranking, truth, keep=keep_unlabelled)
    missing = ranking.height - int(known.sum())
    return RunInput(str(path), scored, truth, run, missing, keep_unlabelled, beside(told))


def cells_of(run: RunFolder) -> CellTable | None:
    """Where the cells stand, if the run was told."""
    path = run.record.options.get("cells")
    return cell_table(load_cells(path)) if path else None


def kept_events(run: RunFolder, option: str) -> Store:
    """The events that a run has kept.

    Raises:
        InputError: it has kept none, and an option wants them.
    """
    store = run.store()
    if store is None:
        raise InputError(
            f"{run.path}: keeps no events, which {option} goes through again; run detect without "
            "--no-store"
        )
    return store


def _of_run(run: RunFolder) -> pl.DataFrame:
    names = [name for name in SCORED if name not in {"kind", "site"}]
    return _complete(run.table(run_folder.LINES).select(names).collect())


def _of_table(path: Path) -> pl.DataFrame:
    """The scores of a CSV or Parquet table.

    Raises:
        InputError: it cannot be read, lacks a column, or holds a line twice.
    """
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            table = pl.scan_parquet(path)
        else:
            table = pl.scan_csv(path, infer_schema=False)
        names = table.collect_schema().names()
        lacking = [name for name in ("line", "score") if name not in names]
        if not lacking:
            chosen = table.select(n for n in SCORED if n in names and n not in {"kind", "site"})
            ranking = _complete(chosen.collect())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file or run folder; run detect first") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        said = str(error).partition("\n")[0]
        raise InputError(f"{path}: cannot be read as a table of scores ({said})") from None
    if lacking:
        told = ", ".join(names[:8])
        raise InputError(f"{path}: no column '{lacking[0]}'; found {told}; it wants line and score")
    if ranking["line"].n_unique() < ranking.height:
        raise InputError(f"{path}: a line stands twice; give one row a line")
    return ranking


def _complete(ranking: pl.DataFrame) -> pl.DataFrame:
    """A ranking with every column, of the type that it is measured in."""
    columns = [
        (pl.col(name) if name in ranking.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in SCORED.items()
        if name not in {"kind", "site"}
    ]
    return ranking.select(columns).with_columns(pl.col("score").fill_nan(None))


def _labelled(ranking: pl.DataFrame, truth: pl.DataFrame, *, keep: bool) -> pl.DataFrame:
    """The ranked lines with kind and site, then the labelled lines that are not ranked."""
    found = ranking.join(truth, on="line", how="left", maintain_order="left")
    found = (
        found.with_columns(pl.col("kind").fill_null(ORDINARY))
        if keep
        else found.filter(pl.col("kind").is_not_null())
    )
    missed = truth.join(ranking.select("line"), on="line", how="anti", maintain_order="left")
    return pl.concat([found.select(*SCORED), missed.select("line", "kind", "site")], how="diagonal")


def _beside(path: Path, run: RunFolder | None) -> Path:
    """The truth.csv beside the inputs of a run, or one folder further out."""
    for folder in _folders(path, run):
        if (folder / TRUTH).is_file():
            return folder / TRUTH
    raise InputError(f"{path}: no {TRUTH} beside its inputs; name the labels with --labels")


def _folders(path: Path, run: RunFolder | None) -> Iterator[Path]:
    if run is None:
        yield path.parent
        return
    found = run.record.ingest
    paths = [*(file.path for file in found.files), *(capture.path for capture in found.captures)]
    yield from dict.fromkeys(Path(path).parent for path in paths)
    yield from dict.fromkeys(Path(path).parent.parent for path in paths)
