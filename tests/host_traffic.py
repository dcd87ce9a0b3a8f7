"""Small worlds of captured voice: hosts whose kind is known, as rows of the canonical tables."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from simbox.tables import DIALOGS, EVIDENCE, SIGHTINGS, STREAMS, TUNNELS

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GATEWAY, BUYER, OPERATOR = "192.0.2.10", "198.51.100.7", "203.0.113.5"
TABLES = {t.name: t for t in (DIALOGS, STREAMS, SIGHTINGS, EVIDENCE, TUNNELS)}


class World:
    """Rows of a capture, written call by call."""

    def __init__(self, seed: int = 1) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.random = random.Random(seed)

    def tables(self) -> Mapping[str, pl.DataFrame]:
        """The rows as canonical tables."""
        return {
            name: pl.DataFrame(
                [{c: row.get(c) for c in TABLES[name].schema} for row in rows],
                schema=TABLES[name].schema, orient="row",
            ) if rows else TABLES[name].empty()
            for name, rows in ((n, self.rows[n]) for n in TABLES)
        }  # fmt: skip

    def sides(self, **named: str) -> pl.DataFrame:
        """Every address as not known, those named aside."""
        hosts = {
            r[k] for t in self.rows.values() for r in t for k in ("src", "dst", "host") if k in r
        }
        rows = [(h, named.get(h.replace(".", "_"), "unknown")) for h in sorted(hosts)]
        return pl.DataFrame(rows, schema=["host", "side"], orient="row")

    def dialog(self, at: float, src: str, dst: str, **more: Any) -> dict[str, Any]:
        """A dialog that begins so many seconds into the capture."""
        number = len(self.rows["dialogs"]) + 1
        start = START + timedelta(seconds=at)
        row = {
            "start": start, "last_seen": start, "protocol": "sip", "method": "INVITE",
            "call_id": f"call-{number}", "src": src, "dst": dst, "messages": 6, "source": "a.pcap",
            "frame": number, **more,
        }  # fmt: skip
        self.rows["dialogs"].append(row)
        return row

    def call(
        self, at: float, ends: tuple[str, str], users: tuple[str, str], ring: float, talk: float,
        **more: Any,
    ) -> None:  # fmt: skip
        """A call from one end to the other: rings, is answered three seconds later, talks."""
        row = self.dialog(at, *ends, from_user=users[0], request_user=users[1], **more)
        start = row["start"]
        row["ringing_at"] = start + timedelta(seconds=ring)
        row["pdd_s"] = ring
        if talk <= 0:
            row["status_code"] = row.get("status_code") or 480
            row["end"] = row["last_seen"] = start + timedelta(seconds=ring + 20)
            return
        row["status_code"] = 200
        row["answered_at"] = start + timedelta(seconds=ring + 3)
        row["end"] = row["last_seen"] = start + timedelta(seconds=ring + 3 + talk)
        if row.get("media", True):
            self.stream(row, *ends)
            self.stream(row, *reversed(ends))

    def stream(self, call: Mapping[str, Any], src: str, dst: str, codec: str = "PCMA") -> None:
        """The media of a call in one direction."""
        number = len(self.rows["streams"]) + 1
        seconds = (call["end"] - call["answered_at"]).total_seconds()
        self.rows["streams"].append(
            {
                "start": call["answered_at"], "end": call["end"], "src": src, "src_port": 10_000,
                "dst": dst, "dst_port": 20_000, "ssrc": number, "payload_type": 8,
                "codec": call.get("codec", codec), "ptime_ms": 20.0, "packets": int(50 * seconds),
                "octets": int(8000 * seconds), "lost": 0, "disordered": 0, "silence": False,
                "tunnelled": 0, "announced": True, "protocol": "sip", "call_id": call["call_id"],
                "source": "a.pcap", "first_frame": number, "last_frame": number,
            }
        )  # fmt: skip

    def register(self, host: str, accounts: Iterable[str], server: str, **more: Any) -> None:
        """A granted registration of each account."""
        for number, account in enumerate(accounts):
            self.dialog(
                number / 10, host, server, method="REGISTER", to_user=account, status_code=200,
                expires=more.get("expires", 60), user_agent=more.get("agent", "Phone 1.0"),
            )  # fmt: skip

    def stranger(self) -> str:
        """A number of the whole numbering plan, of a prefix that is not given out."""
        return f"9{self.random.randrange(10**9):09d}"

    def evidence(self, host: str, grade: str, product: str = "Example Gateway") -> None:
        """A signature that matched."""
        self.rows["evidence"].append(
            {
                "host": host, "signature": f"sig-{grade}-{len(self.rows['evidence'])}",
                "product": product, "grade": grade, "time": START, "last_seen": START, "count": 3,
                "source": "a.pcap", "frame": 1,
            }
        )  # fmt: skip


def gateway(ports: int, minutes: float = 10.0, *, registered: bool = True) -> World:
    """Ports that take one sold call after another, with pauses and calls that nobody takes."""
    world = World(ports)
    if registered:
        world.register(GATEWAY, [f"{2000 + n}" for n in range(ports)], BUYER)
    for port in range(ports):
        at = port * 1.5
        while at < minutes * 60:
            ring = world.random.uniform(3.0, 8.0)
            answered = world.random.random() < 0.55
            talk = world.random.uniform(15, 120) if answered else 0.0
            world.call(at, (BUYER, GATEWAY), ("caller", world.stranger()), ring, talk)
            at += ring + (talk + 3 if talk else 20) + world.random.uniform(1, 8)
    return world


def tunnelled_gateway(ports: int = 8) -> World:
    """Nothing but calls inside WireGuard for twenty minutes."""
    world = World(3)
    calls = [min(ports, max(1, ports - world.random.choice((0, 0, 1, 2)))) for _ in range(120)]
    world.rows["tunnels"].append(
        {
            "host": GATEWAY, "host_port": 51820, "peer": BUYER, "peer_port": 51820,
            "kind": "wireguard", "codec": "G.711 20 ms", "start": START,
            "end": START + timedelta(minutes=20), "windows": 120, "share": 0.97,
            "calls_max": ports, "calls_mean": sum(calls) / 120, "calls": calls, "size_share": 0.95,
            "source": "a.pcap", "first_frame": 1,
        }
    )  # fmt: skip
    return world


def office_pbx() -> World:
    """A trunk of an office: called at its block of numbers, calling customers."""
    world = World(5)
    world.register(GATEWAY, ["trunk01"], OPERATOR, expires=3600)
    customers = [world.stranger() for _ in range(40)]
    for number in range(60):
        own, other = f"9555000{world.random.randrange(30):03d}", world.random.choice(customers)
        at, talk = world.random.uniform(0, 3000), world.random.expovariate(1 / 150)
        if number % 2:
            world.call(at, (OPERATOR, GATEWAY), (other, own), 0.8, talk)
        else:
            world.call(at, (GATEWAY, OPERATOR), (own, other), 1.5, talk)
    return world


def incoming_office() -> World:
    """A support desk: it is called all day at the numbers of its block and hardly calls."""
    world = World(6)
    for _ in range(80):
        own = f"9555000{world.random.randrange(12):03d}"
        at, talk = world.random.uniform(0, 3000), world.random.expovariate(1 / 200)
        world.call(at, (OPERATOR, GATEWAY), (world.stranger(), own), 0.5, talk)
    for _ in range(8):
        at = world.random.uniform(0, 3000)
        world.call(at, (GATEWAY, OPERATOR), ("9555000001", world.stranger()), 1.5, 60)
    return world


def home_box() -> World:
    """A household's telephone."""
    world = World(7)
    world.register(GATEWAY, ["9555123456"], OPERATOR)
    friends = [world.stranger() for _ in range(6)]
    for number in range(12):
        users = (world.random.choice(friends), "9555123456")
        ends = (OPERATOR, GATEWAY) if number % 2 else (GATEWAY, OPERATOR)
        world.call(number * 700, ends, users if number % 2 else users[::-1], 1.2, 180)
    return world


