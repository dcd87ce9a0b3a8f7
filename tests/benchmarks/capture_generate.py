"""Capture files of any size for the benchmarks: a voice link or a broadband link, invented.

``python tests/benchmarks/capture_generate.py voice --megabytes 200 OUT.pcap`` writes a pcap file in
bounded memory, a second of traffic at a time.  The voice mix has (by packets) 95 % RTP (G.711,
20 ms, frames of 214 octets, 0.3 % lost, about 1 ms of jitter, two directions a call), 2 % SIP
(calls in complete dialogs with SDP, REGISTER, OPTIONS), and RTCP, gateway keepalives, DNS, TCP and
random UDP; the broadband mix is 55 % TCP, 15 % QUIC-like, 25 % RTP and 0.6 % SIP.
"""

from __future__ import annotations

import argparse
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Rng = np.random.Generator
Rare = list[tuple[int, bytes]]  # time in nanoseconds, frame
Rows = tuple[Ints, Octets]  # times, and one row a record: 16 octets of header, then the frame

SECOND = 10**9
START = 1_741_600_000 * SECOND  # 2025-03-10
RECORD, ETHERNET, IP = 16, 14, 34  # octets up to and with each header
SNAP = 262_144
PACKETS_A_SECOND = 32_000
FRAME_MS, AUDIO, LOST, JITTER_NS = 20, 160, 0.003, 1_000_000
ANSWERED, TALK_SIGMA = 0.5, 0.8
MESSAGES_ANSWERED, MESSAGES_FAILED = 7, 5
REGISTERING = 0.25  # of the SIP messages: REGISTER, OPTIONS and their answers
FLOWS, RENEWED = 400, 0.03  # of TCP; the share that ends and is replaced each second
SUBSCRIBERS = 20_000
UDP, TCP = 17, 6


@dataclass(frozen=True)
class Mix:
    """Shares of the packets."""

    rtp: float
    sip: float
    tcp: float
    quic: float

    @property
    def rest(self) -> float:
        return 1 - self.rtp - self.sip - self.tcp - self.quic


MIXES = {"voice": Mix(0.95, 0.02, 0.004, 0.004), "broadband": Mix(0.25, 0.006, 0.55, 0.15)}


@dataclass(frozen=True)
class Streams:
    """RTP streams of answered calls, one element a direction."""

    start: Ints
    end: Ints
    src: Ints
    dst: Ints
    sport: Ints
    dport: Ints
    ssrc: Ints
    first_seq: Ints
    payload_type: Ints

    def take(self, which: npt.NDArray[np.bool_]) -> Streams:
        """Some of the streams."""
        return Streams(**{name: column[which] for name, column in vars(self).items()})

    def beside(self, other: Streams) -> Streams:
        """These streams and the other ones."""
        mine, theirs = vars(self), vars(other)
        return Streams(**{name: np.concatenate([mine[name], theirs[name]]) for name in mine})


def put(rows: Octets, at: int, width: int, values: Ints | int) -> None:
    """Write big-endian numbers into the columns from `at`."""
    for i in range(width):
        rows[:, at + i] = (np.asarray(values) >> 8 * (width - 1 - i)) & 255


