from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rtp_making import SECOND, START, packets, segments, talk

from simbox.ingest.capture.media.streams import join_segments, with_calls
from simbox.tables import MEDIA, SEGMENTS, STREAMS

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
GATEWAY, SERVER = "203.0.113.7", "198.51.100.1"


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def segment(start: float = 0, packets: int = 500, **more: Any) -> dict[str, Any]:
    """Ten seconds of G.711 from the gateway to the server."""
    return {
        "source": "a.pcap", "src": GATEWAY, "src_port": 4000, "dst": SERVER, "dst_port": 5000,
        "ssrc": 77, "payload_type": 8, "event_type": None, "start": after(start),
        "end": after(start + (packets - 1) * 0.02), "first_frame": 1, "last_frame": 2 * packets,
        "packets": packets, "octets": 160 * packets, "first_seq": 100,
        "extended_seq": packets - 1, "disordered": 0, "ticks": 160, "size": 160,
        "size_share": 1.0, "markers": 1, "comfort": 0, "jitter": 16.0, "mean_deviation": 4.0,
        "tunnelled": 0, "announced": True,
    } | more  # fmt: skip


def offer(time: float = -1, **more: Any) -> dict[str, Any]:
    """The server's SDP of a call."""
    return {
        "time": after(time), "source": "a.pcap", "frame": 1, "protocol": "sip", "call_id": "one",
        "announcer": SERVER, "address": SERVER, "port": 5000, "kind": "audio",
        "codecs": "PCMA,G729,AMR-WB,telephone-event", "payload_types": "8,18,97,101",
        "ptime_ms": 20,
    } | more  # fmt: skip


