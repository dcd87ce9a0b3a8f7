"""The manager interface of gateways with Asterisk inside."""

from __future__ import annotations

from pathlib import Path

import pytest
from signs import Box, exchange, talk

from simbox.ingest.capture.protocols.ami import Ami

LOGIN = b"Action: Login\r\nUsername: api\r\nSecret: hunter2\r\n\r\n"
ACCEPTED = b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
SPAN = b"""Response: Follows\r
Privilege: Command\r
D-channel: 3
Status: Power on, Provisioned, Up, Active,Standard
Model Name: SIM840W
Model IMEI: 001010000000002
Network Name: Test Net
Network Status: Registered (Home network)
Signal Quality (0,31): 20
SIM IMSI: 001010000000001
State: READY
--END COMMAND--\r
\r
"""
SMS = b"""Event: ReceivedSMS\r
ID: 1\r
GsmSpan: 2\r
Sender: +99900000001\r
Recvtime: 2026-01-02 03:04:05\r
Content: your+code+is+424242\r
--END SMS EVENT--\r
\r
"""


def yeastar(cut: int = 10_000) -> list[tuple[str, bytes]]:
    turns = [
        ("s", b"Asterisk Call Manager/1.1\r\n"), ("c", LOGIN), ("s", ACCEPTED),
        ("c", b"Action: smscommand\r\nCommand: gsm show span 3\r\n\r\n"), ("s", SPAN), ("s", SMS),
        ("c", b'Action: smscommand\r\nCommand: gsm send sms 3 "+99900000002" "call me" 7\r\n\r\n'),
    ]  # fmt: skip
    return [(w, t[a : a + cut]) for w, t in turns for a in range(0, len(t), cut)]


def session(folder: Path, turns: list[tuple[str, bytes]]) -> Box:
    return talk(Ami(), exchange(turns, 5038), folder)


@pytest.mark.parametrize("cut", [10_000, 100, 24])
def test_session_gives_commands_reports_and_sms_events(tmp_path: Path, cut: int) -> None:
    box = session(tmp_path, yeastar(cut))
    told = {(r["signature"], r["line"]) for r in box.evidence()}
    assert told == {
        ("yeastar-ami-smscommand", "3"), ("gsm-ami-command", "3"),
        ("gsm-ami-span-report", "3"), ("yeastar-ami-sms-event", "2"),
    }  # fmt: skip
    assert {r["host"] for r in box.evidence()} == {"198.51.100.7"}


def test_report_of_a_span_is_a_sighting(tmp_path: Path) -> None:
    (row,) = session(tmp_path, yeastar()).sightings()
    assert {k: v for k, v in row.items() if v is not None and k not in ("seen", "frame")} == {
        "imei": "001010000000002", "imsi": "001010000000001", "line": "001010000000001",
        "operator": "Test Net", "signal": -73, "state": "Registered (Home network)", "port": 3,
        "host": "198.51.100.7", "peer": "192.0.2.10", "protocol": "ami", "source": "a.pcap",
    }  # fmt: skip


@pytest.mark.parametrize("secret", ["hunter2", "code", "424242", "call me", "+99900000002"])
def test_secrets_and_texts_are_never_stored(tmp_path: Path, secret: str) -> None:
    assert not session(tmp_path, yeastar()).holds(secret)


def test_openvox_is_told_by_its_commands(tmp_path: Path) -> None:
    command = b'Action: Command\r\nCommand: gsm send sync sms 1 +99900000002 "hi" 5\r\n\r\n'
    box = session(tmp_path, [("c", LOGIN), ("c", command)])
    assert box.names() == {"openvox-ami-sms", "gsm-ami-command"}


def test_ordinary_exchange_gives_no_evidence_and_is_let_go(tmp_path: Path) -> None:
    event = b"Event: Newchannel\r\nChannel: SIP/100-0000\r\nState: Ring\r\n\r\n"
    late = b"Action: smscommand\r\nCommand: gsm show spans\r\n\r\n"
    ordinary = [("s", b"Asterisk Call Manager/2.10\r\n"), ("c", LOGIN)]
    assert session(tmp_path / "a", [*ordinary, ("s", event)]).names() == set()
    long = [*ordinary, ("s", event * 1500), ("c", late)]
    assert session(tmp_path / "b", long).names() == set()


@pytest.mark.parametrize(("port", "first"), [(80, b"Action: Login\r\n"), (5038, b"\x16\x03\x01")])
def test_other_conversations_are_not_opened(port: int, first: bytes) -> None:
    assert not any(Ami().opens(segment) for segment in exchange([("c", first)], port))
