import csv
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address, ip_network
from pathlib import Path

import polars as pl
import pytest

from plain_captures import INVITE, content, frames, luhn_sum

CAPTURES = Path(__file__).parents[2] / "captures"
MANIFEST = tomllib.loads((CAPTURES / "manifest.toml").read_text(encoding="utf-8"))
NETWORK, STACKS, FENGXIAN = (MANIFEST[name] for name in ("network", "stacks", "fengxian"))
MADE = {entry["path"]: entry for entry in NETWORK["files"]}
FILES = MADE | {entry["path"]: entry for entry in STACKS["files"]}
COUNTED = [path for path, entry in MADE.items() if "sip" in entry and "wireguard" not in path]
QUICK = 13_000  # frames that tshark reads at once
LARGEST = 7_000_000  # bytes; they travel with the project
RESERVED = [
    ip_network(text)
    for text in (
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "2001:db8::/32",
        "10.0.0.0/8",
        "192.168.0.0/16",
        "0.0.0.0/32",
        "255.255.255.255/32",
    )
]
ETHERNET = [path for path in FILES if not re.search(r"vlan|pppoe|cooked|ipv6|inner|damaged", path)]
TRUTH = list(csv.DictReader((CAPTURES / NETWORK["labels"]).read_text().splitlines()))
SHANGHAI = timezone(timedelta(hours=8))

tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@pytest.fixture(scope="module")
def made_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network")
    command = [sys.executable, str(CAPTURES / "make_captures.py"), "--out", str(folder)]
    subprocess.run(command, check=True)
    return folder


@pytest.mark.parametrize("path", FILES)
def test_file_has_the_digest_of_the_manifest(path: str) -> None:
    assert hashlib.sha256((CAPTURES / path).read_bytes()).hexdigest() == FILES[path]["sha256"]


def test_folder_holds_the_files_of_the_manifest_and_no_others() -> None:
    found = {p.relative_to(CAPTURES).as_posix() for p in (CAPTURES / "network").iterdir()}
    assert found == set(FILES)


def test_files_are_small_enough_to_travel_with_the_project() -> None:
    assert sum((CAPTURES / path).stat().st_size for path in FILES) <= LARGEST


@pytest.mark.parametrize("path", MADE)
def test_script_makes_the_same_packets_again(path: str, made_again: Path) -> None:
    assert content(made_again / path) == content(CAPTURES / path)


def test_script_makes_the_same_truth_again(made_again: Path) -> None:
    labels = (CAPTURES / NETWORK["labels"]).read_bytes()
    assert (made_again / NETWORK["labels"]).read_bytes() == labels
    assert hashlib.sha256(labels).hexdigest() == NETWORK["labels_sha256"]


def test_writing_a_section_of_the_manifest_leaves_the_others(made_again: Path) -> None:
    written = tomllib.loads((made_again / "manifest.toml").read_text(encoding="utf-8"))
    assert set(written) == {"network"}
    assert set(MANIFEST) == {"county", "fengxian", "network", "stacks"}


@pytest.mark.parametrize("path", [path for path in COUNTED if MADE[path]["frames"]])
def test_frames_are_as_many_as_the_manifest_says_and_in_the_order_of_time(path: str) -> None:
    times = [at for at, *_ in frames(CAPTURES / path)]
    assert len(times) == MADE[path]["frames"]
    assert times == sorted(times)


def test_damaged_file_ends_inside_a_record() -> None:
    path = CAPTURES / "network/damaged.pcap"
    whole = list(frames(path))
    assert len(whole) > 100
    assert 24 + sum(16 + len(frame) for _, frame, _ in whole) < path.stat().st_size


@tshark
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.slow if MADE[path]["frames"] > QUICK else ())
        for path in COUNTED
        if "softphones" not in path
    ],
)
def test_tshark_finds_what_the_manifest_says(path: str) -> None:
    fields = "sip.Call-ID sip.Method _ws.malformed rtp.ssrc ip.src ip.dst ipv6.src udp.srcport"
    columns = [part for name in f"{fields} udp.dstport".split() for part in ("-e", name)]
    wanted = "(sip or rtp or _ws.malformed) and not udp.port == 39800"
    command = ["tshark", "-r", str(CAPTURES / path), "--enable-heuristic", "rtp_udp"]
    command += ["-Y", wanted, "-T", "fields", *columns]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in told.splitlines()]
    methods = [method for row in rows for method in row[1].split(",") if row[0]]
    found = {
        "sip": sum(len(row[0].split(",")) for row in rows if row[0]),
        "invites": methods.count("INVITE"),
        "registers": methods.count("REGISTER"),
        "rtp_streams": len({tuple(row[3:]) for row in rows if row[3]}),
    }
    assert found == {name: MADE[path][name] for name in found}
    assert not [row for row in rows if row[2]]


@tshark
@pytest.mark.parametrize("kind", ["tcp", "ipv6", "pppoe", "fragments"])
def test_checksums_are_right(kind: str) -> None:
    path = CAPTURES / f"network/gateway-4-{kind}.pcap.zst"
    checks = [part for name in ("ip", "udp", "tcp") for part in ("-o", f"{name}.check_checksum:1")]
    wrong = "ip.checksum.status == 0 or udp.checksum.status == 0 or tcp.checksum.status == 0"
    command = ["tshark", "-r", str(path), *checks, "-Y", wrong]
    assert not subprocess.run(command, check=True, capture_output=True).stdout


