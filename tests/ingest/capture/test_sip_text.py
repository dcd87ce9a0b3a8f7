"""What is written as usual is read in one step: it must mean the same as read piece by piece."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbox.ingest.capture.protocols import sdp
from simbox.ingest.capture.signalling import sip_parties, sip_text

PIECES = (
    "sip:", "sips:", "SIP:", "tel:", "<", ">", "@", ":", ";", ",", "?", '"', " ", "\t", "\\",
    "[::1]",
    "=", "tag=", ";tag=", ";Tag = x", ";expires=60", "user=phone", "100", "+49",
    "192.0.2.1", "Host.",
    "host", "5060", "123456", "a b", "%20", "é", "*", "#", "-", "x",
)  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
PARTY = st.tuples(
    st.sampled_from(["", '"A" ', '"A"', "A ", "A.B ", " ", '"a\\"b" ', "é "]),
    st.sampled_from(["<sip:", "<sips:", "<SIP:", "sip:", "<tel:"]), TEXT,
    st.sampled_from(["@192.0.2.1>", "@host:5060>", ">", "@Host.example;transport=udp>", ""]),
    st.sampled_from(["", ";tag=1", ";tag=a;b=c", ";expires=60", ";tag=1 ", " ;tag=1",
                     ";tag=1,<sip:x@y>"]),
).map("".join)  # fmt: skip


@given(PARTY | TEXT)
def test_party_as_usual_means_what_it_means_piece_by_piece(value: str) -> None:
    assert sip_parties.party(value) == sip_parties._odd_party(value)


@given(TEXT | PARTY.map(lambda party: party.strip("<>")))
def test_uri_as_usual_means_what_it_means_piece_by_piece(value: str) -> None:
    assert sip_parties.uri(value) == sip_parties._odd_uri(value)


@pytest.mark.parametrize(
    "user", ["sip:u:secret@h", "<sip:u:secret@h:5060>;tag=1", "a@b <sip:u:p@h>"]
)
def test_password_is_left_out_of_a_header_as_written(user: str) -> None:
    written = sip_parties.as_written(user)
    assert written is not None
    assert "secret" not in written
    assert ":p@" not in written


def test_headers_met_before_are_read_alike_again() -> None:
    lines = [
        "OPTIONS",
        "Via: a",
        "v: b, c",
        "From: x",
        "f: y",
        "X-Odd: 1",
        " folded",
        "To: z",
        " more",
    ]
    first = sip_text.headers(lines)
    assert first == sip_text.headers(lines)
    assert (first.vias, first.unusual) == (3, ["X-Odd"])
    assert first.values[sip_text.TO] == "z more"
    assert first.values[sip_text.FROM] == "x"


@given(st.integers(0, 2**32 - 1).map(lambda n: str(IPv4Address(n))))
def test_address_in_four_numbers_is_numeric_and_written_as_it_is(text: str) -> None:
    assert sdp.numeric(text)
    assert sdp.literal(text) == text


@pytest.mark.parametrize("text", ["192.0.2.256", "192.0.2", "192.0.02.1", "192.0.2.1 ", "host", ""])
def test_what_only_looks_like_an_address_is_not_numeric(text: str) -> None:
    assert not sdp.numeric(text)


@given(
    st.sampled_from(["SIP/2.0/UDP 192.0.2.1:5060", "SIP/2.0/TLS host.example", "SIP / 2.0/UDP a"]),
    st.lists(st.sampled_from(["rport", "rport=5", "received=192.0.2.9", "branch=z9hG4bK-1", "x"])),
)
def test_a_plain_via_is_read_as_any_other(sent: str, parameters: list[str]) -> None:
    value = ";".join((sent, *parameters))
    assert sip_text.via(value) == sip_text._odd_via(value)


@pytest.mark.parametrize(
    ("lines", "vias"),
    [
        (["Via: SIP/2.0/UDP a;branch=1", "Via: SIP/2.0/UDP b;branch=2"], 2),
        (["v: SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2", "Route: x", "Route: x"], 2),
        (["VIA : SIP/2.0/UDP a;branch=1", "Via: SIP/2.0/UDP b,", " SIP/2.0/UDP c"], 3),
    ],
)
def test_the_top_via_counts_however_several_are_written(lines: list[str], vias: int) -> None:
    values, counted, _ = sip_text.meanings(["OPTIONS sip:a SIP/2.0", *lines])
    assert values[sip_text.VIA][:2] == ("1", "a")
    assert counted == vias


def test_values_on_several_lines_are_one_and_a_second_sender_is_none() -> None:
    lines = ["Allow: INVITE", "From: <sip:a@b>;tag=1", "Allow: ACK", "f: <sip:c@d>;tag=2", "X-A: 1"]
    values, _, unusual = sip_text.meanings(["OPTIONS sip:a SIP/2.0", *lines])
    assert values[sip_text.ALLOW] == "INVITE, ACK"
    assert values[sip_text.FROM][:3] == ("a", "b", "1")
    assert unusual == ["X-A"]


def test_a_password_in_a_display_name_is_left_out_too() -> None:
    values, _, _ = sip_text.meanings(["", 'From: "sip:a:secret@b" <sip:a@b>'])
    assert "secret" not in values[sip_text.FROM][3]
