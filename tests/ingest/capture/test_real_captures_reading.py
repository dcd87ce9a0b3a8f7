"""Real captures beside the project are read and decoded as tshark does."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import pytest
from capture_making import read_all

from simbox.ingest.capture.packets.columns import UDP
from simbox.ingest.capture.packets.decode import Decoder
from simbox.ingest.capture.records.file import open_capture
from simbox.ingest.sources import Source

CAPTURES = Path(__file__).resolve().parents[4] / "shared" / "data" / "captures"
# the length of its one record is beyond what capture programs write; tshark shows it nonetheless
DAMAGED = {"broken__ndpi__fuzz-2021-10-13.pcap": (0, 24)}


def indexed() -> dict[str, int]:
    if not CAPTURES.is_dir():
        return {}
    with (CAPTURES / "index.tsv").open(newline="") as index:
        return {row["file"]: int(row["packets"]) for row in csv.DictReader(index, delimiter="\t")}


INDEXED = indexed()
needs_captures = pytest.mark.skipif(not INDEXED, reason="the real captures are not here")


@needs_captures
@pytest.mark.parametrize("name", INDEXED)
def test_the_frames_are_as_many_as_tshark_counts(name: str) -> None:
    found, capture = read_all(CAPTURES / name)
    expected, position = DAMAGED.get(name, (INDEXED[name], None))
    assert (len(found), capture.frames) == (expected, expected)
    assert (capture.damage.position if capture.damage else None) == position


def decoded(file: Path, batch: int) -> list[tuple[object, ...]]:
    decoder = Decoder()
    text = decoder.addresses.text
    found: list[tuple[object, ...]] = []
    with open_capture(Source(file), batch) as capture:
        for frames in capture:
            for packets in decoder(frames):
                columns = (packets.number, packets.src, packets.sport, packets.dst, packets.dport)
                for at, (number, src, sport, dst, dport) in enumerate(
                    zip(*(c.tolist() for c in columns), strict=True)
                ):
                    if packets.protocol[at] == UDP:
                        ends = (text(src), sport, text(dst), dport)
                        found.append((number, *ends, packets.octets(at)))
    return sorted(found, key=lambda row: row[0])


@needs_captures
@pytest.mark.parametrize("name", [n for n in INDEXED if INDEXED[n] < 2000])
def test_batches_of_any_size_give_the_same_packets(name: str) -> None:
    assert decoded(CAPTURES / name, 1024) == decoded(CAPTURES / name, 4 << 20)


_FIELDS = ("frame.number", "frame.protocols", "ip.src", "ipv6.src", "udp.srcport",
           "ip.dst", "ipv6.dst", "udp.dstport")  # fmt: skip
_UPPER = {"ip", "ipv6", "tcp", "udp", "sctp"}


def dissected(file: Path) -> dict[int, tuple[set[str], int, set[str], int]]:
    """Frame by frame the innermost UDP packet that tshark finds, errors that quote one apart."""
    fields = [word for name in _FIELDS for word in ("-e", name)]
    command = ["tshark", "-n", "-r", str(file), "-Y", "udp and not icmp and not icmpv6"]
    command += ["-T", "fields", "-E", "occurrence=l", *fields]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = {}
    for line in shown.splitlines():
        number, protocols, src4, src6, sport, dst4, dst6, dport = line.split("\t")
        if [name for name in protocols.split(":") if name in _UPPER][-1] == "udp":
            ends = ({src4, src6}, int(sport or 0), {dst4, dst6}, int(dport or 0))
            found[int(number)] = ends
    return found


@needs_captures
@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
@pytest.mark.parametrize(
    "name",
    [
        n
        for n in INDEXED
        if n.split("__")[0]
        in {"core-lte", "gtp", "encap", "sip-robust", "broken", "tunnel", "ott-call", "broadband"}
    ],
)
def test_the_innermost_udp_packets_are_those_of_tshark(name: str) -> None:
    expected = dissected(CAPTURES / name)
    found = {row[0]: row[1:5] for row in decoded(CAPTURES / name, 4 << 20)}
    assert found.keys() == expected.keys()
    for number, (src, sport, dst, dport) in found.items():
        sources, from_port, targets, to_port = expected[number]
        assert src in sources, number
        assert dst in targets, number
        assert (sport, dport) == (from_port, to_port), number
