"""Make captures/network/: small packet captures of invented gateways and of hosts like them.

Run ``python captures/make_captures.py``; the same seed gives the same packets. What the files hold
is in ``manifest.toml``, what the hosts are in ``network-truth.csv``.
"""

from __future__ import annotations

import argparse
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lab import gateway, goip, innocents, manifest, simbank
from lab.files import save
from lab.gateway import Gateway
from lab.identities import lines
from lab.innocents import Site
from lab.scene import Scene, TruthLine, rng_of
from lab.tunnel import tunnelled
from lab.wire import UDP, Link

V6 = ("2001:db8:44::2", "2001:db8:20::1", "2001:db8:30::1")
DAMAGED_OCTETS = 60_000
PLAIN = Gateway(ports=4, minutes=0.75, seed=4)


@dataclass(frozen=True)
class Sample:
    """A file to make: what it shows and how."""

    name: str
    what: str
    make: Callable[[], Scene]


def of_gateway(box: Gateway, kind: str = "ethernet", mtu: int = 1500) -> Scene:
    """A gateway's access link."""
    macs = {box.address: goip.mac(box.address) if not box.masked else "02:00:5e:10:00:44"}
    scene = Scene(Link(kind, mtu, macs), box.start, box.seconds)
    cards = lines(rng_of(box.seed, "lines"), box.ports)
    gateway.run(scene, box, cards, gateway.offered(box))
    return scene


def of_innocent(play: Callable[..., None], minutes: float = 2.0, **more: int) -> Scene:
    """The access link of a host that is no gateway."""
    scene = Scene(until=minutes * 60)
    play(scene, Site(minutes=minutes, seed=5), **more)
    return scene


def of_bank() -> Scene:
    """The session of eight lines with their SIM bank."""
    scene = Scene(until=120)
    simbank.run(scene, simbank.Bank(), lines(rng_of(6, "lines"), 8))
    return scene


def in_tunnel() -> Scene:
    """A masked gateway's calls inside a WireGuard flow."""
    inside = Gateway(
        ports=4, minutes=1, seed=9, masked=True, address="10.9.0.2", servers=("10.9.0.1",)
    )
    home, far = ("192.0.2.47", 51_820), ("203.0.113.200", 51_820)
    return tunnelled(of_gateway(inside), home, far, kept=32)


def of_softphones() -> Scene:
    """Sealed calls of apps; what is sealed is cut off."""
    return replace(of_innocent(innocents.softphones, people=2), snap=62)


def of_scanner() -> Scene:
    """A scanner and the office that it tries."""
    scene = Scene(until=60)
    innocents.sip_scanner(scene, Site("203.0.113.13", 1.0, 5))
    return scene


MASKED = Gateway(
    ports=8,
    minutes=1.7,
    seed=8,
    masked=True,
    address="192.0.2.45",
    inside="192.168.8.10",
    servers=gateway.SERVERS[:2],
)
V6_BOX = replace(PLAIN, address=V6[0], servers=V6[1:2], manager=V6[2])
SAMPLES = (
    Sample(
        "gateway-4.pcap.zst",
        "four ports from boot: DHCP, DNS, NTP, DDNS, keepalives, REGISTER a line, calls",
        lambda: of_gateway(replace(PLAIN, minutes=2)),
    ),
    Sample(
        "gateway-8-masked.pcap.zst",
        "eight ports behind NAT, no signature: other spelling and ports, two softswitches",
        lambda: of_gateway(MASKED),
    ),
    Sample(
        "gateway-32.pcapng.zst",
        "32 ports in trunk mode, no REGISTER; keepalives tell the lines; nanosecond pcapng",
        lambda: of_gateway(Gateway(ports=32, minutes=1, seed=32, trunk=True, address="192.0.2.48")),
    ),
    Sample("simbank.pcap.zst", "eight lines log in to a SIM bank; cards are read", of_bank),
    Sample(
        "wireguard.pcap.zst",
        "a masked four-port gateway inside a WireGuard-like flow; sealed octets cut off",
        in_tunnel,
    ),
    Sample(
        "gateway-4-vlan.pcap.zst",
        "the same four ports, VLAN tag",
        lambda: of_gateway(PLAIN, "vlan"),
    ),
    Sample(
        "gateway-4-pppoe.pcap.zst",
        "the same four ports, PPPoE session",
        lambda: of_gateway(PLAIN, "pppoe"),
    ),
    Sample(
        "gateway-4-cooked.pcap.zst",
        "the same four ports, Linux cooked capture",
        lambda: of_gateway(PLAIN, "cooked"),
    ),
    Sample(
        "gateway-4-tcp.pcap.zst",
        "the same four ports, SIP over TCP: several messages a segment, retransmissions, disorder",
        lambda: of_gateway(replace(PLAIN, transport="tcp")),
    ),
    Sample("gateway-4-ipv6.pcap.zst", "the same four ports, IPv6", lambda: of_gateway(V6_BOX)),
    Sample(
        "gateway-4-fragments.pcap.zst",
        "the same four ports, link of 576 octets: SIP in fragments, some out of order",
        lambda: of_gateway(PLAIN, mtu=576),
    ),
    Sample(
        "office-pbx.pcap.zst",
        "an office's PBX: calls both ways with the same people",
        lambda: of_innocent(innocents.office_pbx, 2.5, users=25),
    ),
    Sample(
        "home-voip.pcap.zst",
        "a household's VoIP box, one account",
        lambda: of_innocent(innocents.home_voip, 4.0),
    ),
    Sample("sip-scanner.pcap.zst", "a scanner tries the doors of an office", of_scanner),
    Sample(
        "call-centre.pcap.zst",
        "agents call strangers through their operator",
        lambda: of_innocent(innocents.call_centre, 1.2, agents=8),
    ),
    Sample(
        "conference-bridge.pcap.zst",
        "people ring into rooms",
        lambda: of_innocent(innocents.conference_bridge, 1.2, rooms=2, people=4),
    ),
    Sample("softphones.pcap.zst", "apps: STUN, sealed Opus", of_softphones),
)


