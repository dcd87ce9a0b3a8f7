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
HOST_PREFIX = "host:"  # in the store, before the address of a place that is no cell


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

#: One SIP message, as read; dialogs are assembled from these over all files of a run.
MESSAGES = Table(
    "messages",
    "a SIP message",
    (
        Column("time", UTC, "capture time of the (last) frame", required=True),
        Column("source", pl.String, "the capture file", required=True),
        Column("frame", pl.UInt64, "frame number in that file, from 1", required=True),
        Column("transport", pl.String, "udp or tcp", required=True),
        Column("src", pl.String, "IP address of the sender", required=True),
        Column("src_port", pl.UInt16, "its port", required=True),
        Column("dst", pl.String, "IP address of the receiver", required=True),
        Column("dst_port", pl.UInt16, "its port", required=True),
        Column("request", pl.Boolean, "request, else response", required=True),
        Column("method", pl.String, "method of the request, of CSeq for a response"),
        Column("status_code", pl.UInt16, "status of a response"),
        Column("reason_phrase", pl.String, "its reason phrase"),
        Column("cseq", pl.UInt32, "CSeq number"),
        Column("call_id", pl.String, "Call-ID", required=True),
        Column("request_user", pl.String, "user of the request URI"),
        Column("request_host", pl.String, "host of the request URI"),
        Column("from_user", pl.String, "user of From"),
        Column("from_host", pl.String, "host of From"),
        Column("from_tag", pl.String, "tag of From"),
        Column("from_header", pl.String, "From as written, of initial requests only"),
        Column("to_user", pl.String, "user of To"),
        Column("to_tag", pl.String, "tag of To"),
        Column("asserted_user", pl.String, "user of P-Asserted-Identity or Remote-Party-ID"),
        Column("contact_user", pl.String, "user of Contact"),
        Column("contact_host", pl.String, "host of Contact, with its port where it has one"),
        Column("branch", pl.String, "branch of the top Via"),
        Column("via_host", pl.String, "sent-by of the top Via"),
        Column("vias", pl.UInt8, "Via headers"),
        Column("max_forwards", pl.UInt16, "Max-Forwards"),
        Column("user_agent", pl.String, "User-Agent, of a response Server"),
        Column("allow", pl.String, "Allow as written"),
        Column("auth_user", pl.String, "user name of digest credentials"),
        Column("realm", pl.String, "digest realm of a challenge or of credentials"),
        Column("expires", pl.UInt32, "Expires header or Contact parameter, seconds"),
        Column("cause", pl.UInt8, "Q.850 cause of Reason"),
        Column("access_network", pl.String, "P-Access-Network-Info"),
        Column("unusual", pl.String, "names of headers that start with X-, joined by a comma"),
        Column("sdp_origin", pl.String, "o= of the SDP without its address"),
        Column("sdp_session", pl.String, "s= of the SDP"),
        Column("sdp_secure", pl.Boolean, "an RTP/SAVP medium without a=crypto"),
    ),
)

#: An address that signalling names for media: tells streams apart and to which call they belong.
MEDIA = Table(
    "media",
    "a media address announced in signalling",
    (
        Column("time", UTC, "when it was announced", required=True),
        Column("source", pl.String, "the capture file", required=True),
        Column("frame", pl.UInt64, "frame number in that file, from 1", required=True),
        Column("protocol", pl.String, "sip, mgcp, skinny, h245 ...", required=True),
        Column("call_id", pl.String, "the call"),
        Column("announcer", pl.String, "IP address that sent the announcement", required=True),
        Column("address", pl.String, "IP address where media is expected", required=True),
        Column("port", pl.UInt16, "UDP port; 0 refuses the medium", required=True),
        Column("kind", pl.String, "audio, video, image ..."),
        Column("codecs", pl.String, "codec names in order of preference, joined by a comma"),
        Column("payload_types", pl.String, "the payload types beside them, joined by a comma"),
        Column("ptime_ms", pl.UInt16, "packet time asked for"),
    ),
)

