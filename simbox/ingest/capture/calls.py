"""Dialogs of call signalling as events of the lines on the access side.

A gateway that *terminates* traffic is called from its VoIP peer and dials on its SIM side, so an
INVITE that comes into a host is an outgoing call (MOC) of that host's line, unless it asks for one
of the host's own accounts.  What a host sends itself is an outgoing call as well.
"""

from __future__ import annotations

import polars as pl

from simbox.ingest.capture.access import ACCESS, FAR
from simbox.ingest.capture.joined import CaptureTables
from simbox.tables import EVENTS

SAME_CALL = "20s"  # how far apart the two legs of a gateway's call may start
SAME_TAIL = 8  # last digits by which the two legs name the same number
NUMBER_DIGITS = 7  # from so many digits on, a user is a telephone number and no account

#: Spoken between a telephone and its exchange only: what comes in is for the telephone.
SUBSCRIBERS = ("skinny", "mgcp")

#: Users that name nobody.
ANONYMOUS = ("anonymous", "unknown", "unavailable", "restricted", "private", "asterisk")


def events(seen: CaptureTables) -> pl.DataFrame:
    """The calls and texts of the access side as rows of tables.EVENTS, in time order."""
    legs = _with_talk(_legs(seen.dialogs, seen.sides), seen.streams)
    told = legs.filter(pl.col("protocol") == "goip")
    others = legs.filter(pl.col("protocol") != "goip")
    own = accounts(seen.dialogs, seen.sightings)
    others = _directed(others, own)
    merged = _matched(others, told)
    rows = _identified(merged, seen.sightings)
    return EVENTS.conform(rows.select(c for c in rows.columns if c in EVENTS.schema)).sort(
        "start", "line", "other", "row", maintain_order=True
    )


def accounts(dialogs: pl.DataFrame, sightings: pl.DataFrame) -> pl.DataFrame:
    """The accounts and numbers of each host: columns host, account, contact (user, host:port)."""
    registered = dialogs.filter(pl.col("method") == "REGISTER").select(
        host="src",
        account=pl.coalesce("to_user", "from_user", "auth_user"),
        contact_user="contact_user",
        contact_host="contact_host",
    )
    nothing = pl.lit(None, pl.String)
    told = pl.concat(
        sightings.select(host="host", account=name, contact_user=nothing, contact_host=nothing)
        for name in ("account", "number", "line")
    )
    return pl.concat([registered, told]).filter(pl.col("account").is_not_null()).unique().sort(
        "host", "account", "contact_user", "contact_host"
    )  # fmt: skip


def number(user: pl.Expr) -> pl.Expr:
    """The digits of a user that is a telephone number; other users as they are."""
    bare = user.str.replace_all(r"[\s().-]", "").str.strip_prefix("+")
    dialled = bare.str.extract(r"^(?:[0-9]*[#*])*([0-9]+)$", 1)  # routing prefixes end in # or *
    digits = pl.when(dialled.str.len_bytes() > 10).then(dialled.str.strip_prefix("00"))
    return pl.coalesce(digits, dialled, user)


def _legs(dialogs: pl.DataFrame, sides: pl.DataFrame) -> pl.DataFrame:
    """Calls and texts at a host that is not far: what an access host sends, else what it gets."""
    side = sides.select("host", pl.col("side").cast(pl.String))
    of_kind = dialogs.filter(pl.col("method").is_in(["INVITE", "MESSAGE"]))
    for end in ("src", "dst"):
        renamed = side.rename({"host": end, "side": f"{end}_side"})
        of_kind = of_kind.join(renamed, on=end, how="left", maintain_order="left")
    placed = of_kind.with_columns(
        into=(pl.col("src_side") != ACCESS) & (pl.col("dst_side") != FAR)
    ).filter(pl.when("into").then(~_refused()).otherwise(pl.col("src_side") != FAR))
    return placed.with_columns(
        host=pl.when("into").then("dst").otherwise("src"),
        called=number(pl.coalesce("request_user", "to_user")),
        addressed=number(pl.col("to_user")),
        calling=number(pl.coalesce("asserted_user", "from_user")),
    ).unique(["host", "protocol", "call_id", "method"], keep="first", maintain_order=True)


def _refused() -> pl.Expr:
    """A request that the host turned down at once: nothing was dialled, as when it is scanned."""
    soon = (pl.col("end") - pl.col("start")) < pl.duration(seconds=1)
    failed = (pl.col("status_code") >= 400) & pl.col("ringing_at").is_null()
    return (failed & soon).fill_null(value=False)


def _with_talk(legs: pl.DataFrame, streams: pl.DataFrame) -> pl.DataFrame:
    """When each call was answered and for how long: where the end is not seen, by its media."""
    media = streams.filter(pl.col("call_id").is_not_null()).group_by("call_id").agg(
        media_end=pl.col("end").max()
    )  # fmt: skip
    end = pl.when(pl.col("end").is_null()).then("media_end").otherwise("end")
    status = pl.col("status_code")
    return legs.join(media, on="call_id", how="left").with_columns(
        answered=pl.when(pl.col("answered_at").is_not_null())
        .then(pl.lit(True))  # noqa: FBT003  # polars takes values so
        .when(pl.col("end").is_not_null() | (status >= 300))
        .then(pl.lit(False)),  # noqa: FBT003
        duration_s=(end - pl.col("answered_at")).dt.total_seconds().cast(pl.Int32).clip(0),
    )


