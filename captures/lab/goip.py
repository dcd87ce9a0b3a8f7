"""What a GoIP sends beside calls: its boot, and the reports of each line to the manager.

Written from the grammar of the makers' interface document; passwords are the letter x.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.identities import Line
from lab.scene import Scene, rng_of
from lab.wire import octets_of

if TYPE_CHECKING:
    from lab.gateway import Placed

MAC = "38:3f:10:00:5e:{:02x}"  # the maker's prefix, an invented rest
SERIAL = "8MCDRM00000042"
KEEPALIVE_S, MANAGER_PORT, FIRST_PORT = 30.0, 44_444, 10_990
ROUND_TRIP_S = 0.045
RESOLVERS = ("192.0.2.1", "198.51.100.53", "203.0.113.53")
DDNS_SERVER, CLOCK, MAKER_CLOCK = "203.0.113.90", "203.0.113.123", "203.0.113.91"
REMOTE_SERVER, REMOTE_PORT, REMOTE_KEY = "203.0.113.92", 1920, b"dbl#admin"
DNS_ID = 0x67C6
NOBODY = ("0.0.0.0", 68), ("255.255.255.255", 67)  # noqa: S104  # DHCP before the lease
AREA, CELL = 0x1A2B, 0x3C4D


@dataclass(frozen=True)
class Desk:
    """Where the lines of a box report, and for how long."""

    address: str
    manager: str
    seconds: float
    seed: int
    cell: tuple[int, int] = (AREA, CELL)  # location area and cell identity


def mac(address: str) -> str:
    """The MAC address of the box at an address."""
    return MAC.format(sum(address.encode()) % 256)


def boot(scene: Scene, address: str, lines: Sequence[Line]) -> None:
    """DHCP, DNS, NTP and the maker's DDNS, as the box starts."""
    rng = rng_of(len(lines), address)
    if ":" not in address:
        lease(scene, address)
    for i, name in enumerate(("pool.ntp.org", "www.gontp.com", "gontp.org")):
        for resolver in RESOLVERS:
            _ask(scene, 0.5 + i * 0.4, (address, resolver), name)
    v6 = ":" in address
    clocks = [f"2001:db8:123::{i}" if v6 else c for i, c in enumerate((CLOCK, MAKER_CLOCK))]
    plain = bytes([0x1B]) + bytes(47)
    scene.say(1.9, (address, 2123), (clocks[0], 123), plain)
    scene.say(1.95, (clocks[0], 123), (address, 2123), bytes([0x1C, 2, 6, 0xEC]) + rng.bytes(44))
    scene.say(2.2, (address, 2124), (clocks[1], 123), bytes([0x1B]) + bytes(47) + rng.bytes(16))
    scene.say(2.25, (clocks[1], 123), (address, 2124), bytes([0xDC]) + rng.bytes(63))
    long = bytes([0x1B]) + bytes(47) + rng.bytes(112) + bytes(912)
    scene.say(2.4, (address, 2125), (clocks[1], 123), long)
    server = "2001:db8:90::1" if v6 else DDNS_SERVER
    head = bytes.fromhex("86701413")
    scene.say(3.0, (address, 56_000), (server, 39_800), head + b"\1" + SERIAL.encode())
    reply = head + b"\0" + address.encode() + b"\tline0042.example"
    scene.say(3.06, (server, 39_800), (address, 56_000), reply)


def lease(scene: Scene, address: str) -> None:
    """DHCP: the class and option order of the box."""
    hardware = octets_of(mac(address))
    own = bytes(int(part) for part in address.split("."))
    router = bytes(int(part) for part in RESOLVERS[0].split("."))
    asked = bytes([55, 9, 1, 3, 6, 12, 15, 28, 66, 120, 166])
    client = b"\x3d\x07\x01" + hardware + b"\x3c\x03dbl"
    given = b"\x36\x04" + router + struct.pack("!BBI", 51, 4, 86_400) + b"\x01\x04\xff\xff\xff\0"
    wanted = b"\x32\x04" + own + b"\x36\x04" + router
    steps = (
        (0.00, 1, client + asked, True),
        (0.02, 2, given, False),
        (0.04, 3, client + wanted + asked, True),
        (0.06, 5, given + b"\x03\x04" + router + b"\x06\x04" + router, False),
    )
    for at, kind, options, up in steps:
        yours = bytes(4) if up else own
        message = struct.pack(
            "!BBBBIHH4s4s4s4s",
            1 if up else 2,
            1,
            6,
            0,
            0x5EED,
            0,
            0,
            *(bytes(4), yours, bytes(4), bytes(4)),
        )
        message += hardware + bytes(202) + bytes.fromhex("63825363") + bytes([53, 1, kind])
        message = (message + options + b"\xff").ljust(548, b"\0")
        ends = NOBODY if up else ((RESOLVERS[0], 67), (address, 68))
        scene.say(at, ends[0], ends[1], message)


