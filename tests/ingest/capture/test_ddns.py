"""The DDNS exchange of a GoIP."""

from __future__ import annotations

from pathlib import Path

import pytest
from signs import hear, packet, read_pcap

from simbox.ingest.capture.protocols.ddns import Ddns, read_message

MAGIC = b"\x86\x70\x14\x13"
REQUEST = MAGIC + b"\x018MCDRM01020304"
REPLY = MAGIC + b"\x00203.0.113.7\twww.8MCDRM01020304.com"


def test_exchange_gives_serial_number_and_public_address(tmp_path: Path) -> None:
    ends = {"src": "198.51.100.7", "dst": "192.0.2.10"}
    sent = [packet(REQUEST, sport=56000, dport=39800), packet(REPLY, **ends, sport=39800)]
    told = {r["signature"]: r for r in hear(Ddns(), sent, tmp_path).evidence()}
    assert {r["host"] for r in told.values()} == {"192.0.2.10"}
    assert {r["grade"] for r in told.values()} == {"conclusive"}
    assert told["dbl-ddns-serial"]["fields"]["serial"] == "8MCDRM01020304"
    assert told["dbl-ddns-address"]["fields"] == {
        "message": "reply", "public_ip": "203.0.113.7",
        "hostname": "www.8MCDRM01020304.com", "serial": "8MCDRM01020304",
    }  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        b"", MAGIC, MAGIC + b"\x01", MAGIC + b"\x01abc", MAGIC + b"\x028MCDRM01020304",
        MAGIC + b"\x00no address", MAGIC + b"\x00203.0.113.7 www", b"\x80" + REQUEST[1:],
        MAGIC + b"\x01" + bytes(range(160)),  # media that happens to begin so
    ],
)  # fmt: skip
def test_other_payloads_are_not_of_it(data: bytes) -> None:
    assert read_message(data) is None


def test_real_exchange_is_recognised(shared: Path, tmp_path: Path) -> None:
    capture = shared / "data" / "captures" / "goip__goipagent__ddns.pcap"
    box = hear(Ddns(), read_pcap(capture), tmp_path)
    told = {r["signature"]: r for r in box.evidence()}
    assert set(told) == {"dbl-ddns-serial", "dbl-ddns-address"}
    assert {(r["host"], r["count"]) for r in told.values()} == {("192.168.1.30", 1)}
    serials = {r["fields"]["serial"] for r in told.values()}
    assert len(serials) == 1
    assert serials.pop().startswith("8MCDRM")
