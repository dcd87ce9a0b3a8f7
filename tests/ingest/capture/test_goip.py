from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hearing import DEVICE, SECOND, SERVER, Hearing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simbox.ingest.capture.protocols import goip
from simbox.ingest.capture.signalling import gsmlines, simcards

SECRET = "hunter-2-secret"  # noqa: S105  # what must never be written
LINE1, LINE2 = (DEVICE, 10991), (DEVICE, 10992)
CENTRE = (SERVER, 44444)
IMSI, OTHER_IMSI = "001010000000011", "001010000000022"
IMEI, OTHER_IMEI = "490154203237518", "356938035643809"
ICCID = "89001010000000000019"

#: What a line with a SIM says; tests change single values.
LIVE = {
    "id": "line01", "pass": SECRET, "num": "+999000000001", "signal": "23", "gsm_status": "LOGIN",
    "voip_status": "LOGIN", "voip_state": "IDLE", "remain_time": "-1", "imei": IMEI, "imsi": IMSI,
    "iccid": ICCID, "pro": "TESTNET", "idle": "3", "disable_status": "0", "SMS_LOGIN": "N",
    "SMB_LOGIN": "", "CELLINFO": "LAC:1A2B,CELL ID:3C4D", "CGATT": "Y",
}  # fmt: skip


def keepalive(number: int = 1, **changed: str) -> str:
    return f"req:{number};" + "".join(f"{k}:{v};" for k, v in (LIVE | changed).items())


def event(tag: str, number: int, said: str, line: str = "line01") -> str:
    return f"{tag}:{number};id:{line};password:{SECRET};{said}"


@pytest.fixture
def hearing(tmp_path: Path) -> Hearing:
    return Hearing(goip.GoIP(), tmp_path / "rows")


def test_a_keepalive_is_a_sighting_with_all_that_the_line_tells(hearing: Hearing) -> None:
    assert hearing.udp(keepalive(), LINE1, CENTRE)
    assert hearing.rows("sightings") == [
        {
            "seen": 1.0, "line": "999000000001", "number": "999000000001", "imsi": IMSI,
            "imei": IMEI, "iccid": ICCID, "cell": "1A2B-3C4D", "operator": "TESTNET",
            "signal": -67, "state": "registered", "host": DEVICE, "peer": SERVER,
            "account": "line01", "port": 1, "protocol": "goip", "frame": 1,
        }
    ]  # fmt: skip


def test_a_keepalive_is_conclusive_evidence_of_its_line(hearing: Hearing) -> None:
    hearing.udp(keepalive(1), LINE1, CENTRE)
    hearing.udp(keepalive(2), LINE1, CENTRE)
    assert hearing.rows("evidence") == [
        {
            "host": DEVICE, "peer": SERVER, "line": "999000000001", "signature": "goip-keepalive",
            "product": "DBL/Hybertone GoIP", "grade": "conclusive", "time": 1.0, "last_seen": 2.0,
            "count": 2, "frame": 1,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"imsi": "000000000000000"}, {"imsi": None, "line": "999000000001"}),
        ({"imsi": "00101000000001"}, {"imsi": None}),
        ({"imsi": "00101000000001x"}, {"imsi": None}),
        ({"imei": "000000000000000"}, {"imei": None}),
        ({"imei": "٤٩٠١٥٤٢٠٣٢٣٧٥١٨"}, {"imei": None}),
        ({"iccid": "00000000000000000000"}, {"iccid": None}),
        ({"iccid": "8900101000000000001F"}, {"iccid": "8900101000000000001"}),
        ({"num": ""}, {"line": IMSI, "number": None}),
        ({"num": "(null)"}, {"line": IMSI, "number": None}),
        ({"num": "<NULL>", "imsi": "0" * 15}, {"line": "line01", "number": None}),
        ({"num": "9" * 400}, {"line": IMSI, "number": None}),
        ({"signal": "99"}, {"signal": None}),
        ({"signal": "0"}, {"signal": -113}),
        ({"signal": "-1"}, {"signal": None}),
        ({"signal": "9" * 300}, {"signal": None}),
        ({"CELLINFO": "LAC:FFFF,CELL ID:FFFF"}, {"cell": None}),
        ({"CELLINFO": "nonsense"}, {"cell": None}),
        ({"gsm_status": "LOGOUT"}, {"state": "not registered"}),
        ({"disable_status": "1"}, {"state": "disabled"}),
    ],
)
def test_a_value_that_cannot_be_is_absent(
    hearing: Hearing, changed: dict[str, str], expected: dict[str, Any]
) -> None:
    assert hearing.udp(keepalive(**changed), LINE1, CENTRE)
    (row,) = hearing.rows("sightings")
    assert {key: row.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("sport", "account", "port"),
    [(10991, "x", 1), (11022, "x7", 32), (40000, "line07", 7), (40000, "goip-3", 3),
     (40000, "10001", None), (40000, "x", None), (10990, "x", None)],
)  # fmt: skip
def test_the_port_is_told_by_the_source_port_else_by_the_account(
    sport: int, account: str, port: int | None
) -> None:
    assert goip.port_of(sport, account) == port


