"""What captures have shown, laid out by host: its calls, its requests, its media."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from simbox.tables import DIALOGS, EVIDENCE, SIGHTINGS, STREAMS, TUNNELS

ACCESS, FAR = "access", "far"
TOLD_BY_DEVICE = "goip"  # calls that the device reports to its server, beside their signalling
TAIL = 9  # digits at the end by which two spellings of a telephone number are one
BLOCK_DIGITS = 4  # 10,000 numbers: the largest block that an office rents, a mobile network's least
MOST_GRANTED = 0.05  # of a scanner's requests, those that may succeed
LEAST_REFUSED = 0.5  # of them; who pings his customers is answered
LEAST_REQUESTS = 20  # before a sender of failing requests is called a scanner
LEAST_TARGETS = 10  # users or hosts that it tries
FLOOD_RATE = 5.0  # requests a second, of which none succeeds, whomever they are for


@dataclass(frozen=True)
class Seen:
    """The tables of captures, and the hosts that are to be measured."""

    dialogs: pl.DataFrame
    streams: pl.DataFrame
    sightings: pl.DataFrame
    evidence: pl.DataFrame
    tunnels: pl.DataFrame
    sides: pl.DataFrame  # columns host and side

    @classmethod
    def of(cls, tables: Mapping[str, pl.DataFrame], sides: pl.DataFrame) -> Seen:
        """The tables by their names; absent ones are empty."""
        named = (DIALOGS, STREAMS, SIGHTINGS, EVIDENCE, TUNNELS)
        given = {t.name: t.conform(tables[t.name]) if t.name in tables else t.empty()
                 for t in named}  # fmt: skip
        given["evidence"] = _by_address(given["evidence"])
        return cls(sides=sides.select(pl.col("host", "side").cast(pl.String)), **given)

    @cached_property
    def hosts(self) -> pl.DataFrame:
        """Column host: every address that is not far, and scanners wherever they are."""
        near = self.sides.filter(pl.col("side") != FAR).select("host")
        return pl.concat([near, self.scanners]).unique().sort("host")

    @cached_property
    def requests(self) -> pl.DataFrame:
        """Requests that hosts sent, and whether they got what they asked for."""
        status = pl.col("status_code")
        return self.dialogs.filter(
            pl.col("method").is_in(["INVITE", "REGISTER", "OPTIONS"]),
            pl.col("protocol") != TOLD_BY_DEVICE,
        ).select(
            host="src", peer="dst", start="start", method="method",
            user=pl.coalesce("request_user", "to_user"),
            succeeded=(
                (pl.col("method") != "OPTIONS")  # an answer to a ping grants nothing
                & (pl.col("answered_at").is_not_null() | status.is_between(200, 299)
                   | pl.col("ringing_at").is_not_null())
            ).fill_null(value=False),
            refused=(status >= 400).fill_null(value=True) & pl.col("answered_at").is_null(),
        )  # fmt: skip

    @cached_property
    def scanners(self) -> pl.DataFrame:
        """Column host: senders of many requests to many targets, or at a flood's rate, in vain."""
        sent = self.requests.group_by("host").agg(
            pl.len().alias("requests"),
            pl.col("succeeded", "refused").mean(),
            pl.max_horizontal(pl.col("user").n_unique(), pl.col("peer").n_unique()).alias("targets"),
            ((pl.col("start").max() - pl.col("start").min()).dt.total_milliseconds() / 1000)
            .alias("seconds"),
        )  # fmt: skip
        rate = pl.col("requests") / pl.col("seconds").clip(1)
        return sent.filter(
            pl.col("requests") >= LEAST_REQUESTS,
            pl.col("succeeded") <= MOST_GRANTED,
            pl.col("refused") >= LEAST_REFUSED,
            (pl.col("targets") >= LEAST_TARGETS) | (rate >= FLOOD_RATE),
        ).select("host")

    @cached_property
    def calls(self) -> pl.DataFrame:
        """Call attempts at hosts, a row a host and call, without those of scanners.

        Columns host, peer, into (the request came to the host), start, ringing_at, answered_at,
        until (end, of its media where no end was seen), status_code, called, own (asks for one of
        the host's accounts or numbers), pdd_s, call_id, sim (told by the device alone).
        """
        attempts = self.dialogs.filter(pl.col("method") == "INVITE").join(
            self.scanners.rename({"host": "src"}), on="src", how="anti"
        )
        media = (
            self.streams.drop_nulls("call_id")
            .group_by("call_id")
            .agg(media_end=pl.col("end").max())
        )
        attempts = attempts.join(media, on="call_id", how="left").with_columns(
            until=pl.coalesce("end", "media_end", "last_seen"),
            asked=subscriber(pl.col("request_user")),
            meant=subscriber(pl.col("to_user")),
            told=pl.col("protocol") == TOLD_BY_DEVICE,
        )
        legs = pl.concat(
            attempts.with_columns(
                host=pl.col(host), peer=pl.col(peer), into=pl.lit(value=host == "dst")
            )
            for host, peer in (("dst", "src"), ("src", "dst"))
        ).join(self.hosts, on="host", how="semi")
        signalled = legs.filter(~pl.col("told"))
        alone = legs.filter("told").join(signalled, on="host", how="anti")
        device = self.sightings.select("host").unique()
        alone = alone.join(device, on="host", how="semi")
        named = pl.concat([signalled, alone])
        for user in ("asked", "meant"):
            mine = self._accounts.select("host", pl.col("called").alias(user))
            mine = mine.with_columns(pl.lit(value=True).alias(f"{user}_own"))
            named = named.join(mine, on=["host", user], how="left")
        # a server that sends a call to a line's account leaves the number to be dialled in To;
        # the account's registration may be older than the capture
        account = pl.col("asked_own").fill_null(value=False) | ~_is_number(pl.col("asked"))
        dialled = account & pl.col("meant_own").is_null() & _is_number(pl.col("meant"))
        dialled = pl.col("into") & dialled.fill_null(value=False)
        return named.with_columns(
            called=pl.when(dialled).then("meant").otherwise(pl.coalesce("asked", "meant")),
            own=pl.col("into")
            & ~dialled
            & pl.coalesce(
                "asked_own", pl.when(pl.col("asked").is_null()).then("meant_own")
            ).fill_null(value=False),
        ).sort("host", "start", "source", "frame", "call_id")

    @cached_property
    def _accounts(self) -> pl.DataFrame:
        """The accounts and numbers of hosts: registered, told by a device, or given as caller."""
        registered = self.dialogs.filter(pl.col("method") == "REGISTER")
        sent = self.dialogs.filter(
            pl.col("method") == "INVITE", pl.col("protocol") != TOLD_BY_DEVICE
        )
        sources = [
            *(
                (registered, "src", n)
                for n in ("to_user", "from_user", "auth_user", "contact_user")
            ),
            *(
                (sent, "src", n)
                for n in ("from_user", "asserted_user", "auth_user", "contact_user")
            ),
            *((self.sightings, "host", n) for n in ("account", "number", "line")),
        ]
        found = [
            frame.select(host=host, called=subscriber(pl.col(name)))
            for frame, host, name in sources
        ]
        return pl.concat(found).drop_nulls().unique()


