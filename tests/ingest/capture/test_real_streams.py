"""RTP streams of real captures beside the project, against the counts that tshark gave."""

from __future__ import annotations

import csv
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest
from rtp_making import spilled

from simbox.ingest.capture.media.streams import join_segments, with_calls
from simbox.ingest.capture.reading import CaptureTask, read_capture
from simbox.ingest.capture.signatures.loading import load_signatures
from simbox.ingest.sources import Source
from simbox.tables import MEDIA, SEGMENTS, Table

#: Streams named at one end by signalling, and all streams, where these are not tshark's.
DIFFERENT = {
    "core-umts__wssamples__Mobile-Terminating-Call_AMR_.pcap": (0, 2, "announced by RANAP"),
    "core-umts__wssamples__UMTS_FP_MAC_RLC_RRC_NBAP.pcap": (0, 2, "announced by RANAP"),
    "goip__goipagent__ddns.pcap": (0, 0, "dynamic DNS of a GoIP"),
    "gtp__zeek__gtp4_udp_2152_inside.pcap": (0, 0, "one packet"),
    "ott-call__ndpi__stun_google_meet.pcapng": (0, 3, "three of 4 to 11 packets"),
    "ott-call__ndpi__telegram_videocall.pcapng": (0, 0, "random sources in encrypted packets"),
    "rtp__ndpi__rtp.pcapng": (0, 1, "four of 6 to 15 packets"),
    "rtp__sipp__dtmf_2833_1.pcap": (0, 0, "ten packets"),
}
#: Files whose media other signalling than SIP names, and the module that reads it.
NEEDED = {
    "sip-rtp__sipnab__SIP_CALL_RTP_G711.pcap": "mgcp",
    "voip-other__ndpi__skinny.pcap": "skinny",
}
INDEX = Path(__file__).resolve().parents[4] / "shared" / "data" / "captures" / "index.tsv"


@cache
def index() -> dict[str, dict[str, str]]:
    if not INDEX.exists():
        return {}
    with INDEX.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {row["file"]: row for row in rows if (INDEX.parent / row["file"]).exists()}


def table(folder: Path, kind: Table) -> pl.DataFrame:
    rows = spilled(folder, kind.name)
    return kind.empty() if rows.is_empty() else rows


@pytest.mark.parametrize("name", sorted(index()) or ["absent"])
def test_streams_are_those_of_tshark_or_the_difference_is_named(name: str, tmp_path: Path) -> None:
    if name not in index():
        pytest.skip("no real captures beside the project")
    needed = f"simbox.ingest.capture.protocols.{NEEDED.get(name, 'sip')}"
    if find_spec(needed) is None:
        pytest.skip(f"{needed} is not there")
    told = index()[name]
    task = CaptureTask(
        source=Source(INDEX.parent / name), folder=tmp_path, signatures=load_signatures(()),
        since=-(1 << 62), until=1 << 62,
    )  # fmt: skip
    read_capture(task)
    streams = with_calls(join_segments(table(tmp_path, SEGMENTS)), table(tmp_path, MEDIA))
    # tshark takes a stream as announced if either of its ends was named
    found = (streams["protocol"].is_not_null().sum(), len(streams))
    expected = (int(told["rtp_streams_sdp"]), int(told["rtp_streams_heuristic"]))
    if name in DIFFERENT:
        assert found == DIFFERENT[name][:2] != expected
    else:
        assert found == expected
