"""A world written in any profile is read back as the events that the profile can carry."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from hand_made_world import PLAN, hand_made

from ingest.reading import read
from simbox.ingest.cdr.profile import Profile, load, load_all, parse
from simbox.simulation.legs import legs
from simbox.simulation.world import World
from simbox.simulation.writing import Target, write_world

MIDNIGHT_UTC = 1_740_931_200  # of 2025-03-03 in Shanghai
IDENTITIES = ("imsi", "imei", "cell")
COLUMNS = [
    "line", "other", "event_type", "start", "duration", "answer", "cause", *IDENTITIES, "offset",
]  # fmt: skip


@dataclass(frozen=True)
class Carries:
    """What a profile has room for."""

    form: str = "served"
    calls: bool = True
    texts: bool = True
    has: tuple[str, ...] = ("cause", *IDENTITIES)
    digests: bool = False
    cell: str = "cgi"
    causes: tuple[tuple[int, int], ...] = ()  # those read back as another


# Asterisk prints six words for all endings
ASTERISK = Carries("call", texts=False, has=("cause",), causes=((1, 41), (20, 19), (31, 19)))
SHIPPED = {
    "asterisk": ASTERISK,
    "asterisk-custom": ASTERISK,
    "bandicoot": Carries(has=("cell",)),
    "cdr-stats": Carries("call", texts=False, has=("cause",)),
    "cisco-cucm": Carries("call", texts=False, has=("cause",)),
    "freeswitch": Carries("call", texts=False, has=("cause",)),
    "generic-call": Carries("call"),
    "generic-parties": Carries(),
    "generic-served": Carries(),
    "mediation-ts32298": Carries(),
    "orange-semicolon": Carries(has=("cell",), cell="coordinates"),
    "sichuan-sms": Carries(calls=False, has=(), digests=True),
    "sichuan-voice": Carries(texts=False, has=("imei", "cell"), digests=True, cell="county"),
}


@cache
def world() -> World:
    return hand_made()


@cache
def all_calls() -> pl.DataFrame:
    return pl.concat([day.calls for day in world().days()])


def digest(text: str) -> str:
    return hashlib.sha256(f"{PLAN.seed}:{text}".encode()).hexdigest()


def served_legs(form: str) -> pl.DataFrame:
    """All legs; of one row a call there is one of every own line that is called, reached or not."""
    if form == "served":
        return legs(all_calls())
    calls = all_calls()
    common = ["start", "talk", "answered", "cause", "text"]
    sides = [("a", "b", True), ("b", "a", False)]
    return pl.concat(
        calls.filter(pl.col(me) >= 0).select(
            pl.col(me).cast(pl.UInt32).alias("line"),
            pl.lit(outgoing).alias("outgoing"),
            pl.col(you).alias("other"),
            *common,
            pl.col(f"{me}_cell").cast(pl.Int64).alias("cell"),
            pl.col(f"{me}_imei").alias("imei"),
        )
        for me, you, outgoing in sides
    )


def expected(carries: Carries) -> list[tuple[object, ...]]:
    """The events as plain words, each worked out by itself."""
    lines = world().lines.rows(named=True)
    cells = world().country.table().rows(named=True)

    def number(party: int) -> str:
        text = str(lines[party]["number"] if party >= 0 else -party)
        return digest(text) if carries.digests else text

    def place(cell: int) -> str | None:
        if cell < 0:
            return None
        row = cells[cell]
        if carries.cell == "coordinates":
            return f"{row['lat']}-{row['lon']}"
        if carries.cell == "county":
            return f"C{int(row['district'][1:]) // 8}-{row['district']}"
        return row["cell"]

    def imei(value: int) -> str | None:
        if value < 0:
            return None
        return digest(f"{value:015d}") if carries.digests else f"{value:015d}"[:14]

    causes = dict(carries.causes)
    found = []
    for leg in served_legs(carries.form).rows(named=True):
        if not (carries.texts if leg["text"] else carries.calls):
            continue
        own = lines[leg["line"]]
        row = {
            "line": number(leg["line"]),
            "other": number(leg["other"]),
            "event_type": ("SMS_MO" if leg["text"] else "MOC")
            if leg["outgoing"]
            else ("SMS_MT" if leg["text"] else "MTC"),
            "start": leg["start"] + MIDNIGHT_UTC,
            "duration": -1 if leg["text"] else leg["talk"],
            "answer": 2 if leg["text"] else int(leg["answered"]),
            "cause": 0 if leg["text"] else causes.get(leg["cause"], leg["cause"]),
            "imsi": None if own["fixed"] else f"{own['imsi']:015d}",
            "imei": imei(leg["imei"]),
            "cell": place(leg["cell"]),
            "offset": 32,
        }
        missing = {"cause": 0, "imsi": None, "imei": None, "cell": None}
        row |= {name: none for name, none in missing.items() if name not in carries.has}
        found.append(tuple(row[c] for c in COLUMNS))
    return found


def written(folder: Path, profile: Profile, form: str | None = None) -> Path:
    out = folder / "out"
    write_world(PLAN, Target(out, profile, form), world)
    return out


def events(out: Path, folder: Path, profile: str | Path | None) -> pl.DataFrame:
    paths = sorted(out.glob("cdr*"))
    found = read(paths, folder, profile=profile)
    assert (found.report.rejects, found.rejects.height) == ({}, 0)
    assert not [note for f in found.report.files for note in f.adjusted]
    return found.events


def plain(found: pl.DataFrame) -> list[tuple[object, ...]]:
    start = pl.col("start").str.to_datetime("%Y-%m-%d %H:%M:%S").dt.epoch("s")
    return found.with_columns(start).select(COLUMNS).rows()


def test_every_shipped_profile_is_tried() -> None:
    assert set(SHIPPED) == set(load_all())


@pytest.mark.parametrize("name", SHIPPED)
def test_world_written_in_a_shipped_profile_is_read_back(name: str, tmp_path: Path) -> None:
    out = written(tmp_path, load_all()[name])
    got = plain(events(out, tmp_path, out / "profile.toml"))
    wanted = expected(SHIPPED[name])
    assert len(got) == len(wanted) > 100
    assert Counter(got) == Counter(wanted)


@pytest.mark.parametrize("name", SHIPPED)
def test_files_are_recognised_by_their_content(name: str, tmp_path: Path) -> None:
    out = written(tmp_path, load_all()[name])
    found = read(sorted(out.glob("cdr*")), tmp_path)
    assert {f.profile for f in found.report.files} == {name}


@pytest.mark.parametrize("form", ["parquet", "csv", "csv.gz"])
@pytest.mark.parametrize("name", ["generic-served", "generic-call"])
def test_every_form_holds_the_same_events(name: str, form: str, tmp_path: Path) -> None:
    out = written(tmp_path, load_all()[name], form)
    assert all(p.name.endswith(f".{form}") for p in out.glob("cdr*"))
    got = plain(events(out, tmp_path, out / "profile.toml"))
    assert Counter(got) == Counter(expected(SHIPPED[name]))


OWN_PROFILES = {
    "national numbers, half-times and tenths": """
