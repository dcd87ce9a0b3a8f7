from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path

import polars as pl
import pytest

from simbox.errors import InputError
from simbox.evaluation.sites import FOUND, ROOMS, compared, judged, site_days, true_rooms
from simbox.evaluation.sites_truth import beside, read_rooms, shifts_by_day

CLASSIC, SHIFT, CENTRE = "gateway/classic", "gateway/shift", "lookalike/call_centre"


def truth(rooms: Mapping[str, tuple[str, int]], people: int = 9) -> pl.DataFrame:
    """Lines a-0, a-1 ... of each room a, and people p-0, p-1 ... without one."""
    rows = [
        (f"{room}-{n}", kind, room) for room, (kind, lines) in rooms.items() for n in range(lines)
    ]
    rows += [(f"p-{n}", "ordinary/person", None) for n in range(people)]
    return pl.DataFrame(rows, schema=["line", "kind", "room"], orient="row")


def found(scores: Mapping[str, float], shifts: Mapping[str, list[dict[str, datetime]]] | None = None
) -> pl.DataFrame:  # fmt: skip
    rows = [
        (site, "alert" if score > 0 else "clear", score, 4.0, (shifts or {}).get(site))
        for site, score in scores.items()
    ]
    return pl.DataFrame(rows, schema=FOUND, orient="row")


