"""The SMS-server protocol of DBL/Hybertone gateways: what each line tells its server, in the clear.

Grammar (the vendor's interface document and goipcron.c; an independent server, dbltek-goip-agent,
sms/udpstack): UDP on any port, one message a datagram::

    keepalive  req:<n>;id:<line>;pass:..;num:..;signal:..;gsm_status:..;imei:..;imsi:..; ...
    event      STATE:<n>;id:<line>;password:..;gsm_remain_state:DIALING:<number>
    ack        reg:<n>;status:0;    STATE <n> OK
    command    set_imei <n> <imei> <password>
    text       MSG n length text / PASSWORD n / SEND n item number / OK n item / DONE n

A field ends at ";" and its key at the first ":"; what follows ";msg:" is a text.  The number of an
event repeats when the event does.  Passwords and texts are dropped where they are met.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from simbox.ingest.capture.protocol import Claim, Datagram, DatagramReader
from simbox.ingest.capture.signalling import simcards
from simbox.ingest.capture.signalling.gsmlines import Line, party
from simbox.ingest.capture.signalling.simcards import SECOND, Recent
from simbox.ingest.capture.sink import Sink
from simbox.tables import DIALOGS

PRODUCT = "DBL/Hybertone GoIP"
KEEPALIVE = ("goip-keepalive", PRODUCT, "conclusive")
EVENT = ("goip-event", PRODUCT, "conclusive")
SET_IMEI = ("goip-set-imei", PRODUCT, "conclusive")
REMOTE_SIM = ("goip-remote-sim", PRODUCT, "conclusive")
COMMAND = ("goip-command", PRODUCT, "strong")
BULK_TEXT = ("goip-bulk-sms", PRODUCT, "strong")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEYS = _words(
    "id pass num signal gsm_status voip_status voip_state remain_time imei imsi iccid pro idle "
    "disable_status SMS_LOGIN SMB_LOGIN CELLINFO CGATT s_l_id"
)
FEWEST_KEYS = 4
PASSWORDS = frozenset({"password", "pass"})
LEARNT = ("num", "imsi", "imei", "iccid", "CELLINFO", "pro", "signal", "gsm_status",
          "disable_status")  # fmt: skip
ABSENT = frozenset({"", "(null)", "<NULL>", "null"})

EVENTS = _words(
    "STATE RECORD HANGUP EXPIRY REMAIN RECEIVE DELIVER USSN CELLINFO CGATT BCCH CELLS AT NUM_ICCID "
    "need_recharge recharge_ok"
)
#: Commands that no other protocol has; the others count only between a line and its server.
COMMANDS = _words(
    "set_gsm_num set_gsm_number set_imei set_exp_time reset_remain_time svr_drop_call "
    "svr_reboot_module svr_reboot_dev module_ctl module_ctl_i set_out_call_interval "
    "set_base_cell get_gsm_num get_gsm_number get_imei get_exp_time get_remain_time get_gsm_state "
    "get_out_call_interval get_cells_list"
)
COMMON_COMMANDS = _words("CF CW USSD USSDEXIT CURCELL ATSTART ATCMD ATALIVE ATSTOP GSM")
TEXT_VERBS = _words("MSG PASSWORD SEND OK WAIT ERROR DONE")
VERDICTS = frozenset({"OK", "DISABLE", "ERROR"})

LEADS = tuple(
    lead.encode()
    for lead in (
        *(f"{verb}:" for verb in ("req", "reg", "GSM", *sorted(EVENTS))),
        *(f"{verb} " for verb in sorted(EVENTS | COMMANDS | COMMON_COMMANDS | TEXT_VERBS)),
    )
)

HEAD = re.compile(r"([A-Za-z_]{2,24})([: ])(-?\d{1,19})(?=[; ]|$)")
CELL = re.compile(r"LAC:\s*([0-9A-Fa-f]{1,8})\s*,\s*CELL ID:\s*([0-9A-Fa-f]{1,8})")
NO_CELL = frozenset({"0", "FFFF", "FFFFFFF", "FFFFFFFF"})
TRAILING = re.compile(r"(?<!\d)0*(\d{1,3})$")
LONGEST = 1500  # octets of a message that are read; texts lie behind

LONGEST_ACCOUNT = 64
MOST_FIELDS = 8192  # fields remembered
FREE_TEXT = (b";msg:", b";receive:")  # a text, what a module said

FIRST_PORT = 10_990  # line n speaks from UDP port 10990 + n
MOST_PORTS = 128

MOST_LINES = 16_384
MOST_TEXTS = 4096
MOST_ITEMS = 256  # numbers of one bulk text
IDLE = 6 * 3600 * SECOND
TEXT_IDLE = 600 * SECOND


class Item(NamedTuple):
    """One number of a bulk text, of which the line has not yet said what became of it."""

    packet: Datagram
    line: Line | None
    number: str | None


class _Fields(dict[str, tuple[str, str]]):
    """Fields met lately, split: a line says nearly the same each time, and so do its neighbours.

    The key of a field without a colon is empty.  Passwords are not remembered.
    """

    def __missing__(self, field: str) -> tuple[str, str]:
        key, colon, value = field.partition(":")
        told = (key.strip(), value) if colon else ("", "")
        if told[0] not in PASSWORDS:
            if len(self) >= MOST_FIELDS:
                self.clear()
            self[field] = told
        return told


_FIELDS = _Fields()


class Message(NamedTuple):
    """One datagram, split."""

    verb: str
    number: str
    colon: bool  # device style, verb:number; else verb and number with a blank between
    rest: str
    packet: Datagram

    def fields(self) -> dict[str, str]:
        """The keys and values behind the number, the first of each key."""
        found = dict(map(_FIELDS.__getitem__, reversed(self.rest.split(";"))))
        found.pop("", None)
        return found


Items = dict[str, Item]


class GoIP(DatagramReader):
    """The reader of the SMS-server protocol."""

    name = "goip"
    udp = Claim(leads=LEADS)

    def __init__(self) -> None:
        self._lines: Recent[tuple[str, str], Line] = Recent(MOST_LINES, IDLE)
        self._ports: Recent[tuple[str, int], Line] = Recent(MOST_LINES, IDLE)
        self._texts: Recent[tuple[str, int, str], Items] = Recent(MOST_TEXTS, TEXT_IDLE)
        self._sent: Recent[tuple[str, str], bool] = Recent(MOST_LINES, IDLE)

    def datagram(self, packet: Datagram, out: Sink) -> bool:
        message = split(packet)
        if message is None:
            return False
        if not message.colon:
            return self._spoken(message, out)
        if message.verb in {"req", "reg"} and message.rest.startswith(";status:"):
            return True
        if message.verb == "req":
            return self._keepalive(message, out)
        if message.verb == "GSM":
            return self._answer(message, out)
        return message.verb in EVENTS and self._event(message, out)

    def finish(self, out: Sink) -> None:
        """Tell the calls and texts that the end of the file cut off."""
        for line in self._lines.drain():
            line.close(out)
        for items in self._texts.drain():
            _put_items(items, out)

    def _line(self, account: str, packet: Datagram, out: Sink) -> Line:
        """The line that sent a packet."""
        account = simcards.plain(account, LONGEST_ACCOUNT) or str(packet.sport)
        line = self._lines.touch(
            (packet.src, account), packet.time, lambda: Line(packet.src, account)
        )
        line.port = port_of(packet.sport, account)
        self._ports.put((packet.src, packet.sport), packet.time, line)
        for old in self._lines.expired(packet.time):
            old.close(out)
            out.counts["goip|line forgotten"] += 1
        for _ in self._ports.expired(packet.time):
            pass
        line.settle(packet.time, out)
        return line

    def _keepalive(self, message: Message, out: Sink) -> bool:
        fields, packet = message.fields(), message.packet
        if "id" not in fields or len(KEYS & fields.keys()) < FEWEST_KEYS:
            return False
        out.counts["goip|keepalive"] += 1
        line = self._line(fields["id"], packet, out)
        learn(line, fields)
        line.sight(packet, out)
        _tell(KEEPALIVE, line, packet, out)
        if fields.get("SMB_LOGIN", "").strip() == "Y":
            _tell(REMOTE_SIM, line, packet, out)
        return True

    def _answer(self, message: Message, out: Sink) -> bool:
        """What a line answers to a question for everything."""
        fields, packet = message.fields(), message.packet
        if not {"get_gsm_num", "get_gsm_state"} <= fields.keys():
            return False
        line = self._ports.get((packet.src, packet.sport))
        if line is not None:
            learn(line, {"num": fields["get_gsm_num"]} | _only(fields, "imei"))
            line.sight(packet, out)
        return True

    def _event(self, message: Message, out: Sink) -> bool:
        fields, packet = message.fields(), message.packet
        if "id" not in fields or not fields.keys() & PASSWORDS:
            return False
        line = self._line(fields["id"], packet, out)
        _tell(EVENT, line, packet, out)
        if line.heard.get(message.verb) == message.number:
            return True  # the line has had no ack and says it again
        line.heard[message.verb] = message.number
        out.counts["goip|event"] += 1
        if message.verb in {"STATE", "RECORD", "HANGUP"}:
            _call_event(line, message.verb, fields, packet, out)
        elif message.verb in {"RECEIVE", "DELIVER"}:
            self._text_event(line, message.verb, fields, packet, out)
        elif message.verb == "CELLINFO":
            line.cell = cell_of(message.rest) or line.cell
            line.said = ()
            line.sight(packet, out)
        elif message.verb == "NUM_ICCID":
            learn(line, _only(fields, "num", "iccid"))
            line.sight(packet, out)
        return True

    def _text_event(
        self, line: Line, verb: str, fields: dict[str, str], packet: Datagram, out: Sink
    ) -> None:
        """A text that the line received, or the network's word that one of its own came through."""
        if verb == "RECEIVE":
            _put_text(Item(packet, line, party(fields.get("srcnum"))), packet, out, sent=False)
            return
        number = party(fields.get("num"))
        if not self._sent.pop((line.host, _tail(number))):
            status = 200 if fields.get("state", "").strip() == "0" else None
            _put_text(Item(packet, line, number), packet, out, status=status)

    def _spoken(self, message: Message, out: Sink) -> bool:
        """An ack, a command or a step of a bulk text: words with blanks between."""
        words = message.rest.split()
        if message.verb in EVENTS:
            return bool(words) and words[0] in VERDICTS
        if message.verb in TEXT_VERBS:
            return self._bulk(message, words, out)
        if message.verb in COMMANDS or message.verb in COMMON_COMMANDS:
            return self._command(message, words, out)
        return False

    def _command(self, message: Message, words: list[str], out: Sink) -> bool:
        packet = message.packet
        line = self._ports.get((packet.dst, packet.dport))
        own = self._ports.get((packet.src, packet.sport))
        if own is not None and line is None:
            return True  # the line's answer
        orders = not message.verb.startswith("get_") and not VERDICTS & set(words)
        fewest = 2 if message.verb.startswith("set_") else 1  # the password among them
        if line is None and (message.verb not in COMMANDS or not orders or len(words) < fewest):
            return message.verb in COMMANDS
        imei = simcards.imei(words[0]) if message.verb == "set_imei" and len(words) > 1 else None
        signature = COMMAND if imei is None else SET_IMEI
        fields = {"command": message.verb} if imei is None else {"imei": imei}
        out.counts["goip|command"] += 1
        out.evidence(
            signature, packet.dst, packet.time, packet.frame, peer=packet.src,
            line=line and line.name, fields=fields,
        )  # fmt: skip
        return True

    def _bulk(self, message: Message, words: list[str], out: Sink) -> bool:
        """A step of a bulk text: its numbers are kept until the line says what became of them."""
        packet, verb = message.packet, message.verb
        if verb == "MSG" or (verb == "SEND" and words):
            return self._bulk_by_server(message, words, out)
        by_line = (packet.src, packet.sport, message.number)
        by_server = (packet.dst, packet.dport, message.number)
        items = self._texts.get(by_line)
        if items is None:
            known = self._texts.get(by_server)
            if verb == "DONE" and known is not None:
                _put_items(self._texts.pop(by_server) or {}, out)
            return known is not None
        if verb in {"OK", "ERROR"} and words:
            item = items.pop(words[0], None)
            if item is not None:
                if verb == "OK":
                    self._sent.put((packet.src, _tail(item.number)), packet.time, value=True)
                _put_text(item, packet, out, status=200 if verb == "OK" else None)
                out.evidence(
                    BULK_TEXT, packet.src, packet.time, packet.frame, peer=packet.dst,
                    line=item.line and item.line.name,
                )  # fmt: skip
        elif verb == "DONE":
            _put_items(self._texts.pop(by_line) or {}, out)
        for _ in self._sent.expired(packet.time):
            pass
        return True

    def _bulk_by_server(self, message: Message, words: list[str], out: Sink) -> bool:
        """MSG n length text opens a bulk text, SEND n item number gives it a number."""
        packet, opening = message.packet, message.verb == "MSG"
        key = (packet.dst, packet.dport, message.number)
        line = self._ports.get(key[:2])
        known = line is not None or self._texts.get(key) is not None
        wanted = 1 if opening else 2
        if len(words) < wanted or not words[0].isdecimal() or not (known or opening):
            return False
        items = self._texts.touch(key, packet.time, dict)
        for old in self._texts.expired(packet.time):
            _put_items(old, out)
        if not opening and len(items) < MOST_ITEMS:
            number = simcards.number(words[1])
            device = packet._replace(
                src=packet.dst, sport=packet.dport, dst=packet.src, dport=packet.sport
            )
            items.setdefault(words[0][:LONGEST_ACCOUNT], Item(device, line, number))
        return True


