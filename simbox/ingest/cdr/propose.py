"""Propose a profile for an unknown delimited file, by its columns' names and what they hold."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from simbox.errors import InputError
from simbox.ingest.cdr.columns import (
    Column,
    Traits,
    look,
    vocabulary_share,
)
from simbox.ingest.cdr.profile import Profile, normal_name, parse
from simbox.ingest.cdr.recognise import Head, looks_like, read_head
from simbox.ingest.cdr.text import find_delimiter, split
from simbox.ingest.cdr.vocabulary import BUILT_IN, IGNORE
from simbox.ingest.sources import Source, Stream

_SURE = 0.9
_FEW_VALUES = 8  # a column with more distinct small numbers than that is no code
_PLAIN_NAMES = {"calls", "sms", "cdr", "cdrs", "data", "master", "export", "voice", "texts", "part"}
_CLOSED_BYTES = 1 << 23
_CLOSED = 0.5  # of the called parties that also call: then they are all lines of the data


@dataclass(frozen=True)
class Proposal:
    """A profile for one file: the TOML text to keep, and what it says."""

    path: str
    toml: str
    profile: Profile


#: Canonical column -> what its name looks like, in several languages.
_NAMES: dict[str, str] = {
    "imsi": r"imsi",
    "imei": r"imei|^meid$",
    "start": r"start|debut|inicio|begin|date_?time|time_?stamp|datetime|^date$|call_time|"
    r"event_time|charging|heure|fecha|hora|开始|时间|日期|setup|horodat|zeit|^time$|data_hora",
    "duration": r"dur|billsec|seconds|时长|laenge|length_s|talk_time|conversation",
    "mcc": r"^mcc",
    "mnc": r"^mnc",
    "lac": r"^lac|_lac$|^tac$|位置区",
    "cell": r"cell|tower_?id|celltower|antenna|cgi$|bts|基站|小区|cellule|antena|celda|^site",
    "a": r"calling|caller|^a_|^a$|source|^src|^from|origin|appelant|llamante|主叫|emetteur|sender|"
    r"chamador|anrufer",
    "b": r"called|callee|^b_|^b$|target|^dst|^dest|^to$|^to_|appele|llamado|destin|被叫|recipient|"
    r"receiver|dialled|dialed|chamado",
    "other": r"other|opposite|counterpart|correspond|partner|peer|对方|对端|interlocut",
    "line": r"msisdn|subscriber|subject|served|phone|^user|abonne|numero|^number$|用户|本机|号码|"
    r"telefono|telephone|rufnummer|^line$|mobile_no|^tel",
    "cause": r"cause|q850|release_code",
    "call_ref": r"call_?ref|call_?id$|correlation|序列",
}

_PARTIES = ("a", "b", "other", "line")
_VOCABULARIES = (
    ("event_type", "event_type"),
    ("event_type", "ts32298_record_type"),
    ("service", "teleservice"),
    ("direction", "direction"),
    ("service", "service"),
    ("answered", "answered"),
    ("other_class", "party_class"),
)
_VOCABULARY_NAMES = {
    "event_type": r"type|record|event",
    "direction": r"direc|sens|sentido|type|method|outgoing|mo_?mt|主被叫|呼叫类型|incoming",
    "service": r"type|service|activity|interaction|telesrvc|业务|kind",
    "answered": r"status|disposition|answer|etat|statut|result|状态|success|reponse",
    "other_class": r"type|categ|dest|class|net",
}


@dataclass
class _Draft:
    """A proposal under way: columns assigned so far."""

    columns: list[Column]
    traits: list[Traits]
    chosen: dict[str, int] = field(default_factory=dict)
    maps: dict[str, str] = field(default_factory=dict)

    def free(self) -> list[int]:
        taken = set(self.chosen.values())
        return [i for i in range(len(self.columns)) if i not in taken]

    def name(self, column: str) -> str:
        return self.columns[self.chosen[column]].name.lstrip("\ufeff#").strip()


def propose(source: Source) -> Proposal:
    """The profile that reads a delimited file, as far as its head tells.

    Raises:
        InputError: the file is no delimited text, or holds no times or no parties.
    """
    head = read_head(source)
    if head.kind != "text":
        raise InputError(
            f"{source.path}: a {head.kind} file; proposals are for delimited text: rename its "
            "columns to those of profile generic-served, or write a profile for its names"
        )
    lines = [line for line in head.lines if line.strip()]
    delimiter = find_delimiter(lines)
    if not delimiter:
        raise InputError(f"{source.path}: no delimiter divides its lines; found one column of text")
    rows = split(lines, delimiter, '"')
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    header = _has_header(rows)
    names = rows[0] if header else [f"column {i + 1}" for i in range(width)]
    body = [row for row in rows[1 if header else 0 :] if len(row) == len(names)]
    columns = [Column(name, [row[i].strip() for row in body]) for i, name in enumerate(names)]
    draft = _Draft(columns, [look(c) for c in columns])
    _assign(draft)
    _check(head, draft, names)
    return _write(head, draft, delimiter, header=header)


def _has_header(rows: list[list[str]]) -> bool:
    """A header has no cell that is all digits or a time, though the rows below it have."""
    if len(rows) < 2:
        return True
    figures = re.compile(r"^\s*[+-]?[0-9][0-9\s:.,/T-]*$")
    above = sum(bool(figures.match(c)) for c in rows[0])
    below = sum(bool(figures.match(c)) for c in rows[1])
    return above == 0 and (below > 0 or len(set(rows[0])) == len(rows[0]))


def _check(head: Head, draft: _Draft, names: Iterable[str]) -> None:
    lacking = []
    if "start" not in draft.chosen and "start_date" not in draft.chosen:
        lacking.append("time")
    if not draft.chosen.keys() & {"line", "a", "imsi"}:
        lacking.append("party")
    if lacking:
        what = looks_like(head)
        hint = f"; looks like {what}" if what else ""
        raise InputError(
            f"{head.source.path}: no CDRs: no {' and no '.join(lacking)} column among "
            f"{', '.join(list(names)[:8])}{hint}"
        )


def _assign(draft: _Draft) -> None:
    _by_name(draft, ("imsi", "imei"))
    _times(draft)
    _vocabularies(draft)
    _by_name(draft, ("duration",))
    _by_name(draft, ("mcc", "mnc", "lac", "cell"))
    if draft.chosen.keys() >= {"lac", "cell"}:
        draft.chosen["ci"] = draft.chosen.pop("cell")
    _by_name(draft, _PARTIES)
    _by_content(draft)
    _by_name(draft, ("cause", "call_ref"))
    _name_parties(draft)


def _by_name(draft: _Draft, wanted: Iterable[str]) -> None:
    for column in wanted:
        best, score = None, 0.0
        for i in draft.free():
            name = normal_name(draft.columns[i].name)
            hit = re.search(_NAMES[column], name)
            fits = draft.traits[i].fits(column)
            if hit and fits > max(score, 0.3):
                best, score = i, fits
        if best is not None:
            draft.chosen[column] = best


def _times(draft: _Draft) -> None:
    named = [i for i in draft.free() if _called(draft, i, "start")]
    rest = [i for i in draft.free() if i not in named]
    for i in (*named, *rest):
        if draft.traits[i].time and draft.traits[i].time_share >= _SURE:
            draft.chosen["start"] = i
            return
    dates = [i for i in (*named, *rest) if draft.traits[i].date]
    clocks = [
        i for i in (*named, *rest) if draft.traits[i].clock and not _called(draft, i, "duration")
    ]
    if dates and clocks:
        draft.chosen["start_date"], draft.chosen["start_time"] = dates[0], clocks[0]
        return
    for i in named:
        if draft.traits[i].whole:
            draft.chosen["start"] = i
            return


def _called(draft: _Draft, i: int, column: str) -> bool:
    return bool(re.search(_NAMES[column], normal_name(draft.columns[i].name)))


def _vocabularies(draft: _Draft) -> None:
    for column, built_in in _VOCABULARIES:
        if column in draft.chosen or (column == "event_type" and "direction" in draft.chosen):
            continue
        best, score = None, 0.0
        for i in draft.free():
            share = vocabulary_share(draft.columns[i], BUILT_IN[built_in])
            if built_in == "ts32298_record_type" and not draft.columns[i].distinct() & {
                "0",
                "6",
                "7",
            }:
                continue
            named = re.search(_VOCABULARY_NAMES[column], normal_name(draft.columns[i].name))
            bare = draft.traits[i].whole
            if share >= _SURE and (named or not bare) and share + bool(named) > score:
                best, score = i, share + bool(named)
        if best is not None:
            draft.chosen[column], draft.maps[column] = best, built_in
    _numbered_directions(draft)


def _numbered_directions(draft: _Draft) -> None:
    """A direction told by numbers alone: 1 out, 2 in, as most exports have it."""
    if draft.chosen.keys() & {"direction", "event_type"}:
        return
    for i in draft.free():
        called = re.search(_VOCABULARY_NAMES["direction"], normal_name(draft.columns[i].name))
        if called and draft.columns[i].distinct() in ({"1", "2"}, {"1", "2", "3"}):
            draft.chosen["direction"], draft.maps["direction"] = i, ""
            return


def _by_content(draft: _Draft) -> None:
    """Columns that their content alone gives away."""
    for column in ("imei", "imsi"):
        sure = [i for i in draft.free() if draft.traits[i].fits(column) > _SURE]
        if column not in draft.chosen and sure:
            draft.chosen[column] = sure[0]
    numbers = [i for i in draft.free() if draft.traits[i].duration > _SURE]
    varied = [i for i in numbers if len(draft.columns[i].distinct()) > _FEW_VALUES]
    if "duration" not in draft.chosen and len(varied) == 1:
        draft.chosen["duration"] = varied[0]
    if not draft.chosen.keys() & {"line", "a"}:
        phones = [i for i in draft.free() if draft.traits[i].phone > _SURE]
        for column, i in zip(("line", "other"), phones, strict=False):
            if column not in draft.chosen:
                draft.chosen[column] = i


def _name_parties(draft: _Draft) -> None:
    """Which of a, b, line and other the parties are, given whether a row names a direction."""
    chosen = draft.chosen
    if "line" in chosen:
        if "a" in chosen and "b" in chosen:
            del chosen["line"]
        else:
            for spare in ("b", "a"):
                if "other" not in chosen and spare in chosen:
                    chosen["other"] = chosen[spare]
                chosen.pop(spare, None)
    elif ("other" in chosen and "a" in chosen and "b" not in chosen) or (
        "a" in chosen and "b" not in chosen
    ):
        chosen["line"] = chosen.pop("a")
    elif "b" in chosen and "a" not in chosen:
        chosen["other"] = chosen.pop("b")


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(values: Iterable[str]) -> str:
    return "[" + ", ".join(_text(v) for v in values) + "]"


def _write(head: Head, draft: _Draft, delimiter: str, *, header: bool) -> Proposal:
    name = _profile_name(head.source)
    parts = [
        f"# Proposed for {json.dumps(head.source.file.name, ensure_ascii=False)[1:-1]}; check it.",
        f"name = {_text(name)}",
        *_form(draft, head, delimiter),
        "",
        *_layout(head, draft, delimiter, header=header),
        "",
        "[columns]",
        *(f"{column} = {_text(draft.name(column))}" for column in sorted(draft.chosen)),
        "",
        *_values(draft),
        *_time(draft),
        *_numbers(draft),
    ]
    toml = "\n".join(parts).strip() + "\n"
    return Proposal(head.source.path, toml, parse(toml, f"proposal for {head.source.path}"))


def _profile_name(source: Source) -> str:
    """The file's name, with its folder's in front where the file's says little."""
    words = source.stem.lower()
    if words in _PLAIN_NAMES:
        words = f"{source.file.resolve().parent.name.lower()}-{words}"
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-") or "carrier"


