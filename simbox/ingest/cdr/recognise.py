"""Choose the profile of a file by what stands in it, and say why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from simbox.errors import InputError, did_you_mean
from simbox.ingest.cdr import jsonl, parquet
from simbox.ingest.cdr.profile import Profile, missing, normal_name, resolve
from simbox.ingest.cdr.text import find_delimiter, find_encoding, sample, split
from simbox.ingest.sources import Kind, Source, head, kind_of

_FIT = 0.9  # of the sampled rows that must fit a pattern
_FORMATS = {"text": "delimited", "jsonl": "jsonl", "parquet": "parquet"}
_SQL_TYPES = {"integer", "string", "varchar", "int", "bigint", "uniqueidentifier", "float"}
_SHOWN = 6
_NEEDED = ("line", "a", "b", "start", "start_date", "start_time", "event_type", "direction")


@dataclass(frozen=True)
class Head:
    """The beginning of a file: what it is, and its first lines or its columns."""

    source: Source
    kind: Kind
    encoding: str = ""
    lines: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # of Parquet and JSON Lines
    nested: tuple[str, ...] = ()  # those of them that hold lists or records


@dataclass(frozen=True)
class Fit:
    """A profile laid on a file: which column is where, and where the data begin."""

    profile: Profile
    why: str
    found: dict[str, int]  # canonical column -> position
    names: tuple[str, ...]  # of the file, by position
    delimiter: str = ""
    lines_before: int = 0
    score: tuple[int, int] = (0, 0)

    @property
    def sources(self) -> dict[str, str]:
        """Canonical column -> the file's own name of it."""
        return {column: self.names[at] for column, at in self.found.items()}


def read_head(source: Source) -> Head:
    """Look at the beginning of a file.

    Raises:
        InputError: the file is empty, damaged, or no records at all.
    """
    first = head(source)
    kind = kind_of(source, first)
    if kind == "parquet":
        if source.member is not None:
            raise InputError(f"{source.path}: Parquet inside an archive; unpack it first")
        schema = parquet.schema_of(source.file)
        nested = tuple(name for name, dtype in schema.items() if dtype.is_nested())
        return Head(source, kind, names=tuple(schema), nested=nested)
    encoding = find_encoding(first)
    lines = tuple(sample(first, encoding))
    if kind == "jsonl":
        keys = jsonl.keys_of(list(lines))
        nested = tuple(key for key, is_list in keys.items() if is_list)
        return Head(source, kind, encoding, lines, tuple(keys), nested)
    return Head(source, kind, encoding, lines)


def fit(profile: Profile, head_: Head) -> Fit | None:
    """The profile laid on a file, whether or not it can read it; None for another format."""
    if _FORMATS[head_.kind] not in profile.format:
        return None
    if head_.kind != "text":
        found = resolve(profile, head_.names)
        return Fit(profile, "", found, head_.names)
    return _fit_text(profile, head_)


def _fit_text(profile: Profile, head_: Head) -> Fit:
    layout = profile.layout
    lines = list(head_.lines)
    before = layout.skip
    while layout.comment and before < len(lines) and lines[before].startswith(layout.comment):
        if layout.header and _is_header(profile, lines[before], layout.delimiter):
            break
        before += 1
    lines = lines[before:]
    delimiter = layout.delimiter or find_delimiter(lines)
    rows = split(lines, delimiter, layout.quote) if delimiter else [[line] for line in lines]
    names = layout.names
    positional = not layout.header
    if rows and layout.type_line and _types(rows[0]):
        positional, before, rows = True, before + 1, rows[1:] or rows
    elif rows and layout.header:
        names, rows, before = tuple(rows[0]), rows[1:], before + 1
        if layout.type_line and rows and _types(rows[0]):
            rows, before = rows[1:], before + 1
    width = _common(rows) if positional else _width(names, rows)
    names = tuple(names) + tuple(f"column {i + 1}" for i in range(len(names), width))
    names = names[:width]
    return Fit(profile, "", resolve(profile, names), names, delimiter, before)


