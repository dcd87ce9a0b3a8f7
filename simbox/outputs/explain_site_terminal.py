"""The explanation of a site on the terminal: who, where and when, and turns to be seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import pairwise

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from simbox.outputs.activity import HOURS, strip
from simbox.outputs.explain_site import LINKS, ROLES, SiteExplanation
from simbox.outputs.explain_terminal import Asked, as_table, by_source, score, section
from simbox.outputs.sites import place, shift
from simbox.outputs.turns import HOUR_MIN, Turns, turns
from simbox.outputs.wording import STYLES, number, percent, plural, probability
from simbox.outputs.wording import shown as visible

MOST_LINES = 40  # of the tables and of the chart
MOST_DAYS = 14
MOST_DEVICES = 12
MOST_CALLED = 8
#: Columns of a terminal below which so many columns of the table of lines are left out.
NARROW = {130: ("first", "last"), 104: ("status", "prob."), 90: ("out", "in")}
WITH_PLACE = 94  # columns from which on records tell their place: those of the site stand above
MOMENT = "%m-%d %H:%M"
WIDTHS = {"line": 14, "first": 11, "last": 11, "first_seen": 11, "last_seen": 11}
SHADES, PLAIN_SHADES = "·░▒▓█", ".:+#@"  # none, then from few to many calls
INTO, PLAIN_INTO = "○", "o"
BETWEEN, PLAIN_BETWEEN = "│", "|"
AT_WORK = "lines at work"
MOST_OF = "  most 999"  # what stands behind a row of sums
SPACE = 1  # between a line's name and its row


def show(console: Console, explanation: SiteExplanation, asked: Asked) -> None:
    """Print the explanation: score, members, turns, days, places, handsets, numbers, records."""
    for line in title(explanation):
        console.print(line)
    score(console, explanation.breakdown, full=asked.full)
    most = explanation.members.height if asked.full else MOST_LINES
    section(console, "lines and what links them, in nats", *_members(console, explanation, most))
    if explanation.places.height:
        section(console, "places", as_table(explanation.places))
    if not explanation.has_store:
        why = "a run with --no-store"
        console.print(
            f"\n[dim]the records behind it were not kept, nor when each calls: {why}[/dim]"
        )
        return
    names = max(len(name) for name in (*explanation.members["line"], AT_WORK)) + SPACE
    found = turns(explanation.events, console.width - names - len(MOST_OF))
    section(console, "lines by time", *chart(found, names, most, console.options.ascii_only))
    section(console, "days", *_days(explanation.days))
    if explanation.devices.height:
        section(console, "handsets", *_devices(explanation.devices))
    section(
        console, "called by several of its lines", as_table(explanation.called.head(MOST_CALLED))
    )
    if asked.rows:
        rows = explanation.rows
        heading = f"records, {min(asked.rows, rows.height):,} of {rows.height:,}"
        told = rows.head(asked.rows)
        if console.width < WITH_PLACE:
            told = told.drop("place")
        section(console, heading, *by_source(told, explanation.captures))


def title(explanation: SiteExplanation) -> Iterator[Text]:
    """What the site is, where and when, in a few lines."""
    row = explanation.row
    yield Text.assemble(
        ("site ", "dim"), (str(row["site"]), "bold"), "  rank ", str(row["rank"]), "  ",
        (str(row["status"]), STYLES[row["status"]]), "  probability ",
        probability(row["probability"]),
    )  # fmt: skip
    for words in facts(explanation):
        yield Text(visible(words), style="dim")


def facts(explanation: SiteExplanation) -> Iterator[str]:
    """What the site is, where it stands and when it works, a sentence each."""
    row = explanation.row
    new = explanation.new_a_day
    yield ", ".join(
        [
            f"{row['kind']} of about {plural(row['ports'], 'port')}",
            f"{plural(row['lines'], 'line')}, {row['sims_a_day']:.1f} at work a day"
            + (f", {new:.1f} new a day" if new is not None else ""),
            *([plural(row["devices"], "handset")] if row["devices"] else []),
            plural(row["calls"], "call"),
            f"{number(row['erlang_per_port'])} Erlang a port",
        ]
    )
    where = f"at {place(row)}" if row["cells"] or row.get("district") else "no place is told"
    if row.get("lat") is not None:
        where += f", about {row['lat']:.4f}, {row['lon']:.4f} (latitude, longitude)"
    yield where
    yield (
        f"seen {row['first_seen']:%Y-%m-%d %H:%M} to {row['last_seen']:%Y-%m-%d %H:%M}, "
        f"{plural(row['days'], 'day')} of calls, on a usual one {shift(row)}"
    )


def _members(console: Console, explanation: SiteExplanation, most: int) -> Iterator[Table | Text]:
    frame = explanation.members
    told = frame.head(most).select(
        "line", "role",
        pl.col("status").cast(pl.String),
        pl.col("probability").map_elements(probability, return_dtype=pl.String).alias("prob."),
        "belongs", *(_signed(name) for name in LINKS),
        "out", pl.col("into").alias("in"),
        pl.col("first").dt.strftime(MOMENT), pl.col("last").dt.strftime(MOMENT),
    )  # fmt: skip
    narrow = [name for width, names in NARROW.items() if console.width < width for name in names]
    kept = told.drop(narrow + [s.name for s in told if s.null_count() == len(s)])
    yield as_table(kept, least=WIDTHS)
    yield from _more(frame.height, most)
    linked = {name: words for name, words in LINKS.items() if (frame[name].abs() >= 0.05).any()}
    used = [r for r in ROLES if r in frame["role"].to_list()]
    meant = {**{r: ROLES[r] for r in used if len(used) > 1}, **linked}
    yield Text("; ".join(f"{name}: {words}" for name, words in meant.items()), style="dim")


def _signed(name: str) -> pl.Expr:
    """Evidence of one family of links as text; nothing where it says nothing."""
    value = pl.col(name).round(1)
    text = pl.when(value > 0).then(pl.lit("+")).otherwise(pl.lit("")) + value.cast(pl.String)
    return pl.when(value == 0).then(pl.lit("0")).otherwise(text).alias(name)


def _more(height: int, most: int) -> Iterator[Text]:
    if height > most:
        yield Text(f"... and {height - most:,} more", style="dim")


def chart(found: Turns | None, names: int, most: int, plain: bool) -> Iterator[Text]:  # noqa: FBT001
    """The lines by time: a row a line, a column a step, shaded by calls and texts out."""
    if found is None:
        yield Text("none in the data", style="dim")
        return
    top = int(found.out.max())
    shades, into = (PLAIN_SHADES, PLAIN_INTO) if plain else (SHADES, INTO)
    between = PLAIN_BETWEEN if plain else BETWEEN
    yield Text(_legend(found, shades + into, top), style="dim")
    yield _axis(names, found, between, [_date(day, found.steps) for day in found.days])
    yield _axis(names, found, between, [_hours(found)] * len(found.days))
    for line, out, incoming in zip(found.lines[:most], found.out, found.into, strict=False):
        row = Text(f"{line:<{names}}")
        for day, counts in enumerate(out):
            row.append(between if day else "", style="dim")
            row.append_text(_day(counts.tolist(), incoming[day].tolist(), shades, top, into))
        yield row
    yield from _more(len(found.lines), most)
    if not plain:
        for name, counts in ((AT_WORK, found.at_work), ("calls", found.calls)):
            yield _strip(name, names, counts.tolist(), between)
    if found.beyond:
        yield Text(
            f"{plural(found.beyond, 'call')} at other hours or on days not shown", style="dim"
        )


def _day(out: Sequence[int], incoming: Sequence[int], shades: str, top: int, into: str) -> Text:
    """One line on one day; blank where it does nothing all day."""
    row = Text()
    idle = shades[0] if any(out) or any(incoming) else " "
    for count, called in zip(out, incoming, strict=True):
        if count:
            row.append(shades[-(-count * (len(shades) - 1) // top)], style="red")
        elif called:
            row.append(into, style="green")
        else:
            row.append(idle, style="dim")
    return row


def _legend(found: Turns, glyphs: str, top: int) -> str:
    steps = len(glyphs) - 2
    ends = [top * n // steps for n in range(steps + 1)]
    spans = [
        f"{glyphs[n + 1]} {low + 1}" + (f"–{high}" if high > low + 1 else "")
        for n, (low, high) in enumerate(pairwise(ends))
        if high > low
    ]
    into = f", {glyphs[-1]} only called" if (found.into[found.out == 0] > 0).any() else ""
    return f"{found.step_min} minutes a column; calls and texts out: {'  '.join(spans)}{into}"


def _axis(names: int, found: Turns, between: str, texts: Sequence[str]) -> Text:
    cells = (f"{text[: found.steps]:<{found.steps}}" for text in texts)
    return Text(" " * names + between.join(cells), style="dim")


def _date(day: dt.date, room: int) -> str:
    """A day in the longest way of writing that has room."""
    ways = (f"{day:%a %d %b}", f"{day:%a %d}", f"{day:%d}")
    return next((text for text in ways if len(text) <= room), "")


def _hours(found: Turns) -> str:
    """The hours of one day, as many as there is room for."""
    columns = HOUR_MIN // found.step_min
    every = next(n for n in (1, 2, 3, 4, 6, 12, 24) if n * columns >= 4 or n == 24)
    named = [
        f"{(found.begin_hour + hour) % HOURS:02d}".ljust(columns * every)
        for hour in range(0, found.steps // columns, every)
        if hour * columns + 2 <= found.steps
    ]
    return "".join(named)


def _strip(name: str, names: int, counts: Sequence[Sequence[int]], between: str) -> Text:
    top = max(max(day) for day in counts)
    row = Text(f"{name[:names]:<{names}}", style="dim")
    for day, values in enumerate(counts):
        row.append(between if day else "", style="dim")
        row.append(strip(tuple(values), top), style="cyan")
    return row.append(f"  most {top}", style="dim")


def _days(frame: pl.DataFrame) -> Iterator[Table | Text]:
    talk = pl.col("talk_s") / 3600
    yield as_table(
        frame.tail(MOST_DAYS).select(
            pl.col("day").dt.strftime("%a %d %b"),
            *(pl.col(name).dt.strftime("%H:%M") for name in ("start", "stop")),
            pl.col("lines").alias("lines at work"), "new", "gone", "calls",
            talk.map_elements(number, return_dtype=pl.String).alias("hours talked"),
            pl.col("at_once").alias("most at once"),
        )
    )  # fmt: skip
    if frame.height > MOST_DAYS:
        yield Text(f"{frame.height - MOST_DAYS} earlier days not shown", style="dim")


def _devices(frame: pl.DataFrame) -> Iterator[Table | Text]:
    shared = frame.filter(pl.col("lines") > 1)
    if shared.height:
        turns_taken = shared.filter(pl.col("used") == "in turn").height
        yield Text(
            f"{shared.height:,} of {plural(frame.height, 'handset')} held several of its lines, "
            f"{percent(turns_taken / shared.height)} of them in turn", style="dim",
        )  # fmt: skip
    seen = pl.col("first_seen", "last_seen").dt.strftime(MOMENT)
    yield as_table(frame.head(MOST_DEVICES).with_columns(seen), least=WIDTHS)
    yield from _more(frame.height, MOST_DEVICES)
