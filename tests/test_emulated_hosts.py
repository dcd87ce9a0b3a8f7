"""Ten minutes of emulated traffic: gateways are found with all their ports, innocents are not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest

from simbox.config import load
from simbox.pipeline import Options, Run, detect

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "captures"))

from lab import gateway, goip, innocents
from lab.files import save
from lab.gateway import Gateway
from lab.identities import Line, lines
from lab.innocents import Site
from lab.scene import Scene, rng_of
from lab.wire import Link

MINUTES = 10.0
SLOW = pytest.mark.slow
PORTS = (4, pytest.param(8, marks=SLOW), pytest.param(16, marks=SLOW), 32)
HEADERS = 70  # octets of a frame that are kept: all of the RTP header


@dataclass(frozen=True)
class Played:
    """A scene, as simbox judges it."""

    run: Run
    hosts: dict[str, dict[str, object]]

    @property
    def alerts(self) -> list[str]:
        return [host for host, row in self.hosts.items() if row["status"] == "alert"]


def judged(scene: Scene, folder: Path) -> Played:
    file = folder / "scene.pcap.zst"
    save(replace(scene, media_octets=0), file)
    run = detect([file], load(), Options(), folder / "run")
    assert run.hosts is not None
    return Played(run, {row["host"]: row for row in run.hosts.iter_rows(named=True)})


def of_gateway(box: Gateway) -> tuple[Scene, list[Line]]:
    cards = lines(rng_of(box.seed, "lines"), box.ports)
    macs = {} if box.masked else {box.address: goip.mac(box.address)}
    scene = Scene(Link("ethernet", 1500, macs), box.start, box.seconds)
    gateway.run(scene, box, cards, gateway.offered(box))
    return scene, cards


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


@pytest.mark.parametrize("ports", PORTS)
def test_a_gateway_that_shows_itself_is_found_with_its_lines(folder: Path, ports: int) -> None:
    scene, cards = of_gateway(Gateway(ports=ports, minutes=MINUTES, seed=100 + ports))
    played = judged(scene, folder)
    assert played.alerts == [gateway.BOX]
    box = played.hosts[gateway.BOX]
    assert (box["ports"], box["lines"]) == (ports, ports)
    seen = pl.read_parquet(folder / "run" / "captures" / "sightings.parquet")
    for name in ("imsi", "imei", "iccid"):
        assert set(seen[name].drop_nulls()) == {getattr(card, name) for card in cards}
    assert set(seen["number"].drop_nulls()) == {card.number for card in cards}


@pytest.mark.parametrize("ports", PORTS)
@pytest.mark.parametrize("trunk", [True, pytest.param(False, marks=SLOW)])
def test_a_gateway_that_hides_is_found_by_what_it_does(
    folder: Path, ports: int, trunk: bool
) -> None:
    box = Gateway(ports=ports, minutes=MINUTES, seed=200 + ports, masked=True, trunk=trunk,
                  boots=False, servers=gateway.SERVERS[:2])  # fmt: skip
    played = judged(of_gateway(box)[0], folder)
    assert played.alerts == [gateway.BOX]
    assert played.hosts[gateway.BOX]["ports"] == ports


@pytest.mark.parametrize(
    "play",
    [innocents.office_pbx, innocents.home_voip, innocents.call_centre,
     innocents.conference_bridge, innocents.sip_scanner, innocents.softphones,
     innocents.operator_sbc],
    ids=lambda play: str(play.__name__),
)  # fmt: skip
@pytest.mark.parametrize("seed", [11, pytest.param(12, marks=SLOW), pytest.param(13, marks=SLOW)])
def test_an_innocent_host_raises_no_alert(
    folder: Path, play: Callable[..., None], seed: int
) -> None:
    scene = Scene(until=MINUTES * 60)
    play(scene, Site(minutes=MINUTES, seed=seed))
    assert judged(scene, folder).alerts == []


def test_a_scanner_is_shown_as_one(folder: Path) -> None:
    scene = Scene(until=120)
    innocents.sip_scanner(scene, Site("203.0.113.13", 2.0, 5))
    assert judged(scene, folder).hosts["203.0.113.13"]["status"] == "scanner"
