from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hearing import DEVICE, SECOND, SERVER, Connection, Hearing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simbox.ingest.capture.protocols import simbank

BOX, BANK = (DEVICE, 40001), (SERVER, 56012)
LINE = 100_103  # bank 1001, slot 3
IMSI, OTHER_IMSI = "001010000000011", "001010000000022"
ICCID, OTHER_ICCID = "89001010000000000019", "8900101000000000002"
IMEI = "490154203237518"
TOKEN = bytes(range(200, 216))
CHALLENGE = bytes.fromhex("a1a2a3a4a5a6a7a8a9aaabacadaeafb0")
SRES_KC = bytes.fromhex("c1c2c3c4d1d2d3d4d5d6d7d8")


def frame(command: int, kind: int, payload: bytes = b"", line: int = LINE) -> bytes:
    return (
        bytes.fromhex("78562143") + line.to_bytes(4, "little") + command.to_bytes(2, "little")
        + kind.to_bytes(2, "little") + payload
    )  # fmt: skip


def to_card(apdu: str, line: int = LINE) -> bytes:
    return frame(0, 2, bytes(4) + TOKEN + bytes.fromhex(apdu), line)


def from_card(octets: str, line: int = LINE) -> bytes:
    return frame(0, 1, bytes(4) + TOKEN + bytes.fromhex(octets), line)


def nibbles(digits: str) -> str:
    text = digits + "f" * (len(digits) % 2)
    return "".join(text[i + 1] + text[i] for i in range(0, len(text), 2))


def imsi_file(imsi: str) -> str:
    return "08" + nibbles("9" + imsi)


def msisdn_record(number: str) -> str:
    digits = nibbles(number)
    return "ff" * 14 + f"{1 + len(digits) // 2:02x}91" + digits.ljust(20, "f") + "ffff"


LOGIN = (frame(3, 2, LINE.to_bytes(4, "little") + TOKEN), False)
ACCEPTED = (frame(0x5B, 0) + frame(0x28, 0), True)
RESET = [
    (frame(0xC8, 2, bytes(4) + TOKEN), False),
    (frame(0xC9, 1, bytes(4) + TOKEN), True),
    (from_card("3b9f95801fc78031a073b6a10067cf3211b252c679d5"), True),
]


def reading(file: str, content: str, select: str = "a0a4000002", *, led: bool = True) -> list[Any]:
    size = f"{len(content) // 2:02x}"
    is_record = file == "6f40"
    read = ("a0b20104" if is_record else "a0b00000") + size
    lead = ("b2" if is_record else "b0") if led else ""
    return [
        (to_card(select + file), False), (from_card("a49f0f"), True),
        (to_card(read), False), (from_card(lead + content + "9000"), True),
    ]  # fmt: skip


AUTHENTICATION = [
    (to_card("a088000010" + CHALLENGE.hex()), False),
    (from_card("889f0c"), True),
    (to_card("a0c000000c"), False),
    (from_card("c0" + SRES_KC.hex() + "9000"), True),
]
CARD = reading("2fe2", nibbles(ICCID)) + reading("6f07", imsi_file(IMSI))
SESSION = [LOGIN, ACCEPTED, *RESET, *CARD, *AUTHENTICATION]


@pytest.fixture
def hearing(tmp_path: Path) -> Hearing:
    return Hearing(simbank.Simbank(), tmp_path / "rows")


def over_udp(hearing: Hearing, session: list[tuple[bytes, bool]]) -> None:
    for octets, by_server in session:
        assert hearing.udp(octets, *((BANK, BOX) if by_server else (BOX, BANK)))


def over_tcp(hearing: Hearing, session: list[tuple[bytes, bool]], cut: int = 1 << 20) -> None:
    connection = Connection(hearing, BOX, BANK)
    for octets, by_server in session:
        connection.send(octets, cut, by_server=by_server)


def sims(hearing: Hearing) -> list[tuple[Any, ...]]:
    keys = ("line", "number", "imsi", "imei", "iccid")
    return [tuple(row.get(k) for k in keys) for row in hearing.rows("sightings")]


def test_a_session_reveals_the_sim_of_the_slot(hearing: Hearing) -> None:
    over_udp(hearing, SESSION)
    last = hearing.rows("sightings")[-1]
    last.pop("seen")
    assert last == {
        "line": IMSI, "imsi": IMSI, "iccid": ICCID, "host": DEVICE, "peer": SERVER,
        "account": str(LINE), "port": 3, "protocol": "simbank", "frame": 13,
    }  # fmt: skip


def test_the_line_is_seen_first_by_its_account_then_by_its_card(hearing: Hearing) -> None:
    over_udp(hearing, SESSION + reading("6f40", msisdn_record("999000000001")))
    assert sims(hearing) == [
        (str(LINE), None, None, None, None),
        (str(LINE), None, None, None, ICCID),
        (IMSI, None, IMSI, None, ICCID),
        ("999000000001", "999000000001", IMSI, None, ICCID),
    ]


