"""A report as tables of text, the same on the terminal and in Markdown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from rich.console import Group, JustifyMethod, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from simbox.evaluation.calibration import FACTOR
from simbox.evaluation.intervals import Estimate
from simbox.evaluation.labels import GATEWAY
from simbox.evaluation.metrics import FPRS, PREVALENCES, TOPS, WATCH, KindFigures, Metrics
from simbox.evaluation.report import Report
from simbox.evaluation.sheet import NOTHING, Sheet, percent, short, spread, told
from simbox.evaluation.sites_sheets import site_sheets
from simbox.outputs.wording import plural, shown

SHORT = "average_precision", *(f"recall_at_fpr_{rate}" for rate in FPRS)
STATUS_NAMES = {"alert": "alert", WATCH: "alert or watch"}
GAP = 2  # columns of the terminal between two of a table
INTERVAL = re.compile(r" \([^()]*–[^()]*\)$")


def sheets(report: Report) -> list[Sheet]:
    """Every table of a report that has anything to tell."""
    made = [
        _ranking(report),
        _precision(report.metrics),
        _recall(report.metrics),
        _false_alerts(report.metrics),
        *_calibration(report),
        *_without(report),
        *_delays(report),
        *site_sheets(report.sites),
    ]
    return [sheet for sheet in made if sheet.rows]


def terminal(report: Report, width: int) -> RenderableType:
    """The report for a terminal; tables too wide for it go without their intervals."""
    parts: list[RenderableType] = [Text(line, style="dim") for line in _head(report)]
    for sheet in sheets(report):
        bare = [[INTERVAL.sub("", cell) for cell in row] for row in sheet.rows]
        whole = _fits([sheet.columns, *sheet.rows], width) or bare == sheet.rows
        parts += [Text(), Text(sheet.title, style="bold")]
        parts.append(_grid([sheet.columns, *(sheet.rows if whole else bare)], width))
        notes = [sheet.note, "" if whole else "Intervals: in a wider terminal, or --markdown."]
        if any(notes):
            parts.append(Text("  ".join(filter(None, notes)), style="dim"))
    return Group(*parts)


def markdown(report: Report) -> str:
    """The report as Markdown."""
    text = ["\n".join(f"- {line}" for line in _head(report))]
    for sheet in sheets(report):
        lines = [sheet.columns, ["---"] + ["---:"] * (len(sheet.columns) - 1), *sheet.rows]
        table = "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)
        text += [f"### {sheet.title}", table, *([sheet.note] if sheet.note else [])]
    return "\n\n".join(text) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _fits(rows: Sequence[Sequence[str]], width: int) -> bool:
    least = _least(rows)
    return sum(least) + GAP * (len(least) - 1) <= width


def _least(rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of every column that breaks no word, nor anything of the first one."""
    first, *others = zip(*rows, strict=True)
    words = [max(len(word) for cell in cells for word in cell.split(" ")) for cells in others]
    return [max(map(len, first)), *words]


