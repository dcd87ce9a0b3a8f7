from __future__ import annotations

import struct
import tempfile
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from calling import CAPTURES, damaged, damages, picked, real, rows_of
from hearing import SECOND, Connection, Hearing
from hypothesis import given, settings
from hypothesis import strategies as st

from simbox.ingest.capture.media.streams import join_segments, with_calls
from simbox.ingest.capture.protocol import Datagram
from simbox.ingest.capture.protocols import skinny
from simbox.tables import MEDIA

PHONE, SERVER = ("192.0.2.10", 49152), ("198.51.100.7", 2000)
REFERENCE = 4711
CALL = f"{REFERENCE}@{PHONE[0]}"


def message(kind: int, body: bytes = b"", version: int = 20) -> bytes:
    return struct.pack("<III", len(body) + 4, version, kind) + body


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def address(text: str, version: int) -> bytes:
    packed = ip_address(text).packed
    if version < 17:
        return packed
    return words(int(len(packed) == 16)) + packed.ljust(16, b"\0")


def state(value: int, reference: int = REFERENCE) -> bytes:
    return message(0x111, words(value, 1, reference, 0, 4, 0))


def info(calling: str, called: str, kind: int, version: int = 20) -> bytes:
    strings = [calling, "", called] if version >= 16 else [calling, called]
    strings += ["1", "2", "", "", "", "", "Somebody", "Else"]
    body = words(1, REFERENCE, kind, 0, 0, 1, 0, 0) + "\0".join(strings).encode() + b"\0\0\0"
    return message(0x14A, body, version)


def old_info(calling: str, called: str, kind: int) -> bytes:
    fields = [("Somebody", 40), (calling, 24), ("Else", 40), (called, 24)]
    return message(
        0x8F, b"".join(t.encode().ljust(n, b"\0") for t, n in fields) + words(1, REFERENCE, kind), 3
    )


def start(target: str, port: int, version: int = 20) -> bytes:
    body = words(REFERENCE, 77) + address(target, version) + words(port, 20, 11, 184, 0, 0, 0)
    return message(0x8A, body, version)


def opened(target: str, port: int, version: int = 20, status: int = 0) -> bytes:
    return message(0x22, words(status) + address(target, version) + words(port, 77), version)


OPEN = message(0x105, words(REFERENCE, 77, 20, 4, 0, 0))
DIALLED = message(0x11D, b"999777001".ljust(25, b"\0") + words(1, REFERENCE) + b"\0\0\0")
REGISTER = message(1, b"SEP001122334455\0" + words(0, 1) + ip_address("203.0.113.9").packed, 0)
Rows = list[tuple[Any, ...]]
COLUMNS = (
    "method", "from_user", "request_user", "src", "dst", "start", "ringing_at", "answered_at",
    "end", "cause", "messages", "frames",
)  # fmt: skip


@pytest.fixture
def hearing(tmp_path: Path) -> Hearing:
    return Hearing(skinny.Skinny(), tmp_path / "rows")


@pytest.fixture
def connection(hearing: Hearing) -> Connection:
    return Connection(hearing, PHONE, SERVER)


def calls(hearing: Hearing) -> Rows:
    return picked(hearing.rows("dialogs"), *COLUMNS)


def media(hearing: Hearing) -> Rows:
    hearing.finish()
    columns = ("call_id", "announcer", "address", "port", "codecs", "payload_types", "ptime_ms")
    return picked(rows_of(hearing.sink, MEDIA), *columns)


def test_a_call_out_of_a_phone_is_one_row_that_its_number_begins(
    hearing: Hearing, connection: Connection
) -> None:
    told = [state(1), DIALLED, state(12), info("999000111", "999777001", 2), state(3), state(5)]
    for octets in [*told, state(2)]:
        connection.send(octets, by_server=True)
    frames = [2, 3, 4, 5, 6, 7]
    assert calls(hearing) == [
        ("INVITE", "999000111", "999777001", PHONE[0], SERVER[0], 2, 5, 6, 7, None, 6, frames)
    ]


