"""The parties of SIP messages (RFC 3261, sections 19.1 and 20.10): address headers and URIs.

What nearly all write is read in one step, everything else piece by piece.  Passwords never leave
this module.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

MAX_VALUE = 256  # characters kept of any value


class Party(NamedTuple):
    """What an address header (From, To, Contact ...) says of its first party."""

    user: str | None
    host: str | None  # without its port, an IPv6 address without its brackets
    place: str | None  # with its port where it has one
    tag: str | None
    expires: int | None  # parameter of a Contact, seconds


_QUOTED = re.compile(r'\s*"(?:[^"\\]|\\.)*"')
_TAG = re.compile(r";\s*tag\s*=\s*([^;,\s?>]+)", re.IGNORECASE)
_LIFETIME = re.compile(r";\s*expires\s*=\s*\"?(\d{1,10})", re.IGNORECASE)


# nearly all parties: a name, a URI in angle brackets, a tag
_PLAIN_URI = r"sips?:(?:([\w.+*#-]+)@)?([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?(?:;[\w.=;-]*)?"
_PLAIN_PARTY = re.compile(
    rf'(?:"[^"\\]*"|[\w.+ -]*) ?<{_PLAIN_URI}>(?:;tag=([^;,\s?>]+)|;expires=([0-9]{{1,10}}))?',
    re.ASCII,
)
_PLAIN = re.compile(_PLAIN_URI, re.ASCII)


def party(value: str) -> Party:
    """The first party of an address header: name-addr or addr-spec (RFC 3261, section 20.10)."""
    plain = _PLAIN_PARTY.fullmatch(value) if len(value) <= MAX_VALUE else None
    if plain is None:
        return _odd_party(value)
    user, host, port, tag, lifetime = plain.groups()
    host = host.lower()
    place = f"{host}:{port}" if port else host
    return Party(user, host, place, tag, seconds(lifetime) if lifetime else None)


def _odd_party(value: str) -> Party:
    """A party, however it is written."""
    name = _QUOTED.match(value)
    rest = value[name.end() :] if name else value
    opening = rest.find("<")
    if opening >= 0:
        closing = rest.find(">", opening)
        address = rest[opening + 1 : closing if closing >= 0 else len(rest)]
        parameters = rest[closing:] if closing >= 0 else address
    else:
        # without angle brackets the parameters are the header's, not the URI's
        address = rest.partition(",")[0]
        parameters = address
    first = parameters.partition(",")[0]
    tag, lifetime = _TAG.search(first), _LIFETIME.search(first)
    return Party(
        *uri(address),
        tag[1][:MAX_VALUE] if tag else None,
        seconds(lifetime[1]) if lifetime else None,
    )


_SCHEME = re.compile(
    r"\s*(sips?|tel|fax|urn|im|pres|callto|https?|mailto|h323)\s*:\s*", re.IGNORECASE
)
_HOST = re.compile(r"\s*(?:\[([^\]]*)\]|([^:;?>,\s/@]*))\s*(?::\s*(\d{1,5})(?!\d))?")
_SEPARATORS = str.maketrans("", "", "-.() ")  # visual separators of RFC 3966


def uri(text: str) -> tuple[str | None, str | None, str | None]:
    """User, host, and host with port of a SIP or telephone URI; a password is dropped."""
    plain = _PLAIN.fullmatch(text) if len(text) <= MAX_VALUE else None
    if plain is None:
        return _odd_uri(text)
    user, host, port = plain.groups()
    host = host.lower()
    return user, host, f"{host}:{port}" if port else host


def _odd_uri(text: str) -> tuple[str | None, str | None, str | None]:
    """Of a URI, however it is written."""
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text.strip()
    if scheme and scheme[1].lower() in ("tel", "fax"):
        number = rest.partition(";")[0].partition("?")[0].translate(_SEPARATORS).strip()
        return number[:MAX_VALUE] or None, None, None
    info, at, place = rest.partition("@")
    user = _user(info) if at else None
    found = _HOST.match(place if at else rest)
    if found is None or not (found[1] or found[2]):
        return user, None, None
    host = (found[1] or found[2]).lower()[:MAX_VALUE]
    if host == "*":
        return user, None, None
    if not found[3]:
        return user, host, host
    return user, host, f"[{host}]:{found[3]}" if found[1] else f"{host}:{found[3]}"


def _user(info: str) -> str | None:
    """The user of the part before @: without password, parameters and escapes."""
    user = info.partition(":")[0].partition(";")[0].strip()
    if "%" in user:
        plain = unquote(user, errors="replace")
        user = plain if plain.isprintable() else user
    return user[:MAX_VALUE] or None


_PASSWORD = re.compile(r"(sips?:[^:@>\s]*):[^@>]*@", re.IGNORECASE)


def as_written(value: str) -> str | None:
    """An address header as it stands, but for a password in its URI; None when it is very long."""
    if len(value) > 2 * MAX_VALUE:
        return None
    if "@" in value and value.count(":") > 1:  # of the scheme, and of a password or a port
        value = _PASSWORD.sub(r"\1@", value)
    return value[:MAX_VALUE]


def sender(value: str) -> tuple[str | None, ...]:
    """User, host, tag and the header as it is written, of From."""
    plain = _PLAIN_PARTY.fullmatch(value) if len(value) <= MAX_VALUE else None
    if plain is not None:
        user, host, _, tag, _ = plain.groups()
        return user, host.lower(), tag, as_written(value)
    user, host, _, tag, _ = _odd_party(value)
    return user, host, tag, as_written(value) if value else None


def receiver(value: str) -> tuple[str | None, ...]:
    """User and tag of To."""
    plain = _PLAIN_PARTY.fullmatch(value) if len(value) <= MAX_VALUE else None
    if plain is not None:
        return plain.group(1, 4)
    user, _, _, tag, _ = _odd_party(value)
    return user, tag


def contact(value: str) -> tuple[str | int | None, ...]:
    """User, host with port, and lifetime in seconds, of Contact."""
    plain = _PLAIN_PARTY.fullmatch(value) if len(value) <= MAX_VALUE else None
    if plain is not None:
        user, host, port, _, expires = plain.groups()
        host = host.lower()
        return user, f"{host}:{port}" if port else host, seconds(expires) if expires else None
    user, _, place, _, lifetime = _odd_party(value)
    return user, place, lifetime


def seconds(digits: str | None, most: int = 2**32 - 1) -> int | None:
    """A number of decimal digits; None when it is none, the most when it is more."""
    if not digits or len(digits) > 10 or not (digits.isascii() and digits.isdecimal()):
        return None
    return min(int(digits), most)