def _is_header(profile: Profile, line: str, delimiter: str) -> bool:
    names = split([line], delimiter or find_delimiter([line]) or ",", '"')[0]
    return not missing(profile, resolve(profile, names))


def _types(row: list[str]) -> bool:
    words = {re.sub(r"\(.*", "", cell).strip().lower() for cell in row}
    return bool(row) and words <= _SQL_TYPES


def _common(rows: list[list[str]]) -> int:
    counts = Counter(filter(None, map(len, rows)))
    return counts.most_common(1)[0][0] if counts else 0


def _width(names: tuple[str, ...], rows: list[list[str]]) -> int:
    """Fields a row has: as many as the header, or one more where lines end with a delimiter."""
    return len(names) + 1 if _common(rows) == len(names) + 1 else len(names)


def _reads(fit_: Fit, head_: Head) -> Fit | None:
    """The fit with its reason and score when the profile can read the file."""
    profile, match = fit_.profile, fit_.profile.match
    if head_.kind == "text" and not profile.layout.header:
        return _reads_positions(fit_, head_)
    have = {normal_name(n) for n in fit_.names}
    wanted = [normal_name(n) for n in match.headers]
    if missing(profile, fit_.found) or not have.issuperset(wanted):
        return None
    if any(c in fit_.found for c in match.absent):
        return None
    shown = match.headers or tuple(fit_.sources.values())
    why = f"columns {', '.join(shown[:_SHOWN])}"
    return replace(fit_, why=why, score=(len(wanted), len(fit_.found)))


def _reads_positions(fit_: Fit, head_: Head) -> Fit | None:
    """A profile without header names fits by its number of columns and what stands in them."""
    match = fit_.profile.match
    if len(fit_.names) not in (match.counts or (len(fit_.profile.layout.names),)):
        return None
    if missing(fit_.profile, fit_.found):
        return None
    typed = fit_.profile.layout.type_line
    if typed and fit_.lines_before == fit_.profile.layout.skip:
        return None
    lines = list(head_.lines[fit_.lines_before :])
    rows = [r for r in split(lines, fit_.delimiter, fit_.profile.layout.quote) if r]
    rows = [r for r in rows if len(r) == len(fit_.names)]
    for position, pattern in match.patterns.items():
        at = int(position) - 1
        hits = sum(bool(re.search(pattern, row[at])) for row in rows)
        if not rows or hits < _FIT * len(rows):
            return None
    why = f"{len(fit_.names)} columns that fit its patterns"
    return replace(fit_, why=why, score=(len(match.patterns) + 1, len(fit_.found)))


def recognise(head_: Head, profiles: Collection[Profile]) -> Fit:
    """The one profile that fits a file best.

    Raises:
        InputError: none fits, or two fit equally well.
    """
    fits = [f for f in (fit(p, head_) for p in profiles) if f is not None]
    reading = [f for f in (_reads(f, head_) for f in fits) if f is not None]
    if not reading:
        raise InputError(f"{head_.source.path}: {_nothing_fits(head_, fits)}")
    best = max(f.score for f in reading)
    winners = [f for f in reading if f.score == best]
    if len(winners) > 1:
        names = " and ".join(sorted(f.profile.name for f in winners))
        raise InputError(
            f"{head_.source.path}: profiles {names} fit equally well; name one with --profile"
        )
    return winners[0]


def apply(profile: Profile, head_: Head) -> Fit:
    """A profile that was named, laid on a file.

    Raises:
        InputError: the file is of another format or lacks columns that the profile needs.
    """
    laid = fit(profile, head_)
    path = head_.source.path
    if laid is None:
        raise InputError(
            f"{path}: a {head_.kind} file, profile {profile.name} reads "
            f"{', '.join(profile.format)}; leave --profile out or name another"
        )
    lacking = missing(profile, laid.found)
    if lacking:
        wanted = "; ".join(_spellings(profile, need) for need in lacking)
        raise InputError(
            f"{path}: profile {profile.name} finds no column for {wanted}; "
            f"the file has {_shown(laid.names)}; simbox inspect FILE proposes a profile"
        )
    _check_named(profile, laid, path)
    return replace(laid, why="named with --profile")


