"""What a site is told to be: ports, shifts, kinds, duty and places, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from event_tables import cell_table, text
from room_traffic import DAY, HOUR, Leg, line_of, traffic

from simbox.features.sites.description import (
    BANK,
    BOX,
    FIXED,
    PHONES,
    VEHICLE,
    centroids,
    describe,
    shifts_of,
)
from simbox.features.sites.measures import Rows, measure, rows_of
from simbox.features.sites.traffic import Traffic

LINES = [f"9991300003{n:02d}" for n in range(12)]
OPENS = 9 * HOUR


def site(legs: list[Leg]) -> tuple[Traffic, Rows]:
    """The legs' lines as one site."""
    found, _ = traffic(legs)
    return found, rows_of(found, np.zeros(found.lines, dtype=np.int64))


def described(legs: list[Leg], **given: Any) -> dict[str, Any]:
    """What is told of the legs' lines, measured columns replaced by given ones."""
    found, rows = site(legs)
    wide = measure(rows, 1).with_columns(pl.lit(0.0).alias("move_nats"))
    return describe(found, rows, wide.with_columns(**{k: pl.lit(v) for k, v in given.items()})).row(
        0, named=True
    )


def handset(port: int) -> str:
    """Ports of one box: neighbouring serials."""
    return f"001001009000{port:02d}"


def in_turn(ports: int, cards: int, imei: str = "") -> list[Leg]:
    """Two hours in which each port changes its card every five minutes, so does none overlap."""
    return [
        Leg(LINES[card], OPENS + turn * 300 + port * 7, f"99915{port}{turn:06d}", 120, cell="room",
            handset=imei and handset(port if imei == "port" else card))
        for turn in range(24)
        for port, card in enumerate(range(turn % cards, ports * cards, cards))
    ]  # fmt: skip


def one_by_one(lines: int, imei: bool) -> list[Leg]:
    """Lines that each call once a quarter of an hour, one after the other."""
    return [
        Leg(LINES[n], OPENS + quarter * 900 + n * 100, f"99916{quarter:03d}{n:04d}", 60,
            handset=handset(n) if imei else "", cell="room")
        for quarter in range(12)
        for n in range(lines)
    ]  # fmt: skip


def test_six_cards_that_take_turns_in_two_handsets_are_two_ports() -> None:
    assert described(in_turn(2, 3, imei="port"))["ports"] == 2


def test_cards_in_handsets_of_their_own_count_as_ports_where_no_handset_tells() -> None:
    assert described(in_turn(2, 3, imei="card"))["ports"] == 6
    assert described(in_turn(2, 3))["ports"] == 6


@pytest.mark.parametrize("imei", [True, False])
@pytest.mark.parametrize("lines", [2, 5, 8])
def test_lines_at_work_at_a_time_are_ports_whatever_their_serials(lines: int, imei: bool) -> None:
    told = described(one_by_one(lines, imei))
    assert told["ports"] == lines


def test_ports_are_never_fewer_than_the_calls_at_once() -> None:
    quiet = [Leg(LINES[0], n * 900, f"99917{n:07d}", 30) for n in range(95)]
    burst = [Leg(line, 86_000, f"99918{n:07d}", 60) for n, line in enumerate(LINES[:4])]
    assert described([*quiet, *burst])["ports"] == 4
    assert described([*quiet, *burst[:1]])["ports"] == 1


def test_a_shift_is_the_first_and_last_moment_of_calls_of_each_day() -> None:
    legs = [
        Leg(LINES[0], 9 * HOUR, seconds=30),
        Leg(LINES[1], 17 * HOUR, seconds=200),
        Leg(LINES[1], 16 * HOUR, seconds=2 * HOUR),  # lasts longer than what begins later
        Leg(LINES[0], 20 * HOUR, seconds=0, what="SMS_MO"),
        Leg(LINES[1], 21 * HOUR, what="MTC"),
        Leg(LINES[0], 2 * DAY + 10 * HOUR, seconds=5),
    ]
    assert described(legs)["shifts"] == [
        {"start": 9 * HOUR, "stop": 18 * HOUR},
        {"start": 2 * DAY + 10 * HOUR, "stop": 2 * DAY + 10 * HOUR + 5},
    ]