def _form(draft: _Draft, head: Head, delimiter: str) -> list[str]:
    chosen = draft.chosen
    told = bool(chosen.keys() & {"direction", "event_type"})
    lines = []
    if "a" in chosen and not told:
        closed = _closed(draft, head, delimiter)
        lines += ['form = "call"', f'b_leg = "{"always" if closed else "own"}"']
    else:
        lines.append('form = "served"')
        if not told:
            lines.append('direction = "out"  # no column tells it')
    if "service" not in chosen and "event_type" not in chosen:
        texts = re.search(r"sms|text|message|短信", head.source.stem.lower())
        if texts and "duration" not in chosen:
            lines.append('service = "sms"')
    rule = "values" if "answered" in chosen else "duration" if "duration" in chosen else "unknown"
    lines.append(f'answered = "{rule}"')
    return lines


def _closed(draft: _Draft, head: Head, delimiter: str) -> bool:
    """Whether most of the called also call: then both ends of a call are lines of the data."""
    with Stream(head.source) as stream:
        text = stream.read(_CLOSED_BYTES).decode(head.encoding, errors="replace")
    rows = split(text.split("\n")[1:-1], delimiter, '"')
    at_a, at_b = draft.chosen["a"], draft.chosen["b"]
    width = len(draft.columns)
    calling = {row[at_a].strip() for row in rows if len(row) == width}
    called = {row[at_b].strip() for row in rows if len(row) == width}
    return bool(called) and len(called & calling) >= _CLOSED * len(called)