@pytest.mark.parametrize(
    "informed",
    [info("999000111", "307", 1), info("999000111", "307", 1, 11), old_info("999000111", "307", 1)],
    ids=["version 20", "version 11", "fixed fields"],
)
def test_a_call_into_a_phone_goes_from_the_server_to_it(
    hearing: Hearing, connection: Connection, informed: bytes
) -> None:
    for octets in [state(4), informed, state(1), state(5), state(2)]:
        connection.send(octets, by_server=True)
    assert calls(hearing) == [
        ("INVITE", "999000111", "307", SERVER[0], PHONE[0], 1, 1, 4, 5, None, 5, [1, 2, 3, 4, 5])
    ]


@pytest.mark.parametrize(("failure", "cause"), [(6, 17), (7, 42), (14, 28)])
def test_a_failure_that_the_phone_is_shown_is_the_cause(
    hearing: Hearing, connection: Connection, failure: int, cause: int
) -> None:
    for octets in [DIALLED, state(failure), state(2)]:
        connection.send(octets, by_server=True)
    rows = picked(hearing.rows("dialogs"), "request_user", "answered_at", "end", "cause")
    assert rows == [("999777001", None, 3, cause)]


def test_a_lifted_handset_and_the_end_of_an_unknown_call_are_no_calls(
    hearing: Hearing, connection: Connection
) -> None:
    connection.send(state(1) + state(2) + state(8, 4712), by_server=True)
    assert hearing.rows("dialogs") == []


def test_a_call_whose_start_or_end_is_lost_is_told(
    hearing: Hearing, connection: Connection
) -> None:
    connection.send(state(5) + info("999000111", "307", 1), by_server=True)
    assert picked(hearing.rows("dialogs"), "from_user", "dst", "answered_at", "end") == [
        ("999000111", PHONE[0], 1, None)
    ]


def test_a_call_that_nobody_ends_is_told_when_it_is_forgotten(
    hearing: Hearing, connection: Connection
) -> None:
    connection.send(DIALLED, by_server=True)
    hearing.time += 7 * 3600 * SECOND
    connection.send(message(0), by_server=True)
    assert hearing.sink.counts["skinny|call"] == 1


@pytest.mark.parametrize("version", [0, 11, 17, 20])
def test_addresses_for_media_are_announced(
    hearing: Hearing, connection: Connection, version: int
) -> None:
    connection.send(OPEN, by_server=True)
    connection.send(opened("192.0.2.10", 24576, version))
    connection.send(start("203.0.113.5", 16400, version), by_server=True)
    assert media(hearing) == [
        (CALL, PHONE[0], "192.0.2.10", 24576, "PCMU", "0", 20),
        (CALL, SERVER[0], "203.0.113.5", 16400, "G729", "18", 20),
    ]
    assert hearing.sink.announced == [("192.0.2.10", 24576), ("203.0.113.5", 16400)]


def test_addresses_of_version_6_are_announced(hearing: Hearing, connection: Connection) -> None:
    connection.send(start("2001:db8::5", 16400), by_server=True)
    assert hearing.sink.announced == [("2001:db8::5", 16400)]


@pytest.mark.parametrize(
    "octets",
    [
        opened("192.0.2.10", 24576, status=1), opened("::", 24576), start("203.0.113.5", 0),
        start("203.0.113.5", 70000), start("203.0.113.5", 16400)[:-44],
    ],
)  # fmt: skip
def test_what_is_no_address_is_not_announced(
    hearing: Hearing, connection: Connection, octets: bytes
) -> None:
    connection.send(octets)
    assert (media(hearing), hearing.sink.announced) == ([], [])