def split(packet: Datagram) -> Message | None:
    """A datagram as a message, without the text that it may end in; None if it is none."""
    octets = packet.payload[:LONGEST]
    for free in FREE_TEXT:
        octets = octets.partition(free)[0]
    text = octets.decode("utf-8", "replace").rstrip("\0\r\n ")
    head = HEAD.match(text)
    if head is None:
        return None
    return Message(head[1], head[3], head[2] == ":", text[head.end() :], packet)


def port_of(sport: int, account: str) -> int | None:
    """The line of the device: by its own port, else by the number that its account ends in."""
    if FIRST_PORT < sport <= FIRST_PORT + MOST_PORTS:
        return sport - FIRST_PORT
    end = TRAILING.search(account)
    return int(end[1]) if end and 0 < int(end[1]) <= MOST_PORTS else None


@lru_cache(maxsize=1024)
def cell_of(text: str) -> str | None:
    """LAC and cell identity in hex, joined by a hyphen; None where the line has no cell."""
    cell = CELL.search(text)
    if cell is None:
        return None
    parts = [part.upper() for part in cell.groups()]
    return None if {p.lstrip("0") or "0" for p in parts} <= NO_CELL else "-".join(parts)


def learn(line: Line, fields: dict[str, str]) -> None:
    """Take over what is told of the line; a key that is not there changes nothing."""
    said = tuple(map(fields.get, LEARNT))
    if said == line.said:
        return
    line.said = said
    number, imsi, imei, iccid, cell, operator, signal, status, disabled = (
        text and text.strip() for text in said
    )
    sim = line.sim
    line.sim = simcards.Sim(
        sim.number if number is None else simcards.line_number(number),
        sim.imsi if imsi is None else simcards.imsi(imsi),
        sim.imei if imei is None else simcards.imei(imei),
        sim.iccid if iccid is None else simcards.iccid(iccid),
    )
    if cell is not None:
        line.cell = cell_of(cell)
    if operator is not None:
        line.operator = None if operator in ABSENT else simcards.plain(operator, 32)
    if signal is not None:
        line.signal = simcards.dbm(signal)
    if status is not None:
        line.state = "registered" if status in {"LOGIN", "UP"} else "not registered"
    if disabled == "1":
        line.state = "disabled"