def remote_control(scene: Scene, address: str, seconds: float) -> None:
    """The two connections to the maker's remote access server, opened anew every half minute.

    Each begins with its kind and the serial number under RC4 with the default key.
    """
    server = ("2001:db8:90::2" if ":" in address else REMOTE_SERVER, REMOTE_PORT)
    for i, at in enumerate(float(t) for t in range(5, int(seconds) - 2, 30)):
        for j, kind in enumerate(("RADMIN", "TELNET")):
            own = (address, 33_000 + 2 * i + j)
            hello = sealed(f"{kind}: {SERIAL}\n".encode())
            scene.write((at + j * 0.4, own, server, hello), own, server)


def sealed(text: bytes) -> bytes:
    """The text under RC4; both directions start the key stream afresh."""
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + REMOTE_KEY[i % len(REMOTE_KEY)]) % 256
        box[i], box[j] = box[j], box[i]
    out, j = bytearray(), 0
    for i, octet in enumerate(text, 1):
        j = (j + box[i % 256]) % 256
        box[i % 256], box[j] = box[j], box[i % 256]
        out.append(octet ^ box[(box[i % 256] + box[j]) % 256])
    return bytes(out)


def _ask(scene: Scene, at: float, ends: tuple[str, str], name: str) -> None:
    """A DNS question with the number that every boot repeats, and its answer."""
    address, resolver = ends
    if ":" in address:
        resolver = f"2001:db8:53::{RESOLVERS.index(resolver) + 1}"
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    question = labels + struct.pack("!HH", 1, 1)
    own = (address, 40_001)
    head = struct.pack("!6H", DNS_ID, 0x0100, 1, 0, 0, 0)
    scene.say(at, own, (resolver, 53), head + question)
    found = bytes(int(p) for p in (MAKER_CLOCK if "gontp" in name else CLOCK).split("."))
    record = struct.pack("!HHHIH4s", 0xC00C, 1, 1, 600, 4, found)
    head = struct.pack("!6H", DNS_ID, 0x8180, 1, 1, 0, 0)
    scene.say(at + 0.03, (resolver, 53), own, head + question + record)


def keepalives(scene: Scene, desk: Desk, lines: Sequence[Line], calls: Sequence[Placed]) -> None:
    """Each line's report every half minute, and the manager's answer."""
    rng = rng_of(desk.seed, "keepalives")
    for line in lines:
        busy = [(c.dial.at, c.dial.end) for c in calls if c.port == line.port]
        at, count = 4 + 0.31 * line.port + float(rng.uniform(0, 0.2)), 0
        while at < desk.seconds:
            count += 1
            state = "ACTIVE" if any(begin <= at < end for begin, end in busy) else "IDLE"
            text = (
                f"req:{count};id:{line.account};pass:x;num:{line.number};"
                f"signal:{int(rng.integers(17, 25))};gsm_status:LOGIN;voip_status:LOGIN;"
                f"voip_state:{state};remain_time:-1;imei:{line.imei};imsi:{line.imsi};"
                f"iccid:{line.iccid};pro:TEST NET;idle:{0 if state != 'IDLE' else count % 7};"
                "disable_status:0;SMS_LOGIN:N;SMB_LOGIN:;"
                f"CELLINFO:LAC:{desk.cell[0]:04X},CELL ID:{desk.cell[1]:04X};CGATT:Y;"
            )
            _report(scene, at, (desk, line), text, f"reg:{count};status:200;")
            at += KEEPALIVE_S + float(rng.normal(0, 0.01))


def _report(scene: Scene, at: float, who: tuple[Desk, Line], text: str, answer: str) -> None:
    desk, line = who
    own, manager = (desk.address, FIRST_PORT + line.port), (desk.manager, MANAGER_PORT)
    scene.say(at, own, manager, text.encode())
    scene.say(at + ROUND_TRIP_S, manager, own, answer.encode())


def events(scene: Scene, desk: Desk, lines: Sequence[Line], calls: Sequence[Placed]) -> None:
    """STATE, RECORD and HANGUP of each call on a port."""
    for line in lines:
        number = 60_000
        for call in (c for c in calls if c.port == line.port):
            for at, tag, rest in _story(call):
                number -= 1
                text = f"{tag}:{number};id:{line.account};password:x;{rest};"
                _report(scene, at, (desk, line), text, f"{tag} {number} OK")


def _story(call: Placed) -> list[tuple[float, str, str]]:
    """What the port tells of a call out: when, tag, keys."""
    dial = call.dial
    ringing, answered = dial.at + dial.setup, dial.at + dial.setup + dial.ring
    told = [
        (dial.at + 0.03, "RECORD", f"dir:2;num:{dial.called}"),
        (dial.at + 0.05, "STATE", f"gsm_remain_state:DIALING:{dial.called}"),
    ]
    cause = {"answered": "NORMAL", "busy": "BUSY", "unknown": "UNALLOCATED"}
    if dial.outcome not in {"busy", "unknown"}:
        told.append((ringing, "STATE", f"gsm_remain_state:ALERTING:{dial.called}"))
    if dial.talk:
        told.append((answered, "STATE", f"gsm_remain_state:CONNECTED:{dial.called}"))
    over = f"num:{dial.called},cause:{cause.get(dial.outcome, 'NO ANSWER')}"
    told.append((dial.end + 0.01, "HANGUP", over))
    told.append((dial.end + 0.02, "STATE", "gsm_remain_state:IDLE"))
    return told
