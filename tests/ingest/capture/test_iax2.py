from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from calling import CAPTURES, damaged, damages, picked, real
from hearing import SECOND, Hearing
from hypothesis import given, settings
from hypothesis import strategies as st

from simbox.ingest.capture.protocols import iax2

CALLER, CALLED = ("192.0.2.10", 4569), ("198.51.100.7", 4569)
SECRET = b"0123456789abcdef0123456789abcdef"
IAX, CONTROL, VOICE = 6, 4, 2


def frame(
    source: int, target: int, kind: int, subclass: int, *elements: tuple[int, bytes]
) -> bytes:
    head = (0x8000 | source).to_bytes(2, "big") + target.to_bytes(2, "big") + bytes(6)
    values = b"".join(bytes([e, len(v)]) + v for e, v in elements)
    return head + bytes([kind, subclass]) + values


VERSION, NUMBER, FROM = (11, b"\0\2"), (1, b"999777001"), (2, b"999000111")
NAME = (6, b"trunk-1")
NEW = frame(4, 0, IAX, 1, VERSION, NUMBER, FROM, NAME)
ACCEPT, RINGING, ANSWER = (
    frame(23, 4, kind, n) for kind, n in ((IAX, 7), (CONTROL, 3), (CONTROL, 4))
)
MINI = b"\0\4\0\x14" + bytes(160)
COLUMNS = (
    "method", "from_user", "request_user", "auth_user", "src", "dst", "start", "ringing_at",
    "answered_at", "end", "hangup_by", "cause", "frames",
)  # fmt: skip


@pytest.fixture
def hearing(tmp_path: Path) -> Hearing:
    return Hearing(iax2.Iax2(), tmp_path / "rows")


def calls(hearing: Hearing) -> list[tuple[Any, ...]]:
    return picked(hearing.rows("dialogs"), *COLUMNS)


def out(hearing: Hearing, *frames: bytes) -> list[bool]:
    return [hearing.udp(octets, CALLER, CALLED) for octets in frames]


def back(hearing: Hearing, *frames: bytes) -> list[bool]:
    return [hearing.udp(octets, CALLED, CALLER) for octets in frames]


def test_a_call_is_one_row_from_new_to_hangup(hearing: Hearing) -> None:
    out(hearing, NEW)
    back(hearing, ACCEPT, RINGING, ANSWER)
    out(hearing, frame(4, 23, IAX, 5, (42, b"\x10")), frame(4, 23, IAX, 4))
    assert calls(hearing) == [
        ("INVITE", "999000111", "999777001", "trunk-1", CALLER[0], CALLED[0], 1, 3, 4, 5,
         CALLER[0], 16, [1, 2, 3, 4, 5])
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("frames", "end", "cause"),
    [
        ([frame(23, 4, IAX, 6, (42, b"\x01"), (22, b"No route"))], 2, 1),
        ([frame(23, 4, CONTROL, 5), frame(23, 4, IAX, 5)], 3, 17),
        ([frame(23, 4, CONTROL, 8), frame(23, 4, IAX, 5)], 3, 42),
        ([frame(23, 4, CONTROL, 1)], 2, None), ([frame(23, 4, IAX, 10)], 2, None),
        ([frame(23, 4, CONTROL, 5)], None, 17),
    ],
)  # fmt: skip
def test_a_call_that_fails_has_its_cause(
    hearing: Hearing, frames: list[bytes], end: int | None, cause: int | None
) -> None:
    out(hearing, NEW)
    back(hearing, *frames)
    rows = picked(hearing.rows("dialogs"), "answered_at", "end", "cause")
    assert rows == [(None, end, cause)]


def test_what_answers_a_challenge_is_of_the_same_call_and_not_written(hearing: Hearing) -> None:
    out(hearing, NEW)
    back(hearing, frame(1, 4, IAX, 40, (54, b"token")))
    out(hearing, frame(4, 0, IAX, 1, VERSION, NUMBER, FROM, NAME, (54, b"token")))
    back(hearing, frame(23, 4, IAX, 8, (14, b"\0\2"), (15, b"271828182"), NAME))
    out(hearing, frame(4, 23, IAX, 9, (16, SECRET), (7, b"hunter2")))
    back(hearing, ANSWER)
    rows = picked(hearing.rows("dialogs"), "start", "challenged", "answered_at", "messages")
    assert rows == [(1, True, 6, 6)]
    written = hearing.everything_written()
    assert not any(s in written for s in (SECRET, b"hunter2", b"271828182", b"token"))


@pytest.mark.parametrize(
    ("kind", "answer", "status", "expires"),
    [(13, (15, (19, b"\0\x3c")), 200, 60), (13, (16, (42, b"\x15")), 403, 300),
     (17, (15, (6, b"trunk-1")), 200, 0)],
)  # fmt: skip
def test_a_registration_is_a_row_of_its_user(
    hearing: Hearing, kind: int, answer: tuple[int, tuple[int, bytes]], status: int, expires: int
) -> None:
    asks = frame(7, 0, IAX, kind, NAME, (19, b"\x01\x2c"))
    out(hearing, asks)
    back(hearing, frame(9, 7, IAX, 14, (15, b"271828182")))
    out(hearing, frame(7, 9, IAX, kind, NAME, (19, b"\x01\x2c"), (16, SECRET)))
    back(hearing, frame(9, 7, IAX, answer[0], answer[1]))
    columns = ("method", "from_user", "to_user", "status_code", "expires", "challenged", "src")
    assert picked(hearing.rows("dialogs"), *columns) == [
        ("REGISTER", "trunk-1", "trunk-1", status, expires, True, CALLER[0])
    ]


