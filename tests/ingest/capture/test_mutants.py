"""Damaged captures are read as far as they make sense: no crash, no hang, no memory without end."""

from __future__ import annotations

import random
import resource
import time
from pathlib import Path

import pytest
import zstandard

from simbox.errors import InputError
from simbox.ingest.capture.records.file import is_capture
from simbox.ingest.capture.run import CaptureOptions, ingest_captures
from simbox.ingest.sources import Source
from simbox.store import Store

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT.parent / "shared" / "data" / "captures"
LARGEST = 150_000  # octets of a capture that is worth damaging: small ones are varied more often
MOST_SECONDS = 20  # of processor time for one mutant; whole ones take less than one
MOST_GROWTH = 400 << 10  # KiB


def capture(file: Path) -> bytes:
    content = file.read_bytes()
    if file.suffix == ".zst":
        content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
    return content


def originals() -> dict[str, bytes]:
    files = [*ROOT.glob("captures/network/*.pcap*"), *REAL.glob("*.pcap*"), *REAL.glob("*.cap")]
    found = {file.name: capture(file)[:LARGEST] for file in sorted(files)}
    return {name: content for name, content in found.items() if len(content) > 40}


def mutant(content: bytes, chance: random.Random) -> bytes:
    """A capture with octets flipped, overwritten, cut out, repeated, or cut off."""
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5, 20, 200])):
        at = chance.randrange(len(data))
        kind = chance.randrange(6)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
        elif kind == 2:
            data[at : at + 4] = chance.choice([bytes(4), b"\xff" * 4, b"\x7f" + b"\xff" * 3])
        elif kind == 3 and len(data) > 200:
            del data[at : at + chance.randrange(1, 60)]
        elif kind == 4:
            data[at:at] = data[at : at + chance.randrange(1, 400)]
        elif chance.random() < 0.3 and at > 40:
            del data[at:]
    return bytes(data)


def read(content: bytes, folder: Path) -> None:
    file = folder / "mutant.pcap"
    file.write_bytes(content)
    store = Store.create(folder / "store", 1)
    try:
        with store.writer() as writer:
            ingest_captures([Source(file)], writer, CaptureOptions(0, 1 << 32))
    except InputError:
        assert not is_capture(content)
    finally:
        store.remove()


def survive(folder: Path, count: int, seed: int) -> None:
    chance = random.Random(seed)
    known = originals()
    names = sorted(known)
    read(known[names[0]], folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        name = chance.choice(names)
        content = mutant(known[name], chance)
        start = time.process_time()
        try:
            read(content, folder)
        except Exception as error:
            (folder / "failed.pcap").write_bytes(content)
            raise AssertionError(f"mutant {number} of {name} with seed {seed}") from error
        assert time.process_time() - start < MOST_SECONDS, f"mutant {number} of {name}"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MOST_GROWTH


def test_a_few_mutants_are_survived(tmp_path: Path) -> None:
    survive(tmp_path, 60, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_ten_thousand_mutants_are_survived(tmp_path: Path, seed: int) -> None:
    survive(tmp_path, 1_000, 100 + seed)
