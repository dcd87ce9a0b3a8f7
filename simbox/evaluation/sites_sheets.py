"""The tables about sites."""

from __future__ import annotations

from collections.abc import Iterator

from simbox.evaluation.metrics import ALERT, WATCH
from simbox.evaluation.sheet import NOTHING, Sheet, short, spread, told
from simbox.evaluation.sites_delay import SiteDelay
from simbox.evaluation.sites_figures import (
    ALLOWED,
    MINUTES_OFF,
    PER_LINE_DAYS,
    PORTS_OFF,
    QUANTILES,
    RANKED,
    SiteFigures,
    SiteKind,
)
from simbox.outputs.wording import plural, shown


def site_sheets(found: SiteFigures | None) -> Iterator[Sheet]:
    """Every table about sites that has anything to tell."""
    if found is None:
        return
    yield _recall(found)
    yield _false(found)
    yield _description(found)
    if found.line_recall:
        yield _lines(found)
    if found.delays:
        yield _delays(found)


def _recall(found: SiteFigures) -> Sheet:
    rows = [
        [
            shown(kind.kind),
            f"{kind.sites:,}",
            f"{kind.matched:,}",
            f"{kind.split:,}",
            *(told(kind.recall[name]) for name in (ALERT, WATCH, RANKED)),
        ]
        for kind in found.kinds
    ]
    left = (
        f"  Left out: {plural(found.small, 'site')} with fewer than two lines that call."
        if found.small
        else ""
    )
    return Sheet(
        "Sites: recall by kind of gateway",
        ["kind", "sites", "matched", "split", "alert", "alert or watch", "ranked"],
        rows,
        "A found site matches a true one when more than half of its members, two at least, are "
        "lines of it; of several the one with most of them counts.  Ranked: above the score that "
        f"lets in {ALLOWED:g} false site for {PER_LINE_DAYS:,} lines and day.{left}",
    )


def _false(found: SiteFigures) -> Sheet:
    mixed = (
        f"  {plural(found.mixed, 'more alert')}, of gateways, with no true site to stand for."
        if found.mixed
        else ""
    )
    return Sheet(
        "Sites: false alerts by what most of their members are",
        ["kind", "sites", f"for {PER_LINE_DAYS:,} lines and day", "worlds"],
        [
            [
                shown(kind.kind),
                f"{kind.sites:,}",
                spread(kind.rate, short),
                f"{kind.worlds:,} of {found.worlds:,}",
            ]
            for kind in found.false
        ],
        f"Of {plural(found.alerts, 'alerting site')}; false are those of which less than half are "
        f"gateways.{mixed}",
    )


def _description(found: SiteFigures) -> Sheet:
    missing = "" if found.told else "  No sites.csv beside the labels tells ports and shifts."
    return Sheet(
        "Sites: members, ports and shifts of matched sites",
        [
            *("kind", "members, precision", "members, recall", f"ports within {PORTS_OFF:.0%}"),
            *("ports, found / true", "shift start", "shift end"),
        ],
        [_described(kind) for kind in found.kinds if kind.matched],
        "Means over sites; recall over lines that call.  Ports: median (10 and 90 %).  Shifts: "
        f"share of days within {MINUTES_OFF:g} minutes, midnight being no start or end.{missing}",
    )


def _described(kind: SiteKind) -> list[str]:
    ratio = {name: kind.port_ratio[name] for name in QUANTILES}
    spread_out = f"{short(ratio['median'])} ({short(ratio['p10'])}–{short(ratio['p90'])})"
    return [
        shown(kind.kind),
        told(kind.precision),
        told(kind.reached),
        told(kind.ports),
        NOTHING if ratio["median"] is None else spread_out,
        told(kind.starts),
        told(kind.ends),
    ]


def _lines(found: SiteFigures) -> Sheet:
    return Sheet(
        "Lines: recall at FPR 1e-4 with the evidence of their sites",
        ["kind", "with sites", "by themselves"],
        [
            [shown(kind), told(both["with"]), told(both["alone"])]
            for kind, both in found.line_recall.items()
        ],
    )


def _delays(found: SiteFigures) -> Sheet:
    return Sheet(
        "Sites: delay from a room's start to its alert",
        ["kind", "sites", "reported", "minutes of traffic, median", "minutes, 90 %"],
        [
            [shown(kind.kind), f"{kind.sites:,}", f"{kind.reported:,}", *map(_minutes, _late(kind))]
            for kind in found.delays
        ],
        "From the replay by hour.  Traffic: quarters of an hour with an outgoing call or text.  "
        "A room that is never reported is later than any.",
    )


def _late(kind: SiteDelay) -> tuple[float | None, float | None]:
    return kind.median, kind.p90


def _minutes(hours: float | None) -> str:
    return "never" if hours is None else f"{60 * hours:,.0f}"
