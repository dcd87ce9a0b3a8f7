"""Hosts that look like gateways in one way or another and are none."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

import numpy as np

from lab.identities import Rng, strangers
from lab.scene import Scene, TruthLine, rng_of
from lab.sip import Account, Agent, Dial, Style, bracketed, place, register, token, via, with_body

OPERATOR = Agent("198.51.100.5", Style("Operator SBC 7", session="sbc"), media_base=30_000)
OFFICE = Style("OfficePBX 16.2", origin="root {key} {key}", session="OfficePBX")
HOME = Style("HomeBox 7.31", origin="homebox {key} {key}", session="call")
FLOOR = Style("Dialplan Suite 9", origin="suite {key} {key}", session="Dialplan")
BRIDGE = Style("Conference 2", origin="bridge {key} {key}", session="room")
SCANNER = Style("friendly-scanner", origin="sipsscuser {key} {key}")


@dataclass(frozen=True)
class Site:
    """A host, for how long, and its dice."""

    address: str = "192.0.2.60"
    minutes: float = 10.0
    seed: int = 1

    @property
    def seconds(self) -> float:
        return self.minutes * 60

    def agent(self, style: Style, **more: int) -> Agent:
        """The host as a SIP user agent."""
        return Agent(self.address, style, **more)


@dataclass(frozen=True)
class Habit:
    """How a site telephones."""

    calls_a_minute: float
    at_once: int  # lines to the operator
    talk_s: float
    answered: float
    outgoing: float  # share of the calls
    contacts: int  # people it talks to; 0: strangers
    own: tuple[str, ...]  # its numbers


def calls_of(rng: Rng, site: Site, habit: Habit) -> list[tuple[bool, Dial]]:
    """Calls out (True) and in; never more at once than there are lines."""
    known = strangers(rng, habit.contacts) if habit.contacts else []
    found: list[tuple[bool, Dial]] = []
    at = 3 + float(rng.exponential(20 / habit.calls_a_minute))
    while at < site.seconds - 2:
        rank = min(int(rng.zipf(1.5)) - 1, habit.contacts - 1)
        other = known[rank] if known else strangers(rng, 1)[0]
        own = str(rng.choice(habit.own))
        out = bool(rng.random() < habit.outgoing)
        answered = rng.random() < habit.answered
        missed = str(rng.choice(["busy", "no answer", "cancelled"], p=[0.25, 0.25, 0.5]))
        dial = Dial(
            at=at,
            caller=own if out else other,
            called=other if out else own,
            setup=float(np.clip(rng.lognormal(np.log(0.9), 0.4), 0.2, 3)),
            ring=float(rng.uniform(2, 14)) if answered else float(rng.uniform(10, 30)),
            talk=float(min(rng.lognormal(np.log(habit.talk_s), 0.9), 1800)) if answered else 0,
            outcome="answered" if answered else missed,
            hangup=str(rng.choice(["caller", "called"])),
            early=bool(rng.random() < 0.3),
        )
        if sum(d.at <= at < d.end for _, d in found) < habit.at_once:
            found.append((out, dial))
        at += float(rng.exponential(60 / habit.calls_a_minute))
    return found


def telephone(scene: Scene, site: Site, agent: Agent, habit: Habit, kind: str) -> None:
    """The site's calls through its operator, both ways."""
    rng = rng_of(site.seed, kind)
    calls = calls_of(rng, site, habit)
    for out, dial in calls:
        place(scene, rng, (agent, OPERATOR) if out else (OPERATOR, agent), dial)
    answered = sum(dial.answered_before(site.seconds) for _, dial in calls)
    scene.truth.append(
        TruthLine(
            host=site.address, kind=kind, number=habit.own[0], calls=len(calls), answered=answered
        )
    )


def numbers(site: Site, count: int) -> tuple[str, ...]:
    """Numbers in a row that the operator gave to the site."""
    first = 5_000_000 + 97 * site.seed
    return tuple(f"9992157{first + i}" for i in range(count))