def test_an_unchanged_line_is_told_again_only_after_five_minutes(hearing: Hearing) -> None:
    for number in range(21):
        hearing.udp(keepalive(number, signal=str(number % 32)), LINE1, CENTRE)
        hearing.time += 29 * SECOND
    assert [row["frame"] for row in hearing.rows("sightings")] == [1, 11, 21]


def test_each_change_of_sim_or_imei_is_told_at_once(hearing: Hearing) -> None:
    for changed in ({}, {"imsi": OTHER_IMSI}, {"imsi": OTHER_IMSI, "imei": OTHER_IMEI}, {}):
        hearing.udp(keepalive(**changed), LINE1, CENTRE)
    pairs = [(row["imsi"], row["imei"]) for row in hearing.rows("sightings")]
    assert pairs == [(IMSI, IMEI), (OTHER_IMSI, IMEI), (OTHER_IMSI, OTHER_IMEI), (IMSI, IMEI)]


def test_a_sim_of_a_bank_is_evidence_of_its_own(hearing: Hearing) -> None:
    hearing.udp(keepalive(SMB_LOGIN="Y"), LINE1, CENTRE)
    assert ("goip-remote-sim", DEVICE) in hearing.signatures()


def test_an_old_keepalive_with_few_keys_is_one(hearing: Hearing) -> None:
    assert hearing.udp(f"req:1;id:a1;pass:{SECRET};num:;signal:9", LINE1, CENTRE)
    assert hearing.rows("sightings")[0]["line"] == "a1"


@pytest.mark.parametrize(
    "text",
    ["req:", "req:x;id:a;pass:b;num:c;signal:1", "req:1;id:a;pass:b;num:c", "req:1",
     "reg:1;id:a;pass:b;num:c;signal:1", "request: 1", "STATE:1;gsm_remain_state:IDLE",
     "OK 200", "DONE 1", "SEND 1 2 3", "REGISTER sip:a SIP/2.0", "get_x 1 2", "GSM:1;x:2"],
)  # fmt: skip
def test_what_only_looks_like_it_is_left_to_others(hearing: Hearing, text: str) -> None:
    assert not hearing.udp(text, LINE1, CENTRE)
    assert hearing.rows("evidence") == []


@pytest.mark.parametrize(
    "text", ["reg:7;status:0;", "req:7;status:200;v:1;", "STATE 446 OK\n", "USSN 1 ERROR no"]
)
def test_acks_of_the_server_are_known_and_tell_nothing(hearing: Hearing, text: str) -> None:
    assert hearing.udp(text, CENTRE, LINE1)
    assert hearing.rows("evidence") == []


def call_rows(hearing: Hearing) -> list[dict[str, Any]]:
    kept = ("start", "ringing_at", "answered_at", "end", "cause", "from_user", "request_user",
            "src", "src_port", "dst", "port", "pdd_s", "frames")  # fmt: skip
    return [
        {key: row[key] for key in kept if key in row}
        for row in hearing.rows("dialogs")
        if row["method"] == "INVITE"
    ]


