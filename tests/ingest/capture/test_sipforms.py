"""The evidence in SIP messages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from simbox.ingest.capture.signatures.shipped import shipped_signatures
from simbox.ingest.capture.signatures.sipforms import _forms, evidence_of, matches
from simbox.tables import EVIDENCE, MESSAGES

SHIPPED = shipped_signatures()
START = datetime(2026, 1, 1, tzinfo=UTC)
ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER, REGISTER, MESSAGE, INFO, SUBSCRIBE"
PLAIN: dict[str, Any] = {
    "source": "a.pcap", "frame": 1, "transport": "udp", "src": "192.0.2.10", "src_port": 5060,
    "dst": "198.51.100.7", "dst_port": 5060, "request": True, "method": "INVITE", "cseq": 1,
    "call_id": "a84b4c76e66710@pc33.example.org", "from_tag": "a6c85cf", "vias": 1,
    "from_header": '"Alice" <sip:alice@192.0.2.10>;tag=a6c85cf', "branch": "z9hG4bK-524287-1",
    "max_forwards": 70, "user_agent": "Linphone/3.6.1", "allow": "INVITE, ACK, BYE",
    "sdp_origin": "alice 1234 1235", "sdp_session": "Talk", "sdp_secure": False,
}  # fmt: skip
GOIP = PLAIN | {
    "call_id": "1804289383@192.168.1.30", "from_tag": "846930886", "branch": "z9hG4bK1681692777",
    "from_header": "<sip:99900000001@198.51.100.7:5060>;user=phone;tag=846930886",
    "max_forwards": 30, "user_agent": None, "allow": ALLOW, "sdp_session": "-",
    "sdp_origin": "userX 20000001 20000001",
}  # fmt: skip
BUSY = {"request": False, "status_code": 480, "reason_phrase": "Remote Busy", "user_agent": None}


def messages(*rows: dict[str, Any]) -> pl.DataFrame:
    timed = [
        {"time": START + timedelta(seconds=n), **PLAIN, **row, "frame": n + 1}
        for n, row in enumerate(rows)
    ]
    return MESSAGES.conform(pl.DataFrame(timed, infer_schema_length=None))


def told(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    found = evidence_of([matches(messages(*rows), SHIPPED)])
    assert found.schema == pl.Schema(EVIDENCE.schema)
    return found.to_dicts()


def gateways(*rows: dict[str, Any]) -> dict[str, str]:
    kinds = SHIPPED.kinds()
    return {r["signature"]: r["host"] for r in told(*rows) if kinds[r["signature"]] == "gateway"}


def test_template_is_told_without_any_user_agent() -> None:
    rows = [GOIP | {"call_id": f"{n}@192.168.1.30", "from_tag": str(n)} for n in range(50)]
    found = {r["signature"]: r for r in told(*rows)}
    assert set(found) == {"dbl-sip-template", "dbl-sip-template-part"}
    row = found["dbl-sip-template"]
    assert (row["host"], row["peer"], row["grade"]) == ("192.0.2.10", "198.51.100.7", "conclusive")
    assert (row["count"], row["frame"], row["time"]) == (50, 1, START)
    assert row["last_seen"] == START + timedelta(seconds=49)
    assert json.loads(row["fields"])["call_id_form"] == "decimal@lan"


def test_registration_without_allow_fits_a_part_of_the_template() -> None:
    row = GOIP | {"method": "REGISTER", "allow": None, "sdp_origin": None, "sdp_session": None}
    assert set(gateways(row)) == {"dbl-sip-template-part"}


@pytest.mark.parametrize("agent", ["dble", "HYBERTONE", "VoxStack Wireless Gateway", "HG4000/4.1"])
def test_brand_in_the_user_agent_is_told(agent: str) -> None:
    assert len(gateways({"user_agent": agent})) == 1


@pytest.mark.parametrize(
    "innocent",
    [
        {},
        {"user_agent": "Yealink SIP-T46S 66.84.0.15", "sdp_secure": True},
        {"user_agent": "Asterisk PBX 16.2.1", "from_tag": "as2d3f4a5b", "sdp_origin": "root 1 1",
         "call_id": "2d3f4a5b6c7d8e9f@192.0.2.10:5060"},
        # a phone on the osip stack: decimal tag, branch and call id
        {"from_tag": "1804289383", "branch": "z9hG4bK1681692777", "call_id": "846930886",
         "from_header": "<sip:100@198.51.100.7>;tag=1804289383", "user_agent": "osip"},
        {"from_tag": "1804289383", "branch": "z9hG4bK1681692777",
         "call_id": "2053994217-5060-1@BJC.BGI.B.BDA",
         "from_header": '"100" <sip:100@198.51.100.7;user=phone>;tag=1804289383',
         "user_agent": "Grandstream GXP1625 1.0.4.106"},
        BUSY | {"reason_phrase": "Temporarily Unavailable"},
        {"user_agent": "friendly-scanner"},
    ],
)  # fmt: skip
def test_innocent_stacks_are_no_gateways(innocent: dict[str, Any]) -> None:
    assert gateways(innocent) == {}


def test_scanners_are_told_as_such() -> None:
    (row,) = told({"user_agent": "friendly-scanner"})
    assert (row["signature"], row["grade"]) == ("scanner-sip", "weak")


def test_relay_is_not_taken_for_the_gateway_behind_it() -> None:
    leg = {"src": "198.51.100.7", "dst": "203.0.113.9", "vias": 2}
    assert set(gateways(GOIP, GOIP | leg).values()) == {"192.0.2.10"}
    back = {"src": "198.51.100.7", "dst": "203.0.113.9", "vias": 1}
    assert gateways(BUSY | {"vias": 2}, BUSY | back) == {"dbl-sip-remote-busy": "192.0.2.10"}


def test_first_and_count_are_of_all_forms_of_one_host() -> None:
    rows = [{"user_agent": "dble", "allow": a, "dst": d} for a in ("INVITE", "ACK") for d in "ab"]
    (row,) = [r for r in told(*rows) if r["signature"] == "dbl-sip-brand"]
    assert (row["count"], row["frame"], row["peer"]) == (4, 1, "a")


def test_no_messages_give_no_evidence() -> None:
    found = evidence_of([matches(MESSAGES.empty(), SHIPPED)])
    assert found.is_empty()
    assert found.schema == pl.Schema(EVIDENCE.schema)


@pytest.mark.parametrize(
    ("field", "column", "value", "form"),
    [
        ("call_id_form", "call_id", "123@10.0.0.1", "decimal@lan"),
        ("call_id_form", "call_id", "123@100.64.1.1:5060", "decimal@lan"),
        ("call_id_form", "call_id", "123@172.32.0.1", "decimal@ip"),
        ("call_id_form", "call_id", "3848276298@example.org", "decimal@name"),
        ("call_id_form", "call_id", "550e8400-e29b-41d4-a716-446655440000", "uuid"),
        ("call_id_form", "call_id", "@", "@name"),
        ("branch_form", "branch", "z9hG4bK776asdhds", "text"),
        ("branch_form", "branch", "z9hG4bK", ""),
        ("branch_form", "branch", "z9hG4bKabcdef01", "hex"),
        ("tag_form", "from_tag", "as58f4201b", "asterisk"),
        ("from_form", "from_header", '"A \\" B" <sips:b:c@[2001:db8::1]:5061>;tag=x;q=1',
         '"n" <sip:u@h:p>;tag;q=1'),
        ("from_form", "from_header", "Bob <sip:bob@example.org>;tag=1", "n <sip:u@h>;tag"),
        ("from_form", "from_header", "sip:bob@example.org;tag=1", "sip:u@h;tag"),
        ("sdp_origin", "sdp_origin", "userX 20000001 20000001", "userX 2000000"),
        ("sdp_origin", "sdp_origin", "1001 8000 8001", "0 0"),
        ("allow", "allow", "INVITE,ACK ,  BYE", "INVITE, ACK, BYE"),
    ],
)  # fmt: skip
def test_form_keeps_the_shape_and_drops_what_varies(
    field: str, column: str, value: str, form: str
) -> None:
    frame = messages({column: value}).select(_forms()[field].alias("form"))
    found = frame["form"][0]
    assert (found if value != "@" else "@name") == form
