"""``simbox evaluate``."""

from __future__ import annotations

import sys
from pathlib import Path

from simbox.cli import _evaluate_options as opt
from simbox.cli._console import console
from simbox.errors import UsageError
from simbox.evaluation.degradation import lacking
from simbox.evaluation.evaluate import Asked, evaluate
from simbox.evaluation.report import Report
from simbox.evaluation.sheets import markdown, terminal
from simbox.outputs.progress import progress_bar

STDOUT = Path("-")


def command(
    inputs: opt.Inputs,
    labels: opt.Labels = None,
    unlabelled: opt.Unlabelled = opt.Treatment.ordinary,
    alone: opt.Alone = False,
    without: opt.Without = "",
    train: opt.Train = None,
    train_labels: opt.TrainLabels = None,
    delay: opt.Delay = False,
    json: opt.Json = None,
    markdown_file: opt.Markdown = None,
    printed: opt.Printed = None,
) -> None:
    """Measure how well runs find the gateways that labels name, at real prevalence.

    Example: simbox evaluate simbox-run --labels truth.csv --without cell,imei,sms,incoming
    """
    if train_labels is not None and train is None:
        raise UsageError("--train-labels: labels of no run; name the run with --train")
    asked = Asked(
        inputs=inputs,
        labels=labels or (),
        keep_unlabelled=unlabelled is opt.Treatment.ordinary,
        alone=alone,
        without=lacking(without),
        train=train,
        train_labels=train_labels,
        delay=delay,
    )
    with progress_bar() as step:
        report = evaluate(asked, step)
    files = {json: opt.Format.json, markdown_file: opt.Format.markdown}
    if STDOUT not in files:
        default = opt.Format.table if sys.stdout.isatty() else opt.Format.json
        _print(report, printed or default)
    for target, form in files.items():
        if target == STDOUT:
            _print(report, form)
        elif target is not None:
            _write(target, _text(report, form))


def _text(report: Report, form: opt.Format) -> str:
    return report.as_json() if form is opt.Format.json else markdown(report)


def _print(report: Report, form: opt.Format) -> None:
    if form is opt.Format.table:
        screen = console()
        screen.print(terminal(report, screen.width))
    else:
        sys.stdout.write(_text(report, form))
        sys.stdout.flush()


def _write(target: Path, text: str) -> None:
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target}: cannot write here ({error.strerror}); try another") from None
