"""Packet captures on the command line: hosts ranked, explained, inspected, and proved."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import struct
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


@pytest.mark.parametrize("within", ["run", "run/proof.pcapng", "run/deep/proof.pcapng"])
def test_excerpt_does_not_go_into_the_folder_that_the_run_replaces(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path, within: str
) -> None:
    arguments = ("--out", tmp_path / "run", "--evidence-pcap", tmp_path / within)
    ended = simbox("detect", captures / "gateway-4.pcap.zst", *arguments)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "name a file outside of it" in ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("held", "code"), [(b"", 0), (b"\x0a\x0d\x0d\x0a of before", 0), (b"line,kind\n", 2)]
)
def test_excerpt_replaces_an_excerpt_and_no_other_file(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path, held: bytes, code: int
) -> None:
    target = tmp_path / "proof.pcapng"
    target.write_bytes(held)
    source = captures / "gateway-4.pcap.zst"
    ended = simbox("detect", source, "--out", tmp_path / "run", "--evidence-pcap", target)
    assert ended.code == code
    assert (target.read_bytes() == held) is (code == 2)


def test_excerpt_does_not_overwrite_records_that_are_read_with_captures(
    simbox: Callable[..., Any], exports: Path, captures: Path, tmp_path: Path
) -> None:
    records = shutil.copy(next(f for f in exports.rglob("*") if f.is_file()), tmp_path)
    held = Path(records).read_bytes()
    inputs = (records, captures / "damaged.pcap")
    ended = simbox("detect", *inputs, "--out", tmp_path / "run", "--evidence-pcap", records)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "is one of the inputs" in ended.err
    assert Path(records).read_bytes() == held


def test_place_closed_to_writing_is_refused_before_anything_is_read(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simbox.outputs.proof._writable", lambda _: False)
    arguments = ("--out", tmp_path / "run", "--evidence-pcap", tmp_path / "proof.pcapng")
    ended = simbox("detect", captures / "gateway-4.pcap.zst", *arguments)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "no permission to write there" in ended.err


def test_access_network_that_holds_no_address_is_named(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path
) -> None:
    arguments = ("--access", "10.0.0.0/8", "--access", "192.0.2.0/24", "--format", "table")
    ended = simbox("detect", captures / "gateway-4.pcap.zst", "--out", tmp_path / "run", *arguments)
    assert "no address of the captures lies in the access network 10.0.0.0/8" in ended.out
    assert ended.out.count("no address of the captures") == 1


def test_damage_is_told_beside_the_csv_too(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path
) -> None:
    ended = simbox("detect", captures / "damaged.pcap", "--out", tmp_path / "run")
    assert ended.code == 0
    assert ended.err.startswith(f"simbox: {captures / 'damaged.pcap'}: damaged at byte ")
    assert ended.err.count("\n") == 1
    assert ranked(ended.out)


def test_frame_of_a_file_that_is_no_capture_is_refused(
    simbox: Callable[..., Any], exports: Path
) -> None:
    records = next(f for f in exports.rglob("*.csv*") if f.is_file())
    ended = simbox("inspect", records, "--frame", 1)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "wants one capture, given 1 other file" in ended.err


@pytest.mark.parametrize("command", [("detect",), ("inspect",), ("inspect", "--frame", "1")])
def test_pipe_is_refused_and_not_waited_for(
    simbox: Callable[..., Any], tmp_path: Path, command: tuple[str, ...]
) -> None:
    pipe = tmp_path / "link.pcap"
    os.mkfifo(pipe)
    ended = simbox(*command, pipe)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"{pipe}: a pipe or device" in ended.err


def test_captures_in_any_order_give_the_same_folder(
    simbox: Callable[..., Any], captures: Path, tmp_path: Path
) -> None:
    given = [captures / "gateway-4.pcap.zst", captures / "damaged.pcap"]
    folders = [tmp_path / "there", tmp_path / "back"]
    for folder, inputs in zip(folders, (given, given[::-1]), strict=True):
        simbox("detect", *inputs, "--out", folder)
    names = sorted(f.relative_to(folders[0]) for f in folders[0].rglob("*") if f.is_file())
    assert len(names) > 10
    assert [n for n in names if len({(f / n).read_bytes() for f in folders}) > 1] == []


def test_capture_of_a_clock_that_was_never_set_is_read_all_the_same(
    simbox: Callable[..., Any], tmp_path: Path
) -> None:
    octets = bytes.fromhex("02000000000202000000000108004500001c00010000401100"
                           "00c0000201c633640113c413c400080000")  # fmt: skip
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    record = struct.pack("<IIII", 380, 0, len(octets), len(octets))
    (tmp_path / "young.pcap").write_bytes(head + record + octets)
    ended = simbox("detect", tmp_path / "young.pcap", "--out", tmp_path / "run")
    assert (ended.code, ended.err) == (0, "")
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    [read] = record["ingest"]["captures"]
    assert (read["packets"], read["outside"], read["first"][:4]) == (1, 0, "1970")


@pytest.mark.parametrize("columns", ["", "40", "80"])
def test_no_identity_is_cut_where_columns_are_few(
    simbox: Callable[..., Any], captured: Path, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    printed = simbox("explain", HOST, "--run", captured).out
    sightings = pl.read_parquet(captured / "captures" / "sightings.parquet").filter(host=HOST)
    told = {v for n in ("account", "msisdn", "imsi", "imei", "iccid") if n in sightings.columns
            for v in sightings[n].drop_nulls()}  # fmt: skip
    dialogs = pl.read_parquet(captured / "captures" / "dialogs.parquet")
    told |= set(dialogs.filter(dst=HOST)["src"])
    assert len(told) > 4
    assert [value for value in told if value not in printed] == []


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
        (("damaged.pcap", "sip-scanner.pcap.zst"), 1, "wants one capture, given 2 captures"),
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
    assert (ended.code, ended.err.count("\n")) == (0, 1)
    assert ranked(ended.out)[0]["host"] == HOST