#: The part of an RTP stream that one file holds; streams are joined from these.
SEGMENTS = Table(
    "segments",
    "an RTP stream in one direction as far as one file holds it",
    (
        Column("source", pl.String, "the capture file", required=True),
        Column("src", pl.String, "IP address of the sender", required=True),
        Column("src_port", pl.UInt16, "its port", required=True),
        Column("dst", pl.String, "IP address of the receiver", required=True),
        Column("dst_port", pl.UInt16, "its port", required=True),
        Column("ssrc", pl.UInt32, "synchronisation source (RFC 3550)", required=True),
        Column("payload_type", pl.UInt8, "most frequent payload type of media", required=True),
        Column("event_type", pl.UInt8, "payload type of telephone events (RFC 4733), if any"),
        Column("start", UTC, "first packet", required=True),
        Column("end", UTC, "last packet", required=True),
        Column("first_frame", pl.UInt64, "frame of the first packet", required=True),
        Column("last_frame", pl.UInt64, "frame of the last packet", required=True),
        Column("packets", pl.UInt32, "packets", required=True),
        Column("octets", pl.UInt64, "octets of payload, RTP header left out", required=True),
        Column("first_seq", pl.UInt16, "sequence number of the first packet", required=True),
        Column("extended_seq", pl.Int64, "highest extended number less the first", required=True),
        Column("disordered", pl.UInt32, "packets that came late or twice", required=True),
        Column("ticks", pl.UInt32, "most frequent step of the RTP timestamp a packet"),
        Column("size", pl.UInt16, "most frequent payload size, octets"),
        Column("size_share", pl.Float64, "share of packets of that size"),
        Column("markers", pl.UInt32, "packets with the marker bit: talk spurts"),
        Column("comfort", pl.UInt32, "comfort noise packets (RFC 3389) and silence descriptors"),
        Column("jitter", pl.Float64, "interarrival jitter by RFC 3550 at the end, ticks"),
        Column("mean_deviation", pl.Float64, "mean |D| of RFC 3550, ticks"),
        Column("tunnelled", pl.UInt8, "tunnels around the packets", required=True),
        Column("announced", pl.Boolean, "its address was announced before", required=True),
    ),
)

DIALOGS = Table(
    "dialogs",
    "a dialog of call signalling: a call attempt, or another SIP transaction that stands alone",
    (
        Column("start", UTC, "first request", required=True),
        Column("ringing_at", UTC, "first 180 or 183 or its like"),
        Column("answered_at", UTC, "answer"),
        Column("end", UTC, "BYE, final failure or, where neither was seen, null"),
        Column("last_seen", UTC, "last message", required=True),
        Column("protocol", pl.String, "sip, mgcp, iax2, h225, skinny, goip ...", required=True),
        Column("method", pl.String, "INVITE, REGISTER, OPTIONS, MESSAGE ...", required=True),
        Column("call_id", pl.String, "Call-ID or its like", required=True),
        Column("status_code", pl.UInt16, "final status as SIP; null when none was seen"),
        Column("reason_phrase", pl.String, "its reason phrase"),
        Column("cause", pl.UInt8, "Q.850 cause, given or by RFC 3398 table; null when not known"),
        Column("from_user", pl.String, "calling user or number"),
        Column("to_user", pl.String, "user of To"),
        Column("request_user", pl.String, "user of the request URI: the number called"),
        Column("asserted_user", pl.String, "user of P-Asserted-Identity or Remote-Party-ID"),
        Column("contact_user", pl.String, "user of the caller's Contact"),
        Column("contact_host", pl.String, "host of the caller's Contact"),
        Column("auth_user", pl.String, "user name of digest credentials"),
        Column("user_agent", pl.String, "User-Agent of the caller"),
        Column("server", pl.String, "User-Agent or Server of the called side"),
        Column("expires", pl.UInt32, "lifetime of a registration, seconds"),
        Column("src", pl.String, "IP address that the first request came from", required=True),
        Column("src_port", pl.UInt16, "its port"),
        Column("dst", pl.String, "IP address that it went to", required=True),
        Column("dst_port", pl.UInt16, "its port"),
        Column("hangup_by", pl.String, "IP address that sent the BYE or its like"),
        Column("pdd_s", pl.Float64, "post-dial delay: request to ringing, seconds"),
        Column("messages", pl.UInt32, "messages", required=True),
        Column("challenged", pl.Boolean, "the request was challenged (401, 407)"),
        Column("port", pl.UInt16, "line or port of the gateway, where it tells"),
        Column("source", pl.String, "the capture file of the first message", required=True),
        Column("frame", pl.UInt64, "frame of the first message", required=True),
        Column("frames", pl.List(pl.UInt64), "first frames of that file, at most 32"),
    ),
)

