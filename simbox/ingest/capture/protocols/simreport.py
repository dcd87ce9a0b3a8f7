"""What gateways tell of the SIM in each port, checked and put among the sightings."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from simbox.ingest.capture.signatures.matching import Place
from simbox.ingest.capture.sink import Sink
from simbox.tables import SIGHTINGS

MOST_TEXT = 60  # characters of a network name or state
MOST_PORTS = 1024  # of one report

#: Names of the same thing in the reports of the makers: Dinstar's get_port_info, Ejoin's status.
ALIASES = {
    "imei": ("imei", "IMEI"),
    "imsi": ("imsi", "IMSI"),
    "iccid": ("iccid", "ICCID", "ccid"),
    "number": ("number", "sn", "phone", "num", "sim_number"),
    "operator": ("opr", "operator", "op_name", "carrier"),
    "signal": ("signal", "sig"),
    "state": ("reg", "st", "callstate", "state"),
    "port": ("port", "port_id"),
}

#: States of a port in the Ejoin and Skyline interface.
STATES = {
    "0": "no SIM", "1": "idle SIM", "2": "registering", "3": "registered", "4": "in call",
    "5": "no balance", "6": "registration failed", "7": "locked by device",
    "8": "locked by operator", "9": "SIM error", "11": "card detected", "12": "locked by user",
    "13": "inter-calling", "14": "inter-calling held", "15": "accessing network",
    "16": "module timeout",
}  # fmt: skip

_OBJECT = re.compile(r"\{[^{}]{2,4000}\}")
_PORT = re.compile(r"(\d{1,5})(?:\.\d+|[A-Za-z])?")


class SimReport(NamedTuple):
    """One port as the gateway told it, text as it stood there."""

    imei: str | None = None
    imsi: str | None = None
    iccid: str | None = None
    number: str | None = None
    operator: str | None = None
    signal: str | None = None
    state: str | None = None
    port: str | None = None


def read_ports(body: str) -> list[SimReport]:
    """The ports of a JSON report, also of one that was cut off: object by object.

    Only flat objects with a port and an identity count.
    """
    found = []
    for match in _OBJECT.finditer(body):
        try:
            entry = json.loads(match[0])
        except (ValueError, RecursionError):
            continue
        report = SimReport(**{name: _first(entry, keys) for name, keys in ALIASES.items()})
        if report.port is not None and (report.imei or report.imsi or report.iccid):
            found.append(report)
        if len(found) >= MOST_PORTS:
            break
    return found


def put_sighting(report: SimReport, protocol: str, place: Place, out: Sink) -> None:
    """One sighting, the sender being the device; values that are no identities are left out.

    The line is the number where it is told in international form, else the IMSI.
    """
    number = _fitting(r"\+?\d{5,15}", report.number)
    imsi = _fitting(r"(?!0+$)\d{14,15}", report.imsi)
    imei = _fitting(r"(?!0+$)\d{14,16}", report.imei)
    iccid = _fitting(r"89\d{16,18}[0-9A-Fa-f]?", report.iccid)
    if not (imei or imsi or iccid):
        return
    international = number and number.startswith("+")
    out.put(
        SIGHTINGS,
        seen=place.time, frame=place.frame, host=place.sender, peer=place.receiver,
        line=number.removeprefix("+") if number and international else imsi,
        number=number.removeprefix("+") if number else None,
        imsi=imsi, imei=imei, iccid=iccid, operator=_plain(report.operator),
        signal=_dbm(report.signal), state=STATES.get(report.state or "", _plain(report.state)),
        port=_port(report.port), protocol=protocol,
    )  # fmt: skip


def _first(entry: dict[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = entry.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)[:200]
    return None


def _fitting(pattern: str, value: str | None) -> str | None:
    text = (value or "").strip()
    return text if re.fullmatch(pattern, text, re.ASCII) else None


def _plain(value: str | None) -> str | None:
    text = "".join(c for c in (value or "") if c.isprintable()).strip()
    return text[:MOST_TEXT] or None


def _dbm(value: str | None) -> int | None:
    """Received level of the 0..31 scale of TS 27.007 8.5; one already in dBm is kept."""
    text = _fitting(r"-?\d{1,3}", value)
    if text is None:
        return None
    level = int(text)
    if 0 <= level <= 31:
        return 2 * level - 113
    return level if -140 <= level < -1 else None


def _port(value: str | None) -> int | None:
    match = _PORT.fullmatch((value or "").strip())
    number = int(match[1]) if match else -1
    return number if 0 <= number < 1 << 16 else None
