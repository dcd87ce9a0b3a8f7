"""Banners of Telnet servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from signs import exchange, talk

from simbox.ingest.capture.protocols.telnet import Telnet

NEGOTIATION = b"\xff\xfd\x01\xff\xfb\x03\xff\xfa\x18\x01\xff\xf0"


@pytest.mark.parametrize(
    ("said", "signature"),
    [
        ([NEGOTIATION + b"\r\nWelcome to Command Shell!\r\n", b"Username:"], "dinstar-telnet"),
        ([b"Welcome to login ", b"the Cloud Server.\r\ndomain:"], "dinstar-simcloud-telnet"),
        ([NEGOTIATION, b"VIP113 M113-00000 ", b"VB login:"], "2n-voiceblue-telnet"),
    ],
)
def test_banner_is_told_across_segments(tmp_path: Path, said: list[bytes], signature: str) -> None:
    turns = [("s", part) for part in said] + [("c", b"admin\r\nhunter2\r\n")]
    box = talk(Telnet(), exchange(turns, 23), tmp_path)
    (row,) = box.evidence()
    assert (row["signature"], row["host"], row["fields"]) == (signature, "198.51.100.7", {})
    assert not box.holds("hunter2")


@pytest.mark.parametrize("said", [b"BusyBox v1.20\r\nlogin: ", b"\xff\xfd\x18", b"\0\1\2\3"])
def test_other_servers_give_no_evidence(tmp_path: Path, said: bytes) -> None:
    turns = [("s", said), ("c", b"Welcome to Command Shell!\r\nUsername:"), ("s", b"x" * 3000)]
    assert talk(Telnet(), exchange(turns, 23), tmp_path).names() == set()


def test_session_is_let_go_once_the_banner_is_too_long(tmp_path: Path) -> None:
    turns = [("s", b"login" * 300), ("s", b"Welcome to Command Shell!\r\nUsername:")]
    assert talk(Telnet(), exchange(turns, 23), tmp_path).names() == set()
