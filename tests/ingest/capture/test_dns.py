"""The names that hosts ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
from signs import hear, packet

from simbox.ingest.capture.protocols.dns import Dns, read_question

RESOLVERS = ("192.0.2.1", "198.51.100.53", "203.0.113.53")


def query(name: str, number: int = 0x67C6, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
    head = number.to_bytes(2) + b"\1\0\0\1\0\0\0\0\0\0"
    return head + labels + b"\0" + kind.to_bytes(2) + b"\0\1"


def test_vendor_names_and_the_first_id_are_told_for_each_resolver(tmp_path: Path) -> None:
    asked = [
        packet(query(name), dst=resolver, dport=53)
        for name in ("pool.ntp.org", "WWW.gontp.com")
        for resolver in RESOLVERS
    ]
    box = hear(Dns(), asked, tmp_path)
    told = sorted((r["signature"], r["grade"], r["peer"]) for r in box.evidence())
    assert told == [
        *(("dbl-dns-first-id", "weak", r) for r in RESOLVERS),
        *(("dbl-dns-vendor", "strong", r) for r in RESOLVERS),
    ]
    assert {r["host"] for r in box.evidence()} == {"192.0.2.10"}


@pytest.mark.parametrize("name", ["pool.ntp.org", "www.example.org", "gontp.com.example.net", ""])
def test_ordinary_names_give_no_evidence(tmp_path: Path, name: str) -> None:
    assert hear(Dns(), [packet(query(name, 0x1234), dport=53)], tmp_path).names() == set()


def test_answers_are_left_alone(tmp_path: Path) -> None:
    answer = bytearray(query("www.gontp.com"))
    answer[2] |= 0x80
    assert hear(Dns(), [packet(bytes(answer), sport=53)], tmp_path).names() == set()


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",  # a pointer to itself
        b"\x03www\xc0\x0c",  # a loop through a label
        b"\x40" + b"a" * 64,  # a label too long
        b"\x3f" + b"a" * 10,  # a label that overruns the payload
        (b"\x3f" + b"a" * 63) * 5 + b"\0",  # a name too long
        b"\x03www",  # no end
        b"\x03www\0\0",  # no type
        b"",
    ],
)
def test_name_that_breaks_the_rules_is_no_question(name: bytes) -> None:
    assert read_question(query("x")[:12] + name) is None
