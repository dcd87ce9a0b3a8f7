"""Packet captures on the command line: hosts ranked, explained, inspected, and proved."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from plain_captures import frames
from small_world import GATEWAY

HOST = "192.0.2.44"  # of the small gateway
SCANNER = "203.0.113.13"


def ranked(printed: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(printed)))


def test_gateway_of_a_capture_comes_first_with_its_ports_and_a_scanner_as_such(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path
) -> None:
    names = ("gateway-4.pcap.zst", "sip-scanner.pcap.zst")
    ended = simbox("detect", *(captures / n for n in names), "--out", tmp_path / "run")
    rows = {row["host"]: row for row in ranked(ended.out)}
    assert (ended.code, ended.err) == (0, "")
    assert (rows[HOST]["rank"], rows[HOST]["status"], rows[HOST]["ports"]) == ("1", "alert", "4")
    assert rows[SCANNER]["status"] == "scanner"


@pytest.mark.parametrize(
    ("asked", "first"), [((), GATEWAY), (("lines",), GATEWAY), (("hosts",), HOST)]
)
def test_other_programs_get_lines_of_a_mixed_run_unless_they_ask_for_hosts(
    simbox: Callable[..., Any],
    exports: Path,
    captures: Path,
    tmp_path: Path,
    asked: tuple[str, ...],
    first: str,
) -> None:
    options = ("--ranking", *asked) if asked else ()
    both = (exports, captures / "damaged.pcap")
    ended = simbox("detect", *both, "--out", tmp_path / "run", *options)
    assert first in ranked(ended.out)[0].values()


def test_hosts_are_not_to_be_had_from_cdrs(
    simbox: Callable[..., Any], exports: Path, tmp_path: Path
) -> None:
    ended = simbox("detect", exports, "--out", tmp_path / "run", "--ranking", "hosts")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "no captures were read" in ended.err


@pytest.mark.parametrize("columns", [80, 120, 160])
def test_table_shows_hosts_and_damage_within_the_terminal(
    simbox: Callable[..., Any],
    captures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.chdir(captures)
    ended = simbox("detect", "damaged.pcap", "--out", tmp_path / "run", "--format", "table")
    said = [line for line in ended.out.splitlines() if str(tmp_path.parent) not in line]
    assert max(len(line) for line in said) <= columns
    assert "damaged at byte" in ended.out
    assert re.search(rf"1\s+{re.escape(HOST)}.*alert", ended.out)
    assert "CONCLUSIVE-SIGNATURES" in ended.out
    assert f"simbox explain {HOST}" in ended.out


def test_hosts_count_as_findings(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path
) -> None:
    for name, code in (("damaged.pcap", 3), ("sip-scanner.pcap.zst", 0)):
        ended = simbox("detect", captures / name, "--out", tmp_path / "run", "--fail-on", "watch")
        assert ended.code == code


@pytest.mark.parametrize(("network", "kept"), [("192.0.2.0/24", True), ("198.18.0.0/15", False)])
def test_hosts_outside_of_the_access_networks_are_not_ranked(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path, network: str, kept: bool
) -> None:
    given = ("--access", network, "--access", "2001:db8::/32")
    ended = simbox("detect", captures / "damaged.pcap", "--out", tmp_path / "run", *given)
    assert [row["host"] for row in ranked(ended.out)] == ([HOST] if kept else [])
    options = json.loads((tmp_path / "run" / "run.json").read_text())["options"]
    assert options["access"] == f"{network}, 2001:db8::/32"


@pytest.mark.parametrize("wrong", ["300.0.0.0/8", "home", "192.0.2.0/99"])
def test_wrong_network_is_named(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path, wrong: str
) -> None:
    ended = simbox(
        "detect", captures / "damaged.pcap", "--out", tmp_path / "run", "--access", wrong
    )
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert wrong in ended.err


def test_excerpt_holds_the_frames_that_prove_it_and_no_voice(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path
) -> None:
    excerpt = tmp_path / "proof.pcapng"
    source = captures / "gateway-4.pcap.zst"
    simbox("detect", source, "--out", tmp_path / "run", "--evidence-pcap", excerpt)
    told = json.loads((tmp_path / "run" / "run.json").read_text())["evidence"]
    found = list(frames(excerpt))
    assert told["sha256"] == hashlib.sha256(excerpt.read_bytes()).hexdigest()
    assert told["frames"] == len(found) > 20
    assert told["left_out"] == 0
    originals = {(time, wire) for time, _, wire in frames(source)}
    assert all((round(time, 6), wire) in originals for time, _, wire in found)
    voice = [len(octets) for _, octets, wire in found if wire == 214]
    assert voice
    assert max(voice) < 70
    assert sorted(p.name for p in tmp_path.iterdir()) == ["proof.pcapng", "run"]


@pytest.mark.parametrize("target", ["input", "folder", "absent/proof.pcapng"])
def test_place_that_cannot_take_an_excerpt_is_refused_before_anything_is_read(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path, target: str
) -> None:
    source = tmp_path / "input"
    shutil.copy(captures / "damaged.pcap", source)
    (tmp_path / "folder").mkdir()
    ended = simbox(
        "detect", source, "--out", tmp_path / "run", "--evidence-pcap", tmp_path / target
    )
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "--evidence-pcap" in ended.err
    assert source.read_bytes() == (captures / "damaged.pcap").read_bytes()
    assert not (tmp_path / "run").exists()


def test_excerpt_needs_captures(simbox: Callable[..., Any], exports: Path, tmp_path: Path) -> None:
    ended = simbox(
        "detect", exports, "--out", tmp_path / "run", "--evidence-pcap", tmp_path / "x.pcapng"
    )
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "no capture among the inputs" in ended.err


@pytest.mark.parametrize("spelled", [HOST, f" {HOST} "])
def test_host_is_explained_with_devices_lines_peers_and_frames(
    simbox: Callable[..., Any], captured: Path, spelled: str
) -> None:
    ended = simbox("explain", spelled, "--run", captured)
    assert (ended.code, ended.err) == (0, "")
    titles = ("score, in nats", "calls over time", "devices", "lines", "peers", "calls, ",
              "frames behind the reasons")  # fmt: skip
    places = [ended.out.index(f"\n{title}") for title in titles]
    assert places == sorted(places)
    sightings = pl.read_parquet(captured / "captures" / "sightings.parquet").filter(host=HOST)
    for name in ("account", "imsi"):
        assert [v for v in sightings[name].drop_nulls().unique() if v not in ended.out] == []


def test_numbers_that_a_host_called_are_masked_unless_revealed(
    simbox: Callable[..., Any], captured: Path
) -> None:
    dialogs = pl.read_parquet(captured / "captures" / "dialogs.parquet")
    sold = dialogs.filter(pl.col("dst") == HOST, pl.col("method") == "INVITE")["request_user"]
    numbers = [n for n in sold.drop_nulls().unique() if len(n) > 8]
    masked = simbox("explain", HOST, "--run", captured, "--rows", 500).out
    revealed = simbox("explain", HOST, "--run", captured, "--rows", 500, "--reveal").out
    assert numbers
    assert [n for n in numbers if n in masked] == []
    assert [n for n in numbers if n not in revealed] == []


def test_scanner_is_explained_by_its_requests(simbox: Callable[..., Any], captured: Path) -> None:
    said = simbox("explain", SCANNER, "--run", captured).out
    assert "scanner" in said.splitlines()[0]
    assert re.search(r"scanning +requests", said)


@pytest.mark.parametrize(("wanted", "near"), [("192.0.2.4", HOST), ("nobody", "")])
def test_unknown_host_is_answered_with_the_nearest(
    simbox: Callable[..., Any], captured: Path, wanted: str, near: str
) -> None:
    ended = simbox("explain", wanted, "--run", captured)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"{wanted}: not among" in ended.err
    assert near in ended.err


def test_records_of_a_captured_line_are_named_by_host_and_frame(
    simbox: Callable[..., Any], captured: Path
) -> None:
    lines = pl.read_parquet(captured / "lines.parquet")["line"]
    said = simbox("explain", next(n for n in lines if "." not in n), "--run", captured).out
    records = said.split("records, ")[1]
    assert re.search(r"frame .*host", records)
    assert HOST in records


def test_run_without_store_keeps_no_tables_of_captures(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path
) -> None:
    simbox("detect", captures / "damaged.pcap", "--out", tmp_path / "run", "--no-store")
    assert not (tmp_path / "run" / "captures").exists()
    ended = simbox("explain", HOST, "--run", tmp_path / "run")
    assert ended.code == 0
    assert "was not kept" in ended.out


def test_inspect_tells_what_captures_and_cdrs_are_in_one_call(
    simbox: Callable[..., Any], captures: Path, exports: Path
) -> None:
    ended = simbox("inspect", captures / "damaged.pcap", exports)
    assert (ended.code, ended.err) == (0, "")
    for words in ("250 packets in 250 frames", "damaged at byte", "sip message 30",
                  "given up", "generic-served"):  # fmt: skip
        assert words in ended.out


def test_one_frame_is_taken_apart(simbox: Callable[..., Any], captures: Path) -> None:
    ended = simbox("inspect", captures / "damaged.pcap", "--frame", 1)
    assert ended.code == 0
    assert ended.out.startswith("frame 1: ")
    assert "255.255.255.255" in ended.out


@pytest.mark.parametrize(
    ("names", "number", "said"),
    [
        (("damaged.pcap",), 9999, "its frames are 1 to 250"),
        (("damaged.pcap", "sip-scanner.pcap.zst"), 1, "wants one capture, 2 files given"),
    ],
)
def test_frame_that_is_not_there_is_told(
    simbox: Callable[..., Any], captures: Path, names: tuple[str, ...], number: int, said: str
) -> None:
    ended = simbox("inspect", *(captures / n for n in names), "--frame", number)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert said in ended.err


@pytest.mark.parametrize(
    "octets", [b"\xd4\xc3\xb2\xa1", b"\xd4\xc3\xb2\xa1" + bytes(20), b"\x0a\x0d\x0d\x0a"]
)
def test_capture_without_packets_ends_in_one_line(
    simbox: Callable[..., Any], tmp_path: Path, octets: bytes
) -> None:
    (tmp_path / "x.pcap").write_bytes(octets)
    ended = simbox("detect", tmp_path / "x.pcap", "--out", tmp_path / "run")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert ended.err.startswith(f"simbox: {tmp_path / 'x.pcap'}: ")


def test_period_without_packets_is_told(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path
) -> None:
    ended = simbox(
        "detect", captures / "damaged.pcap", "--out", tmp_path / "run", "--since", "2031-01-01"
    )
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "all 250 packets of the input lie outside" in ended.err


def test_note_beside_captures_is_passed_over(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "link"
    folder.mkdir()
    shutil.copy(captures / "damaged.pcap", folder)
    (folder / "note.txt").write_text("taken at the street cabinet\n")
    ended = simbox("detect", folder, "--out", tmp_path / "run")
    assert (ended.code, ended.err) == (0, "")
    assert ranked(ended.out)[0]["host"] == HOST
