"""SIP user agents (RFC 3261): how each spells its messages, and calls between two of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lab.scene import Scene
from lab.wire import End

Rng = np.random.Generator

COMMON_ALLOW = "INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH"
OCTETS_A_MS = {8: 8, 0: 8, 18: 1}
RATES = {8: "PCMA/8000", 0: "PCMU/8000", 18: "G729/8000", 101: "telephone-event/8000"}
NETWORK_S = 0.022  # one way between access line and server
LARGE = 500  # octets; larger datagrams carry an IP identification, so that they can be cut


@dataclass(frozen=True)
class Style:
    """How a maker's stack spells its messages."""

    user_agent: str
    allow: str = COMMON_ALLOW
    max_forwards: int = 70
    decimal: bool = False  # tags, branches and Call-IDs are decimal numbers
    user_phone: bool = False  # user=phone stands outside of the angle brackets of From
    origin: str = "- {key} {key}"  # of SDP
    session: str = "session"
    codecs: tuple[int, ...] = (8, 0)
    busy: str = "486 Busy Here"
    ptime: int = 20  # milliseconds of voice a packet


@dataclass(frozen=True)
class Agent:
    """A SIP user agent at an address."""

    address: str
    style: Style
    port: int = 5060
    inside: str | None = None  # the address that it believes to have, behind NAT
    media_base: int = 16_384
    transport: str = "udp"

    @property
    def end(self) -> End:
        return self.address, self.port

    @property
    def own(self) -> str:
        """Its own address as it writes it into messages."""
        return bracketed(self.inside or self.address)


@dataclass(frozen=True)
class Dial:
    """One call attempt: what the parties do, in seconds."""

    at: float
    caller: str
    called: str
    setup: float = 0.6  # INVITE to the first sign of ringing
    ring: float = 8.0
    talk: float = 0.0  # 0: not answered
    outcome: str = "answered"  # answered, busy, no answer, unknown, cancelled
    hangup: str = "called"
    early: bool = True  # 183 with early media, else 180
    account: str | None = None  # Contact of the called side

    @property
    def end(self) -> float:
        """When the last message passes, about."""
        quick = self.outcome in {"busy", "unknown"}
        return self.at + self.setup + (0 if quick else self.ring) + self.talk

    def answered_before(self, moment: float) -> bool:
        """The call was answered by then."""
        return self.talk > 0 and self.at + self.setup + self.ring < moment


def bracketed(address: str) -> str:
    """An address as it stands in a URI."""
    return f"[{address}]" if ":" in address else address


@dataclass
class Leg:
    """The state of one dialog: identifiers, and where its messages go."""

    scene: Scene
    rng: Rng
    caller: Agent
    called: Agent
    dial: Dial
    key: int = 0
    media: tuple[int, int] = (0, 0)
    tags: tuple[str, str] = ("", "")
    branch: int = 0
    ssrcs: tuple[int, int] = field(default=(0, 0))

    def __post_init__(self) -> None:
        self.key = int(self.rng.integers(10**8, 10**9))
        a, b = (int(n) for n in self.rng.integers(0, 4000, 2))
        self.media = self.caller.media_base + 2 * a, self.called.media_base + 2 * b
        self.tags = tuple(token(self.rng, x.style) for x in (self.caller, self.called))
        self.ssrcs = tuple(int(n) for n in self.rng.integers(1, 1 << 32, 2))

    @property
    def call_id(self) -> str:
        spelled = str(self.key) if self.caller.style.decimal else f"{self.key * 7919:024x}"
        return f"{spelled}@{self.caller.own}"

    def send(self, at: float, text: str, *, back: bool = False) -> None:
        """A message; `at` is when it passes the capturing port."""
        src, dst = (self.called, self.caller) if back else (self.caller, self.called)
        transmit(self.scene, at, (src, dst), text)