@pytest.mark.parametrize("path", ETHERNET)
def test_addresses_are_reserved_ones(path: str) -> None:
    found = {frame[26 + i : 30 + i] for _, frame, _ in frames(CAPTURES / path) for i in (0, 4)}
    addresses = {ip_address(octets) for octets in found}
    assert {a for a in addresses if not any(a in network for network in RESERVED)} == set()


@pytest.mark.parametrize("path", [*FILES, "fengxian/access-link.pcap.zst"])
def test_identities_are_invented(path: str) -> None:
    data = content(CAPTURES / path)
    assert {i[:5] for i in re.findall(rb"imsi:(\d+)", data)} <= {b"00101"}
    imeis = {i.decode() for i in re.findall(rb"imei:(\d+)", data)}
    assert [i for i in imeis if not i.startswith("001001") or luhn_sum(i) % 10] == []
    iccids = {i.decode() for i in re.findall(rb"iccid:(\d+)", data)}
    assert [i for i in iccids if not i.startswith("89999001") or luhn_sum(i) % 10] == []
    numbers = set(re.findall(rb"(?:num:|sip:)(\d{11,})", data))
    assert [n for n in numbers if not re.match(rb"(00\d\d)?999", n)] == []
    dotted = set(re.findall(rb"(?:IP4 |@|sip:)(\d+\.\d+\.\d+\.\d+)", data))
    addresses = {ip_address(text.decode()) for text in dotted}
    assert {a for a in addresses if not any(a in network for network in RESERVED)} == set()


@pytest.mark.parametrize("capture", sorted({row["capture"] for row in TRUTH}))
def test_truth_has_a_row_for_every_line_of_a_gateway(capture: str) -> None:
    rows = [row for row in TRUTH if row["capture"] == capture]
    for host, ports in {(r["host"], int(r["ports"])) for r in rows if r["ports"] != "0"}:
        told = sorted(int(row["port"]) for row in rows if row["host"] == host)
        assert told == list(range(1, ports + 1))


def test_masked_gateway_sends_nothing_that_names_it() -> None:
    data = content(CAPTURES / "network/gateway-8-masked.pcap.zst")
    assert not re.search(rb"dble|req:\d|\x86\x70\x14\x13|20000001|gontp|REGISTER", data)


@pytest.mark.parametrize("path", ["gateway-4.pcap.zst", "gateway-32.pcapng.zst"])
def test_every_line_reports_its_card_within_half_a_minute(path: str) -> None:
    seen: dict[str, float] = {}
    first = 0.0
    for at, frame, _ in frames(CAPTURES / "network" / path):
        first = first or at
        if told := re.search(rb"^.{42}req:1;.*imsi:(\d+);", frame, re.DOTALL):
            seen[told[1].decode()] = at - first
    wanted = {row["imsi"] for row in TRUTH if row["capture"] == path}
    assert set(seen) == wanted
    assert max(seen.values()) < 30


def test_tunnel_has_the_sizes_of_wireguard_around_g711_of_20_ms() -> None:
    seen = frames(CAPTURES / "network/wireguard.pcap.zst")
    sizes = Counter(wire - 42 for _, frame, wire in seen if frame[42] == 4)
    assert sizes.most_common(1)[0][0] == 240
    assert sizes[240] / sizes.total() > 0.95
    assert {size % 16 for size in sizes} == {0}


def test_cottage_calls_are_those_of_the_call_records() -> None:
    path = CAPTURES / FENGXIAN["ingest"] / "access-link.pcap.zst"
    records = pl.concat(
        pl.read_csv(content_of, infer_schema=False)
        for content_of in sorted((CAPTURES / "fengxian").glob("cdr_20250312*"))
    ).filter(pl.col("event_type") == "MOC")
    started = {
        (row["other"], datetime.fromisoformat(row["start"]).replace(tzinfo=SHANGHAI).timestamp())
        for row in records.iter_rows(named=True)
    }
    boxes = {f"192.0.2.{n}" for n in (11, 12, 13, 14)}
    calls = [
        (told[1].decode(), at)
        for at, frame, _ in frames(path)
        if (told := INVITE.search(frame)) and told[2].decode() in boxes
    ]
    assert len(calls) > 25
    for number, at in calls:
        near = [start for other, start in started if other == number and abs(start - at) <= 1]
        assert near, f"{number} at {at}"


def test_hosts_of_the_cottage_hold_cards_of_its_lines() -> None:
    hosts = list(csv.DictReader((CAPTURES / FENGXIAN["hosts"]).read_text().splitlines()))
    truth = pl.read_csv(CAPTURES / FENGXIAN["labels"], infer_schema=False)
    gateways = set(truth.filter(pl.col("kind") == "gateway")["line"])
    lines = {row["number"] for row in hosts if row["kind"] == "gateway"}
    assert len(lines) == 28
    assert lines <= gateways