@pytest.mark.parametrize("cut", [1 << 20, 100, *range(1, 40)])
def test_frames_over_tcp_may_be_chopped_anywhere(hearing: Hearing, cut: int) -> None:
    over_tcp(hearing, SESSION, cut)
    assert sims(hearing)[-1] == (IMSI, None, IMSI, None, ICCID)
    assert hearing.sink.counts["simbank|frame"] == 18
    assert hearing.sink.counts["simbank|authentication"] == 1


def test_frames_over_tcp_may_share_segments(hearing: Hearing) -> None:
    connection = Connection(hearing, BOX, BANK)
    for slot in (1, 2, 3):
        line = 100_100 + slot
        connection.send(frame(3, 2, line.to_bytes(4, "little") + TOKEN, line))
    connection.send(b"".join(to_card("a0a40000026f07", 100_100 + s) for s in (1, 2, 3)))
    connection.send(b"".join(from_card("a49f0f", 100_100 + s) for s in (1, 2, 3)), by_server=True)
    connection.send(b"".join(to_card("a0b0000009", 100_100 + s) for s in (1, 2, 3)))
    answers = [from_card("b0" + imsi_file(f"00101000000000{s}") + "9000", 100_100 + s)
               for s in (1, 2, 3)]  # fmt: skip
    connection.send(b"".join(answers), by_server=True)
    found = {(r["port"], r["imsi"]) for r in hearing.rows("sightings") if "imsi" in r}
    assert found == {(s, f"00101000000000{s}") for s in (1, 2, 3)}


def test_reading_may_begin_in_the_middle_of_a_frame(hearing: Hearing) -> None:
    connection = Connection(hearing, BOX, BANK)
    connection.send(TOKEN[3:] + to_card("a0a40000026f07"))
    connection.send(from_card("a49f0f"), by_server=True)
    connection.send(to_card("a0b0000009"))
    connection.send(from_card("b0" + imsi_file(IMSI) + "9000"), by_server=True)
    assert sims(hearing)[-1][2] == IMSI


def test_frames_are_conclusive_evidence_at_both_ends(hearing: Hearing) -> None:
    over_udp(hearing, SESSION)
    found = hearing.signatures()
    assert found["simbank-frame", DEVICE]["grade"] == "conclusive"
    assert found["simbank-frame", DEVICE]["peer"] == SERVER
    assert found["simbank-server", SERVER]["peer"] == DEVICE
    assert found["simbank-authentication", DEVICE]["line"] == IMSI


@pytest.mark.parametrize(
    "session",
    [
        reading("6f07", imsi_file(IMSI), led=False),
        reading("6f07", imsi_file(IMSI), select="00a4000402"),
        reading("7fff6f07", imsi_file(IMSI), select="00a4080404"),
        [(to_card("00b0870009"), False), (from_card("b0" + imsi_file(IMSI) + "9000"), True)],
        [*reading("6f07", imsi_file(IMSI))[:2], (to_card("a0b0000000"), False),
         (from_card("6c09"), True), *reading("6f07", imsi_file(IMSI))[2:]],
    ],
    ids=["no lead", "USIM", "path", "short name", "length asked again"],
)  # fmt: skip
def test_the_imsi_is_read_in_every_dialect(
    hearing: Hearing, session: list[tuple[bytes, bool]]
) -> None:
    over_udp(hearing, session)
    assert sims(hearing)[-1][2] == IMSI


@pytest.mark.parametrize(
    "session",
    [
        reading("6f07", "ff" * 9), reading("6f07", "08" + nibbles("2" + IMSI)),
        reading("6f07", imsi_file("0" * 15)),
        reading("6f07", "ff" + nibbles("9" + IMSI)), reading("6f07", "0829"),
        reading("6f46", imsi_file(IMSI)), reading("2fe2", "00" * 10), reading("2fe2", "ff" * 10),
        reading("6f40", "ff" * 28), reading("6f40", "ff" * 5), reading("6f40", ""),
        [*reading("6f07", imsi_file(IMSI))[:1], (from_card("a46a82"), True),
         *reading("6f07", imsi_file(IMSI))[2:]],
        [*reading("6f07", imsi_file(IMSI))[:3], (from_card("b0" + imsi_file(IMSI) + "6982"), True)],
        [reading("6f07", imsi_file(IMSI))[3]], [(to_card("00a4040402") + b"\x6f\x07", False)],
    ],
)  # fmt: skip
def test_what_is_no_identity_is_not_taken_for_one(
    hearing: Hearing, session: list[tuple[bytes, bool]]
) -> None:
    over_udp(hearing, session)
    assert {row[1:] for row in sims(hearing)} == {(None,) * 4}


def test_another_card_in_the_slot_is_told(hearing: Hearing) -> None:
    other = reading("2fe2", nibbles(OTHER_ICCID)) + reading("6f07", imsi_file(OTHER_IMSI))
    over_udp(hearing, [*SESSION, *RESET, *other])
    assert [row[2:] for row in sims(hearing)] == [
        (None, None, None),
        (None, None, ICCID),
        (IMSI, None, ICCID),
        (None, None, OTHER_ICCID),
        (OTHER_IMSI, None, OTHER_ICCID),
    ]


