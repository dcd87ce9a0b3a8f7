"""SIP messages become rows, however they are spelt, cut or damaged."""

from __future__ import annotations

import csv
from pathlib import Path
from time import process_time
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sip_reading import CALLED, CALLER, Rows, crlf, datagram, message, read, read_capture

from simbox.ingest.capture.protocols.sip import MAX_BODY, Sip
from simbox.ingest.capture.signalling import sip_parties

CAPTURES = Path(__file__).parents[4] / "shared" / "data" / "captures"

SDP = """v=0
o=userX 20000001 20000001 IN IP4 192.0.2.10
s=talk
c=IN IP4 192.0.2.10
t=0 0
m=audio 16400 RTP/AVP 8 101
a=rtpmap:101 telephone-event/8000
a=ptime:20
"""
INVITE = f"""INVITE sip:15550100@198.51.100.20:5060;user=phone SIP/2.0
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK1001;rport
Via: SIP/2.0/UDP 192.0.2.11:5062;branch=z9hG4bK1000
Max-Forwards: 30
From: "Line; <1>" <sip:line1@198.51.100.20>;tag=771
To: <sip:15550100@198.51.100.20>
Call-ID: 4711@192.0.2.10
CSeq: 102 INVITE
Contact: <sip:line1@192.0.2.10:5060>
User-Agent: Example GW
Allow: INVITE, ACK, BYE
P-Asserted-Identity: <tel:+1-555-0101>
P-Access-Network-Info: IEEE-802.11
X-Gate: 3
X-Slot: 1
Authorization: Digest username="line1", realm="goip", nonce="1", uri="sip:x", response="5ec"
Content-Type: application/sdp
Content-Length: {len(crlf(SDP))}

{SDP}"""
RINGING = """SIP/2.0 180 Ringing
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK1001
From: <sip:line1@198.51.100.20>;tag=771
To: <sip:15550100@198.51.100.20>;tag=9
Call-ID: 4711@192.0.2.10
CSeq: 102 INVITE
Server: Example PBX
Content-Length: 0

"""


def with_header(line: str) -> str:
    return RINGING.replace("Server: Example PBX", line)