def _check_named(profile: Profile, laid: Fit, path: str) -> None:
    """A column that the profile gives one name, and cannot do without, must be there."""
    for column in _NEEDED:
        names = profile.columns.get(column, ())
        if len(names) == 1 and column not in laid.found:
            hint = did_you_mean(names[0], laid.names) or f" The file has {_shown(laid.names)}."
            raise InputError(
                f"{path}: no column '{names[0]}', which profile {profile.name} takes as "
                f"{column}.{hint}"
            )


def check_columns(laid: Fit, head_: Head) -> None:
    """The columns that a profile takes must be plain, and each name theirs alone.

    Raises:
        InputError: a column holds lists or records, or two columns have the name of one.
    """
    path = head_.source.path
    nested = set(head_.nested)
    times = Counter(normal_name(n) for n in laid.names)
    for column, name in laid.sources.items():
        if name in nested:
            raise InputError(
                f"{path}: column '{name}' ({column}) holds lists or records; export one value each"
            )
        if times[normal_name(name)] > 1:
            raise InputError(
                f"{path}: {times[normal_name(name)]} columns are named '{name}' ({column}); "
                "rename all but the right one"
            )


def _spellings(profile: Profile, need: str) -> str:
    names = [n for column in need.split("|") for n in profile.columns.get(column, ())]
    return f"{need.replace('|', ' or ')} ({', '.join(names[:4])})" if names else need


def _shown(names: Collection[str]) -> str:
    shown = [n if len(n) <= 30 else n[:27] + "..." for n in list(names)[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


_TELLTALES = (
    ({"latitude", "lat"}, {"longitude", "lon", "lng"}, "a cell table (give it with --cells)"),
    ({"tac"}, {"name", "brand", "model", "manufacturer"}, "a list of TACs"),
    ({"start_number", "prefix", "dial_code"}, set[str](), "a list of prefixes"),
    ({"mlqk"}, set[str](), "a CMR file"),
)


def looks_like(head_: Head) -> str:
    """What a file without CDRs seems to hold, by its columns; empty when there is no telling."""
    for names in _first_rows(head_):
        what = _told_by(names)
        if what:
            return what
    return ""


def _first_rows(head_: Head) -> list[tuple[str, ...]]:
    """The rows that may be the header: names of columns as the file itself divides them."""
    if head_.kind != "text":
        return [head_.names]
    lines = list(head_.lines)
    delimiter = find_delimiter(lines)
    first = [line for line in lines if line.strip()][:2]
    return [tuple(row) for row in split(first, delimiter, '"')] if delimiter else [tuple(first[:1])]


def _told_by(names: Collection[str]) -> str:
    have = {normal_name(n) for n in names}
    for some, others, what in _TELLTALES:
        if have & some and (not others or have & others):
            return what
    return ""


def _nothing_fits(head_: Head, fits: list[Fit]) -> str:
    tail = "simbox inspect FILE proposes a profile"
    if head_.source.walked:
        tail += ", or move the file out of the folder if it holds no CDRs"
    rows = _first_rows(head_)
    names = rows[0] if rows else ()
    if head_.kind == "text" and names and _types(list(names)):
        return (
            f"no CDRs: found a line of {len(names)} SQL types, as CMR files have; give the CDR file"
        )
    found = f"found {_shown(names)}" if names else "found no columns"
    with_header = [f for f in fits if head_.kind != "text" or f.profile.layout.header]
    timed = any({"start", "start_date"} & f.found.keys() for f in with_header)
    what = "" if timed else looks_like(head_)
    if what:
        return f"no CDRs: looks like {what}; {found}"
    near = min(
        with_header, key=lambda f: (len(missing(f.profile, f.found)), -len(f.found)), default=None
    )
    if near is None or not near.found:
        return f"no profile fits; {found}; {tail}"
    lacking = ", ".join(n.replace("|", " or ") for n in missing(near.profile, near.found))
    lacks = f" lacks {lacking}" if lacking else " fits the columns but not the rest"
    return f"no profile fits; {found}; nearest is {near.profile.name}, the file{lacks}; {tail}"
