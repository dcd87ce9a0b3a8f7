from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from simbox.config import Config, Lists
from simbox.errors import ConfigError
from simbox.scoring import ListEntries, Scorecard, load_lists, score_frame

END = dt.date(2026, 3, 31)
HEAD = "value,kind,reason,owner,expires\n"
REST = "seen in a raid,fraud desk,2026-12-31"
FRAME = pl.DataFrame(
    {
        "line": ["22501000001", "22501000002", "33601000003"],
        "top_imei": ["35780502000001", "35780502999999", None],
        "top_cell": ["001-01-1-1", "001-01-1-2", None],
        "top_imsi": ["001010000000001", None, None],
    }
)


@pytest.fixture
def lists_in(tmp_path: Path, config: Config) -> Callable[..., ListEntries]:
    def read(text: str, name: str = "hot.csv", lists: Lists = config.lists) -> ListEntries:
        (tmp_path / name).write_text(text)
        return load_lists([tmp_path / name], lists, END)

    return read


@pytest.mark.parametrize(
    ("kind", "value", "hit"),
    [
        ("line", "22501000001", [0]),
        ("line", "+225 01-000-001", [0]),
        ("line", "0022501000001", [0]),
        ("line", "2250100000", []),
        ("prefix", "225", [0, 1]),
        ("prefix", "+33", [2]),
        ("imei", "35780502000001", [0]),
        ("imei", "357805020000015", [0]),
        ("tac", "35780502", [0, 1]),
        ("cell", "001-01-1-2", [1]),
        ("imsi", "001010000000001", [0]),
    ],
)
def test_entry_names_the_lines_that_have_its_value(
    kind: str, value: str, hit: list[int], lists_in: Callable[..., ListEntries]
) -> None:
    matched = lists_in(f"{HEAD}{value},{kind},{REST}\n").match(FRAME)
    assert [row for row, on in enumerate(matched["hot"]) if on] == hit
    assert matched["white"].sum() == matched["grey"].sum() == 0


def test_name_of_an_account_keeps_its_punctuation(lists_in: Callable[..., ListEntries]) -> None:
    matched = lists_in(f"{HEAD}desk.12/a-1,line,{REST}\n").match(
        pl.DataFrame({"line": ["desk.12/a-1", "desk12a1"]})
    )
    assert matched["hot"].to_list() == [True, False]


def test_blank_lines_of_a_list_are_no_entries(lists_in: Callable[..., ListEntries]) -> None:
    listed = lists_in(f"{HEAD}\n22501000001,line,{REST}\n,,,,\n\n")
    assert listed.entries["value"].to_list() == ["22501000001"]


def test_entry_of_a_column_that_the_features_lack_names_nobody(
    lists_in: Callable[..., ListEntries],
) -> None:
    entries = lists_in(f"{HEAD}35780502,tac,{REST}\n")
    assert entries.match(FRAME.select("line"))["hot"].sum() == 0


def test_line_on_several_lists_shows_the_hot_entry_first(
    lists_in: Callable[..., ListEntries],
) -> None:
    matched = lists_in(
        "list,value,kind,reason,owner,expires\n"
        "white,22501000001,line,own test SIM,lab,2026-12-31\n"
        "hot,35780502,tac,gateway model,fraud desk,2026-12-31\n"
        "grey,225,prefix,trial,fraud desk,2026-12-31\n",
        "all.csv",
    ).match(FRAME)
    assert matched.row(0) == (True, True, True, "hot: gateway model (fraud desk)")
    assert matched.row(2) == (False, False, False, None)


def test_expired_entry_has_no_effect_and_is_reported(lists_in: Callable[..., ListEntries]) -> None:
    entries = lists_in(
        f"{HEAD}22501000001,line,raid,desk,2026-03-30\n22501000002,line,raid,desk,2026-03-31\n"
    )
    assert entries.match(FRAME)["hot"].to_list() == [False, True, False]
    assert entries.notes[0].endswith("1 expired by 2026-03-31, without effect: hot entry in line 2")


