from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hearing import DEVICE, SECOND, SERVER, Connection, Hearing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simbox.ingest.capture.protocols import dinstar

BOX, CENTRE = (DEVICE, 50001), (SERVER, 7008)
MAC = bytes.fromhex("f8a03d000001")
ACCOUNT = "f8:a0:3d:00:00:01"
SECRET = b"hunter-2-secret"


def message(kind: int, body: bytes = b"", mac: bytes = MAC, size: int | None = None) -> bytes:
    length = len(body) if size is None else size
    return (
        length.to_bytes(4, "big") + mac + bytes(2) + (1_700_000_000).to_bytes(4, "big")
        + (7).to_bytes(4, "big") + kind.to_bytes(2, "big") + bytes(2) + body
    )  # fmt: skip


def number(digits: str) -> bytes:
    return digits.encode().ljust(24, b"\0")


def received(sender: str, port: int, text: bytes) -> bytes:
    when = b"20260101120000\0"
    head = number(sender) + bytes([0, port]) + when + b"\x08\x01"
    return message(5, head + len(text).to_bytes(2, "big") + text)


def request(port: int, called: str, text: bytes, mac: bytes = b"\0\xfa\xb3\1\2\3") -> bytes:
    head = bytes([port, 1, 0, 1]) + number(called)
    return message(1, head + len(text).to_bytes(2, "big") + text, mac)


def result(port: int, called: str, outcome: int) -> bytes:
    return message(3, bytes([1]) + number(called) + bytes([port, outcome, 1, 1]))


LOGIN = message(15, b"operator".ljust(16, b"\0") + SECRET.ljust(16, b"\0"))


@pytest.fixture
def hearing(tmp_path: Path) -> Hearing:
    return Hearing(dinstar.Dinstar(), tmp_path / "rows")


@pytest.fixture
def connection(hearing: Hearing) -> Connection:
    return Connection(hearing, BOX, CENTRE)


def test_a_push_connection_is_conclusive_evidence_with_the_mac(
    hearing: Hearing, connection: Connection
) -> None:
    connection.send(LOGIN)
    connection.send(message(16, b"\0"), by_server=True)
    connection.send(message(7, b"\x02\0\0"))
    (row,) = hearing.rows("evidence")
    assert (row["signature"], row["grade"]) == ("dinstar-push", "conclusive")
    assert (row["host"], row["peer"], row["count"]) == (DEVICE, SERVER, 3)
    assert row["fields"] == f'{{"mac": "{ACCOUNT}"}}'


@pytest.mark.parametrize("kind", [2, 515, 13, 11])
def test_any_message_of_the_gateway_names_it(
    hearing: Hearing, connection: Connection, kind: int
) -> None:
    connection.send(message(kind, b"\x01\x02\x03"))
    assert [row["host"] for row in hearing.rows("evidence")] == [DEVICE]


def test_an_answer_of_the_server_names_the_gateway_too(
    hearing: Hearing, connection: Connection
) -> None:
    connection.send(message(8, b"\0"), by_server=True)
    assert [row["host"] for row in hearing.rows("evidence")] == [DEVICE]


def test_ports_with_a_sim_are_sighted(hearing: Hearing, connection: Connection) -> None:
    connection.send(message(13, bytes([4, 20, 99, 31, 0])))
    connection.send(message(7, bytes([4, 0, 1, 2, 3])))
    keys = ("line", "account", "port", "state", "signal", "host", "protocol")
    assert [tuple(row.get(k) for k in keys) for row in hearing.rows("sightings")] == [
        (f"{ACCOUNT}/0", f"{ACCOUNT}/0", 0, "registered", -73, DEVICE, "dinstar"),
        (f"{ACCOUNT}/2", f"{ACCOUNT}/2", 2, "not registered", -51, DEVICE, "dinstar"),
    ]


def test_a_port_is_told_again_when_its_state_changes_or_after_five_minutes(
    hearing: Hearing, connection: Connection
) -> None:
    for state in (0, 0, 1, 1, 0):
        connection.send(message(7, bytes([1, state])))
    hearing.time += 301 * SECOND
    connection.send(message(7, b"\x01\0"))
    states = [row["state"] for row in hearing.rows("sightings")]
    assert states == ["registered", "no SIM", "registered", "registered"]


def texts(hearing: Hearing) -> list[tuple[Any, ...]]:
    keys = ("method", "from_user", "request_user", "src", "dst", "port", "status_code", "frames")
    return [tuple(row.get(k) for k in keys) for row in hearing.rows("dialogs")]


def test_a_text_received_is_told_by_its_numbers_only(
    hearing: Hearing, connection: Connection
) -> None:
    connection.send(received("+999777001", 3, b"code 4711"))
    assert texts(hearing) == [
        ("MESSAGE", "999777001", f"{ACCOUNT}/3", SERVER, DEVICE, 3, None, [1])
    ]
    assert b"4711" not in hearing.everything_written()


@pytest.mark.parametrize(("outcome", "status"), [(0, 200), (1, None), (255, None)])
def test_a_text_sent_is_one_row_of_request_and_result(
    hearing: Hearing, connection: Connection, outcome: int, status: int | None
) -> None:
    connection.send(message(0))
    connection.send(request(255, "999777001", b"buy 4711"), by_server=True)
    connection.send(message(2, b"\0"))
    connection.send(result(5, "999777001", outcome))
    line = f"{ACCOUNT}/5"
    expected = ("MESSAGE", line, "999777001", DEVICE, SERVER, 5, status, [2, 4])
    assert texts(hearing) == [expected]
    assert b"4711" not in hearing.everything_written()


