"""Dialogs are assembled from messages: who called whom, how it went on and how it ended."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sip_reading import frame_of

from simbox.ingest.capture.signalling.dialogs import CAUSES, assemble, buckets
from simbox.tables import DIALOGS, MESSAGES

A, P, B = "192.0.2.10", "198.51.100.1", "203.0.113.20"
Row = dict[str, Any]


def msg(time: float, ends: str, what: str | int, method: str = "INVITE", **more: Any) -> Row:
    """A message between two of A, P and B; ``what`` is a method or a status."""
    places = {"A": A, "P": P, "B": B}
    row = dict.fromkeys(MESSAGES.schema)
    request = isinstance(what, str)
    row.update(
        time=round(time * 1000) * 1_000_000, frame=round(time * 1000), transport="udp",
        src=places[ends[0]], src_port=5060, dst=places[ends[1]], dst_port=5062,
        request=request, method=what if request else method,
        status_code=None if request else what, reason_phrase=None if request else f"r{what}",
        cseq=1, call_id="c1", from_tag="f", from_user="line1", to_user="15550100",
        request_user="15550100" if request else None,
    )  # fmt: skip
    row.update(more)
    return row


def dialogs(rows: Iterable[Row]) -> list[Row]:
    frame = assemble(frame_of(list(rows)))
    assert frame.schema == DIALOGS.empty().schema
    return frame.rows(named=True)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


ANSWERED = [
    msg(1, "AB", "INVITE", user_agent="gw", contact_user="line1", contact_host="192.0.2.10:5060"),
    msg(1.1, "BA", 100),
    msg(3, "BA", 180, to_tag="t", user_agent="pbx"),
    msg(5, "BA", 200, to_tag="t"),
    msg(5.1, "AB", "ACK", to_tag="t"),
]
BYE = [
    msg(65, "BA", "BYE", from_tag="t", to_tag="f", cseq=7),
    msg(65.1, "AB", 200, "BYE", from_tag="t", to_tag="f", cseq=7),
]
CHALLENGED = [
    msg(1, "AB", "INVITE"),
    msg(1.1, "BA", 407, to_tag="x", realm="goip"),
    msg(1.2, "AB", "ACK", to_tag="x"),
    msg(2, "AB", "INVITE", cseq=2, auth_user="line1"),
    msg(4, "BA", 183, to_tag="t", cseq=2),
    msg(6, "BA", 200, to_tag="t", cseq=2),
]
REINVITE = [
    msg(20, "AB", "INVITE", cseq=3, to_tag="t"),
    msg(20.1, "BA", 200, cseq=3, to_tag="t"),
    msg(30, "BA", "INVITE", cseq=9, from_tag="t", to_tag="f"),
    msg(30.1, "AB", 488, cseq=9, from_tag="t", to_tag="f"),
]

FLOWS: dict[str, tuple[list[Row], Row]] = {
    "an answered call": (
        ANSWERED + BYE,
        {
            "start": at(1), "ringing_at": at(3), "answered_at": at(5), "end": at(65),
            "last_seen": at(65.1), "status_code": 200, "reason_phrase": "r200", "cause": 16,
            "from_user": "line1", "request_user": "15550100", "to_user": "15550100",
            "user_agent": "gw", "server": "pbx", "contact_user": "line1",
            "contact_host": "192.0.2.10:5060", "src": A, "dst": B, "src_port": 5060,
            "dst_port": 5062, "hangup_by": B, "pdd_s": 2.0, "messages": 7, "challenged": False,
            "protocol": "sip", "method": "INVITE", "call_id": "c1", "source": "a.pcap",
            "frame": 1000, "frames": [1000, 1100, 3000, 5000, 5100, 65000, 65100],
        },
    ),
    "a call whose end was not seen": (
        ANSWERED, {"answered_at": at(5), "end": None, "cause": None, "hangup_by": None},
    ),
    "a challenged call": (
        CHALLENGED, {"challenged": True, "answered_at": at(6), "pdd_s": 2.0, "auth_user": "line1",
                     "status_code": 200, "start": at(1)},
    ),
    "a challenge that nobody met": (
        CHALLENGED[:3], {"challenged": True, "status_code": 407, "end": at(1.1), "cause": 21},
    ),
    "a challenge met in vain": (
        [*CHALLENGED[:4], msg(3, "BA", 403, cseq=2, to_tag="x")],
        {"status_code": 403, "end": at(3), "cause": 21, "challenged": True},
    ),
    "calls inside the dialog": (
        ANSWERED + REINVITE + BYE,
        {"answered_at": at(5), "end": at(65), "status_code": 200, "messages": 11},
    ),
    "a busy line": (
        [*ANSWERED[:3], msg(4, "BA", 486, to_tag="t")],
        {"status_code": 486, "end": at(4), "cause": 17, "answered_at": None},
    ),
    "a refusal that repeats": (
        [*ANSWERED[:2], msg(4, "BA", 480), msg(4.5, "BA", 480), msg(5.5, "BA", 480)],
        {"status_code": 480, "end": at(4), "cause": 18, "messages": 5},
    ),
    "a caller who gives up": (
        [*ANSWERED[:3], msg(8, "AB", "CANCEL"), msg(8.1, "BA", 200, "CANCEL"), msg(8.2, "BA", 487)],
        {"status_code": 487, "end": at(8.2), "cause": 16, "answered_at": None},
    ),
    "a given cause": (
        [*ANSWERED[:2], msg(4, "BA", 503, cause=34)], {"status_code": 503, "cause": 34},
    ),
    "a cause given with BYE": (
        [*ANSWERED, msg(9, "AB", "BYE", cseq=2, to_tag="t", cause=31)],
        {"cause": 31, "hangup_by": A, "end": at(9)},
    ),
    "forks of which one answers": (
        [ANSWERED[0], msg(2, "BA", 180, to_tag="t1"), msg(3, "BA", 183, to_tag="t2"),
         msg(5, "BA", 200, to_tag="t2")],
        {"ringing_at": at(2), "answered_at": at(5), "status_code": 200},
    ),
    "answers alone": (
        [msg(2, "BA", 180, to_tag="t", contact_host="x", user_agent="pbx"),
         msg(5, "BA", 200, to_tag="t")],
        {"src": A, "src_port": 5062, "dst": B, "dst_port": 5060, "start": at(2),
         "answered_at": at(5), "contact_host": None, "user_agent": None, "server": "pbx",
         "method": "INVITE", "pdd_s": None},
    ),
    "a call that began before the capture": (
        REINVITE + BYE, {"answered_at": None, "status_code": None, "end": at(65), "start": at(20),
                         "method": "INVITE"},
    ),
    "a registration and its refreshes": (
        [msg(1, "AB", "REGISTER", expires=3600, to_user="line1"),
         msg(1.1, "BA", 401, "REGISTER", to_user="line1"),
         msg(1.2, "AB", "REGISTER", expires=3600, cseq=2, to_user="line1", auth_user="u"),
         msg(1.3, "BA", 200, "REGISTER", cseq=2, expires=60, to_user="line1"),
         msg(61, "AB", "REGISTER", expires=3600, cseq=3, to_user="line1", from_tag="other"),
         msg(61.3, "BA", 200, "REGISTER", cseq=3, expires=90, to_user="line1", from_tag="other")],
        {"method": "REGISTER", "status_code": 200, "expires": 90, "challenged": True,
         "auth_user": "u", "messages": 6, "end": None, "answered_at": None, "cause": None},
    ),
    "a registration taken back": (
        [msg(1, "AB", "REGISTER", expires=0), msg(1.1, "BA", 200, "REGISTER")],
        {"expires": 0, "status_code": 200},
    ),
    "a keep-alive": (
        [msg(1, "AB", "OPTIONS"), msg(1.1, "BA", 200, "OPTIONS", user_agent="pbx")],
        {"method": "OPTIONS", "status_code": 200, "server": "pbx", "end": None},
    ),
    "a subscription": (
        [msg(1, "AB", "SUBSCRIBE"), msg(1.1, "BA", 202, "SUBSCRIBE", to_tag="t"),
         msg(1.2, "BA", "NOTIFY", from_tag="t", to_tag="f"),
         msg(1.3, "AB", 481, "NOTIFY", from_tag="t", to_tag="f")],
        {"method": "SUBSCRIBE", "status_code": 202, "messages": 4},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_is_one_dialog(name: str) -> None:
    rows, expected = FLOWS[name]
    (dialog,) = dialogs(rows)
    assert {column: dialog[column] for column in expected} == expected


def test_messages_may_come_in_any_order() -> None:
    rows = list(FLOWS["an answered call"][0])
    random.Random(4).shuffle(rows)
    assert dialogs(rows) == dialogs(ANSWERED + BYE)


def test_a_call_through_a_proxy_has_a_row_on_either_side() -> None:
    second = [{**r, "src": P, "dst": B, "time": r["time"] + 10_000_000} for r in ANSWERED[:1]]
    first = [{**r, "src": A, "dst": P} for r in ANSWERED[:1]]
    assert [(d["src"], d["dst"]) for d in dialogs(first + second)] == [(A, P), (P, B)]


def test_two_callers_under_one_call_id_are_two_calls() -> None:
    other = [{**r, "from_tag": "g"} for r in ANSWERED]
    other_bye = [{**r, "to_tag": "g", "time": r["time"] + 10**9} for r in BYE]
    ended = dialogs(ANSWERED + other + BYE + other_bye)
    assert [(d["messages"], d["end"]) for d in ended] == [(7, at(65)), (7, at(66))]


def test_registrations_of_two_accounts_under_one_call_id_are_two() -> None:
    rows = [
        msg(n, ends, what, "REGISTER", to_user=user)
        for n, user in enumerate(("line1", "line2"))
        for ends, what in (("AB", "REGISTER"), ("BA", 200))
    ]
    assert [(d["to_user"], d["messages"]) for d in dialogs(rows)] == [("line1", 2), ("line2", 2)]


def test_messages_without_call_id_are_left_out() -> None:
    assert dialogs([msg(1, "AB", "INVITE", call_id="")]) == []
    assert assemble(MESSAGES.empty()).schema == DIALOGS.empty().schema


def test_at_most_32_frames_of_the_first_file_are_kept() -> None:
    rows = [msg(n, "AB", "OPTIONS") for n in range(40)]
    frame = frame_of(rows).with_columns(
        source=pl.when(pl.col("frame") < 35_000).then(pl.lit("a")).otherwise(pl.lit("b"))
    )
    (dialog,) = assemble(frame).rows(named=True)
    assert dialog["frames"] == [n * 1000 for n in range(32)]
    few = frame.with_columns(source=pl.when(pl.col("frame") < 2000).then(pl.lit("b"))
                             .otherwise(pl.lit("a")))  # fmt: skip
    assert assemble(few).rows(named=True)[0]["frames"] == [0, 1000]


@pytest.mark.parametrize(("wanted", "least"), [(1, 1), (3, 4), (20, 8)])
def test_buckets_give_the_dialogs_of_the_whole(tmp_path: Path, wanted: int, least: int) -> None:
    flows = [rows for rows, _ in FLOWS.values()]
    rows = [{**r, "call_id": f"c{n}"} for n in range(60) for r in flows[n % len(flows)]]
    frame = frame_of(rows)
    of_share = frame.with_columns(share=pl.col("call_id").str.slice(1).cast(pl.Int64) % 7)
    shares = []
    for (share,), part in of_share.partition_by("share", as_dict=True, include_key=False).items():
        shares.append([tmp_path / f"messages-{share}-{n:05d}.arrow" for n in range(2)])
        for path, half in zip(shares[-1], part.iter_slices(part.height // 2 + 1), strict=True):
            half.write_ipc(path)
    octets = sum(path.stat().st_size for share in shares for path in share)
    parts = [assemble(bucket) for bucket in buckets([*shares, []], octets // wanted)]
    assert least <= len(parts) <= 8 * least
    assert pl.concat(parts).sort("call_id").equals(assemble(frame).sort("call_id"))
    assert list(buckets([])) == []


# ---- a plain state machine as oracle ----


def plain(rows: list[Row]) -> dict[str, Row]:
    """What the messages of each Call-ID say, read one after the other."""
    calls: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda r: r["time"]):
        calls[row["call_id"]].append(row)
    return {name: _play(messages) for name, messages in calls.items()}


def _play(messages: list[Row]) -> Row:
    call: Row = {"ringing_at": None, "answered_at": None, "end": None, "status_code": None,
                 "challenged": False, "hangup_by": None, "messages": len(messages)}  # fmt: skip
    caller = messages[0]["from_tag"]
    opened: set[int] = set()
    for m in messages:
        own = m["from_tag"] == caller
        if m["request"]:
            if m["method"] == "INVITE" and m["to_tag"] is None and m["cseq"] not in opened:
                opened.add(m["cseq"])
                call["end"] = call["status_code"] = None
            elif m["method"] == "BYE" and call["hangup_by"] is None:
                call.update(hangup_by=m["src"], end=m["time"])
        elif m["method"] == "INVITE" and own and m["cseq"] in opened:
            _hear(call, m)
    return call


def _hear(call: Row, answer: Row) -> None:
    status, time = answer["status_code"], answer["time"]
    call["challenged"] |= status in (401, 407)
    if 180 <= status <= 183:
        call["ringing_at"] = call["ringing_at"] or time
    elif 200 <= status < 300 and call["answered_at"] is None:
        call.update(answered_at=time, status_code=status, end=None)
    elif status >= 300 and call["status_code"] is None:
        call.update(status_code=status, end=time)


def random_call(rng: random.Random, number: int) -> list[Row]:
    """A call of random course, with retransmissions."""
    rows: list[Row] = []
    time = rng.uniform(1, 50)

    def add(ends: str, what: str | int, method: str = "INVITE", **more: Any) -> None:
        nonlocal time
        for _ in range(rng.choice((1, 1, 1, 2))):
            time += rng.uniform(0.01, 0.2)
            tags = {"from_tag": f"f{number}", "call_id": f"c{number}", **more}
            rows.append(msg(time, ends, what, method, **tags))

    cseq = rng.randrange(1, 200)
    add("AB", "INVITE", cseq=cseq)
    if rng.random() < 0.5:
        add("BA", rng.choice((401, 407)), cseq=cseq, to_tag="x")
        if rng.random() < 0.2:
            return rows
        cseq += 1
        add("AB", "INVITE", cseq=cseq)
    if rng.random() < 0.7:
        add("BA", rng.choice((180, 183)), cseq=cseq, to_tag=rng.choice("tu"))
    if rng.random() < 0.4:
        add("BA", rng.choice((404, 480, 486, 503, 603)), cseq=cseq, to_tag="t")
        return rows
    add("BA", 200, cseq=cseq, to_tag="t")
    add("AB", "ACK", cseq=cseq, to_tag="t")
    back = {"from_tag": "t", "to_tag": f"f{number}"}
    for _ in range(rng.randrange(3)):
        if rng.random() < 0.5:
            cseq += 1
            add("AB", "INVITE", cseq=cseq, to_tag="t")
            add("BA", rng.choice((200, 488)), cseq=cseq, to_tag="t")
        else:
            add("BA", "INVITE", cseq=3, **back)
            add("AB", rng.choice((200, 491)), cseq=3, **back)
    if rng.random() < 0.7:
        add("BA", "BYE", cseq=8, **back)
    return rows


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_interleaved_calls_are_told_as_a_plain_state_machine_tells_them(seed: int) -> None:
    rng = random.Random(seed)
    rows = [row for number in range(12) for row in random_call(rng, number)]
    expected = plain(rows)
    rng.shuffle(rows)
    found = {d["call_id"]: d for d in dialogs(rows)}
    assert found.keys() == expected.keys()
    for name, call in expected.items():
        for column, value in call.items():
            instant = column == "end" or column.endswith("_at")
            wanted = at(value / 1e9) if instant and value is not None else value
            assert found[name][column] == wanted, (name, column)


def test_the_table_of_causes_covers_failures_only() -> None:
    assert min(CAUSES) >= 300
    assert CAUSES[486] == 17