def office_pbx(scene: Scene, site: Site, *, users: int = 12, lines: int = 8) -> None:
    """An office's PBX: one trunk account, calls both ways, mostly with the same people."""
    own = numbers(site, users)
    agent = site.agent(OFFICE, media_base=10_000)
    account = Account(own[0], period=270, expires=300)
    rng = rng_of(site.seed, "trunk")
    register(scene, rng, (agent, OPERATOR), account, site.seconds)
    habit = Habit(users / 10, lines, 110, 0.72, 0.5, 40, own)
    telephone(scene, site, agent, habit, "office pbx")


def home_voip(scene: Scene, site: Site) -> None:
    """A household's box: one account, a call now and then."""
    own = numbers(site, 1)
    agent = site.agent(HOME, media_base=7078)
    rng = rng_of(site.seed, "home")
    account = Account(own[0], period=285, expires=300)
    register(scene, rng, (agent, OPERATOR), account, site.seconds)
    telephone(scene, site, agent, Habit(0.35, 2, 140, 0.8, 0.5, 9, own), "home voip")


def call_centre(scene: Scene, site: Site, *, agents: int = 10) -> None:
    """Agents who call strangers through the operator that the firm has a contract with."""
    own = numbers(site, 2)
    agent = site.agent(FLOOR, media_base=12_000)
    rng = rng_of(site.seed, "centre")
    register(scene, rng, (agent, OPERATOR), Account(own[0], 270, 300), site.seconds)
    habit = Habit(agents * 1.5, agents, 62, 0.4, 0.93, 0, own)
    telephone(scene, site, agent, habit, "call centre")


def conference_bridge(scene: Scene, site: Site, *, rooms: int = 3, people: int = 9) -> None:
    """People ring into rooms on the hour and stay until the end."""
    rng, own = rng_of(site.seed, "bridge"), numbers(site, 1)
    agent = site.agent(BRIDGE, media_base=20_000)
    count = 0
    for room in range(rooms):
        begins = 8 + room * site.seconds / (rooms + 0.5)
        for guest in strangers(rng, people):
            at = begins + float(rng.exponential(25))
            stay = max(site.seconds * 0.6 - (at - begins) + float(rng.normal(0, 8)), 20)
            dial = Dial(at, guest, own[0], 0.3, 0.4, stay, hangup="caller", early=False)
            place(scene, rng, (OPERATOR, agent), dial)
            count += at < site.seconds - 1
    line = TruthLine(site.address, "conference bridge", number=own[0], calls=count, answered=count)
    scene.truth.append(line)


def sip_scanner(scene: Scene, site: Site, *, target: str = "192.0.2.60") -> None:
    """One who tries doors: OPTIONS, then REGISTER of account after account, then INVITEs."""
    rng = rng_of(site.seed, "scanner")
    agent = Agent(site.address, SCANNER, 5083)
    victim = Agent(target, OFFICE)
    at, tries = 1.0, int(site.seconds * 4)
    for i in range(tries):
        method = "OPTIONS" if i < tries // 8 else "REGISTER" if i < tries * 3 // 4 else "INVITE"
        user = "100" if method == "OPTIONS" else str(100 + i % 900)
        number = f"00{int(rng.integers(1, 99)):02d}999150000{i % 1000:03d}"
        _knock(scene, rng, at, (agent, victim), (method, number if method == "INVITE" else user))
        at += float(rng.exponential(0.24))
    scene.truth.append(TruthLine(site.address, "sip scanner"))
    scene.truth.append(TruthLine(target, "scanned pbx"))


