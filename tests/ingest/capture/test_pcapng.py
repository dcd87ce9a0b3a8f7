"""pcapng captures: sections, interfaces, every kind of packet block, and damage."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from capture_making import T0, block, enhanced, ethernet, interface, ipv4, read_all, section, udp
from hypothesis import given, settings
from hypothesis import strategies as st

FRAME = ethernet(ipv4(udp(b"0123456789")))
MICRO = T0 // 1000


def written(folder: Path, content: bytes) -> Path:
    file = folder / "a.pcapng"
    file.write_bytes(content)
    return file


def old(order: str, frame: bytes, at: int = 0) -> bytes:
    """An obsolete packet block."""
    head = struct.pack(
        order + "HHIIII", at, 0, MICRO >> 32, MICRO & 0xFFFFFFFF, len(frame), len(frame)
    )
    return block(2, head + frame, order)


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_kind_of_packet_block_is_read(tmp_path: Path, order: str) -> None:
    content = (
        section(order) + interface(order) + interface(order, link=113)
        + enhanced(MICRO, FRAME, order) + block(0x0BAD, b"unknown", order)
        + old(order, FRAME[:-1], 1)
        + block(3, struct.pack(order + "I", len(FRAME) + 9) + FRAME, order)
        + block(5, bytes(12), order) + enhanced(MICRO + 1, b"", order, at=1)
    )  # fmt: skip
    found, capture = read_all(written(tmp_path, content))
    assert capture.damage is None
    # a simple packet block tells its octets only with the padding that it may have
    assert [r.octets[: len(FRAME)] for r in found] == [FRAME, FRAME[:-1], FRAME, b""]
    assert [r.link for r in found] == [1, 113, 1, 113]
    assert [r.time for r in found] == [T0, T0, 0, T0 + 1000]
    assert [r.number for r in found] == [1, 2, 3, 4]


def test_a_simple_packet_block_is_cut_at_the_snapshot_length(tmp_path: Path) -> None:
    simple = block(3, struct.pack("<I", 1400) + FRAME[:20])
    found, _ = read_all(written(tmp_path, section() + interface(snaplen=18) + simple))
    assert [(r.octets, r.wire) for r in found] == [(FRAME[:18], 1400)]


@pytest.mark.parametrize(
    ("resolution", "ticks", "time"),
    [
        (0, 1_700_000_000, T0),
        (3, 1_700_000_000_123, T0 + 123_000_000),
        (9, T0 + 7, T0 + 7),
        (12, (1_700_000 * 10**12) + 5_999, 1_700_000 * 10**9 + 5),
        (0x80 | 10, 1_700_000_000 << 10 | 512, T0 + 500_000_000),
        (0x80 | 32, 1_700_000_000 << 32 | 1 << 31, T0 + 500_000_000),
        (0x80 | 33, 1_700_000_000 << 33 | 3 << 31, T0 + 750_000_000),
        (0x80 | 60, 9 << 60 | 1 << 59, 9_500_000_000),
        (127, 1 << 63, 0),
        (255, 1 << 63, 0),
    ],
)
def test_times_have_the_resolution_of_their_interface(
    tmp_path: Path, resolution: int, ticks: int, time: int
) -> None:
    described = interface(options=[(2, b"eth0"), (9, bytes([resolution])), (0, b"")])
    found, _ = read_all(written(tmp_path, section() + described + enhanced(ticks, FRAME)))
    assert [r.time for r in found] == [time]


@pytest.mark.parametrize("offset", [1_600_000_000, -5])
def test_times_have_the_offset_of_their_interface(tmp_path: Path, offset: int) -> None:
    described = interface(options=[(14, struct.pack("<q", offset))])
    found, _ = read_all(written(tmp_path, section() + described + enhanced(10_000_000, FRAME)))
    assert [r.time for r in found] == [(offset + 10) * 10**9]


def test_a_section_has_its_own_interfaces_and_byte_order(tmp_path: Path) -> None:
    content = section("<") + interface("<") + enhanced(MICRO, FRAME)
    content += section(">") + interface(">", link=101) + enhanced(MICRO, FRAME[14:], ">")
    content += section("<") + enhanced(MICRO, FRAME)
    found, capture = read_all(written(tmp_path, content))
    assert [(r.number, r.link) for r in found] == [(1, 1), (2, 101)]
    assert capture.damage is not None  # the last section describes no interface
    assert capture.damage.position == len(content) - len(enhanced(MICRO, FRAME))


def capture_of_blocks() -> list[bytes]:
    return [
        section(), interface(), enhanced(MICRO, FRAME), block(99, b"skipped"),
        enhanced(MICRO, FRAME, wire=1000), section(">"), interface(">", link=101),
        enhanced(MICRO, FRAME[14:], ">"), old(">", FRAME[14:]),
    ]  # fmt: skip


def test_a_cut_at_any_octet_leaves_the_whole_blocks(tmp_path: Path) -> None:
    blocks = capture_of_blocks()
    content = b"".join(blocks)
    ends = [sum(map(len, blocks[:n])) for n in range(len(blocks) + 1)]
    packets = [2, 4, 7, 8]
    for size in range(4, len(content)):
        found, capture = read_all(written(tmp_path, content[:size]))
        whole = sum(end <= size for end in ends) - 1
        assert len(found) == sum(at < whole for at in packets)
        if size in ends:
            assert capture.damage is None
        else:
            assert capture.damage is not None
            assert capture.damage.position == ends[whole]


@pytest.mark.parametrize("batch", [32, 100, 1000, 4 << 20])
def test_the_size_of_batches_changes_nothing(tmp_path: Path, batch: int) -> None:
    file = written(tmp_path, b"".join(capture_of_blocks()) * 30)
    found, capture = read_all(file, batch)
    expected, _ = read_all(file, 1 << 24)
    assert found == expected
    assert (len(found), capture.damage) == (120, None)


@pytest.mark.parametrize(
    "bad",
    [
        block(6, bytes(20))[:-4] + b"\x21\0\0\0",  # the lengths differ
        struct.pack("<II", 6, 8) + bytes(40),
        struct.pack("<II", 6, 1 << 30) + bytes(40),
        struct.pack("<II", 4, 33) + bytes(40),
        enhanced(MICRO, FRAME, at=5),
        b"\x0a\x0d\x0d\x0a" + struct.pack("<I", 28) + b"nonsense" + bytes(24),
    ],
)
def test_a_block_that_cannot_be_one_is_damage(tmp_path: Path, bad: bytes) -> None:
    good = section() + interface() + enhanced(MICRO, FRAME)
    found, capture = read_all(written(tmp_path, good + bad + enhanced(MICRO, FRAME)))
    assert [r.number for r in found] == [1]
    assert capture.damage is not None
    assert capture.damage.position == len(good)


def test_endless_interfaces_are_damage(tmp_path: Path) -> None:
    found, capture = read_all(written(tmp_path, section() + interface() * 2000))
    assert found == []
    assert str(capture.damage) == "damaged at byte 20508: more than 1024 interfaces"


@pytest.mark.parametrize("order", ["<", ">"])
def test_many_blocks_are_read_alike_by_search_and_by_walk(tmp_path: Path, order: str) -> None:
    seeded = random.Random(5)
    frames = [seeded.randbytes(seeded.randrange(300)) + bytes(40) for _ in range(2000)]
    frames[1000] = enhanced(MICRO, FRAME, order)  # a block within a block
    blocks = [enhanced(MICRO + n, frame, order) for n, frame in enumerate(frames)]
    blocks[1500] += block(5, bytes(8), order)
    file = written(tmp_path, section(order) + interface(order) + b"".join(blocks))
    found, capture = read_all(file, 100_000)
    assert [r.octets for r in found] == frames
    assert [r.time for r in found] == [(MICRO + n) * 1000 for n in range(2000)]
    assert capture.damage is None
    searched, _ = read_all(file, 1000)
    assert found == searched


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(12, 10**6), st.integers(0, 255)), min_size=1, max_size=5))
def test_flipped_octets_never_raise_and_batches_still_agree(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]
) -> None:
    content = bytearray(b"".join(capture_of_blocks()) * 3)
    for at, value in flips:
        content[12 + at % (len(content) - 12)] = value
    file = written(tmp_path_factory.mktemp("flipped"), bytes(content))
    whole, capture = read_all(file)
    parts, again = read_all(file, 64)
    assert (whole, capture.damage) == (parts, again.damage)
    assert len(whole) <= 12
