"""The readers of a capture file, in the order in which they are asked."""

from __future__ import annotations

from simbox.ingest.capture.protocol import Reader
from simbox.ingest.capture.protocols.ami import Ami
from simbox.ingest.capture.protocols.ddns import Ddns
from simbox.ingest.capture.protocols.dhcp import Dhcp
from simbox.ingest.capture.protocols.dinstar import Dinstar
from simbox.ingest.capture.protocols.dns import Dns
from simbox.ingest.capture.protocols.goip import GoIP
from simbox.ingest.capture.protocols.h225 import H225
from simbox.ingest.capture.protocols.http import Http
from simbox.ingest.capture.protocols.iax2 import Iax2
from simbox.ingest.capture.protocols.mgcp import Mgcp
from simbox.ingest.capture.protocols.ntp import Ntp
from simbox.ingest.capture.protocols.patterns import Patterns
from simbox.ingest.capture.protocols.radmin import Radmin
from simbox.ingest.capture.protocols.rtcp import Rtcp
from simbox.ingest.capture.protocols.simbank import Simbank
from simbox.ingest.capture.protocols.sip import Sip
from simbox.ingest.capture.protocols.skinny import Skinny
from simbox.ingest.capture.protocols.smtp import Smtp
from simbox.ingest.capture.protocols.telnet import Telnet
from simbox.ingest.capture.signatures.matching import Signatures


def readers(signatures: Signatures) -> tuple[Reader, ...]:
    """New readers for one file: call control first, what only leaves traces last."""
    return (
        Sip(),
        GoIP(),
        Simbank(),
        Dinstar(),
        Radmin(),
        Rtcp(),
        Skinny(),
        H225(),
        Mgcp(),
        Iax2(),
        Ddns(signatures),
        Dhcp(signatures),
        Dns(signatures),
        Ntp(signatures),
        Ami(signatures),
        Http(signatures),
        Smtp(signatures),
        Telnet(signatures),
        Patterns(signatures),
    )
