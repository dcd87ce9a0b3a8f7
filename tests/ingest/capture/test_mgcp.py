from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from calling import CAPTURES, damaged, damages, picked, real, rows_of
from hearing import SECOND, Hearing
from hypothesis import given, settings
from hypothesis import strategies as st

from simbox.ingest.capture.media.streams import join_segments, with_calls
from simbox.ingest.capture.protocols import mgcp
from simbox.tables import MEDIA

GATEWAY, AGENT = ("192.0.2.10", 2427), ("198.51.100.7", 2727)
LINE = "aaln/1@gw.example"
CALL = f"A3C47F/{LINE}"
COLUMNS = (
    "method", "call_id", "from_user", "request_user", "src", "dst", "start", "ringing_at",
    "answered_at", "end", "hangup_by", "frames",
)  # fmt: skip
SDP = "v=0\r\nc=IN IP4 {}\r\nm=audio {} RTP/AVP 0\r\na=ptime:20\r\n"


class Line:
    """A line of a gateway, and the agent that works it."""

    def __init__(self, hearing: Hearing) -> None:
        self.hearing = hearing
        self.numbers = count(1000)
        self.last = 0

    def command(self, verb: str, *parameters: str, body: str = "", line: str = LINE) -> str:
        self.last = next(self.numbers)
        lines = [f"{verb} {self.last} {line} MGCP 1.0", *parameters]
        return "\r\n".join([*lines, f"\r\n{body}" if body else ""])

    def agent(self, verb: str, *parameters: str, body: str = "", line: str = LINE) -> bool:
        text = self.command(verb, *parameters, body=body, line=line)
        return self.hearing.udp(text, AGENT, GATEWAY)

    def tells(self, verb: str, *parameters: str, line: str = LINE) -> bool:
        return self.hearing.udp(self.command(verb, *parameters, line=line), GATEWAY, AGENT)

    def answers(self, code: int = 200, *parameters: str, body: str = "", back: bool = True) -> bool:
        lines = [f"{code} {self.last} some text", *parameters]
        text = "\r\n".join([*lines, f"\r\n{body}" if body else ""])
        ends = (GATEWAY, AGENT) if back else (AGENT, GATEWAY)
        return self.hearing.udp(text, *ends)


@pytest.fixture
def hearing(tmp_path: Path) -> Hearing:
    return Hearing(mgcp.Mgcp(), tmp_path / "rows")


@pytest.fixture
def line(hearing: Hearing) -> Line:
    return Line(hearing)


def calls(hearing: Hearing) -> list[tuple[Any, ...]]:
    return picked(hearing.rows("dialogs"), *COLUMNS)


def test_a_line_that_dials_is_the_calling_side(hearing: Hearing, line: Line) -> None:
    line.tells("NTFY", "O: L/hd")
    line.tells("NTFY", "O: D/9,D/9,D/9,D/7,D/7,D/7,D/0,D/0,D/1,D/T")
    line.agent("CRCX", "C: A3C47F", "L: p:20, a:PCMU", "M: recvonly")
    line.agent("RQNT", "R: L/hu(N)", "S: G/rt")
    line.agent("MDCX", "C: A3C47F", "I: F1", "M: sendrecv")
    line.tells("NTFY", "O: L/hu")
    line.agent("DLCX", "C: A3C47F", "I: F1")
    ends = (GATEWAY[0], AGENT[0])
    assert calls(hearing) == [
        ("INVITE", CALL, LINE, "999777001", *ends, 3, 4, 5, 6, GATEWAY[0], [3, 4, 5, 6, 7])
    ]


@pytest.mark.parametrize(
    "ringing", ['S: L/rg(ci(10/14/17/26, "999000111", Somebody))', "S: rg,ci(,999000111,)"]
)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_line_that_rings_is_the_called_side(
    hearing: Hearing, line: Line, ringing: str, *, at_once: bool
) -> None:
    if at_once:
        line.agent("CRCX", "C: A3C47F", "M: sendrecv", ringing)
    else:
        line.agent("CRCX", "C: A3C47F", "M: sendrecv")
        line.agent("RQNT", "R: L/hd(N)", ringing)
    line.tells("NTFY", "O: L/hd")
    line.agent("DLCX", "C: A3C47F")
    columns = ("from_user", "request_user", "src", "dst", "start", "hangup_by")
    (row,) = hearing.rows("dialogs")
    assert picked([row], *columns) == [("999000111", LINE, AGENT[0], GATEWAY[0], 1, AGENT[0])]
    later = 1 - at_once
    times = (1 + later, 2 + later, 3 + later)
    assert (row["ringing_at"], row["answered_at"], row["end"]) == times


