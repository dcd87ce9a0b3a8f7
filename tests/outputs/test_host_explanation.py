from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from simbox.features.hosts.seen import Seen
from simbox.outputs import captured as told
from simbox.outputs.explain_host import changes, explain_host, lines, seen_in
from simbox.outputs.explain_host_terminal import MOST_TEXT, revealed
from simbox.outputs.folder import RunFolder
from simbox.outputs.masking import printable
from simbox.outputs.parts import MICRO
from simbox.outputs.proof import BEHIND, behind, frames_of, pick, ranges
from simbox.outputs.timeline import timeline
from simbox.tables import DIALOGS, SIGHTINGS, STREAMS, TUNNELS

HOST, SCANNER, PEER = "192.0.2.44", "203.0.113.13", "198.51.100.20"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIDES = pl.DataFrame({"host": [HOST, PEER], "side": ["access", "far"]})


@pytest.fixture(scope="module")
def run(captured: Path) -> RunFolder:
    return RunFolder.open(captured)


@pytest.fixture(scope="module")
def seen(run: RunFolder) -> Seen:
    found = seen_in(run)
    assert found is not None
    return found


@pytest.mark.parametrize("host", [HOST, SCANNER])
def test_parts_of_a_host_add_up_to_its_score_exactly(run: RunFolder, host: str) -> None:
    explanation = explain_host(run, host)
    assert explanation.breakdown.total == round(explanation.row["score"] * MICRO)


def test_every_reason_for_a_host_has_frames_of_its_captures(run: RunFolder) -> None:
    explanation = explain_host(run, HOST)
    families = {g.name for g in explanation.breakdown.groups if g.micro_nats > 0}
    assert families - set(explanation.proof["reason"]) == set()
    captures = {capture.path for capture in run.record.ingest.captures}
    assert set(explanation.proof["file"]) <= captures


def test_families_that_have_frames_of_their_own_are_families_of_hosts() -> None:
    from simbox import HOST_FEATURES

    assert set(BEHIND) - {feature.family for feature in HOST_FEATURES.values()} == set()


def test_a_family_that_nobody_knows_is_proved_by_calls(seen: Seen) -> None:
    frames = frames_of(seen, HOST)
    [(_, part)] = behind(["of tomorrow"], frames)
    assert set(part["of"]) == {"calls"}


def test_frames_are_picked_from_the_first_hosts_on_and_the_rest_is_counted(seen: Seen) -> None:
    whole = pick(seen, [HOST, SCANNER])
    total = sum(len(numbers) for numbers in whole.frames.values())
    some = pick(seen, [HOST, SCANNER], most=5)
    assert whole.left_out == 0
    assert sum(len(numbers) for numbers in some.frames.values()) == 5
    assert some.left_out == total - 5
    assert not any("scanner" in source for source in some.frames)
    assert pick(seen, []) == pick(seen, [], most=0)


@pytest.mark.parametrize(
    ("numbers", "most", "shown"),
    [
        ([], 3, ""),
        ([5], 3, "5"),
        ([3, 1, 2, 9, 7, 8], 3, "1-3, 7-9"),
        ([1, 3, 5, 7, 8], 2, "1, 3 and 3 more"),
    ],
)
def test_frame_numbers_are_written_as_people_do(numbers: list[int], most: int, shown: str) -> None:
    assert ranges(numbers, most) == shown


def test_strips_count_every_call_once(run: RunFolder, seen: Seen) -> None:
    found = timeline(seen, HOST)
    assert found is not None
    calls = explain_host(run, HOST).calls
    started = sum(sum(found.rows.get(name, ())) for name in ("calls in", "calls out"))
    assert started == calls.height > 0
    assert found.start <= calls["start"].min()  # type: ignore[operator]
    assert found.end >= calls["start"].max()  # type: ignore[operator]


def test_scanner_has_a_strip_of_requests_and_no_lines(run: RunFolder) -> None:
    explanation = explain_host(run, SCANNER)
    assert explanation.timeline is not None
    assert list(explanation.timeline.rows) == ["requests"]
    assert explanation.lines.is_empty()


def call(second: int, until: int, frame: int) -> dict[str, object]:
    start, end = NOON + timedelta(seconds=second), NOON + timedelta(seconds=until)
    return {"start": start, "answered_at": start, "end": end, "last_seen": end, "src": PEER,
            "dst": HOST, "method": "INVITE", "protocol": "sip", "call_id": str(frame),
            "request_user": f"99913000{frame:04d}", "source": "x.pcap", "frame": frame,
            "messages": 4}  # fmt: skip


def test_calls_at_a_time_are_the_most_of_each_step() -> None:
    dialogs = pl.DataFrame([call(0, 25, 1), call(2, 6, 2), call(40, 50, 3)], schema=None)
    found = timeline(Seen.of({"dialogs": DIALOGS.conform(dialogs)}, SIDES), HOST)
    assert found is not None
    assert found.step == timedelta(seconds=1)
    level = found.rows["at a time"]
    assert (level[0], level[3], level[10], level[30], level[45]) == (1, 2, 1, 0, 1)
    assert len(level) == 51