def _layout(head: Head, draft: _Draft, delimiter: str, *, header: bool) -> list[str]:
    names = [c.name for c in draft.columns]
    lines = ["[layout]", f"delimiter = {_text(delimiter)}"]
    if head.encoding != "utf-8":
        lines.append(f"encodings = {_list([head.encoding])}")
    used = [draft.name(c) for c in sorted(draft.chosen)]
    if header:
        return [*lines, "", "[match]", f"headers = {_list(used)}"]
    lines += ["header = false", f"names = {_list(names)}"]
    return [*lines, "", "[match]", f"counts = [{len(names)}]"]


def _values(draft: _Draft) -> list[str]:
    lines: list[str] = []
    named = [f'{c} = "{m}"' for c, m in sorted(draft.maps.items()) if m]
    unknown = {c: _left_over(draft, c) for c in draft.maps if draft.maps[c]}
    whole = [n for n in named if not unknown[n.split(" ", 1)[0]]]
    if whole:
        lines += ["[values]", *whole, ""]
    for column, left in unknown.items():
        if left:
            lines += [f"[values.{column}]", *_spelled(draft, column, left), ""]
    if draft.maps.get("direction") == "":
        seen = sorted(draft.columns[draft.chosen["direction"]].distinct())
        lines.append("[values.direction]  # numbers alone: check which is which")
        lines += [f'{v} = "{"out" if v == "1" else "in"}"' for v in seen] + [""]
    return lines