def joined(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return join_segments(pl.DataFrame(rows, schema=SEGMENTS.schema, orient="row")).to_dicts()


def called(rows: list[dict[str, Any]], *offers: dict[str, Any]) -> list[dict[str, Any]]:
    streams = join_segments(pl.DataFrame(rows, schema=SEGMENTS.schema, orient="row"))
    found = with_calls(streams, pl.DataFrame(offers, schema=MEDIA.schema, orient="row"))
    assert dict(found.schema) == STREAMS.schema
    return found.to_dicts()


def test_parts_in_two_files_are_one_stream_with_the_loss_between_them() -> None:
    first = segment(extended_seq=504, disordered=1)  # five lost
    second = segment(10, source="b.pcap", first_seq=100 + 504 + 4, markers=2, jitter=8.0)
    (row,) = joined(second, first)
    assert (row["packets"], row["octets"], row["markers"]) == (1000, 160_000, 3)
    assert (row["lost"], row["extended_seq"], row["disordered"]) == (8, 1007, 1)
    assert (row["source"], row["first_frame"], row["jitter"]) == ("a.pcap", 1, 8.0)
    assert (row["start"], row["end"]) == (T0, after(19.98))


def test_sequence_numbers_wrap_between_parts() -> None:
    first = segment(first_seq=65036)  # up to 65535
    (row,) = joined(first, segment(10, first_seq=0))
    assert row["lost"] == 0


def test_new_numbering_between_parts_is_no_loss() -> None:
    (row,) = joined(segment(), segment(10, first_seq=40_000))
    assert row["lost"] == 0


@pytest.mark.parametrize(("silence", "streams"), [(59.9, 1), (60, 2), (3000, 2)])
def test_stream_ends_with_a_minute_of_silence(silence: float, streams: int) -> None:
    assert len(joined(segment(), segment(9.98 + silence, first_seq=600))) == streams


@pytest.mark.parametrize("column", ["src", "src_port", "dst", "dst_port", "ssrc"])
def test_another_end_or_source_is_another_stream(column: str) -> None:
    other = {"src": "203.0.113.8", "dst": "203.0.113.8"}.get(column, 78)
    assert len(joined(segment(), segment(10, **{column: other}))) == 2


def test_typical_figures_are_those_of_the_part_with_most_packets() -> None:
    short = segment(packets=30, payload_type=13, size=1, size_share=0.5, ticks=None)
    (row,) = joined(short, segment(1, packets=470, event_type=101))
    assert (row["payload_type"], row["size"], row["ticks"], row["event_type"]) == (8, 160, 160, 101)
    assert row["size_share"] == pytest.approx((30 * 0.5 + 470) / 500)


def test_no_segments_give_no_streams() -> None:
    assert called([]) == []


def test_stream_without_announcement_has_its_codec_by_payload_type() -> None:
    (row,) = called([segment()])
    told = (row["announced"], row["call_id"], row["protocol"], row["codec"])
    assert told == (False, None, None, "PCMA")
    assert (row["ptime_ms"], row["jitter_ms"], row["lost"]) == (20.0, 2.0, 0)


def test_announced_stream_has_call_and_codec() -> None:
    (row,) = called([segment(payload_type=18, size=20)], offer())
    told = (row["announced"], row["call_id"], row["protocol"], row["codec"])
    assert told == (True, "one", "sip", "G729")


@pytest.mark.parametrize(
    ("kind", "ticks", "codec", "ptime"), [(97, 320, "AMR-WB", 20.0), (96, 160, None, 20.0)]
)
def test_dynamic_payload_type_is_what_the_announcement_says(
    kind: int, ticks: int, codec: str | None, ptime: float
) -> None:
    (row,) = called([segment(payload_type=kind, ticks=ticks)], offer())
    assert (row["codec"], row["ptime_ms"]) == (codec, ptime)


def test_jitter_by_another_clock_than_announced_is_not_known() -> None:
    # wide-band AMR that is silent half of the time looks like one of 8 kHz
    slow = segment(payload_type=97, ticks=320, end=after(30), markers=9)
    (row,) = called([slow], offer())
    assert (row["jitter_ms"], row["ptime_ms"], row["silence"]) == (None, 20.0, True)


@pytest.mark.parametrize(
    ("offers", "call"),
    [
        ([offer(-500, call_id="old"), offer(-1)], "one"),
        ([offer(-1), offer(5, call_id="next")], "one"),
        ([offer(0.5)], "one"),
        ([offer(5)], "one"),
        ([offer(11)], None),
        ([offer(port=0)], None),
        ([offer(kind="image")], None),
        ([offer(address=GATEWAY)], None),
    ],
    ids=["reused port", "reused before the end", "media first", "within", "too late", "refused",
         "fax", "other address"],
)  # fmt: skip
def test_stream_belongs_to_the_call_that_announced_it_last(
    offers: list[dict[str, Any]], call: str | None
) -> None:
    (row,) = called([segment()], *offers)
    assert (row["call_id"], row["announced"]) == (call, call is not None)


def test_stream_from_an_announced_address_belongs_to_the_call_without_being_announced() -> None:
    back = segment(src=SERVER, src_port=5000, dst=GATEWAY, dst_port=61000, ssrc=5)
    (row,) = called([back], offer())
    assert (row["call_id"], row["announced"], row["codec"]) == ("one", False, "PCMA")


def test_private_address_behind_nat_that_kept_the_port_is_its_announcer() -> None:
    private = offer(announcer=SERVER, address="10.0.0.9")
    (row,) = called([segment()], private)
    assert (row["call_id"], row["announced"]) == ("one", False)


@pytest.mark.parametrize(
    ("columns", "silent"),
    [
        ({}, False), ({"markers": 400}, False), ({"comfort": 3}, True),
        ({"markers": 5, "end": after(20)}, True), ({"markers": 1, "end": after(20)}, False),
    ],
)  # fmt: skip
def test_silence_is_told_by_talk_spurts_with_pauses_or_by_comfort_noise(
    columns: dict[str, Any], silent: bool
) -> None:
    (row,) = called([segment(**columns)])
    assert row["silence"] is silent


def test_stream_cut_over_files_is_as_in_one_file(tmp_path: Path) -> None:
    number = np.delete(np.arange(1200), [10, 599, 600, 601, 700])
    rtp = talk(
        len(number), sequence=number + 65000, stamp=number * 160, time=START + number * SECOND // 50
    )
    whole = join_segments(segments(packets(rtp), tmp_path / "whole")).row(0, named=True)
    halves = [
        segments(packets(rtp.take(rows)), tmp_path / f"{n}")
        for n, rows in enumerate((np.arange(598), np.arange(598, len(number))))
    ]
    (parts,) = join_segments(pl.concat(halves)).to_dicts()
    assert (whole["packets"], whole["lost"]) == (1195, 5)
    same = ("packets", "octets", "lost", "start", "end", "extended_seq", "ticks", "size", "clock")
    assert [parts[n] for n in same] == [whole[n] for n in same]
