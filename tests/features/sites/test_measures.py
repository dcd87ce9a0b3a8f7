"""What a site does as one subscriber, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from room_traffic import DAY, HOUR, Leg, line_of, traffic

from simbox.features.sites.measures import measure, rows_of
from simbox.features.sites.traffic import Traffic

A, B, C, D, E = (f"99913000010{n}" for n in range(5))
P, Q, R, S = (f"99915000000{n}" for n in range(1, 5))
ONE, TWO = "00100100123450", "00100100123451"  # neighbouring serials

#: Three lines: four numbers in eight calls over two days, two people who call in, one call inside.
FIRM = [
    Leg(B, 30_000, S, 45, "MTC"),
    Leg(B, 30_100, S, 0, "MTC"),
    Leg(A, 36_000, P, 60, handset=ONE),
    Leg(A, 36_600, Q, 0, handset=ONE),
    Leg(A, 36_700, Q, 0, "MTC"),  # rings back and reaches nobody
    Leg(C, 37_000, R, 0, handset=TWO),
    Leg(B, 38_400, Q, 120, handset=ONE),  # half an hour later, by another line
    Leg(C, 40_000, P, 30, "MTC", cell="street"),
    Leg(A, 37_000 + HOUR + 1, R, 0),  # a second too late for a redial
    Leg(A, 41_000, S, 10),
    Leg(A, 42_000, B, 20),
    Leg(B, 42_000, A, 20, "MTC"),
    Leg(C, 43_000, P, 0, "SMS_MO"),
    Leg(A, DAY + 36_000, P, 60),
    Leg(B, DAY + 36_500, P, 90),  # on that day the second call, and on an earlier one the first
]
#: Two lines that only send texts: there is nothing of which a share could be taken.
TEXTERS = [Leg(x, 40_000, other, 0, "SMS_MO", cell="") for x in (D, E) for other in (P, Q)]


def sites_of(found: Traffic, *sites: tuple[str, ...]) -> np.ndarray:
    site = np.full(found.lines, -1, dtype=np.int64)
    for number, lines in enumerate(sites):
        site[[line_of(found, line) for line in lines]] = number
    return site


def measured(legs: list[Leg], *sites: tuple[str, ...]) -> dict[str, list[float | None]]:
    found, _ = traffic(legs)
    return measure(rows_of(found, sites_of(found, *sites)), len(sites)).to_dict(as_series=False)


TOLD = measured([*FIRM, *TEXTERS], (A, B, C), (D, E))
EXPECTED = {
    "lines": 3,
    "calls": 8,
    "days": 2,
    "hours": 3,  # from 10 and from 11, and from 10 on the day after
    "talk_s": 60 + 120 + 10 + 60 + 90,
    "devices": 2,
    "places": 2,
    "places_used": 2,
    "at_once": 2,  # both sides of the call inside
    "full_share": 20 / (340 + 45 + 30 + 20),
    "distinct_share": 4 / 8,
    "called_back_share": 1 / 4,  # P; Q reached nobody, S had called before
    "known_share": 4 / 8,  # Q once, S, and P twice on the second day
    "again_share": 2 / 8,
    "redial_share": 1 / 3,  # of Q, R and R
    "incoming_share": 4 / 12,
    "answered_in_share": 2 / 4,
    "reception_share": 2 / 4,
    "answer_ratio": 5 / 8,
    "inside_share": 1 / 8,
}


@pytest.mark.parametrize("name", list(TOLD))
def test_a_small_firm_is_measured_as_one_subscriber(name: str) -> None:
    assert TOLD[name][0] == pytest.approx(EXPECTED[name], rel=1e-12)


@pytest.mark.parametrize("name", [name for name in TOLD if name.endswith(("_share", "_ratio"))])
def test_shares_of_nothing_are_null(name: str) -> None:
    assert TOLD[name][1] is None


def test_counts_of_nothing_are_zero() -> None:
    counts = ("calls", "days", "hours", "talk_s", "devices", "places", "places_used", "at_once")
    assert TOLD["lines"][1] == 2
    assert {name: TOLD[name][1] for name in counts} == dict.fromkeys(counts, 0)


def test_lines_of_no_site_count_for_none() -> None:
    stranger = [Leg(D, 36_100, P, 3000), Leg(D, 50_000, A, 0), Leg(E, 36_000, Q, 0, "MTC")]
    alone = measured(FIRM, (A, B, C))
    assert measured([*FIRM, *stranger], (A, B, C)) == alone


def test_whoever_answers_for_a_site_does_not_matter() -> None:
    dealt = [Leg((A, B, C)[n % 3], 36_000 + 400 * n, (P, Q, R)[n % 3], 60) for n in range(12)]
    back = [Leg(A, 50_000, Q, 30, "MTC"), Leg(B, 50_100, P, 30, "MTC")]
    told = measured([*dealt, *back], (A, B, C))
    assert told["called_back_share"] == [pytest.approx(2 / 3)]
    split = measured([*dealt, *back], (A, B), (C,))
    assert split["called_back_share"] == [pytest.approx(2 / 2), 0.0]


def test_a_call_between_two_sites_is_outside_for_both() -> None:
    legs = [Leg(A, 36_000, C), Leg(C, 36_000, A, what="MTC"), Leg(A, 37_000, B)]
    told = measured([*legs, Leg(B, 50_000, C, 0, "SMS_MO"), Leg(D, 36_000, P)], (A, B), (C, D))
    assert told["calls"] == [1, 1]
    assert told["inside_share"] == [1.0, 0.0]
    assert told["incoming_share"] == [0.0, 0.5]


@pytest.mark.parametrize(("stray", "used"), [(2, 1), (3, 2)])
def test_a_place_is_in_use_from_three_of_a_hundred_events(stray: int, used: int) -> None:
    legs = [Leg((A, B)[n % 2], 36_000 + n * 60, f"9991510{n:05d}", 30,
                cell="corner" if n < stray else "room") for n in range(100)]  # fmt: skip
    told = measured(legs, (A, B))
    assert (told["places"], told["places_used"]) == ([2], [used])


def test_a_site_is_full_while_four_fifths_of_its_ports_talk() -> None:
    lines = [f"9991300002{n:02d}" for n in range(5)]
    legs = [Leg(line, 36_000 + 10 * n, f"9991510{n:05d}", 100) for n, line in enumerate(lines)]
    told = measured(legs, tuple(lines))
    assert told["at_once"] == [5]
    # From 36,030 on four are open, from 36,100 to 36,110 five less one: four until 36,110.
    assert told["full_share"] == [pytest.approx((36_110 - 36_030) / 140)]


def test_calls_that_begin_when_others_end_are_not_at_once() -> None:
    told = measured([Leg(A, 36_000, P, 100), Leg(B, 36_100, Q, 100)], (A, B))
    assert (told["at_once"], told["full_share"]) == ([1], [1.0])


def test_callers_without_a_number_are_calls_but_nobody_known() -> None:
    legs = [Leg(A, 36_000, P), Leg(B, 37_000, Q), Leg(A, 38_000, P, what="MTC", more={"other": 0})]
    told = measured(legs, (A, B))
    assert told["incoming_share"] == [pytest.approx(1 / 3)]
    assert told["called_back_share"] == [0.0]