def blank(time: Ints, length: int, protocol: int, ends: tuple[Ints, Ints]) -> Octets:
    """Records of one length with their pcap, Ethernet and IPv4 headers filled in."""
    rows = np.zeros((len(time), RECORD + length), dtype=np.uint8)
    stamps = np.stack([time // SECOND, time % SECOND // 1000], axis=1).astype("<u4")
    rows[:, :8] = stamps.view(np.uint8).reshape(-1, 8)
    rows[:, 8:16] = np.frombuffer(struct.pack("<II", length, length), np.uint8)
    rows[:, 16:30] = np.frombuffer(bytes.fromhex("0200000000020200000000010800"), np.uint8)
    total = length - ETHERNET
    rows[:, 30:42] = np.frombuffer(
        struct.pack("!BBHHHBBH", 0x45, 0, total, 0, 0x4000, 60, protocol, 0), np.uint8
    )
    put(rows, 42, 4, ends[0])
    put(rows, 46, 4, ends[1])
    words = rows[:, 30:50].reshape(-1, 10, 2).astype(np.int64)
    total_sum = (words[:, :, 0] * 256 + words[:, :, 1]).sum(axis=1)
    folded = (total_sum & 0xFFFF) + (total_sum >> 16)
    put(rows, 40, 2, ~((folded & 0xFFFF) + (folded >> 16)) & 0xFFFF)
    return rows


def noise(rng: Rng, count: int, length: int) -> Octets:
    """Random octets; every row is a window of one pool."""
    pool = rng.integers(0, 256, 1 << 18, dtype=np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(pool, length)
    return windows[rng.integers(0, len(windows), count)]


def voice(rng: Rng, streams: Streams, begin: int) -> Rows:
    """The RTP packets of one second."""
    step = FRAME_MS * 1_000_000
    end = begin + SECOND
    first = np.maximum(0, -((streams.start - begin) // step))
    last = np.maximum(first, -((streams.start - np.minimum(end, streams.end)) // step))
    counts = last - first
    which = np.repeat(np.arange(len(counts)), counts)
    k = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts) + first[which]
    kept = rng.random(len(which)) >= LOST
    which, k = which[kept], k[kept]
    late = rng.exponential(JITTER_NS, len(k)).astype(np.int64)
    time = np.minimum(streams.start[which] + k * step + late, end - 1)
    rows = blank(time, 214, UDP, (streams.src[which], streams.dst[which]))
    put(rows, 50, 2, streams.sport[which])
    put(rows, 52, 2, streams.dport[which])
    put(rows, 54, 2, 8 + 12 + AUDIO)
    rows[:, 58] = 0x80
    rows[:, 59] = streams.payload_type[which] | np.where(k == 0, 0x80, 0)
    put(rows, 60, 2, streams.first_seq[which] + k)
    put(rows, 62, 4, streams.first_seq[which] * 7919 + k * AUDIO)
    put(rows, 66, 4, streams.ssrc[which])
    rows[:, 70:] = noise(rng, len(k), AUDIO)
    return time, rows


def udp(src: tuple[int, int], dst: tuple[int, int], payload: bytes) -> bytes:
    """One Ethernet frame with a UDP datagram; ends are address and port."""
    head = struct.pack(
        "!BBHHHBBHII", 0x45, 0, 28 + len(payload), 0, 0x4000, 60, UDP, 0, src[0], dst[0]
    )
    total = sum(struct.unpack("!10H", head))
    check = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    ports = struct.pack("!HHHH", src[1], dst[1], 8 + len(payload), 0)
    ethernet = bytes.fromhex("0200000000020200000000010800")
    return ethernet + head[:10] + check.to_bytes(2, "big") + head[12:] + ports + payload


def dotted(address: int) -> str:
    return ".".join(str(octet) for octet in address.to_bytes(4, "big"))


def subscriber(rng: Rng, count: int) -> Ints:
    """Addresses of the access side, in 10.0.0.0/8."""
    return (10 << 24) + 256 + rng.integers(0, SUBSCRIBERS, count)


def peer(rng: Rng, count: int) -> Ints:
    """Addresses of servers, in 198.51.100.0/24."""
    return 0xC6336400 + rng.integers(1, 255, count)


@dataclass(frozen=True)
class Call:
    """One call attempt: when, between whom, and what its messages say."""

    at: int
    caller: tuple[int, int]
    called: tuple[int, int]
    media: tuple[int, int]
    number: int
    key: int
    talk: int

    def message(self, start_line: str, cseq: str, *, tag: bool, sdp: int = 0) -> bytes:
        """A request or response of the dialog, with SDP for the media port given."""
        a, b = dotted(self.caller[0]), dotted(self.called[0])
        body = ""
        if sdp:
            own = a if sdp == self.media[0] else b
            body = (
                f"v=0\r\no=- {self.key} 1 IN IP4 {own}\r\ns=call\r\nc=IN IP4 {own}\r\nt=0 0\r\n"
                f"m=audio {sdp} RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
                "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
                "a=sendrecv\r\n"
            )
        lines = (
            f"{start_line}\r\nVia: SIP/2.0/UDP {a}:5060;rport;branch=z9hG4bK{self.key:x}{cseq[0]}"
            "\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{self.key % 10**6}@{b}>;tag=f{self.key:x}\r\n"
            f"To: <sip:{self.number}@{b}>{f';tag=t{self.key:x}' if tag else ''}\r\n"
            f"Call-ID: {self.key:016x}@{a}\r\nCSeq: {cseq}\r\nContact: <sip:{a}:5060>\r\n"
            "User-Agent: bench\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE\r\n"
        )
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return f"{lines}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def frames(self) -> Rare:
        """The whole dialog, answered when there is talk."""
        ms = 1_000_000
        uri = f"sip:{self.number}@{dotted(self.called[0])}"
        out, back = (self.caller, self.called), (self.called, self.caller)
        invite = self.message(f"INVITE {uri} SIP/2.0", "1 INVITE", tag=False, sdp=self.media[0])
        steps = [
            (0, out, invite),
            (15 * ms, back, self.message("SIP/2.0 100 Trying", "1 INVITE", tag=False)),
            (300 * ms, back, self.message("SIP/2.0 180 Ringing", "1 INVITE", tag=True)),
        ]
        ack = self.message(f"ACK {uri} SIP/2.0", "1 ACK", tag=True)
        if not self.talk:
            busy = self.message("SIP/2.0 486 Busy Here", "1 INVITE", tag=True)
            steps += [(900 * ms, back, busy), (910 * ms, out, ack)]
        else:
            end = 1000 * ms + self.talk
            ok = self.message("SIP/2.0 200 OK", "1 INVITE", tag=True, sdp=self.media[1])
            bye = self.message(f"BYE {uri} SIP/2.0", "2 BYE", tag=True)
            done = self.message("SIP/2.0 200 OK", "2 BYE", tag=True)
            steps += [(1000 * ms, back, ok), (1010 * ms, out, ack)]
            steps += [(end, out, bye), (end + 12 * ms, back, done)]
        return [(self.at + t, udp(*ends, text)) for t, ends, text in steps]


def attempts(rng: Rng, count: int, begin: int, talk_s: float) -> tuple[list[Call], Streams]:
    """Call attempts of one second and the streams of those that are answered."""
    talk = rng.lognormal(np.log(talk_s) - TALK_SIGMA**2 / 2, TALK_SIGMA, count)
    talk = np.where(rng.random(count) < ANSWERED, talk * SECOND, 0).astype(np.int64)
    at = begin + rng.integers(0, SECOND, count)
    a, b = subscriber(rng, count), peer(rng, count)
    ports = 16_384 + 2 * rng.integers(0, 8000, (2, count))
    ports[1] += (ports[1] == ports[0]) * 2
    keys, numbers = rng.integers(0, 1 << 62, count), 99913 * 10**9 + rng.integers(0, 10**9, count)
    table = np.stack([at, a, b, *ports, numbers, keys, talk], axis=1).tolist()
    calls = [
        Call(t, (x, 5060), (y, 5060), (p, q), number, key, seconds)
        for t, x, y, p, q, number, key, seconds in table
    ]
    start = at + SECOND
    both = Streams(
        start=np.tile(start, 2),
        end=np.tile(start + talk, 2),
        src=np.r_[a, b],
        dst=np.r_[b, a],
        sport=ports.ravel(),
        dport=ports[::-1].ravel(),
        ssrc=rng.integers(0, 1 << 32, 2 * count),
        first_seq=rng.integers(0, 1 << 16, 2 * count),
        payload_type=np.tile(rng.choice([0, 8], count), 2),
    )
    return calls, both.take(np.tile(talk > 0, 2))


def registration(rng: Rng, at: int, ends: tuple[int, int], method: str) -> Rare:
    """A REGISTER or OPTIONS and its answer."""
    key, user = int(rng.integers(0, 1 << 40)), 2000 + ends[0] % 1000
    a, b = dotted(ends[0]), dotted(ends[1])
    common = (
        f"Via: SIP/2.0/UDP {a}:5060;branch=z9hG4bK{key:x}\r\n"
        f"From: <sip:{user}@{b}>;tag={key:x}\r\n"
        f"To: <sip:{user}@{b}>\r\nCall-ID: {key:x}@{a}\r\nCSeq: 1 {method}\r\n"
        f"Contact: <sip:{user}@{a}:5060>;expires=60\r\n"
        "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    out, back = (ends[0], 5060), (ends[1], 5060)
    request = f"{method} sip:{b} SIP/2.0\r\n{common}".encode()
    answer = f"SIP/2.0 200 OK\r\n{common}".encode()
    return [(at, udp(out, back, request)), (at + 9_000_000, udp(back, out, answer))]


def sender_report(rng: Rng, ends: tuple[int, int]) -> bytes:
    """RTCP: a sender report and a source description."""
    ssrc = int(rng.integers(0, 1 << 32))
    report = struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, 0xE9E0 << 48, 1600, 100, 16_000)
    name = struct.pack("!BBHI", 0x81, 202, 3, ssrc) + b"\x01\x06a@host\x00\x00"[:8]
    return udp((ends[0], 16_385), (ends[1], 16_387), report + name)


def keepalive(ends: tuple[int, int]) -> bytes:
    """The message with which a gateway's line reports every half minute."""
    line = ends[0] % 8 + 1
    text = (
        f"req:{line + 4};id:line{line:02d};pass:x;num:99913000{ends[0] % 10**6:06d};signal:21;"
        f"gsm_status:LOGIN;voip_status:LOGIN;voip_state:IDLE;remain_time:-1;imei:00100100000{line}0"
        f"0;imsi:0010100000000{line:02d};iccid:8999901000000000{line:04d};pro:TEST;idle:3;"
        "disable_status:0;SMS_LOGIN:N;SMB_LOGIN:;CELLINFO:LAC:1A2B,CELL ID:3C4D;CGATT:Y;"
    )
    return udp((ends[0], 10_990 + line), (ends[1], 44_444), text.encode())


def question(rng: Rng, ends: tuple[int, int]) -> bytes:
    """A DNS query for an invented name."""
    name = f"\x05h{int(rng.integers(1000, 9999))}\x07example\x00".encode()
    head = struct.pack("!6H", int(rng.integers(0, 1 << 16)), 0x0100, 1, 0, 0, 0)
    return udp((ends[0], 40_000 + ends[0] % 9000), (ends[1], 53), head + name + b"\0\1\0\1")


def sundry(rng: Rng, counts: tuple[int, int], begin: int) -> Rare:
    """Some rare packets: so many registrations, and so many of the rest.

    The former are REGISTER and OPTIONS, the rest RTCP, keepalives, DNS and random datagrams.
    """
    found: Rare = []
    kinds = rng.choice(2, counts[0], p=[0.6, 0.4]).tolist()
    kinds += rng.choice([2, 3, 4, 5], counts[1], p=[0.34, 0.06, 0.34, 0.26]).tolist()
    count = len(kinds)
    times = (begin + rng.integers(0, SECOND, count)).tolist()
    for kind, at, a, b in zip(
        kinds, times, subscriber(rng, count).tolist(), peer(rng, count).tolist(), strict=True
    ):
        if kind < 2:
            found += registration(rng, at, (a, b), ("REGISTER", "OPTIONS")[kind])
        elif kind == 2:
            found.append((at, sender_report(rng, (a, b))))
        elif kind == 3:
            found.append((at, keepalive((a, b))))
        elif kind == 4:
            found.append((at, question(rng, (a, b))))
        else:
            payload = rng.bytes(int(rng.integers(20, 900)))
            found.append((at, udp((a, 30_000 + a % 9000), (b, 30_001), payload)))
    return found


def segments(rng: Rng, count: int, begin: int, flows: Octets) -> list[Rows]:
    """TCP: full segments down, acknowledgements up, some short segments."""
    sizes = rng.choice([1514, 583, 66], count, p=[0.45, 0.05, 0.5])
    made = []
    for size in (1514, 583, 66):
        n = int((sizes == size).sum())
        time = np.sort(begin + rng.integers(0, SECOND, n))
        flow = rng.integers(0, len(flows), n)
        home, server, port, base = flows[flow].T.astype(np.int64)
        up = size == 66
        ends = (home, server) if up else (server, home)
        rows = blank(time, size, TCP, ends)
        put(rows, 50, 2, port if up else np.full(n, 443))
        put(rows, 52, 2, np.full(n, 443) if up else port)
        sent = base + (time - START) // 1_000_000 * 1448
        put(rows, 58 if up else 54, 4, sent)
        rows[:, 62], rows[:, 63] = 0x80, 0x10
        put(rows, 64, 2, 501)
        rows[:, 70:82] = np.frombuffer(bytes.fromhex("0101080a0000000100000001"), np.uint8)
        rows[:, 82:] = noise(rng, n, size - 66) if not up else 0
        made.append((time, rows))
    return made


def quic(rng: Rng, count: int, begin: int) -> list[Rows]:
    """QUIC-like datagrams: short headers, large ones down and small ones up."""
    made = []
    for size, share in ((1292, 0.65), (83, 0.35)):
        n = round(count * share)
        time = begin + rng.integers(0, SECOND, n)
        home = subscriber(rng, FLOWS)[rng.integers(0, FLOWS, n)]
        server = 0xCB007100 + home % 250
        rows = blank(time, size, UDP, (home, server) if size == 83 else (server, home))
        port = 50_000 + home % 9000
        put(rows, 50, 2, port if size == 83 else np.full(n, 443))
        put(rows, 52, 2, np.full(n, 443) if size == 83 else port)
        put(rows, 54, 2, size - IP)
        rows[:, 58:] = noise(rng, n, size - 42)
        rows[:, 58] = 0x40 | rows[:, 58] & 0x3F
        made.append((time, rows))
    return made


def opened(rng: Rng, count: int) -> Octets:
    """TCP flows: home, server, port at home, first sequence number."""
    port, base = rng.integers(32_768, 61_000, count), rng.integers(0, 1 << 31, count)
    return np.stack([subscriber(rng, count), peer(rng, count), port, base], axis=1)


def joined(rare: Rare, bulk: list[Rows]) -> bytes:
    """The records in the order of time."""
    time = np.concatenate([np.array([t for t, _ in rare], np.int64), *(t for t, _ in bulk)])
    lengths = [np.array([RECORD + len(f) for _, f in rare], np.int64)]
    lengths += [np.full(len(t), rows.shape[1]) for t, rows in bulk]
    length = np.concatenate(lengths)
    order = np.argsort(time, kind="stable")
    place = np.empty_like(length)
    place[order] = np.cumsum(length[order]) - length[order]
    out = np.empty(int(length.sum()), dtype=np.uint8)
    view = memoryview(out)
    for (at, frame), begin in zip(rare, place[: len(rare)].tolist(), strict=True):
        head = struct.pack("<IIII", at // SECOND, at % SECOND // 1000, len(frame), len(frame))
        view[begin : begin + len(frame) + RECORD] = head + frame
    done = len(rare)
    for times, rows in bulk:
        if len(times):
            windows = np.lib.stride_tricks.sliding_window_view(out, rows.shape[1], writeable=True)
            windows[place[done : done + len(times)]] = rows
        done += len(times)
    return out.tobytes()


def seconds_of(mix: Mix, rng: Rng) -> Iterator[bytes]:
    """The records of one second after the other, without end."""
    calls_a_second = PACKETS_A_SECOND * mix.sip * (1 - REGISTERING)
    calls_a_second /= ANSWERED * MESSAGES_ANSWERED + (1 - ANSWERED) * MESSAGES_FAILED
    at_once = PACKETS_A_SECOND * mix.rtp / (2 * 1000 / FRAME_MS)
    talk_s = at_once / (calls_a_second * ANSWERED)
    # The capture starts in the middle: as many calls are up as at any time later.
    calls, streams = attempts(rng, round(at_once / ANSWERED), START - 2 * SECOND, talk_s)
    frames = [frame for call in calls for frame in call.frames()]
    waiting: Rare = [frame for frame in frames if frame[0] >= START]
    flows, begin = opened(rng, FLOWS), START
    # a registration is two messages
    registrations = PACKETS_A_SECOND * mix.sip * REGISTERING / 2
    others = round(registrations), round(PACKETS_A_SECOND * mix.rest)
    while True:
        calls, fresh = attempts(rng, int(rng.poisson(calls_a_second)), begin, talk_s)
        streams = streams.take(streams.end > begin).beside(fresh)
        waiting += [frame for call in calls for frame in call.frames()]
        waiting += sundry(rng, others, begin)
        renewed = rng.random(FLOWS) < RENEWED
        flows[renewed] = opened(rng, int(renewed.sum()))
        due = [frame for frame in waiting if frame[0] < begin + SECOND]
        waiting = [frame for frame in waiting if frame[0] >= begin + SECOND]
        bulk = [voice(rng, streams, begin)]
        bulk += segments(rng, round(PACKETS_A_SECOND * mix.tcp), begin, flows)
        bulk += quic(rng, round(PACKETS_A_SECOND * mix.quic), begin)
        yield joined(due, bulk)
        begin += SECOND


def whole_records(records: bytes, room: int) -> bytes:
    """As many whole records as fit into the room."""
    end = 0
    while end < len(records):
        after = end + RECORD + struct.unpack_from("<I", records, end + 8)[0]
        if after > room:
            break
        end = after
    return records[:end]


def write(out: BinaryIO, mix: Mix, size: int, seed: int = 1) -> int:
    """Write a pcap file of about `size` octets; returns how many it has."""
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP, 1))
    written = 24
    for records in seconds_of(mix, np.random.default_rng(seed)):
        last = written + len(records) >= size
        part = whole_records(records, size - written) if last else records
        out.write(part)
        written += len(part)
        if last:
            break
    return written


def main() -> None:
    """Write the file that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mix", choices=MIXES)
    parser.add_argument("out", type=Path)
    parser.add_argument("--megabytes", type=float, default=200)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with chosen.out.open("wb") as out:
        written = write(out, MIXES[chosen.mix], int(chosen.megabytes * 1e6), chosen.seed)
    print(f"{chosen.out}: {written:,} octets of the {chosen.mix} mix")


if __name__ == "__main__":
    main()