def test_a_request_gives_its_row() -> None:
    row = message(INVITE)
    expected = {
        "transport": "udp", "src": CALLER[0], "src_port": 5060, "dst": CALLED[0],
        "dst_port": 5060, "request": True, "method": "INVITE", "status_code": None,
        "reason_phrase": None, "cseq": 102, "call_id": "4711@192.0.2.10",
        "request_user": "15550100", "request_host": "198.51.100.20", "from_user": "line1",
        "from_host": "198.51.100.20", "from_tag": "771",
        "from_header": '"Line; <1>" <sip:line1@198.51.100.20>;tag=771',
        "to_user": "15550100", "to_tag": None, "asserted_user": "+15550101",
        "contact_user": "line1", "contact_host": "192.0.2.10:5060", "branch": "z9hG4bK1001",
        "via_host": "192.0.2.10:5060", "vias": 2, "max_forwards": 30,
        "user_agent": "Example GW", "allow": "INVITE, ACK, BYE", "auth_user": "line1",
        "realm": "goip", "expires": None, "cause": None, "access_network": "IEEE-802.11",
        "unusual": "X-Gate,X-Slot", "sdp_origin": "userX 20000001 20000001 IN IP4",
        "sdp_session": "talk", "sdp_secure": False,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_a_response_gives_its_row() -> None:
    row = message(RINGING)
    expected = {
        "request": False, "method": "INVITE", "status_code": 180, "reason_phrase": "Ringing",
        "cseq": 102, "to_tag": "9", "user_agent": "Example PBX", "from_header": None,
        "request_user": None, "vias": 1, "sdp_secure": None,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_media_are_put_and_announced() -> None:
    out = read(crlf(INVITE))
    (row,) = out.media
    assert out.announced == [("192.0.2.10", 16400)]
    assert (row["announcer"], row["address"], row["port"]) == (CALLER[0], "192.0.2.10", 16400)
    assert (row["kind"], row["codecs"]) == ("audio", "PCMA,telephone-event")
    assert (row["payload_types"], row["ptime_ms"], row["protocol"]) == ("8,101", 20, "sip")
    assert row["call_id"] == "4711@192.0.2.10"


SPELLINGS = {
    "line feeds alone": INVITE.encode(),
    "compact forms": crlf(
        INVITE.replace("Via:", "v:").replace("From:", "f:").replace("To:", "t:")
        .replace("Call-ID:", "i:").replace("Contact:", "m:").replace("Content-Type:", "c:")
        .replace("Content-Length:", "l:")
    ),
    "odd case": crlf(INVITE.replace("Call-ID", "CALL-id").replace("From", "fROM")),
    "spaces before the colon": crlf(INVITE.replace("CSeq:", "CSeq \t : ").replace("To:", "To :")),
    "folded lines": crlf(INVITE.replace("To: ", "To:\n  ").replace("102 ", "102\n\t")),
    "empty lines before": b"\r\n\r\n" + crlf(INVITE),
    "junk before": b"\x00\x01\x02junk" + crlf(INVITE),
    "method in small letters": crlf(INVITE.replace("INVITE sip", "invite sip")),
    "wide start line": crlf(
        INVITE.replace(" sip:15", "  sip:15").replace(" SIP/2.0\n", "  SIP/2.0 \n")
    ),
    "leading zeros": crlf(INVITE.replace("CSeq: 102", "CSeq: 0000000102")),
    "two values in a Via": crlf(
        INVITE.replace("rport\nVia: SIP", "rport, SIP")
    ),
    "spaces in a Via": crlf(
        INVITE.replace("SIP/2.0/UDP 192.0.2.10:5060;", "SIP / 2.0 / UDP 192.0.2.10 : 5060 ; ")
    ),
    "another order": crlf(
        INVITE.replace("Max-Forwards: 30\n", "")
        .replace("X-Slot: 1\n", "X-Slot: 1\nMax-Forwards: 30\n")
    ),
    "a password in the URI": crlf(INVITE.replace("<sip:line1@198", "<sip:line1:secret@198")),
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_same_message_spelt_otherwise_gives_the_same_row(name: str) -> None:
    assert message(SPELLINGS[name]) == message(INVITE)
    assert read(SPELLINGS[name]).media == read(crlf(INVITE)).media


PARTIES: list[tuple[str, tuple[Any, ...]]] = [
    ("<sip:a@192.0.2.1>;tag=x", ("a", "192.0.2.1", "x")),
    ("sip:a@192.0.2.1;tag=x", ("a", "192.0.2.1", "x")),
    ("<sip:a@gw.example:5060>;user=phone;tag=12", ("a", "gw.example", "12")),
    ("Agent <sips:a@GW.example> ; TAG = x", ("a", "gw.example", "x")),
    ('"<b>; \\"q\\"" <sip:a@h.example>;tag=x', ("a", "h.example", "x")),
    ("<tel:+1-555.01(00);phone-context=example.com>;tag=x", ("+15550100", None, "x")),
    ("<sip:+1555;phone-context=+44@h.example;user=phone>", ("+1555", "h.example", None)),
    ("<sip:a;isub=1411@h.example>", ("a", "h.example", None)),
    ("<sip:a:word@h.example>", ("a", "h.example", None)),
    ("<sip:%2B15550100@h.example>", ("+15550100", "h.example", None)),
    ("<sip:a%00b@h.example>", ("a%00b", "h.example", None)),
    ("<sip:a@[2001:db8::9]:5070>;tag=x", ("a", "2001:db8::9", "x")),
    ("<sip:h.example>;tag=x", (None, "h.example", "x")),
    ("<sip:@h.example>", (None, "h.example", None)),
    ("<sip:a@h.example;tag=no>;tag=yes", ("a", "h.example", "yes")),
    ("<sip:a@h.example?Route=%3Csip:b%40c%3E>", ("a", "h.example", None)),
    ("Anonymous <sip:c8oq84zk7z@privacy.example>;tag=h", ("c8oq84zk7z", "privacy.example", "h")),
    ("<sip:a@h.example", ("a", "h.example", None)),
    ('"open <sip:a@h.example>;tag=x', ("a", "h.example", "x")),
    ("a@h.example", ("a", "h.example", None)),
    ('\\"odd\\" <sip:a@h.example>;tag=x', ("a", "h.example", "x")),
    ("*", (None, None, None)),
    ("", (None, None, None)),
]


@pytest.mark.parametrize(("value", "expected"), PARTIES)
def test_a_party_is_read_from_its_header(value: str, expected: tuple[Any, ...]) -> None:
    party = sip_parties.party(value)
    assert (party.user, party.host, party.tag) == expected


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ('Reason: Q.850;cause=17;text="busy"', "cause", 17),
        ("Reason: SIP;cause=200, Q.850 ; cause=16", "cause", 16),
        ("Reason: SIP;cause=603", "cause", None),
        ("Reason: Q.850;cause=400", "cause", None),
        ("Expires: 3600", "expires", 3600),
        ("Expires: soon", "expires", None),
        ("Expires: 99999999999999999999", "expires", None),
        ("Contact: <sip:a@h.example>;expires=60, <sip:b@h.example>;expires=9", "expires", 60),
        ("m: <sip:a@[2001:db8::1]:5070>", "contact_host", "[2001:db8::1]:5070"),
        ("m: <sip:a@[2001:db8::1]>", "contact_host", "2001:db8::1"),
        ('Remote-Party-ID: "x" <sip:7@h.example>;party=calling', "asserted_user", "7"),
        ('WWW-Authenticate: Digest realm="goip", nonce="n"', "realm", "goip"),
        ("Max-Forwards: 300000", "max_forwards", 65_535),
        ("User-Agent: " + "x" * 9999, "user_agent", "x" * 256),
        ("User-Agent: Caf\u00e9", "user_agent", "Caf\u00e9"),
        ("X-ACrypt: 1", "unusual", "X-ACrypt"),
    ],
)  # fmt: skip
def test_a_header_fills_its_column(line: str, column: str, expected: object) -> None:
    assert message(with_header(line))[column] == expected


def test_octets_that_are_no_utf8_do_not_harm() -> None:
    row = message(crlf(RINGING).replace(b"Example PBX", b"caf\xe9"))
    assert row["user_agent"] == "caf\ufffd"


@pytest.mark.parametrize(
    "head", ["OPTIONS sip:x SIP/2.0\n\n", "SIP/2.0 200 OK\n\n", "REGISTER sip:x SIP/2.0"]
)
def test_a_message_without_any_header_is_a_message_still(head: str) -> None:
    out = read(crlf(head))
    assert (out.counts["sip|message"], out.counts["sip|no call-id"]) == (1, 1)
    assert out.messages[0]["call_id"] == ""


@pytest.mark.parametrize(
    "payload",
    [
        b"MESSAGE from the random octets of another protocol",
        b"OPTIONS rtsp://h.example/x RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: h.example\r\n\r\n",
        b"SIP/2.0 999 Strange\r\n\r\n",
        b"SIP/2.0 20\r\n\r\n",
        b"INVITE SIP/2.0\r\n\r\n",
        b"\x80\x08\x00\x01",
        b"x" * 300 + crlf(RINGING),
    ],
)
def test_what_is_no_sip_is_not_taken(payload: bytes) -> None:
    out = Rows()
    assert not Sip().datagram(datagram(payload), out)
    assert out.messages == []


@pytest.mark.parametrize("payload", [b"\r\n\r\n", b"\0\0\0\0", b""])
def test_keep_alives_are_counted(payload: bytes) -> None:
    assert read(payload).counts == {"sip|keep-alive": 1}


def test_text_passwords_and_digests_are_not_kept() -> None:
    text = """MESSAGE sip:gw@198.51.100.20 SIP/2.0
From: <sip:line1:hush@198.51.100.20>;tag=1
To: <sip:gw@198.51.100.20>
Call-ID: 1@x
CSeq: 1 MESSAGE
Authorization: Digest username="line1", realm="r", nonce="n0nce", response="d1gest"
Content-Type: text/plain

15550100
meet me at the quay
"""
    row = message(text)
    assert row["auth_user"] == "line1"
    for word in ("hush", "d1gest", "n0nce", "quay", "meet"):
        assert word not in str(row)


def test_a_description_inside_a_multipart_body_is_found() -> None:
    isup = "Content-Type: application/isup\n\nxyz"
    parts = f"--b1\n{isup}\n--b1\nContent-Type: application/sdp\n\n{SDP}--b1--\n"
    text = INVITE.replace("application/sdp", "multipart/mixed;boundary=b1", 1)
    text = text.partition("Content-Length")[0] + "\n" + parts
    out = read(crlf(text))
    assert out.announced == [("192.0.2.10", 16400)]
    assert out.messages[0]["sdp_session"] == "talk"


def test_a_frame_cut_by_the_snapshot_length_gives_what_is_whole() -> None:
    whole = crlf(INVITE)
    cut = whole[: whole.index(b"4711@") + 3]
    out = Rows()
    assert Sip().datagram(datagram(cut, length=len(whole)), out)
    assert out.messages[0]["from_user"] == "line1"
    assert out.messages[0]["call_id"] == ""  # not the half of it that is there
    assert out.counts["sip|cut"] == 1


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_octets_are_too_odd(octets: bytes) -> None:
    for prefix in (b"", b"INVITE sip:a SIP/2.0\r\n", b"SIP/2.0 200 OK\nv:"):
        out = read(prefix + octets)
        assert len(out.messages) == out.counts["sip|message"]


@pytest.mark.parametrize(
    "payload",
    [
        b"INVITE x" + b" " * 2000 + b"SIP/2.0x\r\n\r\n",
        b"ACK a " * 330 + b"xSIP/2.0 \r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\nReason: " + b"Q.850;" * 9000,
        b"INVITE sip:a SIP/2.0\r\nFrom: " + b"sip:a:" * 9000 + b"\r\nTo: @\r\n",
        b"INVITE sip:a SIP/2.0\r\nv: " + b"SIP/" * 14000,
        b"INVITE sip:a SIP/2.0\r\n" + b"v: a\r\n" * 9000,
        b"INVITE sip:a SIP/2.0\r\nf: " + b"\r\n ;" * 14000,
        b"INVITE sip:a SIP/2.0\r\nt: <" + b'"' * 60000,
        b"INVITE sip:a SIP/2.0\r\n\r\nv=0\r\n" + b"m=audio 1 RTP/AVP 0\r\n" * 2800,
    ],
    ids=range(9),
)
def test_hostile_messages_take_no_time(payload: bytes) -> None:
    begin = process_time()
    read(payload[:65_507])
    assert process_time() - begin < 0.1


def test_every_prefix_of_a_message_is_read_without_harm() -> None:
    octets = crlf(INVITE)
    for end in range(len(octets)):
        assert len(read(octets[:end]).messages) <= 1


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_flipped_octets_do_no_harm(data: st.DataObject) -> None:
    octets = bytearray(crlf(INVITE))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at] = data.draw(st.integers(0, 255))
    assert len(read(bytes(octets)).messages) <= 1


