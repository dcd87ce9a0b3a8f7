from __future__ import annotations

import shutil
import struct
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rtp_making import (
    HERE,
    SECOND,
    START,
    THERE,
    Rtp,
    batches,
    datagrams,
    packets,
    payloads,
    segments,
    spilled,
    talk,
    together,
    write_pcap,
)

from simbox.ingest.capture.media.rtp import MOST_STREAMS, RtpStreams
from simbox.ingest.capture.media.streams import join_segments
from simbox.ingest.capture.packets.addresses import AddressBook
from simbox.ingest.capture.sink import Sink


def disturbed(seed: int, clock: int = 8000, kind: int = 0, **more: Any) -> Rtp:
    """A stream with jitter, loss, duplicates, reordering and wraps of both counters."""
    random = np.random.default_rng(seed)
    count = int(random.integers(40, 400))
    number = np.arange(count)
    rtp = talk(
        count, kind=kind, sequence=number + random.integers(65000, 65536),
        stamp=number * (clock // 50) + (1 << 32) - 5000, marker=random.random(count) < 0.1,
        time=START + number * SECOND // 50 + random.integers(0, 4_000_000, count),
        size=random.choice([160, 160, 160, 20, 33], count), **more,
    )  # fmt: skip
    rows = np.flatnonzero(random.random(count) > 0.03)  # lost
    rows = np.sort(np.concatenate([rows, random.choice(rows, 3)]))  # twice
    for at in random.integers(0, len(rows) - 3, 4).tolist():
        rows[[at, at + 2]] = rows[[at + 2, at]]  # out of order
    return replace(rtp.take(rows), time=np.sort(rtp.column("time")[rows]))


def oracle(rtp: Rtp, clock: int = 8000) -> list[dict[str, Any]]:
    """RFC 3550 A.1, A.3 and A.8 packet by packet."""
    streams: dict[tuple[int, ...], dict[str, Any]] = {}
    c = {n: rtp.column(n).tolist() for n in Rtp.__dataclass_fields__}
    for at, time in enumerate(c["time"]):
        key = tuple(c[n][at] for n in ("src", "sport", "dst", "dport", "ssrc"))
        sequence, stamp = c["sequence"][at] & 0xFFFF, c["stamp"][at] & 0xFFFFFFFF
        s = streams.get(key)
        if s is None:
            s = streams[key] = {
                "ssrc": key[4], "src_port": key[1], "first_seq": sequence, "packets": 0,
                "octets": 0, "disordered": 0, "markers": 0, "jitter": 0.0, "sum": 0.0,
                "highest": sequence - 1, "sequence": sequence, "stamp": stamp, "time": time,
                "number": sequence, "sizes": Counter(), "running": [], "first_frame": at + 1,
            }  # fmt: skip
        else:
            step = (stamp - s["stamp"] + (1 << 31)) % (1 << 32) - (1 << 31)
            late = abs((time - s["time"]) * clock / SECOND - step)
            s["jitter"] += (late - s["jitter"]) / 16
            s["running"].append(s["jitter"])
            s["sum"] += late
        s["number"] += (sequence - s["sequence"] + 32768) % 65536 - 32768
        s["disordered"] += s["number"] <= s["highest"]
        s["highest"] = max(s["highest"], s["number"])
        s.update(sequence=sequence, stamp=stamp, time=time, last_frame=at + 1)
        s["packets"] += 1
        s["octets"] += c["size"][at]
        s["markers"] += bool(c["marker"][at])
        s["sizes"][c["size"][at]] += 1
    for s in streams.values():
        s["extended_seq"] = s["highest"] - s["first_seq"]
        s["mean_deviation"] = s["sum"] / (s["packets"] - 1)
        s["size"] = s["sizes"].most_common(1)[0][0]
    return sorted(streams.values(), key=lambda s: (s["src_port"], s["ssrc"]))


EXACT = (
    "ssrc", "src_port", "first_seq", "packets", "octets", "disordered", "markers", "extended_seq",
    "size", "first_frame", "last_frame",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_figures_are_those_of_the_rfc_packet_by_packet(seed: int, tmp_path: Path) -> None:
    rtp = together(
        disturbed(seed), disturbed(seed + 50, ssrc=0x99), disturbed(seed + 90, sport=4002)
    )
    rows = segments(packets(rtp), tmp_path).to_dicts()
    expected = oracle(rtp)
    assert [[r[n] for n in EXACT] for r in rows] == [[e[n] for n in EXACT] for e in expected]
    for name in ("jitter", "mean_deviation"):
        assert [r[name] for r in rows] == pytest.approx([e[name] for e in expected], abs=3e-6)
    assert {r["ticks"] for r in rows} == {160}


@pytest.mark.parametrize("clock", [8000, 16000, 48000, 90000])
def test_clock_of_a_dynamic_payload_type_is_found_in_the_stream(clock: int, tmp_path: Path) -> None:
    rtp = disturbed(7, clock, kind=100)
    row = segments(packets(rtp), tmp_path).row(0, named=True)
    assert row["jitter"] == pytest.approx(oracle(rtp, clock)[0]["jitter"], abs=3e-6)
    assert row["ticks"] == clock // 50


@pytest.mark.parametrize("size", [1, 7, 19, 20, 21, 500])
def test_size_of_batches_changes_nothing(size: int, tmp_path: Path) -> None:
    gone = disturbed(3)
    back = replace(gone, time=gone.column("time") + 200 * SECOND)
    again = replace(gone, time=gone.column("time") + 330 * SECOND)
    noise = np.random.default_rng(5).integers(0, 1 << 31, 300)
    rtp = together(
        gone, back, again, disturbed(4, ssrc=5), disturbed(5, 16000, kind=97, sport=4002),
        talk(300, ssrc=noise, stamp=noise, sequence=noise, sport=7000),
        talk(12, dport=6000), talk(15, dport=6002),
    )  # fmt: skip
    found = packets(rtp)
    announced = ((THERE, 6000),)
    whole = segments(found, tmp_path / "whole", announced=announced)
    parts = segments(found, tmp_path / "parts", size, announced)
    assert_frame_equal(whole, parts, check_exact=True)
    assert len(whole) == 6
    assert whole.filter(pl.col("announced"))["packets"].to_list() == [12]


def test_one_time_far_ahead_does_not_stop_the_clean_up(tmp_path: Path) -> None:
    calls = [talk(50, ssrc=n, time=START + n * 20 * SECOND + np.arange(50)) for n in range(40)]
    ahead = talk(1, ssrc=99, time=np.array([START + 10**9 * SECOND]))
    streams, sink, book = RtpStreams(), Sink(tmp_path, "made.pcap"), AddressBook()
    for rtp in (*calls[:20], ahead, *calls[20:]):
        batch = packets(rtp)
        streams.add(batch, book)
        streams.flush(int(batch.time[-1]), sink)
        assert len(streams) <= 6
    streams.close(sink)
    assert len(spilled(tmp_path, "segments")) == 40


def test_packets_are_taken_from_the_one_on_that_ends_probation() -> None:
    found = packets(talk(60))
    for size in (1, 13, 60):
        streams = RtpStreams()
        taken = np.concatenate([streams.add(b, AddressBook()) for b in batches(found, size)])
        assert taken.tolist() == [False] * 19 + [True] * 41


def test_announced_stream_needs_no_probation_even_if_announced_late(tmp_path: Path) -> None:
    streams, sink, book = RtpStreams(), Sink(tmp_path, "made.pcap"), AddressBook()
    first, second = batches(packets(talk(10)), 5)
    assert not streams.add(first, book).any()
    streams.announce(THERE, 5000)
    assert streams.add(second, book).all()
    streams.close(sink)
    row = spilled(tmp_path, "segments").row(0, named=True)
    assert (row["packets"], row["announced"]) == (10, True)


def rfc_random(seed: int, lead: bytes = b"", size: int = 60) -> list[bytes]:
    random = np.random.default_rng(seed)
    return [lead + random.bytes(size - len(lead)) for _ in range(400)]


def counted(layout: str, *fixed: int) -> list[bytes]:
    """Datagrams with a counter where the layout has its first field."""
    return [struct.pack(layout, n & 0xFF, *fixed) + bytes(40) for n in range(400)]


FRIENDS = {
    "random octets": rfc_random(1),
    "random octets with the version of RTP": [b"\x80" + o for o in rfc_random(2)],
    "one source and random sequence": [
        b"\x80\x08" + o[:2] + b"\0\0\0\1\0\0\0\2" + o for o in rfc_random(3)
    ],
    "a counter in place of the sequence but random time": [
        struct.pack(">BBH", 128, 8, n) + o[:4] + b"\0\0\0\1" + o
        for n, o in enumerate(rfc_random(4))
    ],
    "payload types that change": [
        struct.pack(">BBHII", 128, n * 7 % 60, n, n * 160, 1) + bytes(20) for n in range(400)
    ],
    "a constant header": [struct.pack(">BBHII", 128, 8, 7, 7, 7) + bytes(20)] * 400,
    "dynamic DNS of a GoIP": [bytes.fromhex("86701413") + o for o in rfc_random(5)],
    "STUN": [b"\x01\x01\x00\x24\x21\x12\xa4\x42" + o for o in rfc_random(6)],
    "DTLS": [b"\x17\xfe\xfd" + o for o in rfc_random(7)],
    "QUIC": [b"\xc3\0\0\0\1\x08" + o for o in rfc_random(8)] + [b"\x55" + o for o in rfc_random(9)],
    "ESP in UDP": [struct.pack(">III", 0x80081234, n, 1) + o for n, o in enumerate(rfc_random(10))],
    "DNS answers": [
        struct.pack(">HHHHHH", 0x8000 + n, 0x8180, 1, 1, 0, 0) + bytes(30) for n in range(400)
    ],
    "RTCP": [struct.pack(">BBHII", 0x80, 200, n, n * 160, 1) + bytes(20) for n in range(400)],
    "T.38": [struct.pack(">HB", 0x8000 + n, 6) + bytes(30) for n in range(400)],
    "sources that overrun the packet": [
        struct.pack(">BBHII", 0x8F, 8, n, n * 160, 1) + bytes(20) for n in range(400)
    ],
    "an extension that overruns the packet": [
        struct.pack(">BBHIII", 0x90, 8, n, n * 160, 1, 0xBEDE00FF) + bytes(20) for n in range(400)
    ],
    "nothing": [b"", b"\x80", b"\x80" * 11] * 100,
}


@pytest.mark.parametrize("name", FRIENDS)
def test_false_friend_is_no_stream(name: str, tmp_path: Path) -> None:
    octets = FRIENDS[name]
    found = datagrams(talk(len(octets)), octets)
    assert segments(found, tmp_path / "any").is_empty()


@pytest.mark.parametrize("name", ["T.38", "DNS answers", "QUIC", "STUN", "DTLS", "RTCP"])
def test_what_is_no_rtp_is_refused_at_an_announced_address_too(name: str, tmp_path: Path) -> None:
    found = datagrams(talk(len(FRIENDS[name])), FRIENDS[name])
    announced = ((THERE, 5000),)
    rows = segments(found, tmp_path, announced=announced)
    assert rows.is_empty() or rows["packets"].max() == 1


@pytest.mark.parametrize("cut", [12, 16, 20, 54])
def test_stream_of_a_capture_with_cut_packets_is_measured_by_the_lengths_on_the_wire(
    cut: int, tmp_path: Path
) -> None:
    row = segments(datagrams(talk(50), payloads(talk(50)), cut), tmp_path).row(0, named=True)
    assert (row["packets"], row["octets"], row["size"]) == (50, 8000, 160)


def test_contributing_sources_and_extensions_are_no_payload(tmp_path: Path) -> None:
    octets = [
        struct.pack(">BBHII", 0x92, 8, n, n * 160, 1) + bytes(8) + b"\xbe\xde\0\2" + bytes(8 + 160)
        for n in range(30)
    ]
    row = segments(datagrams(talk(30), octets), tmp_path).row(0, named=True)
    assert (row["size"], row["octets"]) == (160, 30 * 160)


def test_telephone_events_are_told_from_media(tmp_path: Path) -> None:
    number = np.arange(100)
    event = (number > 60) & (number < 75)
    rtp = talk(
        100, kind=np.where(event, 101, 18), size=np.where(event, 4, 20),
        stamp=np.where(event, 61, number) * 160,
    )  # fmt: skip
    row = segments(packets(rtp), tmp_path).row(0, named=True)
    assert (row["payload_type"], row["event_type"], row["size"]) == (18, 101, 20)


@pytest.mark.parametrize(
    ("kind", "media", "noise_kind", "noise"),
    [(0, 160, 13, 1), (8, 160, 19, 9), (18, 20, 18, 2), (96, 32, 96, 7)],
    ids=["comfort noise", "comfort noise of old", "G.729 Annex B", "AMR silence descriptor"],
)
def test_comfort_noise_is_counted(
    kind: int, media: int, noise_kind: int, noise: int, tmp_path: Path
) -> None:
    quiet = np.arange(100) % 10 == 9
    rtp = talk(100, kind=np.where(quiet, noise_kind, kind), size=np.where(quiet, noise, media))
    row = segments(packets(rtp), tmp_path).row(0, named=True)
    assert (row["payload_type"], row["comfort"]) == (kind, 10)


def test_new_numbering_is_no_loss(tmp_path: Path) -> None:
    number = np.arange(200)
    rtp = talk(200, sequence=number + 20000 * (number >= 100), stamp=number * 160 + (number >= 100))
    row = segments(packets(rtp), tmp_path).row(0, named=True)
    assert (row["extended_seq"], row["disordered"], row["jitter"]) == (199, 0, 0.0)


def test_random_udp_leaves_memory_to_real_streams() -> None:
    random = np.random.default_rng(11)
    count = 30_000
    noise = talk(
        count, ssrc=random.integers(0, 1 << 32, count), sequence=random.integers(0, 65536, count)
    )
    streams = RtpStreams()
    streams.add(packets(noise), AddressBook())
    assert len(streams) <= 8 * (count // 500 + 1)  # 8 sources of a flow in ten seconds
    assert streams.counts["rtp|too many sources in a flow"] == count - len(streams)


def test_streams_beyond_the_limit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simbox.ingest.capture.media.rtp.MOST_STREAMS", 100)
    rtp = talk(300, sport=np.arange(300) * 2 + 1024)
    streams = RtpStreams()
    streams.add(packets(rtp), AddressBook())
    assert (len(streams), streams.counts["rtp|too many streams"]) == (100, 200)
    assert MOST_STREAMS == 1 << 17


def test_memory_holds_active_streams_only(tmp_path: Path) -> None:
    streams, sink, book = RtpStreams(), Sink(tmp_path, "made.pcap"), AddressBook()
    most = 0
    for call in range(40):
        rtp = talk(50, ssrc=call + 1, time=START + call * 20 * SECOND + np.arange(50) * 10_000_000)
        batch = packets(rtp)
        streams.add(batch, book)
        streams.flush(int(batch.time[-1]), sink)
        most = max(most, len(streams))
    streams.close(sink)
    assert most <= 5
    assert len(streams) == 0
    assert len(spilled(tmp_path, "segments")) == 40
    assert (streams._known, streams._waiting) == ({}, {})
    assert not streams._table_key.any()


@pytest.mark.parametrize("seed", range(15))
def test_hostile_packets_are_survived(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    rtp = together(
        *(disturbed(seed + n, ssrc=n, kind=int(random.choice([0, 9, 99]))) for n in range(4))
    )
    octets = [mutated(o, random) for o in payloads(rtp)]
    count = len(octets)
    odd = random.random(count) < 0.1
    extreme = random.choice([0, -1, 1 << 62, -(1 << 62), (1 << 63) - 1, -(1 << 63)], count)
    found = datagrams(replace(rtp, time=np.where(odd, extreme, rtp.time)), octets)
    length = np.where(odd, random.integers(-5, 1 << 40, count), found.length)
    captured = np.clip(length, 0, found.captured)
    found = replace(found, length=length, captured=captured)
    rows = segments(found, tmp_path, int(random.integers(1, 400)), ((THERE, 5000),))
    if not rows.is_empty():
        assert (rows["packets"] > 0).all()
        assert ((rows["jitter"] >= 0) | rows["jitter"].is_null()).all()
        assert ((rows["mean_deviation"] >= 0) | rows["mean_deviation"].is_null()).all()
        assert rows["size_share"].is_between(0, 1).all()
        join_segments(rows)


def mutated(octets: bytes, random: np.random.Generator) -> bytes:
    """Octets of which now and then one is changed or the end is missing."""
    if random.random() < 0.1:
        octets = octets[: int(random.integers(0, len(octets)))]
    if octets and random.random() < 0.2:
        at = int(random.integers(0, min(16, len(octets))))
        octets = octets[:at] + random.bytes(1) + octets[at + 1 :]
    return octets


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_packets_and_loss_are_those_of_tshark(seed: int, tmp_path: Path) -> None:
    rtp = together(*(disturbed(seed * 100 + n, sport=4000 + 2 * n, src=HERE + n) for n in range(6)))
    write_pcap(rtp, tmp_path / "made.pcap")
    rows = segments(packets(rtp), tmp_path).sort("src_port").to_dicts()
    listed = tshark_streams(tmp_path / "made.pcap")
    # it counts a cycle twice where packets are out of order at the wrap of the sequence number
    told = [(port, count, (lost + 100) % 65536 - 100) for port, count, lost, _, _ in listed]
    assert [(r["src_port"], r["packets"], missing(r)) for r in rows] == told


def missing(row: dict[str, Any]) -> int:
    return int(row["extended_seq"]) + 1 - int(row["packets"])


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_running_jitter_of_the_oracle_is_that_of_tshark(tmp_path: Path) -> None:
    late = np.random.default_rng(1).integers(0, 9_000_000, 500)
    rtp = talk(500)
    rtp = replace(rtp, time=rtp.time + late).take(np.arange(500) % 50 != 7)
    write_pcap(rtp, tmp_path / "made.pcap")
    told, expected = tshark_streams(tmp_path / "made.pcap")[0], oracle(rtp)[0]
    running = np.array(expected["running"]) / 8
    assert told[1:3] == (490, 10)
    assert told[3:] == pytest.approx((running.mean(), running.max()), abs=0.02)
    row = segments(packets(rtp), tmp_path).row(0, named=True)
    assert row["jitter"] == pytest.approx(expected["jitter"], abs=3e-6)


def tshark_streams(path: Path) -> list[tuple[int, int, int, float, float]]:
    """Source port, packets, lost packets, mean and highest jitter in ms, sorted."""
    told = subprocess.run(
        ["tshark", "-r", path, "-q", "-z", "rtp,streams", "--enable-heuristic", "rtp_udp"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    found = []
    for line in told.splitlines():
        words = line.replace("(", " (").split()
        if "0x" in line:
            at = next(n for n, w in enumerate(words) if w.startswith("0x"))
            payload = next(n for n in range(at + 1, len(words)) if words[n].isdecimal())
            lost = next(n for n in range(payload, len(words)) if words[n].startswith("("))
            figures = [float(w) for w in words[lost + 1 : lost + 7]]
            found.append(
                (int(words[3]), int(words[payload]), int(words[payload + 1]), *figures[4:6])
            )
    return sorted(found)
