from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from calling import CAPTURES, damaged, damages, picked, real
from hearing import SECOND, Connection, Hearing
from hypothesis import given, settings
from hypothesis import strategies as st

from simbox.ingest.capture.protocol import Datagram
from simbox.ingest.capture.protocols import h225

CALLER, GATEWAY = ("192.0.2.10", 32803), ("198.51.100.7", 1720)
BACK = 0x8000
BEARER, USER = bytes.fromhex("04038890a5"), bytes.fromhex("7e000405200000")


def element(identifier: int, value: bytes) -> bytes:
    return bytes([identifier, len(value)]) + value


def message(kind: int, *elements: bytes, reference: int = 0x77F4) -> bytes:
    octets = b"\x08\x02" + reference.to_bytes(2, "big") + bytes([kind]) + b"".join(elements)
    return b"\x03\x00" + (len(octets) + 4).to_bytes(2, "big") + octets


CALLING = element(0x6C, b"\x01\x80999000111")
CALLED = element(0x70, b"\x81999777001")
SETUP = message(5, b"\xa1", BEARER, element(0x28, b"Somebody\0"), CALLING, CALLED, USER)
PROCEEDING, ALERTING, CONNECT = (message(n, USER, reference=0x77F4 | BACK) for n in (2, 1, 7))
BUSY = element(8, b"\x80\x91")
COLUMNS = (
    "method", "from_user", "request_user", "src", "dst", "start", "ringing_at", "answered_at",
    "end", "hangup_by", "cause", "frames",
)  # fmt: skip


def complete(*elements: bytes, back: bool = False) -> bytes:
    return message(0x5A, *elements, reference=0x77F4 | BACK * back)


@pytest.fixture
def hearing(tmp_path: Path) -> Hearing:
    return Hearing(h225.H225(), tmp_path / "rows")


@pytest.fixture
def connection(hearing: Hearing) -> Connection:
    return Connection(hearing, CALLER, GATEWAY)


def calls(hearing: Hearing) -> list[tuple[Any, ...]]:
    return picked(hearing.rows("dialogs"), *COLUMNS)


def test_a_call_is_one_row_from_setup_to_release(hearing: Hearing, connection: Connection) -> None:
    connection.send(SETUP)
    for octets in (PROCEEDING, ALERTING, CONNECT):
        connection.send(octets, by_server=True)
    connection.send(complete(element(8, b"\x80\x90"), USER))
    ends = (CALLER[0], GATEWAY[0])
    assert calls(hearing) == [
        ("INVITE", "999000111", "999777001", *ends, 1, 3, 4, 5, ends[0], 16, [1, 2, 3, 4, 5])
    ]


@pytest.mark.parametrize(
    ("value", "cause"),
    [(b"\x80\x91", 17), (b"\x00\x80\xaa", 42), (b"\x80", None), (b"", None), (b"\x80\x80", None)],
)
def test_a_refused_call_has_its_cause(
    hearing: Hearing, connection: Connection, value: bytes, cause: int | None
) -> None:
    connection.send(SETUP)
    connection.send(complete(element(8, value), back=True), by_server=True)
    rows = picked(hearing.rows("dialogs"), "answered_at", "end", "hangup_by", "cause")
    assert rows == [(None, 2, GATEWAY[0], cause)]


@pytest.mark.parametrize(
    ("elements", "users"),
    [
        ((CALLING,), ("999000111", None)), ((CALLED,), (None, "999777001")),
        ((element(0x6C, b"\xa1999000111"),), ("999000111", None)),
        ((element(0x28, b"Somebody\0"),), ("Somebody", None)),
        ((element(0x6C, b""), element(0x70, b"\x80")), (None, None)),
        ((b"\x70\xff\x81999",), (None, None)),
        ((USER, b"\xa1", CALLED), (None, "999777001")),
    ],
)  # fmt: skip
def test_numbers_are_those_of_the_party_number_elements(
    hearing: Hearing,
    connection: Connection,
    elements: tuple[bytes, ...],
    users: tuple[str | None, str | None],
) -> None:
    connection.send(message(5, *elements))
    assert picked(hearing.rows("dialogs"), "from_user", "request_user") == [users]


