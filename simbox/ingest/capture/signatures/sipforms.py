"""SIP messages reduced to the forms that signatures look at, and the evidence in them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from simbox.ingest.capture.signatures.matching import Signatures
from simbox.tables import EVIDENCE

MOST_CHARACTERS = 160  # of a header's value
KEPT = ("time", "source", "frame", "src", "dst")
READ = (
    *KEPT, "request", "method", "status_code", "reason_phrase", "cseq", "call_id", "from_tag",
    "from_header", "branch", "vias", "max_forwards", "user_agent", "allow", "realm", "unusual",
    "sdp_origin", "sdp_session", "sdp_secure",
)  # fmt: skip

_IPV4 = r"(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?$"
# RFC 1918 and the shared space of RFC 6598: what a device behind address translation shows
_LAN = (
    r"^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\."
    r"|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)[\d.]+(?::\d+)?$"
)
_UUID = r"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

#: Forms that take long to make of headers that repeat.
_OF_VALUES = {"allow": "allow", "call_id_form": "call_id"}

#: Replacements that leave the shape of a From header, in order.
_FROM = (
    (r'^\s*"(?:[^"\\]|\\.)*"\s*', '"n" '),
    (r"^\s*[^<\"\s][^<\"]*<", "n <"),
    (r"sips?:[^@<>]*@", "sip:u@"),
    (r"@\[[^\]]*\]", "@h"),
    (r"@[^:;<>\s]+", "@h"),
    (r":\d+", ":p"),
    (r"tag=[^;>\s]*", "tag"),
)


def _token(text: pl.Expr) -> pl.Expr:
    """The kind of an opaque token."""
    return (
        pl.when(text.is_null() | (text == ""))
        .then(pl.lit(""))
        .when(text.str.contains(r"^\d+$"))
        .then(pl.lit("decimal"))
        .when(text.str.contains(_UUID))
        .then(pl.lit("uuid"))
        .when(text.str.contains(r"^as[0-9a-f]{8}$"))
        .then(pl.lit("asterisk"))
        .when(text.str.contains(r"^[0-9a-fA-F]{6,}$"))
        .then(pl.lit("hex"))
        .otherwise(pl.lit("text"))
    )


def _call_id(text: pl.Expr) -> pl.Expr:
    host = text.str.extract(r"@(.*)$").fill_null("")
    where = (
        pl.when(host == "")
        .then(pl.lit(""))
        .when(host.str.contains(_LAN))
        .then(pl.lit("@lan"))
        .when(host.str.contains("^" + _IPV4))
        .then(pl.lit("@ip"))
        .otherwise(pl.lit("@name"))
    )
    return _token(text.str.extract(r"^([^@]*)")) + where


def _from(text: pl.Expr) -> pl.Expr:
    for pattern, shape in _FROM:
        text = text.str.replace_all(pattern, shape)
    return text


def _origin(text: pl.Expr) -> pl.Expr:
    user = text.str.extract(r"^(\S+)").str.replace_all(r"\d+", "0")
    number = text.str.extract(r"^\S+ (2\d{6})\d(?:\s|$)").fill_null("0")
    return user + " " + number


def _forms() -> dict[str, pl.Expr]:
    """The fields of ``signatures.FIELDS["sip"]`` as expressions over MESSAGES."""
    col = pl.col
    secure = pl.when(col("sdp_secure")).then(pl.lit("true")).otherwise(pl.lit(""))
    return {
        "direction": pl.when(col("request")).then(pl.lit("request")).otherwise(pl.lit("response")),
        "method": col("method"),
        "status": col("status_code").cast(pl.String),
        "reason_phrase": col("reason_phrase"),
        "user_agent": col("user_agent"),
        "allow": col("allow").str.strip_chars().str.replace_all(r"\s*,\s*", ", "),
        "max_forwards": col("max_forwards").cast(pl.String),
        "from_form": _from(col("from_header")),
        "tag_form": _token(col("from_tag")),
        "call_id_form": _call_id(col("call_id")),
        "branch_form": _token(col("branch").str.strip_prefix("z9hG4bK")),
        "sdp_origin": _origin(col("sdp_origin")),
        "sdp_session": col("sdp_session"),
        "sdp_secure": secure,
        "realm": col("realm"),
        "unusual": col("unusual"),
    }


def _at_its_origin() -> pl.Expr:
    """The sender made the message: a relay's Via stands in none of it.

    A request has one Via as its maker sends it (RFC 3261 8.1.1.7).  A response has most of them on
    its first way, as each hop takes one off; where only one hop was seen it is taken for the first.
    """
    vias = pl.col("vias").fill_null(1)
    most = vias.max().over("call_id", "cseq", "method")
    return pl.when(pl.col("request")).then(vias <= 1).otherwise(vias == most)


def matches(messages: pl.DataFrame, signatures: Signatures) -> pl.DataFrame:
    """The forms of the messages that each sender has made and a signature fits.

    Messages are reduced to distinct combinations of forms first; each is matched once.

    Args:
        messages: rows of MESSAGES, whole Call-IDs.
        signatures: of which those of SIP are used.

    Returns:
        A row a sender, combination of forms and signature, with its first message.
    """
    shown = {field for signature in signatures.of("sip") for field in signature.shown}
    used = [f for f in _forms() if f in shown or f in signatures.fields("sip")]
    columns = _columns(used)
    formed = _formed(messages.select(READ).filter(_at_its_origin()), used)
    first = pl.col("time").arg_min()
    seen = (
        formed.sort("source", "frame")
        .group_by("src", *columns)
        .agg(
            pl.col("time").max().alias("last_seen"),
            pl.len().cast(pl.UInt32).alias("count"),
            pl.col("frame", "source", "dst").get(first),
            pl.col("time").min(),
        )
    )
    found = _matched(seen.select(columns).unique(), used, signatures)
    return seen.join(found, on=columns).drop(columns)


def _formed(made: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """The forms of messages; those that take long are made once of every distinct value."""
    forms = _forms()
    shapes = {
        field: forms[field].fill_null("").str.slice(0, MOST_CHARACTERS).alias(column)
        for field, column in zip(fields, _columns(fields), strict=True)
    }
    for field, column in _OF_VALUES.items():
        if field in shapes:
            values = made.lazy().select(column).unique()
            told = values.with_columns(shapes.pop(field)).collect()
            made = made.join(told, on=column, how="left", nulls_equal=True, maintain_order="left")
    return made.with_columns(shapes.values()).select(*KEPT, *_columns(fields))


def evidence_of(found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The evidence in what ``matches`` has found.

    Returns:
        Rows of EVIDENCE by time, host and signature; the host is the sender's address.
    """
    return _rows(pl.concat(found)) if found else EVIDENCE.empty()