def members(sites: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    rows = [(site, line) for site, lines in sites.items() for line in lines]
    return pl.DataFrame(rows, schema=["site", "line"], orient="row")


def lines(room: str, *numbers: int) -> list[str]:
    return [f"{room}-{n}" for n in numbers]


def rooms(frame: pl.DataFrame, ports: float | None = 4.0) -> pl.DataFrame:
    calls = frame.select("line", moc=pl.lit(3))
    return true_rooms(frame, calls).with_columns(true_ports=pl.lit(ports))


def test_callers_of_a_room_are_its_lines_with_outgoing_calls() -> None:
    told = truth({"a": (CLASSIC, 3), "c": (CENTRE, 5)})
    calls = pl.DataFrame({"line": ["a-0", "a-1", "c-0"], "moc": [7, 0, 2]})
    assert true_rooms(told, calls).rows() == [("a", CLASSIC, 1)]


@pytest.mark.parametrize(
    ("inside", "of_a"),
    [
        (["a-0", "a-1", "p-0"], "a"),
        (["a-0", "a-1", "p-0", "p-1"], None),  # half is not more than half
        (["a-0"], None),  # one line is no site
        (["a-0", "a-1", "b-0", "b-1"], None),
        (["a-0", "a-1", "b-0"], "a"),
        (["c-0", "c-1", "c-2"], None),
    ],
)
def test_a_found_site_stands_for_the_room_of_more_than_half_of_its_members(
    inside: list[str], of_a: str | None
) -> None:
    told = truth({"a": (CLASSIC, 4), "b": (SHIFT, 4), "c": (CENTRE, 4)})
    row = judged(found({"S": 1}), members({"S": inside}), told).row(0, named=True)
    assert row["room"] == of_a
    assert row["lines"] == len(inside)


def test_members_are_counted_by_what_they_are() -> None:
    told = truth({"a": (CLASSIC, 4), "c": (CENTRE, 4)})
    inside = ["a-0", "c-0", "c-1", "p-0", "x-0"]  # nobody knows x-0
    row = judged(found({"S": 1}), members({"S": inside}), told).row(0, named=True)
    assert (row["lines"], row["gateways"], row["kind"], row["room"]) == (4, 1, CENTRE, None)


def test_a_split_room_is_measured_by_the_part_with_most_of_its_lines() -> None:
    told = truth({"a": (CLASSIC, 6), "b": (SHIFT, 3)})
    parts = {"S1": lines("a", 0, 1, 2), "S2": [*lines("a", 3, 4), "p-0"], "S3": lines("p", 1, 2)}
    both = judged(found({"S1": -1, "S2": 5, "S3": 0}), members(parts), told)
    matched = compared(rooms(told), both)
    assert matched.columns == list(ROOMS)
    a, b = matched.rows(named=True)
    assert (a["parts"], a["site"], a["status"], a["inside"]) == (2, "S1", "clear", 3)
    assert (b["parts"], b["site"], b["score"]) == (0, None, None)


def test_parts_with_as_many_lines_are_told_apart_by_score() -> None:
    told = truth({"a": (CLASSIC, 4)})
    parts = members({"S1": lines("a", 0, 1), "S2": lines("a", 2, 3)})
    matched = compared(rooms(told), judged(found({"S1": 1, "S2": 2}), parts, told))
    assert matched["site"].to_list() == ["S2"]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(date(2026, 3, day), time(hour, minute))


def shifts(*texts: str) -> pl.DataFrame:
    schema = {"room": pl.String, "shifts": pl.List(pl.String)}
    return shifts_by_day(pl.DataFrame({"room": ["a"], "shifts": [list(texts)]}, schema=schema))


def test_a_break_is_part_of_the_day() -> None:
    days = shifts("2026-03-02T09:00/2026-03-02T12:00", "2026-03-02T13:00/2026-03-02T18:30")
    assert days.rows() == [("a", date(2026, 3, 2), at(2, 9), at(2, 18, 30))]


def test_midnight_neither_begins_nor_ends_a_shift() -> None:
    days = shifts("2026-03-02T20:00/2026-03-04T00:00", "2026-03-04T09:00/2026-03-05T00:30")
    assert days.rows() == [
        ("a", date(2026, 3, 2), at(2, 20), None),
        ("a", date(2026, 3, 3), None, None),
        ("a", date(2026, 3, 4), at(4, 9), None),
        ("a", date(2026, 3, 5), None, at(5, 0, 30)),
    ]


def test_a_found_shift_is_compared_day_by_day() -> None:
    told = truth({"a": (CLASSIC, 3)})
    seen = [
        {"start": at(2, 9, 10), "stop": at(2, 17, 30)},
        {"start": at(4, 9), "stop": at(4, 18)},  # no shift on that day
    ]
    both = judged(found({"S": 1}, {"S": seen}), members({"S": lines("a", 0, 1)}), told)
    true = shifts("2026-03-02T09:00/2026-03-02T18:00", "2026-03-03T09:00/2026-03-03T18:00")
    days = site_days(compared(rooms(told), both), both, true)
    assert days.rows() == [
        ("a", CLASSIC, date(2026, 3, 2), True, True, 10.0, -30.0),
        ("a", CLASSIC, date(2026, 3, 3), True, True, None, None),
    ]


def test_days_of_sites_that_nothing_stands_for_are_not_compared() -> None:
    told = truth({"a": (CLASSIC, 3)})
    both = judged(found({"S": 1}), members({"S": lines("p", 0, 1)}), told)
    true = shifts("2026-03-02T09:00/2026-03-02T18:00")
    assert site_days(compared(rooms(told), both), both, true).is_empty()


def written(folder: Path, text: str) -> Path:
    (folder / "sites.csv").write_text(text, encoding="utf-8")
    return folder / "sites.csv"


def test_true_sites_are_read_with_their_shifts(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "site,kind,lines,ports,cells,shifts\n"
        "a,gateway/classic,3,2,x,2026-03-02T09:00/2026-03-02T12:00 "
        "2026-03-03T09:00/2026-03-03T12:00\n"
        "c,lookalike/call_centre,9,9,x,\n",
    )
    assert beside(tmp_path / "truth.csv") == path
    told = read_rooms(path)
    assert told["ports"].to_list() == [2, 9]
    assert told["shifts"].list.len().to_list() == [2, 0]


@pytest.mark.parametrize("text", ["", "site,lines\na,3\n", None])
def test_a_table_without_ports_and_shifts_tells_nothing(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        written(tmp_path, text)
    assert beside(tmp_path / "truth.csv") is None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,many,", "cannot be read as true sites"),
        ("a,2,\na,3,", "a site stands twice"),
        ("a,2,2026-03-02T09:00", "no time span"),
        ("a,2,2026-03-02T09:00/2026-03-02T08:00", "no time span"),
    ],
)
def test_damaged_true_sites_are_refused_on_one_line(tmp_path: Path, row: str, said: str) -> None:
    path = written(tmp_path, f"site,ports,shifts\n{row}\n")
    with pytest.raises(InputError, match=said) as refused:
        read_rooms(path)
    assert "\n" not in str(refused.value)
