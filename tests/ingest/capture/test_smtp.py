"""SMS that gateways send on by mail."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from signs import exchange, read_pcap, talk

from simbox.ingest.capture.protocols.smtp import Smtp

Turns = list[tuple[str, bytes]]

TEXT = "your code is 424242"
BODY = f"SN:8MCDRM01020304 Channel:8 Sender:+99900000001,01-02 03:04:05,{TEXT}"


def mail(
    helo: str = "gw.lan", mailer: str = "smail 0.1", body: str = ""
) -> list[tuple[str, bytes]]:
    coded = body or base64.encodebytes(BODY.encode()).decode().replace("\n", "\r\n")
    head = f"From: a\r\nSubject: SMS\r\nX-Mailer: {mailer}\r\n\r\n"
    return [
        ("s", b"220 ready\r\n"), ("c", f"EHLO {helo}\r\n".encode()), ("s", b"250 AUTH LOGIN\r\n"),
        ("c", b"AUTH LOGIN\r\n"), ("s", b"334 x\r\n"), ("c", b"dXNlcg==\r\n"),
        ("s", b"334 x\r\n"), ("c", b"aHVudGVyMg==\r\n"), ("s", b"235 ok\r\n"),
        ("c", b"MAIL FROM: <a>\r\n"), ("c", b"RCPT TO: <b@example.com>\r\n"), ("c", b"DATA\r\n"),
        ("s", b"354 go\r\n"), ("c", head[:30].encode()), ("c", (head[30:] + coded).encode()),
        ("c", b".\r\n"), ("s", b"250 ok\r\n"),
    ]  # fmt: skip


def test_mail_of_a_gateway_gives_serial_number_and_line(tmp_path: Path) -> None:
    box = talk(Smtp(), exchange(mail(), 25), tmp_path)
    told = {r["signature"]: r for r in box.evidence()}
    assert set(told) == {"dbl-smtp-mailer", "dbl-smtp-serial"}
    assert told["dbl-smtp-serial"]["fields"] == {"serial": "8MCDRM01020304"}
    assert (told["dbl-smtp-serial"]["line"], told["dbl-smtp-serial"]["host"]) == ("8", "192.0.2.10")


@pytest.mark.parametrize("secret", [TEXT, "hunter2", "aHVudGVyMg", "+99900000001", "b@example.com"])
def test_text_passwords_and_parties_are_never_stored(tmp_path: Path, secret: str) -> None:
    assert not talk(Smtp(), exchange(mail(), 25), tmp_path).holds(secret)


def test_every_mail_of_a_session_counts(tmp_path: Path) -> None:
    turns = mail() + mail()[9:]
    counts = {
        r["signature"]: r["count"] for r in talk(Smtp(), exchange(turns, 25), tmp_path).evidence()
    }
    assert counts == {"dbl-smtp-mailer": 2, "dbl-smtp-serial": 2}


def test_crash_mail_is_told_by_its_greeting(tmp_path: Path) -> None:
    box = talk(Smtp(), exchange(mail(helo="fspipsev.net", mailer="x", body="trace"), 25), tmp_path)
    assert box.names() == {"dbl-smtp-crash-mail"}


@pytest.mark.parametrize(
    "turns",
    [
        mail(mailer="Thunderbird 115"),
        [("c", b"EHLO a\r\n"), ("c", b"STARTTLS\r\n"), ("c", b"X-Mailer: smail 0.1\r\n")],
        [("c", b"EHLO a\r\n"), ("c", b"x" * 20_000), ("c", b"\r\nDATA\r\nX-Mailer: smail 0.1\r\n")],
    ],
)
def test_other_mail_gives_no_evidence(tmp_path: Path, turns: list[tuple[str, bytes]]) -> None:
    assert talk(Smtp(), exchange(turns, 25), tmp_path).names() == set()


def test_real_mail_of_a_gateway_is_recognised(shared: Path, tmp_path: Path) -> None:
    capture = shared / "data" / "captures" / "goip__goipagent__smtp.pcap"
    told = {r["signature"]: r for r in talk(Smtp(), read_pcap(capture), tmp_path).evidence()}
    assert set(told) == {"dbl-smtp-mailer", "dbl-smtp-serial"}
    assert told["dbl-smtp-serial"]["fields"]["serial"].startswith("8MCDRM")
    assert told["dbl-smtp-serial"]["line"] == "8"
    assert {r["host"] for r in told.values()} == {"192.168.1.30"}
