"""Capture files: pcap and pcapng, plain or compressed, records in the order of time."""

from __future__ import annotations

import struct
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt
import zstandard

from lab.scene import SECOND, Frame, Scene
from lab.voice import Block, Octets

LEVEL = 12  # of zstd: samples travel with the project
SNAP = 262_144
NG_OPTIONS = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)  # if_tsresol: nanoseconds


def save(scene: Scene, path: Path, *, level: int = LEVEL) -> int:
    """Write the scene; the name says the format (.pcap, .pcapng, and .zst). Returns the frames."""
    ng = ".pcapng" in path.suffixes
    with path.open("wb") as raw, _packing(raw, path, level) as out:
        out.write(_head(ng=ng, link_type=scene.link.link_type))
        frames = 0
        for singles, blocks in scene.chunks():
            records, count = joined(singles, blocks, ng=ng)
            out.write(records)
            frames += count
    return frames


def _packing(raw: BinaryIO, path: Path, level: int) -> AbstractContextManager[BinaryIO]:
    if path.suffix != ".zst":
        return nullcontext(raw)
    packing = zstandard.ZstdCompressor(level=level).stream_writer(raw, closefd=False)
    return cast("AbstractContextManager[BinaryIO]", packing)


def _head(*, ng: bool, link_type: int) -> bytes:
    if not ng:
        return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP, link_type)
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    size = 20 + len(NG_OPTIONS)
    interface = struct.pack("<IIHHI", 1, size, link_type, 0, SNAP)
    return section + interface + NG_OPTIONS + struct.pack("<I", size)


def joined(singles: list[Frame], blocks: list[Block], *, ng: bool) -> tuple[bytes, int]:
    """Records in the order of time, and how many."""
    bulk = [(block.time, _records(block, ng=ng)) for block in blocks if len(block.time)]
    alone = [_record(frame, ng=ng) for frame in singles]
    time = np.concatenate(
        [np.array([frame[0] for frame in singles], np.int64), *(t for t, _ in bulk)]
    )
    lengths = [np.array([len(record) for record in alone], np.int64)]
    lengths += [np.full(len(t), rows.shape[1], np.int64) for t, rows in bulk]
    length = np.concatenate(lengths)
    order = np.argsort(time, kind="stable")
    place = np.empty_like(length)
    place[order] = np.cumsum(length[order]) - length[order]
    out = np.empty(int(length.sum()), dtype=np.uint8)
    view = memoryview(out)
    for record, begin in zip(alone, place.tolist(), strict=False):
        view[begin : begin + len(record)] = record
    done = len(alone)
    for times, rows in bulk:
        windows = np.lib.stride_tricks.sliding_window_view(out, rows.shape[1], writeable=True)
        windows[place[done : done + len(times)]] = rows
        done += len(times)
    return out.tobytes(), done


def _record(single: Frame, *, ng: bool) -> bytes:
    at, frame, wire = single
    size = len(frame)
    if not ng:
        return struct.pack("<IIII", at // SECOND, at % SECOND // 1000, size, wire) + frame
    padding = -size % 4
    total = 32 + size + padding
    head = struct.pack("<IIIIIII", 6, total, 0, at >> 32, at & 0xFFFFFFFF, size, wire)
    return head + frame + bytes(padding) + struct.pack("<I", total)


def _records(block: Block, *, ng: bool) -> Octets:
    count, size = block.rows.shape
    if not ng:
        stamps = (block.time // SECOND, block.time % SECOND // 1000)
        return np.hstack([_words([*stamps, size, block.wire], count), block.rows])
    padding = -size % 4
    total = 32 + size + padding
    stamps = (block.time >> 32, block.time & 0xFFFFFFFF)
    head = _words([6, total, 0, *stamps, size, block.wire], count)
    tail = np.zeros((count, padding), np.uint8)
    return np.hstack([head, block.rows, tail, _words([total], count)])


def _words(columns: list[npt.NDArray[np.int64] | int], count: int) -> Octets:
    table = np.stack([np.broadcast_to(c, count) for c in columns], axis=1).astype("<u4")
    return table.view(np.uint8).reshape(count, -1)
