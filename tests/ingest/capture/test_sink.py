from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from simbox.ingest.capture import sink as sink_module
from simbox.ingest.capture.sink import Sink, shares
from simbox.tables import EVIDENCE, MEDIA, SIGHTINGS

SIGN = ("goip-keepalive", "GoIP", "strong")
AT = 1_700_000_000_123_456_789


def written(folder: Path, name: str) -> pl.DataFrame:
    return pl.concat([pl.read_ipc(part) for part in sorted(folder.glob(f"{name}-*.arrow"))])


def medium(frame: int) -> tuple[object, ...]:
    return (AT, None, frame, "sip", "c", "192.0.2.1", "192.0.2.1", 4000, "audio", "PCMA", "8", None)


@pytest.mark.parametrize("spill", [1, 2, 100])
def test_rows_are_all_written_however_often_they_are_spilled(
    spill: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink_module, "SPILL_ROWS", spill)
    out = Sink(tmp_path, "a.pcap")
    for frame in range(5):
        out.put_row(MEDIA, medium(frame))
    out.close()
    rows = written(tmp_path, "media")
    assert rows.schema == pl.Schema(MEDIA.schema)
    assert rows["frame"].to_list() == list(range(5))
    assert rows["source"].unique().to_list() == ["a.pcap"]
    assert rows["time"][0] == datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)


def test_rows_of_one_key_are_in_one_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_module, "SHARE_ROWS", 3)
    out = Sink(tmp_path / "00000", "a.pcap")
    for frame in range(200):
        out.put_row(MEDIA, medium(frame), key=f"call {frame % 40}")
    out.close()
    found = [pl.concat(map(pl.read_ipc, paths)) for paths in shares(tmp_path, MEDIA) if paths]
    assert len(found) > 1
    calls = [set((rows["frame"] % 40).to_list()) for rows in found]
    assert sum(map(len, calls)) == len(set().union(*calls)) == 40
    assert sum(rows.height for rows in found) == 200


def test_row_by_names_leaves_absent_columns_null_and_refuses_unknown_ones(tmp_path: Path) -> None:
    out = Sink(tmp_path, "a.pcap")
    out.put(SIGHTINGS, seen=AT, frame=7, host="192.0.2.1")
    with pytest.raises(KeyError, match="colour"):
        out.put(SIGHTINGS, seen=AT, frame=7, host="192.0.2.1", colour="red")
    out.close()
    row = written(tmp_path, "sightings").row(0, named=True)
    assert (row["frame"], row["host"], row["account"]) == (7, "192.0.2.1", None)


def test_repeats_of_a_signature_at_a_host_are_counted_in_one_row(tmp_path: Path) -> None:
    out = Sink(tmp_path, "a.pcap")
    out.evidence(SIGN, "192.0.2.1", AT, 3, fields={"id": "first"})
    out.evidence(SIGN, "192.0.2.1", AT + 5_000, 9, fields={"id": "second"})
    out.evidence(SIGN, "192.0.2.1", AT, 4, line="1")
    out.close()
    rows = written(tmp_path, "evidence").sort("frame")
    assert rows["count"].to_list() == [2, 1]
    assert rows["fields"][0] == '{"id": "first"}'
    assert rows["last_seen"][0] > rows["time"][0]


def test_evidence_beyond_what_is_held_is_counted_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink_module, "MOST_EVIDENCE", 2)
    out = Sink(tmp_path, "a.pcap")
    for host in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1"):
        out.evidence(SIGN, host, AT, 1)
    out.close()
    assert out.counts["evidence|forgotten"] == 1
    rows = written(tmp_path, EVIDENCE.name).sort("host")
    assert rows.select("host", "count").rows() == [("192.0.2.1", 2), ("192.0.2.2", 1)]


def test_a_row_of_the_wrong_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="columns, the row 1"):
        Sink(tmp_path, "a.pcap").put_row(MEDIA, (None,))