@pytest.mark.parametrize(("answer", "status"), [(0x81, 200), (0x9D, 403), (0, None)])
def test_a_device_that_registers_is_named(
    hearing: Hearing, connection: Connection, answer: int, status: int | None
) -> None:
    connection.send(REGISTER)
    connection.send(message(answer, bytes(24)), by_server=True)
    columns = ("method", "from_user", "to_user", "status_code", "src", "contact_host")
    name = "SEP001122334455"
    assert picked(hearing.rows("dialogs"), *columns) == [
        ("REGISTER", name, name, status, PHONE[0], "203.0.113.9")
    ]


@pytest.mark.parametrize(
    "told",
    [
        message(0x92, words(1) + b"999000111".ljust(24, b"\0") + b"Somebody".ljust(40, b"\0")),
        message(0x147, words(1, 15) + b"999000111\0Somebody\0"),
    ],
)
def test_the_number_of_a_line_is_registered_for_its_phone(
    hearing: Hearing, connection: Connection, told: bytes
) -> None:
    connection.send(REGISTER)
    connection.send(told, by_server=True)
    rows = picked(hearing.rows("dialogs"), "from_user", "to_user", "src", "status_code")
    assert rows[0] == ("SEP001122334455", "999000111", PHONE[0], 200)


def test_messages_are_found_whatever_the_segments(hearing: Hearing, connection: Connection) -> None:
    connection.send(message(0), by_server=True)
    connection.send(DIALLED + info("999000111", "999777001", 2) + state(2), 5, by_server=True)
    assert picked(hearing.rows("dialogs"), "from_user", "request_user") == [
        ("999000111", "999777001")
    ]


def test_messages_are_found_again_after_a_gap(hearing: Hearing, connection: Connection) -> None:
    connection.send(state(5)[:20], by_server=True)
    connection.conversation.gap(*SERVER)
    connection.send(b"rest of a message that began before", by_server=True)
    connection.send(DIALLED, by_server=True)
    assert picked(hearing.rows("dialogs"), "request_user") == [("999777001",)]


def test_what_is_no_skinny_is_not_opened_or_soon_given_up(
    hearing: Hearing, connection: Connection
) -> None:
    web = Datagram(0, 1, *PHONE, *SERVER, b"GET / HTTP/1.1\r\n\r\n", "tcp")
    assert not hearing.reader.opens(web)
    connection.send(DIALLED)
    for _ in range(20):
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
    assert not connection.wanted


WHOLE = b"".join(
    [
        REGISTER, OPEN, opened("192.0.2.10", 24576), start("2001:db8::5", 16400), DIALLED,
        info("999000111", "999777001", 2), old_info("1", "2", 1), state(3), state(2),
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=300), damages.map(lambda d: damaged(WHOLE, d))),
       st.integers(1, 900))  # fmt: skip
def test_damaged_octets_are_read_or_let_go(octets: bytes, cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hearing = Hearing(skinny.Skinny(), Path(folder))
        connection = Connection(hearing, PHONE, SERVER)
        connection.send(REGISTER)
        connection.send(octets, cut)
        connection.send(octets, cut, by_server=True)
        assert all(row["src"] for row in hearing.rows("dialogs"))


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the real captures are not here")
def test_a_real_call_has_both_phones_and_all_its_media(tmp_path: Path) -> None:
    dialogs, told, segments = real("voip-other__ndpi__skinny.pcap", tmp_path)
    legs = dialogs.sort("frame").select("from_user", "request_user", "src", "dst")
    assert legs.rows() == [
        ("321", "307", "192.168.193.12", "192.168.195.50"),
        ("321", "307", "192.168.195.58", "192.168.193.12"),
    ]
    streams = with_calls(join_segments(segments), told)
    assert (len(streams), int(streams["announced"].sum())) == (6, 6)
    assert set(streams["call_id"]) == set(dialogs["call_id"])


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the real captures are not here")
def test_a_real_registration_is_told(tmp_path: Path) -> None:
    dialogs, _, _ = real("voip-other__ndpi__sccp_hw_conf_register.pcapng", tmp_path)
    assert dialogs.select("method", "from_user", "status_code").rows() == [
        ("REGISTER", "NONSECURE_CONF", 200)
    ]