def test_a_line_that_rings_is_not_answered_by_its_connection(hearing: Hearing, line: Line) -> None:
    line.agent("CRCX", "C: A3C47F", "M: inactive", "S: rg")
    line.agent("MDCX", "C: A3C47F", "M: sendrecv")
    line.agent("DLCX", "C: A3C47F")
    assert picked(hearing.rows("dialogs"), "answered_at", "end") == [(None, 3)]


def test_a_line_that_dials_is_not_answered_by_its_own_handset(hearing: Hearing, line: Line) -> None:
    line.agent("CRCX", "C: A3C47F", "M: recvonly")
    line.tells("NTFY", "O: hd")
    assert picked(hearing.rows("dialogs"), "src", "answered_at") == [(GATEWAY[0], None)]


def test_digits_in_one_notification_or_many_are_one_number(hearing: Hearing, line: Line) -> None:
    line.tells("NTFY", "O: hd,9,9,9")
    line.agent("CRCX", "C: A3C47F", "M: inactive")
    for digit in "777001":
        line.tells("NTFY", f"O: D/{digit}")
    assert picked(hearing.rows("dialogs"), "request_user") == [("999777001",)]


def test_a_new_lifting_of_the_handset_forgets_what_was_dialled(
    hearing: Hearing, line: Line
) -> None:
    line.tells("NTFY", "O: hd,9,9,9")
    line.tells("NTFY", "O: hu")
    line.tells("NTFY", "O: hd,4,7")
    line.agent("CRCX", "C: A3C47F", "M: recvonly")
    assert picked(hearing.rows("dialogs"), "request_user") == [("47",)]


def test_media_of_both_sides_is_announced(hearing: Hearing, line: Line) -> None:
    line.agent("CRCX", "C: A3C47F", "M: recvonly", body=SDP.format("203.0.113.5", 16400))
    line.answers(200, "I: F1", body=SDP.format("192.0.2.10", 4000))
    hearing.finish()
    columns = ("call_id", "announcer", "address", "port", "codecs", "payload_types", "ptime_ms")
    assert picked(rows_of(hearing.sink, MEDIA), *columns) == [
        (CALL, AGENT[0], "203.0.113.5", 16400, "PCMU", "0", 20),
        (CALL, GATEWAY[0], "192.0.2.10", 4000, "PCMU", "0", 20),
    ]
    assert hearing.sink.announced == [("203.0.113.5", 16400), ("192.0.2.10", 4000)]


def test_a_response_to_no_command_announces_nothing(hearing: Hearing, line: Line) -> None:
    assert line.answers(200, body=SDP.format("192.0.2.10", 4000))
    assert hearing.sink.announced == []


def test_a_connection_that_is_refused_ends_the_call(hearing: Hearing, line: Line) -> None:
    line.agent("CRCX", "C: A3C47F", "M: recvonly")
    line.answers(403)
    rows = picked(hearing.rows("dialogs"), "end", "hangup_by", "messages")
    assert rows == [(2, GATEWAY[0], 2)]


@pytest.mark.parametrize("ends", [(GATEWAY, AGENT), (AGENT, GATEWAY)])
def test_either_side_deletes_a_connection(
    hearing: Hearing, line: Line, ends: tuple[tuple[str, int], tuple[str, int]]
) -> None:
    line.agent("CRCX", "C: A3C47F", "M: recvonly")
    hearing.udp(line.command("DLCX", "C: A3C47F"), *ends)
    assert picked(hearing.rows("dialogs"), "end", "hangup_by") == [(2, ends[0][0])]


def test_deleting_all_connections_of_a_line_ends_its_calls(hearing: Hearing, line: Line) -> None:
    for call in "AB":
        line.agent("CRCX", f"C: {call}", "M: recvonly")
    line.agent("DLCX")
    assert picked(hearing.rows("dialogs"), "call_id", "end") == [(f"A/{LINE}", 3), (f"B/{LINE}", 3)]


def test_a_command_sent_again_counts_once(hearing: Hearing, line: Line) -> None:
    line.tells("NTFY", "O: hd")
    twice = line.command("NTFY", "O: 9,9,9")
    for _ in range(2):
        hearing.udp(twice, GATEWAY, AGENT)
    line.agent("CRCX", "C: A3C47F", "M: recvonly")
    assert picked(hearing.rows("dialogs"), "request_user") == [("999",)]


