"""Real exports beside the project are read, or refused with one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import read

from simbox.errors import InputError
from simbox.ingest.cdr.propose import propose
from simbox.ingest.sources import Source

SHIPPED = {
    # rows as the data's own index counts them, less the header where it counts that too
    "cdr/asterisk/Master.csv": ("asterisk-custom", 14, 28),
    "cdr/freeswitch/Master.csv": ("freeswitch", 10, 20),
    "cdr/cucm/sample_cdr.txt": ("cisco-cucm", 1, 2),
    "cdr/voip/CDRImport-2015-10-26.csv": ("cdr-stats", 5, 10),
    "cdr/mobile_csv/simbox_labelled_333.csv": ("mediation-ts32298", 333, 333),
    "cdr/mobile_csv/bandicoot_u_test.csv": ("orange-semicolon", 500, 500),
    "cdr/mobile_csv/notional_PICKUP_DRIVER002.csv": ("generic-parties", 2260, 2260),
    "cdr/synthetic/sichuan_style_voc.csv": ("sichuan-voice", 200, 200),
    "cdr/synthetic/sichuan_style_voc_gbk.csv": ("sichuan-voice", 200, 200),
}
PROPOSED = {
    "cdr/mobile_csv/mtn_test.csv": (310, 310),
    "cdr/mobile_csv/notional_PICKUP_DRIVER002.csv": (2260, 2260),
    "cdr/mobile_csv/sdc_sample_cdr_2018.csv": (3, 3),
    "copenhagen-calls-sms/calls.csv": (3600, 7200),
    "copenhagen-calls-sms/sms.csv": (24333, 48666),
    "reality-mining-calls/calls.txt": (3354, 3354),
}
REFUSED = {
    "cdr/cells/cider_antennas.csv": "a cell table",
    "cdr/cells/flowkit_cells_excerpt.csv": "a cell table",
    "cdr/mobile_csv/bandicoot_antennas.csv": "a cell table",
    "cdr/cucm/sample_cmr.txt": "19 SQL types, as CMR files have",
    "cdr/ref/osmocom_tacdb_2016.csv": "a list of TACs",
    "cdr/ref/phone_codes_cdrgen.csv": "a list of prefixes",
    "cdr/acmepacket/C640_stop_columns.csv": "found 1, Acct-Status-Type, nil",
    "copenhagen-calls-sms/fb_friends.csv": "found # source",
    "cdr/synthetic/cs_32298_2000.ber": "a BER-encoded CDR file (TS 32.298)",
    "cdr/synthetic/cs_32298_2000.ber.gz": "a BER-encoded CDR file (TS 32.298)",
    "cdr/synthetic/cs_32298_2000.ber.zst": "a BER-encoded CDR file (TS 32.298)",
    "cdr/synthetic/MSC01_-_0000000007.20260301_-_0000+0800": "TS 32.297",
    "cdr/tap/tap_3_12_valid.ber": "a BER-encoded TAP3 file",
}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profile_reads_every_row(name: str, shared: Path, tmp_path: Path) -> None:
    profile, rows, events = SHIPPED[name]
    report = read([shared / "data" / name], tmp_path).report.files[0]
    found = (report.profile, report.rows, report.events, report.rejects)
    assert found == (profile, rows, events, {})


@pytest.mark.parametrize("name", PROPOSED)
def test_proposed_profile_reads_every_row(name: str, shared: Path, tmp_path: Path) -> None:
    rows, events = PROPOSED[name]
    file = shared / "data" / name
    profile = tmp_path / "proposed.toml"
    profile.write_text(propose(Source(file)).toml, encoding="utf-8")
    report = read([file], tmp_path, profile=profile).report.files[0]
    assert (report.rows, report.events, report.rejects) == (rows, events, {})


@pytest.mark.parametrize("name", REFUSED)
def test_other_file_is_refused_with_one_line_saying_what_it_is(
    name: str, shared: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as refused:
        read([shared / "data" / name], tmp_path)
    assert REFUSED[name] in str(refused.value)
    assert "\n" not in str(refused.value)


def test_proposed_profile_is_recognised_by_content_afterwards(shared: Path, tmp_path: Path) -> None:
    file = shared / "data" / "reality-mining-calls" / "calls.txt"
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "own.toml").write_text(propose(Source(file)).toml, encoding="utf-8")
    report = read([file], tmp_path, profile_folders=(folder,)).report.files[0]
    assert report.profile == "reality-mining-calls-calls"


def test_missed_calls_of_a_proposal_are_not_answered(shared: Path, tmp_path: Path) -> None:
    file = shared / "data" / "copenhagen-calls-sms" / "calls.csv"
    profile = tmp_path / "proposed.toml"
    profile.write_text(propose(Source(file)).toml, encoding="utf-8")
    events = read([file], tmp_path, profile=profile).events
    missed = sum(line.rstrip().endswith(",-1") for line in file.read_text().splitlines())
    assert missed > 0
    assert (events["answer"] == 0).sum() == 2 * missed
