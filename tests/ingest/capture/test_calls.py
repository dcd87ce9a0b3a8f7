"""What dialogs become: calls and texts of the right line, in the right direction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from simbox.ingest.capture.calls import events, number
from simbox.ingest.capture.joined import CaptureTables
from simbox.tables import DIALOGS, EVIDENCE, SIGHTINGS, STREAMS, TUNNELS, Table

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GATEWAY, PEER, PHONE = "192.0.2.10", "203.0.113.5", "192.0.2.20"
SIDES = {GATEWAY: "access", PHONE: "access", PEER: "far"}


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def rows(table: Table, given: list[dict[str, Any]]) -> pl.DataFrame:
    return table.conform(pl.DataFrame(given, infer_schema_length=None)) if given else table.empty()


def dialog(**more: Any) -> dict[str, Any]:
    return {
        "start": at(0), "last_seen": at(60), "protocol": "sip", "method": "INVITE",
        "call_id": "call-1", "src": PEER, "dst": GATEWAY, "request_user": "99913000000101",
        "from_user": "99922000000001", "status_code": 200, "answered_at": at(12), "end": at(60),
        "messages": 6, "source": "a.pcap", "frame": 7,
    } | more  # fmt: skip


def made(
    dialogs: list[dict[str, Any]],
    sightings: list[dict[str, Any]] | None = None,
    streams: list[dict[str, Any]] | None = None,
    sides: dict[str, str] | None = None,
) -> list[dict[str, Any]]:
    tables = CaptureTables(
        dialogs=rows(DIALOGS, dialogs),
        streams=rows(STREAMS, streams or []),
        evidence=EVIDENCE.empty(),
        sightings=rows(SIGHTINGS, sightings or []),
        tunnels=TUNNELS.empty(),
        sides=pl.DataFrame(list((sides or SIDES).items()), schema=["host", "side"], orient="row"),
    )
    return events(tables).to_dicts()


def sighting(**more: Any) -> dict[str, Any]:
    return {
        "seen": at(-20), "line": "99913500000003", "host": GATEWAY, "protocol": "goip",
        "imsi": "001010000000003", "imei": "001001000000030", "port": 3, "account": "line03",
        "source": "a.pcap", "frame": 2,
    } | more  # fmt: skip


def register(account: str, contact: str, **more: Any) -> dict[str, Any]:
    return dialog(
        method="REGISTER", src=GATEWAY, dst=PEER, to_user=account, from_user=account,
        contact_user=account, contact_host=contact, call_id=f"r-{account}", answered_at=None,
        end=None,
    ) | more  # fmt: skip


def test_an_invite_into_a_host_for_a_dialled_number_is_an_outgoing_call() -> None:
    [call] = made([dialog()])
    assert call["event_type"] == "MOC"
    assert (call["line"], call["other"], call["host"]) == (GATEWAY, "99913000000101", GATEWAY)
    assert (call["answered"], call["duration_s"]) == (True, 48)


def test_an_invite_for_an_account_of_the_host_is_an_incoming_call() -> None:
    calls = made([register("2001", f"{GATEWAY}:5061"), dialog(request_user="2001")])
    assert [(c["event_type"], c["line"], c["other"]) for c in calls] == [
        ("MTC", "2001", "99922000000001")
    ]


def test_what_an_exchange_rings_at_a_telephone_is_an_incoming_call() -> None:
    [call] = made([dialog(protocol="skinny")])
    assert (call["event_type"], call["other"]) == ("MTC", "99922000000001")


def test_a_request_for_an_account_dials_the_number_in_to() -> None:
    asked = dialog(request_user="2001", to_user="99913000000101")
    calls = made([register("2001", f"{GATEWAY}:5061"), asked])
    assert [(c["event_type"], c["line"], c["other"]) for c in calls] == [
        ("MOC", "2001", "99913000000101")
    ]


def test_an_invite_that_an_access_host_sends_is_its_own_outgoing_call() -> None:
    [call] = made([dialog(src=PHONE, dst=PEER, from_user="1001")])
    assert (call["event_type"], call["line"], call["host"]) == ("MOC", "1001", PHONE)


def test_the_credentials_name_the_line_before_the_number_shown() -> None:
    [call] = made([dialog(src=PHONE, dst=PEER, from_user="anonymous", auth_user="1001")])
    assert call["line"] == "1001"


def test_the_called_port_tells_which_account_of_a_gateway_dials() -> None:
    registered = [register(f"200{n}", f"{GATEWAY}:506{n}") for n in (1, 2, 3)]
    calls = made([*registered, dialog(dst_port=5062)])
    assert [c["line"] for c in calls] == ["2002"]


def test_what_the_gateway_tells_of_a_call_gives_it_its_sim() -> None:
    told = dialog(
        protocol="goip", src=GATEWAY, dst=PEER, from_user="99913500000003", start=at(3),
        request_user="013000000101", call_id="goip-1", port=3,
    )  # fmt: skip
    [call] = made([dialog(), told], [sighting()])
    assert (call["line"], call["imsi"]) == ("99913500000003", "001010000000003")
    assert (call["imei"], call["other"]) == ("001001000000030", "99913000000101")


def test_a_call_that_only_the_gateway_tells_of_is_kept() -> None:
    told = dialog(protocol="goip", src=GATEWAY, dst=PEER, from_user="99913500000003")
    assert [c["line"] for c in made([told], [sighting()])] == ["99913500000003"]


def test_a_call_told_much_later_is_another_call() -> None:
    told = dialog(protocol="goip", src=GATEWAY, dst=PEER, from_user="99913500000003", start=at(300))
    assert len(made([dialog(), told], [sighting()])) == 2


def test_a_call_seen_on_two_hops_at_one_host_is_one_call() -> None:
    assert len(made([dialog(), dialog(src="203.0.113.9", start=at(1))])) == 1


def test_without_a_bye_the_media_end_the_call() -> None:
    stream = {
        "start": at(12), "end": at(40), "src": GATEWAY, "src_port": 4000, "dst": PEER,
        "dst_port": 5000, "ssrc": 1, "payload_type": 8, "packets": 1400, "octets": 1, "lost": 0,
        "disordered": 0, "tunnelled": 0, "announced": True, "call_id": "call-1",
        "source": "a.pcap", "first_frame": 9, "last_frame": 90,
    }  # fmt: skip
    [call] = made([dialog(end=None)], streams=[stream])
    assert (call["answered"], call["duration_s"]) == (True, 28)


@pytest.mark.parametrize(
    ("outcome", "answered"),
    [
        ({"status_code": 486, "answered_at": None, "end": at(20)}, False),
        ({"status_code": None, "answered_at": None, "end": None}, None),
    ],
)
def test_what_was_not_answered_has_no_duration(outcome: dict[str, Any], answered: bool) -> None:
    [call] = made([dialog(**outcome)])
    assert (call["answered"], call["duration_s"]) == (answered, None)


def test_a_request_turned_down_at_once_is_no_call() -> None:
    refused = {"status_code": 404, "answered_at": None, "ringing_at": None}
    assert made([dialog(**refused, end=at(0.1))]) == []
    assert len(made([dialog(**refused, end=at(6))])) == 1


def test_a_text_is_no_call() -> None:
    sent = dialog(method="MESSAGE", protocol="goip", src=GATEWAY, dst=PEER, from_user="9991350003")
    got = sent | {"src": PEER, "dst": GATEWAY, "request_user": "9991350003", "call_id": "m2",
                  "from_user": "99917000000001"}  # fmt: skip
    found = made([sent, got], [sighting(line="9991350003")])
    assert [(e["event_type"], e["answered"], e["duration_s"]) for e in found] == [
        ("SMS_MO", None, None),
        ("SMS_MT", None, None),
    ]


def test_calls_between_far_hosts_are_nobodys_on_the_access_side() -> None:
    assert made([dialog()], sides={GATEWAY: "far", PEER: "far"}) == []


def test_where_the_sides_are_not_known_the_called_host_is_taken() -> None:
    [call] = made([dialog()], sides={GATEWAY: "unknown", PEER: "unknown"})
    assert call["host"] == GATEWAY


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("+999 13-0000.0101", "9991300000101"),
        ("0099913000000101", "99913000000101"),
        ("9001#99913000000101", "99913000000101"),
        ("*31#99913000000101", "99913000000101"),
        ("0013", "0013"),
        ("alice", "alice"),
        ("2001", "2001"),
    ],
)
def test_users_that_are_numbers_are_read_as_numbers(user: str, expected: str) -> None:
    frame = pl.DataFrame({"user": [user]})
    assert frame.select(number(pl.col("user"))).item() == expected