# ---- over TCP ----

STREAM = b"\r\n\r\n" + crlf(INVITE) + b"garbage\r\n" + crlf(RINGING) + b"\r\n" + crlf(INVITE)


def converse(octets: bytes, cuts: list[int]) -> Rows:
    out, conversation = Rows(), Sip().conversation()
    for begin, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        conversation.feed(datagram(octets[begin:end], transport="tcp"), out)
    return out


def test_a_conversation_chopped_at_any_octet_gives_the_same_rows() -> None:
    whole = converse(STREAM, [])
    assert [r["status_code"] for r in whole.messages] == [None, 180, None]
    assert whole.counts["sip|octets passed over"] == len("garbage")
    for cut in range(len(STREAM)):
        chopped = converse(STREAM, [cut])
        assert (chopped.messages, chopped.media) == (whole.messages, whole.media)
    assert converse(STREAM, list(range(1, len(STREAM)))).messages == whole.messages


@given(st.lists(st.binary(max_size=80) | st.sampled_from([crlf(INVITE), crlf(RINGING)])), st.data())
@settings(max_examples=100, deadline=None)
def test_a_conversation_of_any_octets_does_not_depend_on_its_segments(
    parts: list[bytes], data: st.DataObject
) -> None:
    octets = b"".join(parts)
    cuts = data.draw(st.lists(st.integers(0, len(octets)), max_size=6).map(sorted))
    whole, chopped = converse(octets, []), converse(octets, cuts)
    assert chopped.messages == whole.messages


