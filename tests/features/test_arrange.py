from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest
from event_tables import (
    BASE,
    IMEIS,
    IMSIS,
    LINES,
    PARTIES,
    PLACES,
    digits,
    event_tables,
    events_of,
    kind,
    table,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_frame import SAME_EVENT, in_order

from simbox.features.events import Events
from simbox.identifiers import CLASS_SHIFT, NumberClass, party
from simbox.store import line_hash
from simbox.tables import Kind

LINE, FRIEND = LINES[0], digits("999555000007")
MOC_YES, MOC_NO = kind(Kind.MOC, Kind.YES), kind(Kind.MOC, Kind.NO)
PART_YES, PART_NO = kind(Kind.MOC, Kind.YES, part=True), kind(Kind.MOC, Kind.NO, part=True)
CALL = {"line": LINE, "other": FRIEND, "start": BASE, "duration": 60, "kind": MOC_YES}
ARRAYS = ("line", "start", "offset", "duration", "kind", "other", "place", "imei", "imsi", "cause")


def arranged(*rows: Mapping[str, int]) -> Events:
    return events_of(table(rows))


def bits(events: Events) -> dict[str, bytes]:
    return {n: np.ascontiguousarray(getattr(events, n)).tobytes() for n in (*ARRAYS, "line_ids")}


def part(start: int, duration: int, kind: int = PART_YES, **more: int) -> dict[str, int]:
    return CALL | {"start": BASE + start, "duration": duration, "kind": kind} | more


# Duplicates


def test_a_record_that_came_twice_is_one_event() -> None:
    events = arranged(CALL, CALL | {"source": 1, "row": 7})
    assert (events.rows, events.duplicates) == (1, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"start": BASE + 1},
        {"duration": 61},
        {"other": FRIEND + 1},
        {"kind": kind(Kind.MTC, Kind.YES)},
        {"line": LINES[1]},
    ],
    ids=["start", "duration", "party", "type", "line"],
)
def test_records_that_differ_in_what_makes_an_event_are_two(other: dict[str, int]) -> None:
    events = arranged(CALL, CALL | other)
    assert (events.rows, events.duplicates) == (2, 0)


@pytest.mark.parametrize(
    "column", [{"place": PLACES[1]}, {"imei": IMEIS[1]}, {"imsi": IMSIS[2]}, {"cause": 16}]
)
@pytest.mark.parametrize("fuller_first", [True, False])
def test_of_two_records_the_fuller_is_kept_whichever_came_first(
    column: dict[str, int], fuller_first: bool
) -> None:
    rows = [CALL | column, CALL] if fuller_first else [CALL, CALL | column]
    events = arranged(*rows)
    ((name, value),) = column.items()
    assert events.rows == 1
    assert getattr(events, name).tolist() == [value]


def test_a_party_that_two_feeds_class_differently_is_one_party() -> None:
    events = arranged(CALL, CALL | {"other": FRIEND | (NumberClass.ONNET << CLASS_SHIFT)})
    assert events.duplicates == 1


@pytest.mark.parametrize("swapped", [False, True])
def test_records_that_differ_in_the_clock_alone_leave_the_same_one_in_any_order(
    swapped: bool,
) -> None:
    rows = [CALL | {"offset": 4}, CALL | {"offset": 8}]
    assert arranged(*rows[:: -1 if swapped else 1]).offset.tolist() == [4]


@pytest.mark.parametrize("swapped", [False, True])
def test_a_line_of_two_classes_is_named_alike_in_any_order(swapped: bool) -> None:
    account = LINE | (NumberClass.ACCOUNT << CLASS_SHIFT)
    rows = [CALL, CALL | {"line": account, "start": BASE + 9}]
    assert arranged(*rows[:: -1 if swapped else 1]).line_ids.tolist() == [account]


# Order


def test_lines_come_in_the_order_of_their_hashes_and_rows_in_that_of_time() -> None:
    events = arranged(*(CALL | {"line": line, "start": BASE + s} for line in LINES for s in (9, 3)))
    hashes = line_hash(events.line_ids).tolist()
    assert hashes == sorted(hashes)
    assert events.line.tolist() == [0, 0, 1, 1, 2, 2]
    assert events.start.tolist() == [BASE + 3, BASE + 9] * 3


def test_events_of_one_second_stand_by_type_then_duration_then_party() -> None:
    rows = [
        CALL | {"kind": kind(Kind.SMS_MO), "duration": -1},
        CALL | {"duration": 60, "other": FRIEND + 1},
        CALL | {"duration": 60},
        CALL | {"duration": 5, "other": FRIEND + 2},
        CALL | {"kind": kind(Kind.MTC, Kind.YES), "duration": 1},
    ]
    events = arranged(*rows)
    seen = list(zip(events.event_type.tolist(), events.duration.tolist(), strict=True))
    assert seen == [(0, 5), (0, 60), (0, 60), (1, 1), (2, -1)]
    assert events.other.tolist()[1:3] == [FRIEND, FRIEND + 1]


