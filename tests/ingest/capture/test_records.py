"""Capture files are read record by record, up to the last whole one."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import random
import struct
from pathlib import Path

import numpy as np
import pytest
import zstandard
from capture_making import T0, ethernet, ipv4, naive, pcap, read_all, udp
from hypothesis import given, settings
from hypothesis import strategies as st

from simbox.errors import InputError
from simbox.ingest.capture.packets.columns import PAD
from simbox.ingest.capture.records.file import is_capture, open_capture
from simbox.ingest.capture.records.pcap import Pcap
from simbox.ingest.capture.records.walk import LONGEST_RECORD, Damage
from simbox.ingest.sources import Source

SEEDED = random.Random(7)
FRAMES = [ethernet(ipv4(udp(SEEDED.randbytes(n)))) for n in (12, 0, 172, 172, 900, 33)]
MANY = [ethernet(ipv4(udp(SEEDED.randbytes(SEEDED.choice([172, 172, 172, 20, 600])))))
        for _ in range(3000)]  # fmt: skip


def written(folder: Path, content: bytes, name: str = "a.pcap") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34])
def test_every_kind_of_pcap_gives_the_same_frames(tmp_path: Path, order: str, magic: int) -> None:
    found, capture = read_all(written(tmp_path, pcap(FRAMES, order=order, magic=magic, cut=4)))
    assert [r.octets for r in found] == FRAMES
    assert [r.time for r in found] == [T0 + n * 1_000_123_000 for n in range(len(FRAMES))]
    assert [r.wire for r in found] == [len(f) + 4 for f in FRAMES]
    assert [r.number for r in found] == list(range(1, len(FRAMES) + 1))
    assert (capture.damage, capture.frames, capture.format) == (None, len(FRAMES), "pcap")


PACKED = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor().compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("kind", PACKED)
def test_a_packed_capture_is_read_as_the_plain_one(tmp_path: Path, kind: str) -> None:
    content = pcap(MANY)
    found, capture = read_all(written(tmp_path, PACKED[kind](content)))
    assert found == naive(content)
    assert capture.damage is None


@pytest.mark.parametrize("kind", ["gz", "zst", "xz"])
def test_a_cut_packed_capture_is_read_as_far_as_it_unpacks(tmp_path: Path, kind: str) -> None:
    content = pcap(MANY)
    packed = PACKED[kind](content)
    found, capture = read_all(written(tmp_path, packed[: len(packed) * 3 // 4]))
    assert found == naive(content)[: len(found)]
    assert len(found) > len(MANY) // 3
    assert capture.damage is not None
    assert capture.damage.position == 24 + sum(16 + len(r.octets) for r in found)
    assert "truncated or damaged" in capture.damage.reason


def test_a_cut_at_any_octet_leaves_the_whole_records(tmp_path: Path) -> None:
    content = pcap(FRAMES)
    ends = [24]
    for frame in FRAMES:
        ends.append(ends[-1] + 16 + len(frame))
    for size in range(4, len(content)):
        found, capture = read_all(written(tmp_path, content[:size]))
        whole = [end for end in ends if end <= size]
        assert len(found) == max(0, len(whole) - 1)
        if size in ends:
            assert capture.damage is None
        else:
            assert capture.damage is not None
            assert capture.damage.position == (whole[-1] if whole else 0)


@pytest.mark.parametrize("order", ["<", ">"])
def test_most_records_are_found_without_a_walk(order: str) -> None:
    content = pcap(MANY, order=order)
    data = np.frombuffer(content[24:] + bytes(PAD), np.uint8)
    starts, after = Pcap(content[:24])._abreast(data, len(content) - 24)
    assert (len(starts), after) == (len(MANY), len(content) - 24)


@pytest.mark.parametrize("batch", [64, 1024, 70_000, 4 << 20])
def test_the_size_of_batches_changes_nothing(tmp_path: Path, batch: int) -> None:
    content = pcap(MANY)
    found, capture = read_all(written(tmp_path, content), batch)
    assert found == naive(content)
    assert capture.position == len(content)


def test_a_capture_within_the_packets_does_not_lead_astray(tmp_path: Path) -> None:
    inner = pcap(MANY[:20])
    frames = [*MANY[:500], *([ethernet(inner[24:])] * 20), *MANY[500:]]
    content = pcap(frames)
    found, _ = read_all(written(tmp_path, content))
    assert found == naive(content)


def test_times_that_jump_do_not_lead_astray(tmp_path: Path) -> None:
    content = bytearray(pcap(MANY))
    at = 24
    for turn, frame in enumerate(MANY):
        if turn % 700 == 350:
            content[at : at + 8] = struct.pack("<II", turn * 10**6, 4_000_000_000)
        at += 16 + len(frame)
    found, capture = read_all(written(tmp_path, bytes(content)))
    assert found == naive(bytes(content))
    assert (len(found), capture.damage) == (len(MANY), None)


@pytest.mark.parametrize("size", [0xFFFF_FFF0, 0xFFFF_FFFF, LONGEST_RECORD + 1])
def test_an_absurd_length_ends_the_records_of_a_long_stretch(tmp_path: Path, size: int) -> None:
    content = bytearray(pcap(MANY))
    at = 24 + sum(16 + len(frame) for frame in MANY[:1200])
    content[at + 8 : at + 12] = struct.pack("<I", size)
    found, capture = read_all(written(tmp_path, bytes(content)))
    assert len(found) == 1200
    assert capture.damage == Damage(at, f"a record of {size} octets")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(24, 60_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_flipped_octets_give_what_a_naive_reader_finds(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]
) -> None:
    content = bytearray(pcap(MANY[:400]))
    for at, value in flips:
        content[max(at % len(content), 24)] = value
    file = written(tmp_path_factory.mktemp("flipped"), bytes(content))
    found, capture = read_all(file)
    assert found == naive(bytes(content))
    whole = 24 + sum(16 + len(r.octets) for r in found)
    assert (capture.damage is None) == (whole == len(content))
    assert capture.damage is None or capture.damage.position == whole


def test_an_absurd_length_is_damage(tmp_path: Path) -> None:
    content = pcap(FRAMES[:2]) + struct.pack("<IIII", 1, 1, 300_000, 300_000) + bytes(300_000)
    found, capture = read_all(written(tmp_path, content))
    assert len(found) == 2
    position = len(pcap(FRAMES[:2]))
    assert str(capture.damage) == f"damaged at byte {position}: a record of 300000 octets"


@pytest.mark.parametrize("digest", [True, False])
@pytest.mark.parametrize("tail", [b"", b"\xff" * 100])
def test_the_digest_is_that_of_the_file_as_it_lies(
    tmp_path: Path, digest: bool, tail: bytes
) -> None:
    content = pcap(MANY) + tail
    with open_capture(Source(written(tmp_path, content)), digest=digest) as capture:
        for _ in capture:
            pass
        assert capture.sha256() == hashlib.sha256(content).hexdigest()
        assert capture.tell() == len(content)


@pytest.mark.parametrize("content", [b"", b"\xd4\xc3", b"calling;called\n1;2\n", bytes(100)])
def test_what_is_no_capture_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="not a packet capture") as refusal:
        open_capture(Source(written(tmp_path, content)))
    assert "\n" not in str(refusal.value)


def test_captures_are_told_by_their_first_octets() -> None:
    assert is_capture(pcap([]))
    assert not is_capture(b"\x0a\x0d\x0d\x0a" + bytes(20))
    assert not is_capture(b"a,b,c")