STREAMS = Table(
    "streams",
    "an RTP stream in one direction",
    (
        Column("start", UTC, "first packet", required=True),
        Column("end", UTC, "last packet", required=True),
        Column("src", pl.String, "IP address of the sender", required=True),
        Column("src_port", pl.UInt16, "its port", required=True),
        Column("dst", pl.String, "IP address of the receiver", required=True),
        Column("dst_port", pl.UInt16, "its port", required=True),
        Column("ssrc", pl.UInt32, "synchronisation source (RFC 3550)", required=True),
        Column("payload_type", pl.UInt8, "most frequent payload type of media", required=True),
        Column("codec", pl.String, "by announcement, else by RFC 3551; null when not known"),
        Column("ptime_ms", pl.Float64, "audio a packet"),
        Column("packets", pl.UInt32, "packets", required=True),
        Column("octets", pl.UInt64, "octets of payload", required=True),
        Column("lost", pl.UInt32, "packets missing by sequence number", required=True),
        Column("disordered", pl.UInt32, "packets that came late or twice", required=True),
        Column("jitter_ms", pl.Float64, "interarrival jitter by RFC 3550 at the end"),
        Column("silence", pl.Boolean, "discontinuous: silence is not sent (DTX, VAD)"),
        Column("tunnelled", pl.UInt8, "tunnels around the packets", required=True),
        Column("announced", pl.Boolean, "signalling named its address", required=True),
        Column("protocol", pl.String, "the signalling that named it"),
        Column("call_id", pl.String, "the call that it belongs to"),
        Column("source", pl.String, "the capture file it starts in", required=True),
        Column("first_frame", pl.UInt64, "frame of the first packet", required=True),
        Column("last_frame", pl.UInt64, "frame of the last packet", required=True),
    ),
)

GRADES = ("conclusive", "strong", "weak")  # what the signature of a device is worth

EVIDENCE = Table(
    "evidence",
    "the signature of a gateway device that matched, at one host",
    (
        Column("host", pl.String, "IP address of the device (as seen), or MAC", required=True),
        Column("peer", pl.String, "IP address at the other end"),
        Column("line", pl.String, "line of the device, where the signature names one"),
        Column("signature", pl.String, "name in configs/signatures", required=True),
        Column("product", pl.String, "product or family", required=True),
        Column("kind", pl.String, "gateway, or pbx, phone, scanner: what the product is"),
        Column("grade", pl.Enum(GRADES), "conclusive, strong or weak", required=True),
        Column("time", UTC, "first match", required=True),
        Column("last_seen", UTC, "last match", required=True),
        Column("count", pl.UInt32, "matches", required=True),
        Column("source", pl.String, "the capture file of the first match", required=True),
        Column("frame", pl.UInt64, "frame of the first match", required=True),
        Column("fields", pl.String, "what it revealed, as JSON: serial, mac, firmware ..."),
    ),
)

