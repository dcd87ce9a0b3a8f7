"""One frame is shown layer by layer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from capture_making import ethernet, ipv4, pcap, udp

from simbox.errors import InputError, UsageError
from simbox.ingest.capture import dissect as module
from simbox.ingest.capture.dissect import dissect, find_frame
from simbox.ingest.sources import Source

QUERY = bytes.fromhex("67c60100000100000000000003777777076578616d706c65036f72670000010001")
INVITE = b"INVITE sip:2001@192.0.2.1 SIP/2.0\r\nCall-ID: a@192.0.2.9\r\nCSeq: 1 INVITE\r\n\r\n"
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    frames = [ethernet(ipv4(udp(QUERY, dport=53))), ethernet(ipv4(udp(INVITE)))]
    (tmp_path / "odd.pcap").write_bytes(pcap(frames))
    return Source(tmp_path / "odd.pcap")


def test_what_scapy_knows_is_shown_by_scapy(source: Source) -> None:
    pytest.importorskip("scapy")
    shown = dissect(find_frame(source, 1))
    assert "###[ DNS ]###" in shown
    assert "www.example.org" in shown


@needs_tshark
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_what_scapy_does_not_know_is_shown_by_tshark(source: Source) -> None:
    pytest.importorskip("pyshark")
    assert "Layer SIP" in dissect(find_frame(source, 2))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_without_tshark_it_says_what_to_install(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyshark")
    frame = find_frame(source, 2)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("os.path.exists", lambda _: False)
    with pytest.raises(InputError, match="tshark, which may, is not installed"):
        module._by_tshark(frame)


def test_a_frame_that_there_is_not_is_told(source: Source) -> None:
    with pytest.raises(UsageError, match="no frame 3; its frames are 1 to 2"):
        find_frame(source, 3)


def test_the_title_says_what_was_cut(tmp_path: Path) -> None:
    (tmp_path / "cut.pcap").write_bytes(pcap([ethernet(ipv4(udp(QUERY)))], cut=100))
    frame = find_frame(Source(tmp_path / "cut.pcap"), 1)
    assert frame.title.startswith("frame 1: 2023-11-14 22:13:20 UTC, ")
    assert frame.title.endswith(" of them captured")