@settings(max_examples=25)
@given(event_tables(parts=True), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_their_repetition_change_nothing(
    stored: pl.DataFrame, random: object
) -> None:
    rows = [*range(stored.height), *range(0, stored.height, 2)]
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert bits(events_of(stored[rows])) == bits(events_of(stored))


@settings(max_examples=25)
@given(event_tables())
def test_events_are_the_distinct_records_in_the_total_order(stored: pl.DataFrame) -> None:
    events = events_of(stored)
    wanted = in_order(stored).unique(SAME_EVENT, keep="first", maintain_order=True)
    got = pl.DataFrame({n: getattr(events, n) for n in ARRAYS[1:]}).with_columns(
        line=party(events.line_ids)[events.line]
    )
    got = got.sort("line", maintain_order=True)
    assert (
        got.select(wanted.select(ARRAYS).columns)
        .cast(pl.Int128)
        .equals(wanted.select(ARRAYS).cast(pl.Int128))
    )
    assert events.duplicates == stored.height - wanted.height


# Partial records


def test_a_long_call_in_four_parts_is_one_call_of_their_summed_duration() -> None:
    events = arranged(*(part(900 * n, 900) for n in range(3)), part(2700, 100, MOC_YES))
    assert events.duration.tolist() == [2800]
    assert (events.start.tolist(), events.merged) == ([BASE], 3)


@pytest.mark.parametrize(("gap", "calls"), [(0, 1), (5, 1), (-5, 1), (6, 2), (-6, 2)])
def test_a_part_is_joined_only_when_it_starts_where_the_last_one_ends(gap: int, calls: int) -> None:
    assert arranged(part(0, 900), part(900 + gap, 50, MOC_YES)).rows == calls


def test_a_whole_record_is_never_continued() -> None:
    assert arranged(part(0, 900, MOC_YES), part(900, 50, PART_YES)).rows == 2


@pytest.mark.parametrize(
    "other", [{"other": FRIEND + 1}, {"line": LINES[1]}, {"kind": kind(Kind.MTC, Kind.YES)}]
)
def test_parts_of_another_call_are_not_joined(other: dict[str, int]) -> None:
    assert arranged(part(0, 900), part(900, 50, MOC_YES) | other).rows == 2


def test_parts_of_two_call_references_are_two_calls() -> None:
    assert arranged(part(0, 900, call_ref=1), part(900, 50, MOC_YES, call_ref=2)).rows == 2


def test_two_calls_at_once_to_one_party_are_told_apart_by_their_references() -> None:
    events = arranged(
        part(0, 900, call_ref=1),
        part(300, 600, call_ref=2),
        part(900, 10, MOC_YES, call_ref=1),
        part(901, 20, MOC_YES, call_ref=2),
    )
    assert events.duration.tolist() == [910, 620]


def test_a_call_answered_in_a_later_part_is_answered() -> None:
    events = arranged(part(0, 20, PART_NO), part(20, 60, MOC_YES))
    assert events.answer.tolist() == [Kind.YES]
    assert events.duration.tolist() == [80]


def test_a_joined_call_ends_with_the_cause_of_its_last_part() -> None:
    events = arranged(part(0, 900, cause=31), part(900, 50, MOC_YES, cause=16))
    assert events.cause.tolist() == [16]


@pytest.mark.parametrize(("durations", "whole"), [((-1, -1), -1), ((-1, 7), 7), ((0, -1), 0)])
def test_parts_of_unknown_duration_add_nothing_and_alone_stay_unknown(
    durations: tuple[int, int], whole: int
) -> None:
    events = arranged(part(0, durations[0]), part(2, durations[1], MOC_YES))
    assert events.duration.tolist() == [whole]


def test_repeated_parts_are_dropped_before_parts_are_joined() -> None:
    events = arranged(*[part(0, 900), part(900, 50, MOC_YES)] * 2)
    assert (events.duration.tolist(), events.duplicates, events.merged) == ([950], 2, 1)


@settings(max_examples=30)
@given(event_tables(parts=True, lines=1, max_size=25))
def test_chains_of_parts_are_those_found_by_walking(stored: pl.DataFrame) -> None:
    events = events_of(stored)
    wanted = walked(stored)
    got = zip(events.start.tolist(), events.duration.tolist(), events.answer.tolist(), strict=True)
    assert sorted(got) == sorted(wanted)


def walked(stored: pl.DataFrame) -> list[tuple[int, int, int]]:
    """Start, duration and answer of each call, part after part of each party and type."""
    rows = in_order(stored).unique(SAME_EVENT, keep="first", maintain_order=True)
    calls: list[tuple[int, int, int]] = []
    for _, group in rows.group_by("line", "type_code", "party_id", maintain_order=True):
        open_until = None
        for row in group.sort("start", maintain_order=True).iter_rows(named=True):
            talk, answer = row["duration"], row["kind"] // 4 % 4
            if open_until is not None and abs(row["start"] - open_until) <= 5:
                start, so_far, said = calls.pop()
                both = max(so_far, 0) + max(talk, 0) if max(so_far, talk) >= 0 else -1
                calls.append((start, both, Kind.YES if Kind.YES in (said, answer) else said))
            else:
                calls.append((row["start"], talk, answer))
            partial = row["kind"] & Kind.PARTIAL
            open_until = row["start"] + max(talk, 0) if partial else None
    return calls


def test_no_events_are_no_lines() -> None:
    events = events_of(table([]))
    assert (events.rows, events.lines, events.duplicates, events.merged) == (0, 0, 0, 0)


def test_a_withheld_party_is_no_party() -> None:
    assert arranged(CALL | {"other": PARTIES[1]}).party.tolist() == [0]
