"""A GSM gateway: a far softswitch sends calls in, each port puts them into the mobile network."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lab import goip
from lab.identities import Line, Rng, strangers
from lab.scene import START, Scene, TruthLine, rng_of
from lab.sip import Account, Agent, Dial, Style, place, register

GOIP = Style(
    user_agent="dble",
    allow="INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER, REGISTER, MESSAGE, INFO, SUBSCRIBE",
    max_forwards=30,
    decimal=True,
    user_phone=True,
    origin="userX 20000001 20000001",
    session="A call",
    codecs=(8, 0, 18),
    busy="480 Remote Busy",
)
MASKED = Style(
    user_agent="IPPBX 4.2", origin="pbx {key} {key}", codecs=(8, 0), busy="486 Busy Here"
)
SOFTSWITCH = Style(user_agent="TransitSwitch 3", origin="switch {key} {key}", session="transit")
BOX = "192.0.2.44"
SERVERS = ("198.51.100.20", "203.0.113.77", "198.51.100.61")


@dataclass(frozen=True)
class Gateway:
    """A box and how it is run."""

    ports: int = 4
    minutes: float = 10.0
    seed: int = 1
    address: str = BOX
    inside: str | None = None  # LAN address behind NAT, which its messages give away
    servers: tuple[str, ...] = SERVERS[:1]  # softswitches that send calls in
    manager: str = "198.51.100.30"  # where the lines report
    masked: bool = False  # other spelling, other ports, no management traffic
    trunk: bool = False  # no REGISTER; masked boxes need none either
    codec: int = 8  # payload type: 8 PCMA, 0 PCMU, 18 G.729
    ptime: int = 20
    start: int = START  # seconds since 1970-01-01 UTC
    load: float = 1.5  # offered calls at a time over ports
    answered: float = 0.42
    talk_s: float = 34.0  # median
    pause_s: float = 3.0  # a port rests after a call
    rings_back: float = 0.02  # of the called: the port's card is called
    transport: str = "udp"
    prefix: str = ""  # routing digits before the called number
    boots: bool = True  # at the start, with DHCP, DNS, NTP and DDNS
    cell: tuple[int, int] = (goip.AREA, goip.CELL)  # where it stands

    @property
    def seconds(self) -> float:
        return self.minutes * 60

    @property
    def agent(self) -> Agent:
        """The box as a SIP user agent."""
        style = MASKED if self.masked else GOIP
        style = replace(style, codecs=(self.codec,), ptime=self.ptime)
        if self.masked:
            return Agent(self.address, style, 6072, self.inside, 42_000, self.transport)
        port = 5070 if self.transport == "tcp" else 5060
        return Agent(self.address, style, port, self.inside, 16_384, self.transport)

    def softswitch(self, which: int) -> Agent:
        """One of those who send calls in."""
        style = replace(SOFTSWITCH, codecs=(self.codec,), ptime=self.ptime)
        address = self.servers[which % len(self.servers)]
        return Agent(address, style, 5060, None, 24_000, self.transport)


@dataclass(frozen=True)
class Placed:
    """A call on a port; port 0 is one that found no port free."""

    port: int
    server: int
    dial: Dial


def offered(box: Gateway) -> list[Placed]:
    """Calls offered at random: each takes the port that has rested longest, if any is free."""
    rng = rng_of(box.seed, "offered")
    hold = 5.5 + 11 + box.answered * box.talk_s * 1.45
    rate = box.load * box.ports / hold
    count = max(4, int(rate * box.seconds * 1.3) + 20)
    gaps = rng.exponential(1 / rate, count)
    arrivals = 4 + np.cumsum(np.r_[rng.uniform(0.4, 1.2, box.ports), gaps[: -box.ports]])
    free = [(0.0, port) for port in range(1, box.ports + 1)]
    found = []
    for at, number in zip(arrivals.tolist(), strangers(rng, count), strict=True):
        dial = _dial(rng, box, at, number)
        if at >= box.seconds - 2:
            break
        if free[0][0] > at:
            busy = replace(dial, setup=0.08, outcome="busy", talk=0.0)
            found.append(Placed(0, int(rng.integers(0, 9)), busy))
            continue
        port = heapq.heappop(free)[1]
        heapq.heappush(free, (dial.end + box.pause_s, port))
        found.append(Placed(port, int(rng.integers(0, 9)), dial))
    return found


def _dial(rng: Rng, box: Gateway, at: float, number: str) -> Dial:
    """What becomes of a call: mobile networks take seconds, and most calls are not answered."""
    missed = ("busy", "no answer", "cancelled", "unknown")
    if rng.random() < box.answered:
        outcome = "answered"
    else:
        outcome = str(rng.choice(missed, p=[0.3, 0.3, 0.3, 0.1]))
    ring = rng.uniform(3, 22) if outcome == "answered" else rng.uniform(15, 45)
    talk = min(box.talk_s * float(np.exp(rng.normal(0, 0.9))), 900.0)
    return Dial(
        at=at,
        caller=str(int(rng.integers(10**7, 10**8))),
        called=box.prefix + number,
        setup=float(np.clip(np.exp(rng.normal(np.log(4.6), 0.25)), 2.6, 9)),
        ring=float(ring) if outcome != "busy" else 0.0,
        talk=talk if outcome == "answered" else 0.0,
        outcome=outcome,
        hangup="called" if rng.random() < 0.6 else "caller",
    )


def run(scene: Scene, box: Gateway, lines: Sequence[Line], calls: Sequence[Placed]) -> None:
    """Everything that the box and its far ends send, and the truth about its lines."""
    rng = rng_of(box.seed, "run")
    agent = box.agent
    if box.boots and not box.masked:
        goip.boot(scene, box.address, lines)
        goip.remote_control(scene, box.address, box.seconds)
    if not box.masked:
        goip.keepalives(scene, _desk(box), lines, calls)
        goip.events(scene, _desk(box), lines, calls)
    if not (box.trunk or box.masked):
        for line in lines:
            account = Account(line.account, first=6 + 0.7 * line.port)
            register(scene, rng, (agent, box.softswitch(0)), account, box.seconds)
    accounts = {line.port: line.account for line in lines}
    for call in calls:
        dial = call.dial
        if not (box.trunk or box.masked):
            dial = replace(dial, account=accounts.get(call.port, lines[0].account))
        place(scene, rng, (box.softswitch(call.server), agent), dial)
        if call.port and dial.outcome != "unknown" and rng.random() < box.rings_back:
            _ring_back(scene, rng, box, (call, accounts[call.port]))
    scene.truth += truth(box, lines, calls)


def _ring_back(scene: Scene, rng: Rng, box: Gateway, rung: tuple[Placed, str]) -> None:
    """A called person rings the card: the box sends an INVITE to its server, which refuses."""
    call, account = rung
    back = Dial(
        at=call.dial.end + 0.4,
        caller=call.dial.called.removeprefix(box.prefix),
        called=account,
        setup=0.3,
        outcome="busy",
    )
    place(scene, rng, (box.agent, box.softswitch(0)), back)


def _desk(box: Gateway) -> goip.Desk:
    return goip.Desk(box.address, box.manager, box.seconds, box.seed, box.cell)


def truth(box: Gateway, lines: Sequence[Line], calls: Sequence[Placed]) -> list[TruthLine]:
    """One row a line."""
    return [
        TruthLine(
            host=box.address,
            kind="gateway",
            ports=box.ports,
            port=line.port,
            account=None if box.trunk or box.masked else line.account,
            number=None if box.masked else line.number,
            imsi=None if box.masked else line.imsi,
            imei=None if box.masked else line.imei,
            iccid=None if box.masked else line.iccid,
            calls=sum(call.port == line.port for call in calls),
            answered=sum(
                c.port == line.port and c.dial.answered_before(box.seconds) for c in calls
            ),
        )
        for line in lines
    ]
