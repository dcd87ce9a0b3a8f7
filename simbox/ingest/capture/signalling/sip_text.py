"""The text of SIP messages (RFC 3261, section 25): start lines and headers.

Lenient as captures need: compact and oddly spelt names, folded lines, LF alone, several values in
one header, junk before the start line.  Passwords and digest responses never leave this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from simbox.ingest.capture.signalling.sip_parties import (
    MAX_VALUE,
    contact,
    party,
    receiver,
    seconds,
    sender,
    uri,
)

METHODS = (
    "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY",
    "PUBLISH", "INFO", "REFER", "MESSAGE", "UPDATE",
)  # fmt: skip
LEADS = (b"SIP/2.0 ", *(m.encode() + b" " for m in METHODS))

MAX_HEADER = 4096  # characters of one header that are looked at
MAX_LINE = 2048  # octets of a start line
MAX_METHOD = 32  # characters of a method
MAX_JUNK = 200  # octets before a start line that are passed over
CACHED = 4096  # header lines of which the meaning is remembered
STARTS = 1024  # start lines, likewise

_TOKENS = "|".join(METHODS).encode()
_URI = rb"[ \t]+\S[^\r\n]{0,%d}?[ \t]SIP/2\.0" % MAX_LINE
_START = re.compile(
    rb"(?:" + _TOKENS + rb")" + _URI + rb"|SIP/2\.0[ \t]+[1-6]\d\d\b", re.IGNORECASE
)
_EXTENSION = re.compile(
    rb"\s*([A-Za-z][\w.!%*+`'~-]{1,31})" + _URI + rb"[ \t]*\r?\n", re.IGNORECASE
)

_STATUS = re.compile(r"SIP/2\.0\s+([1-6]\d\d)(?!\d)\s*(.*)", re.IGNORECASE)

# Every control character but tab and line feed; carriage returns go with them.
_CONTROLS = bytes(c for c in (*range(32), 127) if c not in (9, 10))
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")  # what no line holds once they are left out

(
    VIA, FROM, TO, CALL_ID, CSEQ, CONTACT, MAX_FORWARDS, USER_AGENT, SERVER, ALLOW, CREDENTIALS,
    CHALLENGE, EXPIRES, REASON, ACCESS_NETWORK, ASSERTED, REMOTE_PARTY, CONTENT_TYPE,
    CONTENT_LENGTH, IGNORED,
) = range(20)  # fmt: skip
_ONCE = frozenset((FROM, TO, CALL_ID, CSEQ, MAX_FORWARDS, EXPIRES, CONTENT_TYPE, CONTENT_LENGTH))
# several of them are one value; of several Vias only the number matters
_JOINED = frozenset(range(IGNORED)) - _ONCE - {VIA}

# RFC 3261 section 20 and the registry of compact forms
_SPELLINGS = {
    VIA: "Via v", FROM: "From f", TO: "To t", CALL_ID: "Call-ID i", CSEQ: "CSeq",
    CONTACT: "Contact m", MAX_FORWARDS: "Max-Forwards", USER_AGENT: "User-Agent", SERVER: "Server",
    ALLOW: "Allow", CREDENTIALS: "Authorization Proxy-Authorization",
    CHALLENGE: "WWW-Authenticate Proxy-Authenticate", EXPIRES: "Expires", REASON: "Reason",
    ACCESS_NETWORK: "P-Access-Network-Info", ASSERTED: "P-Asserted-Identity",
    REMOTE_PARTY: "Remote-Party-ID", CONTENT_TYPE: "Content-Type c",
    CONTENT_LENGTH: "Content-Length l",
    IGNORED: "Accept Accept-Language Accept-Encoding Allow-Events u Authentication-Info Date "
    "Content-Disposition Content-Encoding e Event o Min-Expires Min-SE MIME-Version "
    "Organization P-Charging-Vector P-Preferred-Identity Priority Privacy RAck Record-Route "
    "Refer-To r Referred-By b Require Route RSeq Session-Expires x Subject s "
    "Subscription-State Supported k Timestamp Warning",
}  # fmt: skip
_SLOT = {
    spelling: slot
    for slot, names in _SPELLINGS.items()
    for name in names.split()
    for spelling in (name, name.lower())
}
_NAME = {slot: names.split()[0] for slot, names in _SPELLINGS.items()}


class Start(NamedTuple):
    """The start line of a message."""

    method: str | None  # of a request, in capitals
    status: int | None  # of a response
    phrase: str | None
    user: str | None  # of a request's URI
    host: str | None


class Headers(NamedTuple):
    """The header values of a message by slot, repeated ones joined by a comma."""

    values: list[str | None]
    vias: int
    unusual: list[str]


def find_start(octets: bytes) -> int:
    """Where the start line begins: 0, or behind a little junk; -1 when there is none."""
    end = octets.find(b"\n", 0, MAX_LINE)
    told = octets.find(b"SIP/2.0", 0, end if end >= 0 else MAX_LINE)
    if told >= 0 and octets.startswith(LEADS):
        return 0
    window = octets[: MAX_JUNK + MAX_LINE]
    if b"sip/2.0" not in window.lower():
        return -1
    named = _EXTENSION.match(window)
    if named and named.start(1) <= MAX_JUNK:
        return named.start(1)
    found = _START.search(window)
    return found.start() if found and found.start() <= MAX_JUNK else -1


def find_blank(octets: bytes | bytearray, since: int = 0) -> tuple[int, int]:
    """Where the head ends and where the body begins; (-1, -1) without an empty line."""
    returned = octets.find(b"\n\r\n", since)
    bare = octets.find(b"\n\n", since, returned if returned >= 0 else len(octets))
    if bare >= 0:
        return bare, bare + 2
    return returned, returned + 3 if returned >= 0 else -1


def split(octets: bytes) -> tuple[list[str], str | None]:
    """The lines of the head, and the body; None without an empty line.

    Control characters are left out of both, carriage returns with them.
    """
    text = _without_controls(octets)
    head, blank, body = text.partition("\n\n")
    lines = head.split("\n")
    if len(head) > MAX_HEADER:
        lines = [line[:MAX_HEADER] for line in lines]
    return lines, body if blank else None


def _without_controls(octets: bytes) -> str:
    return octets.translate(None, _CONTROLS).decode("utf-8", "replace")


@lru_cache(maxsize=STARTS)
def start_line(line: str) -> Start | None:
    """The parts of a start line; None when it is none."""
    if line[:4].upper() == "SIP/":
        answer = _STATUS.match(line)
        phrase = answer and answer[2].strip()[:MAX_VALUE]
        return answer and Start(None, int(answer[1]), phrase or None, None, None)
    parts = line.split()
    if len(parts) < 3 or parts[-1].upper() != "SIP/2.0" or len(parts[0]) > MAX_METHOD:
        return None
    user, host, _ = uri(" ".join(parts[1:-1]))
    return Start(parts[0].upper(), None, None, user, host)


def headers(lines: list[str]) -> Headers:
    """The headers of a message from its lines; the first is the start line."""
    values: list[str | None] = [None] * (IGNORED + 1)
    unusual: list[str] = []
    vias = 0
    last = IGNORED
    for line in lines[1:]:
        if line[:1] in (" ", "\t"):
            _unfold(line, values, last)
            vias += line.count(",") if last == VIA else 0
            continue
        name, _, value = line.partition(":")
        slot = _SLOT.get(name)
        last = slot = _odd(name, unusual) if slot is None else slot
        if slot == IGNORED:
            continue
        value, known = value.strip(), values[slot]
        if known is None:
            values[slot] = value
        elif slot in _ONCE:
            last = IGNORED
        elif len(known) < MAX_HEADER:
            values[slot] = f"{known}, {value}"
        if slot == VIA:
            vias += 1 + value.count(",")
    return Headers(values, vias, unusual)


def _unfold(line: str, values: list[str | None], slot: int) -> None:
    """Join a folded line to the value that it goes on with."""
    known = values[slot]
    if known is not None and len(known) < MAX_HEADER:
        values[slot] = f"{known} {line.strip()}".strip()


def _odd(name: str, unusual: list[str]) -> int:
    """The slot of a name that is spelt otherwise; headers that start with X- are noted."""
    known = _SLOT.get(name.strip().lower(), IGNORED)
    if known == IGNORED and name[:2] in ("X-", "x-") and len(unusual) < 16:
        unusual.append(name.strip()[:64])
    return known


_SENT_BY = re.compile(r"\s*SIP\s*/\s*[^/\s]+\s*/\s*\S+\s+([^;,]+)", re.IGNORECASE)
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;,\s]+)", re.IGNORECASE)
# nearly all of them: a host, perhaps a port, rport and received, the branch
_PLAIN_VIA = re.compile(
    r"SIP/2\.0/[A-Z]+ ([\w.:-]+)(?:;r[\w.=:]+)*;branch=([\w.-]+)(?:;r[\w.=:]+)*", re.ASCII
)


def via(value: str) -> tuple[str | None, str | None]:
    """Branch and sent-by of the top Via."""
    plain = _PLAIN_VIA.fullmatch(value) if len(value) <= MAX_VALUE else None
    return (plain[2], plain[1]) if plain is not None else _odd_via(value)


def _odd_via(value: str) -> tuple[str | None, str | None]:
    """Branch and sent-by of the top Via, however it is written."""
    top = value.partition(",")[0]
    branch, sent_by = _BRANCH.search(top), _SENT_BY.match(top)
    return (
        branch[1][:MAX_VALUE] if branch else None,
        "".join(sent_by[1].split())[:MAX_VALUE] if sent_by else None,
    )


_USERNAME = re.compile(r"\busername\s*=\s*(?:\"([^\"]*)\"|([^\s,]+))", re.IGNORECASE)
_REALM = re.compile(r"\brealm\s*=\s*(?:\"([^\"]*)\"|([^\s,]+))", re.IGNORECASE)
_CAUSE = re.compile(r"Q\.850\s*;[^,]*?\bcause\s*=\s*(\d{1,3})(?!\d)", re.IGNORECASE)


def username(credentials: str) -> str | None:
    """The user name of digest credentials."""
    return _quoted(_USERNAME, credentials)


def realm(value: str) -> str | None:
    """The realm of a challenge or of credentials."""
    return _quoted(_REALM, value)


def _quoted(pattern: re.Pattern[str], value: str) -> str | None:
    found = pattern.search(value)
    return (found[1] or found[2] or "")[:MAX_VALUE] or None if found else None


def release_cause(reason: str) -> int | None:
    """The Q.850 cause of a Reason header (RFC 3326); None when it gives none."""
    found = _CAUSE.search(reason[: 2 * MAX_VALUE])
    return int(found[1]) if found and 0 < int(found[1]) < 128 else None


def sequence(cseq: str) -> tuple[int | None, str | None]:
    """Number and method of CSeq."""
    parts = cseq.split(None, 1)
    if not parts:
        return None, None
    method = parts[1].strip().upper()[:MAX_METHOD] if len(parts) > 1 else None
    number = parts[0].lstrip("0") or "0"
    return seconds(number), method


def _via(value: str) -> tuple[str | None, str | None, int]:
    return *via(value), 1 + value.count(",")


def _vouched(value: str) -> tuple[str | None] | None:
    return (party(value).user,) if value else None


def _credentials(value: str) -> tuple[str | None, str | None] | None:
    return (username(value), realm(value)) if value else None


def _short(value: str) -> str | None:
    return value[:MAX_VALUE] or None


# What is made of the value of each header, and what stands for an absent one.
_MEANINGS: dict[int, tuple[Callable[[str], Any], Any]] = {
    VIA: (_via, (None, None, 0)),
    FROM: (sender, (None, None, None, None)),
    TO: (receiver, (None, None)),
    CALL_ID: (lambda value: value[:MAX_VALUE], ""),
    CSEQ: (sequence, (None, None)),
    CONTACT: (contact, (None, None, None)),
    MAX_FORWARDS: (lambda value: seconds(value, 65_535), None),
    **dict.fromkeys((USER_AGENT, SERVER, ALLOW, ACCESS_NETWORK), (_short, None)),
    CREDENTIALS: (_credentials, None),
    CHALLENGE: (realm, None),
    EXPIRES: (seconds, None),
    REASON: (release_cause, None),
    **dict.fromkeys((ASSERTED, REMOTE_PARTY), (_vouched, None)),
    CONTENT_TYPE: (str.lower, ""),
    CONTENT_LENGTH: (seconds, None),
}
_ABSENT: dict[int | str, Any] = {slot: absent for slot, (_, absent) in _MEANINGS.items()}
_IN_ORDER = itemgetter(*range(IGNORED))
# by the usual spellings of a name: the slot, and what is made of a value
_READ = {name: (slot, _MEANINGS.get(slot, (None,))[0]) for name, slot in _SLOT.items()}


class _Lines(dict[str, tuple[int | str, Any]]):
    """Header lines met lately: the slot and the meaning of each.

    The messages of a dialog have most lines in common, those of a device many.  A line that is
    not needed stands for itself; one spelt oddly, folded or unknown is a KeyError, and so is one
    with control characters.
    """

    def __missing__(self, line: str) -> tuple[int | str, Any]:
        name, _, value = line.partition(":")
        slot, meaning = _READ[name]
        if not line.isprintable() and _CONTROL.search(line):
            raise KeyError(line)
        told = (line, None) if meaning is None else (slot, meaning(value.strip()))
        if len(line) <= MAX_VALUE:
            if len(self) >= CACHED:
                self.clear()
            self[line] = told
        return told


_LINES = _Lines()
Values = tuple[Any, ...]  # the meaning of each header, by slot


class Message(NamedTuple):
    """What a message says."""

    start: Start
    values: Values
    vias: int
    unusual: list[str]  # names of headers
    body: str | None  # None without an empty line


def message(octets: bytes, *, cut: bool = False) -> Message | None:
    """What a message that begins with its start line says; None when it begins with none.

    With ``cut`` the end of it is missing: half a line may be half a Call-ID.
    """
    plain = None if cut or len(octets) > MAX_HEADER else _plain_message(octets)
    if plain is not None:
        return plain
    lines, body = split(octets)
    start = start_line(lines[0])
    if start is None:
        return None
    if cut and body is None and len(lines) > 1:
        lines.pop()
    return Message(start, *meanings(lines), body)


def _plain_message(octets: bytes) -> Message | None:
    """The message as nearly all are written: line by line, each ended by CR LF and unfolded."""
    head, _, body = octets.partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    start = start_line(first) if first.isprintable() else None
    try:
        told = [*map(_LINES.__getitem__, lines)]
    except KeyError:
        return None
    said = _said(told)
    if start is None or said is None:
        return None
    return Message(start, *said, [], _without_controls(body) if body else "")


def meanings(lines: list[str]) -> tuple[Values, int, list[str]]:
    """What the headers of a message say, by slot; the number of Vias; the unusual headers.

    The first line is the start line.  Nearly all heads are lines met before, each of its own
    name; the others are put in order first.
    """
    try:
        told = [*map(_LINES.__getitem__, lines[1:])]
    except KeyError:
        return _straightened(lines)
    said = _said(told)
    return (*said, []) if said is not None else _straightened(lines)


def _said(told: list[tuple[int | str, Any]]) -> tuple[Values, int] | None:
    """The meanings of the lines of a head by slot, and the number of Vias.

    None where a header has several values that belong together.
    """
    found = dict(told)
    if len(found) == len(told):
        values = _IN_ORDER(_ABSENT | found)
        return values, values[VIA][2]
    slots = [slot for slot, _ in told]
    if any(slots.count(slot) > 1 for slot in _JOINED & found.keys()):
        return None
    vias = sum(meaning[2] for slot, meaning in told if slot == VIA)
    return _IN_ORDER(_ABSENT | dict(reversed(told))), vias


def _straightened(lines: list[str]) -> tuple[Values, int, list[str]]:
    """The meanings of a head with folded lines, odd names, or several values of a header."""
    values, vias, unusual = headers(lines)
    found = {
        slot: _LINES[f"{_NAME[slot]}:{value}"][1]
        for slot, value in enumerate(values)
        if value is not None
    }
    return _IN_ORDER(_ABSENT | found), vias, unusual
