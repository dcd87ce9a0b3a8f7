"""The canonical tables: inside simbox nothing else exists.

A table declares its columns once; the declaration is the schema, the documentation and the check.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from simbox.errors import SimboxError, did_you_mean

EVENT_TYPES = ("MOC", "MTC", "SMS_MO", "SMS_MT")  # in the order of their codes in the store
EVENT_TYPE = pl.Enum(EVENT_TYPES)
UTC = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Column:
    """One column of a canonical table."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    doc: str
    required: bool = False


@dataclass(frozen=True)
class Table:
    """A canonical table: its name, what one row is, and its columns in order."""

    name: str
    row: str
    columns: tuple[Column, ...]

    @cached_property
    def schema(self) -> dict[str, pl.DataType | type[pl.DataType]]:
        return {c.name: c.dtype for c in self.columns}

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.required)

    def empty(self) -> pl.DataFrame:
        """The table with no rows."""
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with exactly this table's columns, absent ones null.

        Raises:
            SimboxError: the frame has a column that the table does not know.
        """
        for name in frame.columns:
            if name not in self.schema:
                raise SimboxError(
                    f"table {self.name} has no column '{name}'.{did_you_mean(name, self.schema)}"
                )
        return frame.select(
            (pl.col(n) if n in frame.columns else pl.lit(None)).cast(t).alias(n)
            for n, t in self.schema.items()
        )


EVENTS = Table(
    "events",
    "a call leg or SMS leg as the served line saw it",
    (
        Column(
            "line", pl.String, "the served line: MSISDN in E.164 digits, else IMSI", required=True
        ),
        Column("event_type", EVENT_TYPE, "MOC, MTC, SMS_MO or SMS_MT (TS 32.298)", required=True),
        Column("start", UTC, "start of the leg, seconds resolution", required=True),
        Column("duration_s", pl.Int32, "conversation seconds; null for SMS or when not known"),
        Column("answered", pl.Boolean, "the call was answered; null when the feed cannot tell"),
        Column("other", pl.String, "the other party; null when withheld"),
        Column("other_class", pl.String, "onnet, offnet, fixed, international, short, ..."),
        Column("imsi", pl.String, "IMSI of the served SIM, 15 digits (TS 23.003)"),
        Column("imei", pl.String, "the first 14 digits of the IMEI (TAC + serial)"),
        Column("cell", pl.String, "CGI or ECGI in one spelling, or the source's cell name"),
        Column("host", pl.String, "IP address on the access side, for captures"),
        Column("cause", pl.UInt8, "release cause as Q.850"),
        Column("utc_offset_min", pl.Int16, "offset of the local clock at the event, minutes"),
        Column("source", pl.String, "the file the row came from"),
        Column("row", pl.UInt32, "row in that file, 1 for the first line of data"),
    ),
)

REJECTS = Table(
    "rejects",
    "an input row that could not become an event",
    (
        Column("file", pl.String, "the file", required=True),
        Column("row", pl.UInt32, "row in that file, 1 for the first line of data", required=True),
        Column("column", pl.String, "the source's column at fault", required=True),
        Column(
            "value_class",
            pl.String,
            "shape of the value: empty, digits(11), text(4) ...",
            required=True,
        ),
        Column(
            "reason",
            pl.String,
            "stable reason: start|unreadable, event_type|unknown ...",
            required=True,
        ),
    ),
)

CELLS = Table(
    "cells",
    "a cell of the carrier's cell table",
    (
        Column("cell", pl.String, "CGI or ECGI in the spelling of events.cell", required=True),
        Column("lat", pl.Float64, "latitude, degrees WGS 84", required=True),
        Column("lon", pl.Float64, "longitude, degrees WGS 84", required=True),
        Column("district", pl.String, "administrative area"),
    ),
)

#: One row of the compact store; see ``store.py`` for the layout and ``identifiers.py`` for the ids.
STORED = Table(
    "stored",
    "an event in the compact store",
    (
        Column("line", pl.UInt64, "id of the served line", required=True),
        Column("other", pl.UInt64, "id of the other party; 0 when there is none", required=True),
        Column("imsi", pl.UInt64, "id of the IMSI; 0 when there is none", required=True),
        Column(
            "imei",
            pl.UInt64,
            "id of the IMEI with its check digit; 0 when there is none",
            required=True,
        ),
        Column("place", pl.UInt64, "id of the cell or host; 0 when there is none", required=True),
        Column("start", pl.UInt32, "seconds since 1970-01-01 UTC", required=True),
        Column("offset", pl.Int8, "offset of the local clock, quarters of an hour", required=True),
        Column("duration", pl.Int32, "seconds; -1 when not known", required=True),
        Column(
            "kind", pl.UInt16, "event type, answer, partial flag and feed: see Kind", required=True
        ),
        Column("cause", pl.UInt8, "Q.850 cause; 0 when not known", required=True),
        Column(
            "call_ref", pl.UInt64, "hash of the call reference; 0 when there is none", required=True
        ),
        Column(
            "source", pl.UInt16, "number of the file in the store's list of sources", required=True
        ),
        Column("row", pl.UInt32, "row in that file, 1 for the first line of data", required=True),
    ),
)


class Kind:
    """The bit fields of ``stored.kind``.

    Bits 0-1 event type (index into EVENT_TYPES), 2-3 answer (NO, YES, NOT_KNOWN), 4 partial record,
    8-12 feed: the profile or capture reader that the row came through, for what it can measure.
    """

    TYPE_MASK = 3
    MOC, MTC, SMS_MO, SMS_MT = range(4)
    ANSWER_SHIFT = 2
    NO, YES, NOT_KNOWN = range(3)
    PARTIAL = 1 << 4
    FEED_SHIFT = 8
    MAX_FEEDS = 32