def token(rng: Rng, style: Style) -> str:
    """A tag or branch as the stack spells them."""
    number = int(rng.integers(10**8, 2**31))
    return str(number) if style.decimal else f"{number * 2654435761 % 2**48:012x}"


def transmit(scene: Scene, at: float, ends: tuple[Agent, Agent], text: str) -> None:
    """A message from one agent to the other, over what the first speaks."""
    src, dst = ends
    payload = text.encode()
    if src.transport == "tcp":
        client, server = sorted((src, dst), key=lambda agent: agent.port == 5060)
        opened = client.address, client.port + 30_000
        said = [opened if agent is client else server.end for agent in ends]
        scene.write((at, said[0], said[1], payload), opened, server.end)
        return
    ident = scene_ident(payload) if len(payload) > LARGE else 0
    scene.say(at, src.end, dst.end, payload, ident)


def scene_ident(payload: bytes) -> int:
    """An IP identification, not zero."""
    return sum(payload) % 65_535 + 1


def sdp(agent: Agent, port: int, key: int) -> str:
    """What the agent offers or answers."""
    family = "IP6" if ":" in agent.own else "IP4"
    own = (agent.inside or agent.address).strip("[]")
    types = (*agent.style.codecs, 101)
    maps = "".join(f"a=rtpmap:{t} {RATES[t]}\r\n" for t in types)
    return (
        f"v=0\r\no={agent.style.origin.format(key=key)} IN {family} {own}\r\n"
        f"s={agent.style.session}\r\nc=IN {family} {own}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {' '.join(map(str, types))}\r\n{maps}"
        f"a=fmtp:101 0-15\r\na=ptime:{agent.style.ptime}\r\na=sendrecv\r\n"
    )


def with_body(head: str, body: str = "") -> str:
    """Headers with the length of the body, and the body."""
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return f"{head}{kind}Content-Length: {len(body)}\r\n\r\n{body}"


def from_header(agent: Agent, user: str, host: str, tag: str) -> str:
    """From, with user=phone where the stack writes it."""
    if agent.style.user_phone:
        return f"From: <sip:{user}@{host}:5060>;user=phone;tag={tag}\r\n"
    return f'From: "{user}" <sip:{user}@{host}>;tag={tag}\r\n'


def via(agent: Agent, branch: str) -> str:
    """The Via of a request."""
    return (
        f"Via: SIP/2.0/{agent.transport.upper()} {agent.own}:{agent.port};"
        f"branch=z9hG4bK{branch};rport\r\n"
    )


def request(leg: Leg, method: str, *, by_called: bool = False, branch: str = "") -> str:
    """The headers of a request within the dialog, all but the content's."""
    agent, peer = (leg.called, leg.caller) if by_called else (leg.caller, leg.called)
    users = (leg.dial.called, leg.dial.caller) if by_called else (leg.dial.caller, leg.dial.called)
    tags = leg.tags[::-1] if by_called else leg.tags
    host = bracketed(peer.address)
    later = method not in {"INVITE", "CANCEL"}
    number = 2 if method == "BYE" else 1
    contact = users[0] if not (by_called and leg.dial.account) else leg.dial.account
    style = agent.style
    target = f"sip:{users[1]}@{host}:{peer.port}"
    target += ";transport=udp" if style.user_phone else ""
    return (
        f"{method} {target} SIP/2.0\r\n{via(agent, branch or token(leg.rng, style))}"
        f"{from_header(agent, users[0], host, tags[0])}"
        f"To: <sip:{users[1]}@{host}>{f';tag={tags[1]}' if later else ''}\r\n"
        f"Call-ID: {leg.call_id}\r\nCSeq: {number} {method}\r\n"
        f"Contact: <sip:{contact}@{agent.own}:{agent.port}>\r\n"
        f"Max-Forwards: {style.max_forwards}\r\nUser-Agent: {style.user_agent}\r\n"
        + (f"Allow: {style.allow}\r\n" if method == "INVITE" else "")
    )