def _widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The least width of every column, and a fair part of what is to spare."""
    least = _least(rows)
    spare = width - sum(least) - GAP * (len(least) - 1)
    whole = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    part = min(1.0, spare / max(sum(whole) - sum(least), 1))
    return [few + int(part * (most - few)) for few, most in zip(least, whole, strict=True)]


def _grid(rows: Sequence[Sequence[str]], width: int) -> Table:
    """A table of headings and rows; rich itself breaks words where none need be broken."""
    grid = Table(box=None, pad_edge=False, header_style="dim", padding=(0, GAP, 0, 0))
    widths = _widths(rows, width) if _fits(rows, width) else [None] * len(rows[0])
    for heading, room in zip(rows[0], widths, strict=True):
        justify: JustifyMethod = "right" if grid.columns else "left"
        grid.add_column(heading, justify=justify, overflow="fold", width=room)
    for row in rows[1:]:
        grid.add_row(*(escape(cell) for cell in row))
    return grid


def _head(report: Report) -> Iterator[str]:
    found = report.metrics
    seeds = f", in {plural(found.seeds, 'world')}" if found.seeds > 1 else ""
    gateways = plural(found.gateways, "gateway line")
    yield f"{gateways} among {found.others:,} others{seeds}"
    interval = "Student's t over worlds" if found.seeds > 1 else "resampled by site"
    yield f"in brackets: 95 % intervals, {interval}; ties count against the ranking"
    if found.absent:
        yield f"{plural(found.absent, 'labelled gateway')} not in the run: counted as missed"
    for world in report.worlds:
        if world.unlabelled:
            how = "taken as ordinary" if world.kept else "left out"
            yield f"{world.where}: {plural(world.unlabelled, 'line')} without a label, {how}"
    yield from report.notes


def _ranking(report: Report) -> Sheet:
    others = report.metrics.others // report.metrics.seeds
    allowed = [f"{int(float(rate) * others * (1 + 1e-12)):,}" for rate in FPRS]
    return Sheet(
        "Ranking",
        ["", "average precision", *(f"recall at FPR {rate}" for rate in FPRS)],
        [
            [shown(name), *(told(metrics.figures[figure]) for figure in SHORT)]
            for name, metrics in report.rankings.items()
        ],
        f"These false positive rates let in {', '.join(allowed)} of {others:,} non-gateway lines.",
    )


def _precision(found: Metrics) -> Sheet:
    rows = []
    for share in PREVALENCES:
        figures = [found.figures[f"precision_at_{top}_prevalence_{share}"] for top in TOPS]
        rows.append([f"1 gateway in {round(1 / float(share)):,}", *map(told, figures)])
    gateways = found.gateways // found.seeds
    short = [f"{gateways / top:.2f} in the first {top}" for top in TOPS if top > gateways]
    best = (
        f"  With {plural(gateways, 'gateway')} the best possible is {', '.join(short)}."
        if short
        else ""
    )
    return Sheet(
        "Precision of the first lines, at the prevalence that carriers have",
        ["prevalence", *(f"first {top}" for top in TOPS)],
        rows,
        f"Each non-gateway line stands for as many as make gateways so rare.{best}",
    )


def _recall(found: Metrics) -> Sheet:
    kinds = [kind for kind in found.kinds if _is_gateway(kind)]
    thresholds = _thresholds(kinds)
    rows = [_kind_row(kind, [told(kind.found[name]) for name in thresholds]) for kind in kinds]
    return Sheet(
        "Recall by kind of gateway", ["kind", "lines", "not in the run", *thresholds.values()], rows
    )


def _false_alerts(found: Metrics) -> Sheet:
    kinds = [kind for kind in found.kinds if not _is_gateway(kind)]
    thresholds = _thresholds(kinds)
    return Sheet(
        "False alerts by kind of other line",
        ["kind", "lines", "not in the run", *(f"{name}, %" for name in thresholds.values())],
        [
            _kind_row(kind, [percent(kind.found.get(n, Estimate(None))) for n in thresholds])
            for kind in kinds
        ],
    )


def _is_gateway(kind: KindFigures) -> bool:
    return kind.kind.split("/")[0] == GATEWAY


def _thresholds(kinds: Sequence[KindFigures]) -> dict[str, str]:
    """The thresholds that kinds are measured at, with their headings."""
    known = dict.fromkeys(name for kind in kinds for name in kind.found)
    return {name: STATUS_NAMES.get(name, name.replace("fpr_", "FPR ")) for name in known}


def _kind_row(kind: KindFigures, cells: Sequence[str]) -> list[str]:
    return [shown(kind.kind), f"{kind.lines:,}", f"{kind.absent:,}", *cells]


def _calibration(report: Report) -> Iterator[Sheet]:
    if report.calibration is None:
        return
    rows = []
    for band in report.calibration.iter_rows(named=True):
        observed = Estimate(band["observed"], band["observed_low"], band["observed_high"])
        rows.append([
            f"{band['low']:.1f} to {band['high']:.1f}",
            f"{band['gateways']:,}",
            f"{band['others']:,}",
            short(band["predicted"]),
            spread(observed, short),
            f"{short(band['ratio'])}{_doubt(band['predicted'], observed)}",
        ])  # fmt: skip
    yield Sheet(
        "Calibration of the printed probability",
        ["probability", "gateways", "others", "predicted", "observed", "observed / predicted"],
        rows,
        f"Other lines are weighed so that the share of gateways is the prior, {report.prior:g}; "
        f"! = off by more than a factor of {FACTOR:g}, ? = too few lines to tell.",
    )


def _doubt(predicted: float | None, observed: Estimate) -> str:
    """A mark where the observed share is not surely within a factor of the predicted one."""
    if predicted is None or observed.low is None or observed.high is None:
        return ""
    least, most = predicted / FACTOR, predicted * FACTOR
    if observed.high < least or observed.low > most:
        return " !"
    return "" if least <= observed.low and observed.high <= most else " ?"


def _without(report: Report) -> Iterator[Sheet]:
    if not report.degraded:
        return
    full = [told((report.base or report.metrics).figures[name]) for name in SHORT]
    rows = [["all data", full[0], NOTHING, *full[1:]]]
    for one in report.degraded:
        cells = [told(one.metrics.figures[name]) for name in SHORT]
        rows.append([one.family, cells[0], percent(one.loss[SHORT[0]]), *cells[1:]])
    yield Sheet(
        "With a family of data missing",
        ["without", "average precision", "lost, %", *(f"recall at FPR {rate}" for rate in FPRS)],
        rows,
        "Each family is left out alone, and every line scored anew, without what its site adds.",
    )


def _delays(report: Report) -> Iterator[Sheet]:
    found = report.delays
    if found is None:
        return
    names = ("calls_median", "calls_p90", "hours_median", "hours_p90")
    rows = [
        [
            shown(row["kind"]) + (" (early)" if row["early"] else ""),
            f"{row['lines']:,}",
            f"{row['alerted']:,}",
            *(f"{row[name]:,.4g}" if math.isfinite(row[name]) else "never" for name in names),
        ]
        for row in found.summary().iter_rows(named=True)
    ]
    left = f"  {plural(found.left_out, 'gateway')} more left out." if found.left_out else ""
    yield Sheet(
        "Delay from a line's start to its alert, by itself, without its site",
        [
            *("kind", "lines", "alerted"),
            *("calls, median", "calls, 90 %", "hours of traffic, median", "hours, 90 %"),
        ],
        rows,
        "Over all lines, one that never alerts being later than any.  Early lines begin in the "
        f"first {found.warm_up_days:.3g} days, where a carrier would have a history.{left}",
    )