def test_messages_of_one_datagram_are_all_read(hearing: Hearing, line: Line) -> None:
    first = line.command("CRCX", "C: A", "M: recvonly", body=SDP.format("203.0.113.5", 16400))
    second = line.command("crcx", "c: B", "m: recvonly", line="aaln/2@gw.example")
    hearing.udp(f"{first}.\r\n{second}", AGENT, GATEWAY)
    ids = picked(hearing.rows("dialogs"), "call_id")
    assert ids == [(f"A/{LINE}",), ("B/aaln/2@gw.example",)]


@pytest.mark.parametrize(("method", "expires"), [("restart", None), ("forced", 0)])
@pytest.mark.parametrize(("code", "status"), [(200, 200), (500, None), (None, None)])
def test_a_gateway_that_restarts_registers_its_lines(
    hearing: Hearing,
    line: Line,
    method: str,
    expires: int | None,
    code: int | None,
    status: int | None,
) -> None:
    line.tells("RSIP", f"RM: {method}", line="AALN/4@GW.example")
    if code is not None:
        line.answers(code, back=False)
    columns = ("method", "from_user", "to_user", "src", "status_code", "expires")
    name = "aaln/4@gw.example"
    expected = ("REGISTER", name, name, GATEWAY[0], status, expires)
    assert picked(hearing.rows("dialogs"), *columns) == [expected]


def test_commands_are_found_on_any_port_and_responses_on_the_protocols(
    hearing: Hearing, line: Line
) -> None:
    other = ("198.51.100.7", 40000)
    assert hearing.udp(line.command("AUEP", "F: RM"), other, ("192.0.2.10", 40001))
    assert not hearing.udp("200 1000 OK", other, ("192.0.2.10", 40001))
    assert hearing.udp("200 1000 OK", AGENT, GATEWAY)


@pytest.mark.parametrize(
    "text", ["", "CRCX", "CRCX x aaln/1 MGCP 1.0", "CRCX 1 aaln/1 HTTP 1.0", "20 1", "2000 1"]
)
def test_what_is_no_message_is_refused(hearing: Hearing, text: str) -> None:
    assert not hearing.udp(text, AGENT, GATEWAY)


def test_a_call_that_nobody_ends_is_told_when_it_is_forgotten(hearing: Hearing, line: Line) -> None:
    line.agent("CRCX", "C: A3C47F", "M: recvonly")
    hearing.time += 7 * 3600 * SECOND
    line.agent("AUEP", line="*@gw.example")
    assert hearing.sink.counts["mgcp|call"] == 1


def test_calls_of_one_line_are_bounded(hearing: Hearing, line: Line) -> None:
    for number in range(20):
        line.agent("CRCX", f"C: {number}", "M: recvonly")
    assert hearing.sink.counts["mgcp|call"] == 20 - mgcp.MOST_LEGS
    assert len(hearing.rows("dialogs")) == 20


WHOLE = (
    f"NTFY 1 {LINE} MGCP 1.0\r\nO: L/hd,D/9,D/9\r\n.\r\n"
    f"CRCX 2 {LINE} MGCP 1.0\r\nC: A\r\nM: sendrecv\r\nS: L/rg(ci(,999,x))\r\n\r\n"
    f"{SDP.format('203.0.113.5', 16400)}.\r\nDLCX 3 {LINE} MGCP 1.0\r\nC: A\r\n"
).encode()


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=300), damages.map(lambda d: damaged(WHOLE, d))))
def test_damaged_octets_are_read_or_refused(octets: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hearing = Hearing(mgcp.Mgcp(), Path(folder))
        hearing.udp(octets, AGENT, GATEWAY)
        hearing.udp(WHOLE, AGENT, GATEWAY)
        hearing.udp(octets, GATEWAY, AGENT)
        hearing.udp(b"200" + octets, GATEWAY, AGENT)
        assert all(row["src"] for row in hearing.rows("dialogs"))


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the real captures are not here")
def test_a_real_call_has_its_media(tmp_path: Path) -> None:
    dialogs, told, segments = real("sip-rtp__sipnab__SIP_CALL_RTP_G711.pcap", tmp_path)
    rows = [row for row in dialogs.to_dicts() if row["protocol"] == "mgcp"]
    (call,) = [row for row in rows if row["method"] == "INVITE"]
    assert picked([call], "from_user", "request_user") == [("aaln/1@cpg2", "9005")]
    assert len(rows) == 4
    streams = with_calls(join_segments(segments), told)
    assert int(streams["announced"].sum()) == 3
    assert call["call_id"] in set(streams["call_id"])