def response(leg: Leg, status: str, asked: str, *, tagged: bool = True) -> str:
    """The headers of a response to the request, copied from it as RFC 3261 8.2.6 says."""
    lines = asked.split("\r\n")
    copied = [x for x in lines if x.startswith(("Via:", "From:", "Call-ID:", "CSeq:"))]
    to = next(x for x in lines if x.startswith("To:"))
    by_caller = "BYE" in lines[0] and f"tag={leg.tags[1]}" in next(
        x for x in lines if x.startswith("From:")
    )
    agent = leg.caller if by_caller else leg.called
    tag = "" if "tag=" in to or not tagged else f";tag={leg.tags[1]}"
    contact = leg.dial.caller if by_caller else leg.dial.account or leg.dial.called
    return (
        f"SIP/2.0 {status}\r\n{''.join(f'{x}{chr(13)}{chr(10)}' for x in copied)}{to}{tag}\r\n"
        f"Contact: <sip:{contact}@{agent.own}:{agent.port}>\r\n"
        f"User-Agent: {agent.style.user_agent}\r\n"
        + (f"Allow: {agent.style.allow}\r\n" if status.startswith("200") else "")
    )


def place(scene: Scene, rng: Rng, sides: tuple[Agent, Agent], dial: Dial) -> None:
    """All messages and voice of one call attempt."""
    leg = Leg(scene, rng, *sides, dial)
    branch = token(rng, leg.caller.style)
    head = request(leg, "INVITE", branch=branch)
    leg.send(dial.at, with_body(head, sdp(leg.caller, leg.media[0], leg.key)))
    trying = dial.at + 0.004 + NETWORK_S * (leg.called.port == 5060)
    leg.send(trying, with_body(response(leg, "100 Trying", head, tagged=False)), back=True)
    ringing = dial.at + max(dial.setup, 0.05)
    if dial.outcome in {"busy", "unknown"}:
        status = leg.called.style.busy if dial.outcome == "busy" else "404 Not Found"
        refuse(leg, head, branch, (ringing, status))
        return
    _ring(leg, head, ringing)
    over = ringing + dial.ring
    if dial.outcome == "cancelled":
        _cancel(leg, head, branch, over)
    elif dial.outcome == "no answer":
        refuse(leg, head, branch, (over, "480 Temporarily Unavailable"))
    else:
        _answer(leg, head, branch, over)


def refuse(leg: Leg, head: str, branch: str, final: tuple[float, str]) -> None:
    """A final failure and its ACK, which belongs to the same transaction."""
    at, status = final
    leg.send(at, with_body(response(leg, status, head)), back=True)
    leg.send(at + 2 * NETWORK_S, with_body(request(leg, "ACK", branch=branch)))


def _ring(leg: Leg, head: str, at: float) -> None:
    if not leg.dial.early:
        leg.send(at, with_body(response(leg, "180 Ringing", head)), back=True)
        return
    body = sdp(leg.called, leg.media[1], leg.key + 1)
    leg.send(at, with_body(response(leg, "183 Session Progress", head), body), back=True)
    if leg.dial.outcome != "answered":
        _speak(leg, at + 0.06, leg.dial.ring, called=True)


def _cancel(leg: Leg, head: str, branch: str, at: float) -> None:
    """The caller gives up: CANCEL, its 200, and 487 for the INVITE."""
    cancel = request(leg, "CANCEL", branch=branch)
    leg.send(at, with_body(cancel))
    leg.send(at + 0.01, with_body(response(leg, "200 OK", cancel)), back=True)
    refuse(leg, head, branch, (at + 0.02, "487 Request Terminated"))