def _by_address(evidence: pl.DataFrame) -> pl.DataFrame:
    """Evidence of a device that had no address yet, moved to the address that its MAC got."""
    mac = r"^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$"
    named = evidence.filter(~pl.col("host").str.contains(mac)).select(
        "time", address="host", host=pl.col("fields").str.extract(r'"mac": ?"([0-9a-f:]{17})"', 1)
    )
    first = named.drop_nulls("host").sort("time", "address").unique("host", keep="first")
    moved = evidence.join(first.select("host", "address"), on="host", how="left",
                          maintain_order="left")  # fmt: skip
    return moved.with_columns(host=pl.coalesce("address", "host")).drop("address")


def subscriber(user: pl.Expr) -> pl.Expr:
    """What tells one called user from another: the last digits of a number, else the user."""
    digits = user.str.extract(r"^(?:[0-9]*[#*])*\+?([0-9]{7,})$", 1)
    return pl.coalesce(digits.str.tail(TAIL), user)


def _is_number(user: pl.Expr) -> pl.Expr:
    """A telephone number, and no account or extension."""
    return user.str.contains(r"^[0-9]{7,}$")


def block(called: pl.Expr) -> pl.Expr:
    """The block of 10,000 numbers that a number is in; other users are their own.

    Extensions are in the one block of the house: no mobile network can be asked for them.
    """
    return (
        pl.when(_is_number(called)).then(called.str.head(-BLOCK_DIGITS))
        .when(called.str.contains(r"^[0-9]+$")).then(pl.lit(""))
        .otherwise(called)
    )  # fmt: skip
