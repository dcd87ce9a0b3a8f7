"""TR-069 (CWMP): gateways in the table of hosts that a home router tells its management server."""

from __future__ import annotations

import re

from simbox.ingest.capture.signatures.matching import Place, Signatures
from simbox.ingest.capture.sink import Sink

MOST_HOSTS = 256  # of one message

# CWMP sends SOAPAction empty, where UPnP names a service in it
_CWMP = re.compile(rb"\r\nSOAPAction:[ \t]*(?:\"\")?\r\n|urn:dslforum-org:cwmp", re.IGNORECASE)
_VALUE = re.compile(
    r"Hosts?\.Host\.(\d{1,5})\.(MACAddress|PhysAddress|IPAddress)</Name>\s*<Value[^>]{0,80}>"
    r"([0-9A-Fa-f.:-]{7,45})</Value>"
)


def is_inform(payload: bytes) -> bool:
    """A request begins as those of CWMP do."""
    return _CWMP.search(payload, 0, 1400) is not None


def tell_neighbours(body: str, place: Place, signatures: Signatures, out: Sink) -> bool:
    """Put evidence for each gateway among a router's hosts; whether there was one.

    The host is the router as seen, which stands for its whole house.
    """
    if "cwmp" not in body:
        return False
    hosts: dict[str, dict[str, str]] = {}
    for number, name, value in _VALUE.findall(body)[: 2 * MOST_HOSTS]:
        hosts.setdefault(number, {})["ip" if name == "IPAddress" else "mac"] = value
    found = False
    for host in hosts.values():
        fields = {"mac": host.get("mac", "").lower().replace("-", ":")}
        inner = place._replace(line=host.get("ip"))
        found = bool(signatures.tell("ethernet", fields, inner, out)) or found
    return found