def test_a_request_without_result_is_told_at_the_end(
    hearing: Hearing, connection: Connection
) -> None:
    connection.send(message(0))
    connection.send(request(4, "999777001", b"x"), by_server=True)
    assert [row[1:4] for row in texts(hearing)] == [(f"{ACCOUNT}/4", "999777001", DEVICE)]


def test_a_result_without_request_is_a_text_too(hearing: Hearing, connection: Connection) -> None:
    connection.send(result(5, "999777001", 0))
    assert [row["end"] for row in hearing.rows("dialogs")] == [1.0]
    assert [row[1:3] for row in texts(hearing)] == [(f"{ACCOUNT}/5", "999777001")]


def test_login_and_password_are_never_written(hearing: Hearing, connection: Connection) -> None:
    connection.send(LOGIN)
    connection.send(message(9, b"\0\x01\0\x05*101#"), by_server=True)
    connection.send(message(11, b"\0\0\0\x04\x004711"))
    written = hearing.everything_written()
    assert not [text for text in (SECRET, b"operator", b"*101#", b"4711") if text in written]


SESSION = (
    LOGIN + message(0) + message(7, bytes([3, 0, 0, 0])) + received("999777001", 2, b"x" * 3000)
    + result(1, "999777002", 0)
)  # fmt: skip


@pytest.mark.parametrize("cut", [1, 7, 23, 24, 25, 100, 1460])
def test_segments_may_end_anywhere(tmp_path: Path, cut: int) -> None:
    whole, pieces = (Hearing(dinstar.Dinstar(), tmp_path / name) for name in ("whole", "pieces"))
    Connection(whole, BOX, CENTRE).send(SESSION)
    chopped = Connection(pieces, BOX, CENTRE)
    chopped.send(SESSION[:24])  # a connection is told by its first header
    chopped.send(SESSION[24:], cut)
    assert [row[:6] for row in texts(pieces)] == [row[:6] for row in texts(whole)]
    assert [r["port"] for r in pieces.rows("sightings")] == [0, 1, 2]


def test_a_text_is_not_even_held(connection: Connection) -> None:
    connection.send(received("999777001", 2, b"t" * 60_000)[:500])
    (stream,) = connection.conversation._streams.values()
    assert stream._held == b""
    assert stream._skip > 50_000


@pytest.mark.parametrize(
    "octets",
    [b"", message(0)[:6], message(0, mac=b"\0\1\2\3\4\5"), message(999), b"\0" * 24,
     message(0)[:10] + b"xx" + message(0)[12:]],
)  # fmt: skip
def test_anything_else_opens_no_conversation(hearing: Hearing, octets: bytes) -> None:
    packet = hearing.packet(octets, BOX, CENTRE)
    assert not hearing.reader.opens(packet)
    assert not hearing.reader.datagram(packet, hearing.sink)


@pytest.mark.parametrize("lie", [message(5, size=0xFFFFFFFF), message(12345), b"\xff" * 64])
def test_a_length_or_type_that_cannot_be_ends_the_reading(
    connection: Connection, lie: bytes
) -> None:
    connection.send(message(7, b"\x01\0"))
    connection.send(lie)
    assert not connection.wanted


def test_a_gap_ends_one_direction_only(hearing: Hearing, connection: Connection) -> None:
    connection.send(message(7, b"\x01\0"))
    connection.send(message(8, b"\0"), by_server=True)
    connection.conversation.gap(*CENTRE)
    connection.send(message(7, b"\x01\x02"))
    assert connection.wanted
    assert len(hearing.rows("sightings")) == 2


def test_a_hundred_thousand_ports_do_not_grow_the_state(
    hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dinstar, "MOST_PORTS", 300)
    monkeypatch.setattr(dinstar, "MOST_TEXTS", 300)
    hearing.reader = reader = dinstar.Dinstar()
    monkeypatch.setattr(hearing.sink, "evidence", lambda *_, **__: None)
    monkeypatch.setattr(hearing.sink, "put", lambda *_, **__: None)
    for gateway in range(400):
        connection = Connection(hearing, BOX, CENTRE)
        mac = MAC[:3] + gateway.to_bytes(3, "big")
        connection.send(message(7, bytes([255]) + bytes(255), mac))
        connection.send(request(1, f"9990{gateway:05d}", b"x"), by_server=True)
    assert len(reader._ports) <= 300
    assert len(reader._texts) <= 300


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_nothing_that_is_sent_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    hearing = Hearing(dinstar.Dinstar(), tmp_path_factory.mktemp("rows"))
    connection = Connection(hearing, BOX, CENTRE)
    connection.send(message(0))
    for _ in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(sorted(dinstar.TYPES)))
        octets = bytearray(message(kind, data.draw(st.binary(max_size=60))))
        if data.draw(st.booleans()):
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
        connection.send(bytes(octets), data.draw(st.integers(1, 60)))
        connection.send(bytes(octets), by_server=True)
    hearing.finish()
