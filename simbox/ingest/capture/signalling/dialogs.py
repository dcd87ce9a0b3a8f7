"""SIP dialogs from SIP messages: what was asked of whom, how it ended, and when.

One row is a call attempt or another transaction that stands alone, as seen on one hop, that is
between one pair of addresses.  A call that passes a proxy has a row on either side of it under the
same Call-ID.  Nothing here loops over messages: each fact of a dialog is the number of the first
or last message that states it, found by grouping, and its columns are taken from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from simbox.ingest.cdr.vocabulary import SIP_CAUSES
from simbox.tables import DIALOGS

BUCKET = 16 << 20  # octets of messages that are assembled at a time: about 20,000, in 50 MB
MAX_FRAMES = 32  # frame numbers kept of a dialog
RELEASED = 16  # Q.850 normal call clearing
CAUSES = {int(status): cause for status, cause in SIP_CAUSES.items() if int(status) >= 300}

_I = pl.col("i")
_STATUS = pl.col("status_code")
_CHALLENGE = _STATUS.is_in([401, 407])
_SUCCESS = _STATUS.is_between(200, 299)


def buckets(shares: Sequence[Sequence[Path]], limit: int = BUCKET) -> Iterator[pl.DataFrame]:
    """The messages in Arrow files, in buckets of whole Call-IDs.

    Args:
        shares: files of rows of MESSAGES, those of one Call-ID in one share.
        limit: octets of files wanted in a bucket; one Call-ID may exceed it.
    """
    filled = [share for share in shares if share]
    octets = sum(path.stat().st_size for share in filled for path in share)
    if not filled:
        return
    count = 1
    while octets > limit * count:
        count *= 2  # as the number of shares is a power of two, buckets are of one size
    if count <= len(filled):
        for first in range(count):
            yield pl.concat(_read(path) for share in filled[first::count] for path in share)
        return
    parts = -(-count // len(filled))
    of_part = pl.col("call_id").hash() % parts
    for share in filled:
        for part in range(parts):
            yield pl.concat(_read(path).filter(of_part == part) for path in share)


def _read(path: Path) -> pl.DataFrame:
    """Messages, in memory that is given back: a mapped file would count as long as it is open."""
    return pl.read_ipc(path.read_bytes())


def assemble(messages: pl.DataFrame) -> pl.DataFrame:
    """The dialogs of whole Call-IDs.

    Args:
        messages: rows of MESSAGES, of any number of files; those without Call-ID are left out.

    Returns:
        Rows of DIALOGS by start.  A call (INVITE) is one Call-ID, tag of its caller and pair of
        addresses; a registration one Call-ID, address of record and pair; anything else one
        Call-ID and pair.  A call whose first INVITE is not there begins with what there is.
    """
    messages = (
        messages.filter(pl.col("call_id") != "")
        .sort("time", "source", "frame", maintain_order=True)
        .with_row_index("i")
    )
    if messages.is_empty():
        return DIALOGS.empty()
    marked = _marked(_owned(_grouped(messages)))
    facts = _facts(marked).sort("opening", "first")
    return DIALOGS.conform(_described(messages, facts, marked))


def _grouped(messages: pl.DataFrame) -> pl.DataFrame:
    """The columns that decide, with the group (Call-ID and pair of addresses) of each message.

    Groups and tags are 64-bit hashes: among ten million the odds of a clash are 3 in a million.
    """
    src, dst, method = pl.col("src"), pl.col("dst"), pl.col("method")
    pair = (pl.min_horizontal(src, dst).alias("low"), pl.max_horizontal(src, dst).alias("high"))
    grouped = messages.select(
        "i", "request", _STATUS, "cause",
        pl.struct("call_id", *pair).hash().alias("group"),
        method.fill_null("").alias("method"),
        pl.col("cseq").fill_null(0),
        pl.col("from_tag").fill_null("").hash().alias("sender"),
        pl.col("to_tag").hash().alias("receiver"),
        pl.col("to_tag").is_null().alias("outside"),
        pl.col("to_user").fill_null("").hash().alias("record"),
        pl.col("user_agent").is_not_null().alias("named"),
        pl.col("auth_user").is_not_null().alias("credentials"),
        pl.col("expires").is_not_null().alias("lifetime"),
    )  # fmt: skip
    leading = ("INVITE", "REGISTER", "SUBSCRIBE")
    family = pl.coalesce(
        *(pl.when((method == name).any().over("group")).then(pl.lit(name)) for name in leading),
        method.first().over("group"),
    )
    return grouped.with_columns(family=family)


def _owned(grouped: pl.DataFrame) -> pl.DataFrame:
    """Each message with its dialog, and with the tag of who opened it.

    A caller's tag stands in From of what the caller asks and in To of what the other side asks.
    """
    call = pl.col("family") == "INVITE"
    invite = pl.col("method") == "INVITE"
    openings = grouped.filter(pl.col("request") & invite & pl.col("outside"))
    heads = openings.select("group", "sender").unique(maintain_order=True)
    alone = heads.group_by("group", maintain_order=True).agg(pl.col("sender").first().alias("head"))
    owned = (
        grouped.join(
            heads.with_columns(mine=pl.lit(value=True)),
            on=["group", "sender"], how="left", maintain_order="left",
        )
        .join(
            heads.rename({"sender": "receiver"}).with_columns(theirs=pl.lit(value=True)),
            on=["group", "receiver"], how="left", maintain_order="left",
        )
        .join(alone, on="group", how="left", maintain_order="left")
    )  # fmt: skip
    # without an opening the first INVITE or answer to one tells; in any other family the first
    witness = pl.when(~call | invite).then(pl.col("sender"))
    fallback = witness.first(ignore_nulls=True).over("group")
    owner = (
        pl.when(call & pl.col("mine"))
        .then(pl.col("sender"))
        .when(call & pl.col("theirs"))
        .then(pl.col("receiver"))
        .otherwise(pl.coalesce("head", fallback))
    )
    parts = (
        pl.when(call)
        .then(pl.col("owner"))
        .when(pl.col("family") == "REGISTER")
        .then(pl.col("record"))
        .otherwise(0)
    )
    return (
        owned.with_columns(owner=owner)
        .with_columns(dialog=pl.struct("group", parts.alias("part")).hash())
        .drop("mine", "theirs", "head", "group", "receiver", "record")
    )


def _marked(owned: pl.DataFrame) -> pl.DataFrame:
    """Each message with what it is to its dialog: asks it, answers that, or neither."""
    call = pl.col("family") == "INVITE"
    same = pl.col("method") == pl.col("family")
    request = pl.col("request")
    own = pl.col("sender") == pl.col("owner")
    cseq = pl.col("cseq")
    asks = pl.when(call).then(request & same & pl.col("outside") & own).otherwise(request & same)
    answers = ~request & same & (own | ~call)
    marked = owned.with_columns(asks=asks, answers=answers)
    # An INVITE inside the dialog, by its CSeq, neither opens nor ends it.  Where no request was
    # captured at all, the lowest CSeq among the answers is that of the first INVITE.
    unasked = ~(request & same).any().over("dialog")
    asked = pl.when(pl.col("asks")).then(cseq)
    guess = pl.when(unasked).then(pl.when(pl.col("answers")).then(cseq).min().over("dialog"))
    marked = marked.with_columns(
        first_cseq=pl.coalesce(asked.min().over("dialog"), guess),
        last_cseq=pl.coalesce(asked.max().over("dialog"), guess),
    )
    within = cseq.is_between(pl.col("first_cseq"), pl.col("last_cseq")).fill_null(value=False)
    return marked.with_columns(answers=pl.col("answers") & (within | ~call))


def _facts(marked: pl.DataFrame) -> pl.DataFrame:
    """A row a dialog: the numbers of the messages that state its facts, null where none does."""
    request, asks, answers = pl.col("request"), pl.col("asks"), pl.col("answers")
    same = pl.col("method") == pl.col("family")
    current = pl.col("cseq") == pl.col("last_cseq")
    bye = request & (pl.col("method") == "BYE")
    final = answers & (_STATUS >= 200)
    caused = pl.col("cause").is_not_null()

    def first(condition: pl.Expr) -> pl.Expr:
        return pl.when(condition).then(_I).min()

    def last(condition: pl.Expr) -> pl.Expr:
        return pl.when(condition).then(_I).max()

    return marked.group_by("dialog").agg(
        family=pl.col("family").first(),
        messages=pl.len(),
        first=_I.min(),
        last=_I.max(),
        opening=pl.coalesce(first(asks), first(request), _I.min()),
        asked=first(asks & current),
        ringing=first(answers & _STATUS.is_between(180, 183)),
        success=first(answers & _SUCCESS),
        failure=first(final & (_STATUS >= 300) & ~_CHALLENGE & current),
        denial=first(answers & _CHALLENGE & current),
        outcome=last(final & ~_CHALLENGE),
        refusal=last(answers & _CHALLENGE),
        bye=first(bye),
        bye_cause=first(bye & caused),
        any_cause=last(caused),
        server=first(answers & pl.col("named")),
        credentials=last(request & same & pl.col("credentials")),
        lifetime=last(pl.col("lifetime") & same & (request | (answers & _SUCCESS))),
    )


def _described(messages: pl.DataFrame, facts: pl.DataFrame, marked: pl.DataFrame) -> pl.DataFrame:
    """The dialogs, their columns taken from the messages that state them."""
    call = pl.col("family") == "INVITE"
    ended = pl.when(pl.col("success").is_null()).then(pl.coalesce("failure", "denial"))
    facts = facts.with_columns(
        status=pl.when(call)
        .then(pl.coalesce("success", "failure", "denial"))
        .otherwise(pl.coalesce("outcome", "refusal")),
        end=pl.when(call).then(pl.coalesce("bye", ended)),
        given=pl.when(pl.col("success").is_null())
        .then(pl.coalesce("bye_cause", "any_cause"))
        .otherwise(pl.col("bye_cause")),
    )

    def at(fact: str, column: str) -> pl.Series:
        return messages.get_column(column).gather(facts.get_column(fact)).alias(f"{fact}.{column}")

    taken = facts.with_columns(
        at("opening", "time"), at("asked", "time"), at("ringing", "time"), at("success", "time"),
        at("end", "time"), at("last", "time"), at("status", "status_code"),
        at("status", "reason_phrase"), at("given", "cause"), at("bye", "src"),
        at("server", "user_agent"), at("credentials", "auth_user"), at("lifetime", "expires"),
        at("first", "source"), at("first", "frame"),
        *(at("opening", c) for c in _OPENING),
    )  # fmt: skip
    frames = _frames(messages, marked)
    return taken.join(frames, on="dialog", how="left", maintain_order="left").select(
        **_opening_columns(), **_outcome_columns(call)
    )


_PARTIES = ("from_user", "to_user", "request_user", "asserted_user")
_CALLER = ("contact_user", "contact_host", "user_agent")
_ENDS = ("src", "src_port", "dst", "dst_port")
_OPENING = ("request", "call_id", *_PARTIES, *_CALLER, *_ENDS)


def _opening_columns() -> dict[str, pl.Expr]:
    """Columns from the message that opens a dialog; an answer may have to stand in for it."""
    request = pl.col("opening.request")
    other_end = dict(zip(_ENDS, (*_ENDS[2:], *_ENDS[:2]), strict=True))
    return {
        "start": pl.col("opening.time"),
        "protocol": pl.lit("sip"),
        "method": pl.col("family"),
        "call_id": pl.col("opening.call_id"),
        **{name: pl.col(f"opening.{name}") for name in _PARTIES},
        **{name: pl.when(request).then(pl.col(f"opening.{name}")) for name in _CALLER},
        **{
            name: pl.when(request)
            .then(pl.col(f"opening.{name}"))
            .otherwise(pl.col(f"opening.{other}"))
            for name, other in other_end.items()
        },
    }


def _outcome_columns(call: pl.Expr) -> dict[str, pl.Expr]:
    """Columns from what followed."""
    ringing = pl.col("ringing.time")
    delay = (ringing - pl.col("asked.time")).dt.total_microseconds() / 1e6
    status = pl.col("status.status_code")
    answered = pl.col("success").is_not_null()
    table = status.replace_strict(CAUSES, default=None, return_dtype=pl.UInt8)
    inferred = (
        pl.when(answered & pl.col("bye").is_not_null())
        .then(pl.lit(RELEASED, pl.UInt8))
        .when(~answered)
        .then(table)
    )
    return {
        "ringing_at": pl.when(call).then(ringing),
        "answered_at": pl.when(call).then(pl.col("success.time")),
        "end": pl.col("end.time"),
        "last_seen": pl.col("last.time"),
        "status_code": status,
        "reason_phrase": pl.col("status.reason_phrase"),
        "cause": pl.when(call).then(pl.coalesce("given.cause", inferred)),
        "auth_user": pl.col("credentials.auth_user"),
        "server": pl.col("server.user_agent"),
        "expires": pl.when(pl.col("family") == "REGISTER").then(pl.col("lifetime.expires")),
        "hangup_by": pl.when(call).then(pl.col("bye.src")),
        "pdd_s": pl.when(call & (delay >= 0)).then(delay),
        "messages": pl.col("messages"),
        "challenged": pl.col("refusal").is_not_null(),
        "source": pl.col("first.source"),
        "frame": pl.col("first.frame"),
        "frames": pl.col("frames"),
    }


def _frames(messages: pl.DataFrame, marked: pl.DataFrame) -> pl.DataFrame:
    """The first frame numbers of each dialog in the file of its first message."""
    placed = marked.select("dialog", "i").with_columns(
        messages.get_column("frame").gather(marked.get_column("i")),
        messages.get_column("source").gather(marked.get_column("i")),
    )
    return (
        placed.filter(pl.col("source") == pl.col("source").first().over("dialog"))
        .unique(["dialog", "frame"], keep="first", maintain_order=True)
        .filter(pl.int_range(pl.len()).over("dialog") < MAX_FRAMES)
        .group_by("dialog", maintain_order=True)
        .agg(frames=pl.col("frame"))
    )
