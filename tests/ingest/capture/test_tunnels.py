from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from simbox.ingest.capture.packets.columns import ESP, PAD, TCP, UDP, Frames, Packets
from simbox.ingest.capture.packets.decode import Decoder
from simbox.ingest.capture.records.file import open_capture
from simbox.ingest.capture.sink import Sink
from simbox.ingest.capture.tunnels import windows as windows_of
from simbox.ingest.capture.tunnels.voice import FlowWindows, outer_size, voice_tunnels
from simbox.ingest.sources import Source
from simbox.tables import TUNNELS, UTC, WINDOWS

SECOND = 1_000_000_000
START = 1_772_442_000 * SECOND  # a full window
HOST, PEER = 0xC000020A, 0xC6336407
WIREGUARD_DATA = b"\x04\x00\x00\x00"


class Book:
    """Addresses by name."""

    def text(self, key: int) -> str:
        return {HOST: "192.0.2.10", PEER: "198.51.100.7"}.get(key, f"203.0.113.{key % 256}")


def packets(rows: list[tuple[float, int, int, int]], lead: bytes, protocol: int = UDP) -> Packets:
    """Packets from (second, source, target, size), every payload beginning alike."""
    rows = sorted(rows)
    count, step = len(rows), 8
    data = np.zeros(count * step + PAD, np.uint8)
    for at in range(count):
        data[at * step : at * step + len(lead)] = list(lead)
    second, src, dst, size = (np.array(column) for column in zip(*rows, strict=True))
    none = np.zeros(count, np.int64)
    frames = Frames(
        data, np.arange(count) * step, none + step, size + 42,
        START + (second * SECOND).astype(np.int64), np.arange(count) + 1, none.astype(np.uint16),
    )  # fmt: skip
    port = np.full(count, 0 if protocol == ESP else 51820, np.uint16)
    return Packets(
        frames, np.arange(count), src.astype(np.uint64), dst.astype(np.uint64),
        np.full(count, protocol, np.uint8), port, port, frames.start, size, none + step, size + 28,
        none.astype(np.uint8), none.astype(np.uint32), none.astype(np.uint8), none.astype(np.uint8),
    )  # fmt: skip


def speech(
    first: float, last: float, size: int = 240, rate: float = 50.0
) -> list[tuple[float, int, int, int]]:
    """One call: packets of a size at a rate, both ways."""
    moments = np.arange(first, last, 1 / rate).tolist()
    return [row for t in moments for row in ((t, HOST, PEER, size), (t + 0.003, PEER, HOST, size))]


@pytest.fixture
def counted(tmp_path: Path) -> Callable[..., pl.DataFrame]:
    """The windows of some packets, handed over in batches."""

    def count(given: Packets, batch: int = 10_000) -> pl.DataFrame:
        flows, sink = FlowWindows(Book()), Sink(tmp_path / "spill", "a.pcap")
        for at in range(0, len(given), batch):
            flows.add(given.take(np.arange(at, min(at + batch, len(given)))), sink)
        flows.close(sink)
        parts = sorted((tmp_path / "spill").glob("windows-*.arrow"))
        return pl.concat(pl.read_ipc(p) for p in parts) if parts else WINDOWS.empty()

    return count


def read(path: Path, folder: Path) -> pl.DataFrame:
    """The windows of a capture file, as if no reader claimed a packet."""
    decoder, sink = Decoder(), Sink(folder, path.name)
    flows = FlowWindows(decoder.addresses)
    with open_capture(Source(path)) as capture:
        for frames in capture:
            for batch in decoder(frames):
                flows.add(batch, sink)
    flows.close(sink)
    parts = sorted(folder.glob("windows-*.arrow"))
    return pl.concat(pl.read_ipc(p) for p in parts) if parts else WINDOWS.empty()


@pytest.mark.parametrize(
    ("kind", "codec", "size"),
    [
        ("wireguard", 200, 240), ("wireguard", 280, 320), ("wireguard", 60, 96),
        ("wireguard", 70, 112), ("wireguard", 64, 96), ("wireguard", 73, 112),
        ("openvpn", 200, 224), ("openvpn", 60, 84), ("openvpn", 73, 97),
        ("esp", 200, 244), ("ipip", 200, 200),
    ],
)  # fmt: skip
def test_size_in_a_tunnel_is_that_of_the_arithmetic(kind: str, codec: int, size: int) -> None:
    assert outer_size(codec, kind) == (size,)


@pytest.mark.parametrize("batch", [1, 97, 10_000])
def test_windows_are_the_same_however_packets_come(
    batch: int, counted: Callable[..., pl.DataFrame]
) -> None:
    rows = [*speech(0, 15), *speech(3, 15, size=96)]
    order = ["src", "window", "size"]
    found = counted(packets(rows, WIREGUARD_DATA), batch).sort(order)
    up = found.filter(src="192.0.2.10").select("size", "packets", "kind", "span_ms", "peak")
    assert up.rows() == [
        (96, 350, "wireguard", 6980, 50), (240, 500, "wireguard", 9980, 50),
        (96, 250, "wireguard", 4980, 50), (240, 250, "wireguard", 4980, 50),
    ]  # fmt: skip
    assert found["packets"].sum() == len(rows)