def test_an_answer_without_setup_is_a_call_of_the_other_side(
    hearing: Hearing, connection: Connection
) -> None:
    connection.send(CONNECT, by_server=True)
    assert picked(hearing.rows("dialogs"), "src", "dst", "answered_at", "from_user") == [
        (CALLER[0], GATEWAY[0], 1, None)
    ]


def test_the_end_of_an_unknown_call_is_counted_only(
    hearing: Hearing, connection: Connection
) -> None:
    connection.send(complete(BUSY))
    assert hearing.rows("dialogs") == []
    assert hearing.sink.counts["h225|message of an unknown call"] == 1


def test_a_reference_used_again_is_another_call(hearing: Hearing, connection: Connection) -> None:
    connection.send(SETUP)
    connection.send(ALERTING, by_server=True)
    connection.send(SETUP)
    rows = picked(hearing.rows("dialogs"), "start", "ringing_at", "end")
    assert rows == [(1, 2, None), (3, None, None)]


def test_calls_of_one_connection_are_told_apart_by_reference(
    hearing: Hearing, connection: Connection
) -> None:
    connection.send(SETUP + message(5, element(0x70, b"\x81999777002"), reference=2))
    connection.send(message(7, reference=2 | BACK), by_server=True)
    rows = picked(hearing.rows("dialogs"), "request_user", "answered_at")
    assert rows == [("999777001", None), ("999777002", 2)]


def test_a_call_that_nobody_ends_is_told_when_it_is_forgotten(
    hearing: Hearing, connection: Connection
) -> None:
    connection.send(SETUP)
    hearing.time += 7 * 3600 * SECOND
    connection.send(complete(BUSY))
    assert hearing.sink.counts["h225|call"] == 1


@pytest.mark.parametrize("cut", [1, 7, 4])
def test_messages_are_found_whatever_the_segments(
    hearing: Hearing, connection: Connection, cut: int
) -> None:
    connection.send(SETUP)
    connection.send(ALERTING + CONNECT, cut, by_server=True)
    connection.send(complete(), cut)
    (row,) = hearing.rows("dialogs")
    assert row["messages"] == 4


@pytest.mark.parametrize(
    ("octets", "port", "opens"),
    [
        (SETUP, 1720, True), (SETUP, 40000, True), (SETUP[:4], 1720, True),
        (SETUP[:4], 40000, False), (bytes.fromhex("0300001306e00000"), 3389, False),
        (b"GET / HTTP/1.1", 1720, False), (b"\x03\x00\xff\xff\x08\x02\0\0", 1720, False),
    ],
)  # fmt: skip
def test_a_conversation_opens_with_a_message(
    hearing: Hearing, octets: bytes, port: int, opens: bool
) -> None:
    segment = Datagram(0, 1, *CALLER, GATEWAY[0], port, octets, "tcp")
    assert hearing.reader.opens(segment) is opens


def test_messages_are_found_again_after_a_gap(hearing: Hearing, connection: Connection) -> None:
    connection.send(SETUP + SETUP[:9])
    connection.conversation.gap(*CALLER)
    connection.send(SETUP[9:])
    connection.send(complete(BUSY))
    assert picked(hearing.rows("dialogs"), "end", "cause") == [(3, 17)]


WHOLE = SETUP + complete(BUSY) + SETUP


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=300), damages.map(lambda d: damaged(WHOLE, d))),
       st.integers(1, 300))  # fmt: skip
def test_damaged_octets_are_read_or_let_go(octets: bytes, cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hearing = Hearing(h225.H225(), Path(folder))
        connection = Connection(hearing, CALLER, GATEWAY)
        connection.send(SETUP)
        connection.send(octets, cut)
        connection.send(ALERTING + octets, cut, by_server=True)
        assert all(row["src"] for row in hearing.rows("dialogs"))


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the real captures are not here")
def test_real_calls_are_told(tmp_path: Path) -> None:
    dialogs, _, _ = real("voip-other__ndpi__h323.pcap", tmp_path)
    columns = ("frame", "from_user", "request_user", "ringing_at", "answered_at", "end")
    known = [(row[0], *map(bool, row[1:])) for row in picked(dialogs.to_dicts(), *columns)]
    assert sorted(known) == [
        (6, True, False, True, True, False),
        (47, True, False, True, False, False),
        (65, True, True, False, False, True),
    ]