def test_a_site_that_never_calls_has_no_shift() -> None:
    found, _ = traffic([Leg(LINES[0], HOUR), Leg(LINES[1], HOUR, what="MTC")])
    own = np.zeros(2, dtype=np.int64)
    own[line_of(found, LINES[1])] = 1
    calls = [{"start": HOUR, "stop": HOUR + 60}]
    assert shifts_of(rows_of(found, own), 2).to_list() == [calls, None]


def test_duty_is_the_talking_time_of_the_hours_in_use_over_the_ports() -> None:
    legs = [
        Leg(LINES[0], OPENS, "999150000001", 900),
        Leg(LINES[0], OPENS + HOUR, "999150000002", 600),
        Leg(LINES[1], OPENS + 30, "999150000003", 300),  # a second port
    ]
    told = described(legs)
    assert told["ports"] == 2
    assert told["erlang_per_port"] == pytest.approx(1800 / 7200 / 2)
    assert told["sims_a_day"] == 2.0


def test_sims_a_day_are_counted_over_days_with_calls() -> None:
    legs = [
        Leg(line, day * DAY + OPENS + n * 200, f"99915{day}{n:06d}")
        for day, lines in ((0, 3), (1, 2), (4, 1))
        for n, line in enumerate(LINES[:lines])
    ]
    assert described(legs)["sims_a_day"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (FIXED, {"places": 0}),
        (VEHICLE, {"places": 4, "move_nats": 3.0}),
        (BOX, {"places": 4, "move_nats": 2.9, "lines": 7}),
        (BOX, {"places": 3, "move_nats": 9.0, "lines": 7}),
        (BANK, {"places": 9, "places_used": 6}),
        (VEHICLE, {"places": 9, "places_used": 6, "move_nats": 5.0}),
        (PHONES, {"places": 1, "lines": 6, "devices": 6}),
        (BOX, {"places": 1, "lines": 6, "devices": 5}),
        (BOX, {"places": 1, "lines": 7, "devices": 7}),
    ],
)
def test_a_site_is_named_by_what_it_cannot_hide(kind: str, given: dict[str, float]) -> None:
    assert described(one_by_one(2, True), **given)["kind"] == kind


def test_cells_come_most_used_first_with_their_shares() -> None:
    legs = [
        Leg(LINES[n % 2], OPENS + n * 60, cell=cell)
        for n, cell in enumerate(("b", "a", "a", "c", "a", "b", "a", "a", "", ""))
    ]
    told = described(legs)
    assert told["cells"] == [text("a"), text("b"), text("c")]
    assert told["cell_shares"] == [5 / 8, 2 / 8, 1 / 8]


def test_first_and_last_moment_are_those_of_any_event() -> None:
    legs = [
        Leg(LINES[0], HOUR, what="SMS_MT", seconds=0),
        Leg(LINES[1], OPENS, seconds=90),
        Leg(LINES[0], 20 * HOUR, what="MTC", seconds=100),
    ]
    told = described(legs)
    assert (told["first_s"], told["last_s"]) == (HOUR, 20 * HOUR + 100)


def test_centroids_weigh_known_cells_by_their_shares() -> None:
    table = cell_table({"a": (50.0, 10.0), "b": (51.0, 12.0)})
    a, b, unknown = text("a"), text("b"), text("not in the table")
    cells = pl.Series([[a, b, unknown], [b], [unknown], None], dtype=pl.List(pl.UInt64))
    shares = pl.Series([[0.6, 0.2, 0.2], [1.0], [1.0], None], dtype=pl.List(pl.Float64))
    lat, lon = centroids(cells, shares, table)
    assert lat[:2].tolist() == pytest.approx([50.25, 51.0])
    assert lon[:2].tolist() == pytest.approx([10.5, 12.0])
    assert np.isnan([lat[2:], lon[2:]]).all()