def _directed(legs: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """Each leg with its line, its direction and the other party.

    A request for an account is still a dialled call where To names another number: softswitches
    reach a port by its account and leave the number to dial in To.
    """
    for name, end in (("asked", "called"), ("wanted", "addressed")):
        mine = _own_users(own).rename({"user": end}).with_columns(pl.lit(value=True).alias(name))
        legs = legs.join(mine, on=["host", end], how="left", maintain_order="left")
    asked, wanted = (pl.col(name).fill_null(value=False) for name in ("asked", "wanted"))
    is_number = pl.col("addressed").str.contains(f"^[0-9]{{{NUMBER_DIGITS},}}$")
    elsewhere = is_number.fill_null(value=False) & ~wanted
    legs = _with_account(legs, own).with_columns(
        incoming=pl.col("into") & (asked & ~elsewhere | pl.col("protocol").is_in(SUBSCRIBERS)),
        by_account=pl.when(asked & elsewhere).then("called"),
        called=pl.when(pl.col("into") & asked & elsewhere).then("addressed").otherwise("called"),
    )
    line = (
        pl.when("incoming")
        .then(pl.coalesce("called", "host"))
        .when("into")
        .then(pl.coalesce("by_account", "account", "host"))
        .otherwise(pl.coalesce(number(pl.col("auth_user")), "calling", "host"))
    )
    other = pl.when("incoming").then("calling").otherwise("called")
    return legs.with_columns(line=line, other=_named(other))


def _own_users(own: pl.DataFrame) -> pl.DataFrame:
    """What a host answers to: its accounts, its numbers, the users of its contacts."""
    users = [own.select("host", user=number(pl.col(c))) for c in ("account", "contact_user")]
    return pl.concat(users).drop_nulls().unique()


def _with_account(legs: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """The account that a called port belongs to, else the only one of the host."""
    ports = own.drop_nulls("contact_host").select(
        "host",
        dst_port=pl.col("contact_host").str.extract(r":(\d+)$", 1).cast(pl.UInt16, strict=False),
        by_port=number(pl.col("account")),
    )
    ports = ports.drop_nulls().unique().filter(pl.len().over("host", "dst_port") == 1)
    only = own.group_by("host").agg(pl.col("account").unique()).filter(
        pl.col("account").list.len() == 1
    ).select("host", by_host=number(pl.col("account").list.first()))  # fmt: skip
    legs = legs.join(ports, on=["host", "dst_port"], how="left", maintain_order="left")
    legs = legs.join(only, on="host", how="left", maintain_order="left")
    return legs.with_columns(account=pl.coalesce("by_port", "by_host"))


def _named(other: pl.Expr) -> pl.Expr:
    """A party, or nothing where the user names nobody."""
    return pl.when(~other.str.to_lowercase().is_in(ANONYMOUS)).then(other)


def _matched(legs: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """Calls with the line that the gateway itself told for them; what it alone told is kept."""
    out = pl.col("src") == pl.col("host")
    told = told.with_columns(
        incoming=~out,
        line=pl.when(out).then("calling").otherwise("called"),
        other=_named(pl.when(out).then("called").otherwise("calling")),
    ).with_row_index("told")
    by = ["host", "method", "incoming", "tail"]
    tail = pl.col("other").str.tail(SAME_TAIL)
    left = legs.with_columns(tail=tail).sort("start")
    right = told.select("host", "method", "incoming", "start", "told", tail=tail,
                        told_line="line", told_port="port")  # fmt: skip
    found = left.join_asof(
        right.sort("start"), on="start", by=by, strategy="nearest", tolerance=SAME_CALL,
        check_sortedness=False,
    )  # fmt: skip
    found = found.with_columns(
        line=pl.coalesce("told_line", "line"), port=pl.coalesce("told_port", "port")
    )
    alone = told.join(found.select(pl.col("told")).drop_nulls(), on="told", how="anti")
    return pl.concat([found, alone], how="diagonal_relaxed")


def _identified(legs: pl.DataFrame, sightings: pl.DataFrame) -> pl.DataFrame:
    """Events with the SIM and the device that the line was last seen with, near the call."""
    known = sightings.filter(pl.col("line").is_not_null()).select(
        "host", "seen", line=number(pl.col("line")), imsi="imsi", imei="imei"
    )
    found = legs.sort("start").join_asof(
        known.sort("seen"), left_on="start", right_on="seen", by=["host", "line"],
        strategy="nearest", check_sortedness=False,
    )  # fmt: skip
    text = pl.col("method") == "MESSAGE"
    code = pl.col("incoming").cast(pl.Int8) + text.cast(pl.Int8) * 2
    kind = code.replace_strict([0, 1, 2, 3], ["MOC", "MTC", "SMS_MO", "SMS_MT"])
    return found.with_columns(
        event_type=kind,
        row=pl.col("frame").cast(pl.UInt32, strict=False),
        answered=pl.when(~text).then("answered"),
        duration_s=pl.when(~text).then("duration_s"),
    )