def call_centre() -> World:
    """Thirty agents whose host sends calls to strangers to an operator."""
    world = World(8)
    world.register(GATEWAY, ["trunk30"], OPERATOR, expires=3600)
    for agent in range(30):
        at = agent * 2.0
        while at < 1800:
            talk = world.random.uniform(20, 200) if world.random.random() < 0.5 else 0.0
            world.call(at, (GATEWAY, OPERATOR), ("9555000100", world.stranger()), 3.5, talk)
            at += 30 + talk
    return world


def conference_bridge() -> World:
    """Many people calling one room."""
    world = World(9)
    for _ in range(60):
        at = world.random.uniform(0, 900)
        world.call(at, (OPERATOR, GATEWAY), (world.stranger(), "9555777000"), 0.3, 1500)
    return world


def operator_sbc() -> World:
    """A session border controller with calls both ways between many ends."""
    world = World(10)
    ends = [f"198.51.100.{n}" for n in range(20, 100)]
    for _ in range(400):
        other, at = world.random.choice(ends), world.random.uniform(0, 1800)
        way = (other, GATEWAY) if world.random.random() < 0.5 else (GATEWAY, other)
        world.call(at, way, (world.stranger(), world.stranger()), 2.5, 90)
    return world


def scanner() -> World:
    """A host that tries extensions, and calls abroad, at a telephone system."""
    world = World(11)
    for number in range(120):
        method = ("REGISTER", "INVITE", "OPTIONS")[number % 3]
        status = (401, 404, None)[number % 3]
        world.dialog(
            number * 0.2, GATEWAY, OPERATOR, method=method, request_user=f"{100 + number}",
            to_user=f"{100 + number}", status_code=status,
        )  # fmt: skip
    return world


def softphones() -> World:
    """Calls of applications: media without signalling, in Opus."""
    world = World(12)
    for number in range(12):
        start = START + timedelta(seconds=number * 100)
        call = {"answered_at": start, "end": start + timedelta(seconds=160), "call_id": None,
                "codec": "opus"}  # fmt: skip
        world.stream(call, GATEWAY, BUYER)
        world.stream(call, BUYER, GATEWAY)
    return world


INNOCENT: Mapping[str, Callable[[], World]] = {
    f.__name__: f
    for f in (office_pbx, incoming_office, home_box, call_centre, conference_bridge, operator_sbc,
              softphones)
}  # fmt: skip