def _knock(
    scene: Scene, rng: Rng, at: float, sides: tuple[Agent, Agent], asked: tuple[str, str]
) -> None:
    """One request and the refusal."""
    agent, victim = sides
    method, user = asked
    host, tag = bracketed(victim.address), token(rng, agent.style)
    target = f"sip:{host}" if method == "REGISTER" else f"sip:{user}@{host}"
    hop = via(agent, token(rng, agent.style))
    kept = (
        f'From: "{user}" <sip:{user}@{host}>;tag={tag}\r\nTo: <sip:{user}@{host}>{{}}\r\n'
        f"Call-ID: {int(rng.integers(10**9, 10**12))}\r\nCSeq: 1 {method}\r\n"
    )
    head = (
        f"{method} {target} SIP/2.0\r\n{hop}{kept.format('')}Max-Forwards: 70\r\n"
        f"Contact: <sip:{user}@{agent.own}:{agent.port}>\r\nUser-Agent: friendly-scanner\r\n"
    )
    scene.say(at, agent.end, victim.end, with_body(head).encode())
    answers = {"OPTIONS": "200 OK", "REGISTER": "401 Unauthorized", "INVITE": "404 Not Found"}
    answer = (
        f"SIP/2.0 {answers[method]}\r\n{hop}{kept.format(f';tag=v{tag}')}"
        f"Server: {victim.style.user_agent}\r\n"
    )
    scene.say(at + 0.02, victim.end, agent.end, with_body(answer).encode())
    if method == "INVITE":
        ack = f"ACK {target} SIP/2.0\r\n{hop}{kept.format(f';tag=v{tag}')}"
        ack = ack.replace("CSeq: 1 INVITE", "CSeq: 1 ACK")
        scene.say(at + 0.06, agent.end, victim.end, with_body(ack).encode())


def softphones(scene: Scene, site: Site, *, people: int = 3) -> None:
    """Apps that call each other: STUN, then Opus of changing size, sealed."""
    rng = rng_of(site.seed, "softphones")
    relay = ("203.0.113.140", 3478)
    for person in range(people):
        own = (site.address, 50_000 + 11 * person)
        at = 5 + float(rng.uniform(0, site.seconds / 3))
        talk = min(float(rng.lognormal(np.log(90), 0.6)), site.seconds - at - 3)
        for i in range(int(talk / 15) + 2):
            _bind(scene, rng, at + i * 15, (own, relay))
        _sealed(scene, rng, (at + 1, talk), (own, relay))
    line = TruthLine(site.address, "softphone users", calls=people, answered=people)
    scene.truth.append(line)


def _bind(scene: Scene, rng: Rng, at: float, ends: tuple[tuple[str, int], tuple[str, int]]) -> None:
    """A STUN binding request and its answer (RFC 8489)."""
    key = struct.pack("!I", 0x2112A442) + rng.bytes(12)
    scene.say(at, ends[0], ends[1], struct.pack("!HH", 1, 0) + key)
    mapped = struct.pack("!HHBBHI", 0x20, 8, 0, 1, 0x1234, 0xC0000201)
    scene.say(at + 0.03, ends[1], ends[0], struct.pack("!HH", 0x101, len(mapped)) + key + mapped)


def _sealed(
    scene: Scene,
    rng: Rng,
    span: tuple[float, float],
    ends: tuple[tuple[str, int], tuple[str, int]],
) -> None:
    """Secure RTP with Opus, both ways: sizes follow the voice, silence is not sent."""
    for src, dst in (ends, ends[::-1]):
        ssrc = int(rng.integers(1, 1 << 32))
        count = int(span[1] * 50)
        loud = np.repeat(rng.random(count // 40 + 1) < 0.55, 40)[:count]
        sizes = np.where(loud, rng.normal(88, 17, count), 11).clip(8, 160).astype(int)
        for k in np.flatnonzero(loud | (np.arange(count) % 20 == 0)).tolist():
            head = struct.pack("!BBHII", 0x80, 111, k & 0xFFFF, k * 960, ssrc)
            at = span[0] + k * 0.02 + float(rng.exponential(0.002))
            scene.say(at, src, dst, head + rng.bytes(int(sizes[k])))


def operator_sbc(scene: Scene, site: Site, *, households: int = 40) -> None:
    """The operator's own SBC: many boxes register with it and call through it."""
    for i in range(households):
        home = replace(site, address=f"10.20.{i // 200}.{i % 200 + 10}", seed=site.seed + i)
        home_voip(scene, home)
    scene.truth.append(TruthLine(OPERATOR.address, "operator sbc"))