def _answer(leg: Leg, head: str, branch: str, at: float) -> None:
    """Answer, ACK, voice in both directions and BYE by either side."""
    del branch  # the ACK of a 2xx is a transaction of its own
    dial = leg.dial
    body = sdp(leg.called, leg.media[1], leg.key + 1)
    leg.send(at, with_body(response(leg, "200 OK", head), body), back=True)
    leg.send(at + 2 * NETWORK_S, with_body(request(leg, "ACK")))
    early = dial.ring - 0.06 if dial.early else 0
    _speak(leg, at - early + 0.02, dial.talk + early, called=True)
    _speak(leg, at + 0.05, dial.talk, called=False)
    by_called = dial.hangup == "called"
    bye = request(leg, "BYE", by_called=by_called)
    leg.send(at + dial.talk, with_body(bye), back=by_called)
    done = with_body(response(leg, "200 OK", bye))
    leg.send(at + dial.talk + 2 * NETWORK_S, done, back=not by_called)


def _speak(leg: Leg, at: float, seconds: float, *, called: bool) -> None:
    """Voice of one side; the codec is the called side's first."""
    ends = [(leg.caller.address, leg.media[0]), (leg.called.address, leg.media[1])]
    src, dst = ends[::-1] if called else ends
    kind, ptime = leg.called.style.codecs[0], leg.called.style.ptime
    leg.scene.speak(
        at,
        seconds,
        src=src,
        dst=dst,
        ssrc=leg.ssrcs[called],
        payload_type=kind,
        octets=OCTETS_A_MS[kind] * ptime,
        ptime_ms=ptime,
        ticks=8 * ptime,
    )


@dataclass(frozen=True)
class Account:
    """A SIP account and how it is kept registered."""

    user: str
    period: float = 60.0
    expires: int = 60
    first: float = 1.0


def register(
    scene: Scene, rng: Rng, sides: tuple[Agent, Agent], account: Account, until: float
) -> None:
    """REGISTER, challenge, REGISTER with credentials and 200, again and again."""
    agent, server = sides
    host, style = bracketed(server.address), agent.style
    call_id, tag, number = f"{token(rng, style)}@{agent.own}", token(rng, style), 0
    at = account.first
    while at < until:
        nonce = f"{int(rng.integers(1, 2**62)):016x}"
        for credentials in (False, True):
            number += 1
            kept = (
                f"From: <sip:{account.user}@{host}:5060>"
                f"{';user=phone' if style.user_phone else ''};tag={tag}\r\n"
                f"To: <sip:{account.user}@{host}>{{}}\r\nCall-ID: {call_id}\r\n"
                f"CSeq: {number} REGISTER\r\n"
            )
            hop = via(agent, token(rng, style))
            asked = (
                f"REGISTER sip:{host}:5060 SIP/2.0\r\n{hop}{kept.format('')}"
                f"Contact: <sip:{account.user}@{agent.own}:{agent.port}>\r\n"
                f"Max-Forwards: {style.max_forwards}\r\nUser-Agent: {style.user_agent}\r\n"
                f"Expires: {account.expires}\r\n"
                + (digest(account.user, host, nonce) if credentials else "")
            )
            transmit(scene, at, (agent, server), with_body(asked))
            status = "200 OK" if credentials else "401 Unauthorized"
            extra = (
                f"Contact: <sip:{account.user}@{agent.own}:{agent.port}>;"
                f"expires={account.expires}\r\n"
                if credentials
                else f'WWW-Authenticate: Digest realm="{host}", nonce="{nonce}", algorithm=MD5\r\n'
            )
            answer = f"SIP/2.0 {status}\r\n{hop}{kept.format(f';tag=r{nonce[:8]}')}{extra}"
            answer += f"Server: {server.style.user_agent}\r\n"
            transmit(scene, at + 2 * NETWORK_S, (server, agent), with_body(answer))
            at += 0.09
        at += account.period - 0.18


def digest(user: str, host: str, nonce: str) -> str:
    """Credentials of nobody: the digest is a constant."""
    return (
        f'Authorization: Digest username="{user}", realm="{host}", nonce="{nonce}", '
        f'uri="sip:{host}", response="{"0" * 32}", algorithm=MD5\r\n'
    )
