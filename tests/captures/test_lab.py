import importlib
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from plain_captures import frames

CAPTURES = Path(__file__).parents[2] / "captures"


@pytest.fixture(scope="module")
def lab() -> ModuleType:
    sys.path.insert(0, str(CAPTURES))
    try:
        return importlib.import_module("make_captures")
    finally:
        sys.path.remove(str(CAPTURES))


def most_at_once(spans: list[tuple[float, float]]) -> int:
    steps = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    return int(np.cumsum([step for _, step in steps]).max())


@pytest.mark.parametrize("ports", [4, 8, 16, 32])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_ports_are_busy_at_once_within_ten_minutes(
    lab: ModuleType, ports: int, seed: int
) -> None:
    calls = lab.gateway.offered(lab.Gateway(ports=ports, seed=seed))
    taken = [call for call in calls if call.port]
    assert {call.port for call in taken} == set(range(1, ports + 1))
    assert most_at_once([(call.dial.at, call.dial.end) for call in taken]) == ports


@pytest.mark.parametrize("port", [1, 2, 3, 4])
def test_port_has_one_call_at_a_time(lab: ModuleType, port: int) -> None:
    calls = [call for call in lab.gateway.offered(lab.Gateway()) if call.port == port]
    assert most_at_once([(call.dial.at, call.dial.end) for call in calls]) == 1


def test_capture_stops_where_it_is_told_to(lab: ModuleType, tmp_path: Path) -> None:
    lab.save(lab.of_gateway(lab.Gateway(minutes=0.5)), tmp_path / "short.pcap")
    times = [at for at, *_ in frames(tmp_path / "short.pcap")]
    assert times[-1] - times[0] <= 30


def test_format_of_the_file_changes_no_frame(lab: ModuleType, tmp_path: Path) -> None:
    box = lab.Gateway(minutes=0.4)
    paths = [tmp_path / name for name in ("a.pcap", "a.pcapng", "a.pcap.zst", "a.pcapng.zst")]
    for path in paths:
        lab.save(lab.of_gateway(box), path)
    read = [[octets for _, octets, _ in frames(path)] for path in paths]
    assert read[0]
    assert read[1:] == [read[0]] * 3


@pytest.mark.parametrize(("codec", "ptime", "octets"), [(8, 20, 214), (0, 30, 294), (18, 30, 84)])
def test_codec_and_packet_time_give_the_size_of_frames(
    lab: ModuleType, codec: int, ptime: int, octets: int, tmp_path: Path
) -> None:
    scene = lab.of_gateway(lab.Gateway(minutes=0.4, codec=codec, ptime=ptime))
    lab.save(scene, tmp_path / "codec.pcap")
    sizes = Counter(wire for *_, wire in frames(tmp_path / "codec.pcap"))
    assert sizes.most_common(1)[0][0] == octets


def test_headers_only_keeps_the_length_that_frames_had(lab: ModuleType, tmp_path: Path) -> None:
    scene = lab.of_gateway(lab.Gateway(minutes=0.4))
    scene.media_octets = 0
    lab.save(scene, tmp_path / "cut.pcap")
    voice = {len(octets) for _, octets, wire in frames(tmp_path / "cut.pcap") if wire == 214}
    assert voice == {54}


@pytest.mark.slow
def test_ten_minutes_of_32_lines_are_written_in_seconds(lab: ModuleType, tmp_path: Path) -> None:
    begin = time.process_time()
    count = lab.save(lab.of_gateway(lab.Gateway(ports=32)), tmp_path / "gateway-32.pcap")
    assert count > 1_000_000
    assert time.process_time() - begin < 20


@pytest.mark.parametrize(
    ("kind", "first"), [("RADMIN: ", "3c39ac9acec5935a"), ("TELNET: ", "3a3da499c2df935a")]
)
def test_remote_control_begins_with_the_octets_known_from_the_default_key(
    lab: ModuleType, kind: str, first: str
) -> None:
    assert lab.goip.sealed(kind.encode()).hex() == first
