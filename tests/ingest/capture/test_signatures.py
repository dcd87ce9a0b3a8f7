"""Every signature tells its own examples, and a wrong one is refused with one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
from signs import Box, packet, talk

from simbox.errors import ConfigError
from simbox.ingest.capture.protocols.patterns import Patterns
from simbox.ingest.capture.signatures.loading import load_signatures, parse
from simbox.ingest.capture.signatures.matching import FIELDS, Place
from simbox.ingest.capture.signatures.shipped import shipped_signatures

SHIPPED = shipped_signatures()
NAMES = sorted(SHIPPED.by_name)

GOOD = """
[[signature]]
name = "acme-box"
product = "Acme GSM box"
grade = "strong"
protocol = "{protocol}"
source = "own captures"
all = {{ {field} = '{pattern}' }}
match = [{{ {field} = "{match}" }}]
no_match = [{{ {field} = "{no_match}" }}]
"""
SIP = {"protocol": "sip", "field": "user_agent", "pattern": "^Acme", "match": "Acme 1",
       "no_match": "Other"}  # fmt: skip


def own(**more: str) -> str:
    return GOOD.format(**{**SIP, **more})


@pytest.mark.parametrize("name", NAMES)
def test_signature_matches_its_examples_and_not_its_counterexamples(name: str) -> None:
    signature = SHIPPED.by_name[name]
    for example in signature.match:
        assert signature in SHIPPED.match(signature.protocol, example)
    for example in signature.no_match:
        assert signature not in SHIPPED.match(signature.protocol, example)


@pytest.mark.parametrize("name", NAMES)
def test_signature_says_where_its_fact_comes_from(name: str) -> None:
    assert len(SHIPPED.by_name[name].source) > 20


@pytest.mark.parametrize("name", NAMES)
def test_no_signature_matches_a_message_that_tells_nothing(name: str) -> None:
    signature = SHIPPED.by_name[name]
    assert signature not in SHIPPED.match(signature.protocol, {})


def test_gateway_families_of_the_shipped_files_are_told_by_more_than_an_address_block() -> None:
    protocols: dict[str, set[str]] = {}
    for signature in SHIPPED.by_name.values():
        protocols.setdefault(signature.name.split("-")[0], set()).add(signature.protocol)
    for family in ("dbl", "dinstar", "yeastar", "openvox", "ejoin", "2n", "hypermedia"):
        assert protocols[family] - {"ethernet"}, family


def test_kinds_tell_scanners_and_exchanges_from_gateways() -> None:
    kinds = SHIPPED.kinds()
    assert kinds["scanner-sip"] == "scanner"
    assert kinds["pbx-asterisk"] == "pbx"
    assert kinds["dbl-sip-brand"] == "gateway"


def test_verdicts_are_the_same_when_asked_again() -> None:
    fields = {"user_agent": "dble"}
    assert SHIPPED.match("sip", fields) == SHIPPED.match("sip", fields) != ()


def test_values_of_strangers_are_bounded() -> None:
    assert SHIPPED.match("sip", {"user_agent": "x" * 10_000_000}) == ()


@pytest.mark.parametrize("protocol", FIELDS)
def test_every_protocol_has_documented_fields(protocol: str) -> None:
    assert all(FIELDS[protocol].values())


def test_signatures_of_an_operator_are_added_and_win_by_name(tmp_path: Path) -> None:
    changed = own().replace("acme-box", "dbl-sip-brand")
    (tmp_path / "own.toml").write_text(own() + changed, encoding="utf-8")
    found = load_signatures([tmp_path])
    assert [s.name for s in found.match("sip", {"user_agent": "Acme 1"})] == [
        "dbl-sip-brand", "acme-box",
    ]  # fmt: skip
    assert len(found.by_name) == len(SHIPPED.by_name) + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (own().replace("grade =", "grad ="), "no such key 'grad'. Did you mean 'grade'?"),
        (own().replace('"strong"', '"sure"'), "grade: Input should be 'conclusive', 'strong'"),
        (own(field="user_agnet"), "sip has no field 'user_agnet'. Did you mean 'user_agent'?"),
        (own(protocol="spi"), "protocol: 'spi' is not known. Did you mean 'sip'?"),
        (own(pattern="(Acme"), "all.user_agent: '(Acme' is no pattern"),
        (own(match="Beta"), "match: does not match {'user_agent': 'Beta'}"),
        (own(no_match="Acme 2"), "no_match: matches {'user_agent': 'Acme 2'}"),
        (own().replace("match = [{", "#", 1).replace("no_#", "no_match = [{"), "match: is missing"),
        (own() + own(), "name 'acme-box' stands there twice"),
        (own().replace("[[signature]]", "[[signatur]]"), "no such key 'signatur'. Did you mean"),
        (own().replace("[[signature]]", "[signature]"), "write each as [[signature]]"),
        (own().replace("all =", "at_least = 1\nall ="), "at_least: must be"),
        (own().replace("all =", "some ="), "at_least: must be 1 to 1"),
        (own() + 'kind = "phone"\n', "a phone is no gateway; its signature is 'weak'"),
        (own(protocol="udp", field="payload", pattern="7856", match="7856"), "must begin with ^"),
        (own(protocol="udp", field="payload", pattern="^7856|12", match="7856"), "must begin"),
        (own(protocol="tcp", field="payload", pattern="^785?", match="785"), "must begin with ^"),
        ("signature = ", "not TOML"),
    ],
)
def test_wrong_signature_is_refused_with_one_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text, "own.toml")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("own.toml")


def test_missing_folder_and_a_name_taken_in_another_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder of signatures"):
        load_signatures([tmp_path / "absent"])
    for file in ("a.toml", "b.toml"):
        (tmp_path / file).write_text(own(), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"b\.toml: .*'acme-box' is taken in a\.toml"):
        load_signatures([tmp_path])


def test_evidence_names_the_end_that_the_signature_gives_away(tmp_path: Path) -> None:
    box = Box(tmp_path)
    place = Place("192.0.2.1", "192.0.2.2", 1, 5, "3")
    SHIPPED.tell("ddns", {"message": "request", "serial": "8MCDRM01020304"}, place, box.out)
    SHIPPED.tell("ddns", {"message": "reply", "public_ip": "203.0.113.7"}, place, box.out)
    told = {r["signature"]: (r["host"], r["peer"], r["line"]) for r in box.evidence()}
    assert told == {
        "dbl-ddns-serial": ("192.0.2.1", "192.0.2.2", "3"),
        "dbl-ddns-address": ("192.0.2.2", "192.0.2.1", "3"),
    }


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_payload_pattern_of_an_operator_claims_and_tells_its_packets(
    transport: str, tmp_path: Path
) -> None:
    text = own(protocol=transport, field="payload", pattern="^cafe(01|02)", match="cafe02aa",
               no_match="cafe03")  # fmt: skip
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    reader = Patterns(load_signatures([tmp_path]))
    assert (reader.udp if transport == "udp" else reader.tcp).leads == (b"\xca\xfe",)
    good, bad = packet(b"\xca\xfe\x02secret"), packet(b"\xca\xfe\x03")
    if transport == "tcp":
        assert not reader.opens(bad)
        box = talk(reader, [good], tmp_path / "rows")
    else:
        box = Box(tmp_path / "rows")
        assert [reader.datagram(p, box.out) for p in (bad, good)] == [False, True]
    assert box.names() == {"acme-box"}
    assert not box.holds("secret")