def test_calls_inside_tunnels_are_summed_window_by_window() -> None:
    flow = {"host": HOST, "host_port": 1, "peer": PEER, "peer_port": 2, "start": NOON,
            "end": NOON + timedelta(seconds=30), "windows": 3, "share": 1.0, "calls_max": 4,
            "calls_mean": 3.0, "calls": [2, 4, 3], "source": "x", "first_frame": 1}  # fmt: skip
    tunnels = TUNNELS.conform(pl.DataFrame([flow, {**flow, "host_port": 3, "calls": [1]}]))
    found = timeline(Seen.of({"tunnels": tunnels}, SIDES), HOST)
    assert found is not None
    assert [found.rows["in tunnels"][n] for n in (0, 9, 10, 20, 29)] == [3, 3, 4, 3, 3]


def sighting(minute: int, **columns: object) -> dict[str, object]:
    return {"seen": NOON + timedelta(minutes=minute), "host": HOST, "account": "2001",
            "port": 1, "imsi": "001010000000001", "imei": "001001000000017",
            "protocol": "goip", "source": "x.pcap", "frame": minute + 1} | columns  # fmt: skip


def test_change_of_a_sim_is_told_with_its_frame() -> None:
    rows = [sighting(0), sighting(5), sighting(10, imsi="001010000000002"), sighting(11, imsi=None)]
    seen = Seen.of({"sightings": SIGHTINGS.conform(pl.DataFrame(rows))}, SIDES)
    [change] = changes(seen, HOST).to_dicts()
    assert (change["what"], change["before"], change["after"], change["frame"]) == (
        "imsi", "001010000000001", "001010000000002", 11,
    )  # fmt: skip
    held = lines(seen, HOST).drop_nulls("imsi")
    assert held["reports"].to_list() == [2, 1]


def test_media_without_signalling_have_strips_of_their_own() -> None:
    stream = {"start": NOON, "end": NOON + timedelta(seconds=20), "src": HOST, "src_port": 1,
              "dst": PEER, "dst_port": 2, "ssrc": 1, "payload_type": 8, "packets": 9,
              "octets": 9, "lost": 0, "disordered": 0, "tunnelled": 0, "announced": False,
              "source": "x", "first_frame": 1, "last_frame": 9}  # fmt: skip
    found = timeline(Seen.of({"streams": STREAMS.conform(pl.DataFrame([stream] * 2))}, SIDES), HOST)
    assert found is not None
    assert max(found.rows["media out"]) == 2


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (None, ""),
        ("no JSON", ""),
        ('{"serial": "X1", "direction": "request", "tag_form": "hex"}', "serial X1"),
        ('{"a": "' + "b" * 100 + '"}', ("a " + "b" * 100)[: MOST_TEXT - 1] + "…"),
    ],
)
def test_what_a_device_told_is_shown_in_words(fields: str | None, shown: str) -> None:
    assert revealed(fields) == shown


def test_text_from_the_network_cannot_command_a_terminal() -> None:
    frame = pl.DataFrame({"text": ["a\x1b[2Jb\r\n", "Zürich 東京"]})
    assert frame.select(printable(pl.col("text")))["text"].to_list() == ["a?[2Jb??", "Zürich 東京"]


def test_counts_are_told_apart_by_whether_something_was_lost() -> None:
    counts = {"sip|message": 9, "rtp|packets": 5, "rtp|too many streams": 2, "ip|cut short": 1,
              "sip|conversation given up": 3, "rtp|not confirmed": 0}  # fmt: skip
    assert told.found(counts) == {"sip message": 9, "rtp packets": 5}
    assert told.given_up(counts) == {
        "rtp too many streams": 2, "ip cut short": 1, "sip conversation given up": 3,
    }  # fmt: skip


def test_report_has_hosts_with_their_devices_lines_and_frames(captured: Path) -> None:
    page = (captured / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|@import|https?://|url\(|src=", page)
    assert page.index("Data quality") < page.index("<h2>Hosts</h2>")
    for words in (
        "damaged at byte",
        "DBL",
        "Frames behind the reasons",
        "calls over time",
        SCANNER,
    ):
        assert words in page
    sightings = pl.read_parquet(captured / "captures" / "sightings.parquet").filter(host=HOST)
    assert [imsi for imsi in sightings["imsi"].unique() if imsi not in page] == []


def test_report_shows_no_number_that_a_host_called(captured: Path) -> None:
    page = (captured / "report.html").read_text(encoding="utf-8")
    dialogs = pl.read_parquet(captured / "captures" / "dialogs.parquet")
    sold = dialogs.filter(pl.col("dst") == HOST, pl.col("method") == "INVITE")["request_user"]
    assert [n for n in sold.drop_nulls().unique() if len(n) > 8 and n in page] == []