def _columns(fields: Sequence[str]) -> list[str]:
    """Names of columns of forms, apart from those of messages."""
    return [f"form_{field}" for field in fields]


def _matched(
    combinations: pl.DataFrame, names: Sequence[str], signatures: Signatures
) -> pl.DataFrame:
    """A row for each combination and signature that it fits."""
    rows: list[tuple[str, ...]] = []
    for combination in combinations.iter_rows():
        fields = dict(zip(names, combination, strict=True))
        for signature in signatures.match("sip", fields):
            proof = json.dumps(signature.proof(fields), sort_keys=True)
            rows.append((*combination, *signature.evidence, proof, signature.device))
    columns = [*combinations.columns, "signature", "product", "grade", "fields", "device"]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _rows(matches: pl.DataFrame) -> pl.DataFrame:
    host = pl.when(pl.col("device") == "sender").then("src").otherwise("dst")
    peer = pl.when(pl.col("device") == "sender").then("dst").otherwise("src")
    first = pl.col("time").arg_min()
    evidence = (
        matches.with_columns(host=host, peer=peer)
        .sort("time", "source", "frame")
        .group_by("host", "signature", "product", "grade", maintain_order=True)
        .agg(
            pl.col("last_seen").max(),
            pl.col("count").sum(),
            pl.col("peer", "source", "frame", "fields").get(first),
            pl.col("time").min(),
        )
        .sort("time", "host", "signature")
    )
    return EVIDENCE.conform(evidence)