name = "odd"
answered = "duration"
[layout]
delimiter = "|"
skip = 2
comment = "#"
[columns]
line = "A"
other = "B"
imsi = "SIM"
imei = "DEVICE"
mcc = "MCC"
mnc = "MNC"
lac = "LAC"
ci = "CI"
start_date = "DAY"
start_time = "CLOCK"
duration = "TENTHS"
event_type = "KIND"
cause = "RELEASE"
[values.event_type]
mo = "MOC"
mt = "MTC"
sent = "SMS_MO"
got = "SMS_MT"
[time]
formats = ["%d.%m.%Y %H:%M:%S"]
[duration]
unit = "tenths"
unanswered = ["-1"]
[numbers]
country = "86"
trunk = ["0"]
routing = ["1"]
""",
    "seconds since an instant, one row a call": """
name = "seconds"
form = "call"
answered = "values"
[columns]
a = "from"
b = "to"
imsi = "a_sim"
imei = "a_device"
cell = "a_cell"
b_imsi = "b_sim"
b_imei = "b_device"
b_cell = "b_cell"
start = "t"
duration = "d"
service = "what"
answered = "ok"
cause = "why"
[time]
formats = ["seconds"]
base = "2012-09-01T00:00:00"
[duration]
unit = "ms"
[numbers]
national_lengths = [9]
""",
    "times with their offset": """
name = "zoned"
answered = "values"
[columns]
line = "line"
other = "other"
imsi = "imsi"
imei = "imei"
cell = "cell"
start = "start"
duration = "d"
direction = "way"
service = "what"
answered = "ok"
cause = "why"
[time]
formats = ["%Y-%m-%dT%H:%M:%S%:z"]
""",
    "a letter where somebody else has a number": """
name = "words"
answered = "duration"
format = ["parquet"]
[columns]
line = "line"
other = "other"
imsi = "imsi"
imei = "imei"
cell = "cell"
start = "start"
duration = "d"
event_type = "kind"
cause = "why"
[duration]
unanswered = ["none"]
[time]
formats = ["epoch_us"]
""",
}


@pytest.mark.parametrize("text", OWN_PROFILES.values(), ids=OWN_PROFILES)
def test_world_written_in_a_carriers_own_profile_is_read_back(text: str, tmp_path: Path) -> None:
    profile = parse(text, "own.toml")
    out = written(tmp_path, profile)
    got = plain(events(out, tmp_path, out / "profile.toml"))
    assert Counter(got) == Counter(expected(Carries(profile.form)))


ONE_SIDED = """
name = "outgoing"
answered = "always"
direction = "out"
[columns]
line = "line"
other = "other"
start = "start"
duration = "d"
"""


def test_what_a_profile_has_no_word_for_is_left_out_and_counted(tmp_path: Path) -> None:
    out = written(tmp_path, parse(ONE_SIDED, "own.toml"))
    record = json.loads((out / "world.json").read_text())
    every = served_legs("served")
    kept = every.filter(pl.col("outgoing") & pl.col("answered"))
    calls = every.filter(~pl.col("text"))
    assert record["left_out"] == {
        "calls that nobody took": calls.filter("outgoing", ~pl.col("answered")).height,
        "incoming calls": calls.filter(~pl.col("outgoing")).height,
        "texts received": every.filter("text", ~pl.col("outgoing")).height,
        "texts sent": every.filter("text", "outgoing").height,
    }
    assert events(out, tmp_path, out / "profile.toml").height == kept.height
    assert record["counts"]["rows"] == kept.height


@pytest.mark.parametrize("name", SHIPPED)
def test_written_profile_is_whole_and_can_be_written_again(name: str, tmp_path: Path) -> None:
    first = written(tmp_path, load_all()[name]) / "profile.toml"
    profile = load(first)
    assert (profile.time.zone, profile.numbers.country) == (PLAN.zone, "999")
    assert profile.numbers.own
    (tmp_path / "again").mkdir()
    again = written(tmp_path / "again", profile) / "profile.toml"
    changed = tomllib.loads(again.read_text())
    assert changed.pop("name") == f"{name}-world-world"
    assert changed == {k: v for k, v in tomllib.loads(first.read_text()).items() if k != "name"}
