from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hearing import DEVICE, SERVER, Connection, Hearing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simbox.ingest.capture.protocols import radmin

BOX, DESK = (DEVICE, 40001), (SERVER, 1920)
SERIAL = "8MCDRM00000001"


@pytest.fixture
def hearing(tmp_path: Path) -> Hearing:
    return Hearing(radmin.Radmin(), tmp_path / "rows")


def greeting(channel: str, serial: str = SERIAL, behind: bytes = b"") -> bytes:
    return radmin.rc4(b"dbl#admin", f"{channel}: {serial}\n".encode() + behind)


def evidence(hearing: Hearing) -> list[tuple[Any, ...]]:
    keys = ("signature", "grade", "host", "peer", "count", "fields")
    return [tuple(row.get(key) for key in keys) for row in hearing.rows("evidence")]


@pytest.mark.parametrize(
    ("key", "at", "stream"),
    [
        ("0102030405", 0, "b2396305f03dc027ccc3524a0a1118a8"),
        ("0102030405", 16, "6982944f18fc82d589c403a47a0d0919"),
        ("01020304050607", 0, "293f02d47f37c9b633f2af5285feb46b"),
        ("0102030405060708090a0b0c0d0e0f10", 0, "9ac7cc9a609d1ef7b2932899cde41b97"),
    ],
)
def test_the_cipher_gives_the_key_streams_of_rfc_6229(key: str, at: int, stream: str) -> None:
    assert radmin.rc4(bytes.fromhex(key), bytes(at + 16))[at:].hex() == stream


def test_the_greetings_are_constant_under_the_default_key() -> None:
    assert {prefix.hex(): name for prefix, name in radmin.PREFIXES.items()} == {
        "3c39ac9acec5935a": "RADMIN",
        "3c34a790cec5935a": "RLOGIN",
        "3a3da499c2df935a": "TELNET",
    }


@pytest.mark.parametrize("cut", [1 << 20, 9, 8])
@pytest.mark.parametrize("channel", ["RADMIN", "TELNET", "RLOGIN"])
def test_a_greeting_reveals_the_serial_number(hearing: Hearing, channel: str, cut: int) -> None:
    connection = Connection(hearing, BOX, DESK)
    connection.send(greeting(channel), cut)
    fields = f'{{"channel": "{channel}", "serial": "{SERIAL}"}}'
    assert evidence(hearing) == [("radmin-default-key", "conclusive", DEVICE, SERVER, 1, fields)]
    assert not connection.wanted


def test_two_connections_that_come_again_are_counted(hearing: Hearing) -> None:
    for turn in range(3):
        for channel in ("RADMIN", "TELNET"):
            Connection(hearing, (DEVICE, 40001 + turn), DESK).send(greeting(channel))
    assert [row[4] for row in evidence(hearing)] == [6]


def test_the_session_behind_the_greeting_is_not_kept(hearing: Hearing) -> None:
    behind = b"login: admin\r\nhunter-2-secret"
    Connection(hearing, BOX, DESK).send(greeting("TELNET", behind=behind))
    assert b"hunter" not in hearing.everything_written()


@pytest.mark.parametrize("serial", ["", "\x01\x02\x03\x04", "a b c", "x" * 300, "é" * 4])
def test_what_is_no_serial_number_is_left_out(hearing: Hearing, serial: str) -> None:
    Connection(hearing, BOX, DESK).send(greeting("RADMIN", serial))
    assert [row[5] for row in evidence(hearing)] == ['{"channel": "RADMIN"}']


def test_the_unconfirmed_variant_is_weak(hearing: Hearing) -> None:
    Connection(hearing, BOX, DESK).send(bytes.fromhex("b924867897e8a081") + b"whatever")
    assert [row[:2] for row in evidence(hearing)] == [("radmin-variant", "weak")]


def test_a_greeting_that_the_file_cuts_off_is_told_at_its_end(hearing: Hearing) -> None:
    connection = Connection(hearing, BOX, DESK)
    connection.send(greeting("RADMIN")[:12])
    assert connection.wanted
    assert [row[5] for row in evidence(hearing)] == ['{"channel": "RADMIN"}']


def test_a_greeting_with_a_hole_is_told_as_far_as_it_goes(hearing: Hearing) -> None:
    connection = Connection(hearing, BOX, DESK)
    connection.send(greeting("RADMIN")[:12])
    connection.conversation.gap(*BOX)
    connection.send(greeting("RADMIN")[14:])
    assert not connection.wanted
    assert [row[5] for row in evidence(hearing)] == ['{"channel": "RADMIN"}']


@pytest.mark.parametrize("octets", [b"", b"\x3c\x39", greeting("RADMIN")[:7], b"RADMIN: X\n"])
def test_anything_else_opens_no_conversation(hearing: Hearing, octets: bytes) -> None:
    packet = hearing.packet(octets, BOX, DESK)
    assert not hearing.reader.opens(packet)
    assert not hearing.reader.datagram(packet, hearing.sink)


def test_unfinished_greetings_are_bounded(
    hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radmin, "MOST_OPEN", 20)
    hearing.reader = reader = radmin.Radmin()
    kept = []
    for port in range(500):
        connection = Connection(hearing, (DEVICE, 1024 + port), DESK)
        connection.send(greeting("RADMIN")[:12])
        kept.append(connection)
    assert len(reader._under_way) <= 20
    kept[0].send(greeting("RADMIN")[12:])  # was told when it was forgotten
    assert [row[4] for row in evidence(hearing)] == [500]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=80), st.integers(0, 24), st.integers(1, 80))
def test_nothing_that_is_sent_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes, kept: int, cut: int
) -> None:
    hearing = Hearing(radmin.Radmin(), tmp_path_factory.mktemp("rows"))
    connection = Connection(hearing, BOX, DESK)
    connection.send(greeting("TELNET")[:kept] + tail, cut)
    connection.send(tail, by_server=True)
    hearing.finish()