def test_sizes_beyond_the_most_frequent_stand_in_one_row(
    counted: Callable[..., pl.DataFrame],
) -> None:
    rows = [*speech(0, 10), *((0.5 + n / 10, HOST, PEER, 100 + n) for n in range(30))]
    found = counted(packets(rows, WIREGUARD_DATA)).filter(src="192.0.2.10").sort("size")
    assert found["size"].to_list() == [0, 100, 101, 102, 240]
    assert found["packets"].to_list() == [27, 1, 1, 1, 500]


def test_download_is_one_row_a_window(counted: Callable[..., pl.DataFrame]) -> None:
    rows = [(n / 200, PEER, HOST, 1350) for n in range(2000)]
    rows += [(n / 100, HOST, PEER, 30 + n % 50) for n in range(1000)]
    found = counted(packets(rows, b"\x41\x07\x03\x02")).sort("src")
    assert found.select("size", "packets", "kind").rows() == [(0, 1000, None), (0, 2000, None)]


def test_quiet_flows_and_other_transports_leave_no_row(
    counted: Callable[..., pl.DataFrame],
) -> None:
    assert counted(packets(speech(0, 1.5), WIREGUARD_DATA)).is_empty()
    assert counted(packets(speech(0, 10), WIREGUARD_DATA, TCP)).is_empty()


@pytest.mark.parametrize(
    ("lead", "protocol", "kind"),
    [
        (b"\x04\x00\x00\x00", UDP, "wireguard"), (b"\x04\x00\x01\x00", UDP, None),
        (b"\x48\x00\x00\x01", UDP, "openvpn"), (b"\x30\x12\x13\x14", UDP, "openvpn"),
        (b"\x11\x12\x13\x14", ESP, "esp"), (b"\x80\x08\x13\x14", UDP, None),
    ],
)  # fmt: skip
def test_kind_is_told_by_the_first_octets(
    lead: bytes, protocol: int, kind: str | None, counted: Callable[..., pl.DataFrame]
) -> None:
    assert set(counted(packets(speech(0, 10), lead, protocol))["kind"]) == {kind}


def test_flood_of_flows_is_bounded_and_what_is_given_up_is_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(windows_of, "MOST_ROWS", 500)
    monkeypatch.setattr(windows_of, "COMPACT_ROWS", 500)
    rows = speech(0, 9)
    rows += [(n / 2000, 0xCB007100 + n, PEER, 77) for n in range(18_000)]
    given, sink = packets(rows, WIREGUARD_DATA), Sink(tmp_path, "a.pcap")
    flows = FlowWindows(Book())
    for at in range(0, len(given), 400):
        flows.add(given.take(np.arange(at, min(at + 400, len(given)))), sink)
        assert flows._rows <= 2 * 500 + 500 + 400
    flows.close(sink)
    assert flows.counts["opaque packet|too many flows"] > 10_000
    found = pl.read_ipc(tmp_path / "windows-00000.arrow").filter(pl.col("size") == 240)
    assert found["packets"].to_list() == [450, 450]


@pytest.mark.parametrize("wild", [0, 2**62])
def test_one_frame_of_a_wrong_clock_does_not_end_a_window(wild: int, tmp_path: Path) -> None:
    given, sink, flows = packets(speech(0, 20), WIREGUARD_DATA), Sink(tmp_path, "a.pcap"), None
    given.frames.time[700] = wild
    flows = FlowWindows(Book())
    for at in range(0, len(given), 50):
        flows.add(given.take(np.arange(at, at + 50)), sink)
    flows.close(sink)
    found = pl.concat(pl.read_ipc(p) for p in sorted(tmp_path.glob("windows-*.arrow")))
    assert sorted(found["packets"].to_list()) == [499, 500, 500, 500]


def tunnels(rows: list[tuple[float, int, int, int]], lead: bytes, count: Any) -> pl.DataFrame:
    return voice_tunnels(count(packets(rows, lead)))


@pytest.mark.parametrize("calls", [1, 4, 8, 32])
@pytest.mark.parametrize(
    ("lead", "size", "rate", "codec"),
    [
        (WIREGUARD_DATA, 240, 50.0, "G.711 20 ms"),
        (WIREGUARD_DATA, 320, 100 / 3, "G.711 30 ms"),
        (b"\x48\x00\x00\x01", 84, 50.0, "G.729 20 ms"),
    ],
)
def test_calls_in_a_tunnel_are_counted(
    calls: int, lead: bytes, size: int, rate: float, codec: str, counted: Any
) -> None:
    rows = [row for n in range(calls) for row in speech(n / 999, 40, size, rate)]
    found = tunnels(rows, lead, counted).row(0, named=True)
    assert (found["calls_max"], found["codec"], found["windows"]) == (calls, codec, 4)
    assert found["calls"] == [calls] * 4
    assert (found["host"], found["peer"]) == ("192.0.2.10", "198.51.100.7")
    assert found["share"] == 1.0
    assert found["first_frame"] == 1