def _left_over(draft: _Draft, column: str) -> list[str]:
    known = BUILT_IN[draft.maps[column]]
    lower = {k.lower() for k in known}
    seen = draft.columns[draft.chosen[column]].distinct()
    return sorted(v for v in seen if v and v.lower() not in lower)


def _spelled(draft: _Draft, column: str, left: list[str]) -> list[str]:
    known = {k.lower(): v for k, v in BUILT_IN[draft.maps[column]].items()}
    seen = sorted(draft.columns[draft.chosen[column]].distinct() - {""})
    told = [f"{_text(v)} = {_text(known[v.lower()])}" for v in seen if v not in left]
    rest = [f'# {_text(v)} = "{IGNORE}"  # what is it?' for v in left]
    return told + rest


def _time(draft: _Draft) -> list[str]:
    if "start" in draft.chosen:
        found = draft.traits[draft.chosen["start"]]
        formats = [found.time] if found.time else ["seconds"]
        swap = found.ambiguous
    else:
        date, clock = (draft.traits[draft.chosen[c]] for c in ("start_date", "start_time"))
        formats, swap = [f"{date.date} {clock.clock}"], date.ambiguous
    note = "  # day and month may be exchanged: check" if swap else ""
    lines = ["[time]", f"formats = {_list(formats)}{note}"]
    if formats == ["seconds"]:
        lines += [
            "# the instant that the seconds count from does not stand in the file",
            'base = "2000-01-01T00:00:00"',
        ]
    lines += [
        '# zone = "Africa/Kinshasa"  # of the times in the file; without it the local zone',
        "",
    ]
    return lines


def _numbers(draft: _Draft) -> list[str]:
    lines: list[str] = []
    if "duration" in draft.chosen:
        column = draft.columns[draft.chosen["duration"]]
        rules = []
        if re.search(r"_ms$|milli", normal_name(column.name)):
            rules.append('unit = "ms"')
        if "-1" in column.distinct():
            rules.append('unanswered = ["-1"]')
        if rules:
            lines += ["[duration]", *rules, ""]
    party = next((c for c in ("line", "a") if c in draft.chosen), None)
    if party is None:
        return lines
    traits = draft.traits[draft.chosen[party]]
    rules = []
    if traits.short > 1 - _SURE:
        rules.append("short_max = 0  # lines are numbered from one, not by E.164")
    if traits.named:
        rules.append("accounts = true")
    home = '# country = "243"  # with trunk = ["0"]: makes national numbers E.164 digits'
    return [*lines, "[numbers]", *rules, home]