def test_an_imei_that_the_bank_pushes_is_told(hearing: Hearing) -> None:
    over_udp(hearing, [*SESSION, (frame(0x48, 0, f"MRSIMEI{IMEI}\0".encode()), True)])
    assert sims(hearing)[-1] == (IMSI, None, IMSI, IMEI, ICCID)
    assert hearing.signatures()["simbank-imei-push", DEVICE]["line"] == IMSI


def test_a_text_sent_through_the_card_is_no_message_of_the_client(hearing: Hearing) -> None:
    text = f"MRSIMEI{IMEI} 4711".encode().hex()
    over_udp(hearing, [LOGIN, (to_card("a0dc0104" + f"{len(text) // 2:02x}" + text), False)])
    assert sims(hearing) == [(str(LINE), None, None, None, None)]
    assert b"4711" not in hearing.everything_written()


def test_the_number_that_the_client_tells_is_the_line(hearing: Hearing) -> None:
    over_udp(hearing, [LOGIN, (frame(0x48, 2, b"SIMNUM+999000000001\0"), False)])
    assert sims(hearing)[-1][0] == "999000000001"


def test_an_unchanged_slot_is_told_again_only_after_five_minutes(hearing: Hearing) -> None:
    over_udp(hearing, SESSION)
    told = len(hearing.reader._slots) and hearing.frame
    for _ in range(9):
        hearing.time += 100 * SECOND
        over_udp(hearing, AUTHENTICATION)
    assert len([r for r in hearing.rows("sightings") if r["frame"] > told]) == 3


def test_keys_and_tokens_are_never_written(hearing: Hearing) -> None:
    over_udp(hearing, SESSION)
    written = hearing.everything_written()
    for secret in (TOKEN, CHALLENGE, SRES_KC, SRES_KC[:4], SRES_KC[4:]):
        assert secret not in written
        assert secret.hex().encode() not in written


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x78\x56", simbank.MAGIC, frame(0, 2)[:11], frame(0x1234, 2), frame(0, 9),
     frame(0, 2, line=100_100), b"\0" + frame(0, 2)],
)  # fmt: skip
def test_what_only_looks_like_it_is_left_to_others(hearing: Hearing, octets: bytes) -> None:
    assert not hearing.udp(octets, BOX, BANK)
    assert hearing.rows("evidence") == []


def test_a_conversation_without_frames_is_let_go(hearing: Hearing) -> None:
    connection = Connection(hearing, BOX, BANK)
    connection.send(frame(0x28, 1))
    connection.send(bytes(100_000), 1460)
    assert not connection.wanted


def test_a_frame_that_never_ends_is_not_held(hearing: Hearing) -> None:
    connection = Connection(hearing, BOX, BANK)
    connection.send(frame(0, 1) + b"x" * 5000, 300)
    assert all(len(s._held) <= simbank.LONGEST for s in connection.conversation._streams.values())


def test_a_gap_drops_the_frame_it_is_in(hearing: Hearing) -> None:
    connection = Connection(hearing, BOX, BANK)
    for octets, by_server in CARD[4:7]:
        connection.send(octets, by_server=by_server)
    connection.send(CARD[7][0][:38], by_server=True)
    connection.conversation.gap(*BANK)
    connection.send(CARD[7][0][39:], by_server=True)
    connection.send(*AUTHENTICATION[0][:1])
    assert {row[2] for row in sims(hearing)} == {None}


def test_a_hundred_thousand_lines_do_not_grow_the_state(
    hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simbank, "MOST_SLOTS", 500)
    hearing.reader = reader = simbank.Simbank()
    monkeypatch.setattr(hearing.sink, "evidence", lambda *_, **__: None)
    monkeypatch.setattr(hearing.sink, "put", lambda *_, **__: None)
    for number in range(100_000):
        hearing.udp(frame(0x28, 0, line=number * 100 + 1), BANK, BOX)
    assert len(reader._slots) <= 500
    assert hearing.sink.counts["simbank|slot forgotten"] == 99_500


ALL = b"".join(octets for octets, _ in SESSION)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_nothing_that_is_sent_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    hearing = Hearing(simbank.Simbank(), tmp_path_factory.mktemp("rows"))
    connection = Connection(hearing, BOX, BANK)
    for _ in range(data.draw(st.integers(1, 10))):
        octets = bytearray(data.draw(st.sampled_from(SESSION))[0])
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(octets)))
            octets[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        ends = (BOX, BANK) if data.draw(st.booleans()) else (BANK, BOX)
        hearing.udp(bytes(octets), *ends)
        cut, by_server = data.draw(st.integers(1, 40)), data.draw(st.booleans())
        connection.send(bytes(octets), cut, by_server=by_server)
    hearing.finish()


@pytest.mark.parametrize("size", range(4, len(ALL), 7))
def test_every_frame_that_has_its_header_is_counted_in_every_prefix(
    hearing: Hearing, size: int
) -> None:
    Connection(hearing, BOX, BANK).send(ALL[:size])
    hearing.finish()
    headed = [piece for piece in ALL[:size].split(simbank.MAGIC)[1:] if len(piece) >= 8]
    assert hearing.sink.counts["simbank|frame"] == len(headed)