def test_calls_that_come_and_go_show_over_time(counted: Any) -> None:
    rows = [*speech(0, 60), *speech(10, 40), *speech(20, 40), *speech(80, 100)]
    found = tunnels(rows, WIREGUARD_DATA, counted).row(0, named=True)
    assert found["calls"] == [1, 2, 3, 3, 1, 1, 0, 0, 1, 1]
    assert found["calls_max"] == 3
    assert (found["end"] - found["start"]).total_seconds() == 100


def test_silence_that_is_not_sent_is_seen_by_two_sizes(counted: Any) -> None:
    rows = []
    for turn in range(12):
        talker, listener = (HOST, PEER) if turn % 2 else (PEER, HOST)
        moments = np.arange(turn * 5, turn * 5 + 5, 0.02)
        rows += [(float(t), talker, listener, 97) for t in moments]
        rows += [(float(t), listener, talker, 72) for t in moments[::8]]
    found = tunnels(rows, b"\x48\x00\x00\x01", counted).row(0, named=True)
    assert found["codec"] in {"GSM or AMR 20 ms", "G.729 20 ms", "G.729 30 ms"}
    assert found["calls_max"] == 1


@pytest.mark.parametrize(
    "rows",
    [
        [row for n in range(4) for row in speech(0, 60) if row[1] == HOST],  # one way only
        speech(0, 60, size=1400),
        speech(0, 60, rate=64.0),  # a game's clock
        [(t, a, b, 60 + round(t * 1000) * 7 % 300) for t, a, b, _ in speech(0, 60)],
        [*speech(0, 60), *((t, a, b, 900) for t, a, b, _ in speech(0, 60, rate=20))],  # and data
    ],
    ids=["one way", "large", "game", "mixed sizes", "voice and data"],
)
def test_other_traffic_in_a_tunnel_is_no_voice(
    rows: list[tuple[float, int, int, int]], counted: Any
) -> None:
    assert tunnels(rows, WIREGUARD_DATA, counted).is_empty()


def test_flow_of_unknown_kind_needs_several_calls_for_a_minute(counted: Any) -> None:
    lead = b"\xa7\x31\x00\x99"
    twice = [*speech(0, 70), *speech(0.005, 70)]
    assert tunnels(twice, lead, counted)["calls_max"].to_list() == [2]


@pytest.mark.parametrize("rows", [speech(0, 70), [*speech(0, 30), *speech(0.005, 30)]])
def test_short_or_single_calls_of_unknown_kind_are_left_alone(
    rows: list[tuple[float, int, int, int]], counted: Any
) -> None:
    assert tunnels(rows, b"\xa7\x31\x00\x99", counted).is_empty()


@pytest.mark.parametrize("side", ["192.0.2.10", "198.51.100.7"])
def test_host_of_a_tunnel_is_its_end_on_the_access_side(side: str, counted: Any) -> None:
    found = counted(packets(speech(0, 30), WIREGUARD_DATA))
    sides = pl.DataFrame({"host": [side], "side": ["access"]})
    assert voice_tunnels(found, sides)["host"].to_list() == [side]


def test_no_windows_are_no_tunnels() -> None:
    assert voice_tunnels(WINDOWS.empty()).equals(TUNNELS.empty())


def test_tunnel_cut_into_two_files_is_one(counted: Any) -> None:
    found = counted(packets(speech(0, 30), WIREGUARD_DATA))
    half = found.with_columns(
        pl.col("packets") // 2, pl.col("span_ms") // 2, pl.col("peak"), source=pl.lit("b.pcap")
    )
    joined = voice_tunnels(pl.concat([half.with_columns(source=pl.lit("a.pcap")), half]))
    assert joined.height == 1
    assert joined["source"].to_list() == ["a.pcap"]


def test_clock_that_jumps_by_decades_makes_no_long_list(counted: Any) -> None:
    found = counted(packets(speech(0, 30), WIREGUARD_DATA))
    later = found.with_columns(pl.col("window") + 200_000_000)
    assert voice_tunnels(pl.concat([found, later]))["calls"].list.len().max() <= 60_480


def test_recorded_wireguard_with_four_calls_is_a_tunnel_of_four(
    shared: Path, tmp_path: Path
) -> None:
    path = shared / "data" / "captures" / "lab__wireguard-outer-4calls.pcap"
    found = voice_tunnels(read(path, tmp_path)).row(0, named=True)
    assert (found["kind"], found["codec"], found["calls_max"]) == ("wireguard", "G.711 30 ms", 4)
    assert isinstance(found["start"], datetime)
    assert TUNNELS.schema["start"] == UTC


def test_other_recordings_hold_no_tunnel_with_voice(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "captures"
    names = [
        p.name for p in sorted(folder.glob("*.pcap*"))
        if p.name.startswith(("tunnel__", "ott-call__", "core-", "rtp__", "ordinary__", "gtp__"))
    ]  # fmt: skip
    assert names
    found = {name: voice_tunnels(read(folder / name, tmp_path / name)).height for name in names}
    assert {name for name, tunnels in found.items() if tunnels} == set()