def test_media_is_claimed_from_both_sides_of_a_known_call(hearing: Hearing) -> None:
    assert out(hearing, MINI) == [False]
    out(hearing, NEW)
    back(hearing, ACCEPT)
    assert out(hearing, MINI) == [True]
    assert back(hearing, b"\0\x17" + MINI[2:], MINI) == [True, False]
    assert out(hearing, b"\0\0\1\0" + bytes(40)) == [True]
    assert hearing.sink.counts["iax2|media"] == 3


def test_media_of_a_call_from_before_the_capture_is_claimed_without_a_row(
    hearing: Hearing,
) -> None:
    assert out(hearing, frame(4, 23, VOICE, 8) + bytes(160), MINI) == [True, True]
    assert hearing.rows("dialogs") == []


def test_the_number_that_comes_with_a_token_is_of_no_call(hearing: Hearing) -> None:
    out(hearing, NEW)
    back(hearing, frame(1, 4, IAX, 40, (54, b"token")))
    assert back(hearing, b"\0\1" + MINI[2:]) == [False]


def test_an_encrypted_frame_of_a_known_call_is_claimed(hearing: Hearing) -> None:
    garbled = NEW[:4] + b"\xff" * 60
    assert out(hearing, garbled) == [False]
    out(hearing, NEW)
    assert out(hearing, garbled) == [True]


def test_an_answer_without_new_is_a_call_of_the_other_side(hearing: Hearing) -> None:
    back(hearing, RINGING, ANSWER)
    columns = ("src", "dst", "from_user", "ringing_at", "answered_at", "messages")
    assert picked(hearing.rows("dialogs"), *columns) == [(CALLER[0], CALLED[0], None, 1, 2, 2)]


@pytest.mark.parametrize("ended", [True, False])
def test_a_number_used_again_is_another_call(hearing: Hearing, ended: bool) -> None:
    out(hearing, NEW)
    if ended:
        back(hearing, frame(23, 4, IAX, 5))
    out(hearing, frame(4, 0, IAX, 1, VERSION, (1, b"999777002"), FROM))
    rows = picked(hearing.rows("dialogs"), "request_user")
    assert rows == [("999777001",), ("999777002",)]


def test_a_retransmission_is_no_other_call(hearing: Hearing) -> None:
    out(hearing, NEW, NEW[:2] + b"\x80\0" + NEW[4:])
    back(hearing, frame(23, 4, IAX, 6))
    out(hearing, NEW[:2] + b"\x80\0" + NEW[4:])
    back(hearing, frame(23, 4, IAX, 6))
    assert picked(hearing.rows("dialogs"), "start", "end", "messages") == [(1, 3, 3)]


def test_a_call_that_nobody_ends_is_told_when_it_is_forgotten(hearing: Hearing) -> None:
    out(hearing, NEW)
    back(hearing, ANSWER)
    hearing.time += 2 * 3600 * SECOND
    out(hearing, frame(9, 0, IAX, 2))
    assert hearing.sink.counts["iax2|call"] == 1


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"\x80\4", NEW[:11], NEW[:-1], NEW + b"\0", frame(4, 0, 13, 1), frame(4, 0, IAX, 0),
        frame(4, 0, IAX, 99), frame(0, 0, IAX, 4), frame(4, 0, IAX, 1, NUMBER),
        frame(4, 5, IAX, 1, VERSION, NUMBER),
    ],
)  # fmt: skip
def test_what_is_no_frame_is_refused(hearing: Hearing, octets: bytes) -> None:
    assert out(hearing, octets) == [False]


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=300), damages.map(lambda d: damaged(NEW, d))))
def test_damaged_octets_are_read_or_refused(octets: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hearing = Hearing(iax2.Iax2(), Path(folder))
        out(hearing, octets, NEW, octets)
        back(hearing, octets, ANSWER, octets)
        assert all(row["src"] for row in hearing.rows("dialogs"))


def test_state_is_bounded(hearing: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iax2, "MOST_CALLS", 8)
    reader = hearing.reader = iax2.Iax2()
    for number in range(1, 100):
        out(hearing, frame(number, 0, IAX, 1, VERSION, NUMBER))
    assert len(reader._calls) <= 8
    assert len(hearing.rows("dialogs")) == 99


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the real captures are not here")
def test_a_real_call_is_told(tmp_path: Path) -> None:
    dialogs, _, _ = real("voip-other__ndpi__iax.pcap", tmp_path)
    (row,) = dialogs.to_dicts()
    assert [len(row[user]) for user in ("from_user", "request_user")] == [12, 12]
    assert (row["frame"], row["messages"], row["end"]) == (1, 10, None)
    assert (row["answered_at"] - row["start"]).total_seconds() == pytest.approx(0.0317, abs=1e-4)