@pytest.mark.parametrize("name", ["Content-Length:", "l:", "CONTENT-LENGTH  : "])
def test_the_length_of_a_body_may_be_spelt_otherwise(name: str) -> None:
    spelt = crlf(INVITE.replace("Content-Length:", name))
    out = converse(spelt + crlf(RINGING), [])
    assert len(out.messages) == 2
    assert len(out.media) == 1
    assert out.counts == {"sip|message": 2}


def test_both_directions_are_read_apart() -> None:
    out, conversation = Rows(), Sip().conversation()
    conversation.feed(datagram(crlf(INVITE)[:100], transport="tcp"), out)
    conversation.feed(datagram(crlf(RINGING), back=True, transport="tcp"), out)
    conversation.feed(datagram(crlf(INVITE)[100:], transport="tcp"), out)
    assert [(r["src"], r["request"]) for r in out.messages] == [
        (CALLED[0], False),
        (CALLER[0], True),
    ]


@pytest.mark.parametrize(
    ("sent", "messages", "count"),
    [(120, 0, "sip|lost in a gap"), (len(crlf(INVITE)) - 5, 1, "sip|cut")],
)
def test_after_a_gap_reading_goes_on_at_the_next_message(
    sent: int, messages: int, count: str
) -> None:
    out, conversation = Rows(), Sip().conversation()
    conversation.feed(datagram(crlf(INVITE)[:sent], transport="tcp"), out)
    conversation.gap(*CALLER)
    conversation.feed(datagram(b"d half\r\n" + crlf(RINGING), transport="tcp"), out)
    assert [r["status_code"] for r in out.messages] == [None] * messages + [180]
    assert out.counts[count] == 1