def test_a_call_out_goes_from_dialling_to_idle(hearing: Hearing) -> None:
    hearing.udp(keepalive(), LINE1, CENTRE)
    for number, state in enumerate(("DIALING", "ALERTING", "CONNECTED")):
        said = f"gsm_remain_state:{state}:999555000"
        hearing.udp(event("STATE", 400 - number, said), LINE1, CENTRE)
    hearing.udp(event("RECORD", 396, "dir:2;num:999555000"), LINE1, CENTRE)
    hangup = 'num:999555000,cause:"Normal call clearing'
    hearing.udp(event("HANGUP", 395, hangup), LINE1, CENTRE)
    hearing.udp(event("STATE", 394, "gsm_remain_state:IDLE"), LINE1, CENTRE)
    assert call_rows(hearing) == [
        {
            "start": 2.0, "ringing_at": 3.0, "answered_at": 4.0, "end": 6.0, "cause": 16,
            "from_user": "999000000001", "request_user": "999555000", "src": DEVICE,
            "src_port": 10991, "dst": SERVER, "port": 1, "pdd_s": 1.0,
            "frames": [2, 3, 4, 5, 6, 7],
        }
    ]  # fmt: skip


def test_a_call_in_comes_from_the_other_side(hearing: Hearing) -> None:
    states = ("INCOMING:999666000", "INCOMING:999666000", "ACTIVE", "IDLE")
    for number, state in enumerate(states):
        said = f"gsm_remain_state:{state}"
        hearing.udp(event("STATE", 400 - number, said), LINE1, CENTRE)
    (row,) = call_rows(hearing)
    assert row == {
        "start": 1.0, "answered_at": 3.0, "end": 4.0, "from_user": "999666000",
        "request_user": "line01", "src": SERVER, "src_port": 44444, "dst": DEVICE, "port": 1,
        "frames": [1, 2, 3, 4],
    }  # fmt: skip


def test_the_cause_may_come_after_idle(hearing: Hearing) -> None:
    hearing.udp(event("STATE", 9, "gsm_remain_state:DIALING:999555000"), LINE1, CENTRE)
    hearing.udp(event("STATE", 8, "gsm_remain_state:IDLE"), LINE1, CENTRE)
    hearing.udp(event("HANGUP", 7, "num:999555000,cause:BUSY"), LINE1, CENTRE)
    (row,) = call_rows(hearing)
    assert (row["end"], row["cause"]) == (2.0, 17)


def test_an_event_said_twice_counts_once(hearing: Hearing) -> None:
    for _ in range(3):
        hearing.udp(event("STATE", 9, "gsm_remain_state:DIALING:999555000"), LINE1, CENTRE)
        hearing.udp(event("RECEIVE", 5, "srcnum:999777000;msg:hello"), LINE1, CENTRE)
    assert sorted(row["method"] for row in hearing.rows("dialogs")) == ["INVITE", "MESSAGE"]


def test_a_record_alone_is_a_call(hearing: Hearing) -> None:
    hearing.udp(event("RECORD", 9, "dir:1;num:999666000"), LINE1, CENTRE)
    (row,) = call_rows(hearing)
    assert (row["from_user"], row.get("end")) == ("999666000", None)


def test_a_second_number_is_a_second_call(hearing: Hearing) -> None:
    for number, dialled in enumerate(("999555000", "999555001")):
        said = f"gsm_remain_state:DIALING:{dialled}"
        hearing.udp(event("STATE", 9 - number, said), LINE1, CENTRE)
    assert [row["request_user"] for row in call_rows(hearing)] == ["999555000", "999555001"]


@pytest.mark.parametrize(
    "walk", [("DIALING", "CONNECTED"), ("DIALING", "ALERTING"), ("INCOMING", "ACTIVE")]
)
def test_a_call_whose_end_was_lost_ends_where_the_next_begins(
    hearing: Hearing, walk: tuple[str, str]
) -> None:
    for number, state in enumerate(walk * 2):
        said = f"gsm_remain_state:{state}:999555000"
        hearing.udp(event("STATE", 9 - number, said), LINE1, CENTRE)
    assert [(row["start"], row.get("end")) for row in call_rows(hearing)] == [
        (1.0, None),
        (3.0, None),
    ]


