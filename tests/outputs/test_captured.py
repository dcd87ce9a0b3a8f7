"""What captures are, in words."""

from __future__ import annotations

from simbox.ingest.capture.report import CaptureReport
from simbox.outputs.captured import damages


def test_damaged_file_is_named_once() -> None:
    of_unpacking = CaptureReport("a.gz", "", 1, "pcap", 1, 1, 0, damage="at 9: a.gz: gz is cut")
    of_records = CaptureReport("b.pcap", "", 1, "pcap", 1, 1, 0, damage="at 9: a record is cut")
    whole = CaptureReport("c.pcap", "", 1, "pcap", 1, 1, 0)
    assert damages([of_unpacking, of_records, whole]) == [
        "a.gz: at 9: gz is cut",
        "b.pcap: at 9: a record is cut",
    ]
