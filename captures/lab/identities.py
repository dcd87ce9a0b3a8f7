"""Invented identities: numbers under country code 999, SIMs of 001-01, test IMEIs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Rng = np.random.Generator


@dataclass(frozen=True)
class Line:
    """A line of a gateway and the SIM in it."""

    port: int  # from 1
    account: str
    number: str
    imsi: str
    imei: str
    iccid: str


def check_digit(digits: str) -> str:
    """The Luhn digit that completes an IMEI or ICCID."""
    doubled = [int(d) * (2 - i % 2) for i, d in enumerate(reversed(digits))]
    return str(-sum(d // 10 + d % 10 for d in doubled) % 10)


def imei(type_code: int, serial: int) -> str:
    """An IMEI with a test type code, 001001xx."""
    digits = f"001001{type_code:02d}{serial:06d}"
    return digits + check_digit(digits)


def line(port: int, number: str, imsi: str, imei_: str) -> Line:
    """A line whose account and ICCID follow from its port and IMSI."""
    digits = f"89999001{imsi[5:]}0"
    return Line(port, str(2000 + port), number, imsi, imei_, digits + check_digit(digits))


def lines(rng: Rng, count: int) -> list[Line]:
    """Lines with SIMs bought together: the serial numbers of the box's IMEIs follow on."""
    first = int(rng.integers(100_000, 900_000))
    cards = rng.choice(10**8, count, replace=False).tolist()
    return [
        line(port, f"999139{card:08d}", f"0010107{card:08d}", imei(93, first + port))
        for port, card in enumerate(cards, 1)
    ]


def strangers(rng: Rng, count: int) -> list[str]:
    """Numbers of people anywhere, hardly one twice."""
    heads = rng.choice(["99913", "99915", "99917", "99918"], count)
    tails = rng.integers(10**8, 10**9, count)
    return [f"{head}{tail}" for head, tail in zip(heads, tails, strict=True)]
