"""A SIM bank serving the ports of a gateway: cards are read and answer far away from their radio.

Frames begin with 78 56 21 43; tokens are made with a key of our own.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from lab.identities import Line
from lab.scene import Scene, TruthLine, rng_of
from lab.wire import End

MAGIC = bytes.fromhex("78562143")
BANK_ID = 7
GATEWAY, BANK = 2, 1  # who a frame is from
APDU, LOGIN, ACCEPTED, READY, RESET, RESETTING = 0x0000, 0x0003, 0x005B, 0x0028, 0x00C8, 0x00C9
RESET_S = 6.0  # the modem needs this pause between the acknowledged reset and the ATR
ANSWER_S = 0.18
ATR = bytes.fromhex("3b9f95801fc78031e073fe211b63f1")
IMSI_FILE, ICCID_FILE = "6f07", "2fe2"


@dataclass(frozen=True)
class Bank:
    """A session between a gateway and the bank."""

    gateway: str = "192.0.2.46"
    bank: str = "198.51.100.90"
    port: int = 56_012
    seconds: float = 120.0
    authentications_s: float = 25.0  # between two of a line
    seed: int = 1


def semi_octets(digits: str) -> bytes:
    """Digits as two to an octet, low one first (3GPP TS 24.008)."""
    even = digits + "f" * (len(digits) % 2)
    return bytes(int(even[i + 1] + even[i], 16) for i in range(0, len(even), 2))


def imsi_file(imsi: str) -> bytes:
    """EF_IMSI (3GPP TS 51.011 10.3.2): length, then parity nibble and digits."""
    return bytes([8]) + semi_octets("9" + imsi)


def frame(slot: int, command: int, source: int, body: bytes = b"") -> bytes:
    """Header, line, token and what follows them."""
    line = BANK_ID * 100 + slot
    text = f"test key{command}{line:x}".encode()
    token = hashlib.md5(text, usedforsecurity=False).digest()
    head = MAGIC + struct.pack("<IHH", line, command, source)
    return head + struct.pack("<I", line) + token + body


def run(scene: Scene, bank: Bank, lines: Sequence[Line]) -> None:
    """Login, reset, reads of ICCID and IMSI and authentications of every line."""
    rng = rng_of(bank.seed, "simbank")
    gateway, far = (bank.gateway, 40_712), (bank.bank, bank.port)
    for slot, line in enumerate(lines, 1):
        at = 0.5 + 0.4 * slot
        _login(scene, at, slot, (gateway, far))
        reads = [f"a0a40000027f20/9f16", f"a0a4000002{ICCID_FILE}/9f0f"]  # noqa: F541
        reads.append("a0b000000a/" + semi_octets(line.iccid).hex() + "9000")
        reads += [f"a0a4000002{IMSI_FILE}/9f0f", f"a0b0000009/{imsi_file(line.imsi).hex()}9000"]
        at += 1.2 + RESET_S
        for told in reads:
            at += 0.35
            _exchange(scene, at, slot, (gateway, far), told)
        at += float(rng.uniform(5, bank.authentications_s))
        while at < bank.seconds:
            _exchange(scene, at, slot, (gateway, far), f"a088000010{rng.bytes(16).hex()}/9f0c")
            answer = f"a0c000000c/{rng.bytes(12).hex()}9000"
            _exchange(scene, at + 0.4, slot, (gateway, far), answer)
            at += float(rng.exponential(bank.authentications_s)) + 3
    scene.truth += [_truth(bank, lines, line) for line in lines]


def _login(scene: Scene, at: float, slot: int, ends: tuple[End, End]) -> None:
    """The line logs in, is accepted, asks for a reset of its card and is told the ATR."""
    gateway, far = ends
    steps = [(0.0, LOGIN, GATEWAY, b"")]
    steps += [(ANSWER_S + i * 0.01, c, BANK, b"") for i, c in enumerate((LOGIN, ACCEPTED, READY))]
    steps += [(0.8, RESET, GATEWAY, b""), (0.8 + ANSWER_S, RESETTING, BANK, b"")]
    steps += [(0.8 + ANSWER_S + RESET_S, APDU, BANK, ATR)]
    for after, command, source, body in steps:
        src, dst = (gateway, far) if source == GATEWAY else (far, gateway)
        said = (at + after, src, dst, frame(slot, command, source, body))
        scene.write(said, gateway, far)


def _exchange(scene: Scene, at: float, slot: int, ends: tuple[End, End], told: str) -> None:
    """A command to the card and its answer, in hex with a slash between."""
    gateway, far = ends
    command, answer = (bytes.fromhex(part) for part in told.split("/"))
    out = frame(slot, APDU, GATEWAY, command)
    scene.write((at, gateway, far, out), gateway, far)
    back = frame(slot, APDU, BANK, answer)
    scene.write((at + ANSWER_S, far, gateway, back), gateway, far)


def _truth(bank: Bank, lines: Sequence[Line], line: Line) -> TruthLine:
    return TruthLine(
        host=bank.gateway,
        kind="gateway",
        ports=len(lines),
        port=line.port,
        imsi=line.imsi,
        iccid=line.iccid,
    )
