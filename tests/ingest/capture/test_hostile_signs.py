"""Readers of device signs meet any octets without an exception and without unbounded state."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signs import exchange, hear, packet, talk
from test_ami import yeastar
from test_dhcp import goip, message
from test_dns import query
from test_http import CONFIG, EJOIN_GET, STATUS, answer, get
from test_smtp import mail

from simbox.ingest.capture.protocol import Reader
from simbox.ingest.capture.protocols.ami import Ami
from simbox.ingest.capture.protocols.ddns import MAGIC, Ddns
from simbox.ingest.capture.protocols.dhcp import Dhcp
from simbox.ingest.capture.protocols.dns import Dns
from simbox.ingest.capture.protocols.http import Http
from simbox.ingest.capture.protocols.ntp import Ntp
from simbox.ingest.capture.protocols.smtp import Smtp
from simbox.ingest.capture.protocols.telnet import Telnet

UDP = [
    (Dhcp(), message(goip(1))), (Dns(), query("www.gontp.com")), (Ntp(), b"\x1b" + b"\0" * 63),
    (Ddns(), MAGIC + b"\x00203.0.113.7\twww.8MCDRM01020304.com"),
]  # fmt: skip
TCP = [
    (Http(), 80, [("c", EJOIN_GET), ("s", answer(STATUS))]),
    (Http(), 80, [("c", get("/8MCDRM01020304.cfg")), ("s", answer(CONFIG, length=False))]),
    (Smtp(), 25, mail()),
    (Ami(), 5038, yeastar()),
    (Telnet(), 23, [("s", b"\xff\xfd\x01Welcome to Command Shell!\r\nUsername:")]),
]
Turns = list[tuple[str, bytes]]
cases = settings(max_examples=40, deadline=None)
edits = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4)), max_size=6)


def edited(data: bytes, changes: list[tuple[float, bytes]]) -> bytes:
    for where, octets in changes:
        at = int(where * len(data))
        data = data[:at] + octets + data[at + (1 if octets else 30) :]
    return data


@pytest.mark.parametrize(("reader", "good"), UDP, ids=lambda v: getattr(v, "name", ""))
def test_damaged_datagrams_are_read_or_refused(reader: Reader, good: bytes) -> None:
    @cases
    @given(st.one_of(st.binary(max_size=400), edits.map(lambda e: edited(good, e))))
    def read(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            box = hear(reader, [packet(data, sport=123, dport=53)], Path(folder))
            assert all(r["host"] for r in box.evidence())

    read()


@pytest.mark.parametrize(("reader", "port", "turns"), TCP, ids=lambda v: getattr(v, "name", ""))
def test_damaged_conversations_are_read_or_let_go(reader: Reader, port: int, turns: Turns) -> None:
    @cases
    @given(st.lists(edits, min_size=len(turns), max_size=len(turns)), st.integers(1, 2000))
    def read(changes: list[list[tuple[float, bytes]]], cut: int) -> None:
        whole = [(w, edited(t, e)) for (w, t), e in zip(turns, changes, strict=True)]
        pieces = [(w, t[a : a + cut]) for w, t in whole for a in range(0, len(t), cut)]
        with tempfile.TemporaryDirectory() as folder:
            box = talk(reader, exchange(pieces, port), Path(folder))
            assert not box.holds("hunter2")
            assert not box.holds("424242")
            box.sightings()

    read()


@pytest.mark.parametrize(
    ("reader", "port", "first", "more"),
    [
        (Http(), 80, EJOIN_GET[:-4], b"x" * 65536),
        (Http(), 80, EJOIN_GET, b"x" * 65536),
        (Smtp(), 25, b"EHLO a\r\nDATA\r\nX-Mailer: smail 0.1\r\n\r\n", b"QUFB" * 16384),
        (Ami(), 5038, b"Action: smscommand\r\n\r\n", b"x" * 65536),
        (Telnet(), 23, b"\xff\xfd\x01", b"\xff\xfa" * 32768),
    ],
)
def test_state_of_a_conversation_is_bounded(
    reader: Reader, port: int, first: bytes, more: bytes, tmp_path: Path
) -> None:
    conversation = reader.conversation()
    turns = [("c", first), *[("c", more)] * 64]
    box = hear(reader, [], tmp_path)
    for segment in exchange(turns, port):
        if not conversation.feed(segment, box.out):
            break
    assert held(vars(conversation)) < 200_000


def held(value: object) -> int:
    """Octets and characters in a conversation's state."""
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, dict):
        return sum(held(k) + held(v) for k, v in value.items())
    if type(value).__name__ == "Message":
        return held(vars(value))
    return 0