@pytest.mark.parametrize("when", [0, 1, 2])
def test_a_record_belongs_to_the_call_around_it(hearing: Hearing, when: int) -> None:
    said = [event("STATE", 9, "gsm_remain_state:DIALING:999555000"),
            event("STATE", 8, "gsm_remain_state:IDLE")]  # fmt: skip
    said.insert(when, event("RECORD", 7, "dir:2;num:999555000"))
    for text in said:
        hearing.udp(text, LINE1, CENTRE)
    assert [row["frames"] for row in call_rows(hearing)] == [[1, 2, 3]]


def test_a_call_back_is_another_call(hearing: Hearing) -> None:
    for number, state in enumerate(("INCOMING", "DIALING")):
        said = f"gsm_remain_state:{state}:999555000"
        hearing.udp(event("STATE", 9 - number, said), LINE1, CENTRE)
    assert [row["src"] for row in call_rows(hearing)] == [SERVER, DEVICE]


def test_lines_of_one_device_have_calls_of_their_own(hearing: Hearing) -> None:
    dialling = "gsm_remain_state:DIALING:99955500"
    hearing.udp(event("STATE", 9, dialling + "1", "line01"), LINE1, CENTRE)
    hearing.udp(event("STATE", 9, dialling + "2", "line02"), LINE2, CENTRE)
    hearing.udp(event("STATE", 8, "gsm_remain_state:IDLE", "line01"), LINE1, CENTRE)
    ends = {row["port"]: row.get("end") for row in call_rows(hearing)}
    assert ends == {1: 3.0, 2: None}


@pytest.mark.parametrize(
    ("text", "cause"),
    [("NO CARRIER", 16), ("busy", 17), ("NO ANSWER", 19), ("NO DIALTONE", 27), ("", None),
     ('"Normal call clearing', 16), ("User busy", 17), ("Call rejected", 21), ("16", 16),
     ("0", None), ("999", None), ("12345678901", None), ("whatever", None), ("٣", None)],
)  # fmt: skip
def test_the_hangup_text_gives_the_q850_cause(text: str, cause: int | None) -> None:
    assert gsmlines.cause_of(text) == cause


def message_rows(hearing: Hearing) -> list[tuple[Any, ...]]:
    keys = ("from_user", "request_user", "src", "dst", "status_code", "port")
    return [tuple(r.get(k) for k in keys) for r in hearing.rows("dialogs")]


def test_a_text_received_is_told_by_its_numbers_only(hearing: Hearing) -> None:
    hearing.udp(keepalive(), LINE1, CENTRE)
    said = "srcnum:TESTBANK;msg:code 4711; password:nobody; see: you"
    hearing.udp(event("RECEIVE", 5, said), LINE1, CENTRE)
    assert message_rows(hearing) == [("TESTBANK", "999000000001", SERVER, DEVICE, None, 1)]
    assert b"4711" not in hearing.everything_written()


def test_a_text_cannot_pass_for_a_number(hearing: Hearing) -> None:
    hearing.udp(event("RECEIVE", 5, "msg:x;srcnum:4711999"), LINE1, CENTRE)
    assert message_rows(hearing) == [(None, "line01", SERVER, DEVICE, None, 1)]


def bulk(hearing: Hearing, fate: str) -> None:
    hearing.udp(keepalive(), LINE1, CENTRE)
    steps = [
        ("MSG 12 11 buy now; 4711", True), ("PASSWORD 12", False),
        (f"PASSWORD 12 {SECRET}", True), ("SEND 12", False), ("SEND 12 1 999777001", True),
        ("WAIT 12 1", False), ("SEND 12 1 999777001", True), (fate, False), ("DONE 12", True),
        ("DONE 12", False),
    ]  # fmt: skip
    for text, by_server in steps:
        ends = (CENTRE, LINE1) if by_server else (LINE1, CENTRE)
        if text:
            assert hearing.udp(text + "\n", *ends) or text == "DONE 12"


@pytest.mark.parametrize(
    ("fate", "status"), [("OK 12 1 32", 200), ("ERROR 12 1 errorstatus:38", None), ("", None)]
)
def test_a_bulk_text_is_a_row_for_each_number(
    hearing: Hearing, fate: str, status: int | None
) -> None:
    bulk(hearing, fate)
    expected = ("999000000001", "999777001", DEVICE, SERVER, status, 1)
    assert message_rows(hearing) == [expected]
    assert hearing.rows("dialogs")[0]["frame"] == 6  # of the first of both SEND
    written = hearing.everything_written()
    assert b"4711" not in written
    assert SECRET.encode() not in written