def test_an_absurd_content_length_is_not_waited_for() -> None:
    absurd = crlf(RINGING.replace("Content-Length: 0", f"Content-Length: {MAX_BODY + 1}"))
    out = converse(absurd + crlf(RINGING), [])
    assert len(out.messages) == 2
    assert out.counts["sip|content-length not believed"] == 1


def test_a_conversation_of_garbage_is_given_up() -> None:
    out, conversation = Rows(), Sip().conversation()
    fed = 0
    while conversation.feed(datagram(b"\xff" * 10_000, transport="tcp"), out):
        fed += 1
        assert fed < 100
    assert out.counts["sip|conversation given up"] == 1


@pytest.mark.parametrize(
    ("payload", "opens"),
    [
        (crlf(INVITE), True),
        (crlf(RINGING), True),
        (b"\r\n\r\n" + crlf(RINGING), True),
        (b"INVITE sip:155501", True),
        (b"INVITE me", False),
        (b"OPTIONS * HTTP/1.1\r\nHost: h.example\r\n\r\n", False),
        (b"\x16\x03\x01", False),
        (b"xx" + crlf(RINGING), False),
        (b"", False),
    ],
)
def test_a_conversation_opens_with_a_start_line(payload: bytes, opens: bool) -> None:
    assert Sip().opens(datagram(payload, transport="tcp")) is opens


# ---- real captures ----


def _indexed() -> list[dict[str, str]]:
    if not CAPTURES.exists():
        return []
    with (CAPTURES / "index.tsv").open() as index:
        return [row for row in csv.DictReader(index, delimiter="\t") if int(row["sip_messages"])]


#: Two responses are split over fragments inside a tunnel whose packets are fragments themselves.
TUNNELLED_FRAGMENTS = {"core-lte__open5gs__nonipsec_to_ipsec_call.pcapng": 2}


@pytest.mark.parametrize("row", _indexed(), ids=lambda row: row["file"])
def test_real_captures_hold_as_much_sip_as_tshark_finds(
    row: dict[str, str], tmp_path: Path
) -> None:
    reading = read_capture(CAPTURES / row["file"], tmp_path)
    missing = int(row["sip_messages"]) - reading.messages.height
    assert 0 <= missing <= TUNNELLED_FRAGMENTS.get(row["file"], 0)
    asked = reading.messages.filter("request", pl.col("call_id") != "")
    for method, column in (("INVITE", "sip_invite_dialogs"), ("REGISTER", "sip_register_dialogs")):
        calls = asked.filter(method=method).get_column("call_id").n_unique()
        assert calls == int(row[column])