def _only(fields: dict[str, str], *keys: str) -> dict[str, str]:
    return {key: fields[key] for key in keys if key in fields}


def _tail(number: str | None) -> str:
    """The end of a number, alike with and without country code."""
    return (number or "")[-8:]


def _tell(signature: tuple[str, str, str], line: Line, packet: Datagram, out: Sink) -> None:
    out.evidence(signature, line.host, packet.time, packet.frame, peer=packet.dst, line=line.name)


def _call_event(line: Line, verb: str, fields: dict[str, str], packet: Datagram, out: Sink) -> None:
    if verb == "STATE":
        line.change(fields.get("gsm_remain_state", ""), packet, out)
    elif verb == "RECORD" and fields.get("dir", "").strip() in {"1", "2"}:
        number, outgoing = party(fields.get("num")), fields["dir"].strip() == "2"
        line.record(number, packet, out, outgoing=outgoing)
    elif verb == "HANGUP":
        line.end(packet, out, fields.get("num", "").partition("cause:")[2])


def _put_items(items: Items, out: Sink) -> None:
    """The numbers of a bulk text whose fate the line never told."""
    for item in items.values():
        _put_text(item, None, out)


def _put_text(
    item: Item, answer: Datagram | None, out: Sink, *, sent: bool = True, status: int | None = None
) -> None:
    """A row of one text by its two parties."""
    first, line = item.packet, item.line
    last = answer or first
    device, server = (first.src, first.sport), (first.dst, first.dport)
    src, dst = (device, server) if sent else (server, device)
    name = line.name if line is not None else None
    users = (name, item.number) if sent else (item.number, name)
    frames = sorted({first.frame, last.frame})
    account = line.account if line is not None else str(first.sport)
    out.put(
        DIALOGS, start=first.time, end=answer and answer.time, last_seen=last.time,
        protocol="goip", method="MESSAGE", call_id=f"{account}-{first.frame}@{first.src}",
        status_code=status, from_user=users[0], to_user=users[1], request_user=users[1],
        src=src[0], src_port=src[1], dst=dst[0], dst_port=dst[1], messages=len(frames),
        port=line.port if line is not None else None, frame=first.frame, frames=frames,
    )  # fmt: skip
    out.counts["goip|text"] += 1