def figures(scene: Scene) -> dict[str, int]:
    """What a reader must find: SIP messages, INVITE requests, RTP streams and packets."""
    stop = scene.at(scene.until)
    said = [
        p.segment[8:]
        for p in scene.packets
        if p.protocol == UDP and p.time <= stop and b"\r\nCall-ID:" in p.segment
    ]
    said += [text for all_ in scene.over_tcp.values() for t, *_, text in all_ if t <= scene.until]
    sip = [text for text in said if b"SIP/2.0" in text]
    spoken = [s for s in scene.streams if s.start <= stop and s.packets]
    return {
        "sip": len(sip),
        "invites": sum(text.startswith(b"INVITE") for text in sip),
        "registers": sum(text.startswith(b"REGISTER") for text in sip),
        "rtp_streams": len(spoken),
    }


def make(folder: Path, only: list[str] | None = None) -> None:
    """Write the captures, their truth and the manifest into the folder."""
    out = folder / "network"
    out.mkdir(parents=True, exist_ok=True)
    truth: list[tuple[str, TruthLine]] = []
    tables = []
    for sample in SAMPLES:
        if only and sample.name not in only:
            continue
        scene = sample.make()
        counted = figures(scene)
        frames = save(scene, out / sample.name)
        truth += [(sample.name, line) for line in scene.truth]
        tables.append(described(out / sample.name, sample.what, {"frames": frames} | counted))
    if not only:
        tables.append(described(damaged(out), "the VLAN capture cut inside a record", {}))
        manifest.write_truth(folder / "network-truth.csv", truth)
        manifest.write(folder / "manifest.toml", "network", section(folder, tables))


def described(path: Path, what: str, counted: dict[str, int]) -> str:
    """The manifest's table of a file."""
    values: dict[str, manifest.Value] = {"path": f"network/{path.name}", "what": what, **counted}
    values["sha256"] = manifest.digest(path)
    return manifest.table("network.files", values, many=True)


def section(folder: Path, tables: list[str]) -> str:
    """The manifest's section of these captures."""
    labels = folder / "network-truth.csv"
    head: dict[str, manifest.Value] = {
        "what": "packet captures of invented gateways, and of hosts that look like them",
        "made_by": "captures/make_captures.py",
        "access": "192.0.2.0/24",
        "labels": labels.name,
        "labels_sha256": manifest.digest(labels),
    }
    return "\n".join([manifest.table("network", head), *tables])


def damaged(out: Path) -> Path:
    """A capture that ends inside a record, as a full disk leaves it."""
    whole = out / "whole.pcap"
    save(of_gateway(PLAIN, "vlan"), whole)
    data, path = whole.read_bytes(), out / "damaged.pcap"
    whole.unlink()
    end = 24
    while end < DAMAGED_OCTETS:
        end += 16 + struct.unpack_from("<I", data, end + 8)[0]
    path.write_bytes(data[: end - 77])
    return path


def main() -> None:
    """Make the captures where the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="target folder")
    parser.add_argument("--only", nargs="*", help="names of samples; truth and manifest stay")
    chosen = parser.parse_args()
    make(chosen.out, chosen.only)


if __name__ == "__main__":
    main()
