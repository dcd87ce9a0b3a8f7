"""Session descriptions tell media addresses, codecs and what is held, refused or encrypted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbox.ingest.capture.media.codecs import STATIC, codec_name, static_name
from simbox.ingest.capture.protocols.sdp import MAX_MEDIA, Medium, literal, parse

HEAD = "v=0\no=gate 7 8 IN IP4 192.0.2.5\ns=call\nc=IN IP4 192.0.2.5\nt=0 0\n"


def only(text: str) -> Medium:
    (medium,) = parse(HEAD + text).media
    return medium


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("m=audio 4000 RTP/AVP 8 0 18", {"codecs": "PCMA,PCMU,G729", "formats": "8,0,18"}),
        (
            "m=audio 4000 RTP/AVP 8 101\na=rtpmap:101 Telephone-Event/8000",
            {"codecs": "PCMA,telephone-event"},
        ),
        ("m=audio 4000 RTP/AVP 97\na=rtpmap:97 iLBC/8000", {"codecs": "ILBC"}),
        ("m=audio 4000 RTP/AVP 0\na=rtpmap:0 SPEEX/8000", {"codecs": "SPEEX"}),
        ("m=audio 4000 RTP/AVP 99 8", {"codecs": ",PCMA"}),
        ("m=image 4002 udptl t38", {"kind": "image", "codecs": "T38", "rtp": False}),
        ("m=audio 4000 RTP/AVP 8\na=ptime:30", {"ptime_ms": 30}),
        ("m=audio 4000 RTP/AVP 8\na=ptime:20.0", {"ptime_ms": 20}),
        ("m=audio 4000 RTP/AVP 8\na=ptime:soon", {"ptime_ms": None}),
        ("m=audio 4000 RTP/AVP 8\na=sendonly", {"direction": "sendonly"}),
        ("a=inactive\nm=audio 4000 RTP/AVP 8", {"direction": "inactive"}),
        ("m=audio 4000/2 RTP/AVP 8", {"port": 4000}),
        ("m=audio 4000 RTP/AVP 8\nc=IN IP4 198.51.100.7", {"address": "198.51.100.7"}),
        ("m=audio 4000 RTP/AVP 8\nc=IN IP4 233.252.0.1/127", {"address": "233.252.0.1"}),
        ("m=audio 4000 RTP/AVP 8\nc=IN IP6 2001:DB8:0::1", {"address": "2001:db8::1"}),
        ("m=audio 4000 RTP/AVP 8\nc=IN IP4 Media.Example.COM", {"address": "media.example.com"}),
    ],
)
def test_a_medium_is_read(lines: str, expected: dict[str, object]) -> None:
    medium = only(lines)
    assert {name: getattr(medium, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("m=audio 4000 RTP/AVP 8", True),
        ("m=audio 4000 UDP/TLS/RTP/SAVPF 111", True),
        ("m=audio 0 RTP/AVP 8", False),
        ("m=audio 4000 RTP/AVP 8\nc=IN IP4 0.0.0.0", False),
        ("m=audio 4000 RTP/AVP 8\nc=IN IP4 media.example.com", False),
        ("m=image 4000 udptl t38", False),
    ],
)
def test_rtp_is_expected_only_where_it_may_arrive(lines: str, expected: bool) -> None:
    assert only(lines).expected is expected


@pytest.mark.parametrize(
    ("lines", "keyless"),
    [
        ("m=audio 4000 RTP/SAVP 8", True),
        ("m=audio 4000 RTP/SAVP 8\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x", False),
        ("m=audio 4000 UDP/TLS/RTP/SAVP 8\na=fingerprint:sha-256 00", False),
        ("a=key-mgmt:mikey x\nm=audio 4000 RTP/SAVP 8", False),
        ("m=audio 4000 RTP/AVP 8", False),
    ],
)
def test_secure_rtp_without_a_key_line_is_noticed(lines: str, keyless: bool) -> None:
    assert only(lines).keyless is keyless


@pytest.mark.parametrize(
    "line",
    ["m=audio", "m=audio x RTP/AVP 8", "m=audio 70000 RTP/AVP 8", "m=audio -1 RTP/AVP 8", "m="],
)
def test_a_broken_medium_is_passed_over(line: str) -> None:
    assert [m.port for m in parse(f"{HEAD}{line}\nm=audio 4000 RTP/AVP 8").media] == [4000]


def test_origin_and_session_are_kept_without_the_address() -> None:
    described = parse(HEAD)
    assert (described.origin, described.session) == ("gate 7 8 IN IP4", "call")


def test_a_description_of_a_thousand_media_is_bounded() -> None:
    assert len(parse(HEAD + "m=audio 4000 RTP/AVP 8\n" * 1000).media) == MAX_MEDIA


def test_static_payload_types_are_those_of_rfc_3551() -> None:
    assert [(pt, *STATIC[pt]) for pt in (0, 8, 9, 18)] == [
        (0, "PCMU", 8000), (8, "PCMA", 8000), (9, "G722", 8000), (18, "G729", 8000),
    ]  # fmt: skip
    assert static_name("96") == static_name("t38") == ""
    assert codec_name(" opus ") == "OPUS"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("192.0.2.1", "192.0.2.1"), ("2001:DB8::0:1", "2001:db8::1"), ("A.Example", "a.example")],
)
def test_addresses_have_one_spelling(text: str, expected: str) -> None:
    assert literal(text) == expected


@given(st.lists(st.sampled_from("mcaos").flatmap(lambda k: st.text().map(lambda t: f"{k}={t}"))))
@settings(deadline=None)
def test_no_text_is_too_odd(lines: list[str]) -> None:
    for medium in parse("\n".join(lines)).media:
        assert 0 <= medium.port < 65536
        assert medium.formats.count(",") == medium.codecs.count(",")
