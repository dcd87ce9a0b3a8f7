"""Real captures beside the project, from their records to their tables, against tshark's counts."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from simbox.ingest.capture.run import Captured, CaptureOptions, ingest_captures
from simbox.ingest.sources import Source
from simbox.store import Store

CAPTURES = Path(__file__).resolve().parents[4] / "shared" / "data" / "captures"
COUNTED = (
    "packets", "sip_messages", "sip_invite_dialogs", "sip_register_dialogs", "rtp_streams_sdp"
)  # fmt: skip

#: Where our counts are others, and why.
DIFFERENT: dict[str, dict[str, int]] = {
    # its one record claims half a megabyte, more than any capture program writes: damage at byte 24
    "broken__ndpi__fuzz-2021-10-13.pcap": {"packets": 0},
    # the addresses are announced in RANAP, the signalling of a core network that is not read
    "core-umts__wssamples__Mobile-Terminating-Call_AMR_.pcap": {"rtp_streams_sdp": 0},
    "core-umts__wssamples__UMTS_FP_MAC_RLC_RRC_NBAP.pcap": {"rtp_streams_sdp": 0},
}


def indexed() -> dict[str, dict[str, int]]:
    if not CAPTURES.is_dir():
        return {}
    with (CAPTURES / "index.tsv").open(newline="") as index:
        rows = {row["file"]: row for row in csv.DictReader(index, delimiter="\t")}
    return {
        name: {column: int(row[column]) for column in COUNTED}
        for name, row in rows.items()
        if (CAPTURES / name).is_file()
    }


INDEXED = indexed()


def read(file: Path, folder: Path) -> Captured:
    store = Store.create(folder, 1)
    with store.writer() as writer:
        return ingest_captures([Source(file)], writer, CaptureOptions(0, 1 << 32))


@pytest.mark.skipif(not INDEXED, reason="the real captures are not here")
@pytest.mark.parametrize("name", INDEXED)
def test_the_tables_hold_what_tshark_counts(name: str, tmp_path: Path) -> None:
    captured = read(CAPTURES / name, tmp_path / "store")
    [report] = captured.reports
    dialogs = captured.tables.dialogs.filter(pl.col("protocol") == "sip")
    streams = captured.tables.streams

    def calls(method: str) -> int:
        return int(dialogs.filter(pl.col("method") == method)["call_id"].n_unique())

    found = {
        "packets": report.frames,
        "sip_messages": report.counts.get("sip|message", 0),
        "sip_invite_dialogs": calls("INVITE"),
        "sip_register_dialogs": calls("REGISTER"),
        # tshark takes a stream as announced by either of its ends
        "rtp_streams_sdp": int(streams["protocol"].is_not_null().sum()),
    }
    assert found == INDEXED[name] | DIFFERENT.get(name, {})
