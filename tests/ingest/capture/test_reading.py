"""Whole captures: read in one process or several, in any order of files."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from simbox.ingest.capture import run as run_module
from simbox.ingest.capture.joined import _addressed
from simbox.ingest.capture.run import Captured, CaptureOptions, ingest_captures
from simbox.ingest.sources import Source
from simbox.store import Store, StoreWriter
from simbox.tables import EVIDENCE

NETWORK = Path(__file__).parents[3] / "captures" / "network"
FILES = tuple(NETWORK / name for name in ("gateway-4.pcap.zst", "home-voip.pcap.zst"))
ALWAYS = CaptureOptions(0, 4_000_000_000)


def captured(files: tuple[Path, ...], folder: Path, how: CaptureOptions = ALWAYS) -> Captured:
    with StoreWriter(Store.create(folder / "store", 8)) as writer:
        return ingest_captures([Source(file) for file in files], writer, how)


def same(one: Captured, other: Captured) -> None:
    for name, table in one.tables.shown.items():
        assert_frame_equal(table, other.tables.shown[name])
    assert_frame_equal(one.tables.sides, other.tables.sides)
    assert one.events == other.events


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Captured:
    return captured(FILES, tmp_path_factory.mktemp("together"))


def test_two_processes_give_the_tables_of_one(
    together: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "APART_OCTETS", 0)
    monkeypatch.setattr(run_module.os, "cpu_count", lambda: 2)
    apart = captured(FILES, tmp_path)
    same(together, apart)
    assert apart.reports == together.reports


def test_order_of_files_changes_no_table(together: Captured, tmp_path: Path) -> None:
    same(together, captured(FILES[::-1], tmp_path))


def test_report_tells_what_was_in_the_file(together: Captured) -> None:
    report = together.reports[0]
    assert report.path == str(FILES[0])
    assert report.frames >= report.packets > 0
    assert report.counts["sip|message"] > 0
    assert report.damage == ""
    assert len(report.sha256) == 64


def test_packets_outside_the_period_are_left_out_and_counted(
    together: Captured, tmp_path: Path
) -> None:
    first, last = together.reports[0].first, together.reports[0].last
    assert first is not None
    assert last is not None
    middle = int((first.timestamp() + last.timestamp()) / 2)
    later = captured(FILES[:1], tmp_path, CaptureOptions(middle, 4_000_000_000)).reports[0]
    assert later.outside > 0
    assert later.outside + later.packets == together.reports[0].packets
    assert later.first is not None
    assert later.first.timestamp() >= middle


@pytest.mark.parametrize(
    ("hosts", "shown"),
    [
        (["192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7", "0.0.0.0", "fe80::1", "2001:db8::7"], "192.0.2.7"),  # noqa: S104
        (["2001:db8::7", "fe80::1"], "2001:db8::7"),
        (["192.0.2.7", "192.0.2.8"], "02:00:00:00:00:0a"),  # a router's
        (["0.0.0.0"], "02:00:00:00:00:0a"),  # noqa: S104
        ([], "02:00:00:00:00:0a"),
    ],
)
def test_evidence_of_an_ethernet_address_is_that_of_its_only_ip_address(
    hosts: list[str], shown: str
) -> None:
    mac = "02:00:00:00:00:0a"
    evidence = EVIDENCE.conform(pl.DataFrame({"host": [mac, "192.0.2.99"]}))
    stations = pl.DataFrame(
        [(mac, host) for host in hosts], schema={"mac": pl.String, "host": pl.String}, orient="row"
    )
    assert _addressed(evidence, stations)["host"].to_list() == [shown, "192.0.2.99"]
