"""An excerpt holds the frames asked for, and nothing that people said or wrote."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from capture_making import ethernet, ipv4, pcap, read_all, udp

from simbox.ingest.capture.excerpt import write_excerpt

INVITE = (
    b"INVITE sip:2001@192.0.2.1 SIP/2.0\r\nCall-ID: a@192.0.2.9\r\n"
    b'Proxy-Authorization: Digest username="2001", nonce="n0nce", response="5ecret"\r\n'
    b"Authorization:Digest username=2001,response = 0dd5pelt\r\n"
    b"Contact: <sip:2001:1nside@192.0.2.9:5060>\r\n\r\n"
)
TEXT = b"MESSAGE sip:2001@192.0.2.1 SIP/2.0\r\nCall-ID: b\r\n\r\nyour code is 271828"
KEEPALIVE = b"req:7;id:line01;pass:hunter2;num:99913500000001;signal:23;gsm_status:LOGIN;"
PUSHED = b"RECEIVE:17;id:line01;password:hunter2;srcnum:99917;msg:your code is 271828"
MEDIA = bytes([0x80, 8]) + bytes(10) + b"what they said"
PAYLOADS = [INVITE, TEXT, KEEPALIVE, PUSHED, MEDIA]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    file = tmp_path / "calls.pcap"
    file.write_bytes(pcap([ethernet(ipv4(udp(payload))) for payload in PAYLOADS]))
    return file


def excerpt(capture: Path, numbers: list[int]) -> list[bytes]:
    target = capture.with_name("excerpt.pcapng")
    written = write_excerpt(target, {str(capture): numbers})
    assert written.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    found, file = read_all(target)
    assert file.damage is None
    assert written.frames == len(found)
    return [record.octets for record in found]


def test_it_holds_the_frames_asked_for_with_their_times(capture: Path) -> None:
    excerpt(capture, [3, 1])
    original, _ = read_all(capture)
    found, _ = read_all(capture.with_name("excerpt.pcapng"))
    assert [r.time for r in found] == [original[0].time, original[2].time]
    assert [r.wire for r in found] == [original[0].wire, original[2].wire]


def test_each_frame_says_where_it_comes_from(capture: Path) -> None:
    excerpt(capture, [3])
    assert b"calls.pcap frame 3" in capture.with_name("excerpt.pcapng").read_bytes()


@pytest.mark.parametrize(
    "secret",
    [
        b"hunter2",
        b"271828",
        b"5ecret",
        b"0dd5pelt",
        b"1nside",
        b"n0nce",
        b"what they said",
        b"your code",
    ],
)
def test_no_password_no_text_and_no_voice_is_in_it(capture: Path, secret: bytes) -> None:
    assert not any(secret in octets for octets in excerpt(capture, [1, 2, 3, 4, 5]))


@pytest.mark.parametrize(
    "kept",
    [
        b"INVITE sip:2001@192.0.2.1",
        b"@192.0.2.9:5060>",
        b"num:99913500000001",
        b"MESSAGE sip",
        bytes([0x80, 8]),
    ],
)
def test_what_proves_is_in_it(capture: Path, kept: bytes) -> None:
    assert any(kept in octets for octets in excerpt(capture, [1, 2, 3, 4, 5]))


def test_files_that_are_gone_are_left_out(tmp_path: Path) -> None:
    written = write_excerpt(tmp_path / "none.pcapng", {str(tmp_path / "gone.pcap"): [1]})
    assert written.frames == 0


def test_a_frame_without_ip_keeps_only_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "odd.pcap"
    file.write_bytes(pcap([ethernet(b"secret of another protocol", 0x88B5)]))
    [octets] = excerpt(file, [1])
    assert b"protocol" not in octets