def test_the_delivery_of_a_text_that_was_seen_is_no_other_text(hearing: Hearing) -> None:
    bulk(hearing, "OK 12 1 32")
    said = "sms_no:32;state:0;num:+0999777001"
    hearing.udp(event("DELIVER", 4, said), LINE1, CENTRE)
    said = "sms_no:33;state:0;num:999777002"
    hearing.udp(event("DELIVER", 3, said), LINE1, CENTRE)
    assert [row[1] for row in message_rows(hearing)] == ["999777001", "999777002"]


def test_a_new_imei_on_the_wire_is_evidence_against_the_line(hearing: Hearing) -> None:
    hearing.udp(keepalive(), LINE1, CENTRE)
    assert hearing.udp(f"set_imei 55 {OTHER_IMEI} {SECRET}", CENTRE, LINE1)
    assert hearing.udp("set_imei 55 OK", LINE1, CENTRE)
    row = hearing.signatures()["goip-set-imei", DEVICE]
    assert (row["grade"], row["line"], row["peer"]) == ("conclusive", "999000000001", SERVER)
    assert row["fields"] == f'{{"imei": "{OTHER_IMEI}"}}'


@pytest.mark.parametrize(
    ("command", "names_device"),
    [("svr_reboot_dev 5 {}", True), ("module_ctl_i 5 2 {}", True), ("set_gsm_num 5 1 {}", True),
     ("svr_reboot_dev 5 OK", False), ("get_imei 5 {}", False)],
)  # fmt: skip
def test_a_command_shows_the_device_even_without_keepalives(
    hearing: Hearing, command: str, names_device: bool
) -> None:
    assert hearing.udp(command.format(SECRET), CENTRE, LINE1)
    assert (("goip-command", DEVICE) in hearing.signatures()) is names_device


@pytest.mark.parametrize(
    "text",
    [
        event("USSN", 1, "msg:balance 4711"), event("AT", 1, "count:1;receive:write:4711"),
        event("CGATT", 1, "status:Y"), event("BCCH", 1, "bcch:689,638,"),
        event("CELLS", 1, "lists:689,638,"), event("EXPIRY", 1, "exp:0"),
        event("REMAIN", 1, "gsm_remain_time:-1"), event("need_recharge", 1, "num:999000000001"),
        event("recharge_ok", 1, "num:1"), event("NUM_ICCID", 1, f"num:999000000001;iccid:{ICCID}"),
        event("CELLINFO", 1, 'info:"LAC:1A2B,CELL ID:3C4D"'),
    ],
)  # fmt: skip
def test_every_event_is_evidence(hearing: Hearing, text: str) -> None:
    assert hearing.udp(text, LINE1, CENTRE)
    assert ("goip-event", DEVICE) in hearing.signatures()
    assert b"4711" not in hearing.everything_written()


def test_a_line_that_moves_to_another_cell_is_sighted_there(hearing: Hearing) -> None:
    hearing.udp(keepalive(), LINE1, CENTRE)
    hearing.udp(event("CELLINFO", 1, 'info:"LAC:1A2B,CELL ID:5E6F"'), LINE1, CENTRE)
    assert [row["cell"] for row in hearing.rows("sightings")] == ["1A2B-3C4D", "1A2B-5E6F"]


def test_no_password_is_ever_written(hearing: Hearing) -> None:
    bulk(hearing, "OK 12 1 32")
    for tag in sorted(goip.EVENTS):
        hearing.udp(event(tag, 1, "num:1;dir:2;gsm_remain_state:DIALING:5550001"), LINE1, CENTRE)
    for verb in sorted(goip.COMMANDS | goip.COMMON_COMMANDS):
        hearing.udp(f"{verb} 9 {SECRET}", CENTRE, LINE1)
        hearing.udp(f"{verb} 9 {IMEI} {SECRET}", CENTRE, LINE1)
    assert SECRET.encode() not in hearing.everything_written()


