"""``simbox score``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from simbox import pipeline
from simbox.cli import _options as opt
from simbox.cli._printing import Printing, finish
from simbox.config import load
from simbox.outputs.folder import replacing


def command(
    features: Annotated[
        Path,
        typer.Argument(help="CSV or Parquet, one row a line: column 'line' and any features."),
    ],
    config: opt.Config = None,
    lists: opt.Lists = None,
    out: Annotated[
        Path | None, typer.Option(help="Also keep the run in this folder, for explain.")
    ] = None,
    top: opt.Top = None,
    printed: opt.Printed = None,
    fail_on: opt.Failing = None,
) -> None:
    """Rank lines from a table of features alone, without CDRs.

    Example: simbox score features.parquet --format csv
    """
    settings = load(config)
    options = pipeline.Options(lists=tuple(lists or ()))
    with ExitStack() as stack:
        if out:
            work = stack.enter_context(replacing(out))
        else:
            work = Path(stack.enter_context(TemporaryDirectory(prefix="simbox-")))
        run = pipeline.score(features, settings, options, work)
        ranked = run.head(top or settings.outputs.top)
    finish(run.record, Printing(printed, ranked, out), fail_on)