def test_white_entry_that_nobody_owns_is_refused_unless_the_config_only_warns(
    lists_in: Callable[..., ListEntries], config: Config
) -> None:
    text = f"{HEAD}22501000001,line,own test SIM,,2026-12-31\n"
    with pytest.raises(ConfigError, match=r"white.csv: line 2: a white entry without owner"):
        lists_in(text, "white.csv")
    warned = lists_in(
        text, "white.csv", config.lists.model_copy(update={"incomplete_white": "warn"})
    )
    assert "without reason, owner or expiry: white entry in line 2" in warned.notes[0]
    assert warned.match(FRAME)["white"].sum() == 1


def test_hot_entry_without_expiry_is_used_and_reported(
    lists_in: Callable[..., ListEntries],
) -> None:
    entries = lists_in("value,kind\n22501000001,line\n")
    assert entries.match(FRAME).row(0) == (True, False, False, "hot: no reason (no owner)")
    assert "1 entries without reason" in entries.notes[0]


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("number,kind\n1,line\n", "hot.csv", "line 1: unknown column 'number'"),
        ("kind\nline\n", "hot.csv", "line 1: no column 'value'; found kind"),
        (f"{HEAD}1,sim,{REST}\n", "hot.csv", "line 2: kind: found 'sim'; a kind is one of line"),
        (f"{HEAD}1,line,{REST}\n,line,{REST}\n", "hot.csv", "line 3: value: found nothing"),
        (f"{HEAD}12,tac,{REST}\n", "hot.csv", "line 2: value: found '12'; is no tac"),
        (f"{HEAD}1,line,a,b,31.12.2026\n", "hot.csv", "line 2: expires: found '31.12.2026'"),
        (f"{HEAD}1,line,{REST}\n", "mine.csv", "says nowhere which list it is"),
        (f"list,{HEAD}black,1,line,{REST}\n", "mine.csv", "line 2: list: found 'black'"),
        ("", "hot.csv", "cannot be read as a CSV list"),
    ],
)
def test_list_that_does_not_fit_is_one_line_of_error_with_its_row(
    text: str, name: str, message: str, lists_in: Callable[..., ListEntries]
) -> None:
    with pytest.raises(ConfigError) as error:
        lists_in(text, name)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_absent_list_is_one_line_of_error(config: Config, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hot\.csv: no such list file"):
        load_lists([tmp_path / "hot.csv"], config.lists, END)


@pytest.mark.parametrize(
    ("listed", "status"),
    [("white", "listed"), ("grey", "watch"), ("hot", "alert")],
)
def test_list_decides_the_status_of_a_gateway_and_its_score_stays(
    listed: str, status: str, lists_in: Callable[..., ListEntries],
    population: Callable[..., pl.DataFrame], card: Scorecard,
) -> None:  # fmt: skip
    frame = population(0, 3)
    plain = score_frame(frame, card).lines.sort("line").row(0, named=True)
    entries = lists_in(f"{HEAD}{plain['line']},line,{REST}\n", f"{listed}.csv")
    line = score_frame(frame, card, entries).lines.sort("line").row(0, named=True)
    assert line["status"] == status
    assert line["listed"] == f"{listed}: seen in a raid (fraud desk)"
    added = card.hot_nats if listed == "hot" else 0
    assert line["score"] == pytest.approx(plain["score"] + added)


def test_hot_entry_is_a_part_of_the_score_and_counts_once(
    lists_in: Callable[..., ListEntries], card: Scorecard
) -> None:
    entries = lists_in(f"{HEAD}22501000001,line,{REST}\n35780502,tac,{REST}\n")
    scored = score_frame(FRAME.select("line", "top_imei"), card, entries)
    parts = scored.contributions.collect().sort("line")
    assert parts["hot_list"].to_list() == [8_000_000, 8_000_000, None]
    assert scored.lines["reasons_for"].to_list()[:2] == ["HOT-LIST", "HOT-LIST"]
    assert "alert" not in scored.lines["status"].to_list()


def test_hot_list_beats_a_white_one(
    lists_in: Callable[..., ListEntries], population: Callable[..., pl.DataFrame], card: Scorecard
) -> None:
    frame = population(0, 1)
    entries = lists_in(
        f"list,{HEAD}hot,225,prefix,{REST}\nwhite,225,prefix,{REST}\ngrey,225,prefix,{REST}\n",
        "all.csv",
    )
    assert score_frame(frame, card, entries).lines["status"].to_list() == ["alert"]