def test_a_hundred_thousand_accounts_do_not_grow_the_state(
    hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goip, "MOST_LINES", 500)
    hearing.reader = reader = goip.GoIP()
    monkeypatch.setattr(hearing.sink, "evidence", lambda *_, **__: None)
    monkeypatch.setattr(hearing.sink, "put", lambda *_, **__: None)
    for number in range(100_000):
        text = f"req:1;id:a{number};pass:x;num:;signal:9"
        hearing.udp(text, (DEVICE, 1024 + number % 60_000), CENTRE)
    assert max(len(reader._lines), len(reader._ports)) <= 500
    assert hearing.sink.counts["goip|line forgotten"] == 99_500


def test_a_call_that_is_forgotten_is_still_told(tmp_path: Path) -> None:
    hearing = Hearing(goip.GoIP(), tmp_path / "rows")
    hearing.udp(event("STATE", 9, "gsm_remain_state:DIALING:999555000"), LINE1, CENTRE)
    hearing.time += 7 * 3600 * SECOND
    hearing.udp(keepalive(id="line02"), LINE2, CENTRE)
    assert hearing.sink.counts["goip|call"] == 1


def test_the_state_of_bulk_texts_is_bounded(
    hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goip, "MOST_TEXTS", 50)
    hearing.reader = reader = goip.GoIP()
    for number in range(2000):
        hearing.udp(f"MSG {number} 1 x", CENTRE, LINE1)
        hearing.udp(f"SEND {number} 1 999777001", CENTRE, LINE1)
    for number in range(1000):
        hearing.udp(f"SEND 1999 {number} 999777001", CENTRE, LINE1)
    assert len(reader._texts) <= 50
    assert len(reader._texts.get((*LINE1, "1999")) or ()) <= goip.MOST_ITEMS


def test_claims_are_two_octets_or_more() -> None:
    assert all(len(lead) >= 2 for lead in goip.GoIP.udp.leads)
    assert all(keepalive().encode().startswith(goip.GoIP.udp.leads) for _ in range(1))


MESSAGES = [
    keepalive(), keepalive(SMB_LOGIN="Y"), event("HANGUP", 5, "num:1,cause:BUSY"),
    event("STATE", 1, "gsm_remain_state:DIALING:5550001"), event("RECORD", 2, "dir:2;num:5"),
    event("RECEIVE", 3, "srcnum:5;msg:x"), event("DELIVER", 4, "sms_no:1;state:0;num:5"),
    f"set_imei 1 {IMEI} x", "MSG 1 2 xx", "SEND 1 1 5550001", "OK 1 1", "ERROR 1 1 e", "DONE 1",
    "GSM:1;get_gsm_num:999000000001;get_gsm_state:IDLE;imei:" + IMEI, "reg:1;status:0;",
]  # fmt: skip


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    octets = bytearray(draw(st.sampled_from(MESSAGES)).encode())
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(octets)))
        octets[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=4))
    return bytes(octets[: draw(st.integers(0, len(octets)))])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(st.one_of(mutants(), st.binary(max_size=64)), st.booleans()), max_size=12)
)
def test_nothing_that_is_sent_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, sent: list[tuple[bytes, bool]]
) -> None:
    hearing = Hearing(goip.GoIP(), tmp_path_factory.mktemp("rows"))
    for octets, by_server in sent:
        hearing.udp(octets, *((CENTRE, LINE1) if by_server else (LINE1, CENTRE)))
    hearing.finish()


@pytest.mark.parametrize("text", MESSAGES)
def test_every_prefix_of_a_message_is_read_or_refused(hearing: Hearing, text: str) -> None:
    answers = [hearing.udp(text[:size], LINE1, CENTRE) for size in range(len(text))]
    hearing.finish()
    assert answers[0] is False


@pytest.mark.parametrize(
    ("check", "text", "digits"),
    [(simcards.number, "+999", "999"), (simcards.number, "9", None), (simcards.number, "00", None),
     (simcards.line_number, "10086", None), (simcards.imei, "4901542032375", None),
     (simcards.imsi, None, None), (simcards.iccid, "8" * 21, None)],
)  # fmt: skip
def test_identities_are_digits_of_the_right_length(
    check: Any, text: str | None, digits: str | None
) -> None:
    assert check(text) == digits
