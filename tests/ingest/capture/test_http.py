"""Gateways' interfaces, status reports and configuration files over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from signs import Box, exchange, talk

from simbox.ingest.capture.protocols.http import Http
from simbox.ingest.capture.protocols.httpmessage import Message, path_of, split_target
from simbox.ingest.capture.signatures.shipped import shipped_signatures

Turns = list[tuple[str, bytes]]

PORTS = [
    {"port": "1.01", "seq": 1, "st": 3, "imei": "001010000000002", "imsi": "001010000000001",
     "iccid": "89999000000000000001", "sn": "+99900000001", "opr": "Test Net", "sig": 20},
    {"port": "2.01", "seq": 1, "st": 0, "imei": "001010000000010"},
    {"port": "3.01", "seq": 1, "st": 4, "imei": "000000000000000", "imsi": "001010000000003"},
]  # fmt: skip
STATUS = json.dumps({"type": "dev-status", "max-ports": 3, "max-slot": 1, "status": PORTS})
DINSTAR = json.dumps({
    "error_code": 200, "sn": "db00-0000-0000-0001",
    "info": [{"port": 0, "imei": "001010000000002", "imsi": "001010000000001", "iccid": "",
              "number": "99900000001", "reg": "REGISTER_OK", "signal": 31}],
})  # fmt: skip
CONFIG = (
    'SIP_CONTACT0_SERVER="198.51.100.9"\nSIP_CONTACT0_PASSWD="hunter2"\nSMB_SVR="203.0.113.9"\n'
)
BOA = '<html><head><title>NeoGate TG200</title><script src="astman.js"></script></head></html>'


def get(target: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: 192.0.2.1", *headers, "", ""]).encode()


def post(target: str, body: str, *headers: str) -> bytes:
    lines = [f"POST {target} HTTP/1.1", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines).encode()


def answer(body: str, *headers: str, length: bool = True) -> bytes:
    size = [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join(["HTTP/1.1 200 OK", *size, *headers, "", body]).encode()


def session(folder: Path, turns: Turns, cut: int = 1400) -> Box:
    pieces = [(who, t[a : a + cut]) for who, t in turns for a in range(0, len(t), cut)]
    return talk(Http(), exchange(pieces, 80), folder)


def chunked(text: str) -> str:
    half = len(text) // 2
    parts = "".join(f"{len(p):x}\r\n{p}\r\n" for p in (text[:half], text[half:]))
    return parts + "0\r\n\r\n"


EJOIN_GET = get("/goip_get_status.html?username=root&password=hunter2&all_sims=1")


@pytest.mark.parametrize("cut", [1400, 300, 200])
@pytest.mark.parametrize(
    "reply",
    [
        answer(STATUS),
        answer(STATUS, length=False),
        answer(chunked(STATUS), "Transfer-Encoding: chunked", length=False),
        answer(STATUS).replace(b"\r\n", b"\n"),
    ],
)
def test_status_of_a_gateway_gives_a_sighting_a_port(
    tmp_path: Path, reply: bytes, cut: int
) -> None:
    box = session(tmp_path, [("c", EJOIN_GET), ("s", reply)], cut)
    assert {(r["signature"], r["host"]) for r in box.evidence()} == {
        ("ejoin-http-api", "198.51.100.7"), ("ejoin-http-status", "198.51.100.7"),
    }  # fmt: skip
    told = [(r["port"], r["imei"], r["imsi"], r["state"], r["line"]) for r in box.sightings()]
    assert told == [
        (1, "001010000000002", "001010000000001", "registered", "99900000001"),
        (2, "001010000000010", None, "no SIM", None),
        (3, None, "001010000000003", "in call", "001010000000003"),
    ]
    assert box.sightings()[0]["signal"] == -73
    assert {(r["host"], r["peer"]) for r in box.sightings()} == {("198.51.100.7", "192.0.2.10")}


@pytest.mark.parametrize("secret", ["hunter2", "root"])
def test_values_of_a_query_are_never_stored(tmp_path: Path, secret: str) -> None:
    box = session(tmp_path, [("c", EJOIN_GET), ("s", answer(STATUS))])
    assert not box.holds(secret)
    assert box.holds("all_sims,password,username")


def test_status_pushed_to_a_server_names_the_sender(tmp_path: Path) -> None:
    box = session(tmp_path, [("c", post("/push?key=hunter2", STATUS)), ("s", answer("{}"))])
    assert [(r["signature"], r["host"]) for r in box.evidence()] == [
        ("ejoin-http-status", "192.0.2.10")
    ]
    assert {r["host"] for r in box.sightings()} == {"192.0.2.10"}


def test_dinstar_port_info_is_read_behind_a_challenge(tmp_path: Path) -> None:
    target = "/api/get_port_info?info_type=imei,imsi&port=0"
    challenge = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    turns = [
        ("c", get(target)), ("s", challenge),
        ("c", get(target, 'Authorization: Digest username="api", response="hunter2"')),
        ("s", answer(DINSTAR)),
    ]  # fmt: skip
    box = session(tmp_path, turns)
    assert box.names() == {"dinstar-api-port-info", "dinstar-api-service", "dinstar-api-common"}
    (row,) = box.sightings()
    assert (row["port"], row["number"], row["state"], row["signal"], row["line"]) == (
        0, "99900000001", "REGISTER_OK", -51, "001010000000001",
    )  # fmt: skip
    assert not box.holds("hunter2")


def test_configuration_file_names_the_device_and_its_servers_only(tmp_path: Path) -> None:
    turns = [("c", get("/auto/8MCDRM01020304.cfg")), ("s", answer(CONFIG))]
    box = session(tmp_path, turns)
    told = {r["signature"]: r for r in box.evidence()}
    assert set(told) == {"dbl-autoconfig-fetch", "dbl-autoconfig-file"}
    assert {r["host"] for r in told.values()} == {"192.0.2.10"}
    fields = told["dbl-autoconfig-file"]["fields"]
    assert fields["servers"] == "SIP_CONTACT0_SERVER=198.51.100.9 SMB_SVR=203.0.113.9"
    assert fields["serial"] == "8MCDRM01020304"
    assert not box.holds("hunter2")


def test_server_and_page_tell_a_yeastar_also_without_the_request(tmp_path: Path) -> None:
    box = session(tmp_path, [("s", answer(BOA, "Server: Boa/0.94.14rc21", length=False))])
    assert [(r["signature"], r["host"]) for r in box.evidence()] == [
        ("yeastar-http-boa", "198.51.100.7")
    ]


def test_home_router_that_lists_a_gateway_among_its_hosts_is_told(tmp_path: Path) -> None:
    def value(name: str, text: str) -> str:
        name = f"InternetGatewayDevice.LANDevice.1.Hosts.Host.{name}"
        return f'<Name>{name}</Name><Value xsi:type="xsd:string">{text}</Value>'

    hosts = value("1.MACAddress", "38:3F:10:00:00:01") + value("1.IPAddress", "192.168.1.30")
    hosts += value("2.MACAddress", "02:00:00:00:00:01") + value("2.IPAddress", "192.168.1.31")
    body = f'<soap xmlns:cwmp="urn:dslforum-org:cwmp-1-0"><cwmp:Inform>{hosts}</cwmp:Inform>'
    box = session(tmp_path, [("c", post("/acs", body, "SOAPAction: "))])
    assert [(r["signature"], r["host"], r["line"]) for r in box.evidence()] == [
        ("dbl-oui", "192.0.2.10", "192.168.1.30")
    ]


@pytest.mark.parametrize(
    "turns",
    [
        [("c", get("/index.html")), ("s", answer("<html>" + STATUS))],
        [("c", get("/api/v1/users?password=x")), ("s", answer('{"status":[]}'))],
        [("c", get("/000b82000001.cfg")), ("s", answer("P47 = 192.0.2.1"))],
        [("c", post("/login", "user=a&pass=b"))],
        [("c", post("/upnp", "<s:Envelope>", 'SOAPAction: "urn:schemas-upnp-org:service:x#y"'))],
        [("s", answer("<html>", "Server: nginx"))],
        [("s", answer("<html>camera</html>", "Server: Boa/0.94.14rc21"))],
        [("c", b"\x16\x03\x01\x02\x00")],
    ],
)
def test_ordinary_web_gives_no_evidence(tmp_path: Path, turns: Turns) -> None:
    assert session(tmp_path, turns).names() == set()


@pytest.mark.parametrize(
    "first",
    [
        get("/"), get("/watch?v=goip_get_status.html"), get("/static/app.js"),
        post("/api/items", "{}"), answer("x", "Server: Apache"), b"GET", b"HTTP/1.1 200 OK\r\n",
    ],
)  # fmt: skip
def test_bulk_web_conversations_are_not_opened(first: bytes) -> None:
    assert not any(Http().opens(segment) for segment in exchange([("c", first)], 80))


def test_conversation_is_let_go_after_messages_that_fit_nothing(tmp_path: Path) -> None:
    conversation = Http(shipped_signatures()).conversation()
    box = Box(tmp_path)
    turns = [("c", get("/a")), ("s", answer("b"))] * 3
    wanted = [conversation.feed(s, box.out) for s in exchange(turns, 80)]
    assert wanted == [True, True, True, False, False, False]


def test_long_body_is_read_in_part_and_counted(tmp_path: Path) -> None:
    many = json.dumps({"max-ports": 512, "status": PORTS[:1] * 300})
    box = session(tmp_path, [("c", EJOIN_GET), ("s", answer(many)), ("c", EJOIN_GET)])
    assert 60 < len(box.sightings()) < 300
    assert box.out.counts["http|body cut"] == 1


def test_missing_octets_drop_the_message_and_not_the_next(tmp_path: Path) -> None:
    conversation = Http().conversation()
    box = Box(tmp_path)
    turns = [("c", EJOIN_GET[:20]), ("c", b"lost"), ("s", answer("{}")), ("c", EJOIN_GET)]
    for number, segment in enumerate(exchange(turns, 80)):
        if number == 1:
            conversation.gap(segment.src, segment.sport)
        conversation.feed(segment, box.out)
    assert [r["count"] for r in box.evidence()] == [1]


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a?user=x&pass=y", "/a", "pass,user"),
        ("http://me:hunter2@192.0.2.1/a?b=1", "/a", "b"),
        ("/a?hunter2", "/a", ""),
        ("/a", "/a", ""),
    ],
)
def test_target_is_reduced_to_path_and_names(target: str, path: str, query: str) -> None:
    assert split_target(target) == (path, query)


def test_path_of_what_is_no_request_is_nothing() -> None:
    assert path_of(b"GET /x HTTP/1.1") == "/x"
    assert path_of(b"BREW /x HTTP/1.1") is None
    assert Message().empty