SIGHTINGS = Table(
    "sightings",
    "a SIM seen in a device at a place",
    (
        Column("seen", UTC, "when", required=True),
        Column("line", pl.String, "MSISDN in E.164 digits, else IMSI, else the account"),
        Column("number", pl.String, "the SIM's number as the device knows it"),
        Column("imsi", pl.String, "IMSI, 15 digits (TS 23.003)"),
        Column("imei", pl.String, "IMEI as told"),
        Column("iccid", pl.String, "ICCID, 19 or 20 digits (ITU-T E.118)"),
        Column("cell", pl.String, "cell as told: LAC and cell identity in hex"),
        Column("operator", pl.String, "network name as told"),
        Column("signal", pl.Int16, "received level, dBm"),
        Column("state", pl.String, "state of the line: registered, idle, in call ..."),
        Column("host", pl.String, "IP address of the device", required=True),
        Column("peer", pl.String, "IP address that it told"),
        Column("account", pl.String, "the line's account on the server"),
        Column("port", pl.UInt16, "line or port of the gateway, where it tells"),
        Column("protocol", pl.String, "goip, simbank, dinstar, ami, http", required=True),
        Column("source", pl.String, "the capture file", required=True),
        Column("frame", pl.UInt64, "frame number in that file, from 1", required=True),
    ),
)

#: What passes over an opaque flow in ten seconds: from it voice inside a tunnel is told.
WINDOWS = Table(
    "windows",
    "an opaque flow (UDP that no reader claimed, ESP, tunnels) in one direction in one window",
    (
        Column("source", pl.String, "the capture file", required=True),
        Column("src", pl.String, "IP address of the sender", required=True),
        Column("src_port", pl.UInt16, "its port; 0 where there is none", required=True),
        Column("dst", pl.String, "IP address of the receiver", required=True),
        Column("dst_port", pl.UInt16, "its port; 0 where there is none", required=True),
        Column("protocol", pl.UInt8, "IP protocol number", required=True),
        Column("window", pl.Int64, "ten-second windows since 1970-01-01 UTC", required=True),
        Column("size", pl.UInt16, "octets of the payload; 0: all other sizes", required=True),
        Column("packets", pl.UInt32, "packets of that size", required=True),
        Column("kind", pl.String, "wireguard, openvpn, esp ... by its first octets; else null"),
        Column("first_frame", pl.UInt64, "frame of the first of them", required=True),
        Column("span_ms", pl.UInt16, "from the first to the last of them, milliseconds"),
        Column("peak", pl.UInt32, "packets in the second busiest of the window's seconds"),
    ),
)

TUNNELS = Table(
    "tunnels",
    "a flow that carries voice inside an encrypted tunnel",
    (
        Column("host", pl.String, "IP address on the access side", required=True),
        Column("host_port", pl.UInt16, "its port", required=True),
        Column("peer", pl.String, "IP address at the other end", required=True),
        Column("peer_port", pl.UInt16, "its port", required=True),
        Column("kind", pl.String, "wireguard, openvpn, esp, ipip ...; null when not known"),
        Column("codec", pl.String, "codec and packet time that the sizes fit"),
        Column("start", UTC, "first window with voice", required=True),
        Column("end", UTC, "end of the last window with voice", required=True),
        Column("windows", pl.UInt32, "windows with voice", required=True),
        Column("share", pl.Float64, "share of the flow's windows that carry voice", required=True),
        Column("calls_max", pl.UInt16, "most calls at a time", required=True),
        Column("calls_mean", pl.Float64, "calls at a time while there are any", required=True),
        Column("calls", pl.List(pl.UInt16), "calls window by window from start", required=True),
        Column("size_share", pl.Float64, "share of packets of the most frequent size"),
        Column("source", pl.String, "the capture file", required=True),
        Column("first_frame", pl.UInt64, "frame of its first packet", required=True),
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
